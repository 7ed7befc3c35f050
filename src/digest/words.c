/*
 * words.c: see words.h. gettext wants a locale before it looks at LANGUAGE, and any but "C" will
 * do: C.UTF-8 is part of glibc itself, so that no locale has to be made on the server for a
 * language.
 */
#include <config.h>

#include "digest/words.h"

#include <libintl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN "pullyu"

/* Between a context and its text in a catalogue (gettext manual, "Preparing for contexts"). */
#define CONTEXT_END "\004"

enum { SUBTAG_MAX = 8, TAG_MAX = 2 * SUBTAG_MAX + 2 };

/* To be counted up when LANGUAGE changes (gettext manual, section 11.5). */
extern int _nl_msg_cat_cntr;

static const char *directory(void)
{
	const char *path = NULL;
#ifdef PULLYU_TEST_HOOKS
	path = getenv("PULLYU_TEST_LOCALEDIR");
#endif
	return path == NULL ? PULLYU_LOCALEDIR : path;
}

static size_t letters(const char *text)
{
	size_t n = 0;
	while (g_ascii_isalpha(text[n]))
		n++;
	return n >= 2 && n <= SUBTAG_MAX ? n : 0;
}

/* "nl-BE" and "nl_be" become "nl_BE"; what is no tag becomes English. */
static void read_tag(const char *tag, char out[TAG_MAX])
{
	size_t n = tag == NULL ? 0 : letters(tag);
	size_t region = n == 0 || (tag[n] != '-' && tag[n] != '_') ? 0 : letters(tag + n + 1);
	char *lower = n == 0 ? g_strdup("en") : g_ascii_strdown(tag, (gssize)n);
	char *upper = region != 2 ? g_strdup("") : g_ascii_strup(tag + n + 1, 2);
	g_snprintf(out, TAG_MAX, "%s%s%s", lower, upper[0] == '\0' ? "" : "_", upper);
	g_free(lower);
	g_free(upper);
}

void words_use(const char *language)
{
	static bool bound;
	char tag[TAG_MAX];
	read_tag(language, tag);
	if (!bound) {
		bindtextdomain(DOMAIN, directory());
		bind_textdomain_codeset(DOMAIN, "UTF-8");
		setlocale(LC_MESSAGES, "C.UTF-8");
		bound = true;
	}
	setenv("LANGUAGE", tag, 1);
	_nl_msg_cat_cntr++;
}

/* The translation of a phrase that means different things in different places. */
static const char *words_in(const char *context, const char *english)
{
	char *key = g_strconcat(context, CONTEXT_END, english, NULL);
	const char *found = dgettext(DOMAIN, key);
	bool translated = found != key;
	g_free(key);
	return translated ? found : english;
}

const char *words_language(void)
{
	/* Translators: the BCP 47 tag of your language. */
	return words_in("language", "en");
}

const char *words_dir(void)
{
	/* Translators: "rtl" if your language is written from right to left. */
	return words_in("direction", "ltr");
}

const char *words_text(const char *english)
{
	/* The translation of "" is the catalogue's header. */
	return english[0] == '\0' ? english : dgettext(DOMAIN, english);
}

char *words_fill(const char *phrase, const char *a, const char *b, const char *c, const char *d)
{
	const char *const values[] = {a, b, c, d};
	GString *out = g_string_new(NULL);
	for (const char *p = phrase; *p != '\0'; p++) {
		if (p[0] == '{' && p[1] >= '1' && p[1] <= '4' && p[2] == '}' &&
		    values[p[1] - '1'] != NULL) {
			g_string_append(out, values[p[1] - '1']);
			p += 2;
		} else {
			g_string_append_c(out, *p);
		}
	}
	return g_string_free(out, FALSE);
}

char *words_number(uint64_t n)
{
	char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, n);
	GString *out = g_string_new(NULL);
	size_t len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			g_string_append(out, words_in("thousands", ","));
		g_string_append_c(out, digits[i]);
	}
	g_free(digits);
	return g_string_free(out, FALSE);
}

char *words_count(const char *one, const char *many, uint64_t n)
{
	char *number = words_number(n);
	char *text =
	    words_fill(dngettext(DOMAIN, one, many, (unsigned long)n), number, NULL, NULL, NULL);
	g_free(number);
	return text;
}

/* ---- dates and times ---- */

