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
	assert_int_equal(
	    list_parse(LIST_ALLOW, "allow", text, strlen(text), NULL, NULL, &list, &err), RC_OK);
	return list;
}

static const char *match(const struct list *list, const char *addr)
{
	return list_match_addr(list, addr, LIST_EVERY_CLASS).entry;
}

static const char *match_id(const struct list *list, const char *id)
{
	return list_match_list_id(list, id, LIST_EVERY_CLASS).entry;
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
		failed += unit_str(rows[i].addr, or_none(match(list, rows[i].addr)), rows[i].want);
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		failed += unit_str(ids[i].id, or_none(match_id(list, ids[i].id)), ids[i].want);
	failed += unit_str("no list", or_none(match(NULL, "ann@example.org")), "(none)");
	failed += unit_str("no list", or_none(match_id(NULL, "a.b")), "(none)");
	list_free(&list);
	assert_null(list);
	list = parse("@.example.org\n@example.org\nann@example.org\nann@example.org\n");
	failed += unit_num("duplicates", (long long)list_count(list), 3);
	failed += unit_str("most exact", match(list, "ann@example.org"), "ann@example.org");
	failed += unit_str("domain first", match(list, "bob@example.org"), "@example.org");
	list_free(&list);
	list = parse("# nothing\n\n   \n#\n");
	failed += unit_num("empty", (long long)list_count(list), 0);
	failed += unit_str("empty", or_none(match(list, "ann@example.org")), "(none)");
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
	    {"long entry", "list:" X100 X100 X100 X100 X100 "\n", 0, "1:longer than 499 bytes|"},
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
		    list_parse(
			LIST_ALLOW, "allow", rows[i].text, len, collect, problems, &list, &err),
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
	    list_parse(LIST_ALLOW, "allow", text->str, text->len, NULL, NULL, &list, &err), RC_OK);
	failed +=
	    unit_str("the last", or_none(match(list, "u7919@example.org")), "u7919@example.org");
	failed += unit_num("memory", list_bytes(list) > 2000000, 1);
	list_free(&list);
	g_string_append(text, "one@more.example\n");
	failed += unit_num("100,001 entries",
	    list_parse(LIST_ALLOW, "allow", text->str, text->len, NULL, NULL, &list, &err),
	    RC_PERM);
	g_string_truncate(text, 0);
	while (text->len <= LIST_FILE_MAX)
		g_string_append(text, "# comment\n");
	failed += unit_num("too large",
	    list_parse(LIST_ALLOW, "allow", text->str, text->len, NULL, NULL, &list, &err),
	    RC_PERM);
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
		enum rc rc = list_entry_normalise(LIST_ALLOW, rows[i].in, out, NULL);
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
		    list_edit(LIST_ALLOW, rows[i].text, rows[i].entry,
			rows[i].add ? LIST_ADD : LIST_REMOVE, &text, &changed, &err),
		    RC_OK);
		failed += unit_str(rows[i].label, text, rows[i].want);
		failed += unit_num(rows[i].label, changed, rows[i].changed);
		g_free(text);
		text = NULL;
	}
	failed += unit_num(
	    "no entry", list_edit(LIST_ALLOW, "", "a b", LIST_ADD, &text, &changed, NULL), RC_PERM);
	failed += unit_num("injected line",
	    list_edit(LIST_ALLOW, "", "a@b.org\n@evil.example", LIST_ADD, &text, &changed, NULL),
	    RC_PERM);
	assert_null(text);
	assert_int_equal(failed, 0);
}

/* ---- classes ---- */

#define BIT(x) (1U << CLASS_##x)

