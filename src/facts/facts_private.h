/*
 * facts_private.h: what the parts of facts share. Not for callers.
 */
#ifndef PULLYU_FACTS_PRIVATE_H
#define PULLYU_FACTS_PRIVATE_H

#include "base/addr.h"
#include "facts/facts.h"

enum {
	ARENA_FIRST = 24 * 1024, /* holds an average message's strings without a second chunk */
	ARENA_CHUNK = 64 * 1024,
	DERIVED_MAX = 64,
	RCPTS_MAX = 64, /* envelope recipients compared with To and Cc */
	NAME_MAX_BYTES = 128,
};

struct chunk {
	struct chunk *next; /* own */
	size_t used, size;
	char data[];
};

/* A field before it is decoded: unfolded and trimmed, otherwise the sender's bytes. */
struct body {
	const char *bytes; /* NUL-terminated */
	size_t len;
	bool plain; /* printable ASCII without "=?": needs no decoding */
};

struct facts_private {
	struct chunk *chunks; /* own; the newest first, the last one is first_chunk's memory */
	struct facts_field fields[FACTS_FIELDS_MAX];
	struct body bodies[FACTS_FIELDS_MAX];
	struct facts_field derived[DERIVED_MAX];
	const char *rcpts[RCPTS_MAX];
	size_t n_rcpts;
	bool envelope_known;
	bool ended;
};

/* Memory that lives as long as the facts; never NULL. */
char *facts_alloc(struct facts *facts, size_t size);
const char *facts_strndup(struct facts *facts, const char *s, size_t len);
static inline void facts_set(struct facts *facts, enum fact fact)
{
	facts->bits[fact / 64] |= UINT64_C(1) << (fact % 64);
}

/* facts_decode.c. Text of an unstructured field or a phrase: RFC 2047 words decoded, raw bytes
 * taken as UTF-8 or, where they are not, as charset (may be NULL) or windows-1252; no control
 * characters; trimmed. At most FACTS_BODY_MAX bytes. */
const char *facts_decode(struct facts *facts, const char *bytes, size_t len, const char *charset);
/* The same without RFC 2047. */
const char *facts_decode_raw(
    struct facts *facts, const char *bytes, size_t len, const char *charset);

/* facts_addr.c. Calls fn for each mailbox of an address list (RFC 5322 section 3.4, groups too),
 * in order, until fn returns false. name is the undecoded display name or comment ("" if none),
 * addr the text that should be an address. Returns the number of mailboxes. Does not recurse. */
typedef bool facts_mailbox_fn(void *ctx, const char *name, const char *addr);
size_t facts_mailboxes(const char *list, facts_mailbox_fn *fn, void *ctx);

/* A parameter of a field such as Content-Type, in lower case; whether it is there. */
bool facts_param(const char *body, const char *name, char *out, size_t size);

/* Adds a part of a field for rules; an empty value adds nothing. value lives as long as facts. */
void facts_derived_add(struct facts *facts, const char *name, const char *value);

/* facts_derive.c: everything that facts_end computes. */
void facts_derive(struct facts *facts);

#endif
