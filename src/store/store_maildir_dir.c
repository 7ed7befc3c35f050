/*
 * store_maildir_dir.c: directories, file names, and finding a message among them. Nothing is
 * followed if it is a link, and nothing is opened in a way that could block: a user may be able to
 * write to their own folder.
 */
#include <config.h>

#include "store/store_maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void maildir_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void maildir_folder_close(struct maildir_folder *folder)
{
	maildir_close_fd(&folder->dir);
	maildir_close_fd(&folder->fresh);
	maildir_close_fd(&folder->cur);
}

/* ---- directories ---- */

enum rc maildir_rc_of_errno(void)
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

enum rc maildir_open_dir(int parent, const char *name, int *fd_out, struct err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, maildir_rc_of_errno(), "%s", name);
	*fd_out = fd;
	return RC_OK;
}

enum rc maildir_sync_fd(int fd, const char *what, struct err *err)
{
	return fsync(fd) == 0 ? RC_OK : err_errno(err, RC_TEMP, "fsync %s", what);
}

/* Opens a directory, made if missing. sync: make its name in parent durable even if it was there:
 * a process that made it may have died before its fsync. */
static enum rc make_dir(int parent, const char *name, bool sync, int *fd_out, struct err *err)
{
	enum rc rc = maildir_open_dir(parent, name, fd_out, err);
	if (rc == RC_NOTFOUND) {
		struct stat st;
		if (fstat(parent, &st) != 0)
			return err_errno(err, RC_TEMP, "%s", name);
		/* A group that was given the directory above, by its setgid bit, is given this. */
		mode_t group = (st.st_mode & S_ISGID) != 0 ? st.st_mode & 0070 : 0;
		if (mkdirat(parent, name, 0700 | group) != 0 && errno != EEXIST)
			return err_errno(err, RC_TEMP, "mkdir %s", name);
		sync = true;
		rc = maildir_open_dir(parent, name, fd_out, err);
	}
	return rc == RC_OK && sync ? maildir_sync_fd(parent, name, err) : rc;
}

/* The domain's directory and the rest of a folder's name. */
static const char *split(const char *folder, char domain_out[ADDR_PATH_MAX])
{
	size_t len = strcspn(folder, "/");
	g_strlcpy(domain_out, folder, MIN(len + 1, (size_t)ADDR_PATH_MAX));
	return folder + len + 1;
}

enum rc maildir_folder_make(
    struct maildir *m, const char *name, struct maildir_folder *folder_out, struct err *err)
{
	struct maildir_folder folder = MAILDIR_NO_FOLDER;
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
	maildir_close_fd(&tmp);
	maildir_close_fd(&parent);
	if (rc == RC_OK) {
		if (sync)
			g_hash_table_add(m->synced, g_strdup(name));
		*folder_out = folder;
		return RC_OK;
	}
	g_hash_table_remove(m->synced, name);
	maildir_folder_close(&folder);
	return rc == RC_NOTFOUND ? RC_TEMP : rc; /* somebody removes what we make */
}

