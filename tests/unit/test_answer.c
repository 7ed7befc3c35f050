/*
 * test_answer.c: the links by which a reader answers, made of hostile values; the numbers of a digest
 * and what they stand for; and the answers to commands. In English. How the messages parse is
 * tests/e2e/test_digest_mime.py's.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#include "digest/actions.h"
#include "digest/answer.h"
#include "digest/outline.h"
#include "digest/text.h"

#define ADDRESS "pullyu@example.org"

enum { NOW = 1795503600 }; /* 2026-11-24 07:00 UTC */

/* ---- links ---- */

static void test_uri(void **state)
{
	static const struct {
		const char *label;
		enum action action;
		const char *address, *token, *object, *form, *want;
	} rows[] = {
	    {"allow", ACTION_ALLOW, ADDRESS, "a_B-9", "news@shop.example", NULL,
		"mailto:pullyu@example.org?subject=Let%20news%40shop.example%20through%20"
		"%5Bpullyu%20a_B-9%5D&body=Send%20this%20message%20as%20it%20is."},
	    {"no object", ACTION_HELP, ADDRESS, "t", NULL, NULL,
		"mailto:pullyu@example.org?subject=Help%20%5Bpullyu%20t%5D"
		"&body=Send%20this%20message%20as%20it%20is."},
	    {"an address of many signs", ACTION_HELP, "a+b&c?%@x.example", "t", NULL, NULL,
		"mailto:a%2Bb%26c%3F%25@x.example?subject=Help%20%5Bpullyu%20t%5D"
		"&body=Send%20this%20message%20as%20it%20is."},
	    {"two at signs", ACTION_HELP, "\"a@b\"@x.example", "t", NULL, NULL,
		"mailto:%22a%40b%22@x.example?subject=Help%20%5Bpullyu%20t%5D"
		"&body=Send%20this%20message%20as%20it%20is."},
	    {"a form", ACTION_TIMES, ADDRESS, "t", NULL, "times = 08:00\n\ntimezone = UTC\n",
		"mailto:pullyu@example.org?subject=My%20times%20%5Bpullyu%20t%5D&body=Change%"
		"20below"
		"%20what%20you%20want%20to%20change%2C%20then%20send%20this%20message.%0D%0A%0D%0A"
		"times%20%3D%2008%3A00%0D%0Atimezone%20%3D%20UTC"},
	    {"no form", ACTION_TIMES, ADDRESS, "t", NULL, "",
		"mailto:pullyu@example.org?subject=My%20times%20%5Bpullyu%20t%5D"
		"&body=Send%20this%20message%20as%20it%20is."},
	    {"no token", ACTION_HELP, ADDRESS, NULL, NULL, NULL, NULL},
	    {"an empty token", ACTION_HELP, ADDRESS, "", NULL, NULL, NULL},
	    {"a token with a bracket", ACTION_HELP, ADDRESS, "a]b", NULL, NULL, NULL},
	    {"a token with an end of line", ACTION_HELP, ADDRESS, "a\r\n", NULL, NULL, NULL},
	    {"no address", ACTION_HELP, NULL, "t", NULL, NULL, NULL},
	};
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *got = action_uri(rows[i].address, rows[i].action, rows[i].token,
		    rows[i].object, 1, rows[i].form);
		bad += unit_str(rows[i].label, got == NULL ? "(none)" : got,
		    rows[i].want == NULL ? "(none)" : rows[i].want);
		g_free(got);
	}
	assert_int_equal(bad, 0);
}

/* What a mail client makes of the subject; g_free. */
static char *subject_of(const char *uri)
{
	const char *from = strstr(uri, "?subject=") + strlen("?subject=");
	return g_uri_unescape_segment(from, from + strcspn(from, "&"), NULL);
}

