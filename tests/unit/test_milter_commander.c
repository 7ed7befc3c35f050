/*
 * test_milter_commander.c: who may command, and every way in which somebody else might try.
 */
#include <config.h>

#include "unit.h"

#include <glib.h>

#include "milter/commander.h"

static const char *const trusted[] = {"mx.example.org", NULL};

static struct users *users;
static struct settings defaults;

static struct {
	bool answers;
	enum auth_spf result;
	int asked;
} world;

static bool spf(void *ctx, const struct auth_spf_query *query, enum auth_spf *result_out)
{
	assert_ptr_equal(ctx, &world);
	assert_string_equal(query->client_ip, "192.0.2.1");
	assert_string_equal(query->helo, "client.example");
	assert_string_not_equal(query->envelope_from, "");
	world.asked++;
	if (world.answers)
		*result_out = world.result;
	return world.answers;
}

static const struct asker asker = {.ctx = &world, .spf = spf};

static int setup(void **state)
{
	const struct users_config config = {
	    .settings_dir = "/nonexistent/%d/%u",
	    .participants = "/nonexistent/participants",
	    .delimiters = "+",
	    .defaults = &defaults,
	};
	(void)state;
	return users_new(&config, &users, NULL) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	users_free(&users);
	return 0;
}

enum site { CHECKED = 0, UNCHECKED = 1, NO_SPF = 2, NO_IP = 4 };

/* Fields: each "Name: body", separated by "|". Returns "login ann@example.org", "aligned ...", or
 * "none". */
static char *right(const char *login, const char *mail_from, const char *fields, int site)
{
	static char domain[] = "sys.example", host[] = "example.org";
	char *domains[] = {domain, NULL};
	const struct conf conf = {
	    .command_login_check = (site & UNCHECKED) == 0,
	    .system_domains = domains,
	    .host = host,
	};
	struct facts *facts = facts_new();
	char **lines = g_strsplit(fields, "|", -1);
	char user[ADDR_MAX];
	facts_envelope_from(facts, mail_from);
	for (char **line = lines; *line != NULL && **line != '\0'; line++) {
		char *colon = strchr(*line, ':');
		*colon = '\0';
		facts_header(facts, *line, colon + 1);
	}
	facts_end(facts);
	const struct decide_message message = {
	    .facts = facts,
	    .authenticated = login[0] != '\0',
	    .authserv_ids = trusted,
	    .spf = (site & NO_SPF) == 0,
	    .client_ip = (site & NO_IP) == 0 ? "192.0.2.1" : "",
	    .helo = "client.example",
	};
	const struct commander_question question = {
	    .message = &message,
	    .conf = &conf,
	    .users = users,
	    .login = login,
	    .mail_from = mail_from,
	};
	enum commander by = COMMANDER_NONE;
	if (commander_user(&question, user))
		by = commander_right(&question, &asker, user);
	g_strfreev(lines);
	facts_free(&facts);
	return by == COMMANDER_NONE ? g_strdup("none")
				    : g_strdup_printf("%s %s", commander_name(by), user);
}

#define ANN   "From: Ann <ann@example.org>|"
#define LOGIN "login ann@example.org"

static void test_login(void **state)
{
	static const struct {
		const char *label, *login, *mail_from, *fields, *want;
		int site;
	} rows[] = {
	    {"Ann", "ann@example.org", "<ann@example.org>", ANN, LOGIN, 0},
	    {"in capitals", "Ann@Example.ORG", "<ANN@example.org>", ANN, LOGIN, 0},
	    {"local part at our host", "ann", "<ann@example.org>", ANN, LOGIN, 0},
	    {"local part in a system domain", "eve", "<eve@sys.example>", "From: eve@sys.example|",
		"login eve@sys.example", 0},
	    {"local part elsewhere", "eve", "<eve@elsewhere.example>",
		"From: eve@elsewhere.example|", "none", 0},
	    {"From with extension", "ann@example.org", "<ann+x@example.org>",
		"From: ann+y@example.org|", LOGIN, 0},
	    {"auto-submitted no", "ann", "<ann@example.org>", ANN "Auto-Submitted: no|", LOGIN, 0},
	    {"Bob with From: Ann", "bob@example.org", "<bob@example.org>", ANN, "none", 0},
	    {"Bob with both Ann's", "bob@example.org", "<ann@example.org>", ANN, "none", 0},
	    {"Bob by local part", "bob", "<ann@example.org>", ANN, "none", 0},
	    {"Ann elsewhere", "ann@elsewhere.example", "<ann@example.org>", ANN, "none", 0},
	    {"login with extension", "ann+x@example.org", "<ann@example.org>", ANN, "none", 0},
	    {"strange login", "ann@example.org,bob@example.org", "<ann@example.org>", ANN, "none",
		0},
	    {"strange local part", "ann\" x", "<ann@example.org>", ANN, "none", 0},
	    {"envelope of Bob", "ann@example.org", "<bob@example.org>", ANN, "none", 0},
	    {"null sender", "ann@example.org", "<>", ANN, "none", 0},
	    {"unchecked login", "uid4711", "<ann@example.org>", ANN, LOGIN, UNCHECKED},
	    {"unchecked, envelope of Bob", "uid4711", "<bob@example.org>", ANN, "none", UNCHECKED},
	    {"a pass of one's own writing", "bob@example.org", "<ann@example.org>",
		ANN "Authentication-Results: mx.example.org; dmarc=pass header.from=example.org|",
		"none", 0},
	};
	int failed = 0;
	(void)state;
	world.asked = 0;
	world.answers = true;
	world.result = AUTH_SPF_PASS;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *got = right(rows[i].login, rows[i].mail_from, rows[i].fields, rows[i].site);
		failed += unit_str(rows[i].label, got, rows[i].want);
		g_free(got);
	}
	failed += unit_num("questions", world.asked, 0);
	assert_int_equal(failed, 0);
}

