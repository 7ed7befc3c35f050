/*
 * test_store_crash.c: a process that dies at any moment, a database that was damaged, a disk that
 * is full. Nothing that was committed is lost, nothing is there by half, nothing hangs.
 */
#include <config.h>

#include "store_unit.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

static const char ann[] = "ann@example.org";

/* Ends a child that hangs: it then counts as killed. */
enum { CHILD_SECONDS = 150 };

static int setup(void **state)
{
	struct world *w = world_new("maildir", "bdb");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	unsetenv("PULLYU_TEST_FAULT");
	world_free(*state);
	return 0;
}

/* ---- killed at any moment ---- */

/* Change n of the store: one message comes and one goes, in one transaction with the ledger. What
 * the index says must then be what the ledger says, at any moment that one looks. */
enum { KEPT = 5 };

static enum rc change(struct world *w, int n, struct err *err)
{
	char id[20], old[20], text[20];
	g_snprintf(id, sizeof(id), "m%06d", n);
	g_snprintf(old, sizeof(old), "m%06d", n - KEPT);
	g_snprintf(text, sizeof(text), "%d", n);
	char *path = world_file(w, id, "To: ann@example.org\n");
	enum rc rc = store_msg_commit(w->store, ann, id, path, err);
	g_free(path);
	struct store_held held = world_held(id, n);
	if (rc == RC_OK)
		rc = store_begin(w->store, err);
	if (rc == RC_OK)
		rc = store_held_put(w->store, ann, &held, err);
	if (rc == RC_OK && n >= KEPT)
		rc = store_held_del(w->store, ann, old, err);
	if (rc == RC_OK)
		rc = store_slot_put(w->store, ann, text, strlen(text), err);
	if (rc == RC_OK)
		rc = store_known_put(w->store, ann, "eve@x", n, err);
	if (rc == RC_OK && n % 7 == 3) {
		/* Take it back and do it again. */
		store_abort(w->store);
		rc = store_begin(w->store, err);
		if (rc == RC_OK)
			rc = store_held_put(w->store, ann, &held, err);
		if (rc == RC_OK && n >= KEPT)
			rc = store_held_del(w->store, ann, old, err);
		if (rc == RC_OK)
			rc = store_slot_put(w->store, ann, text, strlen(text), err);
		if (rc == RC_OK)
			rc = store_known_put(w->store, ann, "eve@x", n, err);
	}
	if (rc == RC_OK)
		rc = store_commit(w->store, err);
	if (rc == RC_OK && n >= KEPT)
		rc = store_msg_remove(w->store, ann, old, err);
	if (rc == RC_OK && n % 11 == 0)
		rc = store_checkpoint(w->store, err);
	return rc;
}

/* The number of the last change in the ledger; -1: none. */
static int last_change(struct world *w)
{
	void *data = NULL;
	size_t len = 0;
	if (store_slot_get(w->store, ann, &data, &len, NULL) != RC_OK)
		return -1;
	int n = atoi(data);
	g_free(data);
	return n;
}

/* Whether the store is exactly what it was after change n. */
static int check_after(struct world *w, const char *label, int n)
{
	GString *want = g_string_new(NULL);
	int64_t when = -1;
	for (int i = MAX(0, n - KEPT + 1); i <= n; i++)
		g_string_append_printf(want, "ann@example.org/m%06d ", i);
	int failed = world_str(label, world_index(w, ann), want->str);
	store_known_get(w->store, ann, "eve@x", &when, NULL);
	failed += unit_num(label, when, n);
	for (int i = MAX(0, n - KEPT + 1); i <= n; i++) {
		char id[20];
		g_snprintf(id, sizeof(id), "m%06d", i);
		failed += world_str(id, world_content(w, ann, id), "To: ann@example.org\n");
	}
	g_string_free(want, TRUE);
	return failed;
}