static void test_hostile_uri(void **state)
{
	static const char *const objects[] = {"\" onmouseover=\"x@y", "%0D%0ABcc: z@z", "a?b&c=d#e",
	    "a\r\nBcc: x@y\r\n\r\nbody", "[pullyu forged]@x.example", "\xFF\xC3@x", "j\xC3\xB6rg@x",
	    ("\xE2\x80\xAE"
	     "evil@x"),
	    "<script>@x", "a b\tc@x", ""};
	char *token = g_strnfill(ACTION_TOKEN_MAX - 1, 't');
	char *tail = g_strdup_printf(" [pullyu %s]", token);
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(objects); i++) {
		for (enum action action = ACTION_ALLOW; action <= ACTION_UNDO; action++) {
			char *uri = action_uri(ADDRESS, action, token, objects[i], 1, objects[i]);
			char *subject = subject_of(uri);
			const char *first = strchr(subject, '[');
			size_t plain = strspn(uri,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%"
			    "@:?&=");
			bad += unit_num(objects[i], (long long)plain, (long long)strlen(uri));
			bad += unit_num(objects[i], strlen(uri) <= ACTION_URI_MAX, 1);
			bad += unit_str(objects[i], first == NULL ? "" : first - 1, tail);
			bad += unit_num(objects[i], strpbrk(subject, "\r\n") != NULL, 0);
			g_free(subject);
			g_free(uri);
		}
	}
	g_free(token);
	token = g_strnfill(ACTION_TOKEN_MAX, 't');
	assert_null(action_uri(ADDRESS, ACTION_HELP, token, NULL, 1, NULL));
	g_free(token);
	g_free(tail);
	assert_int_equal(bad, 0);
}

/* What does not fit stays out: the body first, then whom it is about. */
static void test_long_uri(void **state)
{
	(void)state;
	char *lines = g_strnfill(3000, 'x'), *local = g_strnfill(1100, 'a');
	char *address = g_strconcat(local, "@x.example", NULL);
	char *token = g_strnfill(ACTION_TOKEN_MAX - 1, 't');
	GString *object = g_string_new(NULL);
	for (size_t i = 0; i < 40; i++)
		g_string_append(object, "\xE2\x82\xAC");
	char *uri = action_uri(ADDRESS, ACTION_TIMES, "t", NULL, 1, lines);
	assert_string_equal(uri, "mailto:pullyu@example.org?subject=My%20times%20%5Bpullyu%20t%5D");
	g_free(uri);
	uri = action_uri(address, ACTION_ALLOW, token, object->str, 1, NULL);
	assert_non_null(uri);
	assert_null(strstr(uri, "%82"));
	assert_true(strlen(uri) <= ACTION_URI_MAX);
	g_free(uri);
	uri = action_uri(ADDRESS, ACTION_ALLOW, "t", object->str, 1, NULL);
	char *subject = subject_of(uri);
	assert_true(g_utf8_validate(subject, -1, NULL));
	g_free(subject);
	g_free(uri);
	g_string_free(object, TRUE);
	g_free(token);
	g_free(address);
	g_free(local);
	g_free(lines);
}

/* ---- numbers ---- */

static void on_numbered(void *ctx, unsigned number, const char *const *ids, size_t n)
{
	GString *out = ctx;
	g_string_append_printf(out, "%u:", number);
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, " %s", ids[i]);
	g_string_append_c(out, '\n');
}

static struct digest_entry entry(
    const char *id, const char *class, const char *addr, int64_t received)
{
	return (struct digest_entry){.id = id,
	    .from_name = "",
	    .from_addr = addr,
	    .subject = id,
	    .list_id = "",
	    .class_name = class,
	    .why = "",
	    .received = received,
	    .allow = id,
	    .hold = "h",
	    .send = "s"};
}

