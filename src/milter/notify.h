/*
 * notify.h: what the milter tells pullyud without waiting for it: "a user sent this", "there are
 * files in incoming" and "this would have been held". A thread of its own does the talking. A
 * "sent" is tried again, after growing pauses, until pullyud has taken it; when NOTIFY_QUEUE_MAX of
 * them wait, new ones are dropped. A kick is said once, without waiting for those: pullyud looks
 * into incoming by itself now and then. What would have been held is statistics: as many wait,
 * behind everything else, and none is tried twice: once pullyud cannot be told, all that wait are
 * dropped. Thread-safe.
 */
#ifndef PULLYU_MILTER_NOTIFY_H
#define PULLYU_MILTER_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

enum { NOTIFY_QUEUE_MAX = 1000, NOTIFY_TIMEOUT_MS = 2000 };

enum rc notify_start(struct err *err);
/* Sends what waits, for at most that time and up to the first failure, drops the rest, and ends the
 * thread. */
void notify_stop(int timeout_ms);

/* socket: pullyud's control socket; copied, as is everything else. */
void notify_kick(const char *socket);
/* A message_id that is not UTF-8 is left out. */
void notify_sent(const char *socket, const char *user, const char *const *to, size_t n_to,
    const char *message_id);

enum { NOTIFY_REASONS_MAX = 3 };
struct notify_shadow {
	const char *user, *class_name, *sender;
	double score, margin; /* margin below 0: there is none */
	int64_t received;     /* seconds since the epoch */
	size_t n_reasons;
	const char *reasons[NOTIFY_REASONS_MAX]; /* names of rules */
};
void notify_shadow(const char *socket, const struct notify_shadow *note);

#endif
