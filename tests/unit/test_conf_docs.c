/*
 * test_conf_docs.c: every option of the tables stands in its man page and in etc/pullyu.conf
 * with its default, and nothing else does.
 */
#include <config.h>

#include "conf/conf.h"

#include <stdlib.h>

#include <glib.h>

#include "unit.h"

static char *read_file(const char *path)
{
	char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		fprintf(stderr, "cannot read %s\n", path);
	assert_non_null(text);
	return text;
}

static void print_problem(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

/* "#key = value" loses its "#"; prose has a blank behind it. */
static char *uncomment(const char *text)
{
	GString *out = g_string_new(NULL);
	char **lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		g_string_append_printf(
		    out, "%s\n", *line + ((*line)[0] == '#' && g_ascii_isalpha((*line)[1])));
	g_strfreev(lines);
	return g_string_free(out, FALSE);
}

static void test_example_loads(void **state)
{
	struct conf *conf = NULL;
	struct err err = {""};
	(void)state;
	assert_int_equal(
	    conf_load(TEST_BUILDDIR "/etc/pullyu.conf.example", print_problem, NULL, &conf, &err),
	    RC_OK);
	conf_unref(&conf);
	assert_int_equal(
	    conf_load(TEST_SRCDIR "/etc/pullyu.conf", print_problem, NULL, &conf, &err), RC_OK);
	conf_unref(&conf);
}

static void test_example_complete(void **state)
{
	struct ini *ini = NULL;
	struct conf *plain = NULL, *conf = NULL;
	struct err err = {""};
	int failed = 0;
	char *dir = g_dir_make_tmp("pullyu-docs-XXXXXX", NULL);
	(void)state;
	assert_non_null(dir);
	char *path = g_build_filename(dir, "pullyu.conf", NULL);
	char *text = read_file(TEST_BUILDDIR "/etc/pullyu.conf.example");
	char *bare = uncomment(text);
	assert_true(g_file_set_contents(path, bare, -1, NULL));
	assert_int_equal(ini_load(path, print_problem, NULL, &ini, &err), RC_OK);
	for (size_t i = 0; i < conf_table_n; i++) {
		const struct conf_option *o = &conf_table[i];
		const char *found = NULL;
		char *label = g_strdup_printf("[%s] %s", o->section, o->key);
		for (size_t e = 0; e < ini->n_entries; e++)
			if (strcmp(ini->entries[e].section, o->section) == 0 &&
			    strcmp(ini->entries[e].key, o->key) == 0)
				found = ini->entries[e].value;
		failed += unit_str(
		    label, found == NULL ? "(absent)" : found, o->dflt == NULL ? "" : o->dflt);
		g_free(label);
	}
	failed += unit_num("options", (long long)ini->n_entries, (long long)conf_table_n);
	ini_free(&ini);
	/* And all of it means what no file at all means. */
	assert_int_equal(conf_load(NULL, NULL, NULL, &plain, &err), RC_OK);
	assert_int_equal(conf_load(path, print_problem, NULL, &conf, &err), RC_OK);
	failed += unit_str("host", conf->host, plain->host);
	failed += unit_str("from", conf->from, plain->from);
	failed += unit_str("timezone", conf->defaults.timezone, plain->defaults.timezone);
	failed += unit_num("reply_to", conf->reply_to == NULL, 1);
	conf_unref(&plain);
	conf_unref(&conf);
	remove(path);
	remove(dir);
	g_free(bare);
	g_free(text);
	g_free(path);
	g_free(dir);
	assert_int_equal(failed, 0);
}

/* The default as the man page has it: paths of a build for /etc, /var and /run. */
static char *man_default(const char *dflt)
{
	static const char *const pairs[][2] = {
	    {PULLYU_SYSCONFDIR, "/etc/pullyu"},
	    {PULLYU_SPOOLDIR, "/var/spool/pullyu"},
	    {PULLYU_STATEDIR, "/var/lib/pullyu"},
	    {PULLYU_RUNDIR, "/run/pullyu"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
		if (g_str_has_prefix(dflt, pairs[i][0]))
			return g_strconcat(pairs[i][1], dflt + strlen(pairs[i][0]), NULL);
	return g_strdup(dflt);
}

/* The text of ".It Cm key" behind the line head; up to the next item or end of the list. */
static char *man_item(const char *page, const char *head, const char *key)
{
	char *item = g_strdup_printf("\n.It Cm %s\n", key);
	const char *from = strstr(page, head);
	const char *end = from == NULL ? NULL : strstr(from, "\n.El");
	const char *at = from == NULL ? NULL : strstr(from, item);
	char *text = NULL;
	if (at != NULL && end != NULL && at < end) {
		const char *next = strstr(at + 1, "\n.It ");
		text = g_strndup(at, (gsize)((next != NULL && next < end ? next : end) - at));
	}
	g_free(item);
	return text;
}

static int check_page(
    const char *file, const char *head_format, const struct conf_option *table, size_t n)
{
	int failed = 0;
	size_t items = 0;
	char *page = read_file(file);
	for (size_t i = 0; i < n; i++) {
		const struct conf_option *o = &table[i];
		char *head = g_strdup_printf("\n%s %s\n", head_format, o->section);
		char *label = g_strdup_printf("%s: [%s] %s", file, o->section, o->key);
		char *text = man_item(page, head, o->key);
		failed += unit_num(label, text != NULL, 1);
		if (text != NULL && o->dflt != NULL) {
			char *dflt = man_default(o->dflt);
			char *ql = g_strdup_printf("The default is\n.Ql %s .", dflt);
			bool empty = dflt[0] == '\0' && strstr(text, "The default is empty.");
			failed += unit_num(label, empty || strstr(text, ql) != NULL, 1);
			g_free(ql);
			g_free(dflt);
		} else if (text != NULL) {
			failed += unit_num(label, strstr(text, "The default is") != NULL, 1);
		}
		g_free(text);
		g_free(label);
		g_free(head);
	}
	for (const char *p = page; (p = strstr(p, "\n.It Cm ")) != NULL; p++)
		items++;
	failed += unit_num(file, (long long)items, (long long)n);
	g_free(page);
	return failed;
}

static void test_man_pages(void **state)
{
	(void)state;
	int failed =
	    check_page(TEST_SRCDIR "/man/pullyu.conf.5", ".Ss Section", conf_table, conf_table_n);
	failed += check_page(
	    TEST_SRCDIR "/man/pullyu-settings.5", ".Sy Section", settings_table, settings_table_n);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_example_loads),
	    cmocka_unit_test(test_example_complete),
	    cmocka_unit_test(test_man_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
