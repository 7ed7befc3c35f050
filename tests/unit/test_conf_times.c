/*
 * test_conf_times.c: the text form of digest times.
 */
#include <config.h>

#include "conf/times.h"

#include <glib.h>

#include "unit.h"

#define EXAMPLE "right would be: Mon-Fri 08:00 17:30, Sat Sun 10:00"

/* "480:1f 600:60": minutes and weekdays as bits. */
static char *dump(const struct times *times)
{
	GString *out = g_string_new(NULL);
	for (size_t i = 0; i < times->n; i++)
		g_string_append_printf(out, "%s%d:%02x", i == 0 ? "" : " ", times->slots[i].minute,
		    times->slots[i].weekdays);
	return g_string_free(out, FALSE);
}

static void test_good(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"08:00", "480:7f"},
	    {"00:00 23:59", "0:7f 1439:7f"},
	    {"Mon-Fri 08:00 17:30, Sat Sun 10:00", "480:1f 600:60 1050:1f"},
	    {"  Mon   08:00\t09:00 ,Tue 07:00", "420:02 480:01 540:01"},
	    {"mon 08:00", "480:01"},
	    {"MONDAY 08:00", "480:01"},
	    {"Thurs 08:00", "480:08"},
	    {"Tuesday-Thursday 08:00", "480:0e"},
	    {"Fri-Mon 08:00", "480:71"},
	    {"Mon-Mon 08:00", "480:01"},
	    {"Sun-Sat 08:00", "480:7f"},
	    {"Mon-Wed Fri 08:00", "480:17"},
	    {"Mon 08:00, Tue 08:00", "480:03"},
	    {"08:00, Mon 08:00", "480:7f"},
	    {"08:00 08:00", "480:7f"},
	    {"17:30 08:00", "480:7f 1050:7f"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct times times;
		struct err err = {""};
		failed += unit_num(rows[i].text, times_parse(rows[i].text, &times, &err), RC_OK);
		failed += unit_str(rows[i].text, err.text, "");
		char *got = dump(&times);
		failed += unit_str(rows[i].text, got, rows[i].want);
		g_free(got);
	}
	assert_int_equal(failed, 0);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"", "no time of day; " EXAMPLE},
	    {"   ", "a group has no time of day; " EXAMPLE},
	    {",", "a group has no time of day; " EXAMPLE},
	    {"08:00,", "a group has no time of day; " EXAMPLE},
	    {"Mon", "a group has no time of day; " EXAMPLE},
	    {"Mon, 08:00", "a group has no time of day; " EXAMPLE},
	    {"8:00", "'8:00' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"24:00",
		"'24:00' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"08:60",
		"'08:60' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"08.00",
		"'08.00' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"0800", "'0800' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"08:00:00",
		"'08:00:00' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"+8:00",
		"'+8:00' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"Mo 08:00",
		"'Mo' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"Montag 08:00",
		"'Montag' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"Mondays 08:00",
		"'Mondays' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"Mon- 08:00",
		"'Mon-' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"-Fri 08:00",
		"'-Fri' is neither a weekday nor a time of day from 00:00 to 23:59; " EXAMPLE},
	    {"Mon-Wed-Fri 08:00",
		"'Mon-Wed-Fri' is neither a weekday nor a time of day from 00:00 to "
		"23:59; " EXAMPLE},
	    {"08:00 Mon", "'Mon' stands behind a time of day: put a comma before it; " EXAMPLE},
	    {"Mon 08:00 Tue 09:00",
		"'Tue' stands behind a time of day: put a comma before it; " EXAMPLE},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct times times = {.n = 99};
		struct err err = {""};
		failed += unit_num(rows[i].text, times_parse(rows[i].text, &times, &err), RC_PERM);
		failed += unit_str(rows[i].text, err.text, rows[i].want);
		failed += unit_num(rows[i].text, (long long)times.n, 99);
	}
	assert_int_equal(failed, 0);
}

static void test_bounds(void **state)
{
	struct times times = {0};
	struct err err = {""};
	(void)state;
	GString *text = g_string_new(NULL);
	for (int i = TIMES_MAX; i-- > 0;) /* the last first, so that each is inserted in front */
		g_string_append_printf(text, " %02d:%02d", i / 60, i % 60);
	assert_int_equal(times_parse(text->str, &times, &err), RC_OK);
	assert_int_equal(times.n, TIMES_MAX);
	for (int i = 0; i < TIMES_MAX; i++)
		assert_int_equal(times.slots[i].minute, i);
	g_string_append(text, " 23:00");
	assert_int_equal(times_parse(text->str, &times, &err), RC_PERM);
	assert_string_equal(err.text, "more than 64 times of day");
	g_string_free(text, TRUE);
}

static void test_format(void **state)
{
	static const char *const rows[][2] = {
	    {"08:00 17:30", "08:00 17:30"},
	    {"Mon-Fri 08:00 17:30, Sat Sun 10:00", "Mon-Fri 08:00 17:30, Sat Sun 10:00"},
	    {"sat sun 10:00, mon-fri 17:30 08:00", "Mon-Fri 08:00 17:30, Sat Sun 10:00"},
	    {"Fri-Mon 09:00", "Mon Fri-Sun 09:00"},
	    {"Mon 08:00, Tue 08:00, Wed 08:00", "Mon-Wed 08:00"},
	    {"Mon 08:00, Mon-Sun 08:00", "08:00"},
	    {"Wed 23:59", "Wed 23:59"},
	    {"none", "none"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct times times;
		char text[TIMES_TEXT_MAX];
		assert_int_equal(times_parse(rows[i][0], &times, NULL), RC_OK);
		times_format(&times, text);
		failed += unit_str(rows[i][0], text, rows[i][1]);
	}
	/* Whatever the times are, the text gives them again. */
	GRand *rng = g_rand_new_with_seed(20261128);
	for (int round = 0; round < 2000; round++) {
		GString *in = g_string_new(NULL);
		struct times times = {0}, again = {0};
		char text[TIMES_TEXT_MAX];
		for (int i = g_rand_int_range(rng, 1, TIMES_MAX + 1); i > 0; i--)
			g_string_append_printf(in, "%s%s %02d:%02d", in->len == 0 ? "" : ", ",
			    (const char *const[]){"", "Mon", "Sat Sun", "Mon-Fri", "Fri-Mon",
				"Tue Thu"}[g_rand_int_range(rng, 0, 6)],
			    g_rand_int_range(rng, 0, 24), g_rand_int_range(rng, 0, 60));
		assert_int_equal(times_parse(in->str, &times, NULL), RC_OK);
		times_format(&times, text);
		assert_int_equal(times_parse(text, &again, NULL), RC_OK);
		assert_int_equal(times.n, again.n);
		for (size_t i = 0; i < times.n; i++) {
			assert_int_equal(times.slots[i].minute, again.slots[i].minute);
			assert_int_equal(times.slots[i].weekdays, again.slots[i].weekdays);
		}
		g_string_free(in, TRUE);
	}
	g_rand_free(rng);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
