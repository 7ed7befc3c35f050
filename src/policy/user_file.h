/*
 * user_file.h: one file that a user can write to, read by a program with other rights. Only user.c
 * and user_edit.c need it. Thread-safe.
 */
#ifndef PULLYU_POLICY_USER_FILE_H
#define PULLYU_POLICY_USER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/rc.h"

enum { USER_FILE_NO_OWNER = -1 };

/* What tells one state of a file from another. */
struct user_file_sig {
	int error; /* 0, or errno of lstat; ENOENT: there is none */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
	bool young; /* changed so short before it was read that a second change might not show;
		     * or to be read again for another reason */
};

/* Reads a file of at most max bytes, NUL-terminated, in *data_out (g_free). It must be a regular
 * file, not reached by a symbolic link as the last component, not world-writable, and belong to
 * root, to our own user or to owner (USER_FILE_NO_OWNER: nobody else); where root reads, also to
 * whom the directory belongs. *sig_out is set whatever the
 * result. err says what is wrong without the path. RC_NOTFOUND: there is none. RC_PERM: as above.
 * RC_TEMP: it cannot be read now. */
enum rc user_file_read(const char *path, size_t max, int64_t owner, char **data_out,
    size_t *len_out, struct stat *st_out, struct user_file_sig *sig_out, struct err *err);
/* The same for a path below an open directory. */
enum rc user_file_read_at(int dir, const char *path, size_t max, int64_t owner, char **data_out,
    size_t *len_out, struct stat *st_out, struct user_file_sig *sig_out, struct err *err);

/* Whether the file at path is still the one that was read. One lstat (follow: stat); opens nothing.
 */
bool user_file_unchanged(const char *path, bool follow, const struct user_file_sig *sig);
/* The sig of what was read elsewhere; st NULL: reading failed with that error. */
void user_file_sig_set(struct user_file_sig *sig, int error, const struct stat *st);

#endif
