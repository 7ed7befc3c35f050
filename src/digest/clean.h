/*
 * clean.h: text that a stranger wrote, made fit to stand in a page or a paragraph. Pure;
 * thread-safe.
 */
#ifndef PULLYU_DIGEST_CLEAN_H
#define PULLYU_DIGEST_CLEAN_H

#include <stddef.h>

#include <glib.h>

enum {
	CLEAN_IN_MAX = 64 * 1024,
	/* As many as a letter has in languages that are written with them: points and vowels, the
	 * three parts of a Hangul syllable, a selector and a joiner in an emoji. */
	CLEAN_MARKS_MAX = 3,
};
/* Bytes of so many columns: more than the densest scripts take (decomposed Hangul and Thai: below
 * 5). */
#define CLEAN_BYTES(max_columns) (6 * (max_columns) + 16)

/* A copy (g_free) of in (any bytes; NULL counts as ""), of at most max_columns columns and
 * CLEAN_BYTES(max_columns) bytes; cut text ends in an ellipsis. The copy is valid UTF-8 and every
 * character of it is allowed in XML. Gone are control characters, line and paragraph ends,
 * bidirectional overrides, embeddings and isolates (U+202A-202E, U+2066-2069), invisible padding
 * (zero-width spaces, fillers, tags) and, of characters that take no column (marks, joiners,
 * variation selectors), all but CLEAN_MARKS_MAX behind one another, and a joiner that is repeated.
 * Blanks of every kind become one space; none stands first or last. Looks at the first CLEAN_IN_MAX
 * bytes. */
char *clean_text(const char *in, size_t max_columns);

/* Columns that a character takes in a monospaced display: 0, 1 or 2. */
size_t clean_columns(gunichar c);

#endif
