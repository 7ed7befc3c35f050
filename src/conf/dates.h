/*
 * dates.h: days as a person writes them in settings.ini, and what hangs on them. A day is a date of
 * the proleptic Gregorian calendar, counted from 1970-01-01; in which zone it begins is
 * policy/schedule.h's business. Dates lie from 2000-01-01 to 2099-12-31.
 */
#ifndef PULLYU_CONF_DATES_H
#define PULLYU_CONF_DATES_H

#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"
#include "conf/zone.h"

enum {
	DATES_EXCEPTIONS_MAX = 64,
	DATES_TIMES_MAX = 8,  /* times of day of one exception */
	DATES_DAYS_MAX = 366, /* days of one exception */
	DATES_TEXT_MAX = 12,  /* "2026-12-25" */
};

/* "2026-12-25". RC_PERM with a right example. */
enum rc date_parse(const char *text, int32_t *day_out, struct err *err);
void date_format(int32_t day, char out[DATES_TEXT_MAX]);

/* "2026-12-24 10:00, 2026-12-25..2026-12-26 none": days with times of their own, or with none,
 * instead of those of the week. Groups are separated by commas; no day may be in two of them. */
struct exceptions {
	size_t n;
	struct exception {
		int32_t first, last; /* days, both included */
		uint16_t minutes[DATES_TIMES_MAX];
		uint8_t n;            /* 0: no digest on these days */
	} rows[DATES_EXCEPTIONS_MAX]; /* sorted by day */
};
enum rc exceptions_parse(const char *text, struct exceptions *exceptions_out, struct err *err);
/* NULL: an ordinary day. */
const struct exception *exceptions_find(const struct exceptions *exceptions, int32_t day);

/* "2026-12-20 America/New_York": another zone up to, not including, that day. */
struct stay {
	int32_t until; /* 0: none */
	char zone[ZONE_NAME_MAX];
};
enum rc stay_parse(const char *text, struct stay *stay_out, struct err *err);

#endif
