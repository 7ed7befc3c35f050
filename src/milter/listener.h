/*
 * listener.h: the socket, libmilter's main loop, and a clean end.
 *
 * The signals SIGTERM, SIGINT and SIGHUP are this module's, not libmilter's (see the .c): a stop
 * waits for messages in flight.
 */
#ifndef PULLYU_MILTER_LISTENER_H
#define PULLYU_MILTER_LISTENER_H

#include <stdint.h>

#include "base/rc.h"

/* For listener_run: the longest waits for messages whose content is being received, and for those
 * that are still at their envelope or between it and their content. */
enum { LISTENER_CONTENT_MS = 30000, LISTENER_ENVELOPE_MS = 5000 };

/* Binds and listens. socket is in libmilter's syntax. A unix socket gets that mode; one that nobody
 * listens at is replaced. RC_PERM: something else is there, or somebody listens, or bad syntax. */
enum rc listener_open(const char *socket, int64_t mode, struct err *err);

/* To be called before any thread is started: SIGUSR1, SIGHUP, SIGTERM and SIGINT are blocked in all
 * of them; who wants one waits for it. */
void listener_block_signals(void);

/* Serves until SIGTERM or SIGINT (SIGHUP and SIGUSR1: see snapshot.h), then takes no new
 * connection, waits for messages in flight, and returns. RC_TEMP: libmilter gave up. */
enum rc listener_run(struct err *err);

#endif
