/*
 * schedule_print.c: slots for a test program in another language. Each line of stdin is
 * "ZONE<tab>AFTER<tab>COUNT<tab>TIMES" with AFTER in seconds since the epoch; the answer is one
 * line: the slots in seconds since the epoch, separated by blanks.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "conf/times.h"
#include "policy/schedule.h"

static enum rc answer(char **fields, struct err *err)
{
	struct times times;
	int64_t after = strtoll(fields[1], NULL, 10);
	enum rc rc = times_parse(fields[3], &times, err);
	for (long n = strtol(fields[2], NULL, 10); rc == RC_OK && n > 0; n--) {
		rc = schedule_next(&times, fields[0], after, &after, err);
		if (rc == RC_OK)
			printf("%" PRId64 "%s", after, n > 1 ? " " : "\n");
	}
	return rc;
}

int main(void)
{
	char line[2048];
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct err err;
		char **fields = g_strsplit(g_strchomp(line), "\t", 4);
		if (g_strv_length(fields) != 4)
			return EXIT_FAILURE;
		if (answer(fields, &err) != RC_OK)
			printf("%s\n", err.text);
		g_strfreev(fields);
	}
	return EXIT_SUCCESS;
}
