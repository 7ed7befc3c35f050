/*
 * schedule.c: see schedule.h.
 *
 * A slot is the first instant at which the wall clock reads the slot's local time or later. That
 * one rule gives both promises: in a spring gap it is the gap's end, in an autumn overlap the first
 * occurrence. GLib tells the zone's intervals of constant offset, numbered in order of time, so
 * that the interval's number at two instants tells whether the offset may differ between them.
 */
#include <config.h>

#include "policy/schedule.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"
#include "conf/zone.h"

enum {
	DAY = 86400,
	/* tzfile(5): an offset lies between -25 and +26 hours. */
	OFFSET_MAX = 26 * 3600,
	/* A weekly slot, and clocks that were set back over a date line. */
	DAYS_AHEAD = 16,
};

/* Years 0001 to 9999: what RFC 3339 can write, with room for the days ahead. */
static const int64_t time_min = -62135596800 + 20LL * DAY;
static const int64_t time_max = 253402300799 - 20LL * DAY;

static enum rc open_zone(const char *name, GTimeZone **zone_out, struct err *err)
{
	GTimeZone *zone = zone_known(name) ? g_time_zone_new_identifier(name) : NULL;
	if (zone == NULL)
		return err_set(err, RC_PERM, "'%.60s' is no time zone that tzdata lists", name);
	*zone_out = zone;
	return RC_OK;
}

static int interval_at(GTimeZone *zone, int64_t when)
{
	return g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, when);
}

static int64_t offset_at(GTimeZone *zone, int64_t when)
{
	return g_time_zone_get_offset(zone, interval_at(zone, when));
}

/* The first instant in (from, to] whose interval is not from's; the two intervals differ. */
static int64_t interval_end(GTimeZone *zone, int64_t from, int64_t to)
{
	int first = interval_at(zone, from);
	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;
		if (interval_at(zone, middle) == first)
			from = middle;
		else
			to = middle;
	}
	return to;
}

/* The first instant at which the zone's wall clock reads local or later (both as if UTC). */
static int64_t first_instant(GTimeZone *zone, int64_t local)
{
	int64_t from = local - OFFSET_MAX, last = local + OFFSET_MAX;
	for (;;) {
		int64_t reached = local - offset_at(zone, from);
		int64_t end = last;
		bool changes = interval_at(zone, from) != interval_at(zone, last);
		if (reached <= from)
			return from; /* a gap ended here, beyond local */
		if (changes)
			end = interval_end(zone, from, last);
		if (!changes || reached < end)
			return reached;
		from = end;
	}
}

/* ---- slots ---- */

void schedule_of(const struct settings *settings, struct schedule *schedule_out)
{
	*schedule_out = (struct schedule){.times = settings->times,
	    .exceptions = settings->exceptions,
	    .stay = settings->stay,
	    .pause_until = settings->pause == PAUSE_HOLD ? settings->pause_until : 0};
	str_copy(schedule_out->timezone, sizeof(schedule_out->timezone), settings->timezone);
}

static int32_t local_day(GTimeZone *zone, int64_t when)
{
	int64_t local = when + offset_at(zone, when);
	return (int32_t)(local / DAY - (local % DAY < 0));
}

/* 1970-01-01 was a Thursday. */
static int weekday_of(int64_t day)
{
	return (int)(((day % 7) + 7 + 3) % 7);
}

/* Minutes of a day, sorted; returns how many. */
static size_t minutes_of(const struct schedule *s, int32_t day, uint16_t minutes[TIMES_MAX])
{
	const struct exception *exception = exceptions_find(&s->exceptions, day);
	unsigned weekday = 1U << weekday_of(day);
	size_t n = 0;
	if (exception != NULL) {
		memcpy(minutes, exception->minutes, exception->n * sizeof(minutes[0]));
		return exception->n;
	}
	for (size_t i = 0; i < s->times.n; i++)
		if ((s->times.slots[i].weekdays & weekday) != 0)
			minutes[n++] = s->times.slots[i].minute;
	return n;
}

/* Behind this day nothing new comes: the week has had its turn, and so has each exception. */
static int64_t last_day(const struct schedule *s, int64_t first)
{
	int64_t last = first + DAYS_AHEAD;
	for (size_t i = 0; i < s->exceptions.n; i++) {
		const struct exception *row = &s->exceptions.rows[i];
		if (row->first <= last)
			last = MAX(last, row->last + DAYS_AHEAD);
		else if (s->times.n == 0)
			last = MAX(last, row->last);
	}
	return last;
}