/* Opens, and changes until it is killed; writes the number of each change that was committed. */
static void change_for_ever(struct world *w, int out)
{
	struct err err;
	alarm(CHILD_SECONDS);
	if (world_try_open(w, &err) != RC_OK || w->recovered)
		_exit(1);
	for (int n = last_change(w) + 1;; n++) {
		if (change(w, n, &err) != RC_OK) {
			fprintf(stderr, "change %d: %s\n", n, err.text);
			_exit(2);
		}
		if (write(out, &n, sizeof(n)) != sizeof(n))
			_exit(3);
	}
}

static void test_killed(void **state)
{
	struct world *w = *state;
	int failed = 0, acked = -1;
	const char *rounds = g_getenv("PULLYU_TEST_KILLS");
	int kills = rounds == NULL ? 15 : atoi(rounds);
	for (int round = 0; round < kills && failed == 0; round++) {
		int ends[2], n, status;
		assert_int_equal(pipe(ends), 0);
		pid_t pid = fork();
		if (pid == 0) {
			close(ends[0]);
			change_for_ever(w, ends[1]);
		}
		close(ends[1]);
		/* Sometimes in recovery itself, sometimes in the first change, mostly later. */
		if (round % 5 != 0 && read(ends[0], &n, sizeof(n)) == sizeof(n))
			acked = n;
		g_usleep((gulong)g_random_int_range(0, 60000));
		kill(pid, SIGKILL);
		while (read(ends[0], &n, sizeof(n)) == sizeof(n))
			acked = n;
		close(ends[0]);
		waitpid(pid, &status, 0);
		failed +=
		    unit_num("ended by us", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, 1);

		world_open(w);
		failed += unit_num("recovered without setting aside", w->recovered, false);
		int last = last_change(w);
		/* The one in flight may have been committed without our hearing of it. */
		failed += unit_num("nothing lost", last == acked || last == acked + 1, 1);
		failed += check_after(w, "index", last);
		acked = last;
		/* What a crash left between folder and index: more files, never fewer. */
		size_t changed = 99;
		failed += unit_num("rebuild",
		    store_rebuild(w->store, NULL, world_describe, NULL, &changed, NULL), RC_OK);
		failed += unit_num("at most what was in flight", changed <= 2, 1);
		for (int i = 0; i <= last - KEPT + 1; i++) {
			char id[20];
			g_snprintf(id, sizeof(id), "m%06d", i);
			if (i <= last - KEPT && store_held_del(w->store, ann, id, NULL) == RC_OK)
				store_msg_remove(w->store, ann, id, NULL);
		}
		char id[20];
		g_snprintf(id, sizeof(id), "m%06d", last + 1);
		if (store_held_del(w->store, ann, id, NULL) == RC_OK)
			store_msg_remove(w->store, ann, id, NULL);
		store_close(&w->store);
	}
	assert_int_equal(failed, 0);
}

/* ---- killed, or failing, at each step ---- */

static void arm(struct world *w, const char *line)
{
	char *path = g_build_filename(w->dir, "fault", NULL);
	assert_true(g_file_set_contents(path, line, -1, NULL));
	setenv("PULLYU_TEST_FAULT", path, 1);
	g_free(path);
}

static void need_hooks(void)
{
#ifndef PULLYU_TEST_HOOKS
	print_message("skipped: configured without --enable-test-hooks\n");
	skip();
#endif
}

static const char *const commit_points[] = {
    "store.commit.before_rename",
    "store.commit.after_rename",
    "store.commit.after_sync_new",
    "store.commit.after_sync_incoming",
};
static const char *const remove_points[] = {
    "store.remove.before_unlink",
    "store.remove.after_unlink",
    "store.remove.after_sync",
};

/* Runs one step in a child that the fault kills. */
static int killed_in_child(struct world *w, void (*step)(struct world *w), const char *point)
{
	int status;
	char *line = g_strdup_printf("%s kill\n", point);
	arm(w, line);
	g_free(line);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(CHILD_SECONDS);
		world_open(w);
		step(w);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	arm(w, "");
	return unit_num(point, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, 1);
}

