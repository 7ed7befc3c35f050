/*
 * test_once.c: how many requests to confirm a subscription pass, and when.
 */
#include <config.h>

#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#include <glib.h>

#include "milter/once.h"

enum { T = 1800000000 };

static void test_table(void **state)
{
	static const struct {
		const char *label, *user, *sender, *id;
		int64_t now;
		bool want;
	} rows[] = {
	    {"the first", "ann", "a@x", "<1>", T, true},
	    {"the same message again", "ann", "a@x", "<1>", T + 5, true},
	    {"another of the sender", "ann", "a@x", "<2>", T + 10, false},
	    {"and it does not count", "ann", "a@x", "<2>", T + 20, false},
	    {"another user", "bob", "a@x", "<2>", T + 20, true},
	    {"another sender", "ann", "b@x", "<1>", T + 20, true},
	    {"at the end of the hour", "ann", "a@x", "<3>", T + ONCE_PERIOD - 1, false},
	    {"after the hour", "ann", "a@x", "<3>", T + ONCE_PERIOD, true},
	    {"without an id", "ann", "c@x", "", T, true},
	    {"without an id, again", "ann", "c@x", "", T + 1, false},
	    {"the clock was set back", "ann", "c@x", "", T - 1, true},
	};
	int failed = 0;
	(void)state;
	once_forget();
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		failed += unit_num(rows[i].label,
		    once_take(rows[i].user, rows[i].sender, rows[i].id, rows[i].now), rows[i].want);
	assert_int_equal(failed, 0);
}

static bool take_nth(const char *user, unsigned n, int64_t now)
{
	char sender[40];
	snprintf(sender, sizeof(sender), "confirm@site%u.example", n);
	return once_take(user, sender, "", now);
}

/* A thousand sites at once. */
static void test_bomb(void **state)
{
	unsigned passed = 0;
	(void)state;
	once_forget();
	for (unsigned i = 0; i < 1000; i++)
		passed += take_nth("ann", i, T + i);
	assert_int_equal(passed, ONCE_USER_MAX);
	assert_true(take_nth("bob", 1, T));
	/* An hour after its end nothing is left of it. */
	assert_true(take_nth("ann", 1000, T + 1000 + ONCE_PERIOD));
}

/* More users than slots: the oldest are forgotten, and pass. */
static void test_full(void **state)
{
	char user[40];
	(void)state;
	once_forget();
	for (unsigned i = 0; i <= ONCE_SLOTS; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		assert_true(take_nth(user, 0, T));
	}
	assert_true(take_nth("user0", 0, T));
	assert_false(take_nth("user5", 0, T));
}

static void *taker(void *passed)
{
	for (unsigned i = 0; i < 200; i++)
		__atomic_add_fetch(
		    (unsigned *)passed, take_nth("ann", i, T) ? 1U : 0U, __ATOMIC_RELAXED);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[4];
	unsigned passed = 0;
	(void)state;
	once_forget();
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, taker, &passed), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(passed, ONCE_USER_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_bomb),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("once", tests, NULL, NULL);
}
