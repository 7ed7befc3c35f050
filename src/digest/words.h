/*
 * words.h: what a digest says in its own words, one table a language. Pure; thread-safe.
 *
 * {1}, {2}, {3} in a phrase are filled in by words_fill. A phrase that counts stands twice: for
 * one, and for any other number.
 */
#ifndef PULLYU_DIGEST_WORDS_H
#define PULLYU_DIGEST_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

enum {
	WORDS_NOTIFICATION,
	WORDS_NEWSLETTER,
	WORDS_DISCUSSION,
	WORDS_TRANSACTIONAL,
	WORDS_OTHER,
	WORDS_CLASSES
};

struct words {
	const char *language;                        /* BCP 47, as in lang="" */
	const char *dir;                             /* "ltr" or "rtl" */
	const char *weekdays[7], *weekdays_short[7]; /* Monday first */
	const char *months[12], *months_short[12];
	const char *slot_long;  /* weekday, "24 November 2026", time */
	const char *slot_short; /* weekday, time */
	const char *day_year;   /* day, month, year */
	const char *day_month;  /* day, month */
	const char *when;       /* weekday, "24 Nov" or "24 Nov 2025", time */
	const char *no_time;    /* an unknown time */
	const char *decimal;    /* in "1.4 MB" */
	const char *bytes_one, *bytes_many;
	const char *kilobytes, *megabytes, *gigabytes;
	const char *messages_one, *messages_many, *senders_one, *senders_many;
	const char *subject;  /* header Subject: messages, senders, slot_short */
	const char *title;    /* heading of the page */
	const char *headline; /* messages, senders */
	const char *notices, *notices_more;
	const char *classes[WORDS_CLASSES];
	const char *no_subject, *no_sender;
	const char *from; /* in an entry, where a group of one address has many names: name */
	const char *list; /* mailing list */
	const char *why;
	const char *closing_attached, *closing_folder, *closing_inbox;
	const char *closing_waits; /* user */
};

/* The table of a language ("nl", "nl-BE"); English for one that has no table yet, and for NULL. */
const struct words *words_for(const char *language);

/* The phrase with {1}, {2}, {3} replaced; g_free. What is filled in is not looked at again. */
char *words_fill(const char *phrase, const char *a, const char *b, const char *c);

/* "1 message", "14 messages": one where n is 1, else many with {1}; g_free. */
char *words_count(const char *one, const char *many, uint64_t n);

/* "812 bytes", "12 kB", "1.4 MB": powers of 1,000; g_free. */
char *words_size(const struct words *words, uint64_t bytes);

/* when may be NULL (unknown). In the zone of when. g_free. words_time leaves out the year where
 * it is that of now. */
char *words_slot_long(const struct words *words, GDateTime *when);
char *words_slot_short(const struct words *words, GDateTime *when);
char *words_time(const struct words *words, GDateTime *when, GDateTime *now);

#endif
