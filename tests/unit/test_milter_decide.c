/*
 * test_milter_decide.c: which questions are asked for a message's recipients, how often, and what
 * follows from the answers. The policy itself has its own test.
 */
#include <config.h>

#include "unit.h"

#include <glib.h>

#include "milter/decide.h"

static const char *const trusted[] = {"mx.example.org", NULL};

/* What the asker answers, and what it was asked. */
static struct {
	const char *knows; /* the user who knows everybody; NULL: pullyud is down */
	bool spf_answers;
	enum auth_spf spf;
	bool again; /* what "once?" is answered with */
	int n_known, n_spf, n_once;
	size_t n_users, n_senders, n_refs;
	char senders[400];
} world;

static void known(void *ctx, const char *const *users, size_t n_users, const char *const *senders,
    size_t n_senders, const char *const *refs, size_t n_refs, enum policy_known *known_out)
{
	assert_ptr_equal(ctx, &world);
	world.n_known++;
	world.n_users = n_users;
	world.n_senders = n_senders;
	world.n_refs = n_refs;
	world.senders[0] = '\0';
	for (size_t i = 0; i < n_senders; i++) {
		g_strlcat(world.senders, senders[i], sizeof(world.senders));
		g_strlcat(world.senders, " ", sizeof(world.senders));
	}
	for (size_t i = 0; i < n_refs; i++)
		assert_non_null(refs[i]);
	for (size_t i = 0; i < n_users; i++) {
		if (world.knows == NULL)
			known_out[i] = POLICY_KNOWN_UNANSWERED;
		else
			known_out[i] =
			    strcmp(users[i], world.knows) == 0 ? POLICY_KNOWN_YES : POLICY_KNOWN_NO;
	}
}

static bool spf(void *ctx, const struct auth_spf_query *query, enum auth_spf *result_out)
{
	assert_ptr_equal(ctx, &world);
	assert_string_equal(query->client_ip, "192.0.2.1");
	assert_string_equal(query->helo, "client.example");
	world.n_spf++;
	if (world.spf_answers)
		*result_out = world.spf;
	return world.spf_answers;
}

static bool once(
    void *ctx, const char *user, const char *sender, const char *message_id, int64_t now)
{
	assert_ptr_equal(ctx, &world);
	assert_string_equal(user, "ann@example.org");
	assert_string_equal(sender, "news@shop.example");
	assert_string_equal(message_id, "");
	assert_int_equal(now, 1234);
	world.n_once++;
	return !world.again;
}

static const struct asker asker = {.ctx = &world, .known = known, .once = once, .spf = spf};

static const struct verdict newsletter = {.cls = CLASS_NEWSLETTER, .score = 9};
static const struct verdict personal = {.cls = CLASS_PERSONAL};

static struct list *list_of(const char *text)
{
	struct list *list = NULL;
	if (text != NULL)
		assert_int_equal(
		    list_parse(LIST_ALLOW, "test", text, strlen(text), NULL, NULL, &list, NULL),
		    RC_OK);
	return list;
}

static void add(struct decide_rcpt *rcpt, const char *name, const char *allow, const char *hold)
{
	memset(rcpt, 0, sizeof(*rcpt));
	rcpt->raw = g_strdup_printf("<%s>", name);
	g_strlcpy(rcpt->key, name, sizeof(rcpt->key));
	rcpt->user = g_new0(struct user, 1);
	rcpt->user->refs = 1;
	g_strlcpy(rcpt->user->name, name, sizeof(rcpt->user->name));
	rcpt->user->takes_part = rcpt->user->usable = true;
	rcpt->user->settings.enabled = true;
	rcpt->user->settings.classes = g_strsplit("newsletter,notification", ",", 0);
	rcpt->user->allow = list_of(allow);
	rcpt->user->hold = list_of(hold);
}

static struct facts *facts_of(const char *from, const char *sender, const char *results)
{
	struct facts *facts = facts_new();
	facts_envelope_from(facts, sender);
	facts_header(facts, "From", from);
	facts_header(facts, "List-Id", "<news.shop.example>");
	facts_header(facts, "References", "<a@x> <b@x>");
	if (results != NULL)
		facts_header(facts, "Authentication-Results", results);
	facts_end(facts);
	return facts;
}

static void forget(void)
{
	world.n_known = world.n_spf = world.n_once = 0;
	world.n_users = 0;
}

