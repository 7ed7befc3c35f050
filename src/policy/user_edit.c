/*
 * user_edit.c: see user_edit.h. Everything is done in the directory whose descriptor is locked, so
 * that what is read, written and renamed is in the same one, wherever its path leads meanwhile.
 */
#include <config.h>

#include "policy/user_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "policy/user_file.h"

enum {
	LOCK_WAIT_MS = 1000, /* an edit takes some milliseconds */
	LOCK_POLL_US = 500,
	/* Behind an edit the lock is free for longer than two looks are apart: a program that makes
	 * many edits would keep it from all others otherwise. */
	LOCK_GAP_US = 1200,
	TRIES = 5,
	MODE_NEW = 0640,
	DIR_MODE = 0750,
};

struct edit {
	const char *path; /* foreign; for messages */
	char *dir, *name; /* own: the two parts of path */
	char *temporary;  /* own; beside it */
	size_t max;
	int64_t owner;
	int fd; /* own: the directory, locked; -1: there is none */
};

/* What the file was when it was read. */
struct before {
	char *text; /* own; "" if there was none */
	size_t len;
	bool there;
	struct stat st; /* if it was there */
};

/* False: the file system has no locks, or not on directories (NFS). */
static enum rc lock(const struct edit *e, bool *locked_out, struct err *err)
{
	int64_t until = clock_mono_ms() + LOCK_WAIT_MS;
	while (flock(e->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK) {
			*locked_out = false;
			return RC_OK;
		}
		if (clock_mono_ms() >= until)
			return err_set(err, RC_TEMP,
			    "%s: another program is editing files in this directory", e->path);
		g_usleep(LOCK_POLL_US);
	}
	*locked_out = true;
	return RC_OK;
}

/* Opens and locks the directory. RC_NOTFOUND: there is none. */
static enum rc edit_open(struct edit *e, struct err *err)
{
	bool locked = false;
	e->fd = open(e->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_TEMP, "%s", e->dir);
	enum rc rc = lock(e, &locked, err);
	/* With the lock nobody else has this name, and what a crash left is replaced. Without, two
	 * must not write to one file. */
	if (rc == RC_OK)
		e->temporary = locked ? g_strdup_printf(".%s.new", e->name)
				      : g_strdup_printf(".%s.new.%ld", e->name, (long)getpid());
	return rc;
}

static enum rc read_before(const struct edit *e, struct before *before_out, struct err *err)
{
	struct user_file_sig unused;
	struct before before = {.there = true};
	struct err why;
	enum rc rc = e->fd < 0 ? RC_NOTFOUND
			       : user_file_read_at(e->fd, e->name, e->max, e->owner, &before.text,
				     &before.len, &before.st, &unused, &why);
	if (rc == RC_NOTFOUND) {
		before.there = false;
		before.text = g_strdup("");
		rc = RC_OK;
	} else if (rc != RC_OK) {
		return err_set(err, rc, "%s: %s", e->path, why.text);
	} else if (strlen(before.text) != before.len) {
		g_free(before.text);
		return err_set(err, RC_PERM, "%s: holds NUL bytes: not a text file", e->path);
	}
	*before_out = before;
	return rc;
}

/* Whether the file still is what was read. Its bytes are compared: two changes within one tick of
 * the file system's clock leave the same time stamp. */
static bool is_unchanged(const struct edit *e, const struct before *before)
{
	struct before now;
	if (read_before(e, &now, NULL) != RC_OK)
		return false;
	bool same = now.there == before->there && now.len == before->len &&
	    memcmp(now.text, before->text, now.len) == 0;
	if (same && now.there)
		same = now.st.st_mode == before->st.st_mode && now.st.st_uid == before->st.st_uid;
	g_free(now.text);
	return same;
}

static enum rc fill_temporary(
    int fd, const struct before *before, const char *text, struct err *err)
{
	enum rc rc = fs_write_all(fd, text, strlen(text), err);
	if (rc != RC_OK)
		return rc;
	/* Only root may give a file away; for anyone else the new owner is one that may own it. The
	 * mode comes second, for a change of owner takes bits from it. */
	if (before->there && fchown(fd, before->st.st_uid, before->st.st_gid) != 0 &&
	    (geteuid() == 0 || (fchown(fd, (uid_t)-1, before->st.st_gid) != 0 && errno != EPERM)))
		return err_errno(err, RC_TEMP, "chown");
	if (fchmod(fd, before->there ? before->st.st_mode & 0777 : MODE_NEW) != 0)
		return err_errno(err, RC_TEMP, "chmod");
	if (fault_point("edit.fsync") || fsync(fd) != 0)
		return err_errno(err, RC_TEMP, "fsync");
	return RC_OK;
}

