/*
 * lists.h: a user's lists allow and hold, as the command line and commands by mail edit them.
 */
#ifndef PULLYU_DAEMON_LISTS_H
#define PULLYU_DAEMON_LISTS_H

#include "daemon/daemon.h"
#include "policy/list.h"

enum lists_op { LISTS_ALLOW, LISTS_HOLD, LISTS_FORGET };

/* entry: in normal form (list_entry_normalise). */
enum rc lists_edit(struct daemon *d, const char *user, const char *entry, enum lists_op op,
    bool *changed_out, struct err *err);

/* {"allow": [lines], "hold": [lines]}: where the key of the entry stands now, for lists_restore;
 * *lines_out: json_decref. */
enum rc lists_lines(
    struct daemon *d, const char *user, const char *entry, json_t **lines_out, struct err *err);
/* Puts the key of the entry back where it stood. */
enum rc lists_restore(
    struct daemon *d, const char *user, const char *entry, const json_t *lines, struct err *err);

/* What is known of the user's senders, a line each: "allow news@shop.example", "hold ...", "known
 * ann@example.org 2026-11-01"; bounded. */
enum rc lists_text(struct daemon *d, const char *user, GString *out, struct err *err);

#endif
