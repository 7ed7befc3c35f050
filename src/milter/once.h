/*
 * once.h: the lane for requests to confirm a subscription, which pass as security mail does.
 * Anybody can make a thousand sites send them to somebody, to bury what matters among them. So of
 * one sender to one user one message passes in ONCE_PERIOD seconds, and of all senders to one user
 * ONCE_USER_MAX. What is over that is for policy to treat as what it is otherwise.
 *
 * Kept in memory: after a restart of the milter the count begins anew. Of the last ONCE_SLOTS
 * messages only; what is forgotten early passes. Thread-safe.
 */
#ifndef PULLYU_MILTER_ONCE_H
#define PULLYU_MILTER_ONCE_H

#include <stdbool.h>
#include <stdint.h>

enum { ONCE_PERIOD = 3600, ONCE_USER_MAX = 10, ONCE_SLOTS = 4096 };

/* Whether this message may pass, and counts it then. A message that has passed before (the same
 * message_id, not "") may pass again: the client may have to send it twice. now: seconds. */
bool once_take(const char *user, const char *sender, const char *message_id, int64_t now);

/* For tests. */
void once_forget(void);

#endif
