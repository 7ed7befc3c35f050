/*
 * facts_shape.h: what local parts, domains, subjects and other pieces of text look like. Pure
 * functions of their arguments. Not for callers of facts.
 */
#ifndef PULLYU_FACTS_SHAPE_H
#define PULLYU_FACTS_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/* "no-reply", "donotreply", "ne-pas-repondre", "keine.antwort" ... anywhere in a local part. */
bool shape_is_noreply(const char *local);
/* A whole address written into a local part ("bounce+ann=example.org"), but not BATV or SRS. */
bool shape_is_verp(const char *local);
/* "bounce", "bounces-...", "return", "owner-list" ... */
bool shape_is_bounce(const char *local);
/* A run of characters that no person chose: six digits, or twelve letters and digits mixed. */
bool shape_has_token(const char *local);
/* "Ann Lee" at ann.lee, alee, ann or lee, and no word of the name in the domain: a person's address
 * more likely than a firm's. Only ASCII names. */
bool shape_is_person(const char *name, const char *local, const char *domain);
/* Whether two domains belong to one registrant, as far as one can tell without the public suffix
 * list: they end in the same two labels, or three under names such as "co.uk". */
bool shape_same_site(const char *a, const char *b);
/* A method of RFC 5546 (lower case). */
bool shape_is_itip(const char *method);
/* The body of a Received field that says that the client had authenticated, or used webmail. */
bool shape_is_submission(const char *received);
/* The body of a Received field that says that a web server's account handed the message in. */
bool shape_is_web_account(const char *received);
/* Tag d= of a DKIM-Signature. */
bool shape_dkim_domain(const char *signature, char *out, size_t size);
/* The hosts of all URLs and addresses in a List-Unsubscribe, separated by blanks. */
void shape_hosts(const char *body, char *out, size_t size);

struct subject_shape {
	bool reply, forward, tag, empty, emoji, capitals, digit, number;
};
struct subject_shape shape_subject(const char *subject);

#endif
