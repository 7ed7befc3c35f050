/*
 * test_conf_ini.c: the checked way into an INI file, and every trap of iniparser behind it.
 */
#include <config.h>

#include "conf/ini.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "unit.h"

static char *dir;

static int setup(void **state)
{
	(void)state;
	dir = g_dir_make_tmp("pullyu-ini-XXXXXX", NULL);
	return dir == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	char *command = g_strdup_printf("rm -rf '%s'", dir);
	int result = system(command);
	g_free(command);
	g_free(dir);
	return result;
}

static char *put(const char *name, const char *data, size_t len)
{
	char *path = g_build_filename(dir, name, NULL);
	assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
	return path;
}

/* Problems as "line:text|line:text|". */
static void collect(void *ctx, const char *file, int line, const char *text)
{
	(void)file;
	g_string_append_printf(ctx, "%d:%s|", line, text);
}

/* Entries as "section.key=value@line|". */
static char *dump(const struct ini *ini)
{
	GString *s = g_string_new(NULL);
	for (size_t i = 0; i < ini->n_entries; i++)
		g_string_append_printf(s, "%s.%s=%s@%d|", ini->entries[i].section,
		    ini->entries[i].key, ini->entries[i].value, ini->entries[i].line);
	return g_string_free(s, FALSE);
}

#define Z100 \
	"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" \
	"zzzzzzzzzzzz"

static void test_good(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
	    {"empty file", "", ""},
	    {"comments and blanks", "# a\n; b\n\n   \n\t# c\n", ""},
	    {"plain", "[a]\nk = v\n", "a.k=v@2|"},
	    {"no blanks", "[a]\nk=v", "a.k=v@2|"},
	    {"case of names", "[Digest]\nTimes = Mon\n", "digest.times=Mon@2|"},
	    {"CRLF", "[a]\r\nk = v\r\n", "a.k=v@2|"},
	    {"indented", "  [a]\n\t k \t=\t v \n", "a.k=v@2|"},
	    {"comment behind a value", "[a]\nk = v ; c\nl = w\t# d\n", "a.k=v@2|a.l=w@3|"},
	    {"empty value", "[a]\nk =\nl = ; c\nm = \"\"\n", "a.k=@2|a.l=@3|a.m=@4|"},
	    {"quoted", "[a]\nk = \"x;y#z\"\nl = \" b \" ; c\n", "a.k=x;y#z@2|a.l= b @3|"},
	    {"quotes inside", "[a]\nk = a \"b\" c\n", "a.k=a \"b\" c@2|"},
	    {"equals inside", "[a]\nk = a = b\n", "a.k=a = b@2|"},
	    {"tab inside", "[a]\nk = a\tb\n", "a.k=a b@2|"},
	    {"UTF-8", "[a]\nk = Zo\xc3\xab\n", "a.k=Zo\xc3\xab@2|"},
	    {"two sections", "[a]\nk = 1\n[b]\nk = 2\n", "a.k=1@2|b.k=2@4|"},
	    {"numbers stay text", "[a]\nk = 010\nl = 12abc\nm = on\n",
		"a.k=010@2|a.l=12abc@3|a.m=on@4|"},
	    {"dotted names", "[a.b-c_1]\nk.x = 1\n", "a.b-c_1.k.x=1@2|"},
	    {"brackets in a value", "[a]\nk = [x]\n", "a.k=[x]@2|"},
	    {"backslash inside", "[a]\nk = ^a\\.b$\n", "a.k=^a\\.b$@2|"},
	    {"percent", "[a]\nk = %h/%s%n\n", "a.k=%h/%s%n@2|"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct ini *ini = NULL;
		struct err err = {""};
		GString *problems = g_string_new(NULL);
		char *path = put("good.ini", rows[i].text, strlen(rows[i].text));
		failed +=
		    unit_num(rows[i].label, ini_load(path, collect, problems, &ini, &err), RC_OK);
		failed += unit_str(rows[i].label, problems->str, "");
		if (ini != NULL) {
			char *got = dump(ini);
			failed += unit_str(rows[i].label, got, rows[i].want);
			g_free(got);
		}
		ini_free(&ini);
		g_string_free(problems, TRUE);
		g_free(path);
	}
	assert_int_equal(failed, 0);
}

