/*
 * decide.c: see decide.h. In doubt the recipient passes.
 */
#include <config.h>

#include "milter/decide.h"

#include <string.h>

#include <glib.h>

#include "auth/auth.h"
#include "base/log.h"
#include "base/str.h"
#include "milter/lead.h"
#include "policy/schedule.h"

/* What is known about a message once somebody has asked. */
struct progress {
	const struct decide_message *message;
	const struct asker *asker;
	bool spf_asked, spf_answered;
	enum auth_spf spf;
};

void decide_rcpt_clear(struct decide_rcpt *rcpt)
{
	g_clear_pointer(&rcpt->raw, g_free);
	if (rcpt->user != NULL)
		user_unref(&rcpt->user);
}

size_t decide_users(struct users *users, int64_t now, struct decide_rcpt *rcpts, size_t n)
{
	size_t taking_part = 0;
	for (size_t i = 0; i < n; i++) {
		struct decide_rcpt *rcpt = &rcpts[i];
		struct err err;
		str_copy(rcpt->why, sizeof(rcpt->why), "takes no part");
		/* Postfix drops a source route (RFC 5321 appendix C) and would then not find the
		 * bytes that it is to take off: the message would come twice. */
		if (rcpt->raw[rcpt->raw[0] == '<' ? 1 : 0] == '@') {
			str_copy(rcpt->why, sizeof(rcpt->why), "a source route");
			continue;
		}
		if (!lead_address_fits(rcpt->raw) ||
		    users_key(users, rcpt->raw, rcpt->key, &err) != RC_OK) {
			str_copy(rcpt->why, sizeof(rcpt->why), "not an address");
			continue;
		}
		if (users_get(users, rcpt->key, &rcpt->user, &err) != RC_OK) {
			log_warning("user %s passes: %s", rcpt->key, err.text);
			str_copy(rcpt->why, sizeof(rcpt->why), err.text);
			continue;
		}
		if (rcpt->user->takes_part && !schedule_passes(&rcpt->user->settings, now)) {
			taking_part++;
			continue;
		}
		if (rcpt->user->takes_part)
			str_copy(rcpt->why, sizeof(rcpt->why), "a pause: nothing is held");
		user_unref(&rcpt->user);
	}
	return taking_part;
}

/* ---- authentication ---- */

static enum policy_auth policy_of(enum auth_state state)
{
	switch (state) {
	case AUTH_PASS:
		return POLICY_AUTH_PASS;
	case AUTH_FAIL:
		return POLICY_AUTH_FAIL;
	case AUTH_ABSENT:
	case AUTH_DOUBT:
		break;
	}
	return POLICY_AUTH_DOUBT;
}

static enum auth_state results_state(const struct decide_message *message, const char *domain)
{
	const struct facts *facts = message->facts;
	if (domain[0] == '\0')
		return auth_results_state_any(facts->auth_results, facts->n_auth_results,
		    message->authserv_ids, addr_domain(facts->from_addr),
		    addr_domain(facts->envelope_from));
	return auth_results_state(
	    facts->auth_results, facts->n_auth_results, message->authserv_ids, domain);
}

static enum policy_auth spf_says(struct progress *progress, const char *domain)
{
	const struct decide_message *message = progress->message;
	const char *envelope_from = message->facts->envelope_from;
	if (!message->spf || message->client_ip[0] == '\0')
		return POLICY_AUTH_DOUBT;
	if (!progress->spf_asked) {
		const struct auth_spf_query query = {
		    .client_ip = message->client_ip,
		    .helo = message->helo,
		    .envelope_from = envelope_from,
		};
		progress->spf_asked = true;
		progress->spf_answered =
		    progress->asker->spf(progress->asker->ctx, &query, &progress->spf);
	}
	if (!progress->spf_answered)
		return POLICY_AUTH_DOUBT;
	if (domain[0] == '\0')
		domain = addr_domain(envelope_from);
	return policy_of(auth_spf_state(progress->spf, envelope_from, domain));
}

static enum policy_auth authenticated_for(struct progress *progress, const char *domain)
{
	const struct decide_message *message = progress->message;
	if (message->authenticated)
		return POLICY_AUTH_PASS;
	enum auth_state state = results_state(message, domain);
	return state == AUTH_ABSENT ? spf_says(progress, domain) : policy_of(state);
}

/* ---- who is known ---- */

