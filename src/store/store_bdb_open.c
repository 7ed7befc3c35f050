/*
 * store_bdb_open.c: opening a Berkeley DB environment that may have been left in any state.
 *
 * PATH.lock   an exclusive flock for as long as the environment is open. Two openers ruin the log;
 *             a second one is told RC_TEMP. It stands beside PATH, for PATH may be renamed.
 * PATH        the environment: pullyu.db, log.*. Recovery is run at every open.
 * PATH.broken-TIME   an environment that could not be used and was set aside.
 * PATH.new    its successor while it is being made: complete before it takes PATH's name.
 *
 * What is wrong with the machine (disk full, no permission, no memory) is RC_TEMP and changes
 * nothing: a good environment is never set aside because the disk is full today.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "store/store_bdb.h"

enum {
	PAGE_BYTES = 4096,
	CACHE_BYTES = 16 * 1024 * 1024,
	LOG_FILE_BYTES = 4 * 1024 * 1024,
	/* A transaction locks each page that it touches: the default of 1,000 is a digest of some
	 * hundred messages. */
	LOCKS_MAX = 50000,
};

static const char *const table_names[STORE_TABLES] = {
    [STORE_TABLE_HELD] = "held",
    [STORE_TABLE_SLOT] = "slot",
    [STORE_TABLE_KNOWN] = "known",
    [STORE_TABLE_SENT] = "sent",
    [STORE_TABLE_AGE] = "age",
    [STORE_TABLE_META] = "meta",
};

/* ---- what Berkeley DB says ---- */

static void on_error(const DB_ENV *env, const char *prefix, const char *text)
{
	struct bdb *db = env->app_private;
	(void)prefix;
	/* The first message says what happened, those after it what follows from it. */
	if (db != NULL && db->said[0] == '\0')
		g_strlcpy(db->said, text, sizeof(db->said));
}

static void on_event(DB_ENV *env, u_int32_t event, void *info)
{
	struct bdb *db = env->app_private;
	if (db != NULL && event == DB_EVENT_PANIC && db->panic == 0)
		db->panic = info == NULL || *(int *)info == 0 ? DB_RUNRECOVERY : *(int *)info;
}

/* ---- the environment ---- */

static void env_close(struct bdb *db)
{
	for (int i = 0; i < STORE_TABLES; i++)
		if (db->tables[i] != NULL) {
			(void)db->tables[i]->close(db->tables[i], 0);
			db->tables[i] = NULL;
		}
	if (db->env != NULL)
		(void)db->env->close(db->env, 0);
	db->env = NULL;
}

static int env_configure(DB_ENV *env)
{
	int result = env->set_cachesize(env, 0, CACHE_BYTES, 1);
	if (result == 0)
		result = env->set_lg_max(env, LOG_FILE_BYTES);
	if (result == 0)
		result = env->set_lk_detect(env, DB_LOCK_DEFAULT);
	if (result == 0)
		result = env->set_lk_max_locks(env, LOCKS_MAX);
	if (result == 0)
		result = env->set_lk_max_objects(env, LOCKS_MAX);
	if (result == 0)
		result = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1);
	return result;
}

static int table_open(struct bdb *db, int table)
{
	DB *t;
	int result = db_create(&t, db->env, 0);
	if (result != 0)
		return result;
	db->tables[table] = t;
	result = t->set_pagesize(t, PAGE_BYTES);
	if (result == 0)
		result = t->set_flags(t, DB_CHKSUM);
	if (result == 0)
		result = t->open(t, NULL, "pullyu.db", table_names[table], DB_BTREE,
		    DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0600);
	return result;
}

/* Opens what is in dir. Returns Berkeley DB's result; nothing stays open unless it is 0. */
static int env_open(struct bdb *db, const char *dir)
{
	db->panic = 0;
	db->said[0] = '\0';
	int result = db_env_create(&db->env, 0);
	if (result != 0) {
		db->env = NULL;
		return result;
	}
	db->env->app_private = db;
	db->env->set_errcall(db->env, on_error);
	result = db->env->set_event_notify(db->env, on_event);
	if (result == 0)
		result = env_configure(db->env);
	if (result == 0)
		result = db->env->open(db->env, dir,
		    DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_TXN | DB_THREAD |
			DB_CREATE | DB_RECOVER | DB_PRIVATE,
		    0600);
	for (int i = 0; i < STORE_TABLES && result == 0; i++)
		result = table_open(db, i);
	if (result != 0)
		env_close(db);
	return result;
}

/* Whether trouble comes from the machine and not from what is stored. */
static bool machine_trouble(const struct bdb *db, int result)
{
	int cause = db->panic != 0 ? db->panic : result;
	switch (cause) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case ENOMEM:
	case EIO:
	case EACCES:
	case EPERM:
	case EROFS:
	case EMFILE:
	case ENFILE:
	case EINTR:
	case EAGAIN:
	case EBUSY:
		return true;
	default:
		return false;
	}
}

/* ---- setting aside ---- */

/* Removes a directory of plain files, if it is there. */
static enum rc remove_dir(const char *path, struct err *err)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;
	if (stream == NULL)
		return errno == ENOENT ? RC_OK : err_errno(err, RC_TEMP, "%s", path);
	while ((entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(stream), entry->d_name, 0);
	closedir(stream);
	return rmdir(path) == 0 ? RC_OK : err_errno(err, RC_TEMP, "%s", path);
}

