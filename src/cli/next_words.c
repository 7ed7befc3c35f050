/*
 * next_words.c: see next_words.h.
 */
#include <config.h>

#include "cli/next_words.h"

#include <string.h>

#include <glib.h>

enum { DAYS = 7, HALF_HOUR = 1800, HOUR = 3600 };

/* "08:00", "08:00 and 17:30", "08:00, 12:00 and 17:30". */
static void put_minutes(GString *out, const uint16_t *minutes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(out, "%s%02u:%02u",
		    i == 0           ? ""
			: i == n - 1 ? " and "
				     : ", ",
		    minutes[i] / 60U, minutes[i] % 60U);
}

static char *day_text(const struct times *times, unsigned day)
{
	uint16_t minutes[TIMES_MAX];
	GString *out = g_string_new(NULL);
	size_t n = 0;
	for (size_t i = 0; i < times->n; i++)
		if ((times->slots[i].weekdays >> day & 1) != 0)
			minutes[n++] = times->slots[i].minute;
	put_minutes(out, minutes, n);
	return g_string_free(out, FALSE);
}

/* "Monday to Friday at 08:00 and 17:30, Saturday at 10:00". */
static void put_week(GString *out, const struct times *times)
{
	static const char *const names[DAYS] = {
	    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
	char *texts[DAYS];
	bool first = true;
	for (unsigned i = 0; i < DAYS; i++)
		texts[i] = day_text(times, i);
	for (unsigned i = 0, last; i < DAYS; i = last + 1) {
		for (last = i; last + 1 < DAYS && strcmp(texts[last + 1], texts[i]) == 0; last++)
			continue;
		if (texts[i][0] == '\0')
			continue;
		g_string_append(out, first ? " " : ", ");
		first = false;
		if (last - i == DAYS - 1)
			g_string_append(out, "every day");
		else if (last == i)
			g_string_append(out, names[i]);
		else
			g_string_append_printf(
			    out, "%s %s %s", names[i], last == i + 1 ? "and" : "to", names[last]);
		g_string_append_printf(out, " at %s", texts[i]);
	}
	for (unsigned i = 0; i < DAYS; i++)
		g_free(texts[i]);
}

static void put_exceptions(GString *out, const struct exceptions *exceptions, int32_t today)
{
	for (size_t i = 0; i < exceptions->n; i++) {
		const struct exception *row = &exceptions->rows[i];
		char first[DATES_TEXT_MAX], last[DATES_TEXT_MAX];
		if (row->last < today)
			continue;
		date_format(row->first, first);
		date_format(row->last, last);
		g_string_append_printf(
		    out, row->first == row->last ? "On %s " : "From %s to %s ", first, last);
		if (row->n == 0) {
			g_string_append(out, "none comes.\n");
			continue;
		}
		g_string_append(out, row->n == 1 ? "one comes at " : "they come at ");
		put_minutes(out, row->minutes, row->n);
		g_string_append(out, ".\n");
	}
}

char *next_words(const struct settings *settings, int64_t now)
{
	struct schedule schedule;
	struct schedule_local local = {0};
	char date[DATES_TEXT_MAX];
	GString *out = g_string_new(NULL);
	schedule_of(settings, &schedule);
	schedule_local(now, schedule_zone(&schedule, now), &local, NULL);
	if (settings->times.n == 0) {
		g_string_append(out,
		    "Digests come on demand: \"pullyu release\" brings one.\n"
		    "What has waited for max_hold (see pullyu.conf) comes by itself.\n");
	} else {
		g_string_append(out, "Digests come");
		put_week(out, &settings->times);
		g_string_append_printf(out, " (%s).\n", settings->timezone);
	}
	if (local.day < settings->stay.until) {
		date_format(settings->stay.until, date);
		g_string_append_printf(
		    out, "Before %s, by the clock of %s.\n", date, settings->stay.zone);
	}
	put_exceptions(out, &settings->exceptions, local.day);
	if (local.day < settings->pause_until) {
		date_format(settings->pause_until, date);
		g_string_append_printf(out,
		    settings->pause == PAUSE_PASS
			? "A pause: before %s nothing is held, mail comes as it arrives.\n"
			: "A pause: before %s none comes; what is held waits, but no longer than "
			  "max_hold (see pullyu.conf).\n",
		    date);
	}
	return g_string_free(out, FALSE);
}

static bool is_set(const struct schedule *schedule, const struct schedule_local *local, int minute)
{
	const struct exception *row = exceptions_find(&schedule->exceptions, local->day);
	if (row != NULL) {
		for (size_t i = 0; i < row->n; i++)
			if (row->minutes[i] == minute)
				return true;
		return false;
	}
	for (size_t i = 0; i < schedule->times.n; i++)
		if (schedule->times.slots[i].minute == minute &&
		    (schedule->times.slots[i].weekdays >> local->weekday & 1) != 0)
			return true;
	return false;
}

/* Whether the wall clock shows the same time again soon. */
static bool is_twice(int64_t slot, const char *zone, const struct schedule_local *local)
{
	static const int ahead[] = {HALF_HOUR, HOUR};
	struct schedule_local later;
	for (size_t i = 0; i < G_N_ELEMENTS(ahead); i++)
		if (schedule_local(slot + ahead[i], zone, &later, NULL) == RC_OK &&
		    later.day == local->day && later.minute == local->minute)
			return true;
	return false;
}

char *next_remark(const struct schedule *schedule, int64_t slot)
{
	const char *zone = schedule_slot_zone(schedule, slot);
	struct schedule_local local;
	if (schedule_local(slot, zone, &local, NULL) != RC_OK)
		return g_strdup("");
	if (is_set(schedule, &local, local.minute)) {
		if (is_twice(slot, zone, &local))
			return g_strdup("(the first of two: the clocks go back)");
		return g_strdup("");
	}
	for (int minute = local.minute - 1; minute >= 0; minute--)
		if (is_set(schedule, &local, minute))
			return g_strdup_printf(
			    "(%02d:%02d does not exist on this day: the clocks go "
			    "forward)",
			    minute / 60, minute % 60);
	return g_strdup("");
}
