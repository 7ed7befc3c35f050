/*
 * decide.h: the recipients of one message, each to hold or to pass. Knows nothing of libmilter or
 * of sockets: the questions go through a struct asker.
 */
#ifndef PULLYU_MILTER_DECIDE_H
#define PULLYU_MILTER_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "milter/ask.h"
#include "policy/policy.h"
#include "policy/user.h"

struct decide_rcpt {
	char *raw;             /* own; the bytes of RCPT TO */
	const char *must_pass; /* foreign; why it passes whatever the rules say; or NULL */
	bool maybe_command;    /* the address looks like one for commands, of whomever */
	bool command;          /* it is, and the message is a command: taken off as one */
	char key[ADDR_MAX];    /* the user; "" if it is no address */
	struct user *user;     /* own; NULL: nobody who takes part */
	bool hold;
	bool shadow;    /* would be held, but passes: the user is in shadow mode */
	enum class cls; /* as which it is treated, where the user takes part */
	bool listed;    /* held because of the hold list */
	char why[POLICY_WHY_MAX + 32];
};

void decide_rcpt_clear(struct decide_rcpt *rcpt);

/* Finds the user of each recipient. Returns how many take part. */
size_t decide_users(struct users *users, int64_t now, struct decide_rcpt *rcpts, size_t n);

struct decide_message {
	const struct facts *facts; /* ended */
	const struct verdict *verdict;
	bool authenticated;              /* sent by a client that logged in: no forgery */
	const char *const *authserv_ids; /* trusted; NULL-terminated; may be NULL */
	bool spf;                        /* ask for SPF where nobody trusted speaks */
	const char *client_ip;           /* "" if unknown: then there is no SPF */
	const char *helo;
	int64_t now; /* seconds since the epoch */
};

/* Sets hold, shadow and why of each recipient. At most one question of each kind is asked, and only
 * when a decision hangs on it. Returns how many are to be held. */
size_t decide(const struct decide_message *message, const struct asker *asker,
    struct decide_rcpt *rcpts, size_t n);

#endif
