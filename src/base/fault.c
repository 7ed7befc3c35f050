/*
 * fault.c: see fault.h.
 */
#include <config.h>

#include "base/fault.h"

#ifdef PULLYU_TEST_HOOKS
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool fault_point(const char *name)
{
	const char *path = getenv("PULLYU_TEST_FAULT");
	FILE *f = path == NULL ? NULL : fopen(path, "re");
	char point[64], action[16];
	bool fails = false;
	if (f == NULL)
		return false;
	while (!fails && fscanf(f, "%63s %15s", point, action) == 2) {
		if (strcmp(point, name) != 0)
			continue;
		if (strcmp(action, "kill") == 0)
			kill(getpid(), SIGKILL);
		else if (strcmp(action, "stop") == 0)
			kill(getpid(), SIGSTOP);
		else if (strcmp(action, "slow") == 0)
			usleep(100 * 1000);
		else
			fails = true;
	}
	fclose(f);
	if (fails)
		errno = ENOSPC;
	return fails;
}
#else
typedef int fault_unused; /* ISO C wants a declaration in every file */
#endif
