/*
 * times.c: see times.h for the text form.
 */
#include <config.h>

#include "conf/times.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"

enum { EVERY_DAY = 0x7f };

#define EXAMPLE "right would be: Mon-Fri 08:00 17:30, Sat Sun 10:00"

/* 0 Monday ... 6 Sunday, -1 if it is none; len letters of word. */
static int weekday(const char *word, size_t len)
{
	static const char *const names[] = {
	    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
	if (len < 3)
		return -1;
	for (int i = 0; i < 7; i++)
		if (len <= strlen(names[i]) && g_ascii_strncasecmp(word, names[i], len) == 0)
			return i;
	return -1;
}

/* "Mon", "Fri-Mon": the days as bits; 0 if it is neither. */
static unsigned days(const char *word)
{
	size_t n = strcspn(word, "-");
	int first = weekday(word, n), last = first;
	unsigned bits = 0;
	if (word[n] == '-')
		last = weekday(word + n + 1, strlen(word + n + 1));
	if (first < 0 || last < 0)
		return 0;
	for (int day = first;; day = (day + 1) % 7) {
		bits |= 1U << day;
		if (day == last)
			return bits;
	}
}

int times_minute(const char *word)
{
	if (strlen(word) != 5 || word[2] != ':')
		return -1;
	for (int i = 0; i < 5; i++)
		if (i != 2 && !g_ascii_isdigit(word[i]))
			return -1;
	int hour = (word[0] - '0') * 10 + word[1] - '0';
	int minute = (word[3] - '0') * 10 + word[4] - '0';
	return hour > 23 || minute > 59 ? -1 : hour * 60 + minute;
}

/* Keeps the slots sorted, and one of each minute. */
static enum rc add_time(struct times *times, unsigned weekdays, int minute, struct err *err)
{
	size_t i = 0;
	while (i < times->n && times->slots[i].minute < minute)
		i++;
	if (i == times->n || times->slots[i].minute != minute) {
		if (times->n == TIMES_MAX)
			return err_set(err, RC_PERM, "more than %d times of day", TIMES_MAX);
		memmove(&times->slots[i + 1], &times->slots[i],
		    (times->n - i) * sizeof(times->slots[0]));
		times->slots[i].minute = (uint16_t)minute;
		times->slots[i].weekdays = 0;
		times->n++;
	}
	times->slots[i].weekdays = (uint8_t)(times->slots[i].weekdays | weekdays);
	return RC_OK;
}

static enum rc parse_group(const char *group, struct times *times, struct err *err)
{
	unsigned weekdays = 0;
	size_t n_times = 0;
	enum rc rc = RC_OK;
	char **words = g_strsplit_set(group, " \t", -1);
	for (char **word = words; *word != NULL && rc == RC_OK; word++) {
		if (**word == '\0')
			continue;
		int minute = times_minute(*word);
		unsigned bits = minute < 0 ? days(*word) : 0;
		if (minute >= 0) {
			rc = add_time(times, weekdays == 0 ? EVERY_DAY : weekdays, minute, err);
			n_times++;
		} else if (bits != 0 && n_times == 0) {
			weekdays |= bits;
		} else if (bits != 0) {
			rc = err_set(err, RC_PERM,
			    "'%.20s' stands behind a time of day: put a comma before it; " EXAMPLE,
			    *word);
		} else {
			rc = err_set(err, RC_PERM,
			    "'%.20s' is neither a weekday nor a time of day from 00:00 to "
			    "23:59; " EXAMPLE,
			    *word);
		}
	}
	g_strfreev(words);
	if (rc == RC_OK && n_times == 0)
		rc = err_set(err, RC_PERM, "a group has no time of day; " EXAMPLE);
	return rc;
}

enum rc times_parse(const char *text, struct times *times_out, struct err *err)
{
	struct times times = {0};
	enum rc rc = RC_OK;
	char *only = g_strstrip(g_strdup(text));
	bool none = g_ascii_strcasecmp(only, "none") == 0;
	g_free(only);
	if (none) {
		*times_out = times;
		return RC_OK;
	}
	char **groups = g_strsplit(text, ",", -1);
	if (groups[0] == NULL)
		rc = err_set(err, RC_PERM, "no time of day; " EXAMPLE);
	for (char **group = groups; *group != NULL && rc == RC_OK; group++)
		rc = parse_group(*group, &times, err);
	g_strfreev(groups);
	if (rc != RC_OK)
		return rc;
	*times_out = times;
	return RC_OK;
}

/* ---- text ---- */

enum { DAYS = 7, RANGE_MIN = 3 };

/* "Mon-Fri ", "Sat Sun "; "" for every day. */
static void put_weekdays(GString *out, unsigned weekdays)
{
	static const char *const names[DAYS] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	for (unsigned day = 0, end; weekdays != EVERY_DAY && day < DAYS; day = end) {
		for (end = day; end < DAYS && (weekdays >> end & 1) != 0; end++)
			continue;
		if (end - day >= RANGE_MIN)
			g_string_append_printf(out, "%s-%s ", names[day], names[end - 1]);
		else
			for (unsigned i = day; i < end; i++)
				g_string_append_printf(out, "%s ", names[i]);
		end += end == day;
	}
}

void times_format(const struct times *times, char out[TIMES_TEXT_MAX])
{
	GString *text = g_string_new(times->n == 0 ? "none" : NULL);
	bool done[TIMES_MAX] = {false};
	for (size_t i = 0; i < times->n; i++) {
		if (done[i])
			continue;
		if (text->len > 0)
			g_string_append(text, ", ");
		put_weekdays(text, times->slots[i].weekdays);
		for (size_t k = i; k < times->n; k++) {
			if (times->slots[k].weekdays != times->slots[i].weekdays)
				continue;
			done[k] = true;
			g_string_append_printf(text, "%s%02u:%02u", k == i ? "" : " ",
			    times->slots[k].minute / 60U, times->slots[k].minute % 60U);
		}
	}
	str_copy(out, TIMES_TEXT_MAX, text->str);
	g_string_free(text, TRUE);
}
