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

#include <stdbool.h>

#include "base/rc.h"
#include "conf/settings.h"

/* When digests come: what of a user's settings says so. A value; nothing to free. */
struct schedule {
	struct times times;
	struct exceptions exceptions;
	char timezone[ZONE_NAME_MAX]; /* IANA name */
	struct stay stay;    /* days before stay.until are days of that zone, and have its times */
	int32_t pause_until; /* no slot on days before this one; 0: no pause */
};
void schedule_of(const struct settings *settings, struct schedule *schedule_out);

/* The first slot strictly after the instant (seconds since the epoch). RC_NOTFOUND if there is
 * none; RC_PERM if a zone is unknown. */
enum rc schedule_next(
    const struct schedule *schedule, int64_t after, int64_t *slot_out, struct err *err);
/* The zone that counts at an instant: the user's, or that of his stay. Borrowed. */
const char *schedule_zone(const struct schedule *schedule, int64_t when);
/* The zone by whose clock a slot was set: where a stay ends, the last evening there and the first
 * morning at home may overlap. For an instant that is no slot, as schedule_zone. Borrowed. */
const char *schedule_slot_zone(const struct schedule *schedule, int64_t slot);
/* The local day (conf/dates.h), its weekday (0 Monday) and minute at an instant. RC_PERM as
 * above. */
struct schedule_local {
	int32_t day;
	int weekday, minute;
};
enum rc schedule_local(
    int64_t when, const char *timezone, struct schedule_local *local_out, struct err *err);
/* Whether nothing is held now, because the user made a pause of that kind. */
bool schedule_passes(const struct settings *settings, int64_t now);

/* RFC 3339, in UTC ("2026-11-22T07:00:00Z") or in the zone ("2026-11-22T08:00:00+01:00"; timezone
 * NULL: UTC). */
enum { SCHEDULE_TEXT_MAX = 40 };
enum rc schedule_format(
    int64_t when, const char *timezone, char out[SCHEDULE_TEXT_MAX], struct err *err);
/* RFC 3339 date-time with an offset or Z; RC_PERM otherwise. */
enum rc schedule_parse_time(const char *text, int64_t *when_out, struct err *err);

#endif