static void test_classes(void **state)
{
	static const char text[] = "news@shop.example: newsletter\n"
				   "@shop.example:Newsletter ,NOTIFICATION # the shop\n"
				   "two@x.example: newsletter\n"
				   "TWO@x.example: personal\n"
				   "two@x.example: newsletter\n"
				   "plain@x.example: newsletter\n"
				   "Plain@x.example # all of it\n"
				   "plain@x.example: discussion\n"
				   "list:a.lists.example: discussion\n"
				   "list:b:c.lists.example\n"
				   "list:<d.lists.example>:discussion\n"
				   "list:e.lists.example:discussion\n"
				   "list:<f:newsletter>\n"
				   "\"a:b\"@x.example: newsletter\n"
				   "<angle@x.example>: newsletter\n"
				   "ip@[ipv6:2001:db8::1]: newsletter\n"
				   "@.x.example:  transactional\r\n";
	static const struct {
		const char *key;
		unsigned asked;
		const char *want;
		unsigned want_classes;
	} rows[] = {
	    {"news@shop.example", LIST_EVERY_CLASS, "news@shop.example: newsletter",
		BIT(NEWSLETTER)},
	    {"news@shop.example", BIT(NEWSLETTER), "news@shop.example: newsletter",
		BIT(NEWSLETTER)},
	    /* What names another class is not there. */
	    {"news@shop.example", BIT(NOTIFICATION), "@shop.example:Newsletter ,NOTIFICATION",
		BIT(NEWSLETTER) | BIT(NOTIFICATION)},
	    {"news@shop.example", BIT(PERSONAL), "(none)", 0},
	    {"two@x.example", BIT(PERSONAL), "TWO@x.example: personal, newsletter",
		BIT(NEWSLETTER) | BIT(PERSONAL)},
	    {"two@x.example", BIT(TRANSACTIONAL), "@.x.example:  transactional",
		BIT(TRANSACTIONAL)},
	    {"plain@x.example", BIT(BOUNCE), "Plain@x.example", LIST_EVERY_CLASS},
	    {"list a.lists.example", BIT(DISCUSSION), "list:a.lists.example: discussion",
		BIT(DISCUSSION)},
	    {"list a.lists.example", BIT(NEWSLETTER), "(none)", 0},
	    {"list b:c.lists.example", BIT(NEWSLETTER), "list:b:c.lists.example", LIST_EVERY_CLASS},
	    {"list d.lists.example", LIST_EVERY_CLASS, "list:<d.lists.example>:discussion",
		BIT(DISCUSSION)},
	    {"list e.lists.example", LIST_EVERY_CLASS, "list:e.lists.example:discussion",
		BIT(DISCUSSION)},
	    {"list f:newsletter", LIST_EVERY_CLASS, "list:<f:newsletter>", LIST_EVERY_CLASS},
	    {"\"a:b\"@x.example", LIST_EVERY_CLASS, "\"a:b\"@x.example: newsletter",
		BIT(NEWSLETTER)},
	    {"angle@x.example", LIST_EVERY_CLASS, "<angle@x.example>: newsletter", BIT(NEWSLETTER)},
	    {"ip@[ipv6:2001:db8::1]", LIST_EVERY_CLASS, "ip@[ipv6:2001:db8::1]: newsletter",
		BIT(NEWSLETTER)},
	};
	int failed = 0;
	struct list *list = parse(text);
	(void)state;
	failed += unit_num("count", (long long)list_count(list), 13);
	failed += unit_str("the first", list_entry(list, 0), "news@shop.example: newsletter");
	failed += unit_str("united", list_entry(list, 2), "TWO@x.example: personal, newsletter");
	failed += unit_str("the last", list_entry(list, 12), "@.x.example:  transactional");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct list_match got = g_str_has_prefix(rows[i].key, "list ")
		    ? list_match_list_id(list, rows[i].key + 5, rows[i].asked)
		    : list_match_addr(list, rows[i].key, rows[i].asked);
		failed += unit_str(rows[i].key, or_none(got.entry), rows[i].want);
		failed += unit_num(rows[i].key, got.classes, rows[i].want_classes);
	}
	list_free(&list);
	assert_int_equal(failed, 0);
}

#define HOLDABLE "personal, discussion, newsletter, notification, transactional"

