/*
 * answer_words.h: what an answer says, before it takes a form: cleaned, in the user's language.
 * Text and page are two renderings of it. Pure but for the language in use (words.h).
 */
#ifndef PULLYU_DIGEST_ANSWER_WORDS_H
#define PULLYU_DIGEST_ANSWER_WORDS_H

#include <glib.h>

#include "digest/actions.h"
#include "digest/answer.h"
#include "digest/outline.h"

enum { ANSWER_LINES_MAX = 300, ANSWER_SECTIONS = 4 };

struct answer_section {
	const char *heading; /* "Let through"; NULL: none */
	const char *lines[ANSWER_LINES_MAX + 1];
	size_t n;
};

/* All strings are cleaned and owned by it; NULL: nothing to say. */
struct answer_words {
	const char *lang, *dir;
	const char *subject;                             /* one line */
	const char *said;                                /* a sentence or two */
	struct answer_section sections[ANSWER_SECTIONS]; /* those with n > 0 count */
	struct outline_link undo, times;                 /* uri NULL: no such link */
	const char *undo_how;                            /* before the link, in the text */
	const char *help_how, *help_notes;               /* before and behind the rows */
	struct outline_words rows[ACTION_WORDS];
	size_t n_rows;
	GStringChunk *text; /* own */
};

struct answer_words *answer_words_new(const struct answer *answer);
void answer_words_free(struct answer_words **words);

#endif
