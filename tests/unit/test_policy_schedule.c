/*
 * test_policy_schedule.c: times of day in a zone, over the days when clocks change.
 */
#include <config.h>

#include "policy/schedule.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "base/str.h"
#include "unit.h"

/* A schedule of weekly times in a zone. */
static struct schedule week(const char *times_text, const char *zone)
{
	struct schedule schedule = {0};
	assert_int_equal(times_parse(times_text, &schedule.times, NULL), RC_OK);
	str_copy(schedule.timezone, sizeof(schedule.timezone), zone);
	return schedule;
}

/* The next n slots as "2026-03-29T03:00:00+02:00 ...", in the zone that counts then. */
static char *slots(const struct schedule *schedule, const char *after_text, int n)
{
	struct err err = {""};
	int64_t after = 0;
	GString *out = g_string_new(NULL);
	char text[SCHEDULE_TEXT_MAX];
	assert_int_equal(schedule_parse_time(after_text, &after, &err), RC_OK);
	for (int i = 0; i < n; i++) {
		enum rc rc = schedule_next(schedule, after, &after, &err);
		if (rc == RC_OK)
			rc =
			    schedule_format(after, schedule_slot_zone(schedule, after), text, &err);
		g_string_append_printf(
		    out, "%s%s", i == 0 ? "" : " ", rc == RC_OK ? text : err.text);
		if (rc != RC_OK)
			break;
	}
	return g_string_free(out, FALSE);
}

