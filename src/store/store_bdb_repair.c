/*
 * store_bdb_repair.c: is this environment sound, and if not, a new one in its place.
 *
 * Berkeley DB is not made for damaged files: on a page of zeros a lookup loops for ever. So
 * whatever reads an environment of which we know nothing good does it in a child, with limits on
 * its time.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "store/store_bdb.h"

enum {
	/* A loop burns processor time, a slow disk does not. Checking 60 MB takes 2 seconds here.
	 */
	CHILD_CPU_SECONDS = 60,
	CHILD_CPU_BYTES_PER_SECOND = 2 * 1024 * 1024,
	CHILD_SECONDS = 600,
	SALVAGE_BATCH = 200,
};

/* ---- a child that reads what may be broken ---- */

typedef void child_fn(struct bdb *db, const char *dir, FILE *out);

static rlim_t cpu_seconds(const char *dir)
{
	char *name = g_build_filename(dir, BDB_FILE, NULL);
	struct stat st;
	off_t size = stat(name, &st) == 0 ? st.st_size : 0;
	g_free(name);
	return (rlim_t)(CHILD_CPU_SECONDS + size / CHILD_CPU_BYTES_PER_SECOND);
}

static void child_main(struct bdb *db, const char *dir, child_fn *fn, int fd)
{
	rlim_t seconds = cpu_seconds(dir);
	/* At the lower limit comes SIGXCPU, which says what it is; at the upper one SIGKILL. */
	struct rlimit cpu = {.rlim_cur = seconds, .rlim_max = seconds + 60};
	struct rlimit core = {.rlim_cur = 0, .rlim_max = 0};
	sigset_t none;
	/* It keeps the flock: as long as it lives nobody else may open the environment. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &core);
	signal(SIGALRM, SIG_DFL);
	signal(SIGXCPU, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm((unsigned)seconds + CHILD_SECONDS);
	FILE *out = fdopen(fd, "w");
	if (out != NULL) {
		fn(db, dir, out);
		fflush(out);
	}
	_exit(0);
}

/* Returns what the child writes, or NULL. *pid_out is to be waited for. */
static FILE *child_start(
    struct bdb *db, const char *dir, child_fn *fn, pid_t *pid_out, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		err_errno(err, RC_TEMP, "pipe");
		return NULL;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		child_main(db, dir, fn, ends[1]);
	}
	close(ends[1]);
	FILE *in = pid < 0 ? NULL : fdopen(ends[0], "r");
	if (in == NULL) {
		err_errno(err, RC_TEMP, "fork");
		close(ends[0]);
	}
	*pid_out = pid;
	return in;
}

/* Returns the signal that ended the child, 0: none, -1: nobody knows. */
static int child_end(FILE *in, pid_t pid)
{
	int status, result;
	fclose(in);
	do
		result = waitpid(pid, &status, 0);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -1 : WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Whether it died of what it read. Others may have killed it: a service manager that stops us, the
 * kernel for want of memory. That says nothing about the database. */
static bool died_of_data(int signal_number)
{
	static const int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGXCPU};
	for (size_t i = 0; i < G_N_ELEMENTS(ours); i++)
		if (signal_number == ours[i])
			return true;
	return false;
}

/* ---- check ---- */

void bdb_check_end(struct bdb *db, int result)
{
	struct err err;
	bool machine = result != 0 && bdb_machine_trouble(db, result);
	bdb_result(db, result, "check", &err);
	fprintf(db->verdict, "%s\n", result == 0 ? "sound" : machine ? "machine" : "broken");
	if (result != 0)
		fprintf(db->verdict, "%s\n", err.text);
	fflush(db->verdict);
	_exit(0);
}

static void check_in_child(struct bdb *db, const char *dir, FILE *out)
{
	DB *file;
	/* After a panic the library's clean-up may take seconds, or for ever. */
	db->verdict = out;
	int result = bdb_env_open(db, dir);
	char *name = g_build_filename(dir, BDB_FILE, NULL);
	if (result == 0 && access(name, F_OK) == 0) {
		result = db_create(&file, db->env, 0);
		if (result == 0)
			result = file->verify(file, BDB_FILE, NULL, NULL, 0);
	}
	g_free(name);
	if (result == 0)
		bdb_env_close(db);
	bdb_check_end(db, result);
}

