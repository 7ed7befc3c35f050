/*
 * text.h: the text of a mail as its reader typed it, without what clients and phones make of it.
 * Pure; thread-safe. Everything that comes in is hostile and bounded by the caller.
 */
#ifndef PULLYU_COMMAND_TEXT_H
#define PULLYU_COMMAND_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 with plain quotes, hyphens and blanks for the typographic ones, and without
 * characters that cannot be seen. Control characters stay, but for CR (gone) and TAB (a blank).
 * g_free. */
char *text_plain(const char *text);

/* In lower case and without accents, for comparing; g_free. */
char *text_fold(const char *text);

struct text_lines {
	size_t n;
	struct text_line {
		char *text;  /* own; trimmed, without quote marks */
		bool quoted; /* it stood behind ">" */
		bool full;   /* it was so long that the client may have broken it there */
	} * rows;            /* own */
};

/* The lines of a plain text, up to a signature ("-- "). */
void text_lines_split(const char *plain, struct text_lines *lines_out);
void text_lines_clear(struct text_lines *lines);

/* The first line that says something: no quotation, and no "On Monday Ann wrote:" in front of one.
 * Borrowed from lines; NULL if there is none. */
const char *text_first(const struct text_lines *lines);

#endif