static void test_numbers(void **state)
{
	struct digest_entry entries[] = {
	    entry("old", "newsletter", "b@x.example", NOW - 200),
	    entry("a", "newsletter", "a@x.example", NOW - 300),
	    entry("new", "newsletter", "b@x.example", NOW - 100),
	    entry("note", "notification", "c@x.example", NOW - 50),
	};
	GString *map = g_string_new(NULL);
	struct digest digest = {.ctx = map,
	    .user = "ann@example.org",
	    .slot = NOW,
	    .attach = true,
	    .numbered = on_numbered,
	    .command_address = ADDRESS,
	    .entries = entries,
	    .n_entries = G_N_ELEMENTS(entries)};
	struct outline *outline = NULL;
	struct err err;
	(void)state;
	assert_int_equal(outline_new(&digest, NULL, &outline, &err), RC_OK);
	outline_number(outline, &digest);
	assert_string_equal(map->str, "1: note\n2: a\n3: new old\n");
	assert_string_equal(outline->entries[2].number, "3.");
	/* The newest message's token counts. */
	assert_non_null(strstr(outline->entries[2].allow.uri, "%5Bpullyu%20new%5D"));
	assert_string_equal(outline->entries[2].hold.name, "Always hold: b@x.example");
	assert_non_null(outline->entries[2].send.uri);
	/* All of an entry's originals are sent, and the link says so. */
	assert_string_equal(
	    outline->entries[2].send.name, "Send me this: 2 originals from b@x.example");
	assert_non_null(strstr(outline->entries[2].send.uri,
	    "?subject=Send%20me%20the%202%20originals%20from%20b%40x.example%20%5B"));
	assert_string_equal(outline->entries[1].send.name, "Send me this: a@x.example");
	assert_non_null(strstr(outline->entries[1].send.uri,
	    "?subject=Send%20me%20the%20original%20from%20a%40x.example%20%5B"));
	assert_string_equal(outline->words[0].words, "release 1 2"); /* there is no 5 */
	outline_free(&outline);

	digest.attach = false;
	digest.reply_to = "help@example.org";
	entries[0].object = entries[2].object = "list:b.example";
	assert_int_equal(outline_new(&digest, NULL, &outline, &err), RC_OK);
	assert_null(outline->entries[2].send.uri); /* it comes anyway */
	assert_string_equal(outline->entries[2].allow.name, "Let through: b.example");
	assert_non_null(strstr(outline->answer, "to " ADDRESS));
	outline_free(&outline);

	/* Without commands nothing asks for them, but numbers have their meaning. */
	g_string_truncate(map, 0);
	digest.command_address = NULL;
	assert_int_equal(outline_new(&digest, NULL, &outline, &err), RC_OK);
	outline_number(outline, &digest);
	assert_string_equal(map->str, "1: note\n2: a\n3: new old\n");
	assert_null(outline->entries[0].number);
	assert_null(outline->entries[0].allow.uri);
	assert_null(outline->answer);
	outline_free(&outline);
	g_string_free(map, TRUE);
}

/* Who answers in a thread is not who wrote all of it. */
static void test_send_a_thread(void **state)
{
	struct digest_entry entries[] = {
	    entry("one", "discussion", "ann@x.example", NOW - 200),
	    entry("Re: one", "discussion", "bob@x.example", NOW - 100),
	};
	struct digest digest = {.user = "ann@example.org",
	    .slot = NOW,
	    .attach = true,
	    .command_address = ADDRESS,
	    .entries = entries,
	    .n_entries = G_N_ELEMENTS(entries)};
	struct outline *outline = NULL;
	struct err err;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
		entries[i].list_id = "l.example";
		entries[i].object = "list:l.example";
		entries[i].send = "s";
	}
	assert_int_equal(outline_new(&digest, NULL, &outline, &err), RC_OK);
	assert_int_equal(outline->n_entries, 1);
	assert_string_equal(
	    outline->entries[0].send.name, "Send me this: 2 originals from l.example");
	outline_free(&outline);
}

/* ---- suggestions ---- */

