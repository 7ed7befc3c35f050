/*
 * phrases.h: finds any of many phrases in a text in one walk over it (Aho and Corasick, 1975), so
 * that the cost grows with the text and not with the number of phrases. Build, compile, then scan
 * from any number of threads.
 */
#ifndef PULLYU_CLASSIFY_PHRASES_H
#define PULLYU_CLASSIFY_PHRASES_H

#include <stdbool.h>
#include <stddef.h>

struct phrases;

enum phrase_kind {
	PHRASE_WORDS,  /* whole words, unless it begins or ends in "*"; scripts without spaces
			* between words (Japanese, Chinese, Thai ...) have no such bounds */
	PHRASE_WHOLE,  /* the whole text */
	PHRASE_DOMAIN, /* a domain name at the end of the text or before a blank, or one below it */
};

enum { PHRASE_BYTES_MAX = 300 };

struct phrases *phrases_new(void);
void phrases_free(struct phrases **phrases);
/* phrase is UTF-8 as a person types it. Returns false if nothing is left of it once folded, or it
 * is too long. id is handed back by the scan. */
bool phrases_add(struct phrases *phrases, const char *phrase, enum phrase_kind kind, size_t id);
void phrases_compile(struct phrases *phrases);

typedef void phrases_found_fn(void *ctx, size_t id, size_t at, size_t len);
/* text is folded (fold.h). A phrase that stands several times is reported each time. */
void phrases_scan(
    const struct phrases *phrases, const char *text, size_t len, phrases_found_fn *fn, void *ctx);

#endif
