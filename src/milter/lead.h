/*
 * lead.h: the trace fields that stand before a held message, or before a command. Pure;
 * thread-safe.
 *
 *	Return-Path: <bounce@example.net>
 *	Delivered-To: Ann+shop@example.org
 *	Received: from HELO ([192.0.2.1])
 *		by mx.example.org with pullyu id 4Xy1;
 *		Sat, 22 Nov 2025 08:00:00 +0000
 *	X-Pullyu-Verdict: newsletter; score=7.5;
 *	 reasons=list-id,precedence-bulk
 *
 * A command has, instead of the last,
 *
 *	X-Pullyu-Command: by=login; user=ann@example.org
 *
 * The original follows, so that field is the last of the lead and the first of its name. Only where
 * it stands tells the two apart: below it everything is the sender's.
 */
#ifndef PULLYU_MILTER_LEAD_H
#define PULLYU_MILTER_LEAD_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "base/addr.h"
#include "classify/verdict.h"

struct lead {
	const char *mail_from; /* as received in MAIL FROM; with or without angle brackets */
	const char *rcpt;      /* as received in RCPT TO */
	const char *helo;      /* hostile */
	const char *addr;      /* textual IP address; "" if unknown */
	const char *host;      /* ours */
	const char *queue_id;  /* "" if unknown */
	int64_t now;           /* seconds since the epoch */
	const struct verdict *verdict; /* NULL: a command */
	const char *by, *user;         /* of a command: words as above, user normalised */
};

/* Whether an address as received can stand in a field and come out of it unchanged: no control
 * character, no blank at its ends, shorter than ADDR_MAX, as its reader in pullyud wants it. */
bool lead_address_fits(const char *address);

/* The fields, CRLF lines; the caller frees. Both addresses must fit; everything else is reduced to
 * harmless characters. */
GString *lead_format(const struct lead *lead);

#endif
