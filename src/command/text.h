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

/* Clients make a link of an address, and the text form of that has both:
 * "a@b.example<mailto:a@b.example>", also with a blank between. Whether link, with or without "<"
 * and ">", is such a one of word, an address, "@b.example" or "list:b.example"; what stands behind
 * a "<" in word does not matter. */
bool text_is_link_to(const char *link, const char *word);

struct text_lines {
	size_t n;
	struct text_line {
		char *text;  /* own; trimmed, without quote marks */
		bool quoted; /* it stood behind ">" */
		bool full;   /* it was so long that the client may have broken it there */
	} * rows;            /* own */
};

/* The lines of a plain text, up to a signature ("-- "). What a client puts under a reply without
 * quote marks, "-----Original Message-----" or "From: ... Sent: ..." and all that follows, is
 * quoted. */
void text_lines_split(const char *plain, struct text_lines *lines_out);
void text_lines_clear(struct text_lines *lines);

/* The first line from *at on that says something: it is not empty and no quotation. *at moves on.
 * *doubtful_out: it is, or begins, what seems to be "On Monday Ann wrote:" in front of a quotation,
 * and then *at is behind all of that: it counts if it is understood in full, else the next does.
 * Borrowed from lines; NULL if there is none. */
const struct text_line *text_next(const struct text_lines *lines, size_t *at, bool *doubtful_out);

#endif