static void test_quiet(void **state)
{
	static const char *const quiet[] = {
	    "A@x.example", "", "b@x.example", "c@x.example", "d@x.example", NULL};
	struct digest_entry entries[] = {
	    entry("a", "newsletter", "a@X.example", NOW - 300),
	    entry("b", "newsletter", "b@x.example", NOW - 200),
	};
	char none[] = "", uri[] = "https://x.example/u", domain[] = "x.example";
	struct origin origins[] = {
	    {.message_id = none,
		.parent = none,
		.thread = none,
		.unsubscribe_uri = uri,
		.unsubscribe_domain = domain},
	    {.message_id = none,
		.parent = none,
		.thread = none,
		.unsubscribe_uri = uri,
		.unsubscribe_domain = domain,
		.unverified = true},
	};
	struct outline_details details = {.origins = origins};
	struct digest digest = {.user = "ann@example.org",
	    .slot = NOW,
	    .quiet = quiet,
	    .entries = entries,
	    .n_entries = G_N_ELEMENTS(entries)};
	struct outline *outline = NULL;
	struct err err;
	(void)state;
	assert_int_equal(outline_new(&digest, &details, &outline, &err), RC_OK);
	assert_int_equal(outline->n_quiet, 3);
	assert_string_equal(outline->quiet[0].text,
	    "You have released nothing of A@x.example for 8 weeks: unsubscribe?");
	assert_string_equal(outline->quiet[0].unsubscribe_uri, "https://x.example/u");
	/* Who only claims to be b does not say how to leave b. */
	assert_string_equal(
	    outline->quiet[1].text, "You have released nothing of b@x.example for 8 weeks.");
	assert_null(outline->quiet[1].unsubscribe_uri);
	char *text = text_render(outline);
	assert_non_null(strstr(text, "\nSTILL WANTED?\n-------------\n"));
	g_free(text);
	outline_free(&outline);
}

/* ---- answers ---- */

static struct answer answer_of(enum answer_kind kind)
{
	return (struct answer){.kind = kind,
	    .user = "ann@example.org",
	    .from = "Pullyu <digest@example.org>",
	    .message_id = "<answer.1@example.org>",
	    .in_reply_to = "<command.1@ann.example>",
	    .references = "<digest.1@example.org>",
	    .guard = "v1; 00",
	    .host = "mail.example.org",
	    .language = "en",
	    .now = NOW,
	    .command_address = ADDRESS,
	    .object = "news@shop.example",
	    .count = 2};
}

/* The message, its soft line ends gone and "=3D" an "=" again; g_free. */
static char *compose(const struct answer *answer, enum rc *rc_out, struct err *err)
{
	char path[] = "/tmp/pullyu-test-XXXXXX", *text = NULL;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	*rc_out = answer_compose(answer, fd, err);
	close(fd);
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	unlink(path);
	char **parts = g_strsplit(text, "=\r\n", -1);
	char *joined = g_strjoinv("", parts);
	char **equals = g_strsplit(joined, "=3D", -1);
	char *plain = g_strjoinv("=", equals);
	g_strfreev(equals);
	g_free(joined);
	g_strfreev(parts);
	g_free(text);
	return plain;
}

static char *composed(const struct answer *answer)
{
	enum rc rc;
	struct err err = {.text = ""};
	char *text = compose(answer, &rc, &err);
	if (rc != RC_OK)
		fail_msg("%s: %s", answer_kind_name(answer->kind), err.text);
	return text;
}

static int want_in(const char *label, const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return 0;
	fprintf(stderr, "%s: got \"%s\", want \"%s\" in it\n", label, text, part);
	return 1;
}

static void test_kinds(void **state)
{
	int bad = 0;
	(void)state;
	for (enum answer_kind kind = 0; kind < ANSWER_KINDS; kind++) {
		const char *name = answer_kind_name(kind);
		struct answer answer = answer_of(kind);
		char *text = composed(&answer);
		bad += unit_num(name, answer_kind_by_name(name), kind);
		bad += want_in(name, text, "\r\nAuto-Submitted: auto-replied\r\n");
		bad += want_in(name, text, "\r\nTo: ann@example.org\r\n");
		bad += want_in(name, text, "\r\nReply-To: " ADDRESS "\r\n");
		bad += want_in(name, text, "\r\nX-Pullyu-Digest: v1; 00\r\n");
		bad += want_in(name, text, "\r\nIn-Reply-To: <command.1@ann.example>\r\n");
		bad += want_in(name, text,
		    "\r\nReferences: <digest.1@example.org> <command.1@ann.example>\r\n");
		bad += unit_num(name, strstr(text, "List-Id") != NULL, 0);
		bad += unit_num(name, strstr(text, "Precedence") != NULL, 0);
		bad += unit_num(name, strstr(text, "{1}") != NULL, 0);
		bad += unit_num(name, strstr(text, "mailto:") != NULL, 0);
		g_free(text);
		answer.object = NULL; /* what is missing costs a word, not the answer */
		answer.command_address = NULL;
		text = composed(&answer);
		bad += unit_num(name, strstr(text, "{1}") != NULL, 0);
		g_free(text);
	}
	assert_int_equal(answer_kind_by_name("allow"), -1);
	assert_int_equal(bad, 0);
}

