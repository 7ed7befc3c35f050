/*
 * auth.h: is a message authenticated for a domain? Authentication-Results (RFC 8601) by trusted
 * servers first, then SPF (RFC 7208). Pure but for auth_spf_check. Thread-safe.
 */
#ifndef PULLYU_AUTH_AUTH_H
#define PULLYU_AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

enum auth_state {
	AUTH_ABSENT, /* nobody trusted says anything about this domain */
	AUTH_PASS,
	AUTH_DOUBT, /* none, neutral, softfail, temperror, permerror, policy */
	AUTH_FAIL,
};

/* A longer field of a trusted server says nothing, nor do those below it: it was cut, or somebody
 * filled it. Below FACTS_BODY_MAX, where facts cuts. */
enum { AUTH_FIELD_MAX = 8000 };

/* What the trusted Authentication-Results fields (those whose authserv-id is in trusted, matched
 * case-insensitively; NULL-terminated, may be NULL) say for domain (normalised). values are field
 * bodies, topmost first, hostile. A pass of DMARC (header.from = domain), DKIM (header.d = domain
 * or a parent of it that is not a bare top-level domain) or SPF (smtp.mailfrom's domain = domain or
 * within it) is AUTH_PASS; else dmarc=fail for it, or spf=fail with smtp.mailfrom in the domain and
 * no DKIM or DMARC pass, is AUTH_FAIL; else AUTH_DOUBT if anything was said about the domain.
 * Where several trusted fields report one method, the topmost counts for it: it is the one that
 * our own server wrote, below may stand what a stranger sent. A trusted field that cannot be read
 * ends the reading for the same reason. header.i serves where header.d is missing. */
enum auth_state auth_results_state(
    const char *const *values, size_t n, const char *const *trusted, const char *domain);

/* By what that was a pass, or else a fail: "dmarc", "dkim" or "spf"; NULL: it was neither. */
const char *auth_results_method(
    const char *const *values, size_t n, const char *const *trusted, const char *domain);

/* Whether DKIM alone is a pass there: a signature of the domain itself, which nobody else can make,
 * while SPF, and DMARC that rests on it, pass whoever may send for the domain. */
bool auth_results_dkim(
    const char *const *values, size_t n, const char *const *trusted, const char *domain);

/* For an entry that names a list, not a sender: either sender's domain, From's or the envelope's,
 * will do. A fail counts only where nothing else was said, for lists break the From domain's
 * signatures. */
enum auth_state auth_results_state_any(const char *const *values, size_t n,
    const char *const *trusted, const char *from, const char *envelope);

/* "pass", "fail", "softfail", "neutral", "none", "temperror", "permerror". */
enum auth_spf {
	AUTH_SPF_PASS,
	AUTH_SPF_FAIL,
	AUTH_SPF_SOFTFAIL,
	AUTH_SPF_NEUTRAL,
	AUTH_SPF_NONE,
	AUTH_SPF_TEMPERROR,
	AUTH_SPF_PERMERROR
};
const char *auth_spf_name(enum auth_spf result);
int auth_spf_by_name(const char *name); /* -1 if unknown */

/* What an SPF result for the envelope sender says about domain: if the envelope sender's domain
 * (HELO for the null sender) is not domain or within it, AUTH_DOUBT whatever the result. The null
 * sender: pass "postmaster@" and the HELO name; "" is AUTH_DOUBT. */
enum auth_state auth_spf_state(enum auth_spf result, const char *envelope_from, const char *domain);

struct auth_spf_query {
	const char *client_ip; /* textual; IPv4-mapped IPv6 is unmapped first */
	const char *helo;
	const char *envelope_from; /* "" for the null sender: postmaster@helo is checked */
};

/* Runs libspf2: in a worker only, for the library aborts its process on internal errors. dns_zone:
 * NULL for the real DNS, or the path of a file of "name|type|data" lines (the tests'): libspf2's
 * own zone layer. A loopback client, which libspf2 would let pass as anybody, is "none". libspf2
 * counts lookups (10), but not void ones, and reads about 500 bytes of a compiled record: one with
 * more than some 60 mechanisms ends in neutral. No total deadline of its own: the worker has one.
 * INVALID and TRY_AGAIN are temperror, with a text in err; no other result sets err. */
enum auth_spf auth_spf_check(
    const struct auth_spf_query *query, const char *dns_zone, struct err *err);

#endif
