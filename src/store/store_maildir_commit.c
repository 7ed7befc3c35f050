/*
 * store_maildir_commit.c: taking a durable file over into a folder: rename, then fsync of both
 * directories.
 */
#include <config.h>

#include "store/store_maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"

/* Whether a can be unlinked, for b is the same message: not if both are one file of one name. */
static bool spare_copy(int a, int b)
{
	struct stat st, other;
	char x[16384], y[16384];
	off_t at = 0;
	if (fstat(a, &st) != 0 || fstat(b, &other) != 0 ||
	    (st.st_dev == other.st_dev && st.st_ino == other.st_ino && st.st_nlink < 2))
		return false;
	for (;;) {
		ssize_t n = pread(a, x, sizeof(x), at);
		ssize_t k = pread(b, y, sizeof(y), at);
		/* A short read of one and not of the other counts as different: that is safe. */
		if (n < 0 || n != k || memcmp(x, y, (size_t)n) != 0)
			return false;
		if (n == 0)
			return true;
		at += n;
	}
}

/* An IMAP server's group may read the message if the folder is meant for it. Best effort: without
 * it the reader does not see the message there, and the digest brings it all the same. */
static void grant(int fd, int dir)
{
	struct stat file, into;
	if (fstat(fd, &file) != 0 || fstat(dir, &into) != 0 || (into.st_mode & S_ISGID) == 0)
		return;
	if (file.st_gid != into.st_gid && fchown(fd, (uid_t)-1, into.st_gid) == 0)
		file.st_gid = into.st_gid;
	if (file.st_gid == into.st_gid && (into.st_mode & S_IRGRP) != 0 &&
	    (file.st_mode & S_IRGRP) == 0)
		(void)!fchmod(fd, (file.st_mode & 0777) | S_IRGRP);
}

/* Never replaces a file: two messages of one id would be one message lost. */
static enum rc rename_new(
    int from_dir, const char *from, int to_dir, const char *to, struct err *err)
{
	int result = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
	if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {
		/* A file system without that flag. Nobody but us makes these names. */
		result = faccessat(to_dir, to, F_OK, AT_SYMLINK_NOFOLLOW);
		errno = result == 0 ? EEXIST : errno;
		result = result == 0 || errno != ENOENT ? -1 : renameat(from_dir, from, to_dir, to);
	}
	if (result == 0)
		return RC_OK;
	return err_errno(err, errno == EEXIST ? RC_PERM : RC_TEMP, "rename %s", from);
}

/* incoming/ on another file system than the folders: not as it should be, yet no reason to leave
 * mail lying about. The copy becomes visible when it is whole and durable. */
static enum rc copy_new(
    int fd, const struct maildir_folder *folder, const char *id, struct err *err)
{
	int tmp = -1, out = -1;
	enum rc rc = maildir_open_dir(folder->dir, "tmp", &tmp, err);
	if (rc != RC_OK)
		return rc;
	unlinkat(tmp, id, 0); /* what a crash left */
	out = openat(tmp, id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0) {
		rc = err_errno(err, RC_TEMP, "tmp/%s", id);
		goto done;
	}
	rc = lseek(fd, 0, SEEK_SET) == 0 ? fs_copy_rest(fd, out, err)
					 : err_errno(err, RC_TEMP, "tmp/%s", id);
	if (rc == RC_OK)
		grant(out, folder->fresh);
	if (rc == RC_OK)
		rc = maildir_sync_fd(out, id, err);
	if (rc == RC_OK)
		rc = rename_new(tmp, id, folder->fresh, id, err);
	if (rc != RC_OK)
		unlinkat(tmp, id, 0);
done:
	maildir_close_fd(&out);
	maildir_close_fd(&tmp);
	return rc;
}

static enum rc sync_source(struct maildir *m, const char *path, struct err *err)
{
	char *dir = g_path_get_dirname(path);
	enum rc rc = maildir_sync_later(m, dir, err);
	g_free(dir);
	return rc;
}

/* Here already: a crash in copy_new, or a caller that uses an id twice. */
static enum rc already_there(
    int fd, const struct maildir_folder *folder, const char *id, struct err *err)
{
	int there = -1;
	enum rc rc = maildir_find_and_open(folder, id, &there, err);
	if (rc == RC_OK && !spare_copy(fd, there))
		rc = err_set(err, RC_PERM, "another message is held as %s", id);
	maildir_close_fd(&there);
	return rc;
}

