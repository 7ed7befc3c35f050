/*
 * excerpt.h: what one held message's body offers for its entry in the digest: two lines of its own
 * text and the names of what is attached. Reads hostile MIME with GMime and hostile HTML with
 * libxml2, which may die or loop of it: called in a reader process of its own (excerpts.h).
 */
#ifndef PULLYU_DIGEST_EXCERPT_H
#define PULLYU_DIGEST_EXCERPT_H

#include <stddef.h>
#include <stdint.h>

enum {
	EXCERPT_COLUMNS = 400, /* more than is shown: the subject may be its beginning */
	EXCERPT_NAMES = 3,     /* attachments named; more are counted */
	EXCERPT_NAME_COLUMNS = 60,
	EXCERPT_TEXT_MAX = 16000, /* bytes */
};

struct excerpt {
	char *snippet; /* own; cleaned (clean.h), at most EXCERPT_COLUMNS; "" if none */
	char *names[EXCERPT_NAMES]; /* own; cleaned; NULL from the first that is not there */
	size_t n_attachments;       /* all of them, named or not */
};

/* Reads the message that begins at `lead` in fd. Never fails: what cannot be read yields less. */
void excerpt_read(int fd, uint64_t lead, struct excerpt *excerpt_out);
void excerpt_clear(struct excerpt *excerpt);

/* The lines of the part that a reader would read first: valid UTF-8, hostile, the first
 * EXCERPT_TEXT_MAX bytes; "" if there is none; g_free. */
char *excerpt_text(int fd, uint64_t lead);

#endif