static void test_bad(void **state)
{
	static const struct {
		const char *label, *text;
		size_t len; /* 0: strlen */
		const char *want;
	} rows[] = {
	    {"key before a section", "k = v\n", 0, "1:key k stands before the first [section]|"},
	    {"duplicate key", "[a]\nk = 1\nK = 2\n", 0,
		"3:[a] k stands twice; the first time in line 2|"},
	    {"duplicate section", "[a]\nk = 1\n[A]\nl = 2\n", 0,
		"3:section [a] stands twice: put its lines together|"},
	    {"no equals", "[a]\nhello\n", 0,
		"2:'hello' is neither [section] nor key = value nor a comment|"},
	    {"semicolon in a value", "[a]\nk = a;b\n", 0,
		"2:';' inside a value would cut it: put the value in double quotes, or a blank "
		"before a comment|"},
	    {"hash in a value", "[a]\nk = a#b\n", 0,
		"2:'#' inside a value would cut it: put the value in double quotes, or a blank "
		"before a comment|"},
	    {"open quote", "[a]\nk = \"ab\n", 0, "2:the closing '\"' is missing|"},
	    {"text behind a quote", "[a]\nk = \"a\" b\n", 0,
		"2:'b' stands behind the closing '\"': only a comment may|"},
	    {"apostrophe", "[a]\nk = 'v'\n", 0,
		"2:a value cannot start with an apostrophe: put it in double quotes|"},
	    {"section not closed", "[a\nk = v\n", 0,
		"1:a section's line must be [name] and nothing behind it|"},
	    {"comment behind a section", "[a] ; c\nk = v\n", 0,
		"1:a section's line must be [name] and nothing behind it|"},
	    {"colon in a section", "[a:b]\n", 0,
		"1:[a:b] is no section name: letters, digits, '-', '_' and '.', at most 64|"},
	    {"empty section name", "[]\n", 0,
		"1:[] is no section name: letters, digits, '-', '_' and '.', at most 64|"},
	    {"blank in a key", "[a]\nmy key = v\n", 0,
		"2:'my key' is no key: letters, digits, '-', '_' and '.', at most 64|"},
	    {"no key", "[a]\n= v\n", 0,
		"2:'' is no key: letters, digits, '-', '_' and '.', at most 64|"},
	    {"key too long", "[a]\n" Z100 "=1\n", 0,
		"2:'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz' is no "
		"key: letters, digits, '-', '_' and '.', at most 64|"},
	    {"backslash joins lines", "[a]\nk = v\\\nl = w\n", 0,
		"2:a backslash at the end of a line would join the next one to it|"},
	    {"backslash ends a comment", "[a]\n# c\\\nl = w\n", 0,
		"2:a backslash at the end of a line would join the next one to it|"},
	    {"backslash and blanks", "[a]\nk = v\\ \t\nl = w\n", 0,
		"2:a backslash at the end of a line would join the next one to it|"},
	    {"byte order mark", "\xef\xbb\xbf[a]\nk = v\n", 0,
		"1:starts with a byte order mark: save it as UTF-8 without one|"},
	    {"UTF-16", "\xff\xfe[\0a\0]\0\n\0", 10, "0:holds NUL bytes: not a text file in UTF-8|"},
	    {"NUL", "[a]\nk = v\0w\n", 12, "0:holds NUL bytes: not a text file in UTF-8|"},
	    {"not UTF-8", "[a]\nk = Zo\xeb\n", 0, "2:not UTF-8|"},
	    {"control character", "[a]\nk = a\x1b[1m\n", 0, "2:control character 0x1b|"},
	    {"lone CR", "[a]\nk = a\rl = b\n", 0, "2:control character 0x0d|"},
	    {"tab in quotes", "[a]\nk = \"a\tb\"\n", 0, "2:a tab inside quotes: use a blank|"},
	    {"all are reported", "x\n[a]\ny\nk = 1\nk = 2\n", 0,
		"1:'x' is neither [section] nor key = value nor a comment|"
		"3:'y' is neither [section] nor key = value nor a comment|"
		"5:[a] k stands twice; the first time in line 4|"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct ini *ini = NULL;
		struct err err = {""};
		GString *problems = g_string_new(NULL);
		char *path = put(
		    "bad.ini", rows[i].text, rows[i].len == 0 ? strlen(rows[i].text) : rows[i].len);
		failed +=
		    unit_num(rows[i].label, ini_load(path, collect, problems, &ini, &err), RC_PERM);
		failed += unit_str(rows[i].label, problems->str, rows[i].want);
		failed += unit_num(rows[i].label, ini == NULL, 1);
		failed += unit_num(rows[i].label, g_str_has_prefix(err.text, path) ? 1 : 0, 1);
		/* Without a function for the problems it must do as well. */
		failed += unit_num(rows[i].label, ini_load(path, NULL, NULL, &ini, NULL), RC_PERM);
		ini_free(&ini);
		g_string_free(problems, TRUE);
		g_free(path);
	}
	assert_int_equal(failed, 0);
}

/* iniparser's buffer is 1,024 bytes with its newline; ours ends before it. */
static void test_long_lines(void **state)
{
	static const struct {
		size_t len;
		bool comment;
		enum rc want;
	} rows[] = {
	    {998, false, RC_OK},
	    {999, false, RC_OK},
	    {1000, false, RC_PERM},
	    {1022, false, RC_PERM},
	    {1023, false, RC_PERM},
	    {1024, false, RC_PERM},
	    {1025, false, RC_PERM},
	    {2048, false, RC_PERM},
	    {100000, false, RC_PERM},
	    {999, true, RC_OK},
	    {1000, true, RC_PERM},
	    {1024, true, RC_PERM},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct ini *ini = NULL;
		char label[64];
		GString *text = g_string_new("[a]\n");
		g_string_append(text, rows[i].comment ? "# " : "k=");
		for (size_t n = 2; n < rows[i].len; n++)
			g_string_append_c(text, 'x');
		g_string_append(text, "\nl = after\n");
		snprintf(label, sizeof(label), "%zu bytes%s", rows[i].len,
		    rows[i].comment ? " of comment" : "");
		char *path = put("long.ini", text->str, text->len);
		failed += unit_num(label, ini_load(path, NULL, NULL, &ini, NULL), rows[i].want);
		if (ini != NULL && !rows[i].comment)
			failed += unit_num(label, (long long)strlen(ini->entries[0].value),
			    (long long)rows[i].len - 2);
		if (ini != NULL)
			failed += unit_str(label, ini->entries[ini->n_entries - 1].value, "after");
		ini_free(&ini);
		g_string_free(text, TRUE);
		g_free(path);
	}
	assert_int_equal(failed, 0);
}

static void test_not_files(void **state)
{
	struct ini *ini = NULL;
	struct err err = {""};
	int failed = 0;
	(void)state;
	char *missing = g_build_filename(dir, "missing.ini", NULL);
	failed += unit_num("missing", ini_load(missing, NULL, NULL, &ini, &err), RC_NOTFOUND);
	failed += unit_num("a directory", ini_load(dir, NULL, NULL, &ini, &err), RC_PERM);
	char *want = g_strdup_printf("%s: not a regular file", dir);
	failed += unit_str("a directory", err.text, want);
	g_free(want);
	char *fifo = g_build_filename(dir, "fifo", NULL);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	alarm(10); /* a hang is a failure */
	failed += unit_num("a FIFO", ini_load(fifo, NULL, NULL, &ini, &err), RC_PERM);
	alarm(0);
	GString *big = g_string_new("[a]\n");
	while (big->len <= INI_FILE_MAX)
		g_string_append(big, "# comment\n");
	char *path = put("big.ini", big->str, big->len);
	failed += unit_num("too large", ini_load(path, NULL, NULL, &ini, &err), RC_PERM);
	failed += unit_num("too large, parsed",
	    ini_parse("x", big->str, big->len, &(struct stat){0}, NULL, NULL, &ini, &err), RC_PERM);
	assert_null(ini);
	g_string_free(big, TRUE);
	g_free(path);
	g_free(missing);
	g_free(fifo);
	assert_int_equal(failed, 0);
}

/* Hostile sizes: iniparser takes time by the square of the number of keys. */
static void test_many(void **state)
{
	struct ini *ini = NULL;
	int failed = 0, problems = 0;
	(void)state;
	GString *text = g_string_new("[a]\n");
	for (int i = 0; i < 4000; i++)
		g_string_append_printf(text, "k%d = %d\n", i, i);
	char *path = put("many.ini", text->str, text->len);
	failed += unit_num("4,000 keys", ini_load(path, NULL, NULL, &ini, NULL), RC_OK);
	failed += unit_num("4,000 keys", (long long)ini->n_entries, 4000);
	ini_free(&ini);
	g_string_append(text, "one = more\n");
	g_free(put("many.ini", text->str, text->len));
	failed += unit_num("4,001 keys", ini_load(path, NULL, NULL, &ini, NULL), RC_PERM);
	g_string_truncate(text, 0);
	for (int i = 0; i < 30000; i++)
		g_string_append_printf(text, "[%d]\n", i);
	g_free(put("many.ini", text->str, text->len));
	failed += unit_num("30,000 sections", ini_load(path, NULL, NULL, &ini, NULL), RC_PERM);
	g_string_truncate(text, 0);
	for (int i = 0; i < 100000; i++)
		g_string_append(text, "x\n");
	g_free(put("many.ini", text->str, text->len));
	GString *all = g_string_new(NULL);
	failed += unit_num("100,000 problems", ini_load(path, collect, all, &ini, NULL), RC_PERM);
	for (const char *p = all->str; *p != '\0'; p++)
		problems += *p == '|';
	failed += unit_num("100,000 problems", problems, 101);
	g_string_free(all, TRUE);
	g_string_free(text, TRUE);
	g_free(path);
	assert_int_equal(failed, 0);
}

static void test_dir(void **state)
{
	struct ini *ini = NULL;
	struct err err = {""};
	int failed = 0;
	(void)state;
	char *rules = g_build_filename(dir, "rules.d", NULL);
	failed +=
	    unit_num("no directory", ini_load_dir(rules, NULL, NULL, &ini, &err), RC_NOTFOUND);
	assert_int_equal(g_mkdir(rules, 0700), 0);
	failed += unit_num("empty directory", ini_load_dir(rules, NULL, NULL, &ini, &err), RC_OK);
	failed += unit_num("empty directory", (long long)ini->n_entries, 0);
	ini_free(&ini);
	g_free(put("rules.d/20-b.ini", "[x]\nk = 2\n", 10));
	g_free(put("rules.d/10-a.ini", "[x]\nk = 1\n[y]\nk = 1\n", 20));
	g_free(put("rules.d/.hidden.ini", "nonsense", 8));
	g_free(put("rules.d/note.txt", "nonsense", 8));
	failed += unit_num("two files", ini_load_dir(rules, NULL, NULL, &ini, &err), RC_OK);
	char *got = dump(ini);
	failed += unit_str("two files", got, "x.k=1@2|y.k=1@4|x.k=2@2|");
	failed += unit_num("sections once", (long long)ini->n_sections, 2);
	failed += unit_num("file of the third",
	    g_str_has_suffix(ini->entries[2].file, "/rules.d/20-b.ini") ? 1 : 0, 1);
	g_free(got);
	ini_free(&ini);
	g_free(put("rules.d/30-c.ini", "nonsense", 8));
	failed += unit_num("one bad file", ini_load_dir(rules, NULL, NULL, &ini, &err), RC_PERM);
	failed += unit_num("one bad file", strstr(err.text, "30-c.ini:1: ") != NULL, 1);
	char *odd = g_build_filename(rules, "30-c.ini", NULL);
	assert_int_equal(unlink(odd), 0);
	assert_int_equal(g_mkdir(odd, 0700), 0);
	failed +=
	    unit_num("a directory *.ini", ini_load_dir(rules, NULL, NULL, &ini, &err), RC_PERM);
	char *file = g_build_filename(rules, "note.txt", NULL);
	failed += unit_num("a file", ini_load_dir(file, NULL, NULL, &ini, &err), RC_PERM);
	assert_null(ini);
	g_free(file);
	g_free(odd);
	g_free(rules);
	assert_int_equal(failed, 0);
}

static void doubt(void *ctx, const char *file, int line, const char *text)
{
	(void)file;
	(void)line;
	if (strstr(text, "without doubt") != NULL)
		*(bool *)ctx = true;
}

/* Whatever our reading takes, iniparser reads the same; what it would read otherwise has a problem
 * of its own, with a text that helps. */
static void test_agreement(void **state)
{
	static const char *const pieces[] = {"[a]", "[b c]", "[", "]", "k", "key", "=", " = ", "\"",
	    "\"x\"", "'", ";", "#", " ; c", " # c", "\\", "\n", "\n", "\n", "\r\n", "\r", "\t", " ",
	    "v", "a b", ":", "%s", "\"\"", "''", "0x1", "\xc3\xab", "\xc2\xa0", "\f", "=\"a;b\"",
	    "k=v", "[c]\n", "l = w\n", "\\\n", "\v", "$", "!", "k.x", "-", "\xe2\x80\xa8", "\x85"};
	GRand *random = g_rand_new_with_seed(20261122);
	int read = 0;
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct ini *ini = NULL;
		struct err err;
		bool doubted = false;
		GString *text = g_string_new(g_rand_boolean(random) ? "[s]\n" : "");
		for (int n = g_rand_int_range(random, 1, 14); n > 0; n--)
			g_string_append(text,
			    pieces[g_rand_int_range(random, 0, (gint32)G_N_ELEMENTS(pieces))]);
		enum rc rc = ini_parse(
		    "x", text->str, text->len, &(struct stat){0}, doubt, &doubted, &ini, &err);
		if (doubted || (rc != RC_OK && rc != RC_PERM)) {
			fprintf(stderr, "run %d: %s\nof <<%s>>\n", i, err.text, text->str);
			fail();
		}
		read += rc == RC_OK;
		ini_free(&ini);
		g_string_free(text, TRUE);
	}
	g_rand_free(random);
	/* The cases must have been worth it. */
	assert_in_range(read, 1000, 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_long_lines),
	    cmocka_unit_test(test_not_files),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_dir),
	    cmocka_unit_test(test_agreement),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