static void test_words(void **state)
{
	static const struct {
		enum answer_kind kind;
		uint64_t count;
		const char *subject, *said;
	} rows[] = {
	    {ANSWER_ALLOWED, 0, "Done: news@shop.example comes at once",
		"From now on, mail from news@shop.example comes at once."},
	    {ANSWER_SENT, 1, "Done: it is on its way", "1 original is on its way to you."},
	    {ANSWER_SENT, 2, "Done: it is on its way", "2 originals are on their way to you."},
	    {ANSWER_SENT_ALL, 1200, "Done: everything is on its way", "1,200 messages."},
	    {ANSWER_FORGED, 0, "Not done", "This link is not one of yours"},
	    {ANSWER_LISTS, 0, "Your lists", "Your lists are empty."},
	    {ANSWER_BAD, 0, "Not understood", "release 3 5 "},
	    {ANSWER_HELP, 0, "What you can write", "pause until 2026-12-08 "},
	    {ANSWER_IMPOSSIBLE, 0, "Not possible", "Your message was understood"},
	};
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct answer answer = answer_of(rows[i].kind);
		answer.count = rows[i].count;
		char *text = composed(&answer);
		char *subject = g_strdup_printf("\r\nSubject: %s\r\n", rows[i].subject);
		bad += want_in(rows[i].subject, text, subject);
		bad += want_in(rows[i].subject, text, rows[i].said);
		g_free(subject);
		g_free(text);
	}
	assert_int_equal(bad, 0);
}

