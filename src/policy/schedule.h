/*
 * schedule.h: times of day in a zone give slots, instants in UTC. Pure; thread-safe.
 *
 * A time inside a spring gap fires when the gap ends (02:30 becomes 03:00; two times in one gap
 * fire once); a time inside an autumn overlap fires once, at its first occurrence. The rule is
 * stored, never the next UTC time, so that a zone whose rules change fires by its new rules.
 */
#ifndef PULLYU_POLICY_SCHEDULE_H
#define PULLYU_POLICY_SCHEDULE_H

#include <stdint.h>

#include "base/rc.h"
#include "conf/times.h"

/* The first slot strictly after the instant (seconds since the epoch). timezone is an IANA name.
 * RC_NOTFOUND if times is empty; RC_PERM if the zone is unknown. */
enum rc schedule_next(const struct times *times, const char *timezone, int64_t after,
    int64_t *slot_out, struct err *err);

/* RFC 3339, in UTC ("2026-11-22T07:00:00Z") or in the zone ("2026-11-22T08:00:00+01:00"; timezone
 * NULL: UTC). */
enum { SCHEDULE_TEXT_MAX = 40 };
enum rc schedule_format(
    int64_t when, const char *timezone, char out[SCHEDULE_TEXT_MAX], struct err *err);
/* RFC 3339 date-time with an offset or Z; RC_PERM otherwise. */
enum rc schedule_parse_time(const char *text, int64_t *when_out, struct err *err);

#endif