static void test_next(void **state)
{
	static const struct {
		const char *label, *times, *zone, *after;
		int n;
		const char *want;
	} rows[] = {
	    {"plain", "08:00 17:30", "UTC", "2026-11-22T07:59:59Z", 3,
		"2026-11-22T08:00:00+00:00 2026-11-22T17:30:00+00:00 2026-11-23T08:00:00+00:00"},
	    {"strictly after", "08:00", "UTC", "2026-11-22T08:00:00Z", 1,
		"2026-11-23T08:00:00+00:00"},
	    {"weekdays", "Mon-Fri 08:00, Sat Sun 10:00", "Europe/Amsterdam",
		"2026-11-20T08:00:00+01:00", 4,
		"2026-11-21T10:00:00+01:00 2026-11-22T10:00:00+01:00 "
		"2026-11-23T08:00:00+01:00 2026-11-24T08:00:00+01:00"},
	    {"once a week", "Wed 12:00", "Europe/Amsterdam", "2026-11-18T12:00:00+01:00", 2,
		"2026-11-25T12:00:00+01:00 2026-12-02T12:00:00+01:00"},
	    {"range that wraps", "Sat-Mon 09:00", "UTC", "2026-11-20T00:00:00Z", 4,
		"2026-11-21T09:00:00+00:00 2026-11-22T09:00:00+00:00 "
		"2026-11-23T09:00:00+00:00 2026-11-28T09:00:00+00:00"},
	    {"midnight", "00:00", "Europe/Amsterdam", "2026-06-30T23:59:59+02:00", 1,
		"2026-07-01T00:00:00+02:00"},
	    {"end of a year", "23:59", "America/New_York", "2026-12-31T23:59:00-05:00", 1,
		"2027-01-01T23:59:00-05:00"},
	    {"leap day", "Thu 06:00", "UTC", "2024-02-28T00:00:00Z", 1,
		"2024-02-29T06:00:00+00:00"},
	    /* Amsterdam, 2026-03-29: 02:00 becomes 03:00. */
	    {"spring gap", "02:30", "Europe/Amsterdam", "2026-03-28T12:00:00+01:00", 2,
		"2026-03-29T03:00:00+02:00 2026-03-30T02:30:00+02:00"},
	    {"two times in one gap", "02:00 02:30 02:59", "Europe/Amsterdam",
		"2026-03-28T12:00:00+01:00", 2,
		"2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00"},
	    {"a gap and its end", "02:30 03:00 03:01", "Europe/Amsterdam",
		"2026-03-29T00:00:00+01:00", 3,
		"2026-03-29T03:00:00+02:00 2026-03-29T03:01:00+02:00 2026-03-30T02:30:00+02:00"},
	    {"around a gap", "01:59 03:00", "Europe/Amsterdam", "2026-03-29T00:00:00+01:00", 2,
		"2026-03-29T01:59:00+01:00 2026-03-29T03:00:00+02:00"},
	    {"from the gap's end", "02:30", "Europe/Amsterdam", "2026-03-29T03:00:00+02:00", 1,
		"2026-03-30T02:30:00+02:00"},
	    {"a second before the gap", "02:30", "Europe/Amsterdam", "2026-03-29T01:59:59+01:00", 1,
		"2026-03-29T03:00:00+02:00"},
	    /* Amsterdam, 2026-10-25: 03:00 becomes 02:00. */
	    {"autumn overlap", "02:30", "Europe/Amsterdam", "2026-10-24T12:00:00+02:00", 2,
		"2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00"},
	    {"between its occurrences", "02:30", "Europe/Amsterdam", "2026-10-25T02:45:00+02:00", 1,
		"2026-10-26T02:30:00+01:00"},
	    {"in the second hour", "02:30", "Europe/Amsterdam", "2026-10-25T02:15:00+01:00", 1,
		"2026-10-26T02:30:00+01:00"},
	    {"end of the overlap", "02:00 03:00", "Europe/Amsterdam", "2026-10-25T00:00:00+02:00",
		3, "2026-10-25T02:00:00+02:00 2026-10-25T03:00:00+01:00 2026-10-26T02:00:00+01:00"},
	    {"around the overlap", "01:59 02:59", "Europe/Amsterdam", "2026-10-25T00:00:00+02:00",
		3, "2026-10-25T01:59:00+02:00 2026-10-25T02:59:00+02:00 2026-10-26T01:59:00+01:00"},
	    {"New York, spring", "02:30", "America/New_York", "2026-03-07T12:00:00-05:00", 2,
		"2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00"},
	    {"New York, autumn", "01:30", "America/New_York", "2026-10-31T12:00:00-04:00", 2,
		"2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00"},
	    /* Lord Howe moves by half an hour: 2026-10-04 02:00 becomes 02:30, 2026-04-05 02:00
	     * becomes 01:30. */
	    {"Lord Howe, gap", "02:15 02:29 02:31", "Australia/Lord_Howe",
		"2026-10-03T12:00:00+10:30", 3,
		"2026-10-04T02:30:00+11:00 2026-10-04T02:31:00+11:00 2026-10-05T02:15:00+11:00"},
	    {"Lord Howe, overlap", "01:45 02:00", "Australia/Lord_Howe",
		"2026-04-04T12:00:00+11:00", 3,
		"2026-04-05T01:45:00+11:00 2026-04-05T02:00:00+10:30 2026-04-06T01:45:00+10:30"},
	    /* Havana's clocks change at midnight: 2026-03-08 00:00 becomes 01:00. */
	    {"gap at midnight", "00:00 00:30", "America/Havana", "2026-03-07T12:00:00-05:00", 2,
		"2026-03-08T01:00:00-04:00 2026-03-09T00:00:00-04:00"},
	    {"overlap at midnight", "00:30", "America/Havana", "2026-10-31T12:00:00-04:00", 2,
		"2026-11-01T00:30:00-04:00 2026-11-02T00:30:00-05:00"},
	    {"Kiritimati", "Sun 08:00", "Pacific/Kiritimati", "2026-11-21T00:00:00Z", 2,
		"2026-11-22T08:00:00+14:00 2026-11-29T08:00:00+14:00"},
	    /* Samoa left out 2011-12-30, a Friday. */
	    {"a day left out", "08:00 20:00", "Pacific/Apia", "2011-12-29T09:00:00-10:00", 4,
		"2011-12-29T20:00:00-10:00 2011-12-31T00:00:00+14:00 "
		"2011-12-31T08:00:00+14:00 2011-12-31T20:00:00+14:00"},
	    {"its weekday", "Fri 08:00", "Pacific/Apia", "2011-12-24T00:00:00Z", 2,
		"2011-12-31T00:00:00+14:00 2012-01-06T08:00:00+14:00"},
	    /* Kwajalein had 1969-09-30 twice over: +11 became -12. */
	    {"a day repeated", "12:00", "Pacific/Kwajalein", "1969-09-30T11:00:00+11:00", 2,
		"1969-09-30T12:00:00+11:00 1969-10-01T12:00:00-12:00"},
	    {"half-hour zone", "06:00", "Asia/Kolkata", "2026-11-22T00:29:59Z", 1,
		"2026-11-22T06:00:00+05:30"},
	    {"quarter-hour zone", "06:00", "Asia/Kathmandu", "2026-11-22T00:00:00Z", 1,
		"2026-11-22T06:00:00+05:45"},
	    /* Sao Paulo, until it stopped in 2019: 2018-11-04 00:00 became 01:00, 2018-02-18 00:00
	     * became 23:00 of the day before. */
	    {"Sao Paulo, gap at midnight", "00:00 00:30", "America/Sao_Paulo",
		"2018-11-03T12:00:00-03:00", 2,
		"2018-11-04T01:00:00-02:00 2018-11-05T00:00:00-02:00"},
	    {"Sao Paulo, overlap before midnight", "23:30", "America/Sao_Paulo",
		"2018-02-17T12:00:00-02:00", 2,
		"2018-02-17T23:30:00-02:00 2018-02-18T23:30:00-03:00"},
	    {"Sao Paulo, no change any more", "00:30", "America/Sao_Paulo",
		"2026-11-01T00:00:00-03:00", 1, "2026-11-01T00:30:00-03:00"},
	    {"beyond the tables", "02:30", "Europe/Amsterdam", "2050-03-26T12:00:00+01:00", 1,
		"2050-03-27T03:00:00+02:00"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct schedule schedule = week(rows[i].times, rows[i].zone);
		char *got = slots(&schedule, rows[i].after, rows[i].n);
		failed += unit_str(rows[i].label, got, rows[i].want);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

/* Days of their own, a stay in another zone, a pause: what a person would expect of each. */
static void test_days(void **state)
{
	static const struct {
		const char *label, *times, *zone, *exceptions, *stay, *pause, *after;
		int n;
		const char *want;
	} rows[] = {
	    {"another time on one day", "08:00", "Europe/Amsterdam", "2026-12-24 10:00", "", "",
		"2026-12-23T09:00:00+01:00", 2,
		"2026-12-24T10:00:00+01:00 2026-12-25T08:00:00+01:00"},
	    {"no digest on some", "08:00", "Europe/Amsterdam", "2026-12-25..2026-12-26 none", "",
		"", "2026-12-24T09:00:00+01:00", 1, "2026-12-27T08:00:00+01:00"},
	    {"none for a year, then again", "Mon 08:00", "UTC", "2026-01-01..2026-12-31 none", "",
		"", "2025-12-30T00:00:00Z", 1, "2027-01-04T08:00:00+00:00"},
	    {"only on these days", "none", "UTC", "2026-12-24 10:00 12:00, 2027-02-01 08:00", "",
		"", "2026-11-01T00:00:00Z", 4,
		"2026-12-24T10:00:00+00:00 2026-12-24T12:00:00+00:00 2027-02-01T08:00:00+00:00 "
		"no further time is set"},
	    {"none at all", "none", "UTC", "", "", "", "2026-11-01T00:00:00Z", 1,
		"no time of day is set"},
	    {"in a gap", "none", "Europe/Amsterdam", "2026-03-29 02:10 02:50", "", "",
		"2026-03-01T00:00:00Z", 2, "2026-03-29T03:00:00+02:00 no further time is set"},
	    {"a pause", "08:00", "Europe/Amsterdam", "", "", "2027-01-05",
		"2026-12-20T12:00:00+01:00", 2,
		"2027-01-05T08:00:00+01:00 2027-01-06T08:00:00+01:00"},
	    {"a pause that is over", "08:00", "Europe/Amsterdam", "", "", "2026-01-05",
		"2026-12-20T12:00:00+01:00", 1, "2026-12-21T08:00:00+01:00"},
	    {"a pause beats an exception", "08:00", "UTC", "2026-12-24 10:00", "", "2026-12-26",
		"2026-12-23T12:00:00Z", 1, "2026-12-26T08:00:00+00:00"},
	    /* Home is ahead of the stay: its 08:00 comes after the stay's last evening. */
	    {"a journey west", "08:00 20:00", "Europe/Amsterdam", "", "2026-12-20 America/New_York",
		"", "2026-12-19T03:00:00-05:00", 4,
		"2026-12-19T08:00:00-05:00 2026-12-19T20:00:00-05:00 2026-12-20T08:00:00+01:00 "
		"2026-12-20T20:00:00+01:00"},
	    {"its first morning at home comes on its last evening away", "05:00 17:30",
		"Europe/Amsterdam", "", "2026-12-20 America/New_York", "",
		"2026-12-19T18:00:00-05:00", 2,
		"2026-12-20T05:00:00+01:00 2026-12-20T17:30:00+01:00"},
	    {"a journey east", "08:00 20:00", "Europe/Amsterdam", "", "2026-12-20 Asia/Tokyo", "",
		"2026-12-19T03:00:00+09:00", 3,
		"2026-12-19T08:00:00+09:00 2026-12-19T20:00:00+09:00 2026-12-20T08:00:00+01:00"},
	    {"a journey over the date line", "08:00", "Pacific/Kiritimati", "",
		"2026-12-20 Pacific/Niue", "", "2026-12-18T09:00:00-11:00", 2,
		"2026-12-20T08:00:00+14:00 2026-12-19T08:00:00-11:00"},
	    {"a pause on a journey", "08:00", "Europe/Amsterdam", "", "2026-12-20 America/New_York",
		"2026-12-18", "2026-12-10T00:00:00Z", 1, "2026-12-18T08:00:00-05:00"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct schedule schedule = week(rows[i].times, rows[i].zone);
		assert_int_equal(
		    exceptions_parse(rows[i].exceptions, &schedule.exceptions, NULL), RC_OK);
		assert_int_equal(stay_parse(rows[i].stay, &schedule.stay, NULL), RC_OK);
		if (rows[i].pause[0] != '\0')
			assert_int_equal(
			    date_parse(rows[i].pause, &schedule.pause_until, NULL), RC_OK);
		char *got = slots(&schedule, rows[i].after, rows[i].n);
		failed += unit_str(rows[i].label, got, rows[i].want);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

/* The pause in which nothing is held ends when the user's day begins, wherever he is. */
static void test_passes(void **state)
{
	static const struct {
		const char *label;
		int pause;
		const char *stay, *now;
		bool want;
	} rows[] = {
	    {"the last second", PAUSE_PASS, "", "2027-01-04T23:59:59+01:00", true},
	    {"the day", PAUSE_PASS, "", "2027-01-05T00:00:00+01:00", false},
	    {"other kind of pause", PAUSE_HOLD, "", "2027-01-01T00:00:00+01:00", false},
	    {"still the day before over there", PAUSE_PASS, "2027-02-01 America/New_York",
		"2027-01-05T05:59:59+01:00", true},
	    {"that day over there", PAUSE_PASS, "2027-02-01 America/New_York",
		"2027-01-05T06:00:00+01:00", false},
	    {"in doubt nothing is held", PAUSE_PASS, "2027-02-01 America/New_York", "", true},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct settings settings = {
		    .timezone = (char *)"Europe/Amsterdam", .pause = rows[i].pause};
		int64_t now = INT64_MAX;
		assert_int_equal(date_parse("2027-01-05", &settings.pause_until, NULL), RC_OK);
		assert_int_equal(stay_parse(rows[i].stay, &settings.stay, NULL), RC_OK);
		if (rows[i].now[0] != '\0')
			assert_int_equal(schedule_parse_time(rows[i].now, &now, NULL), RC_OK);
		failed += unit_num(rows[i].label, schedule_passes(&settings, now), rows[i].want);
	}
	assert_int_equal(failed, 0);
}

static void copy_zone(const char *from, const char *to)
{
	char *path = g_build_filename("/usr/share/zoneinfo", from, NULL), *data = NULL;
	gsize len = 0;
	g_assert_true(g_file_get_contents(path, &data, &len, NULL));
	g_assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
	g_free(data);
	g_free(path);
}

/* In a child, with zone data of its own: the rules of a zone change under a running process. */
static int slots_before_and_after(const char *dir)
{
	char *list = g_build_filename(dir, "tzdata.zi", NULL);
	char *zone = g_build_filename(dir, "Moving", NULL);
	g_assert_true(g_file_set_contents(list, "Z Moving 0 - UTC\n", -1, NULL));
	copy_zone("Europe/Amsterdam", zone);
	g_setenv("TZDIR", dir, TRUE);
	struct schedule schedule = week("08:00", "Moving");
	char *before = slots(&schedule, "2026-11-22T00:00:00Z", 1);
	copy_zone("America/New_York", zone);
	char *after = slots(&schedule, "2026-11-22T00:00:00Z", 1);
	int failed = unit_str("before", before, "2026-11-22T08:00:00+01:00");
	failed += unit_str("after", after, "2026-11-22T08:00:00-05:00");
	unlink(list);
	unlink(zone);
	g_free(before);
	g_free(after);
	g_free(list);
	g_free(zone);
	return failed;
}

/* What is stored is the rule, not the next instant: tzdata that is upgraded counts at once. This test
 * comes first: the list of zones is read once a process. */
static void test_rules_change(void **state)
{
	char dir[] = "/tmp/pullyu-zones-XXXXXX";
	int status = -1;
	(void)state;
	assert_non_null(mkdtemp(dir));
	pid_t child = fork();
	if (child == 0)
		_exit(slots_before_and_after(dir));
	assert_int_equal(waitpid(child, &status, 0), child);
	rmdir(dir);
	assert_int_equal(status, 0);
}

static void test_refused(void **state)
{
	struct schedule schedule = week("08:00", "UTC"), none = {.timezone = "UTC"};
	struct err err = {""};
	int64_t slot = 42;
	int failed = 0;
	static const char *const zones[] = {"", "Nowhere/Atlantis", "europe/amsterdam", "+02:00",
	    "EST5EDT,M3.2.0,M11.1.0", "../../etc/passwd", "posix/Europe/Amsterdam", "zone.tab",
	    "tzdata.zi", "Factory", "localtime", "Europe", "Europe/", "/etc/localtime"};
	(void)state;
	failed += unit_num("no times", schedule_next(&none, 0, &slot, &err), RC_NOTFOUND);
	failed += unit_num("too late", schedule_next(&schedule, INT64_MAX, &slot, &err), RC_PERM);
	failed += unit_num("too early", schedule_next(&schedule, INT64_MIN, &slot, &err), RC_PERM);
	for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
		str_copy(schedule.timezone, sizeof(schedule.timezone), zones[i]);
		failed += unit_num(zones[i], schedule_next(&schedule, 0, &slot, &err), RC_PERM);
	}
	failed += unit_num("untouched", slot, 42);
	assert_int_equal(failed, 0);
}

static void test_format(void **state)
{
	static const struct {
		int64_t when;
		const char *zone, *want;
	} rows[] = {
	    {0, NULL, "1970-01-01T00:00:00Z"},
	    {0, "UTC", "1970-01-01T00:00:00+00:00"},
	    {-1, NULL, "1969-12-31T23:59:59Z"},
	    {1795330800, "Europe/Amsterdam", "2026-11-22T08:00:00+01:00"},
	    {1795330800, "America/St_Johns", "2026-11-22T03:30:00-03:30"},
	    {1709164800, NULL, "2024-02-29T00:00:00Z"},
	    {-2208988800, "Europe/Amsterdam", "1900-01-01T00:00:00Z"}, /* +00:17:30 */
	    {253400000000, NULL, "9999-12-05T08:53:20Z"},
	    {-62130000000, NULL, "0001-03-06T18:40:00Z"},
	};
	int failed = 0;
	char out[SCHEDULE_TEXT_MAX] = "as it was";
	(void)state;
	failed += unit_num("range", schedule_format(INT64_MAX, NULL, out, NULL), RC_PERM);
	failed += unit_num("zone", schedule_format(0, "No/Where", out, NULL), RC_PERM);
	failed += unit_str("untouched", out, "as it was");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		failed += unit_num(
		    rows[i].want, schedule_format(rows[i].when, rows[i].zone, out, NULL), RC_OK);
		failed += unit_str("format", out, rows[i].want);
	}
	assert_int_equal(failed, 0);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} rows[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"2026-11-22T08:00:00+01:00", 1795330800},
	    {"2026-11-22t07:00:00z", 1795330800},
	    {"2026-11-22 07:00:00Z", 1795330800},
	    {"2026-11-22T07:00:00.999999Z", 1795330800},
	    {"2026-11-22T03:30:00-03:30", 1795330800},
	    {"2016-12-31T23:59:60Z", 1483228800},
	    {"2024-02-29T00:00:00Z", 1709164800},
	    {"", -1},
	    {"now", -1},
	    {"2026-11-22", -1},
	    {"2026-11-22T08:00:00", -1},
	    {"2026-11-22T08:00Z", -1},
	    {"2026-11-22T08:00:00.Z", -1},
	    {"2026-11-22T08:00:00Z ", -1},
	    {" 2026-11-22T08:00:00Z", -1},
	    {"2026-11-22T08:00:00+0100", -1},
	    {"2026-11-22T08:00:00+24:00", -1},
	    {"2026-11-22T08:00:00+01:60", -1},
	    {"2026-11-22T24:00:00Z", -1},
	    {"2026-11-22T08:60:00Z", -1},
	    {"2026-11-22T08:00:61Z", -1},
	    {"2023-02-29T00:00:00Z", -1},
	    {"2026-13-01T00:00:00Z", -1},
	    {"2026-00-01T00:00:00Z", -1},
	    {"2026-01-00T00:00:00Z", -1},
	    {"2026-1-1T00:00:00Z", -1},
	    {"0000-01-01T00:00:00Z", -1},
	    {"-026-01-01T00:00:00Z", -1},
	    {"12026-01-01T00:00:00Z", -1},
	    {"2026-11-22X08:00:00Z", -1},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		int64_t got = -1;
		enum rc rc = schedule_parse_time(rows[i].text, &got, NULL);
		failed += unit_num(rows[i].text, rc, rows[i].want == -1 ? RC_PERM : RC_OK);
		failed += unit_num(rows[i].text, got, rows[i].want);
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules_change),
	    cmocka_unit_test(test_next),
	    cmocka_unit_test(test_days),
	    cmocka_unit_test(test_passes),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
