/*
 * test_conf_table.c: option tables, pullyu.conf and settings.ini.
 */
#include <config.h>

#include "conf/conf.h"

#include <stdbool.h>
#include <stdlib.h>

#include <glib.h>

#include "base/log.h"
#include "conf/zone.h"
#include "unit.h"

static void test_defaults(void **state)
{
	struct conf *conf = NULL;
	struct err err = {""};
	int failed = 0;
	(void)state;
	failed += unit_num("load", conf_load(NULL, NULL, NULL, &conf, &err), RC_OK);
	failed += unit_str("load", err.text, "");
	failed += unit_str("socket", conf->socket, "unix:/var/spool/postfix/pullyu/milter.sock");
	failed += unit_num("socket_mode", conf->socket_mode, 0660);
	failed += unit_num("ask_timeout", conf->ask_timeout, 2000);
	failed += unit_num("hold_max_size", conf->hold_max_size, 25 * 1024 * 1024);
	failed += unit_num("submit_port", conf->submit_port, 10026);
	failed += unit_num("max_hold", conf->max_hold, 7 * 86400);
	failed += unit_num("known_expire", conf->known_expire, 730 * 86400);
	failed += unit_num("log_level", conf->log_level, LOG_LEVEL_INFO);
	failed += unit_num("times", (long long)conf->defaults.times.n, 2);
	failed += unit_num("times", conf->defaults.times.slots[1].minute, 17 * 60 + 30);
	failed += unit_str("class", conf->defaults.classes[1], "notification");
	failed += unit_num("host", conf->host != NULL && conf->host[0] != '\0', 1);
	char *from = g_strdup_printf("Pullyu <pullyu@%s>", conf->host);
	failed += unit_str("from", conf->from, from);
	g_free(from);
	failed += unit_num("reply_to", conf->reply_to == NULL, 1);
	failed += unit_str("command address", conf->command_address, "%u+pullyu@%d");
	failed += unit_num("login_check", conf->command_login_check, 1);
	failed += unit_num("timezone", conf->defaults.timezone != NULL, 1);
	struct conf *again = conf_ref(conf);
	conf_unref(&again);
	assert_null(again);
	conf_unref(&conf);
	assert_int_equal(failed, 0);
}

static char *dir;