/* Moves an open file into new/. On RC_OK it is there, and *left_out says whether path is too. The
 * rename comes first and the look around only if it fails: a folder may hold thousands. */
static enum rc move_in(int fd, const struct maildir_folder *folder, const char *id,
    const char *path, bool *left_out, struct err *err)
{
	grant(fd, folder->fresh);
	enum rc rc = rename_new(AT_FDCWD, path, folder->fresh, id, err);
	if (rc == RC_OK || (errno != EEXIST && errno != EXDEV))
		return rc;
	bool other_disk = errno == EXDEV;
	rc = already_there(fd, folder, id, err);
	if (rc == RC_NOTFOUND)
		rc = other_disk ? copy_new(fd, folder, id, err) : RC_TEMP;
	*left_out = rc == RC_OK;
	return rc;
}

static enum rc commit_open(struct maildir *m, const char *name, int fd,
    const struct maildir_folder *folder, const char *id, const char *path, struct err *err)
{
	bool left = false;
	if (fault_point("store.commit.before_rename"))
		return err_errno(err, RC_TEMP, "rename");
	enum rc rc = move_in(fd, folder, id, path, &left, err);
	if (rc != RC_OK)
		return rc;
	if (fault_point("store.commit.after_rename"))
		return err_errno(err, RC_TEMP, "fsync new");
	rc = maildir_sync_part_later(m, name, "new", err);
	if (rc == RC_OK && left)
		rc = maildir_sync_fd(folder->fresh, "new", err);
	if (rc == RC_OK && left)
		rc = maildir_sync_fd(folder->cur, "cur", err);
	if (rc != RC_OK)
		return rc;
	/* The lines above make it safe: from here on (inside a transaction: from its end on) the
	 * message survives a power cut. What follows keeps a second copy of it from coming back in
	 * incoming/. A rename that is not yet durable leaves the message at one of the two places.
	 */
	if (fault_point("store.commit.after_sync_new"))
		return err_errno(err, RC_TEMP, "fsync incoming");
	if (left && unlink(path) != 0 && errno != ENOENT)
		return err_errno(err, RC_TEMP, "unlink");
	rc = sync_source(m, path, err);
	(void)fault_point("store.commit.after_sync_incoming");
	return rc;
}

/* path is gone: done before a crash, or nothing is known of it. */
static enum rc commit_again(
    struct maildir *m, const char *name, const char *id, const char *path, struct err *err)
{
	struct maildir_folder folder = MAILDIR_NO_FOLDER;
	struct maildir_place place;
	enum rc rc = maildir_folder_open(m, name, &folder, NULL);
	if (rc == RC_OK)
		rc = maildir_find(&folder, id, &place, NULL);
	maildir_folder_close(&folder);
	if (rc == RC_NOTFOUND)
		return err_set(err, RC_NOTFOUND, "neither there nor held as %s", id);
	if (rc != RC_OK)
		return err_set(err, rc, "the folder cannot be read");
	/* The first attempt may have died between its rename and its fsyncs. */
	rc = maildir_folder_make(m, name, &folder, err);
	if (rc == RC_OK)
		rc = maildir_sync_fd(folder.fresh, "new", err);
	if (rc == RC_OK)
		rc = maildir_sync_fd(folder.cur, "cur", err);
	if (rc == RC_OK)
		rc = sync_source(m, path, err);
	maildir_folder_close(&folder);
	return rc;
}

enum rc maildir_commit(
    void *self, const char *name, const char *id, const char *path, struct err *err)
{
	struct maildir *m = self;
	struct maildir_folder folder = MAILDIR_NO_FOLDER;
	struct err inner;
	struct stat st;
	enum rc rc;
	if (lstat(path, &st) != 0) {
		rc = errno == ENOENT ? commit_again(m, name, id, path, &inner)
				     : err_errno(&inner, RC_TEMP, "stat");
		return maildir_finish(rc, &inner, path, err);
	}
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, maildir_rc_of_errno(), "%s", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = err_set(&inner, RC_PERM, "not a regular file");
	else
		rc = maildir_folder_make(m, name, &folder, &inner);
	if (rc == RC_OK)
		rc = commit_open(m, name, fd, &folder, id, path, &inner);
	maildir_folder_close(&folder);
	maildir_close_fd(&fd);
	return maildir_finish(rc, &inner, path, err);
}
