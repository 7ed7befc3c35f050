/*
 * facts.h: what a message's header and envelope say, in one bounded pass. No policy, no clock, no
 * I/O beyond facts_read. One struct facts belongs to one message and to one thread at a time.
 *
 * Bounds: at most FACTS_FIELDS_MAX fields and FACTS_BYTES_MAX bytes are looked at; what comes later
 * is counted and sets FACT_TRUNCATED. A field body longer than FACTS_BODY_MAX is cut there. A field
 * that should stand once (RFC 5322 section 3.6) and stands twice: the first counts, and
 * FACT_DUPLICATE is set. All strings are valid UTF-8 without control characters, RFC 2047 decoded
 * where the field allows it (any charset iconv knows; undecodable bytes become U+FFFD), in NFC,
 * unfolded; never NULL: absent is "". They live as long as the facts.
 */
#ifndef PULLYU_FACTS_FACTS_H
#define PULLYU_FACTS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

enum {
	FACTS_FIELDS_MAX = 400,
	FACTS_BYTES_MAX = 256 * 1024,
	FACTS_BODY_MAX = 8 * 1024,
	FACTS_REFS_MAX = 32,
	FACTS_AUTH_MAX = 16,
};

/* Yes-or-no facts, by which rules are written ("fact = list-id, !reply"). The names stand in one
 * table in facts_names.h; pullyu-rules(5) explains each. More are added as rules need them. */
enum fact {
#define FACT(id, name, help) id,
#include "facts/facts_names.h"
#undef FACT
	FACT_COUNT
};

struct facts_field {
	const char *name;  /* lower case */
	const char *value; /* decoded, unfolded, trimmed */
	const char *raw;   /* unfolded, trimmed, not RFC 2047 decoded */
};

struct facts {
	uint64_t bits[(FACT_COUNT + 63) / 64];

	const char *envelope_from; /* normalised; "" for the null sender or before it is known */
	const char *from_addr;     /* first mailbox of From, normalised; "" if none parses */
	const char *from_name;     /* its display name */
	const char *sender_addr;   /* Sender */
	const char *reply_to_addr; /* first mailbox of Reply-To */
	const char *subject;
	const char *message_id;           /* with angle brackets, as it stands; "" if malformed */
	const char *list_id;              /* the identifier inside the angle brackets, lower case */
	const char *refs[FACTS_REFS_MAX]; /* In-Reply-To, then References from the newest */
	size_t n_refs;
	const char *auth_results[FACTS_AUTH_MAX]; /* Authentication-Results, topmost first, raw */
	size_t n_auth_results;
	size_t from_count, to_count, cc_count; /* mailboxes named */

	struct facts_field *fields; /* in the order of the message */
	size_t n_fields;
	/* Parts of fields that rules may name as fields ("from:domain"); the colon keeps them apart
	 * from what a sender can write. They are listed in pullyu-rules(5). */
	struct facts_field *derived;
	size_t n_derived;
	size_t n_bytes; /* of header fields seen, looked at or not */

	struct facts_private *priv; /* own: arena and scratch */
};

struct facts *facts_new(void);
void facts_free(struct facts **facts);

/* MAIL FROM as received ("<>" or "" for the null sender) and each RCPT TO as received. May be left
 * out where the envelope is not known; then a Return-Path field, if any, serves. */
void facts_envelope_from(struct facts *facts, const char *mail_from);
void facts_envelope_rcpt(struct facts *facts, const char *rcpt);
/* One header field, as libmilter gives it: the value may be folded ("\n\t") and may lead with a
 * space; any bytes. */
void facts_header(struct facts *facts, const char *name, const char *value);
/* After the last field: computes what needs all of them. */
void facts_end(struct facts *facts);

static inline bool facts_has(const struct facts *facts, enum fact fact)
{
	return (facts->bits[fact / 64] >> (fact % 64) & 1) != 0;
}

/* The first field of that name (lower case); NULL if absent. */
const struct facts_field *facts_field_find(const struct facts *facts, const char *name);

/* Whether this is a name that "derived" may hold. */
bool facts_derived_exists(const char *name);

/* Name of a fact, and back: -1 if unknown. */
const char *facts_name(enum fact fact);
int facts_by_name(const char *name);

/* Reads a header from fd, from its current offset to the first empty line or the end, and ends the
 * facts. LF and CRLF; an mbox "From " line is skipped; a file that does not start with a field
 * counts as having none. *header_len_out: bytes up to and including the empty line. RC_TEMP if
 * reading fails; never RC_PERM: what cannot be parsed yields fewer facts. */
enum rc facts_read(struct facts *facts, int fd, uint64_t *header_len_out, struct err *err);

#endif
