/*
 * test_conf_edit.c: one setting changed in the text of a settings.ini: a table of what a person may
 * have written, and random files with random changes.
 */
#include <config.h>

#include "conf/settings_edit.h"

#include <stdlib.h>

#include <glib.h>

#include "unit.h"

static void test_table(void **state)
{
	static const struct {
		const char *label, *text, *section, *key, *value, *want;
	} rows[] = {
	    {"no file", "", "digest", "times", "08:00", "[digest]\ntimes = 08:00\n"},
	    {"replaced", "[digest]\ntimes = 08:00\nlanguage = nl\n", "digest", "times", "Sat 10:00",
		"[digest]\ntimes = Sat 10:00\nlanguage = nl\n"},
	    {"the comment stays", "[digest]\n  times\t=  08:00\t; early\n# x\n", "digest", "times",
		"09:00", "[digest]\n  times\t=  09:00\t; early\n# x\n"},
	    {"tight", "[digest]\ntimes=08:00\n", "digest", "times", "09:00",
		"[digest]\ntimes=09:00\n"},
	    {"in quotes", "[digest]\ntimes = \"08:00\";early\n", "digest", "times", "09:00",
		"[digest]\ntimes = 09:00 ;early\n"},
	    {"no newline at the end", "[digest]\ntimes = 08:00", "digest", "times", "09:00",
		"[digest]\ntimes = 09:00"},
	    {"CRLF", "[digest]\r\ntimes = 08:00 # x\r\n\r\n", "digest", "times", "09:00",
		"[digest]\r\ntimes = 09:00 # x\r\n\r\n"},
	    {"in any case", "[Digest]\nTIMES = 08:00\n", "digest", "times", "09:00",
		"[Digest]\nTIMES = 09:00\n"},
	    {"from nothing", "[digest]\nexceptions =\n", "digest", "exceptions", "2026-12-24 none",
		"[digest]\nexceptions = 2026-12-24 none\n"},
	    {"from nothing, with a comment", "[digest]\npause_until = ; none\n", "digest",
		"pause_until", "2027-01-05", "[digest]\npause_until = 2027-01-05 ; none\n"},
	    {"from nothing, with a comment close by", "[digest]\npause_until =; none\n", "digest",
		"pause_until", "2027-01-05", "[digest]\npause_until = 2027-01-05 ; none\n"},
	    {"to nothing", "[digest]\npause_until = 2027-01-05 ; sun\n", "digest", "pause_until",
		"", "[digest]\npause_until =  ; sun\n"},
	    {"the same", "[digest]\ntimes = \"08:00\"  # x\n", "digest", "times", " 08:00 ",
		"[digest]\ntimes = \"08:00\"  # x\n"},
	    {"a key more",
		"# mine\n[digest]\ntimes     = 08:00\nlanguage  = nl  # dutch\n\n# what waits\n"
		"[hold]\nclasses = newsletter\n",
		"digest", "timezone", "Europe/Amsterdam",
		"# mine\n[digest]\ntimes     = 08:00\nlanguage  = nl  # dutch\n"
		"timezone  = Europe/Amsterdam\n\n# what waits\n[hold]\nclasses = newsletter\n"},
	    {"a longer key", "[digest]\n  times = 08:00\n", "digest", "pause_until", "2027-01-05",
		"[digest]\n  times = 08:00\n  pause_until = 2027-01-05\n"},
	    {"tight, a key more", "[digest]\ntimes=08:00", "digest", "pause", "pass",
		"[digest]\ntimes=08:00\npause=pass\n"},
	    {"an empty section", "[digest]\n; nothing\n[hold]\n", "digest", "pause", "pass",
		"[digest]\npause = pass\n; nothing\n[hold]\n"},
	    {"the last section, CRLF", "[digest]\r\n[ Hold ]", "hold", "classes", "newsletter",
		"[digest]\r\n[ Hold ]\r\nclasses = newsletter\r\n"},
	    {"a section more", "[digest]\r\ntimes = 08:00", "hold", "classes", "discussion",
		"[digest]\r\ntimes = 08:00\r\n\r\n[hold]\r\nclasses = discussion\r\n"},
	    {"a section in a comment", "# [hold]\n", "hold", "classes", "",
		"# [hold]\n\n[hold]\nclasses = \n"},
	    {"removed", "[digest]\ntimes = 08:00 ; x\n# y\nlanguage = nl", "digest", "times", NULL,
		"[digest]\n# y\nlanguage = nl"},
	    {"the last line removed", "[digest]\ntimes = 08:00", "digest", "times", NULL,
		"[digest]\n"},
	    {"removed, not there", "[digest]\n# times = 08:00\n", "digest", "times", NULL,
		"[digest]\n# times = 08:00\n"},
	    {"removed, nothing there", "", "hold", "classes", NULL, ""},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *text = NULL;
		bool changed = false;
		struct err err = {""};
		failed += unit_num(rows[i].label,
		    settings_edit(rows[i].text, rows[i].section, rows[i].key, rows[i].value, &text,
			&changed, &err),
		    RC_OK);
		failed += unit_str(rows[i].label, text == NULL ? err.text : text, rows[i].want);
		failed += unit_num(rows[i].label, changed, strcmp(rows[i].text, rows[i].want) != 0);
		g_free(text);
	}
	assert_int_equal(failed, 0);
}

