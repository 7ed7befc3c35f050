/*
 * store_maildir.c: messages as Maildirs: PATH/DOMAIN/LOCAL/{tmp,new,cur}. We deliver into new/; an
 * IMAP server that serves the folder moves files to cur/ and renames them there as flags change
 * ("ID:2,FLAGS"), at any moment. Whatever else lies about (its index files, ".Sent") is not ours.
 *
 * A user may be able to write to their own folder: nothing below PATH is followed if it is a link,
 * nothing is opened in a way that could block, and names are looked at before they are used.
 *
 * Access for an IMAP server: PATH is made with mode 0700. Give it another group, the setgid bit and
 * group permissions, and what is made below it has them too, within the umask; existing
 * directories are never changed.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "store/store_private.h"

enum {
	ROUNDS = 5,       /* against an IMAP server that renames while we look */
	IDS_MAX = 200000, /* a folder with more files than that is not held mail */
};

struct maildir {
	int root;
	char *path;         /* own */
	GHashTable *synced; /* own: set of folders whose directories are known to be durable */
	/* Inside a transaction directories are made durable at its end, each once. */
	bool deferring;
	GHashTable *deferred; /* own: set of paths */
};

/* The directories of one folder; -1 where one is missing. */
struct folder {
	int dir, fresh, cur; /* "fresh" is new/ */
};

#define NO_FOLDER \
	{ \
		-1, -1, -1 \
	}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void folder_close(struct folder *folder)
{
	close_fd(&folder->dir);
	close_fd(&folder->fresh);
	close_fd(&folder->cur);
}

/* ---- directories ---- */

static enum rc rc_of_errno(void)
{
	switch (errno) {
	case ENOENT:
		return RC_NOTFOUND;
	case ELOOP: /* a link */
	case ENOTDIR:
	case ENAMETOOLONG:
	case EACCES:
	case EPERM:
		return RC_PERM;
	default:
		return RC_TEMP;
	}
}

static enum rc open_dir(int parent, const char *name, int *fd_out, struct err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, rc_of_errno(), "%s", name);
	*fd_out = fd;
	return RC_OK;
}

static enum rc sync_fd(int fd, const char *what, struct err *err)
{
	return fsync(fd) == 0 ? RC_OK : err_errno(err, RC_TEMP, "fsync %s", what);
}

/* Makes a change in a directory durable: now, or at the end of the transaction. */
static enum rc settle(struct maildir *m, const char *path, struct err *err)
{
	if (!m->deferring)
		return fs_sync_dir(path, err);
	if (!g_hash_table_contains(m->deferred, path))
		g_hash_table_add(m->deferred, g_strdup(path));
	return RC_OK;
}

static enum rc settle_part(struct maildir *m, const char *name, const char *part, struct err *err)
{
	char *path = g_build_filename(m->path, name, part, NULL);
	enum rc rc = settle(m, path, err);
	g_free(path);
	return rc;
}

static void maildir_defer(void *self)
{
	((struct maildir *)self)->deferring = true;
}

static enum rc maildir_settle(void *self, struct err *err)
{
	struct maildir *m = self;
	GHashTableIter iter;
	gpointer path;
	enum rc rc = RC_OK;
	m->deferring = false;
	g_hash_table_iter_init(&iter, m->deferred);
	while (rc == RC_OK && g_hash_table_iter_next(&iter, &path, NULL))
		rc = fs_sync_dir(path, err);
	g_hash_table_remove_all(m->deferred);
	return rc;
}

/* Opens a directory, made if missing. sync: make its name in parent durable even if it was there:
 * a process that made it may have died before its fsync. */
static enum rc make_dir(int parent, const char *name, bool sync, int *fd_out, struct err *err)
{
	enum rc rc = open_dir(parent, name, fd_out, err);
	if (rc == RC_NOTFOUND) {
		struct stat st;
		if (fstat(parent, &st) != 0)
			return err_errno(err, RC_TEMP, "%s", name);
		if (mkdirat(parent, name, 0700 | (st.st_mode & 0070)) != 0 && errno != EEXIST)
			return err_errno(err, RC_TEMP, "mkdir %s", name);
		sync = true;
		rc = open_dir(parent, name, fd_out, err);
	}
	return rc == RC_OK && sync ? sync_fd(parent, name, err) : rc;
}