/* Each bad line in each kind of list. */
static void test_bad_classes(void **state)
{
	static const struct {
		const char *line;
		enum list_kind kind;
		const char *want; /* "": it is right */
	} rows[] = {
	    {"a@b.org: personal", LIST_HOLD, ""},
	    {"a@b.org: security", LIST_ALLOW, ""},
	    {"a@b.org: security", LIST_HOLD,
		"mail of class 'security' is never held; behind the colon may stand " HOLDABLE},
	    {"list:x.y: newsletter, bounce", LIST_HOLD,
		"mail of class 'bounce' is never held; behind the colon may stand " HOLDABLE},
	    {"@b.org: calendar", LIST_HOLD,
		"mail of class 'calendar' is never held; behind the colon may stand " HOLDABLE},
	    {"a@b.org: receipts", LIST_HOLD,
		"'receipts' is no class of mail; behind the colon may stand " HOLDABLE},
	    {"a@b.org:", LIST_HOLD, "'' is no class of mail; behind the colon may stand " HOLDABLE},
	    {"a@b.org: newsletter,", LIST_HOLD,
		"'' is no class of mail; behind the colon may stand " HOLDABLE},
	    {"a@b.org: newsletter notification", LIST_HOLD,
		"'newsletter notification' is no class of mail; behind the colon may "
		"stand " HOLDABLE},
	    {"a@b.org: newsletter: notification", LIST_HOLD,
		"'newsletter: notification' is no class of mail; behind the colon may "
		"stand " HOLDABLE},
	    {"a@b.org: newsletter", LIST_NAMES,
		"'a@b.org: newsletter': classes stand in allow and hold only"},
	    {": newsletter", LIST_HOLD, "no entry; " RIGHT},
	    {"list:: newsletter", LIST_HOLD, "a List-Id has 1 to 255 bytes; " RIGHT},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct list *list = NULL;
		struct err err = {""};
		char *want = g_strconcat("f:1: ", rows[i].want, NULL);
		char out[LIST_ENTRY_MAX];
		enum rc want_rc = rows[i].want[0] == '\0' ? RC_OK : RC_PERM;
		enum rc rc = list_parse(
		    rows[i].kind, "f", rows[i].line, strlen(rows[i].line), NULL, NULL, &list, &err);
		failed += unit_num(rows[i].line, rc, want_rc);
		if (rc != RC_OK)
			failed += unit_str(rows[i].line, err.text, want);
		rc = list_entry_normalise(rows[i].kind, rows[i].line, out, &err);
		failed += unit_num(rows[i].line, rc, want_rc);
		if (rc != RC_OK)
			failed += unit_str(rows[i].line, err.text, rows[i].want);
		list_free(&list);
		g_free(want);
	}
	assert_int_equal(failed, 0);
}

/* ---- spellings ---- */

/* Every spelling of one domain in the list matches every spelling of it in mail. */
static void test_international(void **state)
{
	static const char *const domains[] = {
	    "m\xc3\xbcnchen.example",   /* U-label, NFC */
	    "mu\xcc\x88nchen.example",  /* NFD */
	    "M\xc3\x9cNCHEN.Example",   /* upper case */
	    "MU\xcc\x88nchen.example.", /* both, and the root's dot */
	    "xn--mnchen-3ya.example",   /* A-label */
	    "XN--MNCHEN-3YA.EXAMPLE",   /* and in upper case */
	    "m\xc3\xbcnchen\xef\xbc\x8e"
	    "example", /* full-width dot */
	    "m\xc3\xbcnchen\xe3\x80\x82"
	    "example", /* ideographic dot */
	    "xn--mnchen-3ya\xef\xbc\x8e"
	    "example",
	    "m\xc3\xbcnchen.\xef\xbd\x85xample", /* full-width letter */
	};
	static const struct {
		const char *entry, *sender; /* before the domain */
		bool want;
	} forms[] = {
	    {"ann@", "ann@", true},
	    {"@", "ann@", true},
	    {"@.", "ann@", true},
	    {"@.", "ann@www.", true},
	    {"@.",
		"ann@b\xc3\xbc"
		"cher.",
		true},
	    {"@b\xc3\xbc"
	     "cher.",
		"ann@xn--bcher-kva.", true},
	    {"J\xc3\x96rg@", "jo\xcc\x88rg@", true}, /* the local part: NFC and NFD */
	    {"jo\xcc\x88rg@", "j\xc3\xb6rg+x@", true},
	    {"@", "ann@www.", false},
	    {"jorg@", "j\xc3\xb6rg@", false},
	};
	int failed = 0;
	(void)state;
	for (size_t f = 0; f < G_N_ELEMENTS(forms); f++) {
		for (size_t i = 0; i < G_N_ELEMENTS(domains) * G_N_ELEMENTS(domains); i++) {
			char entry[200], sender[200];
			const char *listed = domains[i % G_N_ELEMENTS(domains)];
			const char *written = domains[i / G_N_ELEMENTS(domains)];
			snprintf(entry, sizeof(entry), "%s%s", forms[f].entry, listed);
			snprintf(sender, sizeof(sender), "%s%s", forms[f].sender, written);
			struct list *list = parse(entry);
			failed += unit_num(sender, match(list, sender) != NULL, forms[f].want);
			list_free(&list);
		}
	}
	assert_int_equal(failed, 0);
}

