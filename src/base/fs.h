/*
 * fs.h: files, with durability spelt out. Thread-safe. "Durable" means: survives a power cut.
 */
#ifndef PULLYU_BASE_FS_H
#define PULLYU_BASE_FS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/rc.h"

/* Writes all of it, whatever the kernel takes at a time. RC_TEMP on any error (disk full). */
enum rc fs_write_all(int fd, const void *data, size_t len, struct err *err);

/* fsync of the directory: what was renamed into or unlinked from it is durable afterwards. */
enum rc fs_sync_dir(const char *path, struct err *err);

/* Makes path and its parents with the mode; existing ones are left alone. Durable. */
enum rc fs_mkdirs(const char *path, mode_t mode, struct err *err);

/* Replaces path by a file with this content: temporary file beside it, fsync, rename, fsync of
 * the directory. A crash leaves the old content or the new, never a part. Keeps the owner of an
 * existing file where permitted. */
enum rc fs_write_atomic(
    const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/* The whole of a regular file of at most max bytes, NUL-terminated, in *data_out (g_free).
 * RC_NOTFOUND if there is none; RC_PERM if it is larger, or no regular file. *st_out, where not
 * NULL, is of the file that was read. */
struct stat;
enum rc fs_read(const char *path, size_t max, char **data_out, size_t *len_out, struct stat *st_out,
    struct err *err);

/* Copies the rest of from, starting at its current offset, to the current offset of to. */
enum rc fs_copy_rest(int from, int to, struct err *err);

#endif