/* The domain's directory and the rest of a folder's name. */
static const char *split(const char *folder, char domain_out[ADDR_PATH_MAX])
{
	size_t len = strcspn(folder, "/");
	g_strlcpy(domain_out, folder, MIN(len + 1, (size_t)ADDR_PATH_MAX));
	return folder + len + 1;
}

static enum rc folder_make(
    struct maildir *m, const char *name, struct folder *folder_out, struct err *err)
{
	struct folder folder = NO_FOLDER;
	char domain[ADDR_PATH_MAX];
	const char *local = split(name, domain);
	bool sync = !g_hash_table_contains(m->synced, name);
	int parent = -1, tmp = -1;
	enum rc rc = make_dir(m->root, domain, sync, &parent, err);
	if (rc == RC_OK)
		rc = make_dir(parent, local, sync, &folder.dir, err);
	if (rc == RC_OK)
		rc = make_dir(folder.dir, "tmp", false, &tmp, err);
	if (rc == RC_OK)
		rc = make_dir(folder.dir, "new", false, &folder.fresh, err);
	if (rc == RC_OK)
		rc = make_dir(folder.dir, "cur", sync, &folder.cur, err);
	close_fd(&tmp);
	close_fd(&parent);
	if (rc == RC_OK) {
		if (sync)
			g_hash_table_add(m->synced, g_strdup(name));
		*folder_out = folder;
		return RC_OK;
	}
	g_hash_table_remove(m->synced, name);
	folder_close(&folder);
	return rc == RC_NOTFOUND ? RC_TEMP : rc; /* somebody removes what we make */
}

/* RC_NOTFOUND: there is no such folder. */
static enum rc folder_open(
    struct maildir *m, const char *name, struct folder *folder_out, struct err *err)
{
	struct folder folder = NO_FOLDER;
	char domain[ADDR_PATH_MAX];
	const char *local = split(name, domain);
	int parent = -1;
	enum rc rc = open_dir(m->root, domain, &parent, err);
	if (rc == RC_OK)
		rc = open_dir(parent, local, &folder.dir, err);
	close_fd(&parent);
	if (rc != RC_OK)
		return rc;
	rc = open_dir(folder.dir, "new", &folder.fresh, err);
	if (rc == RC_OK || rc == RC_NOTFOUND)
		rc = open_dir(folder.dir, "cur", &folder.cur, err);
	if (rc == RC_OK || rc == RC_NOTFOUND) {
		*folder_out = folder;
		return RC_OK;
	}
	folder_close(&folder);
	return rc;
}

/* ---- names ---- */

/* A file's name as id and flags; false if it cannot be a message. In new/ there should be no
 * flags, in cur/ there should be: neither is insisted on. */
static bool parse_name(const char *name, struct store_msg *msg_out)
{
	size_t len = strcspn(name, ":");
	struct store_msg msg = {.size = 0};
	if (len >= sizeof(msg.id))
		return false;
	memcpy(msg.id, name, len);
	if (!store_id_valid(msg.id))
		return false;
	if (strncmp(name + len, ":2,", 3) == 0) {
		msg.seen = strchr(name + len + 3, 'S') != NULL;
		msg.trashed = strchr(name + len + 3, 'T') != NULL;
	}
	*msg_out = msg;
	return true;
}

/* Calls fn for each name of a directory that may be a message's. fn: false to stop. */
typedef bool name_fn(void *ctx, int dir, const char *name, const struct store_msg *msg);

static enum rc each_name(int dir, name_fn *fn, void *ctx, struct err *err)
{
	int fd = -1;
	if (dir < 0)
		return RC_OK;
	/* A descriptor of its own: the position in a directory is shared by duplicates. */
	enum rc rc = open_dir(dir, ".", &fd, err);
	if (rc == RC_NOTFOUND)
		return RC_OK; /* removed while open */
	DIR *stream = rc == RC_OK ? fdopendir(fd) : NULL;
	if (rc == RC_OK && stream == NULL) {
		rc = err_errno(err, RC_TEMP, "directory");
		close(fd);
	}
	while (rc == RC_OK) {
		struct store_msg msg;
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (entry == NULL) {
			if (errno != 0)
				rc = err_errno(err, RC_TEMP, "directory");
			break;
		}
		if ((entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN) &&
		    parse_name(entry->d_name, &msg) && !fn(ctx, dir, entry->d_name, &msg))
			break;
	}
	if (stream != NULL)
		closedir(stream);
	return rc;
}

