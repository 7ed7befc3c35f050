/*
 * fault.h: named points at which a test makes the program fail. Compiled to nothing unless
 * configured with --enable-test-hooks.
 *
 * The environment variable PULLYU_TEST_FAULT names a file (re-read at each point, so that a test
 * can arm a running daemon) that holds lines "POINT ACTION": ACTION is "kill" (SIGKILL to the
 * own process) or "fail" (the point reports failure) or "stop" (SIGSTOP to the own process) or
 * "slow" (the point takes a tenth of a second).
 */
#ifndef PULLYU_BASE_FAULT_H
#define PULLYU_BASE_FAULT_H

#include <stdbool.h>

#ifdef PULLYU_TEST_HOOKS
/* Returns true if the point is to fail; errno is ENOSPC then. */
bool fault_point(const char *name);
#else
static inline bool fault_point(const char *name)
{
	(void)name;
	return false;
}
#endif

#endif