static void step_commit(struct world *w)
{
	char *path = g_build_filename(w->incoming, "m", NULL);
	store_msg_commit(w->store, ann, "m", path, NULL);
	g_free(path);
}

static void step_remove(struct world *w)
{
	store_msg_remove(w->store, ann, "m", NULL);
}

static void step_change(struct world *w)
{
	change(w, last_change(w) + 1, NULL);
}

static void test_killed_at_step(void **state)
{
	struct world *w = *state;
	int failed = 0;
	need_hooks();
	for (size_t i = 0; i < G_N_ELEMENTS(commit_points); i++) {
		const char *l = commit_points[i];
		char *path = world_file(w, "m", "text");
		failed += killed_in_child(w, step_commit, l);
		world_open(w);
		failed += unit_num(l, store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
		failed += world_str(l, world_list(w, ann), "m/4 ");
		failed += unit_num(l, access(path, F_OK), -1);
		store_msg_remove(w->store, ann, "m", NULL);
		store_close(&w->store);
		g_free(path);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(remove_points); i++) {
		const char *l = remove_points[i];
		world_open(w);
		failed += unit_num(l, world_commit(w, ann, "m", "text"), RC_OK);
		store_close(&w->store);
		failed += killed_in_child(w, step_remove, l);
		world_open(w);
		failed += unit_num(
		    l, store_msg_remove(w->store, ann, "m", NULL), i == 0 ? RC_OK : RC_NOTFOUND);
		failed += world_str(l, world_list(w, ann), "");
		store_close(&w->store);
	}
	static const struct {
		const char *point;
		int last;
	} rows[] = {
	    {"store.db.before_commit", -1},
	    {"store.db.after_commit", 0},
	    {"store.db.before_commit", 0},
	    {"store.db.put", 0},
	    {"store.db.after_commit", 1},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		failed += killed_in_child(w, step_change, rows[i].point);
		world_open(w);
		failed += unit_num(rows[i].point, w->recovered, false);
		failed += unit_num(rows[i].point, last_change(w), rows[i].last);
		if (rows[i].last >= 0)
			failed += check_after(w, rows[i].point, rows[i].last);
		store_close(&w->store);
	}
	assert_int_equal(failed, 0);
}

static void test_failing_step(void **state)
{
	struct world *w = *state;
	struct err err;
	int failed = 0;
	need_hooks();
	world_open(w);
	for (size_t i = 0; i < G_N_ELEMENTS(commit_points) - 1; i++) {
		char *path = world_file(w, "m", "text");
		char *line = g_strdup_printf("%s fail\n", commit_points[i]);
		arm(w, line);
		failed += unit_num(
		    commit_points[i], store_msg_commit(w->store, ann, "m", path, &err), RC_TEMP);
		failed += unit_num(err.text, strstr(err.text, "No space left") != NULL, 1);
		arm(w, "");
		failed += unit_num(
		    commit_points[i], store_msg_commit(w->store, ann, "m", path, NULL), RC_OK);
		failed += world_str(commit_points[i], world_content(w, ann, "m"), "text");
		store_msg_remove(w->store, ann, "m", NULL);
		g_free(line);
		g_free(path);
	}
	assert_int_equal(change(w, 0, NULL), RC_OK);
	static const char *const points[] = {
	    "store.db.put fail\n", "store.db.before_commit fail\n", "store.db.del fail\n"};
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
		arm(w, points[i]);
		/* The part that failed may be forgotten by its caller: not by the commit. */
		failed += unit_num(points[i], store_begin(w->store, NULL), RC_OK);
		enum rc slot = store_slot_put(w->store, ann, "77", 2, NULL);
		enum rc held = store_held_del(w->store, ann, "m000000", NULL);
		failed += unit_num(points[i], slot, i == 0 ? RC_TEMP : RC_OK);
		failed += unit_num(points[i], held, i == 1 ? RC_OK : RC_TEMP);
		failed += unit_num(points[i], store_commit(w->store, &err), RC_TEMP);
		failed += check_after(w, points[i], 0);
		failed += unit_num(points[i], last_change(w), 0);
		arm(w, "");
	}
	arm(w, "store.db.checkpoint fail\n");
	failed += unit_num("checkpoint", store_checkpoint(w->store, NULL), RC_TEMP);
	arm(w, "store.remove.before_unlink fail\n");
	failed += unit_num("remove", store_msg_remove(w->store, ann, "m000000", NULL), RC_TEMP);
	arm(w, "");
	failed += check_after(w, "as before", 0);
	failed += unit_num("goes on", change(w, 1, NULL), RC_OK);
	assert_int_equal(failed, 0);
}

