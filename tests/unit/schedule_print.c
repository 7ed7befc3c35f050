/*
 * schedule_print.c: slots for a test program in another language. Each line of stdin is
 * "ZONE<tab>AFTER<tab>COUNT<tab>TIMES<tab>EXCEPTIONS<tab>STAY<tab>PAUSE" with AFTER in seconds since
 * the epoch, the rest as in settings.ini; the answer is one line: the slots in seconds since the
 * epoch, separated by blanks, with "end" behind them where no further one is set.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"
#include "conf/times.h"
#include "policy/schedule.h"

enum { ZONE, AFTER, COUNT, TIMES, EXCEPTIONS, STAY, PAUSE, FIELDS };

static enum rc answer(char **fields, struct err *err)
{
	struct schedule schedule = {0};
	int64_t after = strtoll(fields[AFTER], NULL, 10);
	str_copy(schedule.timezone, sizeof(schedule.timezone), fields[ZONE]);
	enum rc rc = times_parse(fields[TIMES], &schedule.times, err);
	if (rc == RC_OK)
		rc = exceptions_parse(fields[EXCEPTIONS], &schedule.exceptions, err);
	if (rc == RC_OK)
		rc = stay_parse(fields[STAY], &schedule.stay, err);
	if (rc == RC_OK && fields[PAUSE][0] != '\0')
		rc = date_parse(fields[PAUSE], &schedule.pause_until, err);
	for (long n = strtol(fields[COUNT], NULL, 10); rc == RC_OK && n > 0; n--) {
		rc = schedule_next(&schedule, after, &after, err);
		if (rc == RC_OK)
			printf("%" PRId64 "%s", after, n > 1 ? " " : "\n");
		else if (rc == RC_NOTFOUND)
			printf("end\n");
	}
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

int main(void)
{
	char line[8192];
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct err err;
		line[strcspn(line, "\n")] = '\0';
		char **fields = g_strsplit(line, "\t", FIELDS);
		if (g_strv_length(fields) != FIELDS)
			return EXIT_FAILURE;
		if (answer(fields, &err) != RC_OK)
			printf("%s\n", err.text);
		g_strfreev(fields);
	}
	return EXIT_SUCCESS;
}