/* Size of a regular file. RC_NOTFOUND also for anything else of that name. */
static enum rc stat_file(int dir, const char *name, uint64_t *size_out, struct err *err)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_TEMP, "%s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, RC_NOTFOUND, "%s: not a regular file", name);
	*size_out = (uint64_t)st.st_size;
	return RC_OK;
}

/* ---- finding one message ---- */

struct place {
	const char *id; /* wanted */
	struct err *err;
	enum rc rc; /* RC_NOTFOUND until it is found */
	int dir;
	char name[NAME_MAX + 1];
	struct store_msg msg;
};

static bool match(void *ctx, int dir, const char *name, const struct store_msg *msg)
{
	struct place *place = ctx;
	uint64_t size;
	if (strcmp(msg->id, place->id) != 0)
		return true;
	/* Gone again, or no file: the search goes on, and another round follows. */
	place->rc = stat_file(dir, name, &size, place->err);
	if (place->rc != RC_OK)
		return place->rc == RC_NOTFOUND;
	place->dir = dir;
	place->msg = *msg;
	place->msg.size = size;
	g_strlcpy(place->name, name, sizeof(place->name));
	return false;
}

/* Where a message is at this moment. Files move from new/ to cur/, so new/ is looked at first. A
 * directory that is read while names change in it may leave one out: "gone" wants two looks, for a
 * message that we believe gone is one that nobody will deliver. */
static enum rc find(
    const struct folder *folder, const char *id, struct place *place_out, struct err *err)
{
	struct place place = {.id = id, .err = err};
	struct store_msg plain;
	enum rc rc = RC_OK;
	if (!parse_name(id, &plain))
		return err_set(err, RC_PERM, "no message id: %.80s", id);
	place.rc = RC_NOTFOUND;
	for (int round = 0; round < 2 && place.rc == RC_NOTFOUND; round++) {
		if (folder->fresh >= 0)
			match(&place, folder->fresh, id, &plain);
		if (place.rc == RC_NOTFOUND)
			rc = each_name(folder->cur, match, &place, err);
		if (rc == RC_OK && place.rc == RC_NOTFOUND)
			rc = each_name(folder->fresh, match, &place, err);
		if (rc != RC_OK)
			return rc;
	}
	if (place.rc == RC_NOTFOUND)
		return err_set(err, RC_NOTFOUND, "%s: no such message", id);
	if (place.rc == RC_OK)
		*place_out = place;
	return place.rc;
}

/* Opens a file that cannot be what blocks, or a link. RC_NOTFOUND if it is no regular file. */
static enum rc open_file(int dir, const char *name, int *fd_out, struct err *err)
{
	struct stat st;
	enum rc rc = RC_OK;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno == ELOOP ? RC_NOTFOUND : rc_of_errno(), "%s", name);
	if (fstat(fd, &st) != 0)
		rc = err_errno(err, RC_TEMP, "%s", name);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(err, RC_NOTFOUND, "%s: not a regular file", name);
	if (rc == RC_OK)
		*fd_out = fd;
	else
		close(fd);
	return rc;
}

/* Finds and opens, however often the file is renamed in between. */
static enum rc find_and_open(
    const struct folder *folder, const char *id, int *fd_out, struct err *err)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct place place;
		enum rc rc = find(folder, id, &place, err);
		if (rc != RC_OK)
			return rc;
		rc = open_file(place.dir, place.name, fd_out, err);
		if (rc != RC_NOTFOUND)
			return rc;
	}
	return err_set(err, RC_TEMP, "%s: is renamed all the time", id);
}

/* Ends an operation: the caller's err is touched by a failure only. */
static enum rc finish(enum rc rc, const struct err *inner, const char *context, struct err *err)
{
	return rc == RC_OK ? rc : err_set(err, rc, "%s: %s", context, inner->text);
}

/* ---- open, close ---- */

static void maildir_close(void *self)
{
	struct maildir *m = self;
	close_fd(&m->root);
	g_hash_table_unref(m->synced);
	g_hash_table_unref(m->deferred);
	g_free(m->path);
	g_free(m);
}

static enum rc maildir_open(const char *path, void **self_out, struct err *err)
{
	enum rc rc = fs_mkdirs(path, 0700, err);
	if (rc != RC_OK)
		return rc;
	/* The top may be a link: it is the admin's. */
	int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(err, RC_TEMP, "%s", path);
	struct maildir *m = g_new0(struct maildir, 1);
	m->root = root;
	m->path = g_strdup(path);
	m->synced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	m->deferred = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	*self_out = m;
	return RC_OK;
}

