/*
 * test_policy_list.c: allow and hold lists.
 */
#include <config.h>

#include "policy/list.h"

#include <stdlib.h>

#include <glib.h>

#include "unit.h"

static void collect(void *ctx, const char *file, int line, const char *text)
{
	(void)file;
	g_string_append_printf(ctx, "%d:%s|", line, text);
}

static struct list *parse(const char *text)
{
	struct list *list = NULL;
	struct err err = {""};
	assert_int_equal(list_parse("allow", text, strlen(text), NULL, NULL, &list, &err), RC_OK);
	return list;
}

static const char *or_none(const char *s)
{
	return s == NULL ? "(none)" : s;
}

static const char sample[] = "# my list\n"
			     "ann@example.org\n"
			     "  Bob@Example.NET   # from work\n"
			     "\n"
			     "@shop.example\r\n"
			     "@.corp.example\n"
			     "list:Announce.Example.org\n"
			     "list:<dev.lists.example>\n"
			     "\"john smith\"@example.org\n"
			     "J\xc3\xb6rg@m\xc3\xbcnchen.example\n"
			     "odd#tag@example.org\n"
			     "news+weekly@example.com\n"
			     "only@sub.shop.example";

static void test_match(void **state)
{
	static const struct {
		const char *addr, *want;
	} rows[] = {
	    {"ann@example.org", "ann@example.org"},
	    {"ANN@EXAMPLE.ORG", "ann@example.org"},
	    {"ann+lists@example.org", "ann@example.org"},
	    {"bob@example.net", "Bob@Example.NET"},
	    {"bo@example.net", "(none)"},
	    {"x@shop.example", "@shop.example"},
	    {"x@www.shop.example", "(none)"},
	    {"x@myshop.example", "(none)"},
	    {"x@corp.example", "@.corp.example"},
	    {"x@a.corp.example", "@.corp.example"},
	    {"x@a.b.c.corp.example", "@.corp.example"},
	    {"x@acorp.example", "(none)"},
	    {"x@example", "(none)"},
	    {"\"john smith\"@example.org", "\"john smith\"@example.org"},
	    {"j\xc3\xb6rg@xn--mnchen-3ya.example", "J\xc3\xb6rg@m\xc3\xbcnchen.example"},
	    {"odd#tag@example.org", "odd#tag@example.org"},
	    {"news+weekly@example.com", "news+weekly@example.com"},
	    {"news@example.com", "(none)"},
	    {"news+daily@example.com", "(none)"},
	    {"only@sub.shop.example", "only@sub.shop.example"},
	    {"", "(none)"},
	    {"no address", "(none)"},
	    {"@shop.example", "(none)"},
	    {"list:announce.example.org", "(none)"},
	};
	static const struct {
		const char *id, *want;
	} ids[] = {
	    {"announce.example.org", "list:Announce.Example.org"},
	    {"ANNOUNCE.example.org", "list:Announce.Example.org"},
	    {"dev.lists.example", "list:<dev.lists.example>"},
	    {"lists.example", "(none)"},
	    {"", "(none)"},
	    {"x announce.example.org", "(none)"},
	};
	int failed = 0;
	struct list *list = parse(sample);
	(void)state;
	failed += unit_num("count", (long long)list_count(list), 11);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		failed += unit_str(
		    rows[i].addr, or_none(list_match_addr(list, rows[i].addr)), rows[i].want);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		failed +=
		    unit_str(ids[i].id, or_none(list_match_list_id(list, ids[i].id)), ids[i].want);
	failed += unit_str("no list", or_none(list_match_addr(NULL, "ann@example.org")), "(none)");
	failed += unit_str("no list", or_none(list_match_list_id(NULL, "a.b")), "(none)");
	list_free(&list);
	assert_null(list);
	list = parse("@.example.org\n@example.org\nann@example.org\nann@example.org\n");
	failed += unit_num("duplicates", (long long)list_count(list), 3);
	failed +=
	    unit_str("most exact", list_match_addr(list, "ann@example.org"), "ann@example.org");
	failed +=
	    unit_str("domain first", list_match_addr(list, "bob@example.org"), "@example.org");
	list_free(&list);
	list = parse("# nothing\n\n   \n#\n");
	failed += unit_num("empty", (long long)list_count(list), 0);
	failed += unit_str("empty", or_none(list_match_addr(list, "ann@example.org")), "(none)");
	list_free(&list);
	assert_int_equal(failed, 0);
}

