/*
 * test_policy_decide.c: every branch of the decision, and that nothing is asked without need.
 */
#include <config.h>

#include "policy/policy.h"

#include <glib.h>

#include "unit.h"

static void add(struct facts *facts, const char *name, const char *value)
{
	if (value != NULL)
		facts_header(facts, name, value);
}

static struct list *list_of(enum list_kind kind, const char *entry)
{
	struct list *list = NULL;
	if (entry[0] == '\0')
		return NULL;
	assert_int_equal(
	    list_parse(kind, "list", entry, strlen(entry), NULL, NULL, &list, NULL), RC_OK);
	return list;
}

static const char *const held[] = {"newsletter", "notification", NULL};

/* "hold: why", "pass: why", "ask auth=example.org known". */
static char *decide(const char *allow, const char *hold, const char *from, enum class cls,
    enum policy_auth auth, enum policy_known known, const char *in_reply_to)
{
	struct policy_decision d;
	struct user user = {.takes_part = true, .usable = true};
	struct verdict verdict = {.cls = cls};
	const struct policy_answers answers = {.auth = auth, .known = known};
	struct facts *facts = facts_new();
	user.settings.classes = (char **)held;
	user.allow = list_of(LIST_ALLOW, allow);
	user.hold = list_of(LIST_HOLD, hold);
	facts_envelope_from(facts, "<bounce@sender.example>");
	add(facts, "From", from);
	add(facts, "List-Id", "News <news.lists.example>");
	add(facts, "In-Reply-To", in_reply_to);
	facts_end(facts);
	memset(&d, 0x55, sizeof(d));
	policy_decide(&user, facts, &verdict, &answers, &d);
	facts_free(&facts);
	list_free(&user.allow);
	list_free(&user.hold);
	if (d.action == POLICY_ASK)
		return g_strdup_printf("ask%s%s%s", d.need_auth ? " auth=" : "",
		    d.need_auth ? d.auth_domain : "", d.need_known ? " known" : "");
	assert_false(d.need_auth);
	assert_false(d.need_known);
	return g_strdup_printf("%s: %s", d.action == POLICY_HOLD ? "hold" : "pass", d.why);
}

#define ANN       "Ann <ann@mail.example>"
#define ROBOT     "no-reply@shop.example"
#define NL        CLASS_NEWSLETTER
#define AUTH_(x)  POLICY_AUTH_##x
#define KNOWN_(x) POLICY_KNOWN_##x

