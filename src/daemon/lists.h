/*
 * lists.h: what pullyud changes and tells of a user's allow and hold lists and of the
 * correspondents, whoever asks for it: the CLI, or a command by mail.
 */
#ifndef PULLYU_DAEMON_LISTS_H
#define PULLYU_DAEMON_LISTS_H

#include "daemon/daemon.h"
#include "policy/list.h"

enum lists_op { LISTS_ALLOW, LISTS_HOLD, LISTS_FORGET };

/* Of each kind: a person reads it. */
enum { LISTS_LEARNED_MAX = 10000 };

struct lists_result {
	char entry[LIST_ENTRY_MAX]; /* in its normal form */
	bool changed;               /* a list or the correspondents */
	bool known;                 /* with LISTS_FORGET: it was a correspondent */
};

/* What was said last is what counts: allow and hold take off the other list what would overrule the
 * entry; forget takes it off both, and an address out of the correspondents too. Durable with
 * RC_OK. RC_PERM: no entry, or a list that cannot be edited; RC_NOTFOUND, RC_TEMP as users_edit. */
enum rc lists_change(struct daemon *d, const char *user, enum lists_op op, const char *entry,
    struct lists_result *result_out, struct err *err);

/* {allow: [entry], hold: [entry], known: [{address, when}], cut: bool, problem?}; entries as they
 * stand in the files, the last good ones where a file is bad (problem says so). At most
 * LISTS_LEARNED_MAX of each: cut says whether there are more. */
enum rc lists_learned(struct daemon *d, const char *user, json_t **learned_out, struct err *err);

/* {"allow": [lines], "hold": [lines], "known": when?}: where the key of an entry (in normal form)
 * stands now, for lists_restore; *lines_out: json_decref. */
enum rc lists_lines(
    struct daemon *d, const char *user, const char *entry, json_t **lines_out, struct err *err);
/* Puts the key of the entry back where it stood. */
enum rc lists_restore(
    struct daemon *d, const char *user, const char *entry, const json_t *lines, struct err *err);

#endif