/* ---- commit ---- */

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
	if (fstat(fd, &file) != 0 || fstat(dir, &into) != 0)
		return;
	if ((into.st_mode & S_ISGID) != 0 && file.st_gid != into.st_gid &&
	    fchown(fd, (uid_t)-1, into.st_gid) == 0)
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
static enum rc copy_new(int fd, const struct folder *folder, const char *id, struct err *err)
{
	int tmp = -1, out = -1;
	enum rc rc = open_dir(folder->dir, "tmp", &tmp, err);
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
		rc = sync_fd(out, id, err);
	if (rc == RC_OK)
		rc = rename_new(tmp, id, folder->fresh, id, err);
	if (rc != RC_OK)
		unlinkat(tmp, id, 0);
done:
	close_fd(&out);
	close_fd(&tmp);
	return rc;
}

static enum rc sync_source(struct maildir *m, const char *path, struct err *err)
{
	char *dir = g_path_get_dirname(path);
	enum rc rc = settle(m, dir, err);
	g_free(dir);
	return rc;
}

/* Here already: a crash in copy_new, or a caller that uses an id twice. */
static enum rc already_there(int fd, const struct folder *folder, const char *id, struct err *err)
{
	int there = -1;
	enum rc rc = find_and_open(folder, id, &there, err);
	if (rc == RC_OK && !spare_copy(fd, there))
		rc = err_set(err, RC_PERM, "another message is held as %s", id);
	close_fd(&there);
	return rc;
}

/* Moves an open file into new/. On RC_OK it is there, and *left_out says whether path is too. The
 * rename comes first and the look around only if it fails: a folder may hold thousands. */
static enum rc move_in(int fd, const struct folder *folder, const char *id, const char *path,
    bool *left_out, struct err *err)
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

static enum rc commit_open(struct maildir *m, const char *name, int fd, const struct folder *folder,
    const char *id, const char *path, struct err *err)
{
	bool left = false;
	if (fault_point("store.commit.before_rename"))
		return err_errno(err, RC_TEMP, "rename");
	enum rc rc = move_in(fd, folder, id, path, &left, err);
	if (rc != RC_OK)
		return rc;
	if (fault_point("store.commit.after_rename"))
		return err_errno(err, RC_TEMP, "fsync new");
	rc = settle_part(m, name, "new", err);
	if (rc == RC_OK && left)
		rc = sync_fd(folder->fresh, "new", err);
	if (rc == RC_OK && left)
		rc = sync_fd(folder->cur, "cur", err);
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
	struct folder folder = NO_FOLDER;
	struct place place;
	enum rc rc = folder_open(m, name, &folder, NULL);
	if (rc == RC_OK)
		rc = find(&folder, id, &place, NULL);
	folder_close(&folder);
	if (rc == RC_NOTFOUND)
		return err_set(err, RC_NOTFOUND, "neither there nor held as %s", id);
	if (rc != RC_OK)
		return err_set(err, rc, "the folder cannot be read");
	/* The first attempt may have died between its rename and its fsyncs. */
	rc = folder_make(m, name, &folder, err);
	if (rc == RC_OK)
		rc = sync_fd(folder.fresh, "new", err);
	if (rc == RC_OK)
		rc = sync_fd(folder.cur, "cur", err);
	if (rc == RC_OK)
		rc = sync_source(m, path, err);
	folder_close(&folder);
	return rc;
}

static enum rc maildir_commit(
    void *self, const char *name, const char *id, const char *path, struct err *err)
{
	struct maildir *m = self;
	struct folder folder = NO_FOLDER;
	struct err inner;
	struct stat st;
	enum rc rc;
	if (lstat(path, &st) != 0) {
		rc = errno == ENOENT ? commit_again(m, name, id, path, &inner)
				     : err_errno(&inner, RC_TEMP, "stat");
		return finish(rc, &inner, path, err);
	}
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, rc_of_errno(), "%s", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = err_set(&inner, RC_PERM, "not a regular file");
	else
		rc = folder_make(m, name, &folder, &inner);
	if (rc == RC_OK)
		rc = commit_open(m, name, fd, &folder, id, path, &inner);
	folder_close(&folder);
	close_fd(&fd);
	return finish(rc, &inner, path, err);
}

/* ---- list ---- */

