/*
 * words.h: what a digest says in its own words, by gettext, and numbers, dates and times as the
 * language writes them. One language at a time for the whole process (gettext knows no other way):
 * a worker composes for one user. Not thread-safe.
 *
 * Phrases are English in the source and marked for xgettext: _("...") translates, N_("...") only
 * marks. {1} to {4} in a phrase are filled in by words_fill. What has no translation is English.
 */
#ifndef PULLYU_DIGEST_WORDS_H
#define PULLYU_DIGEST_WORDS_H

#include <stdint.h>

#include <glib.h>

#define _(text)  words_text(text)
#define N_(text) (text)

/* Chooses the language ("nl", "nl-BE", "de_AT"); one without a catalogue, and NULL, is English. The
 * catalogues are in LOCALEDIR (PULLYU_TEST_LOCALEDIR in a test build). Needs no locale of the
 * system but C.UTF-8. */
void words_use(const char *language);
/* Of the catalogue that is in use; BCP 47, as in lang="": "en", "nl". */
const char *words_language(void);
/* "ltr" or "rtl". */
const char *words_dir(void);

/* The translation of a phrase; the phrase itself if there is none. */
const char *words_text(const char *english);

/* The phrase with {1} to {4} replaced; g_free. What is filled in is not looked at again. */
char *words_fill(const char *phrase, const char *a, const char *b, const char *c, const char *d);

/* words_count("{1} message", "{1} messages", 14): the right plural form, the number filled in as
 * the language writes it; g_free. Both forms are marked for xgettext by this name. */
char *words_count(const char *one, const char *many, uint64_t n);
/* "1,234", "1.234", "1 234"; g_free. */
char *words_number(uint64_t n);

/* In the zone of when; NULL (unknown) gives the words for that. g_free. */
char *words_slot_long(GDateTime *when);  /* "Tuesday, 24 November 2026, 08:00" */
char *words_slot_short(GDateTime *when); /* "Tuesday 08:00" */
/* "Mon 23 Nov, 17:42"; with the year where it is not that of now. */
char *words_time(GDateTime *when, GDateTime *now);

#endif