/* ---- two openers ---- */

static void test_two_openers(void **state)
{
	struct world *w = *state;
	struct store *second = NULL;
	struct err err;
	int failed = 0, status;
	world_open(w);
	change(w, 0, NULL);
	failed += unit_num("same process", store_open(&w->config, &second, NULL, &err), RC_TEMP);
	failed += unit_num(err.text, strstr(err.text, "is in use") != NULL, 1);
	pid_t pid = fork();
	if (pid == 0)
		_exit(store_open(&w->config, &second, NULL, &err) == RC_TEMP ? 0 : 1);
	waitpid(pid, &status, 0);
	failed += unit_num("another process", status, 0);
	failed += unit_num("the first goes on", change(w, 1, NULL), RC_OK);
	failed += check_after(w, "the first goes on", 1);
	world_reopen(w);
	failed += unit_num("recovered", w->recovered, false);
	failed += check_after(w, "reopened", 1);
	assert_int_equal(failed, 0);
}

/* ---- the index, made anew ---- */

static bool dump_held(void *ctx, const char *user, const struct store_held *held)
{
	g_string_append_printf(ctx, "%s %s %lld %llu %u %g %s %s %s %s %s %s %s %s %s\n", user,
	    held->id, (long long)held->received, (unsigned long long)held->size, held->lead,
	    held->score, held->class_name, held->reasons, held->from_addr, held->from_name,
	    held->subject, held->message_id, held->list_id, held->return_path, held->rcpt);
	return true;
}

static char *dump_index(struct world *w)
{
	GString *text = g_string_new(NULL);
	assert_int_equal(store_held_scan(w->store, NULL, dump_held, text, NULL), RC_OK);
	return g_string_free(text, FALSE);
}

/* Keeps the index as a daemon would: with each message, what its file says. */
static void fill(struct world *w, int messages)
{
	static const char *const users[] = {
	    "ann@example.org", "\"a b\"@example.org", "bob@x.example"};
	assert_int_equal(store_begin(w->store, NULL), RC_OK);
	for (int i = 0; i < messages; i++) {
		char id[20], owner[ADDR_MAX];
		const char *user = users[i % 3];
		struct store_held held;
		struct store_msg msg = {.size = 0};
		int fd;
		g_snprintf(id, sizeof(id), "m%04d", i);
		char *text = g_strdup_printf("To: %s\n%*s", user, i, "x");
		assert_int_equal(world_commit(w, user, id, text), RC_OK);
		assert_int_equal(store_msg_open(w->store, user, id, &fd, NULL), RC_OK);
		g_strlcpy(msg.id, id, sizeof(msg.id));
		msg.size = strlen(text);
		assert_int_equal(world_describe(NULL, fd, &msg, owner, &held, NULL), RC_OK);
		close(fd);
		g_strlcpy(held.id, id, sizeof(held.id));
		assert_int_equal(store_held_put(w->store, user, &held, NULL), RC_OK);
		assert_int_equal(store_known_put(w->store, user, id, i, NULL), RC_OK);
		assert_int_equal(store_sent_put(w->store, user, id, i, NULL), RC_OK);
		if (i % 3 == 0)
			assert_int_equal(
			    store_held_del(w->store, user, "not there", NULL), RC_NOTFOUND);
		g_free(text);
	}
	assert_int_equal(store_slot_put(w->store, ann, "ledger", 6, NULL), RC_OK);
	assert_int_equal(store_commit(w->store, NULL), RC_OK);
}