struct listing {
	GHashTable *msgs; /* own: id -> struct listed, which holds the key */
	bool grew;
};

struct listed {
	struct store_msg msg;
	int dir;
	char name[]; /* NUL-terminated */
};

static bool note_name(void *ctx, int dir, const char *name, const struct store_msg *msg)
{
	struct listing *listing = ctx;
	size_t size = strlen(name) + 1;
	if (!g_hash_table_contains(listing->msgs, msg->id)) {
		if (g_hash_table_size(listing->msgs) >= IDS_MAX)
			return true;
		listing->grew = true;
	}
	struct listed *listed = g_malloc(sizeof(*listed) + size);
	listed->msg = *msg;
	listed->dir = dir;
	memcpy(listed->name, name, size);
	g_hash_table_replace(listing->msgs, listed->msg.id, listed);
	return true;
}

static enum rc list_folder(const struct folder *folder, GArray *msgs, struct err *err)
{
	struct listing listing = {.grew = true};
	GHashTableIter iter;
	gpointer value;
	enum rc rc = RC_OK;
	listing.msgs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	/* Until a look shows nothing new: one look may miss a file that is renamed meanwhile. A
	 * file that moves to cur/ is met twice and counted once, with the flags it has there. */
	for (int round = 0; round < ROUNDS && listing.grew && rc == RC_OK; round++) {
		listing.grew = false;
		rc = each_name(folder->fresh, note_name, &listing, err);
		if (rc == RC_OK)
			rc = each_name(folder->cur, note_name, &listing, err);
	}
	g_hash_table_iter_init(&iter, listing.msgs);
	while (rc == RC_OK && g_hash_table_iter_next(&iter, NULL, &value)) {
		struct listed *listed = value;
		struct place place;
		rc = stat_file(listed->dir, listed->name, &listed->msg.size, err);
		if (rc == RC_NOTFOUND) {
			rc = find(folder, listed->msg.id, &place, err);
			if (rc == RC_OK)
				listed->msg = place.msg;
		}
		if (rc == RC_OK)
			g_array_append_val(msgs, listed->msg);
		else if (rc == RC_NOTFOUND)
			rc = RC_OK;
	}
	g_hash_table_unref(listing.msgs);
	return rc;
}

static enum rc maildir_list(void *self, const char *name, GArray *msgs, struct err *err)
{
	struct folder folder = NO_FOLDER;
	struct err inner;
	enum rc rc = folder_open(self, name, &folder, &inner);
	if (rc == RC_NOTFOUND)
		return RC_OK; /* no folder, no messages */
	if (rc == RC_OK)
		rc = list_folder(&folder, msgs, &inner);
	folder_close(&folder);
	return finish(rc, &inner, name, err);
}

/* ---- open, remove, folders ---- */

static enum rc maildir_open_msg(
    void *self, const char *name, const char *id, int *fd_out, struct err *err)
{
	struct folder folder = NO_FOLDER;
	struct err inner;
	enum rc rc = folder_open(self, name, &folder, &inner);
	if (rc == RC_OK)
		rc = find_and_open(&folder, id, fd_out, &inner);
	folder_close(&folder);
	return finish(rc, &inner, name, err);
}

struct removal {
	const char *id;
	size_t removed;
	bool raced;
	enum rc rc;
	struct err *err;
};

static bool remove_match(void *ctx, int dir, const char *name, const struct store_msg *msg)
{
	struct removal *removal = ctx;
	uint64_t size;
	if (strcmp(msg->id, removal->id) != 0 || stat_file(dir, name, &size, NULL) != RC_OK)
		return true;
	if (unlinkat(dir, name, 0) == 0) {
		removal->removed++;
		return true;
	}
	if (errno == ENOENT) {
		removal->raced = true;
		return true;
	}
	removal->rc = err_errno(removal->err, rc_of_errno(), "unlink %s", name);
	return false;
}