static void test_refused(void **state)
{
	static const char good[] = "[digest]\ntimes = 08:00\n";
	char *const x960 = g_strnfill(960, 'x');
	char *wide = g_strconcat("[digest]\ntimes = 08:00 ; ", x960, "\n", NULL);
	const struct {
		const char *label, *text, *section, *key, *value, *want; /* the start of it */
	} rows[] = {
	    {"two lines", good, "digest", "times", "08:00\n[hold]",
		"[digest] times: control character 0x0a"},
	    {"CR", good, "digest", "times", "08:00\r09:00",
		"[digest] times: control character 0x0d"},
	    {"a comment", good, "digest", "times", "08:00 ; x",
		"[digest] times: ';' cannot stand in a value"},
	    {"a hash", good, "digest", "times", "#", "[digest] times: '#' cannot stand in a value"},
	    {"a quote", good, "digest", "times", "\"08:00\"",
		"[digest] times: '\"' cannot stand in a value"},
	    {"an apostrophe", good, "digest", "times", "'08:00'", "a value cannot start with"},
	    {"a backslash", good, "digest", "times", "08:00\\", "a backslash at the end of a line"},
	    {"not UTF-8", good, "digest", "times", "\xff", "not UTF-8"},
	    {"a wrong time", good, "digest", "times", "25:00", "[digest] times: "},
	    {"a wrong zone", good, "digest", "timezone", "Mars", "[digest] timezone: "},
	    {"a wrong class", good, "hold", "classes", "security", "[hold] classes: "},
	    {"no key", good, "digest", "time", "08:00", "there is no setting [digest] time"},
	    {"no section", good, "hold", "times", "08:00", "there is no setting [hold] times"},
	    {"a key that is two lines", good, "digest", "x = y\ntimes", "08:00",
		"there is no setting [digest] x = y?times"},
	    {"over-long", good, "digest", "times", x960, "[digest] times: "},
	    {"a line too long with its comment", wide, "digest", "times",
		"Mon-Fri 08:00 09:00 10:00 11:00 12:00 13:00", "line longer than 999 bytes"},
	    /* The old text. */
	    {"bad already", "[digest]\ntimes = 08:00\nlanguage = 5\n", "digest", "times", "09:00",
		"settings.ini:3: [digest] language"},
	    {"this one is bad", "# x\n[digest]\ntimes = 25:00\n", "digest", "times", "09:00",
		"settings.ini:3: [digest] times"},
	    {"twice", "[digest]\ntimes = 08:00\ntimes = 09:00\n", "digest", "times", "09:00",
		"settings.ini:3: [digest] times stands twice"},
	    {"an unknown key", "[digest]\ntime = 08:00\n", "digest", "times", NULL,
		"settings.ini:2: "},
	    {"a byte order mark", "\xef\xbb\xbf[digest]\n", "digest", "times", "09:00",
		"settings.ini:1: starts with a byte order mark"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *text = NULL;
		bool changed = true;
		struct err err = {""};
		failed += unit_num(rows[i].label,
		    settings_edit(rows[i].text, rows[i].section, rows[i].key, rows[i].value, &text,
			&changed, &err),
		    RC_PERM);
		if (!g_str_has_prefix(err.text, rows[i].want))
			failed += unit_str(rows[i].label, err.text, rows[i].want);
		failed += unit_num(rows[i].label, text == NULL, true);
		g_free(text);
	}
	g_free(wide);
	g_free(x960);
	assert_int_equal(failed, 0);
}

static void test_check(void **state)
{
	static const char text[] = "[digest]\nlanguage = de\n";
	struct settings defaults = {.language = g_strdup("fr"), .timezone = g_strdup("UTC")};
	struct settings settings = {0};
	struct err err = {""};
	int failed = 0;
	(void)state;
	failed +=
	    unit_num("good", settings_check_text(text, strlen(text), NULL, NULL, &err), RC_OK);
	failed += unit_num(
	    "good", settings_check_text(text, strlen(text), &defaults, &settings, &err), RC_OK);
	failed += unit_str("its own", settings.language, "de");
	failed += unit_str("the site's", settings.timezone, "UTC");
	settings_clear(&settings);
	failed += unit_num("bad", settings_check_text("x", 1, &defaults, &settings, &err), RC_PERM);
	failed += unit_num("untouched", settings.language == NULL, true);
	settings_clear(&defaults);
	assert_int_equal(failed, 0);
}

/* ---- random files ---- */

static const struct {
	const char *section, *key, *values[5];
} settings[] = {
    {"digest", "enabled", {"yes", "no", "on", "0", "TRUE"}},
    {"digest", "times",
	{"08:00", "Mon-Fri 08:00 17:30, Sat Sun 10:00", "none", "Sun 23:59", "8:00"}},
    {"digest", "timezone", {"Europe/Amsterdam", "UTC", "America/New_York", "", "Mars"}},
    {"digest", "exceptions", {"", "2026-12-24 none", "2026-12-25..2026-12-26 10:00", "x", ";"}},
    {"digest", "pause_until", {"2027-01-05", "", "2028-02-29", "2027-02-29", "soon # x"}},
    {"digest", "pause", {"hold", "pass", "HOLD", "stop", "\"pass\""}},
    {"digest", "language", {"en", "de-AT", "nl", "fr", "a\nb"}},
    {"hold", "classes", {"", "newsletter", "newsletter, discussion", "security", "'x'"}},
};

enum { KEYS = G_N_ELEMENTS(settings) };

static const char *pick(GRand *r, const char *const *words, int n)
{
	return words[g_rand_int_range(r, 0, n)];
}

static void append_noise(GRand *r, GString *text, const char *newline)
{
	static const char *const noise[] = {"", "", "# times = 07:00", "  ; [hold]", "\t",
	    "#\xc3\xa9", "; pause=\"", "# x = y ; z"};
	while (g_rand_int_range(r, 0, 3) == 0)
		g_string_append_printf(text, "%s%s", pick(r, noise, G_N_ELEMENTS(noise)), newline);
}

static void append_setting(GRand *r, GString *text, size_t i, const char *newline)
{
	static const char *const blanks[] = {"", " ", "  ", "\t", "      "};
	static const char *const comments[] = {"", "", " ; mine", "\t# \"x\" = 1", "   "};
	const int n = G_N_ELEMENTS(blanks);
	const char *value = settings[i].values[g_rand_int_range(r, 0, 2)];
	const char *quote = g_rand_boolean(r) && *value != '\0' ? "\"" : "";
	char *key =
	    g_rand_boolean(r) ? g_strdup(settings[i].key) : g_ascii_strup(settings[i].key, -1);
	g_string_append(text, pick(r, blanks, n));
	g_string_append(text, key);
	g_string_append(text, pick(r, blanks, n));
	g_string_append_c(text, '=');
	g_string_append(text, pick(r, blanks, n));
	g_string_append_printf(text, "%s%s%s", quote, value, quote);
	g_string_append(text, pick(r, comments, G_N_ELEMENTS(comments)));
	g_string_append(text, newline);
	g_free(key);
}

static char *random_file(GRand *r)
{
	static const char *const heads[2][3] = {
	    {"[digest]", "  [Digest]", "[ digest ]"}, {"[hold]", "[HOLD]\t", "[hold]"}};
	static const char *const names[] = {"digest", "hold"};
	GString *text = g_string_new(NULL);
	const char *newline = g_rand_boolean(r) ? "\n" : "\r\n";
	size_t first = (size_t)g_rand_int_range(r, 0, 2);
	append_noise(r, text, newline);
	for (size_t s = 0; s < 2; s++) {
		size_t section = (first + s) % 2, from = (size_t)g_rand_int_range(r, 0, KEYS);
		if (g_rand_int_range(r, 0, 4) == 0)
			continue;
		g_string_append_printf(text, "%s%s", pick(r, heads[section], 3), newline);
		append_noise(r, text, newline);
		for (size_t i = 0; i < KEYS; i++) {
			size_t at = (from + i) % KEYS;
			if (strcmp(settings[at].section, names[section]) != 0 || g_rand_boolean(r))
				continue;
			append_setting(r, text, at, newline);
			append_noise(r, text, newline);
		}
	}
	if (text->len > 0 && g_rand_int_range(r, 0, 4) == 0) /* no newline at the end */
		g_string_truncate(text, text->len - strlen(newline));
	return g_string_free(text, FALSE);
}

/* Lines of a that b has not at the same place, when what is alike at both ends is taken off. */
static size_t lines_apart(const char *a, const char *b, GPtrArray *from_b)
{
	char **as = g_strsplit(a, "\n", -1), **bs = g_strsplit(b, "\n", -1);
	size_t na = g_strv_length(as), nb = g_strv_length(bs), head = 0, tail = 0;
	while (head < na && head < nb && strcmp(as[head], bs[head]) == 0)
		head++;
	while (tail + head < na && tail + head < nb &&
	    strcmp(as[na - 1 - tail], bs[nb - 1 - tail]) == 0)
		tail++;
	for (size_t i = head; i < nb - tail; i++)
		g_ptr_array_add(from_b, g_strdup(bs[i]));
	g_strfreev(as);
	g_strfreev(bs);
	return na - head - tail;
}

static const char *value_in(
    const char *text, const char *section, const char *key, struct ini **ini)
{
	const struct stat st = {0};
	if (ini_parse("f", text, strlen(text), &st, NULL, NULL, ini, NULL) != RC_OK)
		return "(bad)";
	for (size_t i = 0; i < (*ini)->n_entries; i++)
		if (strcmp((*ini)->entries[i].section, section) == 0 &&
		    strcmp((*ini)->entries[i].key, key) == 0)
			return (*ini)->entries[i].value;
	return "(none)";
}

/* One change of a file that the checker takes. *accepted counts. */
static int check_change(const char *old, size_t at, const char *value, int *accepted)
{
	int failed = 0;
	char *new = NULL;
	bool changed = false;
	struct err err = {""};
	const char *section = settings[at].section, *key = settings[at].key;
	struct ini *before = NULL, *after = NULL;
	const char *was = value_in(old, section, key, &before);
	enum rc rc = settings_edit(old, section, key, value, &new, &changed, &err);
	if (rc == RC_OK) {
		(*accepted)++;
		GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
		bool there = strcmp(was, "(none)") != 0;
		/* A last line without its end is given one when another comes behind it. */
		bool open =
		    *old != '\0' && !g_str_has_suffix(old, "\n") && g_str_has_suffix(new, "\n");
		char *ended = g_strconcat(old,
		    !open                             ? ""
			: strstr(old, "\r\n") != NULL ? "\r\n"
						      : "\n",
		    NULL);
		size_t gone = lines_apart(ended, new, lines);
		failed += unit_str(
		    key, value_in(new, section, key, &after), value == NULL ? "(none)" : value);
		failed += unit_num(
		    "it would do", settings_check_text(new, strlen(new), NULL, NULL, &err), RC_OK);
		failed += unit_num("changed", changed, strcmp(old, new) != 0);
		if (there) /* the line, and no other */
			failed += unit_num("lines changed", gone <= 1 && lines->len <= 1, true);
		else /* a line more, or with its section's and a blank one, three */
			failed += unit_num("lines added", gone == 0 && lines->len <= 3, true);
		g_free(ended);
		g_ptr_array_free(lines, TRUE);
	} else {
		failed += unit_num(key, rc, RC_PERM);
	}
	if (failed != 0)
		fprintf(stderr, "old:\n%s\nnew:\n%s\n%s\n", old, new == NULL ? "" : new, err.text);
	ini_free(&before);
	ini_free(&after);
	g_free(new);
	return failed;
}

static void test_random(void **state)
{
	int failed = 0, edited = 0;
	GRand *r = g_rand_new_with_seed(5);
	(void)state;
	for (int i = 0; i < 3000 && failed == 0; i++) {
		char *text = random_file(r);
		failed += unit_num(
		    "file", settings_check_text(text, strlen(text), NULL, NULL, NULL), RC_OK);
		size_t at = (size_t)g_rand_int_range(r, 0, KEYS);
		int v = g_rand_int_range(r, -1, 5);
		failed += check_change(text, at, v < 0 ? NULL : settings[at].values[v], &edited);
		g_free(text);
	}
	/* And values of any bytes. */
	for (int i = 0; i < 3000 && failed == 0; i++) {
		char value[8] = "";
		for (int n = g_rand_int_range(r, 0, 8), j = 0; j < n; j++)
			value[j] = "08: ;#\"'\\=[]\n\r\t\x7f\xc3\xa9,-"[g_rand_int_range(r, 0, 21)];
		char *text = random_file(r);
		char *trimmed = g_strstrip(g_strdup(value));
		failed +=
		    check_change(text, (size_t)g_rand_int_range(r, 0, KEYS), trimmed, &edited);
		g_free(trimmed);
		g_free(text);
	}
	g_rand_free(r);
	assert_int_equal(failed, 0);
	assert_in_range(edited, 1500, 5000); /* both ways are tried */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
