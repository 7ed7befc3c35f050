/*
 * server.h: pullyud's end of the control socket, on the GLib main loop's thread. A request may be
 * answered at once or later; a connection has one unanswered request at a time and further input
 * waits. Bounds: SERVER_CONNECTIONS_MAX connections, CONTROL_LINE_MAX bytes a line, an idle
 * connection is closed after SERVER_IDLE_SECONDS.
 */
#ifndef PULLYU_CONTROL_SERVER_H
#define PULLYU_CONTROL_SERVER_H

#include <sys/types.h>

#include <jansson.h>

#include "base/rc.h"

enum { SERVER_CONNECTIONS_MAX = 1000, SERVER_IDLE_SECONDS = 120 };

struct control_server;
struct control_call_in; /* one request that waits for its answer */

/* request is borrowed: json_incref it to keep it. Each call must be answered exactly once. */
typedef void control_handler_fn(void *ctx, json_t *request, struct control_call_in *call);

/* Binds and listens. A stale socket (nobody answers there) is replaced; a live one or a file that
 * is no socket is RC_PERM. */
enum rc control_server_new(const char *path, mode_t mode, control_handler_fn *handler, void *ctx,
    struct control_server **server_out, struct err *err);
/* Closes everything and removes the socket. Calls still unanswered may be answered; it does
 * nothing then. */
void control_server_free(struct control_server **server);

/* Answers and forgets the call. reply is stolen; "rc" is added if it lacks one ("ok"); fd (-1:
 * none) is closed. */
void control_answer(struct control_call_in *call, json_t *reply, int fd);
/* {"rc": ..., "text": ...} */
void control_answer_rc(struct control_call_in *call, enum rc rc, const struct err *err);

#endif
