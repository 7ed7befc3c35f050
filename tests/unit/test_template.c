/*
 * test_template.c: templates that are refused, with the line and the reason; and pages: what a value
 * may be without getting out of its place.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "digest/html.h"
#include "digest/template.h"

static char *directory;

static void put(const char *name, const char *text)
{
	char *path = g_build_filename(directory, name, NULL);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	g_free(path);
}

static void take(const char *name)
{
	char *path = g_build_filename(directory, name, NULL);
	unlink(path);
	g_free(path);
}

static int set_up(void **state)
{
	(void)state;
	directory = g_dir_make_tmp("pullyu-template-XXXXXX", NULL);
	return directory == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	take("digest.html");
	take("digest.css");
	int rc = rmdir(directory);
	g_free(directory);
	return rc;
}

#define ENTRIES    "data-each='entries' data-text='subject'"
#define REST       "<i data-each='sections'><i data-each='groups'><i " ENTRIES "/></i></i></body></html>"
#define PAGE(text) "<html><body>\n" text "\n" REST

/* What is said of a template; "" if it is good. */
static char *told(const char *name, const char *text)
{
	struct page_template *template = NULL;
	struct err err = {0};
	put(name, text);
	enum rc rc = template_load(directory, &template, &err);
	assert_true((rc == RC_OK) == (template != NULL));
	if (rc == RC_OK)
		template_free(&template);
	take(name);
	const char *at = strstr(err.text, name);
	return g_strdup(rc == RC_OK ? "" : at == NULL ? err.text : at + strlen(name));
}

struct row {
	const char *text, *want;
};

static int check_rows(const char *name, const struct row *rows, size_t n)
{
	int bad = 0;
	for (size_t i = 0; i < n; i++) {
		char *got = told(name, rows[i].text);
		if (rows[i].want[0] == '\0' || strstr(got, rows[i].want) == NULL)
			bad += unit_str(rows[i].text, got, rows[i].want);
		g_free(got);
	}
	return bad;
}

