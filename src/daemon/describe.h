/*
 * describe.h: a held message's file (trace fields written by the milter, then the original) becomes
 * an index record.
 */
#ifndef PULLYU_DAEMON_DESCRIBE_H
#define PULLYU_DAEMON_DESCRIBE_H

#include "policy/user.h"
#include "store/store.h"

/* A store_describe_fn; ctx is the struct users *. Reads from the start of fd. RC_PERM: the file
 * does not begin with our trace fields. */
enum rc describe(void *ctx, int fd, const struct store_msg *msg, char user_out[ADDR_MAX],
    struct store_held *held_out, struct err *err);

/* The trace fields of a command mail (spool.h of the milter). Reads from the start of fd. RC_PERM:
 * the file does not begin with them. */
struct command_lead {
	char user[ADDR_MAX]; /* whose command it is, by the milter's word */
	bool by_login;       /* he was logged in; otherwise the message is authenticated */
	uint64_t len;        /* bytes of the fields */
};
enum rc describe_command(int fd, struct command_lead *lead_out, struct err *err);

/* When the message of that id was held (seconds since the epoch); 0 if it does not tell. */
int64_t describe_received(const char *id);

#endif
