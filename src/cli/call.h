/*
 * call.h: what the commands need before they can say anything: the configuration and pullyud.
 */
#ifndef PULLYU_CLI_CALL_H
#define PULLYU_CLI_CALL_H

#include <stdint.h>

#include <jansson.h>

#include "cli/commands.h"
#include "conf/conf.h"
#include "policy/user.h"

/* Milliseconds that a request may take. Releasing hands messages to the MTA one by one. */
enum { CALL_SHORT = 60 * 1000, CALL_LONG = 60 * 60 * 1000 };

/* NULL after a message on stderr; *status_out is the exit status then. conf_unref. */
struct conf *call_conf(const struct cli *cli, int *status_out);

/* Sends the request to pullyud; takes over the reference to request, NULL if it could not be made
 * of what was typed. Returns EX_OK, or an exit status after a message on stderr. *reply_out:
 * json_decref; *fd_out as in control_call; both may be NULL. */
int call(
    const struct cli *cli, json_t *request, int64_t timeout_ms, json_t **reply_out, int *fd_out);

/* Members of a reply: "" or 0 where it has none of that type. */
const char *reply_text(const json_t *object, const char *key);
int64_t reply_number(const json_t *object, const char *key);

/* The users of the configuration. users_free. */
enum rc call_users(const struct conf *conf, struct users **users_out, struct err *err);

/* For ini_problem_fn: "file:line: text" on stdout; ctx points at a size_t that counts them. */
void call_problem(void *ctx, const char *file, int line, const char *text);
/* The same on stderr, for commands whose output is something else; ctx is not used. */
void call_complain(void *ctx, const char *file, int line, const char *text);

#endif
