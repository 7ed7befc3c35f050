/*
 * control.h: the socket protocol between pullyud and its clients (the milter, the CLI). A unix
 * stream socket; each request and each reply is one line of JSON (RFC 8259, UTF-8) of at most
 * CONTROL_LINE_MAX bytes with its newline; a connection may carry many. A reply may come with one
 * open file descriptor (SCM_RIGHTS) for content of any size.
 *
 * Request: {"op": NAME, ...}. Reply: {"rc": "ok"|"notfound"|"temp"|"perm"|"corrupt", "text": ...,
 * ...}; "text" explains anything but ok.
 *
 * Of the milter (U is a user's key, addresses are normalised):
 *   ask     users: [U], senders: [address], refs: [Message-ID]  known: {U: "correspondent"|"reply"}
 *   spf     ip, helo, from                                      result: "pass", ... (auth.h)
 *   sent    user: U, to: [address], id: Message-ID              nothing: they are remembered
 *   kick                                                        nothing: look into incoming/
 *   shadow  user: U, class, score, margin?, sender: address,    nothing: it is counted
 *           received, reasons: [rule]
 * Of the CLI (U as a person types it):
 *   list     user          messages: [{id, received, size, class, score, reasons, from_addr,
 *                          from_name, subject, why, read}]
 *   show     user, id      lead: bytes to skip; and a descriptor of the message's file
 *   preview  user          and a descriptor of the digest
 *   release  user, ids     count, left: delivered now; without ids all, as a digest
 *   allow, hold, forget  user, entry    changed, known, text
 *   learned  user          allow, hold: [entry], known: [{address, when}], cut, problem?
 *   status                 version, since, held, incoming, users: [{user, held, oldest, next,
 *                          under_way, failures}]
 *   metrics                metrics: {name: number}
 *   rebuild                changed: entries of the index that were not right
 *   drain    user?         count, left: everything held, as originals, for one user or all
 *   report   user? domain? reset?   since, last, users, unreadable, messages, digests, saved,
 *                          seconds_each, hours, classes: {class: count}, senders and nearest:
 *                          [{sender, messages, class, margin, last}],
 *                          rules: [{rule, messages, why}]
 */
#ifndef PULLYU_CONTROL_CONTROL_H
#define PULLYU_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/rc.h"

enum { CONTROL_LINE_MAX = 1024 * 1024, CONTROL_REPLY_MAX = 64 * 1024 * 1024 };

/* Sends one request on a connection of its own and waits for the reply until the deadline
 * (milliseconds from now, for all of it). *reply_out: json_decref. *fd_out (where fd_out is not
 * NULL): -1 or a descriptor to close. A reply whose rc is not ok is returned as that rc with its
 * text. RC_TEMP: nobody listens, or the deadline passed, or the reply is garbage. Thread-safe. */
enum rc control_call(const char *path, json_t *request, int64_t timeout_ms, json_t **reply_out,
    int *fd_out, struct err *err);

/* Whether anybody takes connections there: tells a daemon that says "temp" from one that is not
 * there. */
bool control_listening(const char *path);

#endif
