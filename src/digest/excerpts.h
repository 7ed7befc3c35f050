/*
 * excerpts.h: the excerpts of all messages of a digest, read by processes that may die: a message
 * that kills its reader, or takes too long, costs its own excerpt and no other.
 */
#ifndef PULLYU_DIGEST_EXCERPTS_H
#define PULLYU_DIGEST_EXCERPTS_H

#include "base/rc.h"
#include "digest/digest.h"
#include "digest/excerpt.h"

enum {
	EXCERPTS_MESSAGE_MS = 2000, /* wall clock for one message */
	EXCERPTS_TOTAL_MS = 40000,  /* for all of them; the rest have none */
};

/* One an entry, in the order of digest->entries; free with excerpts_free. Never fails: what cannot
 * be read has an empty excerpt (snippet ""). */
struct excerpt *excerpts_read(const struct digest *digest);
void excerpts_free(struct excerpt *excerpts, size_t n);

#endif
