/*
 * letter.h: what a reader sees of a letter that is a page: its text without head, style, script and
 * what its styles hide, a line a block element. Reads hostile HTML with libxml2.
 */
#ifndef PULLYU_DIGEST_LETTER_H
#define PULLYU_DIGEST_LETTER_H

#include <stdbool.h>
#include <stddef.h>

/* charset: of html, a name that libxml2 knows; NULL: the page says, or does not. About max bytes of
 * valid UTF-8, blanks and all; len fits an int. mark_quotes: the lines of what a reply quotes begin
 * with ">", as in plain text. g_free. */
char *letter_text(const char *html, size_t len, const char *charset, size_t max, bool mark_quotes);

#endif
