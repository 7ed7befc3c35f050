/*
 * snippet.h: the first words of a text that are its author's own. From plain text: without quotes,
 * the line that introduces them, signatures, bare addresses and lines of punctuation. From HTML:
 * without what a reader would not see (head, style, script, hidden elements). From both: without
 * "view in your browser".
 */
#ifndef PULLYU_DIGEST_SNIPPET_H
#define PULLYU_DIGEST_SNIPPET_H

#include <stddef.h>

enum {
	SNIPPET_TEXT_BYTES = 64 * 1024,  /* of a text part that are looked at */
	SNIPPET_HTML_BYTES = 512 * 1024, /* of an HTML part */
};

/* text: decoded bytes, hostile, of any charset (name as in MIME; "" or NULL if none is named).
 * Cleaned (clean.h), at most max_columns; "" if there is nothing; g_free. */
char *snippet_from_text(const char *text, size_t len, const char *charset, size_t max_columns);
char *snippet_from_html(const char *html, size_t len, const char *charset, size_t max_columns);

/* The same, but all of the text, as it stands: valid UTF-8 lines, not cleaned, at most a few times
 * SNIPPET_TEXT_BYTES; of HTML what a reader sees, block elements ending a line, and ">" before what
 * a reply quotes; g_free. */
char *snippet_lines_of_text(const char *text, size_t len, const char *charset);
char *snippet_lines_of_html(const char *html, size_t len, const char *charset);

#endif
