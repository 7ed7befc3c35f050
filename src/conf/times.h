/*
 * times.h: the text form of digest times, "Mon-Fri 08:00 17:30, Sat Sun 10:00". Groups separated by
 * commas; a group is weekdays (English names of three or more letters, or ranges, which may wrap:
 * "Fri-Mon"; none = every day), then one or more times of day HH:MM (00:00 to 23:59). Case does not
 * matter. "none" is no time at all. What the times mean in a zone is policy/schedule.h's business.
 */
#ifndef PULLYU_CONF_TIMES_H
#define PULLYU_CONF_TIMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

enum { TIMES_MAX = 64 };

struct times {
	size_t n;
	struct {
		uint8_t weekdays; /* bit 0 Monday ... bit 6 Sunday */
		uint16_t minute;  /* of the local day, 0 to 1439 */
	} slots[TIMES_MAX];       /* sorted by minute; no two of the same minute */
};

/* "08:00": the minute of the day; -1 if it is none. */
int times_minute(const char *word);
/* RC_PERM with a text that shows a right example. */
enum rc times_parse(const char *text, struct times *times_out, struct err *err);
/* The same in its text form, with as few groups as there are sets of weekdays; "none" for no time
 * at all. times_parse gives the same times again. */
enum { TIMES_TEXT_MAX = TIMES_MAX * 36 };
void times_format(const struct times *times, char out[TIMES_TEXT_MAX]);

#endif