static int setup(void **state)
{
	(void)state;
	dir = g_dir_make_tmp("pullyu-table-XXXXXX", NULL);
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

static char *put(const char *name, const char *text)
{
	char *path = g_build_filename(dir, name, NULL);
	assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static void collect(void *ctx, const char *file, int line, const char *text)
{
	(void)file;
	g_string_append_printf(ctx, "%d:%s|", line, text);
}

/* Every type of value: what it takes. The field's value as text. */
struct all {
	char *string, *path, *template, *socket, *address, *mailbox, *command, *zone, *language,
	    *domain;
	char *optional;
	int64_t number, mode, size, duration, msec;
	bool yes;
	int choice;
	char **choices, **words, **domains;
	struct times times;
};

#define ROW(type, field, min, max, choices) \
	{ \
		"s", #field, type, offsetof(struct all, field), min, max, choices, "", "" \
	}
static const struct conf_option all_table[] = {
    ROW(CONF_STRING, string, 2, 5, NULL),
    ROW(CONF_PATH, path, 1, 50, NULL),
    ROW(CONF_TEMPLATE, template, 1, 50, NULL),
    ROW(CONF_SOCKET, socket, 1, 300, NULL),
    ROW(CONF_ADDRESS, address, 1, 50, NULL),
    ROW(CONF_MAILBOX, mailbox, 1, 50, NULL),
    ROW(CONF_COMMAND, command, 1, 320, NULL),
    ROW(CONF_ZONE, zone, 0, 0, NULL),
    ROW(CONF_LANGUAGE, language, 0, 0, NULL),
    ROW(CONF_DOMAIN, domain, 1, 253, NULL),
    {"s", "optional", CONF_PATH, offsetof(struct all, optional), 1, 50, NULL, NULL, ""},
    ROW(CONF_NUMBER, number, 1, 65535, NULL),
    ROW(CONF_MODE, mode, 0, 0777, NULL),
    ROW(CONF_SIZE, size, 1024, 1024 * 1024 * 1024, NULL),
    ROW(CONF_DURATION, duration, 60, 604800, NULL),
    ROW(CONF_MSEC, msec, 10, 60000, NULL),
    ROW(CONF_BOOL, yes, 0, 0, NULL),
    ROW(CONF_CHOICE, choice, 0, 0, "red green blue"),
    ROW(CONF_CHOICES, choices, 0, 0, "red green blue"),
    ROW(CONF_WORDS, words, 0, 0, NULL),
    ROW(CONF_DOMAINS, domains, 0, 0, NULL),
    ROW(CONF_TIMES, times, 0, 0, NULL),
};

static char *shown(const struct conf_option *o, struct all *all)
{
	void *field = (char *)all + o->offset;
	char *joined, *text;
	switch (o->type) {
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_DURATION:
	case CONF_MSEC:
		return g_strdup_printf("%lld", (long long)*(int64_t *)field);
	case CONF_MODE:
		return g_strdup_printf("%04llo", (unsigned long long)*(int64_t *)field);
	case CONF_BOOL:
		return g_strdup(*(bool *)field ? "true" : "false");
	case CONF_CHOICE:
		return g_strdup_printf("%d", *(int *)field);
	case CONF_CHOICES:
	case CONF_WORDS:
	case CONF_DOMAINS:
		joined = g_strjoinv("|", *(char ***)field);
		text = g_strdup_printf("<%s>", joined);
		g_free(joined);
		return text;
	case CONF_TIMES:
		return g_strdup_printf("%zu", ((struct times *)field)->n);
	default:
		text = *(char **)field;
		return g_strdup(text == NULL ? "NULL" : text);
	}
}

#define L64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_values(void **state)
{
	static const struct {
		const char *key, *text, *want; /* want "!..." : a problem that begins so */
	} rows[] = {
	    {"string", "abc", "abc"},
	    {"string", "a", "!'a' must have 2 to 5 bytes"},
	    {"string", "abcdef", "!'abcdef' must have 2 to 5 bytes"},
	    {"string", "", "!the value is missing"},
	    {"string", "\"a;b\"", "a;b"},
	    {"path", "/a/b", "/a/b"},
	    {"path", "/a/b//", "/a/b"},
	    {"path", "/", "/"},
	    {"path", "a/b", "!'a/b' is no absolute path"},
	    {"path", "~/x", "!'~/x' is no absolute path"},
	    {"path", "", "!the value is missing"},
	    {"optional", "", "NULL"},
	    {"optional", "/x", "/x"},
	    {"optional", "x", "!'x' is no absolute path"},
	    {"template", "/s/%d/%u", "/s/%d/%u"},
	    {"template", "%h/.pullyu", "%h/.pullyu"},
	    {"template", "%h", "%h"},
	    {"template", "/s/%u", "!'/s/%u' needs %d and %u, or %h"},
	    {"template", "/s/%d", "!'/s/%d' needs %d and %u, or %h"},
	    {"template", "/s", "!'/s' needs %d and %u, or %h"},
	    {"template", "%d/%u", "!'%d/%u' must be an absolute path"},
	    {"template", "/s/%d/%u%", "!'/s/%d/%u%': %d is the domain"},
	    {"template", "/s/%d/%u/%s", "!'/s/%d/%u/%s': %d is the domain"},
	    {"template", "/s/%h/%d/%u", "!'/s/%h/%d/%u': %d is the domain"},
	    {"template", "%home/x", "!'%home/x' must be an absolute path"},
	    {"socket", "unix:/run/x", "unix:/run/x"},
	    {"socket", "local:/run/x", "local:/run/x"},
	    {"socket", "inet:8891@127.0.0.1", "inet:8891@127.0.0.1"},
	    {"socket", "inet6:8891@::1", "inet6:8891@::1"},
	    {"socket", "inet:8891", "inet:8891"},
	    {"socket", "unix:x", "!'unix:x': unix: wants an absolute path"},
	    {"socket", "unix:/" L64 L64, "!'unix:/xxx"},
	    {"socket", "inet:0@x", "!'inet:0@x' is no socket"},
	    {"socket", "inet:65536@x", "!'inet:65536@x' is no socket"},
	    {"socket", "inet:8891@", "!'inet:8891@' is no socket"},
	    {"socket", "/run/x", "!'/run/x' is no socket"},
	    {"socket", "127.0.0.1:8891", "!'127.0.0.1:8891' is no socket"},
	    {"command", "none", "none"},
	    {"command", "%u+pullyu@%d", "%u+pullyu@%d"},
	    {"command", "pullyu+%u@example.org", "pullyu+%u@example.org"},
	    {"command", "commands@example.org", "commands@example.org"},
	    {"command", "%u@%d", "!'%u@%d' is each user's own address"},
	    {"command", "%u+pullyu", "!'%u+pullyu' is no address for commands"},
	    {"command", "%u+%u@%d", "!'%u+%u@%d' is no address"},
	    {"command", "%h@%d", "!'%h@%d' is no address"},
	    {"command", "%u@%d%", "!'%u@%d%' is no address"},
	    {"command", "<%u+pullyu@%d>", "!'<%u+pullyu@%d>' is no address"},
	    {"command", "%u+j\xc3\xb6rg@%d", "!'%u+j\xc3\xb6rg@%d' is no address"},
	    {"address", "ann@example.org", "ann@example.org"},
	    {"address", "Postmaster", "Postmaster"},
	    {"address", "ann@", "!'ann@' is no address"},
	    {"address", "<ann@example.org>", "!'<ann@example.org>' is no address"},
	    {"address", "Ann <ann@example.org>", "!'Ann <ann@example.org>' is no address"},
	    {"address", "a b", "!'a b' is no address"},
	    {"mailbox", "Ann <ann@example.org>", "Ann <ann@example.org>"},
	    {"mailbox", "Zo\xc3\xab S. <zoe>", "Zo\xc3\xab S. <zoe>"},
	    {"mailbox", "ann@example.org", "ann@example.org"},
	    {"mailbox", "<ann@example.org>", "<ann@example.org>"},
	    {"mailbox", "Ann <ann@example.org", "!'Ann <ann@example.org' is no mailbox"},
	    {"mailbox", "Ann <ann> <bob>", "!'Ann <ann> <bob>' is no mailbox"},
	    {"mailbox", "A, B <ann>", "!'A, B <ann>' is no mailbox"},
	    {"mailbox", "Ann <>", "!'Ann <>' is no mailbox"},
	    {"mailbox", "\"Ann (x) <ann>\"", "!'Ann (x) <ann>' is no mailbox"},
	    {"zone", "Europe/Amsterdam", "Europe/Amsterdam"},
	    {"zone", "UTC", "UTC"},
	    {"zone", "Asia/Calcutta", "Asia/Calcutta"}, /* a link */
	    {"zone", "europe/amsterdam",
		"!'europe/amsterdam' is no time zone: did you mean Europe/Amsterdam?"},
	    {"zone", "Amsterdam", "!'Amsterdam' is no time zone that tzdata lists"},
	    {"zone", "CEST", "!'CEST' is no time zone that tzdata lists"},
	    {"zone", "../Europe/Amsterdam", "!'../Europe/Amsterdam' is no time zone"},
	    {"zone", "UTC+1", "!'UTC+1' is no time zone"},
	    {"language", "nl", "nl"},
	    {"language", "pt-BR", "pt-BR"},
	    {"language", "zh-Hant-TW", "zh-Hant-TW"},
	    {"language", "", "!'' is no language"},
	    {"language", "e", "!'e' is no language"},
	    {"language", "nl_NL.UTF-8", "!'nl_NL.UTF-8' is no language"},
	    {"language", "../nl", "!'../nl' is no language"},
	    {"language", "nl-", "!'nl-' is no language"},
	    {"language", "waytoolonglanguage", "!'waytoolonglanguage' is no language"},
	    {"domain", "Mail.Example.ORG", "mail.example.org"},
	    {"domain", "m\xc3\xbcnchen.example", "xn--mnchen-3ya.example"},
	    {"domain", "a b", "!no domain name: a b"},
	    {"domain", "a..b", "!no domain name: a..b"},
	    {"number", "1", "1"},
	    {"number", "65535", "65535"},
	    {"number", "0", "!'0' is no number from 1 to 65535"},
	    {"number", "65536", "!'65536' is no number from 1 to 65535"},
	    {"number", "12abc", "!'12abc' is no number from 1 to 65535"},
	    {"number", "010", "!'010' is no number from 1 to 65535"},
	    {"number", "0x10", "!'0x10' is no number"},
	    {"number", "-1", "!'-1' is no number"},
	    {"number", "+1", "!'+1' is no number"},
	    {"number", "1 0", "!'1 0' is no number"},
	    {"number", "1e3", "!'1e3' is no number"},
	    {"number", "99999999999999999999", "!'99999999999999999999' is no number"},
	    {"number", "", "!'' is no number"},
	    {"mode", "0660", "0660"},
	    {"mode", "660", "0660"},
	    {"mode", "0000", "0000"},
	    {"mode", "0999", "!'0999' is no file mode like 0660"},
	    {"mode", "1777", "!'1777' is no file mode like 0660"},
	    {"mode", "60", "!'60' is no file mode like 0660"},
	    {"mode", "rw-rw----", "!'rw-rw----' is no file mode like 0660"},
	    {"size", "1024", "1024"},
	    {"size", "25m", "26214400"},
	    {"size", "1K", "1024"},
	    {"size", "1g", "1073741824"},
	    {"size", "1023",
		"!'1023' is no size from 1k to 1g: a number of bytes, or with k, m or g"},
	    {"size", "2g", "!'2g' is no size"},
	    {"size", "25mb", "!'25mb' is no size"},
	    {"size", "1.5m", "!'1.5m' is no size"},
	    {"size", "010k", "!'010k' is no size"},
	    {"size", "25 m", "!'25 m' is no size"},
	    {"duration", "60", "60"},
	    {"duration", "5m", "300"},
	    {"duration", "1w", "604800"},
	    {"duration", "59s", "!'59s' is no time from 1m to 1w: a number with s, m, h, d or w"},
	    {"duration", "8d", "!'8d' is no time from 1m to 1w"},
	    {"duration", "1y", "!'1y' is no time"},
	    {"duration", "1h30m", "!'1h30m' is no time"},
	    {"duration", "99999999999999999w", "!'99999999999999999w' is no time"},
	    {"msec", "2s", "2000"},
	    {"msec", "2", "2000"},
	    {"msec", "500ms", "500"},
	    {"msec", "1m", "60000"},
	    {"msec", "10ms", "10"},
	    {"msec", "9ms", "!'9ms' is no time from 10ms to 60s: a number with ms or s"},
	    {"msec", "0", "!'0' is no time"},
	    {"msec", "61s", "!'61s' is no time"},
	    {"msec", "ms", "!'ms' is no time"},
	    {"msec", "99999999999999999999999999999999999ms", "!'9999"},
	    {"yes", "yes", "true"},
	    {"yes", "ON", "true"},
	    {"yes", "0", "false"},
	    {"yes", "maybe", "!'maybe' is neither yes nor no"},
	    {"yes", "", "!'' is neither yes nor no"},
	    {"yes", "y", "!'y' is neither yes nor no"},
	    {"choice", "green", "1"},
	    {"choice", "Blue", "2"},
	    {"choice", "gre", "!'gre' is none of: red green blue"},
	    {"choice", "red green", "!'red green' is none of: red green blue"},
	    {"choice", "", "!'' is none of: red green blue"},
	    {"choices", "red, BLUE", "<red|blue>"},
	    {"choices", "red,red", "<red>"},
	    {"choices", "", "<>"},
	    {"choices", "red blue", "!'red blue' is none of: red green blue"},
	    {"choices", "red,", "!nothing stands between two commas"},
	    {"choices", ",", "!nothing stands between two commas"},
	    {"choices", "red, pink", "!'pink' is none of: red green blue"},
	    {"words", "a.b, c", "<a.b|c>"},
	    {"words", "a b", "!'a b': words are separated by commas"},
	    {"domains", "A.org, b.org", "<a.org|b.org>"},
	    {"domains", "@a.org", "!no domain name: @a.org"},
	    {"times", "Mon 08:00, Tue 09:00", "2"},
	    {"times", "noon", "!'noon' is neither a weekday nor a time of day"},
	};
	int failed = 0;
	size_t n = G_N_ELEMENTS(all_table);
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct all all = {0};
		struct ini *ini = NULL;
		struct err err = {""};
		GString *problems = g_string_new(NULL);
		const struct conf_option *o = all_table;
		while (strcmp(o->key, rows[i].key) != 0)
			o++;
		char *label = g_strdup_printf("%s = %s", rows[i].key, rows[i].text);
		char *text = g_strdup_printf("[s]\n%s\n", label);
		char *path = put("value.ini", text);
		assert_int_equal(ini_load(path, NULL, NULL, &ini, NULL), RC_OK);
		enum rc rc = conf_table_apply(all_table, n, ini, &all, collect, problems, &err);
		if (rows[i].want[0] == '!') {
			char *want = g_strdup_printf("2:[s] %s: %s", rows[i].key, rows[i].want + 1);
			failed += unit_num(label, rc, RC_PERM);
			g_string_truncate(problems, MIN(problems->len, strlen(want)));
			failed += unit_str(label, problems->str, want);
			g_free(want);
		} else {
			char *got = shown(o, &all);
			failed += unit_num(label, rc, RC_OK);
			failed += unit_str(label, problems->str, "");
			failed += unit_str(label, got, rows[i].want);
			g_free(got);
		}
		conf_table_clear(all_table, n, &all);
		ini_free(&ini);
		g_string_free(problems, TRUE);
		g_free(path);
		g_free(text);
		g_free(label);
	}
	assert_int_equal(failed, 0);
}

/* All problems are reported, and the target keeps what it had, whole. */
static void test_problems(void **state)
{
	struct conf *conf = NULL;
	struct err err = {""};
	GString *problems = g_string_new(NULL);
	int failed = 0;
	(void)state;
	char *path = put("pullyu.conf",
	    "[paths]\nspool = /x\nspol = /y\n[release]\n"
	    "submit_port = 12abc\nmax_size = 1m\n[typo]\na = 1\nb = 2\n"
	    "[nothing]\n[digest]\ntimes = 08:00\n");
	failed += unit_num("load", conf_load(path, collect, problems, &conf, &err), RC_PERM);
	failed += unit_str("problems", problems->str,
	    "8:[typo] is no section here; there are: [paths] [users] [milter] [release] [digest] "
	    "[command] [log] [known] [defaults]|"
	    "0:[nothing] is no section here; there are: [paths] [users] [milter] [release] "
	    "[digest] [command] [log] [known] [defaults]|"
	    "3:[paths] spol: no such key; there are: spool db rules control key|"
	    "5:[release] submit_port: '12abc' is no number from 1 to 65535|"
	    "6:[release] max_size: no such key here; it belongs in [digest]|"
	    "12:[digest] times: no such key here; it belongs in [defaults]|");
	failed += unit_num("err", g_str_has_suffix(err.text, " (and 5 more)"), 1);
	assert_null(conf);
	failed += unit_num("no function", conf_load(path, NULL, NULL, &conf, NULL), RC_PERM);
	g_string_free(problems, TRUE);
	g_free(path);
	path = g_build_filename(dir, "absent.conf", NULL);
	failed += unit_num("absent", conf_load(path, NULL, NULL, &conf, &err), RC_NOTFOUND);
	g_free(path);
	failed += unit_num("a directory", conf_load(dir, NULL, NULL, &conf, &err), RC_PERM);
	assert_int_equal(failed, 0);
}

static void test_conf(void **state)
{
	struct conf *conf = NULL;
	struct err err = {""};
	int failed = 0;
	(void)state;
	char *path = put("pullyu.conf",
	    "[paths]\nspool = /srv/pullyu/\n[users]\nsystem_domains = Host.Example, b.example\n"
	    "delimiters = +-\n[milter]\nsocket_mode = 0666\nask_timeout = 250ms\n"
	    "authserv_ids = mx.example, mx2.example\n[command]\naddress = none\n[digest]\nhost = "
	    "Mail.Example.ORG\n"
	    "from = Digest <digest>\nreply_to = help@example.net\n"
	    "[log]\nto = stderr\nlevel = debug\n"
	    "[defaults]\ntimezone = Asia/Tokyo\nclasses =\noriginals = inbox\n");
	failed += unit_num("load", conf_load(path, NULL, NULL, &conf, &err), RC_OK);
	failed += unit_str("load", err.text, "");
	failed += unit_str("file", conf->file, path);
	failed += unit_str("spool", conf->spool, "/srv/pullyu");
	failed += unit_str("system_domains", conf->system_domains[0], "host.example");
	failed += unit_str("delimiters", conf->delimiters, "+-");
	failed += unit_num("command address", conf->command_address == NULL, 1);
	failed += unit_num("socket_mode", conf->socket_mode, 0666);
	failed += unit_num("ask_timeout", conf->ask_timeout, 250);
	failed += unit_str("authserv_ids", conf->authserv_ids[1], "mx2.example");
	failed += unit_str("host", conf->host, "mail.example.org");
	failed += unit_str("from", conf->from, "Digest <digest@mail.example.org>");
	failed += unit_str("reply_to", conf->reply_to, "help@example.net");
	failed += unit_str("envelope_from", conf->envelope_from, "postmaster@mail.example.org");
	failed += unit_num("log_to", conf->log_to, 1);
	failed += unit_num("log_level", conf->log_level, LOG_LEVEL_DEBUG);
	failed += unit_str("timezone", conf->defaults.timezone, "Asia/Tokyo");
	failed += unit_num("classes", conf->defaults.classes[0] == NULL, 1);
	failed += unit_num("originals", conf->defaults.originals, ORIGINALS_INBOX);
	failed += unit_num("untouched", conf->submit_port, 10026);
	conf_unref(&conf);
	g_free(put("pullyu.conf", "[users]\ndelimiters = -+\n"));
	failed += unit_num("load", conf_load(path, NULL, NULL, &conf, &err), RC_OK);
	failed += unit_str("command address", conf->command_address, "%u-pullyu@%d");
	conf_unref(&conf);
	g_free(put("pullyu.conf", "[users]\ndelimiters =\n"));
	failed += unit_num("load", conf_load(path, NULL, NULL, &conf, &err), RC_OK);
	failed += unit_num("no extensions", conf->command_address == NULL, 1);
	conf_unref(&conf);
	g_free(path);
	assert_int_equal(failed, 0);
}

static void test_settings(void **state)
{
	struct conf *conf = NULL;
	struct settings settings, copy, untouched = {.originals = 42};
	struct stat st = {0};
	struct err err = {""};
	int failed = 0;
	(void)state;
	char *path = put("pullyu.conf", "[defaults]\ntimezone = Asia/Tokyo\nlanguage = de\n");
	assert_int_equal(conf_load(path, NULL, NULL, &conf, &err), RC_OK);
	g_free(path);
	/* As in the manual, with its aligned comment. */
	path = put("settings.ini",
	    "[digest]\n"
	    "times     = Mon-Fri 08:00 17:30, Sat Sun 10:00\n"
	    "originals = folder            ; attach | folder | inbox\n"
	    "language  = nl\n"
	    "[hold]\n"
	    "classes   = newsletter, discussion\n");
	failed += unit_num(
	    "load", settings_load(path, &conf->defaults, NULL, NULL, &settings, &st, &err), RC_OK);
	failed += unit_num("times", (long long)settings.times.n, 3);
	failed += unit_str("the site's zone", settings.timezone, "Asia/Tokyo");
	failed += unit_num("originals", settings.originals, ORIGINALS_FOLDER);
	failed += unit_str("language", settings.language, "nl");
	failed += unit_str("classes", settings.classes[1], "discussion");
	failed += unit_num("enabled", settings.enabled, 1);
	failed += unit_num("stat", st.st_size > 0, 1);
	settings_copy(&settings, &copy);
	settings_clear(&settings);
	failed += unit_num("cleared", settings.timezone == NULL && settings.classes == NULL, 1);
	failed += unit_str("copy", copy.language, "nl");
	failed += unit_str("copy", copy.classes[0], "newsletter");
	settings_clear(&copy);
	g_free(path);
	path = put("settings.ini", "[digest]\ntimezone =\n");
	failed += unit_num("empty zone",
	    settings_load(path, &conf->defaults, NULL, NULL, &settings, NULL, &err), RC_OK);
	failed += unit_str("empty zone", settings.timezone, "Asia/Tokyo");
	settings_clear(&settings);
	g_free(path);
	path = put("settings.ini", "[hold]\nclasses = newsletter, security\n");
	failed += unit_num("never to be held",
	    settings_load(path, &conf->defaults, NULL, NULL, &untouched, NULL, &err), RC_PERM);
	failed += unit_num("untouched", untouched.originals, 42);
	failed += unit_num("text",
	    strstr(err.text,
		":2: [hold] classes: 'security' is none of: "
		"newsletter notification discussion "
		"transactional") != NULL,
	    1);
	g_free(path);
	conf_unref(&conf);
	assert_int_equal(failed, 0);
}

static void test_zone(void **state)
{
	int failed = 0;
	(void)state;
	char *zone = zone_system();
	failed += unit_num("the system's zone is known", zone_known(zone), 1);
	g_free(zone);
	failed += unit_str("nearest", zone_nearest("AMERICA/new_york"), "America/New_York");
	failed += unit_num("none", zone_nearest("Nowhere") == NULL, 1);
	assert_int_equal(failed, 0);
}

/* Rows that no table may have: they would crash or lie at the first start. */
static void test_tables(void **state)
{
	const struct conf_option *const tables[] = {conf_table, settings_table};
	const size_t sizes[] = {conf_table_n, settings_table_n};
	int failed = 0;
	(void)state;
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < sizes[t]; i++) {
			const struct conf_option *o = &tables[t][i];
			failed += unit_num(o->key, o->help != NULL && o->help[0] != '\0', 1);
			failed += unit_num(o->key, o->min <= o->max, 1);
			for (size_t j = 0; j < i; j++)
				failed += unit_num(o->key,
				    strcmp(o->section, tables[t][j].section) == 0 &&
					strcmp(o->key, tables[t][j].key) == 0,
				    0);
		}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_problems),
	    cmocka_unit_test(test_conf),
	    cmocka_unit_test(test_settings),
	    cmocka_unit_test(test_zone),
	    cmocka_unit_test(test_tables),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