/* The first slot after an instant on the days from..to of a zone; *slot_out stays if there is none
 * before it. */
static enum rc next_in_zone(const struct schedule *s, const char *name, int64_t from, int64_t to,
    int64_t after, int64_t *slot_out, struct err *err)
{
	uint16_t minutes[TIMES_MAX];
	GTimeZone *zone = NULL;
	bool found = false;
	enum rc rc = open_zone(name, &zone, err);
	if (rc != RC_OK)
		return rc;
	/* What the wall clock reads already was reached at "after" or before. */
	int64_t first = MAX(from, local_day(zone, after));
	int64_t last = MIN(to, last_day(s, first));
	for (int64_t d = first; !found && d <= last; d++) {
		size_t n = minutes_of(s, (int32_t)d, minutes);
		for (size_t i = 0; !found && i < n; i++) {
			int64_t slot = first_instant(zone, d * DAY + minutes[i] * 60);
			found = slot > after;
			if (found)
				*slot_out = MIN(*slot_out, slot);
		}
	}
	g_time_zone_unref(zone);
	return RC_OK;
}

enum rc schedule_next(
    const struct schedule *schedule, int64_t after, int64_t *slot_out, struct err *err)
{
	const struct schedule *s = schedule;
	int64_t slot = INT64_MAX, from = s->pause_until == 0 ? INT64_MIN : s->pause_until;
	enum rc rc = RC_OK;
	if (s->times.n == 0 && s->exceptions.n == 0)
		return err_set(err, RC_NOTFOUND, "no time of day is set");
	if (after < time_min || after > time_max)
		return err_set(err, RC_PERM, "time out of range");
	/* Slots of the two zones may lie between one another: a day ends at different times
	 * there. */
	if (s->stay.until != 0)
		rc = next_in_zone(s, s->stay.zone, from, s->stay.until - 1, after, &slot, err);
	if (rc == RC_OK)
		rc = next_in_zone(s, s->timezone,
		    MAX(from, s->stay.until == 0 ? from : s->stay.until), INT64_MAX, after, &slot,
		    err);
	if (rc != RC_OK)
		return rc;
	if (slot == INT64_MAX)
		return err_set(err, RC_NOTFOUND, "no further time is set");
	*slot_out = slot;
	return RC_OK;
}

const char *schedule_zone(const struct schedule *schedule, int64_t when)
{
	struct schedule_local local;
	if (schedule->stay.until != 0 &&
	    schedule_local(when, schedule->stay.zone, &local, NULL) == RC_OK &&
	    local.day < schedule->stay.until)
		return schedule->stay.zone;
	return schedule->timezone;
}

const char *schedule_slot_zone(const struct schedule *schedule, int64_t slot)
{
	const struct schedule *s = schedule;
	int64_t from = s->pause_until == 0 ? INT64_MIN : s->pause_until, found = INT64_MAX;
	if (s->stay.until == 0 || slot <= time_min || slot > time_max)
		return schedule_zone(s, slot);
	if (next_in_zone(s, s->stay.zone, from, s->stay.until - 1, slot - 1, &found, NULL) ==
		RC_OK &&
	    found == slot)
		return s->stay.zone;
	found = INT64_MAX;
	if (next_in_zone(s, s->timezone, MAX(from, s->stay.until), INT64_MAX, slot - 1, &found,
		NULL) == RC_OK &&
	    found == slot)
		return s->timezone;
	return schedule_zone(s, slot);
}

enum rc schedule_local(
    int64_t when, const char *timezone, struct schedule_local *local_out, struct err *err)
{
	GTimeZone *zone = NULL;
	enum rc rc = when < time_min || when > time_max ? err_set(err, RC_PERM, "time out of range")
							: open_zone(timezone, &zone, err);
	if (rc != RC_OK)
		return rc;
	int64_t local = when + offset_at(zone, when);
	int32_t day = local_day(zone, when);
	*local_out = (struct schedule_local){.day = day,
	    .weekday = weekday_of(day),
	    .minute = (int)((local - day * (int64_t)DAY) / 60)};
	g_time_zone_unref(zone);
	return RC_OK;
}

bool schedule_passes(const struct settings *settings, int64_t now)
{
	struct schedule schedule;
	struct schedule_local local;
	if (settings->pause != PAUSE_PASS || settings->pause_until == 0)
		return false;
	schedule_of(settings, &schedule);
	/* In doubt nothing is held. */
	return schedule_local(now, schedule_zone(&schedule, now), &local, NULL) != RC_OK ||
	    local.day < settings->pause_until;
}

/* ---- text ---- */