/* RC_NOTFOUND: there is no such folder. */
enum rc maildir_folder_open(
    struct maildir *m, const char *name, struct maildir_folder *folder_out, struct err *err)
{
	struct maildir_folder folder = MAILDIR_NO_FOLDER;
	char domain[ADDR_PATH_MAX];
	const char *local = split(name, domain);
	int parent = -1;
	enum rc rc = maildir_open_dir(m->root, domain, &parent, err);
	if (rc == RC_OK)
		rc = maildir_open_dir(parent, local, &folder.dir, err);
	maildir_close_fd(&parent);
	if (rc != RC_OK)
		return rc;
	rc = maildir_open_dir(folder.dir, "new", &folder.fresh, err);
	if (rc == RC_OK || rc == RC_NOTFOUND)
		rc = maildir_open_dir(folder.dir, "cur", &folder.cur, err);
	if (rc == RC_OK || rc == RC_NOTFOUND) {
		*folder_out = folder;
		return RC_OK;
	}
	maildir_folder_close(&folder);
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

enum rc maildir_each_name(int dir, maildir_name_fn *fn, void *ctx, struct err *err)
{
	int fd = -1;
	if (dir < 0)
		return RC_OK;
	/* A descriptor of its own: the position in a directory is shared by duplicates. */
	enum rc rc = maildir_open_dir(dir, ".", &fd, err);
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
enum rc maildir_stat_file(int dir, const char *name, uint64_t *size_out, struct err *err)
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

struct search {
	const char *id;
	struct err *err;
	enum rc rc; /* RC_NOTFOUND until it is found */
	struct maildir_place place;
};

static bool match(void *ctx, int dir, const char *name, const struct store_msg *msg)
{
	struct search *search = ctx;
	uint64_t size;
	if (strcmp(msg->id, search->id) != 0)
		return true;
	/* Gone again, or no file: the search goes on, and another round follows. */
	search->rc = maildir_stat_file(dir, name, &size, search->err);
	if (search->rc != RC_OK)
		return search->rc == RC_NOTFOUND;
	search->place.dir = dir;
	search->place.msg = *msg;
	search->place.msg.size = size;
	g_strlcpy(search->place.name, name, sizeof(search->place.name));
	return false;
}

int maildir_usual_name(
    const struct maildir_folder *folder, const char *id, int i, char name_out[STORE_ID_MAX + 8])
{
	static const char *const info[MAILDIR_USUAL] = {"", ":2,", ":2,S"};
	g_snprintf(name_out, STORE_ID_MAX + 8, "%s%s", id, info[i]);
	return i == 0 ? folder->fresh : folder->cur;
}

/* Files move from new/ to cur/, so new/ is looked at first. A directory that is read while names
 * change in it may leave one out: "gone" wants two looks, for a message that we believe gone is one
 * that nobody will deliver. */
enum rc maildir_find(const struct maildir_folder *folder, const char *id,
    struct maildir_place *place_out, struct err *err)
{
	struct search search = {.id = id, .err = err};
	struct store_msg usual;
	enum rc rc = RC_OK;
	if (!store_id_valid(id))
		return err_set(err, RC_PERM, "no message id: %.80s", id);
	search.rc = RC_NOTFOUND;
	for (int round = 0; round < 2 && search.rc == RC_NOTFOUND; round++) {
		for (int i = 0; i < MAILDIR_USUAL && search.rc == RC_NOTFOUND; i++) {
			char name[STORE_ID_MAX + 8];
			int dir = maildir_usual_name(folder, id, i, name);
			if (dir >= 0 && parse_name(name, &usual))
				match(&search, dir, name, &usual);
		}
		if (search.rc == RC_NOTFOUND)
			rc = maildir_each_name(folder->cur, match, &search, err);
		if (rc == RC_OK && search.rc == RC_NOTFOUND)
			rc = maildir_each_name(folder->fresh, match, &search, err);
		if (rc != RC_OK)
			return rc;
	}
	if (search.rc == RC_NOTFOUND)
		return err_set(err, RC_NOTFOUND, "%s: no such message", id);
	if (search.rc == RC_OK)
		*place_out = search.place;
	return search.rc;
}

/* Opens a file that cannot be what blocks, or a link. RC_NOTFOUND if it is no regular file. */
static enum rc open_file(int dir, const char *name, int *fd_out, struct err *err)
{
	struct stat st;
	enum rc rc = RC_OK;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(
		    err, errno == ELOOP ? RC_NOTFOUND : maildir_rc_of_errno(), "%s", name);
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
enum rc maildir_find_and_open(
    const struct maildir_folder *folder, const char *id, int *fd_out, struct err *err)
{
	for (int round = 0; round < MAILDIR_ROUNDS; round++) {
		struct maildir_place place;
		enum rc rc = maildir_find(folder, id, &place, err);
		if (rc != RC_OK)
			return rc;
		rc = open_file(place.dir, place.name, fd_out, err);
		if (rc != RC_NOTFOUND)
			return rc;
	}
	return err_set(err, RC_TEMP, "%s: is renamed all the time", id);
}

/* Ends an operation: the caller's err is touched by a failure only. */
enum rc maildir_finish(enum rc rc, const struct err *inner, const char *context, struct err *err)
{
	return rc == RC_OK ? rc : err_set(err, rc, "%s: %s", context, inner->text);
}
