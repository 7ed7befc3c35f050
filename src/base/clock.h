/*
 * clock.h: the only place that asks what time it is. Decisions are handed their time.
 *
 * With --enable-test-hooks the wall clock can be moved: the file named by the environment variable
 * PULLYU_TEST_CLOCK holds a decimal number of seconds (it may be negative) that is added to the
 * real time; it is re-read at each call, so that a test moves the clock while a daemon runs.
 */
#ifndef PULLYU_BASE_CLOCK_H
#define PULLYU_BASE_CLOCK_H

#include <stdint.h>

/* Seconds since the epoch, UTC. */
int64_t clock_now(void);
/* Microseconds since the epoch, UTC: for names that sort by time. */
int64_t clock_now_usec(void);
/* Milliseconds of a clock that never jumps: for deadlines. */
int64_t clock_mono_ms(void);
/* How long, in milliseconds, somebody who waits for a wall clock time may sleep before looking
 * again: the wall clock may be set, and in tests it is moved. */
int64_t clock_sleep_max_ms(void);

#endif