static void test_rebuilt_equals_kept(void **state)
{
	struct world *w = *state;
	int failed = 0;
	size_t changed = 0;
	world_open(w);
	fill(w, 90);
	failed += unit_num("remove", store_msg_remove(w->store, ann, "m0003", NULL), RC_OK);
	failed += unit_num("remove", store_held_del(w->store, ann, "m0003", NULL), RC_OK);
	char *kept = dump_index(w);
	store_close(&w->store);
	world_remove_tree(w->db);
	world_open(w);
	failed += unit_num("a lost database is noticed", w->recovered, true);
	failed += world_str("empty", dump_index(w), "");
	store_close(&w->store);
	world_open(w);
	failed += unit_num("until it is rebuilt", w->recovered, true);
	failed += unit_num(
	    "rebuild", store_rebuild(w->store, NULL, world_describe, NULL, &changed, NULL), RC_OK);
	failed += unit_num("rebuild", (long long)changed, 89);
	failed += world_str("rebuilt", dump_index(w), kept);
	world_reopen(w);
	failed += unit_num("and not after that", w->recovered, false);
	failed += world_str("rebuilt", dump_index(w), kept);
	g_free(kept);
	assert_int_equal(failed, 0);
}

/* A database without folders is new, and nothing to worry about. */
static void test_new_is_not_recovered(void **state)
{
	struct world *w = *state;
	world_open(w);
	assert_false(w->recovered);
	world_reopen(w);
	assert_false(w->recovered);
}

/* ---- damage ---- */

struct damage {
	const char *label;
	const char *file; /* NULL: all logs */
	enum { REMOVE, EMPTY, ZERO, GARBAGE, CUT, ZERO_PAGE, FLIP, DIRECTORY } kind;
	int where;        /* CUT: per cent that stay; ZERO_PAGE, FLIP: page */
	bool keeps_known; /* what cannot be rebuilt must still be there */
};

static const struct damage damages[] = {
    {"none", "none", REMOVE, 0, true},
    {"database removed, log stays", "pullyu.db", REMOVE, 0, false},
    {"database emptied", "pullyu.db", EMPTY, 0, false},
    {"database zeroed", "pullyu.db", ZERO, 0, false},
    {"database is garbage", "pullyu.db", GARBAGE, 0, false},
    {"database cut", "pullyu.db", CUT, 60, false},
    {"database's first page zeroed", "pullyu.db", ZERO_PAGE, 0, false},
    {"page 1 zeroed", "pullyu.db", ZERO_PAGE, 1, false},
    {"page 5 zeroed", "pullyu.db", ZERO_PAGE, 5, false},
    {"page 13 zeroed", "pullyu.db", ZERO_PAGE, 13, false},
    {"page 20 zeroed", "pullyu.db", ZERO_PAGE, 20, false},
    {"bit of page 3", "pullyu.db", FLIP, 3, false},
    {"bit of page 14", "pullyu.db", FLIP, 14, false},
    {"database is a directory", "pullyu.db", DIRECTORY, 0, false},
    {"logs removed", NULL, REMOVE, 0, true},
    {"logs emptied", NULL, EMPTY, 0, true},
    {"logs zeroed", NULL, ZERO, 0, true},
    {"logs are garbage", NULL, GARBAGE, 0, true},
    {"logs cut early", NULL, CUT, 1, true},
    {"logs cut late", NULL, CUT, 9, true},
    {"a foreign file", "DB_CONFIG", GARBAGE, 0, true},
};

