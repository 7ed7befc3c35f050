/*
 * session.h: libmilter's callbacks. A session is a connection from the MTA; its callbacks hop
 * threads, so all state hangs on smfi_setpriv.
 */
#ifndef PULLYU_MILTER_SESSION_H
#define PULLYU_MILTER_SESSION_H

#include <stdbool.h> /* or mfapi.h makes a bool of its own */

#include <libmilter/mfapi.h>

/* For smfi_register. */
extern const struct smfiDesc session_callbacks;

/* Messages now under way, in all sessions: between MAIL and their end, and those of them whose
 * content has begun. */
struct session_load {
	int messages, contents;
};
struct session_load session_load_now(void);

#endif