static const char *weekday(GDateTime *when, bool is_short)
{
	switch (g_date_time_get_day_of_week(when)) {
	case 1:
		return is_short ? words_in("short weekday", "Mon") : words_in("weekday", "Monday");
	case 2:
		return is_short ? words_in("short weekday", "Tue") : words_in("weekday", "Tuesday");
	case 3:
		return is_short ? words_in("short weekday", "Wed")
				: words_in("weekday", "Wednesday");
	case 4:
		return is_short ? words_in("short weekday", "Thu")
				: words_in("weekday", "Thursday");
	case 5:
		return is_short ? words_in("short weekday", "Fri") : words_in("weekday", "Friday");
	case 6:
		return is_short ? words_in("short weekday", "Sat")
				: words_in("weekday", "Saturday");
	default:
		return is_short ? words_in("short weekday", "Sun") : words_in("weekday", "Sunday");
	}
}

static const char *month_long(int month)
{
	switch (month) {
	case 1:
		return words_in("month", "January");
	case 2:
		return words_in("month", "February");
	case 3:
		return words_in("month", "March");
	case 4:
		return words_in("month", "April");
	case 5:
		return words_in("month", "May");
	case 6:
		return words_in("month", "June");
	case 7:
		return words_in("month", "July");
	case 8:
		return words_in("month", "August");
	case 9:
		return words_in("month", "September");
	case 10:
		return words_in("month", "October");
	case 11:
		return words_in("month", "November");
	default:
		return words_in("month", "December");
	}
}

static const char *month_short(int month)
{
	switch (month) {
	case 1:
		return words_in("short month", "Jan");
	case 2:
		return words_in("short month", "Feb");
	case 3:
		return words_in("short month", "Mar");
	case 4:
		return words_in("short month", "Apr");
	case 5:
		return words_in("short month", "May");
	case 6:
		return words_in("short month", "Jun");
	case 7:
		return words_in("short month", "Jul");
	case 8:
		return words_in("short month", "Aug");
	case 9:
		return words_in("short month", "Sep");
	case 10:
		return words_in("short month", "Oct");
	case 11:
		return words_in("short month", "Nov");
	default:
		return words_in("short month", "Dec");
	}
}

static char *clock_text(GDateTime *when)
{
	return g_strdup_printf(
	    "%02d:%02d", g_date_time_get_hour(when), g_date_time_get_minute(when));
}

static char *date_text(GDateTime *when, const char *month, bool with_year)
{
	int day_number = g_date_time_get_day_of_month(when);
	/* Translators: the first day of a month, where it is written in another way. */
	char *day = day_number == 1 ? g_strdup(words_in("day of month", "1"))
				    : g_strdup_printf("%d", day_number);
	char *year = g_strdup_printf("%d", g_date_time_get_year(when));
	/* Translators: day, month, year. */
	const char *phrase =
	    with_year ? words_in("date", "{1} {2} {3}") : words_in("date", "{1} {2}");
	char *text = words_fill(phrase, day, month, year, NULL);
	g_free(day);
	g_free(year);
	return text;
}

static char *unknown(void)
{
	return g_strdup(_("at an unknown time"));
}

char *words_slot_long(GDateTime *when)
{
	if (when == NULL)
		return unknown();
	char *date = date_text(when, month_long(g_date_time_get_month(when)), true);
	char *clock = clock_text(when);
	/* Translators: weekday, date with year, time. */
	char *text =
	    words_fill(words_in("slot", "{1}, {2}, {3}"), weekday(when, false), date, clock, NULL);
	g_free(date);
	g_free(clock);
	return text;
}

char *words_slot_short(GDateTime *when)
{
	if (when == NULL)
		return unknown();
	char *clock = clock_text(when);
	/* Translators: weekday, time. */
	char *text =
	    words_fill(words_in("slot", "{1} {2}"), weekday(when, false), clock, NULL, NULL);
	g_free(clock);
	return text;
}

char *words_time(GDateTime *when, GDateTime *now)
{
	if (when == NULL)
		return unknown();
	bool this_year = now != NULL && g_date_time_get_year(when) == g_date_time_get_year(now);
	char *date = date_text(when, month_short(g_date_time_get_month(when)), !this_year);
	char *clock = clock_text(when);
	/* Translators: short weekday, date, time. */
	char *text =
	    words_fill(words_in("time", "{1} {2}, {3}"), weekday(when, true), date, clock, NULL);
	g_free(date);
	g_free(clock);
	return text;
}
