/*
 * outline.h: what a digest says, before it takes a form: cleaned, sorted, grouped by class, service,
 * sender or list, folded. Text and HTML are two renderings of it, so that they cannot say different
 * things. Pure but for the language in use (words.h).
 */
#ifndef PULLYU_DIGEST_OUTLINE_H
#define PULLYU_DIGEST_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include "base/rc.h"
#include "digest/digest.h"
#include "digest/excerpt.h"
#include "digest/origin.h"

enum {
	OUTLINE_ENTRIES_MAX = 20000,
	OUTLINE_NOTICES_MAX = 20,
	OUTLINE_OTHERS_MAX = 3, /* older subjects named in an entry */
	OUTLINE_SECTIONS = 5,
};

/* What the originals tell beyond the index; each array has one an entry, or is NULL. */
struct outline_details {
	const struct origin *origins;   /* foreign */
	const struct excerpt *excerpts; /* foreign */
};

/* One or several messages of one sender or thread. All strings are cleaned (clean.h), in the
 * user's language, and owned by the outline; NULL: nothing to say. */
struct outline_entry {
	const char *name;       /* the sender's display name, else the address; never NULL */
	const char *addr;       /* the address; NULL if it is the name */
	const char *unverified; /* "unverified sender" */
	const char *subject;    /* the newest; never NULL */
	const char *count;      /* "3 messages"; NULL for one */
	const char *others[OUTLINE_OTHERS_MAX]; /* subjects of older messages, newest first */
	size_t n_others;
	const char *more;        /* "and 4 more" */
	const char *when;        /* of the newest; never NULL */
	const char *snippet;     /* of the newest */
	const char *attached;    /* "Attached: plan.pdf, map.png and 2 more" */
	const char *why;         /* "Held because ..." */
	const char *unsubscribe; /* "Unsubscribe at news.example" */
	const char
	    *unsubscribe_uri;  /* https: or mailto:, printable ASCII without quotes or <>; NULL
					with unsubscribe */
	bool unsubscribe_link; /* following it changes nothing by itself: it may be a link */
	size_t n;              /* messages, 1 or more */
};

/* A service, or a list; or, without heading, all senders of a section. */
struct outline_group {
	const char *heading; /* or NULL */
	struct outline_entry *entries;
	size_t n;
};

struct outline_section {
	const char *heading; /* "Newsletters" */
	const char *count;   /* of messages: "6" */
	struct outline_group *groups;
	size_t n;
};

struct outline {
	const char *lang, *dir; /* of the page */
	const char *title;      /* "Your digest" or "Your digest, part 1 of 3" */
	const char *subject;    /* of the digest message; one line */
	const char *headline;   /* "14 messages from 9 senders" */
	const char *slot;       /* "Tuesday, 24 November 2026, 08:00 (Europe/Amsterdam)" */
	const char *notices_heading;
	const char *notices[OUTLINE_NOTICES_MAX + 1];
	size_t n_notices;
	struct outline_section sections[OUTLINE_SECTIONS]; /* those with entries, in order */
	size_t n_sections;
	const char *closing,
	    *waits;            /* where the originals are; what comes next, and where to look */
	const char *shortened; /* for a page that had to leave out details */

	size_t n_entries; /* of all sections together */
	/* Every held message once, in the order of the summary: what is attached, in this order. */
	const struct digest_entry **order; /* own; of foreign */
	size_t n_messages;

	struct outline_entry *entries; /* own */
	struct outline_group *groups;  /* own */
	size_t n_groups;               /* of all sections together */
	GStringChunk *text;            /* own: every string above that is no phrase of words.h */
};

/* details may be NULL. RC_PERM: more entries than OUTLINE_ENTRIES_MAX. */
enum rc outline_new(const struct digest *digest, const struct outline_details *details,
    struct outline **outline_out, struct err *err);
void outline_free(struct outline **outline);

#endif
