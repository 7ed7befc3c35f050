/*
 * snapshot.h: everything that a message is decided by: pullyu.conf, rules, users, the key. One
 * immutable, reference-counted whole; a message keeps the one that it began with, so that a reload
 * never changes it half way. Thread-safe.
 */
#ifndef PULLYU_MILTER_SNAPSHOT_H
#define PULLYU_MILTER_SNAPSHOT_H

#include <stdbool.h>

#include "base/hmac.h"
#include "base/rc.h"
#include "classify/classify.h"
#include "conf/conf.h"
#include "policy/user.h"

struct snapshot {
	int refs;            /* atomic */
	struct conf *conf;   /* own */
	struct rules *rules; /* own */
	struct users *users; /* own */
	bool has_key;        /* false: pullyud has not made it yet */
	unsigned char key[HMAC_KEY_BYTES];
	char *seen; /* own; what the files looked like */
};

/* Reads everything. Each problem of a file goes to problem. */
enum rc snapshot_load(const char *path, ini_problem_fn *problem, void *ctx,
    struct snapshot **snapshot_out, struct err *err);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot **snapshot); /* nulls */

/* The one in force; the caller unrefs. */
struct snapshot *snapshot_get(void);
/* Puts one in force; takes over the caller's reference. NULL at the end of the program. */
void snapshot_set(struct snapshot *snapshot);

/* Starts the thread that loads a new snapshot on SIGUSR1 (which must be blocked in every thread)
 * and when a file that it was made from has changed: looked at every SNAPSHOT_WATCH_SECONDS. What
 * cannot be loaded is logged, and the old one stays in force. [milter] socket and socket_mode, and
 * [paths] spool, control and key, stay as they were at the start: a warning is logged. */
enum { SNAPSHOT_WATCH_SECONDS = 2 };
enum rc snapshot_watch_start(struct err *err);
/* As SIGUSR1 does. Async-signal-safe. */
void snapshot_watch_kick(void);
void snapshot_watch_stop(void);

#endif