static void test_characters(void **state)
{
	static const struct {
		const char *label, *text, *want; /* "": it is right, and matches a@b.org */
		size_t len;                      /* 0: strlen */
	} rows[] = {
	    {"CRLF", "# x\r\n\r\na@b.org\r\nc@d.org # y\r\n", "", 0},
	    {"CRLF, none at the end", "c@d.org\r\na@b.org", "", 0},
	    {"tabs", "\ta@b.org\t# x\n", "", 0},
	    {"control character in a comment", "a@b.org # \x07\n", "", 0},
	    {"CR alone", "a@b.org\rc@d.org\r", "f:1: control character 0x0d", 0},
	    {"escape", "a\x1b[2J@b.org\n", "f:1: control character 0x1b", 0},
	    {"DEL", "list:a\x7f\n", "f:1: control character 0x7f", 0},
	    {"C1", "a\xc2\x9b@b.org\n", "f:1: control character 0x9b", 0},
	    {"NUL", "a@b.org\n\0c@d.org\n", "f:2: not UTF-8", 17},
	    {"NUL in a comment", "a@b.org # \0\n", "f:1: not UTF-8", 12},
	    {"writing direction", "a\xe2\x80\xae@b.org\n",
		"f:1: holds U+202E, a character that cannot be seen: type it anew", 0},
	    {"zero width space", "a@b.org\xe2\x80\x8b\n",
		"f:1: holds U+200B, a character that cannot be seen: type it anew", 0},
	    {"a byte order mark inside",
		"a@b.org\n\xef\xbb\xbf"
		"c@d.org\n",
		"f:2: holds U+FEFF, a character that cannot be seen: type it anew", 0},
	    {"not a domain", "@-m\xc3\xbcnchen.example\n",
		"f:1: '@-m\xc3\xbcnchen.example' is no domain; " RIGHT, 0},
	    {"blank in a domain", "@m\xc3\xbcn chen.example\n",
		"f:1: '@m\xc3\xbcn chen.example' is no domain; " RIGHT, 0},
	    {"no letter", "@\xe2\x98\x83.example\n",
		"f:1: '@\xe2\x98\x83.example' is no domain; " RIGHT, 0},
	    {"an empty label",
		"@b\xc3\xbc"
		"cher..example\n",
		"f:1: '@b\xc3\xbc"
		"cher..example' is no domain; " RIGHT,
		0},
	    {"a label of 64 bytes",
		"@\xc3\xbcxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example\n",
		"f:1: '@\xc3\xbcxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is no "
		"domain; " RIGHT,
		0},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct list *list = NULL;
		struct err err = {""};
		size_t len = rows[i].len == 0 ? strlen(rows[i].text) : rows[i].len;
		enum rc rc =
		    list_parse(LIST_ALLOW, "f", rows[i].text, len, NULL, NULL, &list, &err);
		failed += unit_str(rows[i].label, err.text, rows[i].want);
		failed += unit_num(rows[i].label, rc, rows[i].want[0] == '\0' ? RC_OK : RC_PERM);
		if (rc == RC_OK)
			failed +=
			    unit_str(rows[i].label, or_none(match(list, "a@b.org")), "a@b.org");
		list_free(&list);
	}
	assert_int_equal(failed, 0);
}

/* ---- the table ---- */

/* Every entry is found and nothing else, at every size around those at which the table grows. */
static void test_sizes(void **state)
{
	int failed = 0;
	(void)state;
	GString *text = g_string_new(NULL);
	for (int n = 0; n <= 300; n++) {
		struct list *list = parse(text->str);
		failed += unit_num("count", (long long)list_count(list), n);
		for (int i = 0; i < n; i++) {
			char key[40], other[40];
			snprintf(key, sizeof(key), "u%d@example.org", i);
			snprintf(other, sizeof(other), "v%d@example.org", i);
			failed += unit_str(key, or_none(match(list, key)), key);
			failed += unit_str(other, or_none(match(list, other)), "(none)");
		}
		list_free(&list);
		g_string_append_printf(text, "u%d@example.org\n", n);
	}
	g_string_free(text, TRUE);
	assert_int_equal(failed, 0);
}