/* Why a command was not carried out: in words of ours where there is a code. */
static void test_reasons(void **state)
{
	static const struct {
		const char *label;
		enum answer_kind kind;
		const char *reason, *one, *two, *want;
	} rows[] = {
	    {"number", ANSWER_IMPOSSIBLE, "no-number", "99", "4",
		"\r\n  There is no number 99: the numbers of that digest end with 4.\r\n"
		"  Right would be, for example: =E2=80=9Crelease 4=E2=80=9D\r\n"},
	    {"digest", ANSWER_IMPOSSIBLE, "which-digest", NULL, NULL,
		"\r\n    of the last 30 days.\r\n"
		"  Right would be, for example: =E2=80=9Crelease 3 5=E2=80=9D\r\n"},
	    {"sender", ANSWER_BAD, "which-sender", NULL, NULL,
		"\r\n  It is not clear which sender you mean.\r\n"
		"  Right would be, for example: =E2=80=9Callow 2=E2=80=9D, =E2=80=9Chold"},
	    {"messages", ANSWER_BAD, "which-messages", NULL, NULL,
		"=E2=80=9Crelease 3 5=E2=80=9D, =E2=80=9Crelease all=E2=80=9D\r\n"},
	    {"times", ANSWER_BAD, "which-times", "", "",
		"\r\n  It is not clear which times you mean.\r\n"
		"  Right would be, for example: =E2=80=9Ctimes Mon-Fri 08:00 17:30=E2=80=9D\r\n"},
	    {"day", ANSWER_BAD, "which-day", NULL, NULL,
		"=E2=80=9Cpause until 2026-12-08=E2=80=9D\r\n"},
	    {"address", ANSWER_IMPOSSIBLE, "no-address", "3", NULL,
		"\r\n  What has the number 3 came without its sender's address.\r\n"},
	    {"past", ANSWER_IMPOSSIBLE, "day-past", "2026-01-01", NULL,
		"\r\n  A pause until 2026-01-01 would be over already.\r\n"
		"  Right would be, for example: =E2=80=9Cpause until 2026-12-08=E2=80=9D\r\n"},
	    {"hostile", ANSWER_IMPOSSIBLE, "no-number", "<b>\r\n{2}", "4\x01",
		"There is no number <b> {2}: the numbers of that digest end with 4."},
	    /* What has no words of ours. */
	    {"unknown", ANSWER_IMPOSSIBLE, "moon", "1", "2",
		"\r\nThe program says:\r\n  no such thing\r\n"},
	    {"no code", ANSWER_BAD, NULL, NULL, NULL,
		"\r\nThe program says:\r\n  no such thing\r\n"},
	    {"a value is missing", ANSWER_IMPOSSIBLE, "no-number", "99", "",
		"\r\nThe program says:\r\n  no such thing\r\n"},
	};
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct answer answer = answer_of(rows[i].kind);
		answer.reason = rows[i].reason;
		answer.reason_1 = rows[i].one;
		answer.reason_2 = rows[i].two;
		answer.detail = "no such thing";
		char *text = composed(&answer);
		bad += want_in(rows[i].label, text, rows[i].want);
		bad += unit_num(rows[i].label, strstr(text, "<b>") != strstr(text, "<b> {2}"), 0);
		bad += unit_num(rows[i].label, strstr(text, "not understood") != NULL,
		    rows[i].kind == ANSWER_BAD);
		g_free(text);
	}
	/* Elsewhere a code says nothing, and details are what they are. */
	struct answer answer = answer_of(ANSWER_TIMES);
	answer.reason = "which-day";
	answer.detail = "2026-12-01 08:00";
	answer.pause_example = "2027-01-05";
	char *text = composed(&answer);
	bad += want_in("times", text, "\r\n\r\n  2026-12-01 08:00\r\n");
	bad += unit_num("times", strstr(text, "The program says") != NULL, 0);
	g_free(text);
	answer.kind = ANSWER_HELP;
	text = composed(&answer);
	bad += want_in("a given day", text, "pause until 2027-01-05 ");
	g_free(text);
	assert_int_equal(bad, 0);
}

#ifdef PULLYU_TEST_HOOKS
/* No language has a sentence of another's, but for what the program says. */
static void test_reasons_translated(void **state)
{
	static const struct {
		const char *language, *not_possible, *number, *example, *program;
	} rows[] = {
	    {"de", "Subject: Nicht ", "Eine Nummer 99 gibt es nicht",
		"Richtig w=C3=A4re zum Beispiel: ", "Das Programm sagt (auf Englisch):"},
	    {"nl", "Subject: Niet mogelijk", "Een nummer 99 is er niet",
		"Goed zou bijvoorbeeld zijn: ", "Het programma zegt (in het Engels):"},
	    {"fr", "Subject: Impossible", "Il n'y a pas de num=C3=A9ro 99",
		"Il faudrait, par exemple", "Le programme dit (en anglais)"},
	};
	static const char *const codes[] = {"no-number", "which-digest", "which-sender",
	    "which-messages", "which-times", "which-day", "no-address", "day-past"};
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *language = rows[i].language;
		struct answer answer = answer_of(ANSWER_IMPOSSIBLE);
		answer.language = language;
		answer.detail = "no such thing";
		answer.reason_1 = "99";
		answer.reason_2 = "4";
		for (size_t c = 0; c < G_N_ELEMENTS(codes); c++) {
			answer.reason = codes[c];
			char *text = composed(&answer);
			bad += want_in(language, text, rows[i].not_possible);
			bad += want_in(language, text, rows[i].example);
			bad += unit_num(language, strstr(text, "no such thing") != NULL, 0);
			if (c == 0)
				bad += want_in(language, text, rows[i].number);
			g_free(text);
		}
		answer.reason = NULL;
		char *text = composed(&answer);
		bad += want_in(language, text, rows[i].program);
		bad += want_in(language, text, "\r\n  no such thing\r\n");
		g_free(text);
	}
	assert_int_equal(bad, 0);
}
#endif