#define RESULTS "Authentication-Results: mx.example.org; "
#define ALIGNED "aligned ann@example.org"

static void test_aligned(void **state)
{
	static const struct {
		const char *label, *mail_from, *fields;
		int spf; /* -1: no answer; -2: it must not be asked */
		const char *want;
		int site;
	} rows[] = {
	    {"DMARC", "<ann@example.org>", ANN RESULTS "dmarc=pass header.from=example.org|", -2,
		ALIGNED, 0},
	    {"DKIM", "<ann@example.org>", ANN RESULTS "dkim=pass header.d=example.org|", -2,
		ALIGNED, 0},
	    {"SPF by results", "<ann@example.org>",
		ANN RESULTS "spf=pass smtp.mailfrom=ann@example.org|", -2, ALIGNED, 0},
	    {"SPF by results, extension", "<ann+x@example.org>",
		ANN RESULTS "spf=pass smtp.mailfrom=ann+x@example.org|", -2, ALIGNED, 0},
	    {"SPF by results, of a neighbour", "<web@example.org>",
		ANN RESULTS "spf=pass smtp.mailfrom=web@example.org|", -2, "none", 0},
	    {"SPF by results, of another than the envelope says", "<web@example.org>",
		ANN RESULTS "spf=pass smtp.mailfrom=ann@example.org|", -2, "none", 0},
	    {"DMARC by a neighbour's SPF", "<web@example.org>",
		ANN RESULTS "dmarc=pass header.from=example.org; spf=pass "
			    "smtp.mailfrom=web@example.org|",
		-2, "none", 0},
	    {"DMARC of a neighbour, DKIM of another domain", "<web@example.org>",
		ANN RESULTS "dmarc=pass header.from=example.org; dkim=pass header.d=evil.example|",
		-2, "none", 0},
	    {"DMARC of a neighbour, DKIM fails", "<web@example.org>",
		ANN RESULTS "dmarc=pass header.from=example.org; dkim=fail header.d=example.org|",
		-2, "none", 0},
	    {"DMARC and DKIM of a neighbour's envelope", "<web@example.org>",
		ANN RESULTS "dmarc=pass header.from=example.org; dkim=pass header.d=example.org|",
		-2, ALIGNED, 0},
	    {"DKIM of a forwarder's envelope", "<x@forwarder.example>",
		ANN RESULTS "dkim=pass header.d=example.org; spf=pass "
			    "smtp.mailfrom=x@forwarder.example|",
		-2, ALIGNED, 0},
	    {"DKIM of another domain", "<ann@example.org>",
		ANN RESULTS "dkim=pass header.d=evil.example|", AUTH_SPF_FAIL, "none", 0},
	    {"SPF of another domain", "<x@evil.example>",
		ANN RESULTS "spf=pass smtp.mailfrom=x@evil.example|", -2, "none", 0},
	    {"DMARC of another domain", "<x@evil.example>",
		ANN RESULTS "dmarc=pass header.from=evil.example|", -2, "none", 0},
	    {"of a domain below", "<ann@example.org>",
		ANN RESULTS "dkim=pass header.d=sub.example.org|", -2, "none", 0},
	    {"DMARC fail", "<ann@example.org>", ANN RESULTS "dmarc=fail header.from=example.org|",
		-2, "none", 0},
	    {"softfail by results", "<ann@example.org>",
		ANN RESULTS "spf=softfail smtp.mailfrom=ann@example.org|", -2, "none", 0},
	    {"neutral by results", "<ann@example.org>",
		ANN RESULTS "spf=neutral smtp.mailfrom=ann@example.org|", -2, "none", 0},
	    {"results of a stranger", "<ann@example.org>",
		ANN "Authentication-Results: evil.example; dmarc=pass header.from=example.org|",
		AUTH_SPF_FAIL, "none", 0},
	    {"SPF pass", "<ann@example.org>", ANN, AUTH_SPF_PASS, ALIGNED, 0},
	    {"SPF pass, extension", "<ann+x@example.org>", ANN, AUTH_SPF_PASS, ALIGNED, 0},
	    {"SPF fail", "<ann@example.org>", ANN, AUTH_SPF_FAIL, "none", 0},
	    {"SPF softfail", "<ann@example.org>", ANN, AUTH_SPF_SOFTFAIL, "none", 0},
	    {"SPF neutral", "<ann@example.org>", ANN, AUTH_SPF_NEUTRAL, "none", 0},
	    {"SPF none", "<ann@example.org>", ANN, AUTH_SPF_NONE, "none", 0},
	    {"SPF temperror", "<ann@example.org>", ANN, AUTH_SPF_TEMPERROR, "none", 0},
	    {"SPF permerror", "<ann@example.org>", ANN, AUTH_SPF_PERMERROR, "none", 0},
	    {"no answer", "<ann@example.org>", ANN, -1, "none", 0},
	    {"SPF pass of another domain", "<x@evil.example>", ANN, -2, "none", 0},
	    {"SPF pass of a neighbour", "<web@example.org>", ANN, -2, "none", 0},
	    {"SPF not wanted", "<ann@example.org>", ANN, -2, "none", NO_SPF},
	    {"no client address", "<ann@example.org>", ANN, -2, "none", NO_IP},
	    {"null sender", "<>", ANN RESULTS "dmarc=pass header.from=example.org|", -2, "none", 0},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		world.asked = 0;
		world.answers = rows[i].spf >= 0;
		world.result = (enum auth_spf)MAX(rows[i].spf, 0);
		char *got = right("", rows[i].mail_from, rows[i].fields, rows[i].site);
		failed += unit_str(rows[i].label, got, rows[i].want);
		failed += unit_num(rows[i].label, world.asked, rows[i].spf != -2);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

/* What is no command whoever sent it. */
static void test_never(void **state)
{
	static const char *const rows[] = {
	    "",
	    "Subject: no From|",
	    "From: Ann|",
	    "From: Ann <ann@example.org>, Bob <bob@example.org>|",
	    "From: Bob <bob@example.org>, Ann <ann@example.org>|",
	    ANN "From: Bob <bob@example.org>|",
	    ANN ANN,
	    ANN "Subject: a|Subject: b|",
	    ANN "Auto-Submitted: auto-replied|",
	    ANN "Auto-Submitted: auto-generated (vacation)|",
	    ANN "Precedence: bulk|",
	    ANN "Precedence: List|",
	    ANN "Precedence: junk|",
	    ANN "precedence: auto_reply|",
	    ANN "List-Id: <l.example.org>|",
	    ANN "List-Post: NO|",
	    ANN "List-Unsubscribe: <mailto:x@example.org>|",
	    ANN "LIST-HELP: |",
	    ANN "X-Auto-Response-Suppress: All|",
	    ANN "X-Autoreply: yes|",
	    ANN "X-Autorespond: |",
	    ANN "Content-Type: multipart/report; report-type=delivery-status|",
	    ANN "X-Pullyu-Digest: v1; 00|",
	};
	int failed = 0;
	(void)state;
	world.answers = true;
	world.result = AUTH_SPF_PASS;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *got = right("ann@example.org", "<ann@example.org>", rows[i], 0);
		failed += unit_str(rows[i], got, "none");
		g_free(got);
		got = right("", "<ann@example.org>", rows[i], 0);
		failed += unit_str(rows[i], got, "none");
		g_free(got);
	}
	/* So many fields that the second From is not looked at. */
	GString *many = g_string_new(ANN);
	for (int i = 0; i < FACTS_FIELDS_MAX; i++)
		g_string_append(many, "X: y|");
	g_string_append(many, "From: bob@example.org|");
	char *got = right("ann@example.org", "<ann@example.org>", many->str, 0);
	failed += unit_str("many fields", got, "none");
	g_free(got);
	g_string_free(many, TRUE);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_login),
	    cmocka_unit_test(test_aligned),
	    cmocka_unit_test(test_never),
	};
	return cmocka_run_group_tests_name("milter_commander", tests, setup, teardown);
}
