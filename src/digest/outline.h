/*
 * outline.h: what a digest says, before it takes a form: cleaned, sorted, grouped by class and
 * sender. Text and HTML are two renderings of it, so that they cannot say different things. Pure;
 * one outline belongs to one thread.
 */
#ifndef PULLYU_DIGEST_OUTLINE_H
#define PULLYU_DIGEST_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include "base/rc.h"
#include "digest/digest.h"
#include "digest/words.h"

enum { OUTLINE_ENTRIES_MAX = 20000, OUTLINE_NOTICES_MAX = 20 };

/* All strings: cleaned (clean.h), owned by the outline. */
struct outline_entry {
	const struct digest_entry *source; /* foreign */
	const char *subject;               /* or the words for none */
	const char *from; /* "From ...", where the group does not tell; else NULL */
	const char *list; /* "List ...", in discussions; else NULL */
	const char *when, *size;
	const char *why; /* "Why held: ...", or NULL */
};

struct outline_sender {
	const char *name; /* as the messages give it; NULL if they give none, or several */
	const char *addr; /* or the words for none */
	struct outline_entry *entries;
	size_t n;
};

struct outline_class {
	const char *heading;
	struct outline_sender *senders;
	size_t n;
	size_t n_entries;
};

struct outline {
	const struct words *words; /* foreign, for ever */
	const char *subject;       /* of the digest message; one line */
	const char *headline;      /* "14 messages from 9 senders" */
	const char *slot;          /* "Tuesday, 24 November 2026, 08:00 (Europe/Amsterdam)" */
	const char *notices[OUTLINE_NOTICES_MAX + 1];
	size_t n_notices;
	struct outline_class classes[WORDS_CLASSES]; /* those with entries, in their order */
	size_t n_classes;
	const char *closing, *waits;

	/* In the order in which the summary names them: classes, senders, time. */
	struct outline_entry *entries; /* own */
	size_t n_entries;
	struct outline_sender *senders; /* own */
	GStringChunk *text;             /* own: every string above */
};

/* RC_PERM: more entries than OUTLINE_ENTRIES_MAX. */
enum rc outline_new(const struct digest *digest, struct outline **outline_out, struct err *err);
void outline_free(struct outline **outline);

#endif
