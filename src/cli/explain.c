/*
 * explain.c: see explain.h. The order of the questions is that of the milter (message.c, decide.c).
 */
#include <config.h>

#include "cli/explain.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "auth/auth.h"
#include "base/hmac.h"
#include "control/control.h"
#include "digest/guard.h"
#include "facts/facts.h"
#include "policy/schedule.h"

enum { ASK_MS = 10 * 1000, ROUNDS = 5 };

__attribute__((format(printf, 2, 3))) static void say(struct explanation *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	g_ptr_array_add(e->because, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

/* ---- the message ---- */

/* Where nobody says from where it came, From stands for the envelope sender. */
static enum rc read_facts(
    const struct explanation *e, int fd, struct facts **facts_out, struct err *err)
{
	char *from = NULL;
	enum rc rc = RC_OK;
	for (int round = 0; round < 2 && rc == RC_OK; round++) {
		struct facts *facts = facts_new();
		if (from != NULL)
			facts_envelope_from(facts, from);
		facts_envelope_rcpt(facts, e->user->name);
		if (lseek(fd, 0, SEEK_SET) < 0)
			rc = err_errno(err, RC_TEMP, "lseek");
		else
			rc = facts_read(facts, fd, NULL, err);
		if (rc == RC_OK && from == NULL && facts_field_find(facts, "return-path") == NULL &&
		    facts->from_addr[0] != '\0') {
			from = g_strdup(facts->from_addr);
			facts_free(&facts);
			continue;
		}
		if (rc == RC_OK)
			*facts_out = facts;
		else
			facts_free(&facts);
		break;
	}
	g_free(from);
	return rc;
}

/* ---- what passes before anything is judged ---- */

static bool is_ours(struct explanation *e, const struct facts *facts)
{
	unsigned char key[HMAC_KEY_BYTES];
	struct err err;
	bool any = false;
	enum rc rc = hmac_key_load(e->conf->key, false, key, &err);
	for (size_t i = 0; i < facts->n_fields; i++) {
		if (g_ascii_strcasecmp(facts->fields[i].name, GUARD_FIELD) != 0)
			continue;
		any = true;
		if (rc == RC_OK && guard_check(key, facts->fields[i].raw, facts->message_id)) {
			say(e, "a digest of our own");
			return true;
		}
	}
	if (!any || rc == RC_OK)
		return false;
	say(e, "it may be a digest of our own, but there is no key to tell: %s", err.text);
	return true;
}

/* Returns true if nothing more matters. */
static bool passes_anyway(struct explanation *e, const struct facts *facts, int64_t size)
{
	const struct user *user = e->user;
	char date[DATES_TEXT_MAX];
	if (!user->takes_part && user->settings.enabled) {
		say(e,
		    "%s takes no part: there is no settings.ini, and the participants file names "
		    "neither the address nor its domain",
		    user->name);
	} else if (!user->takes_part) {
		say(e, "%s takes no part: enabled = no", user->name);
	} else if (user->usable && schedule_passes(&user->settings, e->now)) {
		date_format(user->settings.pause_until, date);
		say(e, "a pause: nothing is held before %s", date);
	} else if (is_ours(e, facts)) {
		return true;
	} else if (size > e->conf->hold_max_size) {
		say(e, "larger than hold_max_size");
	} else {
		return false;
	}
	return true;
}

/* ---- answers ---- */

static enum policy_auth authenticate(
    struct explanation *e, const struct facts *facts, const char *domain)
{
	const char *const *trusted = (const char *const *)e->conf->authserv_ids;
	const char *from = addr_domain(facts->from_addr);
	const char *envelope = addr_domain(facts->envelope_from);
	size_t n = facts->n_auth_results;
	enum auth_state state = domain[0] == '\0'
	    ? auth_results_state_any(facts->auth_results, n, trusted, from, envelope)
	    : auth_results_state(facts->auth_results, n, trusted, domain);
	const char *about = domain[0] != '\0' ? domain : "its sender's domain";
	const char *by =
	    auth_results_method(facts->auth_results, n, trusted, domain[0] != '\0' ? domain : from);
	if (by == NULL)
		by = auth_results_method(facts->auth_results, n, trusted, envelope);
	switch (state) {
	case AUTH_PASS:
		e->authenticated = "pass";
		say(e, "authenticated for %s by %s", about, by == NULL ? "a trusted server" : by);
		return POLICY_AUTH_PASS;
	case AUTH_FAIL:
		e->authenticated = "fail";
		say(e, "not authenticated for %s: %s failed", about, by == NULL ? "it" : by);
		return POLICY_AUTH_FAIL;
	case AUTH_DOUBT:
		e->authenticated = "doubt";
		say(e, "neither authenticated for %s nor known to be forged: in doubt it counts",
		    about);
		return POLICY_AUTH_DOUBT;
	case AUTH_ABSENT:
		break;
	}
	e->authenticated = "unknown";
	say(e, "the file does not tell whether it is authenticated for %s: in doubt it counts%s",
	    about, e->conf->spf ? "; pullyu-milter would check SPF" : "");
	return POLICY_AUTH_DOUBT;
}

static json_t *strings(const char *a, const char *b)
{
	json_t *array = json_array();
	if (a[0] != '\0')
		json_array_append_new(array, json_string(a));
	if (b[0] != '\0' && strcmp(a, b) != 0)
		json_array_append_new(array, json_string(b));
	return array;
}

static enum rc ask_known(
    const struct explanation *e, const struct facts *facts, json_t **reply_out, struct err *err)
{
	json_t *refs = json_array();
	for (size_t i = 0; i < facts->n_refs; i++)
		json_array_append_new(refs, json_string(facts->refs[i]));
	json_t *request =
	    json_pack("{s:s, s:o, s:o, s:o}", "op", "ask", "users", strings(e->user->name, ""),
		"senders", strings(facts->from_addr, facts->envelope_from), "refs", refs);
	enum rc rc = control_call(e->conf->control, request, ASK_MS, reply_out, NULL, err);
	if (rc == RC_OK && !json_is_object(json_object_get(*reply_out, "known")))
		rc = err_set(err, RC_TEMP, "its answer lacks something");
	json_decref(request);
	return rc;
}

static enum policy_known know(struct explanation *e, const struct facts *facts)
{
	const char *user = e->user->name, *a = facts->from_addr, *b = facts->envelope_from;
	bool two = a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
	bool none = a[0] == '\0' && b[0] == '\0';
	char *senders = none
	    ? g_strdup("a sender without an address")
	    : g_strdup_printf("%s%s%s", a[0] != '\0' ? a : b, two ? " or " : "", two ? b : "");
	json_t *reply = NULL;
	struct err err;
	enum policy_known known = POLICY_KNOWN_UNANSWERED;
	if (ask_known(e, facts, &reply, &err) != RC_OK) {
		e->known = "unknown";
		say(e, "%s", err.text);
	} else {
		const char *how =
		    json_string_value(json_object_get(json_object_get(reply, "known"), user));
		known = how != NULL ? POLICY_KNOWN_YES : POLICY_KNOWN_NO;
		if (how == NULL) {
			e->known = "no";
			say(e, "%s has not written to %s%s", user, senders,
			    facts->n_refs > 0 ? ", nor sent what this answers" : "");
		} else if (strcmp(how, "reply") == 0) {
			e->known = "reply";
			say(e, "it answers a message of %s", user);
		} else {
			e->known = "correspondent";
			say(e, "%s has written to %s", user, senders);
		}
	}
	json_decref(reply);
	g_free(senders);
	return known;
}

/* ---- the decision ---- */

static void put_until(struct explanation *e)
{
	struct schedule schedule;
	int64_t last = e->now + e->conf->max_hold, slot;
	schedule_of(&e->user->settings, &schedule);
	e->until_max_hold = schedule_next(&schedule, e->now, &slot, NULL) != RC_OK || slot > last;
	e->until = e->until_max_hold ? last : slot;
}

static void decide(struct explanation *e, const struct facts *facts)
{
	struct policy_answers answers = {POLICY_AUTH_UNASKED, POLICY_KNOWN_UNASKED,
	    e->verdict.once ? POLICY_ONCE_FIRST : POLICY_ONCE_UNASKED};
	struct policy_decision decision;
	for (int round = 0; round < ROUNDS; round++) {
		policy_decide(e->user, facts, &e->verdict, &answers, &decision);
		if (decision.action != POLICY_ASK)
			break;
		if (decision.need_auth && answers.auth == POLICY_AUTH_UNASKED)
			answers.auth = authenticate(e, facts, decision.auth_domain);
		else if (decision.need_known && answers.known == POLICY_KNOWN_UNASKED)
			answers.known = know(e, facts);
	}
	bool hold = decision.action == POLICY_HOLD;
	e->cls = decision.cls;
	e->shadow = hold && e->user->shadow;
	e->held = hold && !e->shadow;
	if (hold)
		put_until(e);
	if (hold && !decision.listed && answers.auth == POLICY_AUTH_UNASKED)
		g_ptr_array_insert(e->because, 0, g_strdup("no list says otherwise"));
	g_ptr_array_insert(e->because, 0, g_strdup(decision.why));
	if (e->verdict.once)
		say(e, "of this sender a second such message within an hour goes as %s",
		    class_name(e->verdict.otherwise == CLASS_PERSONAL ? CLASS_NEWSLETTER
								      : e->verdict.otherwise));
	if (!e->user->usable)
		say(e, "a pullyu-milter that has seen a good version of it goes on with that");
}

enum rc explain(struct explanation *e, int fd, struct err *err)
{
	struct facts *facts = NULL;
	struct stat st;
	struct err why;
	if (fstat(fd, &st) != 0)
		return err_errno(err, RC_TEMP, "fstat");
	enum rc rc = read_facts(e, fd, &facts, err);
	if (rc != RC_OK)
		return rc;
	e->judged = classify(e->rules, facts, &e->verdict, &why) == RC_OK;
	e->cls = e->verdict.cls;
	if (!passes_anyway(e, facts, (int64_t)st.st_size)) {
		if (e->judged)
			decide(e, facts);
		else
			say(e, "not classified: %s", why.text);
	}
	facts_free(&facts);
	return RC_OK;
}
