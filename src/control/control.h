/*
 * control.h: the socket protocol between pullyud and its clients (the milter, the CLI). A unix
 * stream socket; each request and each reply is one line of JSON (RFC 8259, UTF-8) of at most
 * CONTROL_LINE_MAX bytes with its newline; a connection may carry many. A reply may come with one
 * open file descriptor (SCM_RIGHTS) for content of any size.
 *
 * Request: {"op": NAME, ...}. Reply: {"rc": "ok"|"notfound"|"temp"|"perm"|"corrupt", "text": ...,
 * ...}; "text" explains anything but ok. docs of each op: control_ops.h.
 */
#ifndef PULLYU_CONTROL_CONTROL_H
#define PULLYU_CONTROL_CONTROL_H

#include <stdint.h>

#include <jansson.h>

#include "base/rc.h"

enum { CONTROL_LINE_MAX = 1024 * 1024 };

/* Sends one request on a connection of its own and waits for the reply until the deadline
 * (milliseconds from now, for all of it). *reply_out: json_decref. *fd_out (where fd_out is not
 * NULL): -1 or a descriptor to close. A reply whose rc is not ok is returned as that rc with its
 * text. RC_TEMP: nobody listens, or the deadline passed, or the reply is garbage. Thread-safe. */
enum rc control_call(const char *path, json_t *request, int64_t timeout_ms, json_t **reply_out,
    int *fd_out, struct err *err);

#endif