static void test_table(void **state)
{
	static const struct {
		const char *label, *allow, *hold, *from;
		enum class cls;
		enum policy_auth auth;
		enum policy_known known;
		const char *want;
	} rows[] = {
	    /* No list speaks. */
	    {"personal", "", "", ANN, CLASS_PERSONAL, AUTH_(UNASKED), KNOWN_(UNASKED),
		"pass: class personal is not held"},
	    {"class not chosen", "", "", ANN, CLASS_DISCUSSION, AUTH_(UNASKED), KNOWN_(UNASKED),
		"pass: class discussion is not held"},
	    {"newsletter", "", "", ANN, NL, AUTH_(UNASKED), KNOWN_(UNASKED), "ask known"},
	    {"newsletter, unknown", "", "", ANN, NL, AUTH_(UNASKED), KNOWN_(NO),
		"hold: class newsletter is held"},
	    {"newsletter, known", "", "", ANN, NL, AUTH_(UNASKED), KNOWN_(YES),
		"pass: correspondent, or a reply to the user"},
	    {"notification, unknown", "", "", ANN, CLASS_NOTIFICATION, AUTH_(UNASKED), KNOWN_(NO),
		"hold: class notification is held"},
	    /* pullyud is down. */
	    {"unanswered", "", "", ANN, NL, AUTH_(UNASKED), KNOWN_(UNANSWERED),
		"pass: in doubt: it is not known whether the user knows the sender"},
	    {"unanswered, no-reply", "", "", ROBOT, NL, AUTH_(UNASKED), KNOWN_(UNANSWERED),
		"hold: class newsletter is held; no correspondent: a no-reply sender"},
	    {"no-reply is asked about too", "", "", ROBOT, NL, AUTH_(UNASKED), KNOWN_(UNASKED),
		"ask known"},
	    {"unanswered, hold list", "", "@mail.example", ANN, CLASS_PERSONAL, AUTH_(UNASKED),
		KNOWN_(UNANSWERED), "hold: hold list: @mail.example"},
	    {"unanswered, allow list", "@mail.example", "", ANN, NL, AUTH_(DOUBT),
		KNOWN_(UNANSWERED), "pass: allow list: @mail.example"},
	    /* Classes that no list can hold. */
	    {"security", "", "@mail.example", ANN, CLASS_SECURITY, AUTH_(UNASKED), KNOWN_(UNASKED),
		"pass: class security is never held"},
	    {"calendar", "", "@mail.example", ANN, CLASS_CALENDAR, AUTH_(UNASKED), KNOWN_(UNASKED),
		"pass: class calendar is never held"},
	    {"bounce", "", "@mail.example", ANN, CLASS_BOUNCE, AUTH_(UNASKED), KNOWN_(UNASKED),
		"pass: class bounce is never held"},
	    /* The hold list: no question. */
	    {"hold, From", "", "ann@mail.example", ANN, CLASS_PERSONAL, AUTH_(UNASKED),
		KNOWN_(UNASKED), "hold: hold list: ann@mail.example"},
	    {"hold, envelope sender", "", "@sender.example", ANN, CLASS_PERSONAL, AUTH_(UNASKED),
		KNOWN_(UNASKED), "hold: hold list: @sender.example"},
	    {"hold, list", "", "list:news.lists.example", ANN, CLASS_DISCUSSION, AUTH_(UNASKED),
		KNOWN_(UNASKED), "hold: hold list: list:news.lists.example"},
	    {"hold beats known", "", "@mail.example", ANN, NL, AUTH_(UNASKED), KNOWN_(YES),
		"hold: hold list: @mail.example"},
	    {"hold, another domain", "", "@other.example", ANN, CLASS_PERSONAL, AUTH_(UNASKED),
		KNOWN_(UNASKED), "pass: class personal is not held"},
	    /* The allow list. */
	    {"allow, nothing would hold", "@mail.example", "", ANN, CLASS_PERSONAL, AUTH_(UNASKED),
		KNOWN_(UNASKED), "pass: class personal is not held"},
	    {"allow, not asked yet", "@mail.example", "", ANN, NL, AUTH_(UNASKED), KNOWN_(UNASKED),
		"ask auth=mail.example known"},
	    {"allow, known is answered", "@mail.example", "", ANN, NL, AUTH_(UNASKED), KNOWN_(YES),
		"pass: correspondent, or a reply to the user"},
	    {"allow, known no", "@mail.example", "", ANN, NL, AUTH_(UNASKED), KNOWN_(NO),
		"ask auth=mail.example"},
	    {"allow, pass", "@mail.example", "", ANN, NL, AUTH_(PASS), KNOWN_(NO),
		"pass: allow list: @mail.example"},
	    {"allow, doubt", "@mail.example", "", ANN, NL, AUTH_(DOUBT), KNOWN_(NO),
		"pass: allow list: @mail.example"},
	    {"allow, pass, known unasked", "@mail.example", "", ANN, NL, AUTH_(PASS),
		KNOWN_(UNASKED), "pass: allow list: @mail.example"},
	    {"allow, forged", "@mail.example", "", ANN, NL, AUTH_(FAIL), KNOWN_(NO),
		"hold: class newsletter is held; allow list: @mail.example does not count: not "
		"authenticated"},
	    {"allow, forged, known", "@mail.example", "", ANN, NL, AUTH_(FAIL), KNOWN_(YES),
		"pass: correspondent, or a reply to the user; allow list: @mail.example does not "
		"count: not authenticated"},
	    {"allow, forged, unasked", "@mail.example", "", ANN, NL, AUTH_(FAIL), KNOWN_(UNASKED),
		"ask known"},
	    {"allow, forged, unanswered", "@mail.example", "", ANN, NL, AUTH_(FAIL),
		KNOWN_(UNANSWERED),
		"pass: in doubt: it is not known whether the user knows the sender; allow list: "
		"@mail.example does not count: not authenticated"},
	    {"allow, envelope sender", "@sender.example", "", ANN, NL, AUTH_(UNASKED), KNOWN_(NO),
		"ask auth=sender.example"},
	    {"allow, list", "list:news.lists.example", "", ANN, NL, AUTH_(UNASKED), KNOWN_(NO),
		"ask auth="},
	    {"allow, list, pass", "list:news.lists.example", "", ANN, NL, AUTH_(PASS), KNOWN_(NO),
		"pass: allow list: list:news.lists.example"},
	    /* Both lists. */
	    {"both, unasked", "ann@mail.example", "@mail.example", ANN, CLASS_PERSONAL,
		AUTH_(UNASKED), KNOWN_(UNASKED), "ask auth=mail.example"},
	    {"both, pass", "ann@mail.example", "@mail.example", ANN, CLASS_PERSONAL, AUTH_(PASS),
		KNOWN_(UNASKED), "pass: allow list: ann@mail.example"},
	    {"both, forged", "ann@mail.example", "@mail.example", ANN, CLASS_PERSONAL, AUTH_(FAIL),
		KNOWN_(UNASKED),
		"hold: hold list: @mail.example; allow list: ann@mail.example does not count: not "
		"authenticated"},
	    {"both, known does not help", "ann@mail.example", "@mail.example", ANN, NL,
		AUTH_(UNASKED), KNOWN_(YES), "ask auth=mail.example"},
	    /* Entries that name classes. */
	    {"hold, its class", "", "ann@mail.example: newsletter", ANN, NL, AUTH_(UNASKED),
		KNOWN_(YES), "hold: hold list: ann@mail.example: newsletter"},
	    {"hold, class of nobody else", "", "@mail.example: personal", ANN, CLASS_PERSONAL,
		AUTH_(UNASKED), KNOWN_(UNASKED), "hold: hold list: @mail.example: personal"},
	    {"hold, another class that is held", "", "ann@mail.example: newsletter", ANN,
		CLASS_NOTIFICATION, AUTH_(UNASKED), KNOWN_(NO), "ask auth=mail.example"},
	    {"hold, another class, both asked", "", "ann@mail.example: newsletter", ANN,
		CLASS_NOTIFICATION, AUTH_(UNASKED), KNOWN_(UNASKED), "ask auth=mail.example known"},
	    {"hold, another class passes", "", "ann@mail.example: newsletter", ANN,
		CLASS_NOTIFICATION, AUTH_(DOUBT), KNOWN_(NO),
		"pass: hold list: ann@mail.example: newsletter: not class notification"},
	    {"hold, another class, forged", "", "ann@mail.example: newsletter", ANN,
		CLASS_NOTIFICATION, AUTH_(FAIL), KNOWN_(NO),
		"hold: class notification is held; hold list: ann@mail.example: newsletter does "
		"not "
		"count: not authenticated"},
	    {"hold, another class that is not held", "", "ann@mail.example: newsletter", ANN,
		CLASS_TRANSACTIONAL, AUTH_(UNASKED), KNOWN_(UNASKED),
		"pass: class transactional is not held"},
	    {"hold, the most exact entry", "",
		"ann@mail.example: newsletter\n@mail.example\n@sender.example", ANN,
		CLASS_NOTIFICATION, AUTH_(PASS), KNOWN_(NO),
		"pass: hold list: ann@mail.example: newsletter: not class notification"},
	    {"hold, a List-Id", "", "list:news.lists.example: discussion", ANN, CLASS_DISCUSSION,
		AUTH_(UNASKED), KNOWN_(UNASKED),
		"hold: hold list: list:news.lists.example: discussion"},
	    {"hold, a List-Id, another class", "", "list:news.lists.example: discussion", ANN, NL,
		AUTH_(UNASKED), KNOWN_(NO), "ask auth="},
	    {"hold, two lines", "", "ann@mail.example: newsletter\nann@mail.example: personal", ANN,
		CLASS_PERSONAL, AUTH_(UNASKED), KNOWN_(UNASKED),
		"hold: hold list: ann@mail.example: personal, newsletter"},
	    {"hold, security", "", "@mail.example: newsletter", ANN, CLASS_SECURITY, AUTH_(UNASKED),
		KNOWN_(UNASKED), "pass: class security is never held"},
	    {"allow, its class", "ann@mail.example: newsletter", "", ANN, NL, AUTH_(PASS),
		KNOWN_(NO), "pass: allow list: ann@mail.example: newsletter"},
	    {"allow, another class", "ann@mail.example: newsletter", "", ANN, CLASS_NOTIFICATION,
		AUTH_(UNASKED), KNOWN_(NO), "hold: class notification is held"},
	    {"allow, another class, the domain", "ann@mail.example: newsletter\n@mail.example", "",
		ANN, CLASS_NOTIFICATION, AUTH_(PASS), KNOWN_(NO),
		"pass: allow list: @mail.example"},
	    {"allow, another class, the envelope", "ann@mail.example: newsletter\n@sender.example",
		"", ANN, CLASS_NOTIFICATION, AUTH_(UNASKED), KNOWN_(NO), "ask auth=sender.example"},
	    {"allow a class of what is held", "ann@mail.example: newsletter", "@mail.example", ANN,
		NL, AUTH_(PASS), KNOWN_(NO), "pass: allow list: ann@mail.example: newsletter"},
	    {"the rest of it", "ann@mail.example: newsletter", "@mail.example", ANN, CLASS_PERSONAL,
		AUTH_(PASS), KNOWN_(NO), "hold: hold list: @mail.example"},
	    /* No usable From. */
	    {"no From", "@mail.example", "", NULL, NL, AUTH_(UNASKED), KNOWN_(NO),
		"hold: class newsletter is held"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char *got = decide(rows[i].allow, rows[i].hold, rows[i].from, rows[i].cls,
		    rows[i].auth, rows[i].known, NULL);
		failed += unit_str(rows[i].label, got, rows[i].want);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

/* Every entry of allow and of hold, with every class and every answer, against the rules as policy.h
 * tells them, written once more. */
static const char *expect(const char *allow, const char *hold, enum class cls,
    enum policy_auth auth, enum policy_known known)
{
	const char *name = class_name(cls);
	bool in_allow = allow[0] != '\0' && (strchr(allow, ':') == NULL || strstr(allow, name));
	bool in_hold = hold[0] != '\0' && (strchr(hold, ':') == NULL || strstr(hold, name));
	bool through = in_allow || (hold[0] != '\0' && !in_hold);
	bool user_holds = cls == CLASS_NEWSLETTER || cls == CLASS_NOTIFICATION;
	if (cls == CLASS_SECURITY || cls == CLASS_CALENDAR || cls == CLASS_BOUNCE)
		return "pass";
	if (!in_hold && !user_holds)
		return "pass";
	if (through && auth == POLICY_AUTH_UNASKED && (in_hold || known != POLICY_KNOWN_YES))
		return !in_hold && known == POLICY_KNOWN_UNASKED ? "ask auth=mail.example known"
								 : "ask auth=mail.example";
	if (through && auth != POLICY_AUTH_UNASKED && auth != POLICY_AUTH_FAIL)
		return "pass";
	if (in_hold)
		return "hold";
	if (known == POLICY_KNOWN_UNASKED)
		return "ask known";
	return known == POLICY_KNOWN_NO ? "hold" : "pass";
}

static void test_every_entry(void **state)
{
	static const char *const entries[] = {
	    "",
	    "ann@mail.example",
	    "ann@mail.example: newsletter",
	    "ann@mail.example: personal",
	    "ann@mail.example: notification, transactional",
	    "ann@mail.example: newsletter, personal, discussion",
	};
	const size_t n = G_N_ELEMENTS(entries);
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < n * n * CLASS_COUNT * 16; i++) {
		const char *allow = entries[i % n], *hold = entries[i / n % n];
		enum class cls = (enum class)(i / n / n % CLASS_COUNT);
		enum policy_auth auth = (enum policy_auth)(i / n / n / CLASS_COUNT % 4);
		enum policy_known known = (enum policy_known)(i / n / n / CLASS_COUNT / 4);
		const char *want = expect(allow, hold, cls, auth, known);
		char *got = decide(allow, hold, ANN, cls, auth, known, NULL);
		char *label = g_strdup_printf("allow {%s} hold {%s} %s auth %d known %d", allow,
		    hold, class_name(cls), auth, known);
		bool ask = g_str_has_prefix(want, "ask");
		if (!ask)
			got[strcspn(got, ":")] = '\0';
		failed += unit_str(label, got, want);
		g_free(label);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

/* A reply to somebody may be a reply to the user: without an answer it passes, robot or not. */
static void test_reply(void **state)
{
	(void)state;
	char *got =
	    decide("", "", ROBOT, NL, AUTH_(UNASKED), KNOWN_(UNANSWERED), "<1@user.example>");
	assert_string_equal(
	    got, "pass: in doubt: it is not known whether the user knows the sender");
	g_free(got);
}

/* A verdict that counts once: only the second answer makes it a newsletter. */
static void test_once(void **state)
{
	static const struct {
		const char *label;
		bool once;
		enum policy_once answer;
		enum class otherwise;
		enum policy_action want;
		bool want_need;
		enum class want_class;
	} rows[] = {
	    {"any code", false, POLICY_ONCE_UNASKED, CLASS_PERSONAL, POLICY_PASS, false,
		CLASS_SECURITY},
	    {"any code, again", false, POLICY_ONCE_AGAIN, CLASS_PERSONAL, POLICY_PASS, false,
		CLASS_SECURITY},
	    {"unasked", true, POLICY_ONCE_UNASKED, CLASS_PERSONAL, POLICY_ASK, true,
		CLASS_SECURITY},
	    {"first", true, POLICY_ONCE_FIRST, CLASS_PERSONAL, POLICY_PASS, false, CLASS_SECURITY},
	    {"again, a receipt without it", true, POLICY_ONCE_AGAIN, CLASS_TRANSACTIONAL,
		POLICY_PASS, false, CLASS_TRANSACTIONAL},
	    {"again", true, POLICY_ONCE_AGAIN, CLASS_PERSONAL, POLICY_HOLD, false,
		CLASS_NEWSLETTER},
	};
	struct user user = {.takes_part = true, .usable = true};
	struct facts *facts = facts_new();
	int failed = 0;
	(void)state;
	user.settings.classes = (char **)held;
	facts_end(facts);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct policy_decision d;
		const struct verdict verdict = {
		    .cls = CLASS_SECURITY, .once = rows[i].once, .otherwise = rows[i].otherwise};
		const struct policy_answers answers = {
		    .known = POLICY_KNOWN_NO, .once = rows[i].answer};
		policy_decide(&user, facts, &verdict, &answers, &d);
		failed += unit_num(rows[i].label, d.action, rows[i].want);
		failed += unit_num(rows[i].label, d.need_once, rows[i].want_need);
		failed += unit_num(rows[i].label, d.cls, rows[i].want_class);
	}
	facts_free(&facts);
	assert_int_equal(failed, 0);
}

static void test_user(void **state)
{
	struct policy_decision d;
	struct user user = {.takes_part = false, .usable = true};
	struct verdict verdict = {.cls = CLASS_NEWSLETTER};
	const struct policy_answers answers = {0};
	struct facts *facts = facts_new();
	int failed = 0;
	(void)state;
	facts_end(facts);
	user.settings.classes = (char **)held;
	policy_decide(&user, facts, &verdict, &answers, &d);
	failed += unit_num("no part", d.action, POLICY_PASS);
	failed += unit_str("no part", d.why, "does not take part");
	user.takes_part = true;
	user.usable = false;
	strcpy(user.problem, "allow:3: nonsense\n");
	policy_decide(&user, facts, &verdict, &answers, &d);
	failed += unit_num("unusable", d.action, POLICY_PASS);
	failed += unit_str("unusable", d.why, "in doubt: allow:3: nonsense?");
	memset(user.problem, 'x', sizeof(user.problem) - 1);
	policy_decide(&user, facts, &verdict, &answers, &d);
	failed += unit_num("long text", (long long)strlen(d.why), POLICY_WHY_MAX - 1);
	user.usable = true;
	user.settings.classes = NULL;
	policy_decide(&user, facts, &verdict, &answers, &d);
	failed += unit_num("no classes", d.action, POLICY_PASS);
	/* Even if a table let them through: promise 3. */
	static const char *const wrong[] = {
	    "personal", "security", "calendar", "bounce", "transactional", NULL};
	static const enum class classes[] = {
	    CLASS_PERSONAL, CLASS_SECURITY, CLASS_CALENDAR, CLASS_BOUNCE};
	user.settings.classes = (char **)wrong;
	for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
		verdict.cls = classes[i];
		policy_decide(&user, facts, &verdict, &answers, &d);
		failed += unit_num(class_name(classes[i]), d.action, POLICY_PASS);
	}
	verdict.cls = CLASS_TRANSACTIONAL;
	policy_decide(&user, facts, &verdict, &answers, &d);
	failed += unit_num("transactional may be chosen", d.action, POLICY_ASK);
	facts_free(&facts);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_every_entry),
	    cmocka_unit_test(test_reply),
	    cmocka_unit_test(test_once),
	    cmocka_unit_test(test_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