#define X100 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xx" \
	"xxxxxxxxxx"
#define RIGHT "right would be ann@example.org, @example.org, @.example.org or list:NAME"

static void test_bad(void **state)
{
	static const struct {
		const char *label, *text;
		size_t len; /* 0: strlen */
		const char *want;
	} rows[] = {
	    {"a word", "ann\n", 0, "1:'ann' is no entry of a list; " RIGHT "|"},
	    {"two addresses", "a@b.org c@d.org\n", 0,
		"1:'a@b.org c@d.org' is no entry of a list; " RIGHT "|"},
	    {"a name", "Ann <ann@example.org>\n", 0,
		"1:'Ann <ann@example.org>' is no entry of a list; " RIGHT "|"},
	    {"comment without a blank", "ann@example.org#x\n", 0,
		"1:'ann@example.org#x' is no entry of a list; " RIGHT "|"},
	    {"empty domain", "@\n", 0, "1:'@' is no domain; " RIGHT "|"},
	    {"only a dot", "@.\n", 0, "1:'@.' is no domain; " RIGHT "|"},
	    {"wildcard", "*@example.org\n@*.example.org\n", 0,
		"1:'*@example.org': a whole domain is written @example.org|"
		"2:'@*.example.org' is no domain; " RIGHT "|"},
	    {"empty List-Id", "list:\n", 0, "1:a List-Id has 1 to 255 bytes; " RIGHT "|"},
	    {"blank in a List-Id", "list:a b\n", 0, "1:'a b' is no List-Id; " RIGHT "|"},
	    {"semicolon comment", "; no\n", 0, "1:'; no' is no entry of a list; " RIGHT "|"},
	    {"NUL", "a@b.org\0\n", 9, "1:not UTF-8|"},
	    {"Latin-1", "J\xf6rg@b.org\n", 0, "1:not UTF-8|"},
	    {"byte order mark",
		"\xef\xbb\xbf"
		"a@b.org\n",
		0, "1:starts with a byte order mark: save it as UTF-8 without one|"},
	    {"all are reported", "a\nann@example.org\nb\n", 0,
		"1:'a' is no entry of a list; " RIGHT "|3:'b' is no entry of a list; " RIGHT "|"},
	    {"long entry", "list:" X100 X100 X100 X100 "\n", 0, "1:longer than 399 bytes|"},
	    {"long line", "# " X100 X100 X100 X100 X100 X100 X100 X100 X100 X100 "\n", 0,
		"1:line longer than 1000 bytes|"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct list *list = NULL;
		struct err err = {""};
		GString *problems = g_string_new(NULL);
		size_t len = rows[i].len == 0 ? strlen(rows[i].text) : rows[i].len;
		failed += unit_num(rows[i].label,
		    list_parse("allow", rows[i].text, len, collect, problems, &list, &err),
		    RC_PERM);
		failed += unit_str(rows[i].label, problems->str, rows[i].want);
		failed += unit_num(rows[i].label, list == NULL, 1);
		failed += unit_num(rows[i].label, g_str_has_prefix(err.text, "allow:"), 1);
		g_string_free(problems, TRUE);
	}
	assert_int_equal(failed, 0);
}

static void test_large(void **state)
{
	struct list *list = NULL;
	struct err err = {""};
	int failed = 0;
	(void)state;
	GString *text = g_string_new(NULL);
	for (int i = 0; i < LIST_ENTRIES_MAX; i++)
		g_string_append_printf(text, "u%d@example.org\n", (i * 7919) % 1000003);
	failed += unit_num("100,000 entries",
	    list_parse("allow", text->str, text->len, NULL, NULL, &list, &err), RC_OK);
	failed += unit_str(
	    "the last", or_none(list_match_addr(list, "u7919@example.org")), "u7919@example.org");
	failed += unit_num("memory", list_bytes(list) > 2000000, 1);
	list_free(&list);
	g_string_append(text, "one@more.example\n");
	failed += unit_num("100,001 entries",
	    list_parse("allow", text->str, text->len, NULL, NULL, &list, &err), RC_PERM);
	g_string_truncate(text, 0);
	while (text->len <= LIST_FILE_MAX)
		g_string_append(text, "# comment\n");
	failed += unit_num("too large",
	    list_parse("allow", text->str, text->len, NULL, NULL, &list, &err), RC_PERM);
	g_string_free(text, TRUE);
	assert_null(list);
	assert_int_equal(failed, 0);
}

static void test_normalise(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {" Ann@Example.ORG ", "ann@example.org"},
	    {"<ann@example.org>", "ann@example.org"},
	    {"@Example.org.", "@example.org"},
	    {"@.M\xc3\xbcnchen.example", "@.xn--mnchen-3ya.example"},
	    {"LIST:Dev.Example", "list:dev.example"},
	    {"list: <dev.example>", "list:dev.example"},
	    {"@.org", "@.org"},
	    {"", ""},
	    {"ann", ""},
	    {"list:", ""},
	    {"list:<>", ""},
	    {"ann@example.org\nbob@example.org", ""},
	    {"@example.org\n", "@example.org"},
	    {"\xff@example.org", ""},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char out[LIST_ENTRY_MAX] = "";
		enum rc rc = list_entry_normalise(rows[i].in, out, NULL);
		failed += unit_num(rows[i].in, rc, rows[i].want[0] == '\0' ? RC_PERM : RC_OK);
		failed += unit_str(rows[i].in, out, rows[i].want);
	}
	assert_int_equal(failed, 0);
}

