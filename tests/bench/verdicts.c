/*
 * verdicts.c: how many verdicts a second one core gives, on the headers of the files named; and
 * whether memory stays the same. Reading the files is not part of what is measured; making facts of
 * the fields, as the milter does, is.
 *
 * usage: verdicts RULES SECONDS FILE...
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "classify/classify.h"
#include "facts/facts.h"
#include "policy/rules_load.h"

struct message {
	GPtrArray *names, *values; /* own; as libmilter would hand them over */
	size_t bytes;
};

static bool message_read(const char *path, struct message *m)
{
	struct facts *facts = facts_new();
	int fd = open(path, O_RDONLY);
	if (fd < 0 || facts_read(facts, fd, NULL, NULL) != RC_OK) {
		perror(path);
		return false;
	}
	m->names = g_ptr_array_new_with_free_func(g_free);
	m->values = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < facts->n_fields; i++) {
		g_ptr_array_add(m->names, g_strdup(facts->fields[i].name));
		g_ptr_array_add(m->values, g_strdup(facts->fields[i].raw));
	}
	m->bytes = facts->n_bytes;
	facts_free(&facts);
	close(fd);
	return true;
}

static void verdict_give(const struct rules *rules, const struct message *m)
{
	struct facts *facts = facts_new();
	struct verdict verdict;
	facts_envelope_from(facts, "<sender@example.net>");
	facts_envelope_rcpt(facts, "<ann@example.org>");
	for (guint i = 0; i < m->names->len; i++)
		facts_header(facts, m->names->pdata[i], m->values->pdata[i]);
	facts_end(facts);
	classify(rules, facts, &verdict, NULL);
	facts_free(&facts);
}

/* Processor time of this process: other programs on the machine do not count. */
static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long memory_kb(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int main(int argc, char **argv)
{
	struct rules *rules = NULL;
	struct err err;
	if (argc < 4) {
		fprintf(stderr, "usage: verdicts RULES SECONDS FILE...\n");
		return 64;
	}
	int n = argc - 3, status = 1;
	struct message *messages = g_new0(struct message, n);
	size_t bytes = 0, fields = 0, verdicts = 0;
	if (policy_rules_load(argv[1], NULL, NULL, &rules, &err) != RC_OK) {
		fprintf(stderr, "%s\n", err.text);
		goto out;
	}
	for (int i = 0; i < n; i++) {
		if (!message_read(argv[3 + i], &messages[i]))
			goto out;
		bytes += messages[i].bytes;
		fields += messages[i].names->len;
	}
	double start = cpu_seconds(), limit = atoi(argv[2]), took;
	verdict_give(rules, &messages[0]);
	long before = memory_kb();
	do {
		for (int i = 0; i < n; i++)
			verdict_give(rules, &messages[i]);
		verdicts += (size_t)n;
	} while ((took = cpu_seconds() - start) < limit);
	printf("%zu rules, %d headers of %zu bytes and %zu fields on average\n", rules_count(rules),
	    n, bytes / (size_t)n, fields / (size_t)n);
	printf("%.0f verdicts a second, %+ld kB of memory after %zu verdicts\n",
	    (double)verdicts / took, memory_kb() - before, verdicts);
	status = 0;
out:
	for (int i = 0; i < n; i++) {
		if (messages[i].names != NULL) {
			g_ptr_array_free(messages[i].names, TRUE);
			g_ptr_array_free(messages[i].values, TRUE);
		}
	}
	g_free(messages);
	rules_unref(&rules);
	return status;
}