/* The date (proleptic Gregorian) of a day counted from the epoch. */
static void civil_date(int64_t day, int *year_out, int *month_out, int *day_out)
{
	GDate date;
	/* GDate's day 1 is 0001-01-01, which is day -719162 from the epoch. */
	g_date_clear(&date, 1);
	g_date_set_julian(&date, (guint32)(day + 719163));
	*year_out = g_date_get_year(&date);
	*month_out = (int)g_date_get_month(&date);
	*day_out = g_date_get_day(&date);
}

enum rc schedule_format(
    int64_t when, const char *timezone, char out[SCHEDULE_TEXT_MAX], struct err *err)
{
	GTimeZone *zone = NULL;
	int64_t offset = 0;
	int year, month, mday;
	char suffix[8] = "Z";
	if (when < time_min || when > time_max)
		return err_set(err, RC_PERM, "time out of range");
	if (timezone != NULL) {
		enum rc rc = open_zone(timezone, &zone, err);
		if (rc != RC_OK)
			return rc;
		offset = offset_at(zone, when);
		g_time_zone_unref(zone);
	}
	/* RFC 3339 has no seconds in an offset (local mean times before about 1930): UTC then. */
	if (offset % 60 != 0)
		offset = 0;
	else if (timezone != NULL)
		snprintf(suffix, sizeof(suffix), "%c%02d:%02d", offset < 0 ? '-' : '+',
		    (int)(ABS(offset) / 3600 % 100), (int)(ABS(offset) / 60 % 60));
	int64_t local = when + offset;
	int64_t day = local / DAY - (local % DAY < 0);
	int second = (int)(local - day * DAY);
	civil_date(day, &year, &month, &mday);
	snprintf(out, SCHEDULE_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%s", year, month, mday,
	    second / 3600, second / 60 % 60, second % 60, suffix);
	return RC_OK;
}

/* Exactly n digits at *p, which is moved behind them; -1 if they are not there. */
static int digits(const char **p, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (!g_ascii_isdigit(**p))
			return -1;
		value = value * 10 + (*(*p)++ - '0');
	}
	return value;
}

static bool literal(const char **p, const char *any_of)
{
	if (**p == '\0' || strchr(any_of, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

/* RFC 3339 section 5.6, time-offset: seconds east of UTC. */
static bool parse_offset(const char **p, int *offset_out)
{
	int sign = **p == '-' ? -1 : 1;
	if (literal(p, "Zz")) {
		*offset_out = 0;
		return true;
	}
	if (!literal(p, "+-"))
		return false;
	int hour = digits(p, 2);
	if (!literal(p, ":"))
		return false;
	int minute = digits(p, 2);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*offset_out = sign * (hour * 3600 + minute * 60);
	return true;
}

static bool parse_date(const char **p, int64_t *day_out)
{
	int year = digits(p, 4);
	bool ok = literal(p, "-");
	int month = ok ? digits(p, 2) : -1;
	ok = ok && literal(p, "-");
	int mday = ok ? digits(p, 2) : -1;
	if (year < 1 || month < 1 || month > 12 || mday < 1 ||
	    !g_date_valid_dmy((GDateDay)mday, (GDateMonth)month, (GDateYear)year))
		return false;
	GDate date;
	g_date_clear(&date, 1);
	g_date_set_dmy(&date, (GDateDay)mday, (GDateMonth)month, (GDateYear)year);
	*day_out = (int64_t)g_date_get_julian(&date) - 719163;
	return true;
}

static bool parse_time(const char **p, int *second_out)
{
	int hour = digits(p, 2);
	bool ok = literal(p, ":");
	int minute = ok ? digits(p, 2) : -1;
	ok = ok && literal(p, ":");
	int second = ok ? digits(p, 2) : -1;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	if (literal(p, ".")) {
		if (!g_ascii_isdigit(**p))
			return false;
		while (g_ascii_isdigit(**p))
			(*p)++;
	}
	*second_out = hour * 3600 + minute * 60 + second;
	return true;
}

enum rc schedule_parse_time(const char *text, int64_t *when_out, struct err *err)
{
	const char *p = text;
	int64_t day = 0;
	int second = 0, offset = 0;
	if (!parse_date(&p, &day) || !literal(&p, "Tt ") || !parse_time(&p, &second) ||
	    !parse_offset(&p, &offset) || *p != '\0')
		return err_set(err, RC_PERM,
		    "'%.60s' is no time like 2026-11-22T08:00:00+01:00 or 2026-11-22T07:00:00Z",
		    text);
	*when_out = day * DAY + second - offset;
	return RC_OK;
}