static void test_templates(void **state)
{
	static const struct row rows[] = {
	    {PAGE("<p class='x' style='color:red' aria-label='y'>&amp;</p>"), ""},
	    {PAGE("<a href='https://x.example/'>x</a><img src='data:image/png;base64,AA' alt=''/>"),
		""},
	    {"<!DOCTYPE html>\n" PAGE(""), ""},
	    {PAGE("<p data-if='notices' data-if-not='shortened' data-text='headline'/>"), ""},
	    {"", ":1: "},
	    {"<html>", ":1: "},
	    {"<p/>", ":1: the outermost element must be <html>"},
	    {"<html><body/></html>", ":1: the subject of entries is shown nowhere"},
	    {"<html data-text='subject'/>", ":1: the subject of entries is shown nowhere"},
	    {PAGE("<p>\n<b></p>"), ":3: "},
	    {PAGE("&nbsp;"), ":2: "},
	    {"<!DOCTYPE html [<!ENTITY e SYSTEM '/etc/passwd'>]>" PAGE("&e;"),
		":1: <!DOCTYPE html> and no more"},
	    {"<!DOCTYPE html SYSTEM 'file:///etc/passwd'>" PAGE(""),
		":1: <!DOCTYPE html> and no more"},
	    {PAGE("<script>x()</script>"), ":2: <script> may not stand in a digest"},
	    {PAGE("<link href='https://x.example/x.css'/>"), ":2: <link> may not stand"},
	    {PAGE("<iframe/>"), "<iframe>"},
	    {PAGE("<form/>"), "<form>"},
	    {PAGE("<SCRIPT/>"), "<SCRIPT>"},
	    {PAGE("<svg xmlns='http://www.w3.org/2000/svg'/>"), "<svg>"},
	    {PAGE("<p xmlns='http://www.w3.org/1999/xhtml'/>"), "<p> may not stand"},
	    {PAGE("<x:p xmlns:x='x'/>"), "<p> may not stand"},
	    {PAGE("<p onclick='x()'/>"), "<p> may not have the attribute onclick"},
	    {PAGE("<p xml:base='x'/>"), "an attribute may not have a namespace"},
	    {PAGE("<meta http-equiv='refresh' content='0'/>"), "attribute http-equiv"},
	    {PAGE("<a href='javascript:x()'/>"), "a link leads to https:// or mailto:"},
	    {PAGE("<a href='http://x.example/'/>"), "a link leads to https:// or mailto:"},
	    {PAGE("<a href='  https://x.example/'/>"), "a link leads to https:// or mailto:"},
	    {PAGE("<img src='https://x.example/t.gif'/>"), "a picture must be inside"},
	    {PAGE("<img src='data:image/svg+xml;base64,AA'/>"), "a picture must be inside"},
	    {PAGE("<img srcset='https://x.example/t.gif'/>"), "attribute srcset"},
	    {PAGE("<p style='background:URL(x)'/>"), "\"url(\" may not stand in a style"},
	    {PAGE("<p style='background:\\75rl(x)'/>"), "\"\\\" may not stand in a style"},
	    {PAGE("<p data-text='subjekt'/>"), "there is no value \"subjekt\" here"},
	    {PAGE("<p data-text='snippet'/>"), "there is no value \"snippet\" here"},
	    {PAGE("<p data-each='entries'/>"), "data-each=\"entries\" cannot stand here"},
	    {PAGE("<p data-each='page'/>"), "data-each=\"page\" cannot stand here"},
	    {PAGE("<p data-html='subject'/>"), "there is no attribute data-html"},
	    {PAGE("<a data-href='unsubscribe'/>"), "there is no link \"unsubscribe\" here"},
	    {PAGE("<a data-href='allow'/>"), "there is no link \"allow\" here"},
	    {PAGE("<p data-href='help'/>"), "data-href belongs to an <a>"},
	    {PAGE("<p data-each='suggestions' data-text='number'/>"), "no value \"number\" here"},
	    {PAGE("<?xml-stylesheet href='x'?>"), "only elements, text and comments"},
	    {PAGE("\xFF"), ": not UTF-8"},
	};
	int bad = 0;
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *got = told("digest.html", rows[i].text);
		bad += unit_str(rows[i].text, got, "");
		g_free(got);
	}
	bad += check_rows("digest.html", rows + 4, G_N_ELEMENTS(rows) - 4);
	assert_int_equal(bad, 0);
}

static void test_style_sheets(void **state)
{
	static const struct row rows[] = {
	    {"@import 'x'", "\"@import\" may not stand in a style sheet"},
	    {"p{background:url (x)} p{b:uRl(x)}", "\"url(\""},
	    {"p{background:image-set('x' 1x)}", "\"image-set(\""},
	    {"p{}</style><script>x()</script>", "\"<\""},
	    {"@font-face{}", "\"@font-face\""},
	    {"\xFF", ": not UTF-8"},
	};
	(void)state;
	char *got = told("digest.css", "p > b { color: #123 }\n");
	assert_string_equal(got, "");
	g_free(got);
	assert_int_equal(check_rows("digest.css", rows, G_N_ELEMENTS(rows)), 0);
}

static void test_size(void **state)
{
	GString *text = g_string_new("<html><body>");
	(void)state;
	for (int i = 0; i < 100; i++)
		g_string_append(text, "<div>");
	for (int i = 0; i < 100; i++)
		g_string_append(text, "</div>");
	g_string_append(text, REST);
	char *got = told("digest.html", text->str);
	assert_non_null(strstr(got, "nested more than 40 deep"));
	g_free(got);
	g_string_set_size(text, TEMPLATE_FILE_MAX + 1);
	got = told("digest.html", text->str);
	assert_string_not_equal(got, "");
	g_free(got);
	g_string_free(text, TRUE);

	struct page_template *template = NULL;
	struct err err = {0};
	assert_int_equal(template_load("/nonexistent/pullyu", &template, &err), RC_PERM);
	assert_int_equal(template_load("", &template, &err), RC_OK);
	template_free(&template);
	assert_int_equal(template_load(NULL, &template, &err), RC_OK);
	template_free(&template);
}

