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

enum rc schedule_next(const struct times *times, const char *timezone, int64_t after,
    int64_t *slot_out, struct err *err)
{
	GTimeZone *zone = NULL;
	if (times->n == 0)
		return err_set(err, RC_NOTFOUND, "no time of day is set");
	if (after < time_min || after > time_max)
		return err_set(err, RC_PERM, "time out of range");
	enum rc rc = open_zone(timezone, &zone, err);
	if (rc != RC_OK)
		return rc;
	/* What the wall clock reads already was reached at "after" or before. */
	int64_t local = after + offset_at(zone, after);
	int64_t day = local / DAY - (local % DAY < 0);
	rc = err_set(err, RC_NOTFOUND, "no slot within %d days", DAYS_AHEAD);
	for (int64_t d = day; rc != RC_OK && d < day + DAYS_AHEAD; d++) {
		/* 1970-01-01 was a Thursday, bit 3. */
		unsigned weekday = (unsigned)(((d % 7) + 7 + 3) % 7);
		for (size_t i = 0; rc != RC_OK && i < times->n; i++) {
			if ((times->slots[i].weekdays >> weekday & 1) == 0)
				continue;
			int64_t slot = first_instant(zone, d * DAY + times->slots[i].minute * 60);
			if (slot > after) {
				*slot_out = slot;
				rc = RC_OK;
			}
		}
	}
	g_time_zone_unref(zone);
	return rc;
}

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