static void test_edit(void **state)
{
	static const struct {
		const char *label, *text, *entry;
		bool add;
		const char *want;
		bool changed;
	} rows[] = {
	    {"add to nothing", "", "Ann@example.org", true, "ann@example.org\n", true},
	    {"add", "# mine\na@b.org\n", "c@d.org", true, "# mine\na@b.org\nc@d.org\n", true},
	    {"add, no newline at the end", "a@b.org", "c@d.org", true, "a@b.org\nc@d.org\n", true},
	    {"add what is there", "# x\nA@B.org # my friend\n", "a@b.org", true,
		"# x\nA@B.org # my friend\n", false},
	    {"remove", "# x\n\na@b.org\nc@d.org\n# y\n", "a@b.org", false, "# x\n\nc@d.org\n# y\n",
		true},
	    {"remove each", "a@b.org\nA@b.org # twice\nc@d.org", "a@b.org", false, "c@d.org", true},
	    {"remove what is not there", "a@b.org\n", "x@y.org", false, "a@b.org\n", false},
	    {"in a comment only", "# a@b.org\n", "a@b.org", false, "# a@b.org\n", false},
	    {"a bad line stays", "nonsense\na@b.org\n", "a@b.org", false, "nonsense\n", true},
	    {"CRLF stays", "a@b.org\r\nc@d.org\r\n", "a@b.org", false, "c@d.org\r\n", true},
	    {"domain is not below", "@.b.org\n", "@b.org", false, "@.b.org\n", false},
	    {"list", "list:a.b\n", "list:<A.B>", false, "", true},
	};
	int failed = 0;
	char *text = NULL;
	bool changed = false;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = {""};
		failed += unit_num(rows[i].label,
		    list_edit(rows[i].text, rows[i].entry, rows[i].add, &text, &changed, &err),
		    RC_OK);
		failed += unit_str(rows[i].label, text, rows[i].want);
		failed += unit_num(rows[i].label, changed, rows[i].changed);
		g_free(text);
		text = NULL;
	}
	failed += unit_num("no entry", list_edit("", "a b", true, &text, &changed, NULL), RC_PERM);
	failed += unit_num("injected line",
	    list_edit("", "a@b.org\n@evil.example", true, &text, &changed, NULL), RC_PERM);
	assert_null(text);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_match),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_large),
	    cmocka_unit_test(test_normalise),
	    cmocka_unit_test(test_edit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