static double lookups(const struct list *list)
{
	gint64 start = g_get_monotonic_time();
	for (int i = 0; i < 2000; i++) {
		char key[40];
		snprintf(key, sizeof(key), "u%d@a.b.c.example.org", i);
		(void)match(list, key);
	}
	return (double)(g_get_monotonic_time() - start);
}

/* A lookup among 100,000 entries takes as long as among ten, or the machine would have to be busy
 * in each of twenty turns. (tests/bench/lists.c gives the figures.) */
static void test_time(void **state)
{
	double least = 1e9;
	(void)state;
	GString *text = g_string_new(NULL);
	for (int i = 0; i < 10; i++)
		g_string_append_printf(text, "u%d@example.org\n", i);
	struct list *small = parse(text->str);
	for (int i = 10; i < LIST_ENTRIES_MAX; i++)
		g_string_append_printf(text, "u%d@example.org\n", i);
	struct list *large = parse(text->str);
	for (int i = 0; i < 20; i++) {
		double t = lookups(small);
		least = MIN(least, lookups(large) / MAX(t, 1));
	}
	list_free(&small);
	list_free(&large);
	g_string_free(text, TRUE);
	assert_true(least < 4);
}

/* What list_bytes says of a long list is what the list needs, and no more than some times the file. */
static void test_memory(void **state)
{
	int failed = 0;
	(void)state;
	GString *text = g_string_new(NULL);
	for (int i = 0; i < 5000; i++)
		g_string_append_printf(text, "u%d@example.org\n", i);
	struct list *list = parse(text->str);
	failed += unit_num("not less than the text", list_bytes(list) >= text->len, 1);
	failed += unit_num("five times the text", list_bytes(list) <= 5 * text->len, 1);
	list_free(&list);
	/* Lines of one key do not pile up, with or without classes. */
	g_string_truncate(text, 0);
	for (int i = 0; i < 5000; i++)
		g_string_append_printf(
		    text, "a@b.org: %s\n", class_name((enum class)(i % CLASS_COUNT)));
	list = parse(text->str);
	failed += unit_num("one entry", (long long)list_count(list), 1);
	failed += unit_num("small", list_bytes(list) < 2000, 1);
	list_free(&list);
	g_string_free(text, TRUE);
	failed += unit_num("no list", (long long)list_bytes(NULL), 0);
	assert_int_equal(failed, 0);
}

static void test_edit_classes(void **state)
{
	static const struct {
		const char *label, *text, *entry;
		enum list_change change;
		const char *want; /* NULL: not changed */
	} rows[] = {
	    {"add", "", "News@b.org : Newsletter", LIST_ADD, "news@b.org: newsletter\n"},
	    {"add to CRLF", "a@b.org\r\n", "c@d.org: personal", LIST_ADD,
		"a@b.org\r\nc@d.org: personal\r\n"},
	    {"add a second class", "a@b.org: newsletter\n", "a@b.org: notification", LIST_ADD,
		"a@b.org: newsletter\na@b.org: notification\n"},
	    {"add what is there", "a@b.org: newsletter, personal # x\n", "a@b.org: personal",
		LIST_ADD, NULL},
	    {"add what two lines give", "a@b.org: newsletter\na@b.org: personal\n",
		"a@b.org: personal, newsletter", LIST_ADD, NULL},
	    {"classes for plain", "# 1\n A@b.org  # the shop\nc@d.org\n", "a@b.org: newsletter",
		LIST_ADD, "# 1\n A@b.org: newsletter  # the shop\nc@d.org\n"},
	    {"plain for classes", "a@b.org : newsletter # x\na@b.org: personal\n", "a@b.org",
		LIST_ADD, "a@b.org # x\n"},
	    {"plain is there too", "a@b.org # x\na@b.org: personal\n", "a@b.org", LIST_ADD,
		"a@b.org # x\n"},
	    {"remove plain: all of the key", "a@b.org: newsletter\nA@b.org\n@b.org: newsletter\n",
		"a@b.org", LIST_REMOVE, "@b.org: newsletter\n"},
	    {"remove a class", "a@b.org: newsletter, personal # x\na@b.org: newsletter\n",
		"a@b.org: newsletter", LIST_REMOVE, "a@b.org: personal # x\n"},
	    {"remove the last class", "a@b.org: newsletter\n# y\n", "a@b.org: newsletter, personal",
		LIST_REMOVE, "# y\n"},
	    {"remove a class: plain stays", "a@b.org\n", "a@b.org: newsletter", LIST_REMOVE, NULL},
	    {"overrule: plain goes", "a@b.org # x\nc@d.org\n", "a@b.org: newsletter", LIST_OVERRULE,
		"c@d.org\n"},
	    {"overrule: other classes stay", "a@b.org: newsletter, personal\n",
		"a@b.org: newsletter", LIST_OVERRULE, "a@b.org: personal\n"},
	    {"overrule plainly", "a@b.org: personal\n", "a@b.org", LIST_OVERRULE, ""},
	    {"overrule what is not there", "@b.org\n", "a@b.org", LIST_OVERRULE, NULL},
	    {"what nobody can hold is removed", "a@b.org: security\n", "a@b.org: security",
		LIST_REMOVE, ""},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = {""};
		char *text = NULL;
		bool changed = false;
		const char *want = rows[i].want == NULL ? rows[i].text : rows[i].want;
		failed += unit_num(rows[i].label,
		    list_edit(LIST_HOLD, rows[i].text, rows[i].entry, rows[i].change, &text,
			&changed, &err),
		    RC_OK);
		failed += unit_str(rows[i].label, text, want);
		failed += unit_num(rows[i].label, changed, rows[i].want != NULL);
		g_free(text);
	}
	assert_int_equal(failed, 0);
}