static void test_undo(void **state)
{
	struct answer answer = answer_of(ANSWER_HELD);
	(void)state;
	answer.undo = "token_1";
	char *text = composed(&answer);
#define UNDO \
	"mailto:pullyu@example.org?subject=Undo%3A%20news%40shop.example%20%5Bpullyu%20token_1%5D"
	assert_non_null(
	    strstr(text, "\r\n<" UNDO "&body=Send%20this%20message%20as%20it%20is.>\r\n"));
	assert_non_null(strstr(text, "<a href=\"" UNDO "&amp;body="));
	g_free(text);
	answer.command_address = NULL;
	text = composed(&answer);
	assert_null(strstr(text, "mailto:"));
	g_free(text);
}

static void test_lists(void **state)
{
	struct answer answer = answer_of(ANSWER_LISTS);
	GString *lists = g_string_new("known ann@x.example 2026-11-01\nsomething else\n");
	(void)state;
	for (int i = 0; i < 1000; i++)
		g_string_append_printf(lists, "allow %d@shop.example\n", i);
	g_string_append(lists, "hold <b>@evil.example\x01\r\n");
	answer.lists = lists->str;
	char *text = composed(&answer);
	assert_non_null(strstr(text,
	    "These senders are on your lists.\r\n\r\n  something else\r\n\r\n"
	    "Always let through\r\n  0@shop.example\r\n"));
	assert_non_null(strstr(text, "  299@shop.example\r\n  And 700 more.\r\n"));
	assert_null(strstr(text, "300@shop.example"));
	assert_non_null(strstr(text, "Always held\r\n  <b>@evil.example\r\n"));
	assert_non_null(strstr(text, "&lt;b&gt;@evil.example</li>"));
	assert_non_null(strstr(text, "Known because you wrote to them\r\n  ann@x.example"));
	g_free(text);
	g_string_free(lists, TRUE);
}

static void test_hostile_answer(void **state)
{
	struct answer answer = answer_of(ANSWER_BAD);
	(void)state;
	answer.object = "a\r\nBcc: x@evil.example\r\n\r\n</h1><script>";
	answer.detail = "</p><script>alert(1)</script>\nsecond\xFF line";
	answer.in_reply_to = "<a@b>\r\nBcc: x@evil.example";
	answer.references =
	    "<ok@b.example> <bad\x01@b> nonsense <ok@b.example>\r\n <last@b.example>";
	char *text = composed(&answer);
	assert_null(strstr(text, "\nBcc"));
	assert_null(strstr(text, "<script>alert(1)</script></"));
	assert_non_null(strstr(text, "&lt;script&gt;alert(1)"));
	assert_null(strstr(text, "\r\nIn-Reply-To:"));
	assert_non_null(strstr(text, "\r\nReferences: <ok@b.example> <last@b.example>\r\n"));
	g_free(text);
}

static void test_bad_fields(void **state)
{
	struct err err = {.text = ""};
	enum rc rc;
	(void)state;
	struct answer answer = answer_of(ANSWER_HELP);
	answer.message_id = "none";
	g_free(compose(&answer, &rc, &err));
	assert_int_equal(rc, RC_PERM);
	answer = answer_of(ANSWER_HELP);
	answer.command_address = "Commands <pullyu@example.org>";
	g_free(compose(&answer, &rc, &err));
	assert_int_equal(rc, RC_PERM);
	assert_non_null(strstr(err.text, "not an address for commands"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_uri),
	    cmocka_unit_test(test_hostile_uri),
	    cmocka_unit_test(test_long_uri),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_send_a_thread),
	    cmocka_unit_test(test_quiet),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_reasons),
#ifdef PULLYU_TEST_HOOKS
	    cmocka_unit_test(test_reasons_translated),
#endif
	    cmocka_unit_test(test_undo),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_hostile_answer),
	    cmocka_unit_test(test_bad_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