static void damage_file(const char *path, const struct damage *d)
{
	char *data = NULL;
	gsize len = 0;
	if (d->kind == REMOVE || d->kind == DIRECTORY) {
		unlink(path);
		if (d->kind == DIRECTORY)
			assert_int_equal(mkdir(path, 0700), 0);
		return;
	}
	if (!g_file_get_contents(path, &data, &len, NULL))
		data = g_malloc0(len = 10000);
	gsize page = (gsize)d->where * 4096;
	switch (d->kind) {
	case EMPTY:
		len = 0;
		break;
	case ZERO:
		memset(data, 0, len);
		break;
	case GARBAGE:
		for (gsize i = 0; i < len; i++)
			data[i] = (char)(i * 7919 >> 3);
		break;
	case CUT:
		len = len * (gsize)d->where / 100;
		break;
	case ZERO_PAGE:
		if (page + 4096 <= len)
			memset(data + page, 0, 4096);
		break;
	case FLIP:
		if (page + 4096 <= len)
			data[page + 2000] ^= 4;
		break;
	case REMOVE:
	case DIRECTORY:
		break;
	}
	assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
	g_free(data);
}

static void damage_store(struct world *w, const struct damage *d)
{
	GDir *dir = g_dir_open(w->db, 0, NULL);
	const char *name;
	if (d->file != NULL) {
		char *path = g_build_filename(w->db, d->file, NULL);
		damage_file(path, d);
		g_free(path);
	}
	while (d->file == NULL && (name = g_dir_read_name(dir)) != NULL)
		if (g_str_has_prefix(name, "log.")) {
			char *path = g_build_filename(w->db, name, NULL);
			damage_file(path, d);
			g_free(path);
		}
	g_dir_close(dir);
}

enum use { USED = 0, OPEN_TEMP, USE_CORRUPT, WRONG };

/* What a daemon does: open, rebuild, and use everything. */
static enum use use(struct world *w, const struct damage *d, const char *kept)
{
	struct err err = {.text = ""};
	void *data;
	size_t len;
	int64_t when;
	enum rc rc = world_try_open(w, &err);
	int failed = 0;
	if (rc != RC_OK) {
		fprintf(stderr, "%s: open: %s: %s\n", d->label, rc_name(rc), err.text);
		return rc == RC_TEMP || rc == RC_CORRUPT ? OPEN_TEMP : WRONG;
	}
	rc = store_rebuild(w->store, NULL, world_describe, NULL, NULL, &err);
	if (rc == RC_OK) {
		GString *text = g_string_new(NULL);
		rc = store_held_scan(w->store, NULL, dump_held, text, &err);
		if (rc == RC_OK && strcmp(text->str, kept) != 0)
			failed += unit_str("index", text->str, kept);
		g_string_free(text, TRUE);
	}
	/* m0021 and the ledger were committed long before the damage. */
	if (rc == RC_OK && d->keeps_known) {
		failed +=
		    unit_num("known", store_known_get(w->store, ann, "m0021", &when, &err), RC_OK);
		failed +=
		    unit_num("sent", store_sent_get(w->store, ann, "m0021", &when, &err), RC_OK);
		enum rc slot = store_slot_get(w->store, ann, &data, &len, &err);
		failed += unit_num("ledger", slot, RC_OK);
		if (slot == RC_OK)
			g_free(data);
	}
	if (rc == RC_OK)
		rc = store_begin(w->store, &err);
	for (int i = 0; rc == RC_OK && i < 120; i++) {
		char id[20];
		g_snprintf(id, sizeof(id), "m%04d", i);
		rc = store_known_put(w->store, ann, id, 1000, &err);
		if (rc == RC_OK)
			rc = store_sent_put(w->store, "bob@x.example", id, 1000, &err);
	}
	if (rc == RC_OK)
		rc = store_commit(w->store, &err);
	if (rc == RC_OK)
		rc = store_slot_put(w->store, ann, "new", 3, &err);
	if (rc == RC_OK)
		rc = store_known_expire(w->store, 50, 1000, &len, &err);
	if (rc == RC_OK)
		rc = store_checkpoint(w->store, &err);
	store_close(&w->store);
	if (rc != RC_OK)
		fprintf(stderr, "%s: use: %s: %s\n", d->label, rc_name(rc), err.text);
	return failed != 0 ? WRONG : rc == RC_OK ? USED : rc == RC_CORRUPT ? USE_CORRUPT : WRONG;
}

