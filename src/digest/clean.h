/*
 * clean.h: text that a stranger wrote, made fit to stand in a page or a paragraph. Pure;
 * thread-safe.
 */
#ifndef PULLYU_DIGEST_CLEAN_H
#define PULLYU_DIGEST_CLEAN_H

#include <stddef.h>

#include <glib.h>

/* A copy (g_free) of in (any bytes; NULL counts as ""), of at most max_columns columns; cut text
 * ends in an ellipsis. The copy is valid UTF-8 and every character of it is allowed in XML. Gone
 * are control characters, line and paragraph ends, bidirectional overrides, embeddings and
 * isolates (U+202A-202E, U+2066-2069), invisible padding (zero-width spaces, fillers, tags, runs of
 * joiners and variation selectors) and all but three combining marks behind one another. Blanks of
 * every kind become one space; none stands first or last. Looks at the first CLEAN_IN_MAX bytes. */
enum { CLEAN_IN_MAX = 64 * 1024 };
char *clean_text(const char *in, size_t max_columns);

/* Columns that a character takes in a monospaced display: 0, 1 or 2. */
size_t clean_columns(gunichar c);

#endif
