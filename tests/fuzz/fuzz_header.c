/*
 * fuzz_header.c: any bytes as a message: reading its header, making facts and giving a verdict by
 * the shipped rules must neither crash nor break a promise of facts.h and classify.h. For
 * libFuzzer; tests/fuzz/run builds and runs it.
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "classify/classify.h"
#include "facts/facts.h"
#include "policy/rules_load.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rules *rules;
static int fd = -1;

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void require_text(const char *s, const char *what)
{
	require(s != NULL && g_utf8_validate(s, -1, NULL), what);
	for (; *s != '\0'; s++)
		require((unsigned char)*s >= 0x20 && *s != 0x7f, what);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err err;
	const char *dir = getenv("PULLYU_FUZZ_RULES");
	(void)argc;
	(void)argv;
	if (dir == NULL || policy_rules_load(dir, NULL, NULL, &rules, &err) != RC_OK) {
		fprintf(stderr, "PULLYU_FUZZ_RULES: %s\n", dir == NULL ? "not set" : err.text);
		exit(1);
	}
	fd = memfd_create("message", MFD_CLOEXEC);
	require(fd >= 0, "memfd_create");
	return 0;
}

static void facts_check(const struct facts *facts)
{
	require_text(facts->subject, "subject");
	require_text(facts->from_addr, "from_addr");
	require_text(facts->from_name, "from_name");
	require_text(facts->envelope_from, "envelope_from");
	require_text(facts->list_id, "list_id");
	require_text(facts->message_id, "message_id");
	require(facts->n_fields <= FACTS_FIELDS_MAX, "n_fields");
	require(facts->n_refs <= FACTS_REFS_MAX, "n_refs");
	for (size_t i = 0; i < facts->n_refs; i++)
		require_text(facts->refs[i], "refs");
	for (size_t i = 0; i < facts->n_fields; i++) {
		require_text(facts->fields[i].name, "name");
		require_text(facts->fields[i].value, "value");
		require_text(facts->fields[i].raw, "raw");
		require(strlen(facts->fields[i].value) <= FACTS_BODY_MAX, "length of a value");
	}
	for (size_t i = 0; i < facts->n_derived; i++)
		require_text(facts->derived[i].value, "derived");
}

static void verdict_check(const struct verdict *v)
{
	char text[VERDICT_TEXT_MAX], reasons[VERDICT_TEXT_MAX];
	enum class cls;
	double score;
	require(v->n_reasons <= VERDICT_REASONS_MAX, "n_reasons");
	for (size_t i = 0; i < v->n_reasons; i++)
		require_text(v->reasons[i].seen, "seen");
	verdict_format(v, text);
	require(verdict_parse(text, &cls, &score, reasons, NULL) == RC_OK && cls == v->cls,
	    "verdict_parse reads what verdict_format wrote");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts *facts = facts_new();
	struct verdict verdict;
	uint64_t header_len;
	require(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size &&
		lseek(fd, 0, SEEK_SET) == 0,
	    "memfd");
	facts_envelope_rcpt(facts, "ann@example.org");
	require(facts_read(facts, fd, &header_len, NULL) == RC_OK, "facts_read");
	require(header_len <= size, "header_len");
	facts_check(facts);
	classify(rules, facts, &verdict, NULL);
	verdict_check(&verdict);
	facts_free(&facts);
	return 0;
}
