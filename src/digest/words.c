/*
 * words.c: see words.h.
 */
#include <config.h>

#include "digest/words.h"

#include <stdbool.h>
#include <string.h>

static const struct words tables[] = {
    {
	.language = "en",
	.dir = "ltr",
	.weekdays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
	.weekdays_short = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
	.months = {"January", "February", "March", "April", "May", "June", "July", "August",
	    "September", "October", "November", "December"},
	.months_short = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	    "Nov", "Dec"},
	.slot_long = "{1}, {2}, {3}",
	.slot_short = "{1} {2}",
	.day_year = "{1} {2} {3}",
	.when = "{1} {2}, {3}",
	.day_month = "{1} {2}",
	.no_time = "at an unknown time",
	.decimal = ".",
	.bytes_one = "1 byte",
	.bytes_many = "{1} bytes",
	.kilobytes = "{1} kB",
	.megabytes = "{1} MB",
	.gigabytes = "{1} GB",
	.messages_one = "1 message",
	.messages_many = "{1} messages",
	.senders_one = "1 sender",
	.senders_many = "{1} senders",
	.subject = "Your digest: {1} from {2}, {3}",
	.title = "Your digest",
	.headline = "{1} from {2}",
	.notices = "Please note",
	.notices_more = "And {1} more.",
	.classes =
	    {
		[WORDS_NOTIFICATION] = "Notifications",
		[WORDS_NEWSLETTER] = "Newsletters",
		[WORDS_DISCUSSION] = "Discussions",
		[WORDS_TRANSACTIONAL] = "Orders, bills and accounts",
		[WORDS_OTHER] = "Other mail",
	    },
	.no_subject = "(no subject)",
	.no_sender = "(no sender)",
	.from = "From {1}",
	.list = "List {1}",
	.why = "Why held: {1}",
	.closing_attached = "Nothing is lost: the originals are attached below, unchanged.",
	.closing_folder = "Nothing is lost: the originals come along with this digest, unchanged, "
			  "in your Digest folder.",
	.closing_inbox = "Nothing is lost: the originals come along with this digest, unchanged, "
			 "in your inbox.",
	.closing_waits = "What waits for the next digest: pullyu list {1}",
    },
};

const struct words *words_for(const char *language)
{
	size_t len = language == NULL ? 0 : strcspn(language, "-_");
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		if (strlen(tables[i].language) == len &&
		    g_ascii_strncasecmp(tables[i].language, language, len) == 0)
			return &tables[i];
	return &tables[0];
}

char *words_fill(const char *phrase, const char *a, const char *b, const char *c)
{
	const char *const values[] = {a, b, c};
	GString *out = g_string_new(NULL);
	for (const char *p = phrase; *p != '\0'; p++) {
		if (p[0] == '{' && p[1] >= '1' && p[1] <= '3' && p[2] == '}' &&
		    values[p[1] - '1'] != NULL) {
			g_string_append(out, values[p[1] - '1']);
			p += 2;
		} else {
			g_string_append_c(out, *p);
		}
	}
	return g_string_free(out, FALSE);
}

char *words_count(const char *one, const char *many, uint64_t n)
{
	if (n == 1)
		return g_strdup(one);
	char number[32];
	g_snprintf(number, sizeof(number), "%" G_GUINT64_FORMAT, n);
	return words_fill(many, number, NULL, NULL);
}

char *words_size(const struct words *words, uint64_t bytes)
{
	const char *const units[] = {words->kilobytes, words->megabytes, words->gigabytes};
	if (bytes < 1000)
		return words_count(words->bytes_one, words->bytes_many, bytes);
	size_t unit = 0;
	uint64_t scale = 1000;
	/* The next unit from 999.5 on, so that no number has four digits before its unit. */
	while (unit + 1 < G_N_ELEMENTS(units) && bytes >= scale * 1000 - scale / 2) {
		scale *= 1000;
		unit++;
	}
	char number[48];
	uint64_t tenths = bytes / (scale / 10) + (bytes % (scale / 10) >= scale / 20);
	/* One digit behind the point where that says something. */
	if (tenths < 100 && tenths % 10 != 0)
		g_snprintf(number, sizeof(number), "%" G_GUINT64_FORMAT "%s%" G_GUINT64_FORMAT,
		    tenths / 10, words->decimal, tenths % 10);
	else
		g_snprintf(number, sizeof(number), "%" G_GUINT64_FORMAT,
		    bytes / scale + (bytes % scale >= scale / 2));
	return words_fill(units[unit], number, NULL, NULL);
}

static char *clock_text(GDateTime *when)
{
	return g_strdup_printf(
	    "%02d:%02d", g_date_time_get_hour(when), g_date_time_get_minute(when));
}

static char *number_text(int n)
{
	return g_strdup_printf("%d", n);
}

/* The day in the order of the language: "24 November 2026" or, without a year, "24 Nov". */
static char *day_text(const char *phrase, const char *const months[12], GDateTime *when)
{
	char *day = number_text(g_date_time_get_day_of_month(when));
	char *year = number_text(g_date_time_get_year(when));
	char *text = words_fill(phrase, day, months[g_date_time_get_month(when) - 1], year);
	g_free(day);
	g_free(year);
	return text;
}

char *words_slot_long(const struct words *words, GDateTime *when)
{
	if (when == NULL)
		return g_strdup(words->no_time);
	char *day = day_text(words->day_year, words->months, when), *clock = clock_text(when);
	char *text = words_fill(
	    words->slot_long, words->weekdays[g_date_time_get_day_of_week(when) - 1], day, clock);
	g_free(day);
	g_free(clock);
	return text;
}

char *words_slot_short(const struct words *words, GDateTime *when)
{
	if (when == NULL)
		return g_strdup(words->no_time);
	char *clock = clock_text(when);
	char *text = words_fill(
	    words->slot_short, words->weekdays[g_date_time_get_day_of_week(when) - 1], clock, NULL);
	g_free(clock);
	return text;
}

char *words_time(const struct words *words, GDateTime *when, GDateTime *now)
{
	if (when == NULL)
		return g_strdup(words->no_time);
	bool this_year = now != NULL && g_date_time_get_year(when) == g_date_time_get_year(now);
	char *day =
	    day_text(this_year ? words->day_month : words->day_year, words->months_short, when);
	char *clock = clock_text(when);
	char *text = words_fill(
	    words->when, words->weekdays_short[g_date_time_get_day_of_week(when) - 1], day, clock);
	g_free(day);
	g_free(clock);
	return text;
}
