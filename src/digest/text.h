/*
 * text.h: a digest as plain text. Pure.
 */
#ifndef PULLYU_DIGEST_TEXT_H
#define PULLYU_DIGEST_TEXT_H

#include <stddef.h>

#include <glib.h>

#include "digest/outline.h"

enum {
	TEXT_COLUMNS = 72,
	TEXT_LINE_BYTES = 900, /* below the 998 of RFC 5322 section 2.1.1 */
};

/* UTF-8 with LF lines of at most TEXT_COLUMNS columns and TEXT_LINE_BYTES bytes, but for addresses
 * to unsubscribe, which stand on one line each; g_free. */
char *text_render(const struct outline *outline);

/* Appends text (cleaned) to out as lines that begin with first, then with rest (blanks). A
 * word too long for a line, and text of wide characters, breaks anywhere; nothing is lost but the
 * spaces at the breaks. */
void text_wrap(GString *out, const char *text, const char *first, const char *rest);

/* Appends each words, and behind it what it means, in two columns. */
void text_rows(GString *out, const struct outline_words *rows, size_t n);

#endif
