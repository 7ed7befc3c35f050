/*
 * policy.h: facts + verdict + what the user asked for = hold or pass. Pure: questions that need the
 * database or the DNS are not asked here; the decision says which answers it needs, the caller gets
 * them and asks again. In doubt the answer is pass.
 *
 * The order: a user who does not take part, or whose files are unusable: pass. Classes security,
 * calendar and bounce: pass; but of those whose verdict says "once", a second one soon after the
 * first goes on as the class that it has otherwise, or as a newsletter where that is personal.
 * Allow list (if the message is not known to be forged): pass. Hold list: hold; an entry there that
 * names classes holds these, and lets the others pass as the allow list would (if the message is
 * not known to be forged). A class that the user does not hold: pass. A sender the user has written
 * to, or a reply to a message of the user's: pass. Otherwise: hold. Without an answer whether the
 * sender is known, mail of a held class passes, unless it comes from a no-reply address and answers
 * nothing.
 *
 * Nothing is asked that cannot change the outcome. Lists are matched against From, the envelope
 * sender and List-Id, in this order; the message must be authenticated for the domain of the
 * address that matched; with a List-Id, for that of From or of the envelope sender. An entry of the
 * allow list that names other classes is as if it were not there; of the hold list, the first and
 * most exact entry counts, whatever it names.
 */
#ifndef PULLYU_POLICY_POLICY_H
#define PULLYU_POLICY_POLICY_H

#include <stdbool.h>

#include "classify/verdict.h"
#include "facts/facts.h"
#include "policy/user.h"

enum policy_action { POLICY_PASS, POLICY_HOLD, POLICY_ASK };

/* Whether the message is authenticated for the domain of a list entry (auth/auth.h). */
enum policy_auth {
	POLICY_AUTH_UNASKED,
	POLICY_AUTH_PASS,
	POLICY_AUTH_DOUBT, /* no record, DNS failure, no answer in time: counts as authenticated */
	POLICY_AUTH_FAIL,
};

/* Whether the user knows this sender or sent what this replies to. */
enum policy_known {
	POLICY_KNOWN_UNASKED,
	POLICY_KNOWN_YES,
	POLICY_KNOWN_NO,
	POLICY_KNOWN_UNANSWERED, /* pullyud is down or late */
};

/* Whether a message whose verdict says "once" is the first of its sender to this user for a
 * while. */
enum policy_once {
	POLICY_ONCE_UNASKED,
	POLICY_ONCE_FIRST,
	POLICY_ONCE_AGAIN,
};

struct policy_answers {
	enum policy_auth auth;
	enum policy_known known;
	enum policy_once once;
};

enum { POLICY_WHY_MAX = 200 };

/* What stands first among the reasons of a message that the hold list holds. */
#define POLICY_REASON_LISTED "hold-list"

struct policy_decision {
	enum policy_action action;
	enum class cls; /* as which it is treated: the verdict's, or with "again" another */
	bool listed;    /* with POLICY_HOLD: because of the hold list */
	bool need_once; /* with POLICY_ASK: set the answer and call again; it passes unless that
			 * says "again", and so it counts as passed */
	bool need_auth, need_known; /* with POLICY_ASK: set the answers and call again. With both,
				     * one answer may do; ask for both at once, or call again
				     * after the one that comes cheap */
	char auth_domain[ADDR_MAX]; /* with need_auth: for which domain; "": any sender's */
	char why[POLICY_WHY_MAX];   /* for the log: "allow list: ann@example.org" */
};

void policy_decide(const struct user *user, const struct facts *facts,
    const struct verdict *verdict, const struct policy_answers *answers,
    struct policy_decision *decision_out);

#endif
