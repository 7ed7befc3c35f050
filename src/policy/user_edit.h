/*
 * user_edit.h: the one way in which programs change a user's files (allow, hold, settings.ini).
 * Thread-safe.
 */
#ifndef PULLYU_POLICY_USER_EDIT_H
#define PULLYU_POLICY_USER_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

/* Makes the new text of old, which is "" if there is no file. Both are NUL-terminated UTF-8 or what
 * else stands in the file; *new_out: g_free, NULL or the same text: nothing changes. Called again
 * if the file changed meanwhile; so it must not keep what it found out the first time. */
typedef enum rc user_edit_fn(void *ctx, const char *old, char **new_out, struct err *err);

/* Replaces the file at path by what fn makes of it. Two programs that do so at a time do it one
 * after the other: a lock (flock) on the directory is waited for, at most a second. Whoever
 * edits the file without the lock (an editor) and saves before the new text is in place is noticed,
 * and fn is asked again. A crash leaves the old text or the new; when RC_OK is returned, the new
 * one is durable. The file keeps its mode, and its owner and group where that is permitted; a new
 * one has the mode 0640. The directory is made if it is missing and something is to be written.
 *
 * The file is read as user_file_read does it: the same is refused (max, owner). RC_PERM: refused,
 * or it holds NUL bytes, or the new text would be larger than max. RC_TEMP: somebody else holds the
 * lock, or the file does not stop changing, or cannot be written now. Whatever fn returns
 * otherwise. On a file system without locks the file is edited without. *changed_out is set with
 * RC_OK. */
enum rc user_file_edit(const char *path, size_t max, int64_t owner, user_edit_fn *fn, void *ctx,
    bool *changed_out, struct err *err);

#endif
