/*
 * clock.c: see clock.h.
 */
#include <config.h>

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef PULLYU_TEST_HOOKS
static int64_t offset(void)
{
	const char *path = getenv("PULLYU_TEST_CLOCK");
	FILE *f = path == NULL ? NULL : fopen(path, "re");
	long long seconds = 0;
	if (f != NULL) {
		if (fscanf(f, "%lld", &seconds) != 1)
			seconds = 0;
		fclose(f);
	}
	return seconds;
}
#else
static int64_t offset(void)
{
	return 0;
}
#endif

int64_t clock_now_usec(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec + offset()) * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return clock_now_usec() / 1000000;
}

int64_t clock_mono_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_sleep_max_ms(void)
{
#ifdef PULLYU_TEST_HOOKS
	if (getenv("PULLYU_TEST_CLOCK") != NULL)
		return 200;
#endif
	return 60000;
}