/* Addresses whose mail the user may have asked for by writing to them. Not Reply-To: on a list it
 * is the list's, and who has ever posted there would never have it held again. */
static size_t senders_of(const struct facts *facts, const char *senders[2])
{
	size_t n = 0;
	if (facts->from_addr[0] != '\0')
		senders[n++] = facts->from_addr;
	if (facts->envelope_from[0] != '\0' &&
	    (n == 0 || strcmp(senders[0], facts->envelope_from) != 0))
		senders[n++] = facts->envelope_from;
	return n;
}

static void ask_known(struct progress *progress, struct decide_rcpt *rcpts,
    struct policy_answers *answers, const size_t *waiting, size_t n_waiting)
{
	const struct facts *facts = progress->message->facts;
	const char **users = g_new(const char *, n_waiting);
	enum policy_known *known = g_new(enum policy_known, n_waiting);
	const char *senders[2];
	size_t n_senders = senders_of(facts, senders);
	for (size_t i = 0; i < n_waiting; i++)
		users[i] = rcpts[waiting[i]].key;
	progress->asker->known(progress->asker->ctx, users, n_waiting, senders, n_senders,
	    (const char *const *)facts->refs, facts->n_refs, known);
	for (size_t i = 0; i < n_waiting; i++)
		answers[waiting[i]].known = known[i];
	g_free(users);
	g_free(known);
}

/* ---- deciding ---- */

static enum policy_once once(struct progress *progress, const struct decide_rcpt *rcpt)
{
	const struct facts *facts = progress->message->facts;
	const char *sender = facts->from_addr[0] != '\0' ? facts->from_addr : facts->envelope_from;
	bool first = progress->asker->once(
	    progress->asker->ctx, rcpt->key, sender, facts->message_id, progress->message->now);
	return first ? POLICY_ONCE_FIRST : POLICY_ONCE_AGAIN;
}

/* As far as it gets without a question to the database. Returns whether that is needed. */
static bool decide_one(
    struct progress *progress, struct decide_rcpt *rcpt, struct policy_answers *answers)
{
	struct policy_decision decision;
	for (int round = 0; round < 3; round++) {
		policy_decide(rcpt->user, progress->message->facts, progress->message->verdict,
		    answers, &decision);
		if (decision.action != POLICY_ASK)
			break;
		if (decision.need_once)
			answers->once = once(progress, rcpt);
		else if (decision.need_auth)
			answers->auth = authenticated_for(progress, decision.auth_domain);
		else
			break;
	}
	rcpt->cls = decision.cls;
	rcpt->listed = decision.listed;
	if (decision.action == POLICY_ASK && decision.need_known &&
	    answers->known == POLICY_KNOWN_UNASKED)
		return true;
	rcpt->shadow = decision.action == POLICY_HOLD && rcpt->user->shadow;
	rcpt->hold = decision.action == POLICY_HOLD && !rcpt->shadow;
	g_snprintf(rcpt->why, sizeof(rcpt->why), "%s%s",
	    rcpt->shadow ? "shadow: would be held: " : "",
	    decision.action == POLICY_ASK ? "undecided" : decision.why);
	return false;
}

size_t decide(const struct decide_message *message, const struct asker *asker,
    struct decide_rcpt *rcpts, size_t n)
{
	struct progress progress = {.message = message, .asker = asker};
	struct policy_answers *answers = g_new0(struct policy_answers, n);
	size_t *waiting = g_new(size_t, n);
	size_t n_waiting = 0, n_held = 0;
	for (size_t i = 0; i < n; i++) {
		rcpts[i].cls = message->verdict->cls;
		if (rcpts[i].must_pass != NULL)
			str_copy(rcpts[i].why, sizeof(rcpts[i].why), rcpts[i].must_pass);
		else if (rcpts[i].user != NULL && decide_one(&progress, &rcpts[i], &answers[i]))
			waiting[n_waiting++] = i;
	}
	if (n_waiting > 0)
		ask_known(&progress, rcpts, answers, waiting, n_waiting);
	for (size_t i = 0; i < n_waiting; i++)
		decide_one(&progress, &rcpts[waiting[i]], &answers[waiting[i]]);
	for (size_t i = 0; i < n; i++)
		n_held += rcpts[i].hold ? 1 : 0;
	g_free(answers);
	g_free(waiting);
	return n_held;
}
