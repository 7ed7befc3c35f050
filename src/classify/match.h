/*
 * match.h: the regular expressions of one rule (pcre2pattern(3)): UTF-8, letters of every script,
 * case ignored. The only home of PCRE2. Once all are added, any number of threads may match.
 */
#ifndef PULLYU_CLASSIFY_MATCH_H
#define PULLYU_CLASSIFY_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

enum {
	/* pcre2api(3): steps of one match; ours take a few hundred. */
	MATCH_LIMIT = 50000,
	MATCH_DEPTH = 500,
	MATCH_HEAP_KB = 1024,
	MATCH_BYTES_MAX = 1000, /* of a value that callers should look at */
};

struct match;
struct match_scratch; /* for one thread at a time */

struct match *match_new(void);
void match_free(struct match **match);

/* RC_PERM and what is wrong with the pattern. */
enum rc match_add(struct match *match, const char *pattern, struct err *err);

struct match_scratch *match_scratch_new(void);
void match_scratch_free(struct match_scratch **scratch);

/* Whether any of the patterns is found in text, which is valid UTF-8 of len bytes. RC_TEMP if the
 * search was given up at its bounds. */
enum rc match_find(const struct match *match, struct match_scratch *scratch, const char *text,
    size_t len, bool *found_out, struct err *err);

#endif
