/*
 * zone.h: names of time zones. Thread-safe. GLib also takes POSIX rules, offsets and any file below
 * the zone directory for a zone; here only names listed in tzdata count, so that a setting means
 * the same on every machine.
 */
#ifndef PULLYU_CONF_ZONE_H
#define PULLYU_CONF_ZONE_H

#include <stdbool.h>

#include "base/rc.h"

enum { ZONE_NAME_MAX = 65 };

/* Whether tzdata lists the name, as a zone or as a link. Names are case-sensitive. */
bool zone_known(const char *name);
/* RC_PERM, with what was perhaps meant, if it is not listed. */
enum rc zone_check(const char *name, struct err *err);
/* A listed name that differs from name only by its case, or NULL. Lives forever. */
const char *zone_nearest(const char *name);
/* The system's zone if its name is listed (/etc/timezone, else where /etc/localtime points to),
 * else "UTC". The caller g_frees it. */
char *zone_system(void);

#endif
