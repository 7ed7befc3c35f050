/*
 * listener.h: the socket, libmilter's main loop, and a clean end.
 *
 * libmilter starts a thread that waits for SIGTERM, SIGINT and SIGHUP and then drops every session
 * at once, in the middle of messages. So those signals must not reach it: its loop runs in a thread
 * of ours, while the main thread, which Linux prefers as the receiver of signals sent to the
 * process, keeps them unblocked and handles them. If one gets through to libmilter all the same,
 * the MTA sees the connection close and tries those messages again: repeats, no loss.
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

/* To be called by the main thread before it starts others: SIGUSR1, SIGHUP, SIGTERM and SIGINT are
 * blocked in all of them. */
void listener_block_signals(void);

/* Serves until SIGTERM or SIGINT (SIGHUP and SIGUSR1: see snapshot.h), then takes no new
 * connection, waits for messages in flight, and returns. RC_TEMP: libmilter gave up. */
enum rc listener_run(struct err *err);

#endif