static int use_in_child(struct world *w, const struct damage *d, const char *kept)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		alarm(CHILD_SECONDS);
		_exit((int)use(w, d, kept));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static int try_damage(const struct damage *d, bool clean)
{
	struct world *w = world_new("maildir", "bdb");
	char *label = g_strdup_printf("%s, %s", d->label, clean ? "closed" : "not closed");
	int failed = 0, result;
	world_open(w);
	fill(w, 150);
	assert_int_equal(store_checkpoint(w->store, NULL), RC_OK);
	char *kept = dump_index(w);
	store_close(&w->store);
	if (!clean) {
		char *mark = g_build_filename(w->db, "clean", NULL);
		assert_int_equal(unlink(mark), 0);
		g_free(mark);
	}
	damage_store(w, d);
	/* A daemon is started again when it ends: the second or third start must be a good one. */
	int starts = 0;
	do
		result = use_in_child(w, d, kept);
	while ((result == OPEN_TEMP || result == USE_CORRUPT) && ++starts < 3);
	failed += unit_num(label, result, USED);
	g_free(kept);
	g_free(label);
	world_free(w);
	return failed;
}

static void test_damage(void **state)
{
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
		failed += try_damage(&damages[i], i % 4 == 0);
	}
	assert_int_equal(failed, 0);
}

/* ---- a full disk ---- */

static void fill_disk(const char *dir)
{
	char *path = g_build_filename(dir, "filler", NULL);
	char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	memset(block, 'f', sizeof(block));
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	g_free(path);
}

/* In a child with a mount namespace of its own, so that nothing stays mounted. */
static int disk_full(struct world *w)
{
	struct err err;
	int failed = 0, n = 0;
	enum rc rc;
	alarm(CHILD_SECONDS);
	w->config.db_path = g_build_filename(w->dir, "disk", "db", NULL);
	w->config.msg_path = g_build_filename(w->dir, "disk", "users", NULL);
	g_free(w->incoming);
	w->incoming = g_build_filename(w->dir, "disk", "incoming", NULL);
	char *disk = g_build_filename(w->dir, "disk", NULL);
	char *filler = g_build_filename(disk, "filler", NULL);
	mkdir(w->incoming, 0700);
	world_open(w);
	for (; n < 20; n++)
		failed += unit_num("change", change(w, n, &err), RC_OK);
	fill_disk(disk);
	/* Only the database: for want of room the file could not even be written. */
	char *big = g_strnfill(100000, 'b');
	for (int i = 0; i < 300; i++) {
		char user[40];
		g_snprintf(user, sizeof(user), "u%d@example.org", i);
		rc = store_slot_put(w->store, user, big, 100000, &err);
		if (rc != RC_OK)
			break;
	}
	failed += unit_num("it does get full", rc == RC_TEMP || rc == RC_CORRUPT, 1);
	failed += unit_num(err.text, strstr(err.text, "No space left") != NULL, 1);
	fprintf(stderr, "full: %s: %s\n", rc_name(rc), err.text);
	/* A transaction then: it is rolled back, and what was there can be read. */
	if (rc == RC_TEMP) {
		rc = store_begin(w->store, &err);
		for (int i = 0; i < 300 && rc == RC_OK; i++)
			rc = store_slot_put(w->store, ann, big, 100000, &err);
		if (rc == RC_OK)
			rc = store_commit(w->store, &err);
		else
			store_abort(w->store);
		failed += unit_num("full", rc == RC_TEMP || rc == RC_CORRUPT, 1);
		fprintf(stderr, "full: %s: %s\n", rc_name(rc), err.text);
		if (rc == RC_TEMP)
			failed += check_after(w, "read when full", n - 1);
	}
	g_free(big);
	store_close(&w->store);
	/* Opening on a full disk: it may work or not, but nothing may be set aside. */
	fill_disk(disk);
	rc = world_try_open(w, &err);
	fprintf(stderr, "open when full: %s %s\n", rc_name(rc), rc == RC_OK ? "" : err.text);
	failed += unit_num("open", rc == RC_OK || rc == RC_TEMP, 1);
	failed += unit_num("set aside", w->recovered, false);
	store_close(&w->store);
	unlink(filler);
	world_open(w);
	failed += unit_num("set aside", w->recovered, false);
	failed += unit_num("nothing lost", last_change(w), n - 1);
	failed += check_after(w, "nothing lost", n - 1);
	failed += unit_num("goes on", change(w, n, &err), RC_OK);
	store_close(&w->store);
	return failed;
}