static enum rc write_temporary(
    const struct edit *e, const struct before *before, const char *text, struct err *err)
{
	struct err why;
	(void)unlinkat(e->fd, e->temporary, 0);
	int fd =
	    openat(e->fd, e->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, RC_TEMP, "%s/%s", e->dir, e->temporary);
	enum rc rc = fill_temporary(fd, before, text, &why);
	close(fd);
	if (rc != RC_OK)
		err_set(err, rc, "%s/%s: %s", e->dir, e->temporary, why.text);
	return rc;
}

/* *again_out: the file was changed by somebody else meanwhile. */
static enum rc replace(const struct edit *e, const struct before *before, const char *text,
    bool *again_out, struct err *err)
{
	enum rc rc = write_temporary(e, before, text, err);
	if (rc == RC_OK && fault_point("edit.written"))
		rc = err_errno(err, RC_TEMP, "%s", e->path);
	if (rc == RC_OK && !is_unchanged(e, before)) {
		*again_out = true;
		rc = err_set(err, RC_TEMP, "%s: changes all the time", e->path);
	}
	if (rc == RC_OK && renameat(e->fd, e->temporary, e->fd, e->name) != 0)
		rc = err_errno(err, RC_TEMP, "rename %s", e->path);
	if (rc != RC_OK) {
		(void)unlinkat(e->fd, e->temporary, 0);
		return rc;
	}
	/* From here on the new text is there. */
	if (fault_point("edit.renamed") || fsync(e->fd) != 0)
		return err_errno(err, RC_TEMP, "fsync %s", e->dir);
	return RC_OK;
}

/* One reading, one question, one writing. */
static enum rc edit_once(struct edit *e, user_edit_fn *fn, void *ctx, bool *changed_out,
    bool *again_out, struct err *err)
{
	struct before before;
	char *text = NULL;
	enum rc rc = read_before(e, &before, err);
	if (rc != RC_OK)
		return rc;
	rc = fn(ctx, before.text, &text, err);
	bool changed = rc == RC_OK && text != NULL && strcmp(text, before.text) != 0;
	if (changed && strlen(text) > e->max) {
		rc = err_set(err, RC_PERM, "%s: would be larger than %zu bytes", e->path, e->max);
	} else if (changed && e->fd < 0) {
		/* Now that there is something to write, and to lock. */
		rc = fs_mkdirs(e->dir, DIR_MODE, err);
		if (rc == RC_OK)
			rc = edit_open(e, err);
		*again_out = rc == RC_OK;
	} else if (changed) {
		rc = replace(e, &before, text, again_out, err);
	}
	if (rc == RC_OK && !*again_out)
		*changed_out = changed;
	g_free(text);
	g_free(before.text);
	return rc;
}

enum rc user_file_edit(const char *path, size_t max, int64_t owner, user_edit_fn *fn, void *ctx,
    bool *changed_out, struct err *err)
{
	struct edit e = {
	    .path = path,
	    .dir = g_path_get_dirname(path),
	    .name = g_path_get_basename(path),
	    .max = max,
	    .owner = owner,
	    .fd = -1,
	};
	struct err why;
	bool again = true;
	enum rc rc = edit_open(&e, &why);
	if (rc == RC_NOTFOUND)
		rc = RC_OK;
	else if (rc != RC_OK)
		again = false;
	for (int i = 0; i < TRIES && again; i++) {
		again = false;
		rc = edit_once(&e, fn, ctx, changed_out, &again, &why);
	}
	if (rc == RC_OK && again)
		rc = err_set(&why, RC_TEMP, "%s: changes all the time", path);
	if (rc != RC_OK)
		err_set(err, rc, "%s", why.text);
	if (e.fd >= 0)
		close(e.fd);
	if (rc == RC_OK && *changed_out)
		g_usleep(LOCK_GAP_US);
	g_free(e.temporary);
	g_free(e.name);
	g_free(e.dir);
	return rc;
}