/* The usual case without a look through the folder: nobody has touched the message. */
static bool remove_untouched(const struct folder *folder, const char *id)
{
	uint64_t size;
	char name[STORE_ID_MAX + 4];
	snprintf(name, sizeof(name), "%s:2,", id);
	return folder->fresh >= 0 && stat_file(folder->fresh, id, &size, NULL) == RC_OK &&
	    unlinkat(folder->fresh, id, 0) == 0 &&
	    (folder->cur < 0 || faccessat(folder->cur, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0);
}

static enum rc remove_all(const struct folder *folder, struct removal *removal, struct err *err)
{
	if (remove_untouched(folder, removal->id))
		return RC_OK;
	/* Not found at once may be renamed at this moment: "gone" wants two looks. */
	for (int round = 0; round < ROUNDS; round++) {
		removal->raced = false;
		enum rc rc = each_name(folder->fresh, remove_match, removal, err);
		if (rc == RC_OK && removal->rc == RC_OK)
			rc = each_name(folder->cur, remove_match, removal, err);
		if (rc != RC_OK || removal->rc != RC_OK)
			return rc != RC_OK ? rc : removal->rc;
		if (!removal->raced && (removal->removed > 0 || round > 0))
			break;
	}
	if (removal->raced)
		return err_set(err, RC_TEMP, "%s: is renamed all the time", removal->id);
	return removal->removed > 0 ? RC_OK
				    : err_set(err, RC_NOTFOUND, "%s: no such message", removal->id);
}

static enum rc maildir_remove(void *self, const char *name, const char *id, struct err *err)
{
	struct folder folder = NO_FOLDER;
	struct err inner;
	struct removal removal = {.id = id, .rc = RC_OK, .err = &inner};
	if (fault_point("store.remove.before_unlink"))
		return err_errno(err, RC_TEMP, "unlink");
	enum rc rc = folder_open(self, name, &folder, &inner);
	if (rc == RC_OK)
		rc = remove_all(&folder, &removal, &inner);
	if (rc == RC_OK && fault_point("store.remove.after_unlink"))
		rc = err_errno(&inner, RC_TEMP, "fsync");
	if (rc == RC_OK && folder.fresh >= 0)
		rc = settle_part(self, name, "new", &inner);
	if (rc == RC_OK && folder.cur >= 0)
		rc = settle_part(self, name, "cur", &inner);
	folder_close(&folder);
	(void)fault_point("store.remove.after_sync");
	return finish(rc, &inner, name, err);
}

/* Names of the directories in a directory, as far as addr_path can have made them. */
static enum rc subdirs(int dir, GPtrArray *names, struct err *err)
{
	int fd = -1;
	enum rc rc = open_dir(dir, ".", &fd, err);
	DIR *stream = rc == RC_OK ? fdopendir(fd) : NULL;
	if (rc == RC_OK && stream == NULL) {
		rc = err_errno(err, RC_TEMP, "directory");
		close(fd);
	}
	while (rc == RC_OK) {
		struct stat st;
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (entry == NULL) {
			if (errno != 0)
				rc = err_errno(err, RC_TEMP, "directory");
			break;
		}
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < ADDR_PATH_MAX &&
		    fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	if (stream != NULL)
		closedir(stream);
	return rc;
}

static enum rc maildir_folders(void *self, store_folder_fn *fn, void *ctx, struct err *err)
{
	struct maildir *m = self;
	struct err inner;
	GPtrArray *domains = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
	enum rc rc = subdirs(m->root, domains, &inner);
	for (guint i = 0; rc == RC_OK && i < domains->len; i++) {
		const char *domain = g_ptr_array_index(domains, i);
		GPtrArray *locals = g_ptr_array_new_with_free_func(g_free);
		int fd = -1;
		rc = open_dir(m->root, domain, &fd, &inner);
		if (rc == RC_OK)
			rc = subdirs(fd, locals, &inner);
		else if (rc != RC_TEMP)
			rc = RC_OK; /* gone, or lost+found and its like */
		for (guint k = 0; rc == RC_OK && k < locals->len; k++)
			g_ptr_array_add(folders,
			    g_strdup_printf(
				"%s/%s", domain, (const char *)g_ptr_array_index(locals, k)));
		close_fd(&fd);
		g_ptr_array_unref(locals);
	}
	for (guint i = 0; rc == RC_OK && i < folders->len; i++)
		if (!fn(ctx, g_ptr_array_index(folders, i)))
			break;
	g_ptr_array_unref(folders);
	g_ptr_array_unref(domains);
	return finish(rc, &inner, m->path, err);
}

const struct store_msg_driver store_maildir_driver = {
    .name = "maildir",
    .open = maildir_open,
    .close = maildir_close,
    .commit = maildir_commit,
    .list = maildir_list,
    .open_msg = maildir_open_msg,
    .remove = maildir_remove,
    .folders = maildir_folders,
    .defer = maildir_defer,
    .settle = maildir_settle,
};
