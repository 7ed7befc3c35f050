/*
 * store_bdb_open.c: opening a Berkeley DB environment that may have been left in any state.
 *
 * PATH.lock   an exclusive flock for as long as the environment is open. Two openers ruin the log;
 *             a second one is told RC_TEMP. It stands beside PATH, for PATH may be renamed.
 * PATH        the environment: pullyu.db, log.*. Recovery is run at every open.
 * PATH/clean  says that it was closed as it should be. Without it a large one is checked first, as
 *             a small one always is.
 * PATH.broken-TIME   an environment that could not be used and was set aside.
 * PATH.new    its successor while it is being made: complete before it takes PATH's name.
 *
 * What is wrong with the machine (disk full, no permission, no memory) is RC_TEMP and changes
 * nothing: a good environment is never set aside because the disk is full today.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/store_bdb.h"

enum {
	PAGE_BYTES = 4096,
	CACHE_BYTES = 16 * 1024 * 1024,
	LOG_FILE_BYTES = 4 * 1024 * 1024,
	/* Checked at every open, for that takes a second; a larger one only if it was not
	 * closed. */
	ALWAYS_CHECKED_BYTES = 32 * 1024 * 1024,
	/* A transaction locks each page that it touches: the default of 1,000 is a digest of some
	 * hundred messages. */
	LOCKS_MAX = 50000,
};

const char *const bdb_table_names[STORE_TABLES] = {
    [STORE_TABLE_HELD] = "held",
    [STORE_TABLE_SLOT] = "slot",
    [STORE_TABLE_KNOWN] = "known",
    [STORE_TABLE_SENT] = "sent",
    [STORE_TABLE_AGE] = "age",
    [STORE_TABLE_NOTE] = "note",
    [STORE_TABLE_NOTE_AGE] = "note_age",
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
	if (db == NULL || event != DB_EVENT_PANIC || db->panic != 0)
		return;
	db->panic = info == NULL || *(int *)info == 0 ? DB_RUNRECOVERY : *(int *)info;
	if (db->verdict != NULL)
		bdb_check_end(db, DB_RUNRECOVERY);
}

bool bdb_machine_trouble(const struct bdb *db, int result)
{
	switch (db->panic != 0 ? db->panic : result) {
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

/* ---- the environment ---- */

void bdb_env_close(struct bdb *db)
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

static int configure(DB_ENV *env)
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

int bdb_env_open(struct bdb *db, const char *dir)
{
	db->panic = 0;
	db->corrupt = false;
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
		result = configure(db->env);
	if (result == 0)
		result = db->env->open(db->env, dir,
		    DB_INIT_MPOOL | DB_INIT_LOCK | DB_INIT_LOG | DB_INIT_TXN | DB_THREAD |
			DB_CREATE | DB_RECOVER | DB_PRIVATE,
		    0600);
	if (result != 0)
		bdb_env_close(db);
	return result;
}

int bdb_tables_open(struct bdb *db)
{
	int result = 0;
	for (int i = 0; i < STORE_TABLES && result == 0; i++) {
		DB *t;
		result = db_create(&t, db->env, 0);
		if (result != 0)
			break;
		db->tables[i] = t;
		result = t->set_pagesize(t, PAGE_BYTES);
		if (result == 0)
			result = t->set_flags(t, DB_CHKSUM);
		if (result == 0)
			result = t->open(t, NULL, BDB_FILE, bdb_table_names[i], DB_BTREE,
			    DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0600);
	}
	if (result != 0)
		bdb_env_close(db);
	return result;
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

/* Whether the last close was one; it is no longer, from here on. */
static enum rc take_clean_mark(struct bdb *db, bool *clean_out, struct err *err)
{
	char *name = g_build_filename(db->path, "clean", NULL);
	bool clean = unlink(name) == 0;
	enum rc rc = RC_OK;
	if (clean)
		rc = fs_sync_dir(db->path, err);
	else if (errno != ENOENT)
		rc = err_errno(err, RC_TEMP, "%s", name);
	g_free(name);
	if (rc == RC_OK)
		*clean_out = clean;
	return rc;
}

static bool is_large(const struct bdb *db)
{
	char *name = g_build_filename(db->path, BDB_FILE, NULL);
	struct stat st;
	bool large = stat(name, &st) == 0 && st.st_size > ALWAYS_CHECKED_BYTES;
	g_free(name);
	return large;
}

static void leave_clean_mark(struct bdb *db)
{
	char *name = g_build_filename(db->path, "clean", NULL);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	g_free(name);
}

/* RC_CORRUPT: broken. RC_TEMP: trouble with the machine. */
static enum rc open_all(struct bdb *db, struct err *err)
{
	int result = bdb_env_open(db, db->path);
	if (result == 0)
		result = bdb_tables_open(db);
	if (result == 0)
		return RC_OK;
	bool machine = bdb_machine_trouble(db, result);
	bdb_result(db, result, "open", err);
	return machine ? RC_TEMP : RC_CORRUPT;
}

static enum rc open_or_replace(struct bdb *db, bool *reset_out, struct err *err)
{
	struct err why;
	bool clean = false;
	enum rc rc = take_clean_mark(db, &clean, &why);
	if (rc == RC_OK && !(clean && is_large(db)))
		rc = bdb_check(db, &why);
	if (rc == RC_OK)
		rc = open_all(db, &why);
	if (rc != RC_CORRUPT)
		return store_result(rc, &why, err);
	rc = bdb_replace(db, err);
	if (rc != RC_OK)
		return err_prefix(
		    err, rc, "%s is broken (%s) and cannot be replaced", db->path, why.text);
	*reset_out = true;
	rc = open_all(db, err);
	return rc == RC_CORRUPT ? RC_TEMP : rc;
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
		rc = bdb_replace_finish(db, &reset, err);
	if (rc == RC_OK)
		rc = fs_mkdirs(path, 0700, err);
	if (rc == RC_OK)
		rc = open_or_replace(db, &reset, err);
	g_free(parent);
	if (rc != RC_OK) {
		db->corrupt = true; /* whatever it was, the next open shall look closely */
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
	bool clean = db->env != NULL && db->env->txn_checkpoint(db->env, 0, 0, 0) == 0;
	bdb_env_close(db);
	if (clean && !db->corrupt && db->panic == 0)
		leave_clean_mark(db);
	if (db->lock_fd >= 0)
		close(db->lock_fd); /* and the flock with it */
	g_free(db->path);
	g_free(db);
}