enum rc bdb_check(struct bdb *db, struct err *err)
{
	char verdict[16] = "", text[512] = "";
	pid_t pid;
	FILE *in = child_start(db, db->path, check_in_child, &pid, err);
	if (in == NULL)
		return RC_TEMP;
	bool whole = fgets(verdict, sizeof(verdict), in) != NULL;
	if (fgets(text, sizeof(text), in) != NULL)
		text[strcspn(text, "\n")] = '\0';
	int killed = child_end(in, pid);
	if (!whole)
		return err_set(err, died_of_data(killed) ? RC_CORRUPT : RC_TEMP,
		    "database: the check of it was ended by signal %d", killed);
	if (strcmp(verdict, "sound\n") == 0)
		return RC_OK;
	return err_set(err, strcmp(verdict, "machine\n") == 0 ? RC_TEMP : RC_CORRUPT, "%s", text);
}

/* ---- saving what can be saved ---- */

static void ignore_error(const DB_ENV *env, const char *prefix, const char *text)
{
	(void)env, (void)prefix, (void)text;
}

/* Writes every record that can be found in the file's pages, as "db_dump -r" does: tables as
 * "database=NAME" ... "HEADER=END", then keys and values as " HEX" lines in turn, "DATA=END". */
static void dump_in_child(struct bdb *db, const char *dir, FILE *out)
{
	char *name = g_build_filename(dir, BDB_FILE, NULL);
	DB_ENV *env;
	DB *file;
	(void)db;
	/* A page with a wrong checksum panics the environment; NOPANIC goes on to the next. */
	if (db_env_create(&env, 0) == 0) {
		env->set_errcall(env, ignore_error);
		if (env->set_flags(env, DB_NOPANIC, 1) == 0 &&
		    env->open(env, NULL, DB_INIT_MPOOL | DB_CREATE | DB_PRIVATE, 0600) == 0 &&
		    db_create(&file, env, 0) == 0)
			(void)file->verify(file, name, NULL, out, DB_SALVAGE);
	}
	g_free(name);
}

/* A line " HEX" as bytes; false if it is none, or too long. */
static bool parse_hex(const char *line, size_t max, GByteArray *bytes)
{
	size_t len = strcspn(line, "\n");
	if (line[0] != ' ' || len % 2 != 1 || len / 2 > max)
		return false;
	g_byte_array_set_size(bytes, 0);
	for (size_t i = 1; i + 1 < len; i += 2) {
		int high = g_ascii_xdigit_value(line[i]), low = g_ascii_xdigit_value(line[i + 1]);
		if (high < 0 || low < 0)
			return false;
		guint8 byte = (guint8)(high << 4 | low);
		g_byte_array_append(bytes, &byte, 1);
	}
	return true;
}

enum { TABLE_NONE = -1, TABLE_UNKNOWN = -2 };

/* HELD is rebuilt from the folders, and META would claim that this has been done. */
static int table_to_save(const char *name)
{
	static const enum store_table saved[] = {STORE_TABLE_SLOT, STORE_TABLE_KNOWN,
	    STORE_TABLE_SENT, STORE_TABLE_AGE, STORE_TABLE_NOTE, STORE_TABLE_NOTE_AGE};
	for (size_t i = 0; i < G_N_ELEMENTS(saved); i++)
		if (strcmp(bdb_table_names[saved[i]], name) == 0)
			return (int)saved[i];
	/* Berkeley DB's name for pages to which it did not find the way. */
	return strcmp(name, "__OTHER__") == 0 ? TABLE_UNKNOWN : TABLE_NONE;
}

struct salvage {
	struct bdb *db;
	int table; /* or TABLE_NONE: not saved, TABLE_UNKNOWN */
	bool header, have_key;
	GByteArray *key, *value; /* own */
	unsigned in_txn;
};

static enum rc save_record(struct salvage *s, struct err *err)
{
	const struct store_db_driver *driver = &store_bdb_driver;
	struct store_bytes key = store_bytes_of(s->key), value = store_bytes_of(s->value);
	int table = s->table;
	if (table == TABLE_UNKNOWN) {
		/* Of AGE's records one can tell what they are, and they say what KNOWN and SENT
		 * held. */
		struct store_bytes of;
		enum store_table of_table;
		int64_t when;
		if (value.len != 0 || !store_age_split(key, &when, &of_table, &of))
			return RC_OK;
		table = STORE_TABLE_AGE;
	}
	if (key.len == 0)
		return RC_OK;
	enum rc rc = s->db->txn == NULL ? driver->begin(s->db, err) : RC_OK;
	if (rc == RC_OK)
		rc = driver->put(s->db, (enum store_table)table, key, value, err);
	if (rc == RC_OK && ++s->in_txn % SALVAGE_BATCH == 0)
		rc = driver->commit(s->db, err);
	return rc;
}

