/*
 * kept.c: originals that went out inside a digest, kept for a while, so that their reader can ask
 * for one of them to be sent on its own. A Maildir a user like that of held mail, beside it
 * (SPOOL/kept): what is there was delivered, counts for nothing and is in nobody's way. Nothing
 * that fails here may keep a release from going on: then the original is simply not kept.
 */
#include <config.h>

#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/describe.h"

enum { EXPIRE_SECONDS = 3600 };

enum rc kept_open(struct daemon *d, struct err *err)
{
	char *path = g_build_filename(d->conf->spool, "kept", NULL);
	struct store_config config = {
	    .msg_driver = "maildir", .msg_path = path, .db_driver = "mem", .db_path = ""};
	enum rc rc = store_open(&config, &d->kept, NULL, err);
	d->kept_path = path;
	return rc;
}

void kept_close(struct daemon *d)
{
	store_close(&d->kept);
	g_free(d->kept_path);
	d->kept_path = NULL;
}

/* A second name for an open file; a copy of it where there can be none. */
static enum rc second_name(int fd, const char *path, struct err *err)
{
	char from[64];
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	unlink(path); /* what a crash left */
	if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
		return RC_OK;
	int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_errno(err, RC_TEMP, "%s", path);
	enum rc rc = fs_copy_rest(fd, out, err);
	if (rc == RC_OK && fsync(out) != 0)
		rc = err_errno(err, RC_TEMP, "%s", path);
	close(out);
	if (rc != RC_OK)
		unlink(path);
	return rc;
}

static enum rc keep_one(struct daemon *d, const char *user, const char *id, struct err *err)
{
	char *path = g_strdup_printf("%s/tmp/kept.%s", d->conf->spool, id);
	int fd = -1;
	enum rc rc = store_msg_open(d->store, user, id, &fd, err);
	if (rc == RC_OK) {
		rc = second_name(fd, path, err);
		close(fd);
	}
	if (rc == RC_OK) {
		rc = store_msg_commit(d->kept, user, id, path, err);
		if (rc != RC_OK)
			unlink(path);
	}
	g_free(path);
	return rc == RC_NOTFOUND ? RC_OK : rc; /* its reader deleted it */
}

void kept_add(struct daemon *d, const char *user, const GPtrArray *ids)
{
	struct err err;
	if (d->conf->digest_keep == 0)
		return;
	/* One wait for the disk, not one for each. */
	enum rc rc = store_begin(d->kept, &err);
	for (guint i = 0; i < ids->len && rc == RC_OK; i++)
		rc = keep_one(d, user, ids->pdata[i], &err);
	if (rc == RC_OK)
		rc = store_commit(d->kept, &err);
	else
		store_abort(d->kept);
	if (rc != RC_OK)
		log_warning("%s: originals are not kept: %s", user, err.text);
}

enum rc kept_get(struct daemon *d, const char *user, const char *id, struct store_held *held_out,
    struct err *err)
{
	struct store_msg msg = {0};
	char whose[ADDR_MAX];
	int fd = -1;
	str_copy(msg.id, sizeof(msg.id), id);
	enum rc rc = store_msg_open(d->kept, user, id, &fd, err);
	if (rc == RC_OK) {
		off_t size = lseek(fd, 0, SEEK_END);
		msg.size = size < 0 ? 0 : (uint64_t)size;
		rc = lseek(fd, 0, SEEK_SET) < 0
		    ? err_errno(err, RC_TEMP, "seek")
		    : describe(d->users, fd, &msg, whose, held_out, err);
		close(fd);
	}
	return rc;
}

/* ---- the end ---- */

struct expiry {
	struct daemon *d;
	const char *user;
	int64_t before;
	GPtrArray *ids; /* own */
};

static bool collect_old(void *ctx, const struct store_msg *msg)
{
	struct expiry *e = ctx;
	if (describe_received(msg->id) < e->before)
		g_ptr_array_add(e->ids, g_strdup(msg->id));
	return true;
}

static bool expire_user(void *ctx, const char *user)
{
	struct expiry *e = ctx;
	struct err err;
	e->ids = g_ptr_array_new_with_free_func(g_free);
	enum rc rc = store_msg_list(e->d->kept, user, collect_old, e, &err);
	if (rc == RC_OK)
		rc = store_begin(e->d->kept, &err);
	for (guint i = 0; i < e->ids->len && rc == RC_OK; i++) {
		rc = store_msg_remove(e->d->kept, user, e->ids->pdata[i], &err);
		if (rc == RC_NOTFOUND)
			rc = RC_OK;
	}
	if (rc == RC_OK)
		rc = store_commit(e->d->kept, &err);
	store_abort(e->d->kept);
	if (rc != RC_OK)
		log_warning("%s: kept originals: %s", user, err.text);
	g_ptr_array_free(e->ids, TRUE);
	return true;
}

void kept_expire(struct daemon *d)
{
	struct err err;
	int64_t now = clock_now();
	if (llabs(now - d->kept_expired) < EXPIRE_SECONDS)
		return;
	d->kept_expired = now;
	/* An id tells when its message came, and none waits for longer than max_hold. */
	struct expiry e = {.d = d, .before = now - d->conf->digest_keep - d->conf->max_hold};
	if (store_msg_users(d->kept, expire_user, &e, &err) != RC_OK)
		log_warning("kept originals: %s", err.text);
}
