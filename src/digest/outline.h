/*
 * outline.h: what a digest says, before it takes a form: cleaned, sorted, grouped by class,
 * service, sender or list, folded. Text and HTML are two renderings of it, so that they cannot say
 * different things. Pure but for the language in use (words.h).
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
	OUTLINE_QUIET_MAX = 3,
	OUTLINE_WORDS_MAX = 5,
};

/* What the originals tell beyond the index; each array has one an entry, or is NULL. */
struct outline_details {
	const struct origin *origins;   /* foreign */
	const struct excerpt *excerpts; /* foreign */
};

/* By which the reader answers; uri NULL: there is none. */
struct outline_link {
	const char *label; /* "Let through" */
	const char *name;  /* "Let through: news@shop.example"; NULL: the label */
	const char *uri;   /* mailto:, see actions.h */
};

/* One or several messages of one sender or thread. All strings are cleaned (clean.h), in the
 * user's language, and owned by the outline; NULL: nothing to say. */
struct outline_entry {
	const char *name;       /* the sender's display name, else the address; never NULL */
	const char *addr;       /* the address; NULL if it is the name */
	const char *unverified; /* "unverified sender" */
	const char *subject;    /* the newest; never NULL */
	const char *count;      /* "3 messages"; NULL for one */
	const char *others; /* "Also: B; C; and 4 more": subjects of older messages, newest first */
	const char *when;   /* of the newest; never NULL */
	const char *snippet;     /* of the newest */
	const char *attached;    /* "Attached: plan.pdf, map.png and 2 more" */
	const char *why;         /* "Held because ..." */
	const char *unsubscribe; /* "Unsubscribe at news.example" */
	const char
	    *unsubscribe_uri;  /* https: or mailto:, printable ASCII without quotes or <>; NULL
					with unsubscribe */
	bool unsubscribe_link; /* following it changes nothing by itself: it may be a link */
	size_t n;              /* messages, 1 or more, each counted once */
	const struct digest_entry *const *messages; /* in outline.order; the first is the newest */
	size_t n_messages;                          /* of them, by whatever way each came */
	const char *number;                         /* "3."; NULL: it need not be named */
	struct outline_link allow, hold, send;
};

/* A sender of whom the reader wants nothing, it seems. */
struct outline_quiet {
	const char *text;                          /* "You have released nothing of ..." */
	const char *unsubscribe, *unsubscribe_uri; /* as in an entry; NULL: not known */
	bool unsubscribe_link;
};

/* What can be written in an answer. */
struct outline_words {
	const char *words, *meaning; /* "release 3 5" */
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
	/* The first says what the others are: they come as the program words them, in English. */
	const char *notices[OUTLINE_NOTICES_MAX + 2];
	size_t n_notices;
	struct outline_section sections[OUTLINE_SECTIONS]; /* those with entries, in order */
	size_t n_sections;
	const char *closing,
	    *waits;            /* where the originals are; what comes next, and where to look */
	const char *shortened; /* for a page that had to leave out details */
	const char *unlinked;  /* and the links of entries too */
	bool has_links;        /* an entry has one */
	struct outline_link all, times, pause, help;
	const char *answer_how; /* "You can also reply ...:"; NULL: answers are not taken */
	struct outline_words words[OUTLINE_WORDS_MAX]; /* behind it, one a line */
	size_t n_words;
	const char *answer; /* the same in one sentence */
	const char *quiet_heading;
	struct outline_quiet quiet[OUTLINE_QUIET_MAX];
	size_t n_quiet;

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
/* Tells digest->numbered what each entry's number stands for. */
void outline_number(const struct outline *outline, const struct digest *digest);
void outline_free(struct outline **outline);

#endif