/* ---- pages ---- */

#define HOSTILE "</p><script>x()</script>\" onclick='x()' &lt; {{subject}} data-text"
#define ESCAPED "&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;"

static char *page_of(struct outline_entry *entry, const char *text)
{
	struct outline_group group = {.heading = HOSTILE, .entries = entry, .n = 1};
	struct outline outline = {.lang = "en",
	    .dir = "ltr",
	    .title = HOSTILE,
	    .subject = HOSTILE,
	    .headline = HOSTILE,
	    .slot = HOSTILE,
	    .closing = HOSTILE,
	    .waits = HOSTILE,
	    .shortened = HOSTILE,
	    .notices = {HOSTILE},
	    .n_notices = 1,
	    .notices_heading = HOSTILE,
	    .sections = {{.heading = HOSTILE, .count = "1", .groups = &group, .n = 1}},
	    .n_sections = 1,
	    .n_entries = 1};
	struct page_template *template = NULL;
	struct err err = {0};
	char *html = NULL;
	if (text != NULL)
		put("digest.html", text);
	assert_int_equal(template_load(directory, &template, &err), RC_OK);
	assert_int_equal(html_render(template, &outline, &html, &err), RC_OK);
	template_free(&template);
	take("digest.html");
	return html;
}

static struct outline_entry hostile_entry(void)
{
	return (struct outline_entry){.name = HOSTILE,
	    .addr = HOSTILE,
	    .unverified = HOSTILE,
	    .subject = HOSTILE,
	    .count = HOSTILE,
	    .others = HOSTILE,
	    .when = HOSTILE,
	    .snippet = HOSTILE,
	    .attached = HOSTILE,
	    .why = HOSTILE,
	    .unsubscribe = HOSTILE,
	    .n = 2};
}

static void test_nothing_gets_out(void **state)
{
	struct outline_entry entry = hostile_entry();
	(void)state;
	char *html = page_of(&entry, NULL);
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "onclick=\""));
	assert_non_null(strstr(html, ESCAPED "\" onclick='x()' &amp;lt; {{subject}} data-text"));
	g_free(html);
	/* In places where HTML has rules of its own. */
	html = page_of(&entry,
	    "<html><head><title data-text='subject'/></head><body><i data-each='sections'>"
	    "<i data-each='groups'><i data-each='entries'><b data-text='subject'/>"
	    "<a data-href='unsubscribe' data-text='name'/></i></i></i></body></html>");
	assert_non_null(strstr(html, "<title>" ESCAPED));
	assert_non_null(strstr(html, "<b dir=\"auto\">" ESCAPED));
	assert_non_null(strstr(html, "<a dir=\"auto\">" ESCAPED));
	assert_null(strstr(html, "<script"));
	g_free(html);
}

static void test_unsubscribe(void **state)
{
	static const char uri[] = "https://x.example/a?b=1&c=2";
	struct outline_entry entry = hostile_entry();
	(void)state;
	entry.unsubscribe = "Unsubscribe at x.example";
	entry.unsubscribe_uri = uri;
	char *html = page_of(&entry, NULL);
	assert_null(strstr(html, "href="));
	assert_non_null(strstr(html, "https://x.example/a?b=1&amp;c=2"));
	g_free(html);
	entry.unsubscribe_link = true;
	html = page_of(&entry, NULL);
	assert_non_null(strstr(html, "<a href=\"https://x.example/a?b=1&amp;c=2\">Unsubscribe at"));
	g_free(html);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_templates),
	    cmocka_unit_test(test_style_sheets),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_nothing_gets_out),
	    cmocka_unit_test(test_unsubscribe),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
