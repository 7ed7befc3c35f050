/*
 * policy.c: see policy.h for the order. Each step that would need an answer is looked at only when
 * the steps behind it could end otherwise, so that no message waits for a question without effect.
 */
#include <config.h>

#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/addr.h"
#include "base/str.h"
#include "policy/list.h"

/* An entry of a list that speaks of this message. */
struct match {
	const char *entry; /* foreign; NULL: none */
	unsigned classes;  /* of which it speaks */
	const char *addr;  /* foreign: whose domain must be authenticated; "": any sender's */
	const char *list;  /* "allow" or "hold" */
};

/* Among the entries that speak of one of these classes. */
static struct match find_match(
    const struct list *list, const char *name, const struct facts *facts, unsigned classes)
{
	struct list_match found = list_match_addr(list, facts->from_addr, classes);
	const char *addr = facts->from_addr;
	if (found.entry == NULL) {
		found = list_match_addr(list, facts->envelope_from, classes);
		addr = facts->envelope_from;
	}
	if (found.entry == NULL) {
		/* A list's mail comes from its members, whose domains never vouch for the list's
		 * server: DMARC fails there by design (RFC 7960). */
		found = list_match_list_id(list, facts->list_id, classes);
		addr = "";
	}
	return (struct match){found.entry, found.classes, addr, name};
}

static bool is_never_held(enum class cls)
{
	return cls == CLASS_SECURITY || cls == CLASS_CALENDAR || cls == CLASS_BOUNCE;
}

static bool class_is_held(const struct user *user, enum class cls)
{
	/* Whatever the settings say: promise 3. */
	if (cls != CLASS_NEWSLETTER && cls != CLASS_NOTIFICATION && cls != CLASS_DISCUSSION &&
	    cls != CLASS_TRANSACTIONAL)
		return false;
	return user->settings.classes != NULL &&
	    g_strv_contains((const char *const *)user->settings.classes, class_name(cls));
}

/* pullyud does not answer: only mail that nobody can have written to, and that answers nothing, is
 * known not to come from a correspondent. */
static bool cannot_be_known(const struct facts *facts)
{
	return facts_has(facts, FACT_NO_REPLY) && facts->n_refs == 0 &&
	    !facts_has(facts, FACT_REPLY);
}

static void __attribute__((format(printf, 3, 4)))
decide(struct policy_decision *d, enum policy_action action, const char *fmt, ...)
{
	char text[POLICY_WHY_MAX * 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->action = action;
	str_copy(d->why, sizeof(d->why), text);
	str_printable(d->why);
}

/* What stands behind a decision for which an entry that lets through was found and not believed. */
static const char *pass_note(
    const struct match *pass, const struct policy_answers *answers, char note[POLICY_WHY_MAX])
{
	note[0] = '\0';
	if (pass != NULL && answers->auth == POLICY_AUTH_FAIL)
		snprintf(note, POLICY_WHY_MAX, "; %s list: %.80s does not count: not authenticated",
		    pass->list, pass->entry);
	return note;
}

static void ask(struct policy_decision *d, const struct match *pass, bool known)
{
	d->need_known = known;
	if (pass != NULL) {
		d->need_auth = true;
		str_copy(d->auth_domain, sizeof(d->auth_domain), addr_domain(pass->addr));
	}
	decide(d, POLICY_ASK, "%s%s%s", d->need_auth ? "authenticated?" : "",
	    d->need_auth && known ? " " : "", known ? "known?" : "");
}

/* After the lists: the class is held. */
static void decide_known(struct policy_decision *d, const struct facts *facts,
    const struct policy_answers *answers, const char *class, const char *note)
{
	switch (answers->known) {
	case POLICY_KNOWN_UNASKED:
		ask(d, NULL, true);
		return;
	case POLICY_KNOWN_YES:
		decide(d, POLICY_PASS, "correspondent, or a reply to the user%s", note);
		return;
	case POLICY_KNOWN_NO:
		decide(d, POLICY_HOLD, "class %s is held%s", class, note);
		return;
	case POLICY_KNOWN_UNANSWERED:
		break;
	}
	if (cannot_be_known(facts))
		decide(d, POLICY_HOLD, "class %s is held; no correspondent: a no-reply sender%s",
		    class, note);
	else
		decide(d, POLICY_PASS,
		    "in doubt: it is not known whether the user knows the "
		    "sender%s",
		    note);
}

/* After the classes that nobody can hold: the lists, the user's classes, whom he knows. */
static void decide_lists(struct policy_decision *d, const struct user *user,
    const struct facts *facts, const struct policy_answers *answers)
{
	char note[POLICY_WHY_MAX];
	const char *class = class_name(d->cls);
	unsigned bit = 1U << d->cls;
	struct match allow = find_match(user->allow, "allow", facts, bit);
	struct match hold = find_match(user->hold, "hold", facts, LIST_EVERY_CLASS);
	/* A hold entry that names other classes lets this one through. */
	bool listed = hold.entry != NULL && (hold.classes & bit) != 0;
	const struct match *pass = allow.entry != NULL ? &allow
	    : hold.entry != NULL && !listed            ? &hold
						       : NULL;
	if (!listed && !class_is_held(user, d->cls)) {
		decide(d, POLICY_PASS, "class %s is not held", class);
		return;
	}
	if (pass != NULL && answers->auth == POLICY_AUTH_UNASKED) {
		/* Both at once: whoever answers has a deadline for both together. With a hold
		 * entry it does not matter whether the sender is known; once known, it does not
		 * matter whether he is authenticated. */
		if (!listed && answers->known == POLICY_KNOWN_YES)
			decide_known(d, facts, answers, class, "");
		else
			ask(d, pass, !listed && answers->known == POLICY_KNOWN_UNASKED);
		return;
	}
	if (pass == &allow && answers->auth != POLICY_AUTH_FAIL) {
		decide(d, POLICY_PASS, "allow list: %s", allow.entry);
		return;
	}
	if (pass == &hold && answers->auth != POLICY_AUTH_FAIL) {
		decide(d, POLICY_PASS, "hold list: %.100s: not class %s", hold.entry, class);
		return;
	}
	pass_note(pass, answers, note);
	if (listed) {
		d->listed = true;
		decide(d, POLICY_HOLD, "hold list: %.100s%s", hold.entry, note);
		return;
	}
	decide_known(d, facts, answers, class, note);
}

void policy_decide(const struct user *user, const struct facts *facts,
    const struct verdict *verdict, const struct policy_answers *answers,
    struct policy_decision *decision_out)
{
	struct policy_decision *d = decision_out;
	memset(d, 0, sizeof(*d));
	d->cls = verdict->cls;
	if (!user->takes_part) {
		decide(d, POLICY_PASS, "does not take part");
		return;
	}
	if (!user->usable) {
		decide(d, POLICY_PASS, "in doubt: %s", user->problem);
		return;
	}
	if (verdict->once && answers->once == POLICY_ONCE_UNASKED) {
		d->need_once = true;
		decide(d, POLICY_ASK, "once?");
		return;
	}
	if (verdict->once && answers->once == POLICY_ONCE_AGAIN)
		d->cls =
		    verdict->otherwise == CLASS_PERSONAL ? CLASS_NEWSLETTER : verdict->otherwise;
	if (is_never_held(d->cls)) {
		decide(d, POLICY_PASS, "class %s is never held", class_name(d->cls));
		return;
	}
	decide_lists(d, user, facts, answers);
}