static enum rc salvage_line(struct salvage *s, char *line, struct err *err)
{
	if (s->header) {
		line[strcspn(line, "\n")] = '\0';
		if (g_str_has_prefix(line, "database="))
			s->table = table_to_save(line + strlen("database="));
		s->header = strcmp(line, "HEADER=END") != 0;
		s->have_key = false;
		return RC_OK;
	}
	if (line[0] != ' ') { /* DATA=END, or the next header without one */
		s->header = true;
		s->table = TABLE_NONE;
		return salvage_line(s, line, err);
	}
	if (s->table == TABLE_NONE)
		return RC_OK;
	if (!s->have_key) {
		s->have_key = parse_hex(line, STORE_KEY_MAX, s->key);
		return RC_OK;
	}
	s->have_key = false;
	return parse_hex(line, STORE_VALUE_MAX, s->value) ? save_record(s, err) : RC_OK;
}

/* From the environment in dir into the open one. What cannot be read is lost; that is no failure.
 * A failure to write is. */
static enum rc salvage(struct bdb *db, const char *dir, struct err *err)
{
	struct salvage s = {.db = db, .table = TABLE_NONE, .header = true};
	char *line = NULL;
	size_t size = 0;
	pid_t pid;
	FILE *in = child_start(db, dir, dump_in_child, &pid, err);
	if (in == NULL)
		return RC_TEMP;
	s.key = g_byte_array_new();
	s.value = g_byte_array_new();
	enum rc rc = RC_OK;
	while (rc == RC_OK && getline(&line, &size, in) > 0)
		rc = salvage_line(&s, line, err);
	if (db->txn != NULL && rc == RC_OK)
		rc = store_bdb_driver.commit(db, err);
	store_bdb_driver.abort(db);
	child_end(in, pid);
	free(line);
	g_byte_array_unref(s.key);
	g_byte_array_unref(s.value);
	return rc;
}

/* ---- replace ---- */

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
		enum rc rc = RC_OK;
		if (!taken && rename(path, aside) != 0)
			rc = err_errno(err, RC_TEMP, "rename to %s", aside);
		g_free(aside);
		if (!taken)
			return rc;
	}
	return err_set(err, RC_TEMP, "%s: too many broken databases beside it", path);
}

static enum rc make_fresh(struct bdb *db, const char *dir, struct err *err)
{
	enum rc rc = remove_dir(dir, err);
	if (rc == RC_OK)
		rc = fs_mkdirs(dir, 0700, err);
	if (rc != RC_OK)
		return rc;
	int result = bdb_env_open(db, dir);
	if (result == 0)
		result = bdb_tables_open(db);
	if (result != 0) {
		bdb_result(db, result, "making a new one", err);
		return RC_TEMP;
	}
	rc = salvage(db, db->path, err);
	if (rc == RC_OK)
		rc = store_bdb_driver.checkpoint(db, err);
	bdb_env_close(db);
	if (rc == RC_OK)
		rc = fs_sync_dir(dir, err);
	return rc == RC_OK ? RC_OK : RC_TEMP;
}

/* The order makes a crash harmless: until the first rename the broken environment is still there to
 * be found; after it the new one is complete and waits for its name. */
enum rc bdb_replace(struct bdb *db, struct err *err)
{
	char *fresh = g_strdup_printf("%s.new", db->path);
	enum rc rc = make_fresh(db, fresh, err);
	if (rc == RC_OK && fault_point("store.replace.before_aside"))
		rc = err_errno(err, RC_TEMP, "rename");
	if (rc == RC_OK)
		rc = rename_aside(db->path, err);
	if (rc == RC_OK && fault_point("store.replace.between"))
		rc = err_errno(err, RC_TEMP, "rename");
	if (rc == RC_OK && rename(fresh, db->path) != 0)
		rc = err_errno(err, RC_TEMP, "rename %s", fresh);
	if (rc == RC_OK)
		rc = sync_parent(db->path, err);
	(void)fault_point("store.replace.after");
	g_free(fresh);
	return rc;
}

enum rc bdb_replace_finish(struct bdb *db, bool *replaced_out, struct err *err)
{
	char *fresh = g_strdup_printf("%s.new", db->path);
	struct stat st;
	enum rc rc = RC_OK;
	if (lstat(db->path, &st) != 0 && errno == ENOENT && lstat(fresh, &st) == 0) {
		if (rename(fresh, db->path) != 0)
			rc = err_errno(err, RC_TEMP, "rename %s", fresh);
		else
			*replaced_out = true;
	}
	g_free(fresh);
	return rc;
}