static void test_disk_full(void **state)
{
	struct world *w = *state;
	int status;
	char *disk = g_build_filename(w->dir, "disk", NULL);
	assert_int_equal(mkdir(disk, 0700), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("tmpfs", disk, "tmpfs", 0, "size=10m") != 0)
			_exit(77);
		_exit(disk_full(w) == 0 ? 0 : 1);
	}
	g_free(disk);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("skipped: no permission to mount a small tmpfs\n");
		skip();
	}
	assert_int_equal(status, 0);
}

/* ---- trouble with the machine ---- */

/* No permission, a file in the way: said, and nothing is touched. */
static void test_machine_trouble(void **state)
{
	struct world *w = *state;
	struct err err;
	int failed = 0;
	g_file_set_contents(w->db, "a file", -1, NULL);
	failed += unit_num("a file", world_try_open(w, &err), RC_PERM);
	unlink(w->db);
	world_open(w);
	change(w, 0, NULL);
	store_close(&w->store);
	if (geteuid() == 0) {
		print_message("permissions are not tried: root may do everything\n");
	} else {
		assert_int_equal(chmod(w->db, 0500), 0);
		failed += unit_num("no permission", world_try_open(w, &err), RC_TEMP);
		assert_int_equal(chmod(w->db, 0), 0);
		failed += unit_num("no permission", world_try_open(w, &err), RC_TEMP);
		assert_int_equal(chmod(w->db, 0700), 0);
	}
	world_open(w);
	failed += unit_num("set aside", w->recovered, false);
	failed += check_after(w, "as before", 0);
	assert_int_equal(failed, 0);
}

/* ---- killed while a broken database is being replaced ---- */

static void test_killed_in_replace(void **state)
{
	static const char *const points[] = {
	    "store.replace.before_aside", "store.replace.between", "store.replace.after"};
	static const struct damage broken = {"cut", "pullyu.db", CUT, 60, false};
	int failed = 0;
	(void)state;
	need_hooks();
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
		struct world *w = world_new("maildir", "bdb");
		world_open(w);
		fill(w, 150);
		char *kept = dump_index(w);
		store_close(&w->store);
		damage_store(w, &broken);
		failed += killed_in_child(w, step_remove, points[i]);
		world_open(w);
		failed += unit_num(points[i], w->recovered, true);
		failed += unit_num(points[i],
		    store_rebuild(w->store, NULL, world_describe, NULL, NULL, NULL), RC_OK);
		failed += world_str(points[i], dump_index(w), kept);
		world_reopen(w);
		failed += unit_num(points[i], w->recovered, false);
		g_free(kept);
		world_free(w);
	}
	unsetenv("PULLYU_TEST_FAULT");
	assert_int_equal(failed, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_killed_at_step, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_failing_step, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_two_openers, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_rebuilt_equals_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_new_is_not_recovered, setup, teardown),
	    cmocka_unit_test(test_damage),
	    cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_machine_trouble, setup, teardown),
	    cmocka_unit_test(test_killed_in_replace),
	};
	world_use_memory();
	return cmocka_run_group_tests_name("store: crash", tests, NULL, NULL);
}