/* ---- random lists ---- */

static const char *const keys[] = {"a@b.org", "@b.org", "@.b.org", "list:x.b.org", "c@b.org"};

static char *random_entry(GRand *r)
{
	char classes[100] = "";
	for (int i = g_rand_int_range(r, 0, 3); i > 0; i--) {
		const char *name = class_name((enum class)g_rand_int_range(r, 0, 5));
		size_t used = strlen(classes);
		snprintf(
		    classes + used, sizeof(classes) - used, "%s%s", used == 0 ? ": " : ", ", name);
	}
	return g_strconcat(keys[g_rand_int_range(r, 0, G_N_ELEMENTS(keys))], classes, NULL);
}

static char *random_list(GRand *r)
{
	static const char *const noise[] = {"", "# a@b.org", "nonsense", "\t", "z@z.org # z"};
	const char *newline = g_rand_boolean(r) ? "\n" : "\r\n";
	GString *text = g_string_new(NULL);
	for (int i = g_rand_int_range(r, 0, 8); i > 0; i--) {
		char *entry = random_entry(r);
		if (g_rand_boolean(r))
			g_string_append(text, noise[g_rand_int_range(r, 0, G_N_ELEMENTS(noise))]);
		else
			g_string_append_printf(text, "%s%s%s", g_rand_boolean(r) ? "" : "  ", entry,
			    g_rand_boolean(r) ? "" : "  # why");
		g_string_append(text, i == 1 && g_rand_boolean(r) ? "" : newline);
		g_free(entry);
	}
	return g_string_free(text, FALSE);
}

/* The lines that do not begin with key, without their ends; and of which classes the key speaks. */
static char *others(const char *text, const char *key, unsigned *classes_out)
{
	GString *rest = g_string_new(NULL), *own = g_string_new(NULL);
	char **lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_strchomp(*line);
		const char *s = *line + strspn(*line, " ");
		size_t n = strlen(key);
		if (strncmp(s, key, n) == 0 && (s[n] == '\0' || s[n] == ':' || s[n] == ' '))
			g_string_append_printf(own, "%s\n", *line);
		else if (**line != '\0')
			g_string_append_printf(rest, "%s\n", *line);
	}
	struct list *list = parse(own->str);
	*classes_out = 0;
	for (unsigned cls = 0; cls < CLASS_COUNT; cls++) {
		struct list_match got = g_str_has_prefix(key, "list:")
		    ? list_match_list_id(list, key + 5, 1U << cls)
		    : list_match_addr(list, key[0] != '@' ? key : "q@b.org", 1U << cls);
		*classes_out |= got.classes;
	}
	list_free(&list);
	g_strfreev(lines);
	g_string_free(own, TRUE);
	return g_string_free(rest, FALSE);
}