static enum rc sync_parent(const char *path, struct err *err)
{
	char *parent = g_path_get_dirname(path);
	enum rc rc = fs_sync_dir(parent, err);
	g_free(parent);
	return rc;
}

/* Gives path a name under which nothing reads it any more. The time in it is for the admin's eye
 * and decides nothing, which is why it may be asked for down here. */
static enum rc rename_aside(const char *path, struct err *err)
{
	for (int n = 0; n < 100; n++) {
		char *aside = g_strdup_printf("%s.broken-%lld", path, (long long)clock_now() + n);
		struct stat st;
		bool taken = lstat(aside, &st) == 0;
		int result = taken ? -1 : rename(path, aside);
		enum rc rc = result == 0 ? RC_OK : err_errno(err, RC_TEMP, "rename to %s", aside);
		g_free(aside);
		if (!taken)
			return rc;
	}
	return err_set(err, RC_TEMP, "%s: too many broken databases beside it", path);
}

/* Puts a new environment in the place of a broken one. The order makes a crash harmless: until the
 * first rename the broken one is still there to be found, after it the new one is complete. */
static enum rc replace(struct bdb *db, struct err *err)
{
	char *fresh = g_strdup_printf("%s.new", db->path);
	enum rc rc = remove_dir(fresh, err);
	if (rc == RC_OK)
		rc = fs_mkdirs(fresh, 0700, err);
	if (rc == RC_OK) {
		int result = env_open(db, fresh);
		if (result != 0) {
			bdb_result(db, result, "making a new one", err);
			rc = RC_TEMP;
		}
		env_close(db);
	}
	if (rc == RC_OK)
		rc = rename_aside(db->path, err);
	if (rc == RC_OK && rename(fresh, db->path) != 0)
		rc = err_errno(err, RC_TEMP, "rename %s", fresh);
	if (rc == RC_OK)
		rc = sync_parent(db->path, err);
	g_free(fresh);
	return rc;
}

/* The crash between the two renames: the new environment is complete and waits for its name. */
static enum rc finish_replace(struct bdb *db, bool *reset_out, struct err *err)
{
	char *fresh = g_strdup_printf("%s.new", db->path);
	struct stat st;
	enum rc rc = RC_OK;
	if (lstat(db->path, &st) != 0 && errno == ENOENT && lstat(fresh, &st) == 0) {
		if (rename(fresh, db->path) != 0)
			rc = err_errno(err, RC_TEMP, "rename %s", fresh);
		else
			*reset_out = true;
	}
	g_free(fresh);
	return rc;
}

/* ---- open, close ---- */

static enum rc lock(struct bdb *db, struct err *err)
{
	char *name = g_strdup_printf("%s.lock", db->path);
	enum rc rc = RC_OK;
	db->lock_fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (db->lock_fd < 0)
		rc = err_errno(err, RC_TEMP, "%s", name);
	else if (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK
		    ? err_set(err, RC_TEMP,
			  "%s is in use: another process has it open (it holds %s)", db->path, name)
		    : err_errno(err, RC_TEMP, "flock %s", name);
	g_free(name);
	return rc;
}

static enum rc open_or_replace(struct bdb *db, bool *reset_out, struct err *err)
{
	int result = env_open(db, db->path);
	if (result == 0)
		return RC_OK;
	if (machine_trouble(db, result)) {
		bdb_result(db, result, "open", err);
		return RC_TEMP;
	}
	enum rc rc = replace(db, err);
	if (rc != RC_OK)
		return err_prefix(err, rc, "%s is broken and cannot be replaced", db->path);
	result = env_open(db, db->path);
	if (result != 0) {
		bdb_result(db, result, "open", err);
		return RC_TEMP;
	}
	*reset_out = true;
	return RC_OK;
}

enum rc bdb_open(const char *path, void **self_out, bool *reset_out, struct err *err)
{
	struct bdb *db = g_new0(struct bdb, 1);
	char *parent = g_path_get_dirname(path);
	bool reset = false;
	db->path = g_strdup(path);
	db->lock_fd = -1;
	enum rc rc = fs_mkdirs(parent, 0700, err);
	if (rc == RC_OK)
		rc = lock(db, err);
	if (rc == RC_OK)
		rc = finish_replace(db, &reset, err);
	if (rc == RC_OK)
		rc = fs_mkdirs(path, 0700, err);
	if (rc == RC_OK)
		rc = open_or_replace(db, &reset, err);
	g_free(parent);
	if (rc != RC_OK) {
		bdb_close(db);
		return rc;
	}
	*self_out = db;
	*reset_out = reset;
	return RC_OK;
}

void bdb_close(void *self)
{
	struct bdb *db = self;
	if (db->txn != NULL)
		(void)db->txn->abort(db->txn);
	/* Leaves the next open little to recover. */
	if (db->env != NULL)
		(void)db->env->txn_checkpoint(db->env, 0, 0, 0);
	env_close(db);
	if (db->lock_fd >= 0)
		close(db->lock_fd); /* and the flock with it */
	g_free(db->path);
	g_free(db);
}
