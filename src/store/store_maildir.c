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

#include "store/store_maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"

/* ---- open, close ---- */

static void maildir_close(void *self)
{
	struct maildir *m = self;
	maildir_close_fd(&m->root);
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

/* Makes a change in a directory durable: now, or at the end of the transaction. */
enum rc maildir_sync_later(struct maildir *m, const char *path, struct err *err)
{
	if (!m->deferring)
		return fs_sync_dir(path, err);
	if (!g_hash_table_contains(m->deferred, path))
		g_hash_table_add(m->deferred, g_strdup(path));
	return RC_OK;
}

enum rc maildir_sync_part_later(
    struct maildir *m, const char *name, const char *part, struct err *err)
{
	char *path = g_build_filename(m->path, name, part, NULL);
	enum rc rc = maildir_sync_later(m, path, err);
	g_free(path);
	return rc;
}

static void maildir_defer(void *self)
{
	((struct maildir *)self)->deferring = true;
}

/* Syncs the deferred paths that lie in the folders, or those that do not. One that is gone by now
 * has nothing left to lose. */
static enum rc sync_deferred(struct maildir *m, bool in_folders, struct err *err)
{
	GHashTableIter iter;
	gpointer path;
	g_hash_table_iter_init(&iter, m->deferred);
	while (g_hash_table_iter_next(&iter, &path, NULL)) {
		struct err inner;
		if (g_str_has_prefix(path, m->path) != in_folders)
			continue;
		errno = 0;
		enum rc rc = fs_sync_dir(path, &inner);
		if (rc != RC_OK && errno != ENOENT)
			return store_result(rc, &inner, err);
	}
	return RC_OK;
}

static enum rc maildir_settle(void *self, struct err *err)
{
	struct maildir *m = self;
	m->deferring = false;
	/* Where messages went to before where they came from: at no moment is one in neither. */
	enum rc rc = sync_deferred(m, true, err);
	if (rc == RC_OK)
		rc = sync_deferred(m, false, err);
	g_hash_table_remove_all(m->deferred);
	return rc;
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
		if (g_hash_table_size(listing->msgs) >= MAILDIR_IDS_MAX)
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

static enum rc list_folder(const struct maildir_folder *folder, GArray *msgs, struct err *err)
{
	struct listing listing = {.grew = true};
	GHashTableIter iter;
	gpointer value;
	enum rc rc = RC_OK;
	listing.msgs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	/* Until a look shows nothing new: one look may miss a file that is renamed meanwhile. A
	 * file that moves to cur/ is met twice and counted once, with the flags it has there. */
	for (int round = 0; round < MAILDIR_ROUNDS && listing.grew && rc == RC_OK; round++) {
		listing.grew = false;
		rc = maildir_each_name(folder->fresh, note_name, &listing, err);
		if (rc == RC_OK)
			rc = maildir_each_name(folder->cur, note_name, &listing, err);
	}
	g_hash_table_iter_init(&iter, listing.msgs);
	while (rc == RC_OK && g_hash_table_iter_next(&iter, NULL, &value)) {
		struct listed *listed = value;
		struct maildir_place place;
		rc = maildir_stat_file(listed->dir, listed->name, &listed->msg.size, err);
		if (rc == RC_NOTFOUND) {
			rc = maildir_find(folder, listed->msg.id, &place, err);
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
	struct maildir_folder folder = MAILDIR_NO_FOLDER;
	struct err inner;
	enum rc rc = maildir_folder_open(self, name, &folder, &inner);
	if (rc == RC_NOTFOUND)
		return RC_OK; /* no folder, no messages */
	if (rc == RC_OK)
		rc = list_folder(&folder, msgs, &inner);
	maildir_folder_close(&folder);
	return maildir_finish(rc, &inner, name, err);
}

/* ---- open, remove, folders ---- */

static enum rc maildir_open_msg(
    void *self, const char *name, const char *id, int *fd_out, struct err *err)
{
	struct maildir_folder folder = MAILDIR_NO_FOLDER;
	struct err inner;
	enum rc rc = maildir_folder_open(self, name, &folder, &inner);
	if (rc == RC_OK)
		rc = maildir_find_and_open(&folder, id, fd_out, &inner);
	maildir_folder_close(&folder);
	return maildir_finish(rc, &inner, name, err);
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
	if (strcmp(msg->id, removal->id) != 0 || maildir_stat_file(dir, name, &size, NULL) != RC_OK)
		return true;
	if (unlinkat(dir, name, 0) == 0) {
		removal->removed++;
		return true;
	}
	if (errno == ENOENT) {
		removal->raced = true;
		return true;
	}
	removal->rc = err_errno(removal->err, maildir_rc_of_errno(), "unlink %s", name);
	return false;
}

/* Without a look through the folder. */
static bool remove_usual(const struct maildir_folder *folder, const char *id)
{
	bool removed = false;
	for (int i = 0; i < MAILDIR_USUAL; i++) {
		uint64_t size;
		char name[STORE_ID_MAX + 8];
		int dir = maildir_usual_name(folder, id, i, name);
		if (dir >= 0 && maildir_stat_file(dir, name, &size, NULL) == RC_OK &&
		    unlinkat(dir, name, 0) == 0)
			removed = true;
	}
	return removed;
}

static enum rc remove_all(
    const struct maildir_folder *folder, struct removal *removal, struct err *err)
{
	if (remove_usual(folder, removal->id))
		return RC_OK;
	/* Not found at once may be renamed at this moment: "gone" wants two looks. */
	for (int round = 0; round < MAILDIR_ROUNDS; round++) {
		removal->raced = false;
		enum rc rc = maildir_each_name(folder->fresh, remove_match, removal, err);
		if (rc == RC_OK && removal->rc == RC_OK)
			rc = maildir_each_name(folder->cur, remove_match, removal, err);
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
	struct maildir_folder folder = MAILDIR_NO_FOLDER;
	struct err inner;
	struct removal removal = {.id = id, .rc = RC_OK, .err = &inner};
	if (fault_point("store.remove.before_unlink"))
		return err_errno(err, RC_TEMP, "unlink");
	enum rc rc = maildir_folder_open(self, name, &folder, &inner);
	if (rc == RC_OK)
		rc = remove_all(&folder, &removal, &inner);
	if (rc == RC_OK && fault_point("store.remove.after_unlink"))
		rc = err_errno(&inner, RC_TEMP, "fsync");
	if (rc == RC_OK && folder.fresh >= 0)
		rc = maildir_sync_part_later(self, name, "new", &inner);
	if (rc == RC_OK && folder.cur >= 0)
		rc = maildir_sync_part_later(self, name, "cur", &inner);
	maildir_folder_close(&folder);
	(void)fault_point("store.remove.after_sync");
	return maildir_finish(rc, &inner, name, err);
}

/* Names of the directories in a directory, as far as addr_path can have made them. */
static enum rc subdirs(int dir, GPtrArray *names, struct err *err)
{
	int fd = -1;
	enum rc rc = maildir_open_dir(dir, ".", &fd, err);
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
		rc = maildir_open_dir(m->root, domain, &fd, &inner);
		if (rc == RC_OK)
			rc = subdirs(fd, locals, &inner);
		else if (rc != RC_TEMP)
			rc = RC_OK; /* gone, or lost+found and its like */
		for (guint k = 0; rc == RC_OK && k < locals->len; k++)
			g_ptr_array_add(folders,
			    g_strdup_printf(
				"%s/%s", domain, (const char *)g_ptr_array_index(locals, k)));
		maildir_close_fd(&fd);
		g_ptr_array_unref(locals);
	}
	for (guint i = 0; rc == RC_OK && i < folders->len; i++)
		if (!fn(ctx, g_ptr_array_index(folders, i)))
			break;
	g_ptr_array_unref(folders);
	g_ptr_array_unref(domains);
	return maildir_finish(rc, &inner, m->path, err);
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