/* What the key speaks of then; of a plain line only what removes it, or does not. */
static unsigned expect_classes(enum list_change change, unsigned old, unsigned wanted)
{
	if (wanted == LIST_EVERY_CLASS)
		return change == LIST_ADD ? LIST_EVERY_CLASS : 0;
	if (old == LIST_EVERY_CLASS)
		return old;
	return change == LIST_ADD ? old | wanted : old & ~wanted;
}

static void test_edit_random(void **state)
{
	int failed = 0;
	GRand *r = g_rand_new_with_seed(5);
	(void)state;
	for (int i = 0; i < 5000 && failed == 0; i++) {
		char *text = random_list(r), *entry = random_entry(r), *new = NULL;
		enum list_change change = (enum list_change)g_rand_int_range(r, 0, 3);
		bool changed = false;
		unsigned before, after, wanted;
		char *key = g_strdup(entry), *colon = strstr(key, ": ");
		if (colon != NULL)
			*colon = '\0';
		char *rest = others(text, key, &before), *none = others(entry, key, &wanted);
		assert_int_equal(
		    list_edit(LIST_HOLD, text, entry, change, &new, &changed, NULL), RC_OK);
		char *new_rest = others(new, key, &after);
		failed += unit_str("other lines", new_rest, rest);
		if (before != LIST_EVERY_CLASS || wanted == LIST_EVERY_CLASS ||
		    change == LIST_REMOVE)
			failed +=
			    unit_num("classes", after, expect_classes(change, before, wanted));
		else /* without the plain line, what stood beside it counts */
			failed +=
			    unit_num("classes", after & wanted, change == LIST_ADD ? wanted : 0);
		failed += unit_num("changed", changed, strcmp(text, new) != 0);
		if (failed != 0)
			fprintf(stderr, "%d %s\n---\n%s\n---\n%s\n", change, entry, text, new);
		g_free(new_rest);
		g_free(none);
		g_free(rest);
		g_free(key);
		g_free(new);
		g_free(entry);
		g_free(text);
	}
	g_rand_free(r);
	assert_int_equal(failed, 0);
}

/* An edit never makes a list that cannot be read. */
static void test_edit_limits(void **state)
{
	char *text = NULL;
	bool changed = false;
	struct err err = {""};
	int failed = 0;
	(void)state;
	GString *full = g_string_new(NULL);
	for (int i = 0; i < LIST_ENTRIES_MAX; i++)
		g_string_append_printf(full, "u%d@b.org\n", i);
	failed += unit_num("one too many",
	    list_edit(LIST_ALLOW, full->str, "a@b.org", LIST_ADD, &text, &changed, &err), RC_PERM);
	failed +=
	    unit_str("one too many", err.text, "the list would have more than 100000 entries");
	assert_null(text);
	failed += unit_num("one that is there",
	    list_edit(LIST_ALLOW, full->str, "u7@b.org", LIST_ADD, &text, &changed, &err), RC_OK);
	g_free(text);
	failed += unit_num("one less",
	    list_edit(LIST_ALLOW, full->str, "u7@b.org", LIST_REMOVE, &text, &changed, &err),
	    RC_OK);
	g_free(text);
	failed += unit_num("what nobody can hold",
	    list_edit(LIST_HOLD, "", "a@b.org: bounce", LIST_ADD, &text, &changed, &err), RC_PERM);
	failed += unit_num("a comment",
	    list_edit(LIST_HOLD, "", "a@b.org # mine", LIST_ADD, &text, &changed, &err), RC_PERM);
	failed += unit_str("a comment", err.text, "'a@b.org # mine': '#' would start a comment");
	failed += unit_num("what would be a comment",
	    list_edit(LIST_HOLD, "", "\"#a\"@b.org", LIST_ADD, &text, &changed, &err), RC_PERM);
	g_string_free(full, TRUE);
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
	    cmocka_unit_test(test_classes),
	    cmocka_unit_test(test_bad_classes),
	    cmocka_unit_test(test_international),
	    cmocka_unit_test(test_characters),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_memory),
	    cmocka_unit_test(test_edit_classes),
	    cmocka_unit_test(test_edit_random),
	    cmocka_unit_test(test_edit_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
