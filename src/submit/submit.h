/*
 * submit.h: hands one message to the MTA by SMTP (RFC 5321) with libcurl, to a port that runs no
 * milters. Blocks up to the timeout: in a worker process only.
 */
#ifndef PULLYU_SUBMIT_SUBMIT_H
#define PULLYU_SUBMIT_SUBMIT_H

#include <stdint.h>

#include "base/rc.h"

struct submit_config {
	const char *host;
	int port;
	int timeout;      /* seconds for the whole transaction */
	const char *helo; /* our name in EHLO; NULL: the host name */
};

struct submit_message {
	const char *envelope_from; /* "" for the null sender; normalised addresses, no brackets */
	const char *rcpt;          /* one recipient; may be quoted or UTF-8 */
	int fd;                    /* the message, CRLF or LF lines */
	uint64_t offset;           /* where it starts: our trace fields stand before it */
};

/* RC_OK only after the MTA's 250 to the end of the data. RC_PERM: a 5xx to MAIL, RCPT, DATA or the
 * end of data. *smtp_code_out is set on every result: the code of the reply that decided, 0 if
 * there was none. RC_TEMP: everything else: no connection, 4xx, a missed deadline, an unreadable
 * file. What is sent is the message's bytes with every line ending in CRLF, dot-stuffed; a body
 * line "." or "MAIL FROM:" cannot leave the data. 8-bit content goes undeclared: libcurl has no way
 * to say BODY=8BITMIME. */
enum rc submit_message(const struct submit_config *config, const struct submit_message *message,
    int *smtp_code_out, struct err *err);

#endif
