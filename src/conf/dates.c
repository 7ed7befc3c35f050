/*
 * dates.c: see dates.h.
 */
#include <config.h>

#include "conf/dates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"
#include "conf/times.h"

/* GDate's day 1 is 0001-01-01. */
enum { JULIAN_OF_EPOCH = 719163, YEAR_MIN = 2000, YEAR_MAX = 2099 };

#define EXAMPLE "right would be: 2026-12-24 10:00, 2026-12-25..2026-12-26 none"

enum rc date_parse(const char *text, int32_t *day_out, struct err *err)
{
	static const char form[] = "dddd-dd-dd";
	GDate date;
	bool good = strlen(text) == sizeof(form) - 1;
	for (size_t i = 0; good && form[i] != '\0'; i++)
		good = form[i] == 'd' ? g_ascii_isdigit(text[i]) : text[i] == form[i];
	int year = good ? atoi(text) : 0, month = good ? atoi(text + 5) : 0;
	int day = good ? atoi(text + 8) : 0;
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
	    !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
		return err_set(err, RC_PERM, "'%.20s' is no date like 2026-12-25, from %d to %d",
		    text, YEAR_MIN, YEAR_MAX);
	g_date_clear(&date, 1);
	g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
	*day_out = (int32_t)g_date_get_julian(&date) - JULIAN_OF_EPOCH;
	return RC_OK;
}

void date_format(int32_t day, char out[DATES_TEXT_MAX])
{
	GDate date;
	g_date_clear(&date, 1);
	g_date_set_julian(&date, (guint32)(day + JULIAN_OF_EPOCH));
	g_date_strftime(out, DATES_TEXT_MAX, "%Y-%m-%d", &date);
}

/* ---- exceptions ---- */

/* "2026-12-25" or "2026-12-25..2026-12-26". */
static enum rc parse_days(const char *word, struct exception *row, struct err *err)
{
	const char *dots = strstr(word, "..");
	char *first = dots == NULL ? g_strdup(word) : g_strndup(word, (gsize)(dots - word));
	enum rc rc = date_parse(first, &row->first, err);
	g_free(first);
	row->last = row->first;
	if (rc == RC_OK && dots != NULL)
		rc = date_parse(dots + 2, &row->last, err);
	if (rc == RC_OK && (row->last < row->first || row->last - row->first >= DATES_DAYS_MAX))
		rc = err_set(err, RC_PERM,
		    "'%.40s' must run forwards and have at most %d days; " EXAMPLE, word,
		    DATES_DAYS_MAX);
	return rc;
}

static enum rc add_minute(struct exception *row, const char *word, struct err *err)
{
	int minute = times_minute(word);
	size_t at = 0;
	if (minute < 0)
		return err_set(err, RC_PERM,
		    "'%.20s' is neither 'none' nor a time of day from 00:00 to 23:59; " EXAMPLE,
		    word);
	while (at < row->n && row->minutes[at] < minute)
		at++;
	if (at < row->n && row->minutes[at] == minute)
		return RC_OK;
	if (row->n == DATES_TIMES_MAX)
		return err_set(
		    err, RC_PERM, "more than %d times of day for one exception", DATES_TIMES_MAX);
	memmove(&row->minutes[at + 1], &row->minutes[at], (row->n - at) * sizeof(row->minutes[0]));
	row->minutes[at] = (uint16_t)minute;
	row->n++;
	return RC_OK;
}

static enum rc parse_group(char *group, struct exception *row, struct err *err)
{
	enum rc rc = RC_OK;
	size_t n_words = 0;
	bool none = false;
	char **words = g_strsplit_set(group, " \t", -1);
	for (char **word = words; *word != NULL && rc == RC_OK; word++) {
		if (**word == '\0')
			continue;
		if (n_words++ == 0)
			rc = parse_days(*word, row, err);
		else if (g_ascii_strcasecmp(*word, "none") == 0)
			none = true;
		else
			rc = add_minute(row, *word, err);
	}
	g_strfreev(words);
	if (rc == RC_OK && (n_words < 2 || none == (row->n > 0)))
		rc = err_set(err, RC_PERM,
		    "'%.40s' must be days, then either times of day or 'none'; " EXAMPLE,
		    g_strstrip(group));
	return rc;
}

static enum rc add_row(struct exceptions *e, const struct exception *row, struct err *err)
{
	char text[DATES_TEXT_MAX];
	size_t at = 0;
	if (e->n == DATES_EXCEPTIONS_MAX)
		return err_set(err, RC_PERM, "more than %d exceptions", DATES_EXCEPTIONS_MAX);
	while (at < e->n && e->rows[at].last < row->first)
		at++;
	if (at < e->n && e->rows[at].first <= row->last) {
		date_format(MAX(e->rows[at].first, row->first), text);
		return err_set(err, RC_PERM, "%s stands in two exceptions", text);
	}
	memmove(&e->rows[at + 1], &e->rows[at], (e->n - at) * sizeof(e->rows[0]));
	e->rows[at] = *row;
	e->n++;
	return RC_OK;
}

enum rc exceptions_parse(const char *text, struct exceptions *exceptions_out, struct err *err)
{
	struct exceptions *e = g_new0(struct exceptions, 1);
	enum rc rc = RC_OK;
	char **groups = g_strsplit(text, ",", -1);
	bool empty = text[strspn(text, " \t")] == '\0';
	for (char **group = groups; !empty && *group != NULL && rc == RC_OK; group++) {
		struct exception row = {0};
		rc = parse_group(*group, &row, err);
		if (rc == RC_OK)
			rc = add_row(e, &row, err);
	}
	g_strfreev(groups);
	if (rc == RC_OK)
		*exceptions_out = *e;
	g_free(e);
	return rc;
}

const struct exception *exceptions_find(const struct exceptions *exceptions, int32_t day)
{
	for (size_t i = 0; i < exceptions->n && exceptions->rows[i].first <= day; i++)
		if (day <= exceptions->rows[i].last)
			return &exceptions->rows[i];
	return NULL;
}

/* ---- stays ---- */

enum rc stay_parse(const char *text, struct stay *stay_out, struct err *err)
{
	struct stay stay = {0};
	char *copy = g_strstrip(g_strdup(text));
	char *zone = copy + strcspn(copy, " \t");
	enum rc rc = RC_OK;
	if (copy[0] != '\0') {
		if (*zone != '\0')
			*zone++ = '\0';
		zone += strspn(zone, " \t");
		rc = date_parse(copy, &stay.until, err);
		if (rc == RC_OK && zone[0] == '\0')
			rc = err_set(err, RC_PERM,
			    "a date, then a zone; right would be: 2026-12-20 America/New_York");
		if (rc == RC_OK)
			rc = zone_check(zone, err);
		str_copy(stay.zone, sizeof(stay.zone), zone);
	}
	g_free(copy);
	if (rc == RC_OK)
		*stay_out = stay;
	return rc;
}