static void test_questions(void **state)
{
	static const char pass[] = "mx.example.org; dmarc=pass header.from=shop.example";
	static const char fail[] = "mx.example.org; dmarc=fail header.from=shop.example";
	static const char doubt[] =
	    "mx.example.org; spf=softfail smtp.mailfrom=bounce@shop.example";
	static const char untrusted[] = "mx.evil.example; dmarc=pass header.from=shop.example";
	static const struct {
		const char *label;
		const struct verdict *verdict;
		const char *allow, *hold, *results;
		bool login, no_ip, no_spf, spf_silent;
		enum auth_spf spf;
		const char *knows;
		bool want_hold;
		int want_known, want_spf;
	} rows[] = {
	    {"personal", &personal, .knows = "", .want_hold = false},
	    {"newsletter", &newsletter, .knows = "", .want_hold = true, .want_known = 1},
	    {"sender known", &newsletter, .knows = "ann@example.org", .want_known = 1},
	    {"pullyud down", &newsletter, .knows = NULL, .want_known = 1},
	    {"hold list", &personal, .hold = "@shop.example", .want_hold = true},
	    {"hold list, pullyud down", &newsletter, .hold = "@shop.example", .want_hold = true},
	    {"allowed, SPF pass", &newsletter, .allow = "@shop.example", .spf = AUTH_SPF_PASS,
		.want_spf = 1},
	    {"allowed, SPF fail", &newsletter, .allow = "@shop.example", .spf = AUTH_SPF_FAIL,
		.knows = "", .want_hold = true, .want_spf = 1, .want_known = 1},
	    {"allowed, SPF none", &newsletter, .allow = "@shop.example", .spf = AUTH_SPF_NONE,
		.want_spf = 1},
	    {"allowed, SPF not answered", &newsletter, .allow = "@shop.example", .spf_silent = true,
		.want_spf = 1},
	    {"allowed, SPF off", &newsletter, .allow = "@shop.example", .no_spf = true,
		.spf = AUTH_SPF_FAIL},
	    {"allowed, no address", &newsletter, .allow = "@shop.example", .no_ip = true,
		.spf = AUTH_SPF_FAIL},
	    {"allowed, logged in", &newsletter, .allow = "@shop.example", .login = true,
		.results = fail},
	    {"allowed, trusted pass", &newsletter, .allow = "@shop.example", .results = pass},
	    {"allowed, trusted fail", &newsletter, .allow = "@shop.example", .results = fail,
		.knows = "", .want_hold = true, .want_known = 1},
	    {"allowed, trusted doubt", &newsletter, .allow = "@shop.example", .results = doubt},
	    {"allowed, untrusted pass", &newsletter, .allow = "@shop.example", .results = untrusted,
		.spf = AUTH_SPF_FAIL, .knows = "", .want_hold = true, .want_spf = 1,
		.want_known = 1},
	    {"list allowed, pass", &newsletter, .allow = "list:news.shop.example", .results = pass},
	    {"list allowed, SPF pass", &newsletter, .allow = "list:news.shop.example",
		.spf = AUTH_SPF_PASS, .want_spf = 1},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct decide_rcpt rcpt;
		struct facts *facts =
		    facts_of("News <news@shop.example>", "<bounce@shop.example>", rows[i].results);
		const struct decide_message message = {
		    .facts = facts,
		    .verdict = rows[i].verdict,
		    .authenticated = rows[i].login,
		    .authserv_ids = trusted,
		    .spf = !rows[i].no_spf,
		    .client_ip = rows[i].no_ip ? "" : "192.0.2.1",
		    .helo = "client.example",
		};
		forget();
		world.knows = rows[i].knows;
		world.spf = rows[i].spf;
		world.spf_answers = !rows[i].spf_silent;
		add(&rcpt, "ann@example.org", rows[i].allow, rows[i].hold);
		size_t held = decide(&message, &asker, &rcpt, 1);
		failed += unit_num(rows[i].label, (long long)held, rows[i].want_hold);
		failed += unit_num(rows[i].label, rcpt.hold, rows[i].want_hold);
		failed += unit_num(rows[i].label, world.n_known, rows[i].want_known);
		failed += unit_num(rows[i].label, world.n_spf, rows[i].want_spf);
		failed += unit_num(rows[i].label, rcpt.why[0] != '\0', 1);
		decide_rcpt_clear(&rcpt);
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

/* A list that breaks the signature of its poster's domain, and whose own envelope passes. */
static void test_list_entry(void **state)
{
	static const char both[] =
	    "mx.example.org; dmarc=fail header.from=poster.example; spf=pass "
	    "smtp.mailfrom=bounce@lists.example";
	struct decide_rcpt rcpt;
	struct facts *facts = facts_of("Bob <bob@poster.example>", "<bounce@lists.example>", both);
	const struct decide_message message = {
	    .facts = facts,
	    .verdict = &newsletter,
	    .authserv_ids = trusted,
	    .client_ip = "",
	    .helo = "",
	};
	(void)state;
	forget();
	add(&rcpt, "ann@example.org", "list:news.shop.example", NULL);
	assert_int_equal(decide(&message, &asker, &rcpt, 1), 0);
	assert_int_equal(world.n_known, 0);
	decide_rcpt_clear(&rcpt);
	facts_free(&facts);
}

static void test_several(void **state)
{
	static const char must_pass[] = "the test says so";
	struct decide_rcpt rcpts[6];
	struct facts *facts = facts_of("News <news@shop.example>", "<bounce@shop.example>", NULL);
	const struct decide_message message = {
	    .facts = facts,
	    .verdict = &newsletter,
	    .authserv_ids = NULL,
	    .spf = true,
	    .client_ip = "192.0.2.1",
	    .helo = "client.example",
	};
	static const bool want[] = {true, false, false, true, false, false};
	int failed = 0;
	(void)state;
	forget();
	world.knows = "eve@example.org";
	world.spf = AUTH_SPF_PASS;
	world.spf_answers = true;
	add(&rcpts[0], "ann@example.org", NULL, NULL);
	add(&rcpts[1], "bob@example.org", "@shop.example", NULL);
	add(&rcpts[2], "carl@example.org", "news@shop.example", NULL);
	add(&rcpts[3], "dan@example.org", NULL, "@shop.example");
	add(&rcpts[4], "eve@example.org", NULL, NULL);
	add(&rcpts[5], "fay@example.org", NULL, "@shop.example");
	rcpts[5].must_pass = must_pass;
	failed += unit_num("held", (long long)decide(&message, &asker, rcpts, 6), 2);
	for (size_t i = 0; i < 6; i++)
		failed += unit_num(rcpts[i].key, rcpts[i].hold, want[i]);
	failed += unit_num("one question about SPF for all", world.n_spf, 1);
	failed += unit_num("one question about senders for all", world.n_known, 1);
	failed += unit_num("users in it", (long long)world.n_users, 2);
	failed += unit_num("references in it", (long long)world.n_refs, 2);
	failed +=
	    unit_str("senders in it", world.senders, "news@shop.example bounce@shop.example ");
	failed += unit_str("why", rcpts[5].why, must_pass);
	for (size_t i = 0; i < 6; i++)
		decide_rcpt_clear(&rcpts[i]);
	facts_free(&facts);
	assert_int_equal(failed, 0);
}

/* Requests to confirm a subscription: the first passes, the next goes the way of newsletters. */
static void test_once(void **state)
{
	static const struct verdict confirm = {.cls = CLASS_SECURITY, .score = 6.5, .once = true};
	static const struct {
		const char *label, *allow, *knows;
		bool again, want_hold;
		enum class want_class;
		int want_once, want_known;
	} rows[] = {
	    {"first", NULL, "", false, false, CLASS_SECURITY, 1, 0},
	    {"again", NULL, "", true, true, CLASS_NEWSLETTER, 1, 1},
	    {"again, of somebody known", NULL, "ann@example.org", true, false, CLASS_NEWSLETTER, 1,
		1},
	    {"again, allowed", "@shop.example", "", true, false, CLASS_NEWSLETTER, 1, 0},
	    {"again, pullyud down", NULL, NULL, true, false, CLASS_NEWSLETTER, 1, 1},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct decide_rcpt rcpt;
		struct facts *facts =
		    facts_of("News <news@shop.example>", "<bounce@shop.example>", NULL);
		const struct decide_message message = {
		    .facts = facts,
		    .verdict = &confirm,
		    .client_ip = "",
		    .helo = "",
		    .now = 1234,
		};
		forget();
		world.knows = rows[i].knows;
		world.again = rows[i].again;
		add(&rcpt, "ann@example.org", rows[i].allow, NULL);
		decide(&message, &asker, &rcpt, 1);
		failed += unit_num(rows[i].label, rcpt.hold, rows[i].want_hold);
		failed += unit_num(rows[i].label, rcpt.cls, rows[i].want_class);
		failed += unit_num(rows[i].label, world.n_once, rows[i].want_once);
		failed += unit_num(rows[i].label, world.n_known, rows[i].want_known);
		decide_rcpt_clear(&rcpt);
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

/* In shadow mode the same is asked and decided, and nobody is taken off. */
static void test_shadow(void **state)
{
	static const struct {
		const char *label;
		const struct verdict *verdict;
		const char *hold, *knows;
		bool live, want_hold, want_shadow;
		int want_known;
		const char *why;
	} rows[] = {
	    {"would be held", &newsletter, NULL, "", false, false, true, 1,
		"shadow: would be held: class newsletter is held"},
	    {"by the hold list", &personal, "@shop.example", "", false, false, true, 0,
		"shadow: would be held: hold list: @shop.example"},
	    {"known", &newsletter, NULL, "ann@example.org", false, false, false, 1,
		"correspondent, or a reply to the user"},
	    {"personal", &personal, NULL, "", false, false, false, 0, "class personal is not held"},
	    {"not in shadow mode", &newsletter, NULL, "", true, true, false, 1,
		"class newsletter is held"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct decide_rcpt rcpts[2];
		struct facts *facts =
		    facts_of("News <news@shop.example>", "<bounce@shop.example>", NULL);
		const struct decide_message message = {
		    .facts = facts, .verdict = rows[i].verdict, .client_ip = "", .helo = ""};
		forget();
		world.knows = rows[i].knows;
		add(&rcpts[0], "ann@example.org", NULL, rows[i].hold);
		rcpts[0].user->shadow = !rows[i].live;
		/* Beside him somebody who is not. */
		add(&rcpts[1], "dan@example.org", NULL, "@shop.example");
		failed += unit_num(rows[i].label, (long long)decide(&message, &asker, rcpts, 2),
		    1 + rows[i].want_hold);
		failed += unit_num(rows[i].label, rcpts[0].hold, rows[i].want_hold);
		failed += unit_num(rows[i].label, rcpts[0].shadow, rows[i].want_shadow);
		failed += unit_str(rows[i].label, rcpts[0].why, rows[i].why);
		failed += unit_num(rows[i].label, rcpts[1].hold && !rcpts[1].shadow, 1);
		failed += unit_num(rows[i].label, world.n_known, rows[i].want_known);
		decide_rcpt_clear(&rcpts[0]);
		decide_rcpt_clear(&rcpts[1]);
		facts_free(&facts);
	}
	assert_int_equal(failed, 0);
}

/* Recipients who take no part have no user; nothing is asked for them. */
static void test_nobody(void **state)
{
	struct decide_rcpt rcpts[2];
	struct facts *facts = facts_of("News <news@shop.example>", "<bounce@shop.example>", NULL);
	const struct decide_message message = {
	    .facts = facts,
	    .verdict = &newsletter,
	    .client_ip = "",
	    .helo = "",
	};
	(void)state;
	forget();
	memset(rcpts, 0, sizeof(rcpts));
	assert_int_equal(decide(&message, &asker, rcpts, 2), 0);
	assert_int_equal(decide(&message, &asker, rcpts, 0), 0);
	assert_int_equal(world.n_known + world.n_spf, 0);
	facts_free(&facts);
}

/* Whether a recipient is looked for at all. */
static void test_users(void **state)
{
	static const struct {
		const char *label, *before, *after;
		size_t len; /* of the bare address */
		const char *want;
	} rows[] = {
	    {"plain", "", "", 20, "takes no part"},
	    {"in brackets", "<", ">", 20, "takes no part"},
	    {"the longest", "", "", ADDR_MAX - 1, "takes no part"},
	    {"the longest in brackets", "<", ">", ADDR_MAX - 1, "takes no part"},
	    {"too long", "", "", ADDR_MAX, "not an address"},
	    {"too long in brackets", "<", ">", ADDR_MAX, "not an address"},
	    {"a source route", "<@a:", ">", 20, "a source route"},
	};
	struct settings defaults = {0};
	const struct users_config config = {
	    .settings_dir = "/nonexistent/%d/%u",
	    .participants = "/nonexistent/participants",
	    .delimiters = "+",
	    .defaults = &defaults,
	};
	struct users *users = NULL;
	int failed = 0;
	(void)state;
	assert_int_equal(users_new(&config, &users, NULL), RC_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		static const char head[] = "ann+", tail[] = "@b.example";
		GString *raw = g_string_new(rows[i].before);
		struct decide_rcpt rcpt = {.raw = NULL};
		g_string_append(raw, head);
		for (size_t n = strlen(head) + strlen(tail); n < rows[i].len; n++)
			g_string_append_c(raw, 'x');
		g_string_append(raw, tail);
		g_string_append(raw, rows[i].after);
		rcpt.raw = g_string_free(raw, FALSE);
		failed += unit_num(rows[i].label, (long long)decide_users(users, 0, &rcpt, 1), 0);
		failed += unit_str(rows[i].label, rcpt.why, rows[i].want);
		decide_rcpt_clear(&rcpt);
	}
	users_free(&users);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_questions),
	    cmocka_unit_test(test_list_entry),
	    cmocka_unit_test(test_several),
	    cmocka_unit_test(test_once),
	    cmocka_unit_test(test_shadow),
	    cmocka_unit_test(test_nobody),
	    cmocka_unit_test(test_users),
	};
	return cmocka_run_group_tests_name("milter_decide", tests, NULL, NULL);
}
