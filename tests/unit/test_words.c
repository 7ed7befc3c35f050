/*
 * test_words.c: the words of a digest in its languages: plural forms, numbers, dates and times; what
 * is used where there is no catalogue. PULLYU_TEST_LOCALEDIR names the catalogues of the build.
 */
#include <config.h>

#include "unit.h"

#include <stdlib.h>

#include <glib.h>

#include "digest/words.h"

static const struct row {
	const char *tag, *language, *title, *zero, *one, *two, *many, *slot, *shortly, *time, *year,
	    *first;
} rows[] = {
    {"en", "en", "Your digest", "0 messages", "1 message", "2 messages", "1,234,567 messages",
	"Tuesday, 24 November 2026, 08:00", "Tuesday 08:00", "Tue 24 Nov, 08:00",
	"Tue 24 Nov 2026, 08:00", "Fri 1 May, 08:00"},
    {"nl", "nl", "Je overzicht", "0 berichten", "1 bericht", "2 berichten", "1.234.567 berichten",
	"dinsdag 24 november 2026, 08:00", "dinsdag 08:00", "di 24 nov, 08:00",
	"di 24 nov 2026, 08:00", "vr 1 mei, 08:00"},
    {"de", "de",
	"Ihre \xC3\x9C"
	"bersicht",
	"0 Nachrichten", "1 Nachricht", "2 Nachrichten", "1.234.567 Nachrichten",
	"Dienstag, 24. November 2026, 08:00", "Dienstag 08:00", "Di 24. Nov., 08:00",
	"Di 24. Nov. 2026, 08:00", "Fr 1. Mai, 08:00"},
    {"fr", "fr",
	"Votre r\xC3\xA9"
	"capitulatif",
	"0 message", "1 message", "2 messages",
	"1\xE2\x80\xAF"
	"234\xE2\x80\xAF"
	"567 messages",
	"mardi 24 novembre 2026, 08:00", "mardi 08:00", "mar. 24 nov., 08:00",
	"mar. 24 nov. 2026, 08:00", "ven. 1er mai, 08:00"},
};

static int check_text(const char *label, char *got, const char *want)
{
	int failed = unit_str(label, got, want);
	g_free(got);
	return failed;
}

static char *messages(uint64_t n)
{
	return words_count("{1} message", "{1} messages", n);
}

static int check(const struct row *row)
{
	GDateTime *when = g_date_time_new_utc(2026, 11, 24, 8, 0, 0);
	GDateTime *first = g_date_time_new_utc(2026, 5, 1, 8, 0, 0);
	GDateTime *later = g_date_time_new_utc(2027, 1, 1, 8, 0, 0);
	int failed = unit_str(row->tag, words_language(), row->language);
	failed += unit_str(row->tag, words_dir(), "ltr");
	failed += unit_str(row->tag, _("Your digest"), row->title);
	failed += check_text(row->tag, messages(0), row->zero);
	failed += check_text(row->tag, messages(1), row->one);
	failed += check_text(row->tag, messages(2), row->two);
	failed += check_text(row->tag, messages(1234567), row->many);
	failed += check_text(row->tag, words_slot_long(when), row->slot);
	failed += check_text(row->tag, words_slot_short(when), row->shortly);
	failed += check_text(row->tag, words_time(when, first), row->time);
	failed += check_text(row->tag, words_time(when, later), row->year);
	failed += check_text(row->tag, words_time(first, when), row->first);
	g_date_time_unref(when);
	g_date_time_unref(first);
	g_date_time_unref(later);
	return failed;
}

/* A production build looks for catalogues where they are installed, and nowhere else. */
static void needs_hooks(void)
{
#ifndef PULLYU_TEST_HOOKS
	skip();
#endif
}

/* One after the other in one process, and back. */
static void test_languages(void **state)
{
	needs_hooks();
	int failed = 0;
	(void)state;
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
			words_use(rows[i].tag);
			failed += check(&rows[i]);
		}
	assert_int_equal(failed, 0);
}

static void test_tags(void **state)
{
	needs_hooks();
	char *huge = g_strnfill(10000, 'n');
	const struct {
		const char *tag, *want;
	} tags[] = {
	    {NULL, "en"},
	    {"", "en"},
	    {"nl-BE", "nl"},
	    {"NL_be", "nl"},
	    {"de-AT-1996", "de"},
	    {"fr-Latn", "fr"},
	    {"pt-BR", "en"},
	    {"xx", "en"},
	    {"n", "en"},
	    {"../../../../etc", "en"},
	    {"nl/../de", "nl"},
	    {"nl:de", "nl"},
	    {huge, "en"},
	    {"en-GB", "en"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(tags); i++) {
		words_use("de");
		words_use(tags[i].tag);
		failed += unit_str(tags[i].tag, words_language(), tags[i].want);
	}
	g_free(huge);
	assert_int_equal(failed, 0);
}

/* What no catalogue knows is said in English; a rule's words of an admin's own, for one. */
static void test_fallback(void **state)
{
	needs_hooks();
	(void)state;
	words_use("nl");
	assert_string_equal(
	    words_text("it is the club's monthly letter"), "it is the club's monthly letter");
	assert_string_equal(
	    words_text("it calls itself bulk mail"), "het noemt zichzelf massapost");
	assert_string_equal(words_text(""), "");
}

static void test_fill(void **state)
{
	static const struct {
		const char *phrase, *want;
	} fills[] = {
	    {"{1} from {2}, {3}", "a from {1}, c"},
	    {"({4}) {1}{1}", "(d) aa"},
	    {"{0} {5} {1", "{0} {5} {1"},
	    {"", ""},
	};
	int failed = 0;
	(void)state;
	/* What is filled in is not looked at again. */
	for (size_t i = 0; i < G_N_ELEMENTS(fills); i++)
		failed += check_text(fills[i].phrase,
		    words_fill(fills[i].phrase, "a", "{1}", "c", "d"), fills[i].want);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_languages),
	    cmocka_unit_test(test_tags),
	    cmocka_unit_test(test_fallback),
	    cmocka_unit_test(test_fill),
	};
	/* The server's own language does not matter. */
	setenv("LC_ALL", "C", 1);
	setenv("LANGUAGE", "fr", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
