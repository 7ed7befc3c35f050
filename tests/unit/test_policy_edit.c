/*
 * test_policy_edit.c: edits of a user's files: two writers, an editor that saves meanwhile, a crash
 * at every step, and what is refused.
 */
#include <config.h>

#include "policy/user_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "policy/list.h"
#include "policy/user_file.h"
#include "unit.h"

enum { MAX = 100000, ENTRIES = 500 };

static char *top, *path;

static int set_up(void **state)
{
	(void)state;
	top = g_dir_make_tmp("pullyu-edit-XXXXXX", NULL);
	path = g_build_filename(top, "hold", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	char *command = g_strdup_printf("rm -rf -- '%s'", top);
	assert_int_equal(system(command), 0);
	g_free(command);
	g_free(path);
	g_free(top);
	return 0;
}

static void put(const char *text)
{
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* "(none)" if there is no file. */
static char *contents(void)
{
	char *text = NULL;
	return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("(none)");
}

static int check_contents(const char *label, const char *want)
{
	char *got = contents();
	int failed = unit_str(label, got, want);
	g_free(got);
	return failed;
}

static size_t count_files(void)
{
	size_t n = 0;
	GDir *dir = g_dir_open(top, 0, NULL);
	while (g_dir_read_name(dir) != NULL)
		n++;
	g_dir_close(dir);
	return n;
}

static enum rc append(void *ctx, const char *old, char **new_out, struct err *err)
{
	(void)err;
	*new_out = g_strconcat(old, (const char *)ctx, NULL);
	return RC_OK;
}

static enum rc edit_path(const char *file, int64_t owner, user_edit_fn *fn, const void *ctx,
    bool *changed, struct err *err)
{
	return user_file_edit(file, MAX, owner, fn, (void *)(uintptr_t)ctx, changed, err);
}

static enum rc edit(user_edit_fn *fn, const void *ctx, bool *changed, struct err *err)
{
	return edit_path(path, USER_FILE_NO_OWNER, fn, ctx, changed, err);
}

static enum rc keep(void *ctx, const char *old, char **new_out, struct err *err)
{
	(void)err;
	*new_out = ctx == NULL ? NULL : g_strdup(old);
	return RC_OK;
}

static enum rc refuse(void *ctx, const char *old, char **new_out, struct err *err)
{
	(void)old;
	*new_out = g_strdup("half");
	return err_set(err, RC_PERM, "%s", (const char *)ctx);
}

static void test_plain(void **state)
{
	struct stat st;
	struct err err = {""};
	bool changed = false;
	int failed = 0;
	(void)state;
	failed += unit_num("new", edit(append, "a@b.org\n", &changed, &err), RC_OK);
	failed += unit_num("new", changed, true);
	failed += check_contents("new", "a@b.org\n");
	assert_int_equal(stat(path, &st), 0);
	failed += unit_num("mode", st.st_mode & 07777, 0640);
	assert_int_equal(chmod(path, 0604), 0);
	failed += unit_num("more", edit(append, "# x\n", &changed, &err), RC_OK);
	failed += check_contents("more", "a@b.org\n# x\n");
	assert_int_equal(stat(path, &st), 0);
	failed += unit_num("mode stays", st.st_mode & 07777, 0604);
	ino_t inode = st.st_ino;
	failed += unit_num("nothing", edit(keep, NULL, &changed, &err), RC_OK);
	failed += unit_num("nothing", changed, false);
	failed += unit_num("the same", edit(keep, "", &changed, &err), RC_OK);
	failed += unit_num("the same", changed, false);
	assert_int_equal(stat(path, &st), 0);
	failed += unit_num("not touched", st.st_ino == inode, true);
	failed += unit_num("refused", edit(refuse, "no entry", &changed, &err), RC_PERM);
	failed += unit_str("refused", err.text, "no entry");
	failed += check_contents("refused", "a@b.org\n# x\n");
	failed += unit_num("nothing is left", (long long)count_files(), 1);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 0, 12), 0);
		failed += unit_num("owner", edit(append, "y\n", &changed, &err), RC_OK);
		assert_int_equal(stat(path, &st), 0);
		failed += unit_num("owner", st.st_gid, 12);
		assert_int_equal(chown(path, 12345, 12), 0);
		failed += unit_num("stranger", edit(append, "y\n", &changed, &err), RC_PERM);
		failed += unit_num(
		    "his own", edit_path(path, 12345, append, "z\n", &changed, &err), RC_OK);
		assert_int_equal(stat(path, &st), 0);
		failed += unit_num("his own", st.st_uid, 12345);
	}
	assert_int_equal(failed, 0);
}

static void test_refused(void **state)
{
	struct err err = {""};
	bool changed = false;
	int failed = 0;
	char *text = g_strnfill(MAX, 'x'), *other = g_build_filename(top, "other", NULL);
	char *want;
	(void)state;
	put(text);
	failed += unit_num("too large after", edit(append, "y", &changed, &err), RC_PERM);
	want = g_strdup_printf("%s: would be larger than %d bytes", path, MAX);
	failed += unit_str("too large after", err.text, want);
	g_free(want);
	assert_true(g_file_set_contents(path, "a@b.org\n\0c@d.org\n", 17, NULL));
	failed += unit_num("NUL", edit(append, "y", &changed, &err), RC_PERM);
	want = g_strdup_printf("%s: holds NUL bytes: not a text file", path);
	failed += unit_str("NUL", err.text, want);
	g_free(want);
	put("x\n");
	assert_int_equal(chmod(path, 0666), 0);
	failed += unit_num("everybody's", edit(append, "y", &changed, &err), RC_PERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	failed += unit_num("a link", edit(append, "y", &changed, &err), RC_PERM);
	failed += unit_num("not followed", access(other, F_OK), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	failed += unit_num("a FIFO", edit(append, "y", &changed, &err), RC_PERM);
	assert_int_equal(unlink(path), 0);
	/* What lies at the temporary name is replaced, and a link there is not followed. */
	char *temporary = g_build_filename(top, ".hold.new", NULL);
	assert_int_equal(symlink(other, temporary), 0);
	failed += unit_num("stale", edit(append, "y", &changed, &err), RC_OK);
	failed += unit_num("not followed", access(other, F_OK), -1);
	failed += check_contents("stale", "y");
	failed += unit_num("nothing is left", (long long)count_files(), 1);
	g_free(temporary);
	g_free(other);
	g_free(text);
	assert_int_equal(failed, 0);
}

static void test_directory(void **state)
{
	struct err err = {""};
	bool changed = true;
	int failed = 0;
	char *deep = g_build_filename(top, "a", "b", "allow", NULL);
	char *a = g_build_filename(top, "a", NULL);
	(void)state;
	failed += unit_num("nothing to write",
	    edit_path(deep, USER_FILE_NO_OWNER, keep, NULL, &changed, &err), RC_OK);
	failed += unit_num("nothing to write", changed, false);
	failed += unit_num("no directory for it", access(a, F_OK), -1);
	failed += unit_num(
	    "made", edit_path(deep, USER_FILE_NO_OWNER, append, "x\n", &changed, &err), RC_OK);
	failed += unit_num("made", changed, true);
	failed += unit_num("made", access(deep, R_OK), 0);
	g_free(a);
	g_free(deep);
	assert_int_equal(failed, 0);
}

/* An editor that saves while fn thinks, in three ways; the first `left` times. */
struct editor {
	int left, calls;
	enum { IN_PLACE, RENAMED, REMOVED } how;
};

static enum rc interfere(void *ctx, const char *old, char **new_out, struct err *err)
{
	struct editor *editor = ctx;
	(void)err;
	editor->calls++;
	*new_out = g_strconcat(old, "ours\n", NULL);
	if (editor->left-- <= 0)
		return RC_OK;
	if (editor->how == REMOVED) {
		assert_int_equal(unlink(path), 0);
	} else if (editor->how == RENAMED) {
		char *theirs = g_strconcat(old, "theirs\n", NULL);
		put(theirs);
		g_free(theirs);
	} else {
		/* As many bytes as before, and the same file: the time stamp may be, too. */
		int fd = open(path, O_WRONLY);
		assert_int_equal(pwrite(fd, "T", 1, 0), 1);
		close(fd);
	}
	return RC_OK;
}

static void test_editor(void **state)
{
	static const struct {
		const char *label;
		struct editor editor;
		enum rc want;
		int want_calls;
		const char *want_text;
	} rows[] = {
	    {"in place", {1, 0, IN_PLACE}, RC_OK, 2, "Text\nours\n"},
	    {"renamed", {1, 0, RENAMED}, RC_OK, 2, "text\ntheirs\nours\n"},
	    {"removed", {1, 0, REMOVED}, RC_OK, 2, "ours\n"},
	    {"twice", {2, 0, RENAMED}, RC_OK, 3, "text\ntheirs\ntheirs\nours\n"},
	    {"always", {100, 0, RENAMED}, RC_TEMP, 5,
		"text\ntheirs\ntheirs\ntheirs\ntheirs\ntheirs\n"},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct editor editor = rows[i].editor;
		struct err err = {""};
		bool changed = false;
		put("text\n");
		failed +=
		    unit_num(rows[i].label, edit(interfere, &editor, &changed, &err), rows[i].want);
		failed += unit_num(rows[i].label, editor.calls, rows[i].want_calls);
		failed += check_contents(rows[i].label, rows[i].want_text);
		failed += unit_num("nothing is left", (long long)count_files(), 1);
	}
	assert_int_equal(failed, 0);
}

static void test_lock(void **state)
{
	struct err err = {""};
	bool changed = false;
	(void)state;
	int fd = open(top, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	int64_t start = clock_mono_ms();
	assert_int_equal(edit(append, "x", &changed, &err), RC_TEMP);
	assert_non_null(strstr(err.text, "another program is editing"));
	assert_in_range(clock_mono_ms() - start, 950, 10000);
	close(fd);
	assert_int_equal(edit(append, "x", &changed, &err), RC_OK);
}

/* ---- two processes ---- */

static enum rc add_entry(void *ctx, const char *old, char **new_out, struct err *err)
{
	bool unused;
	return list_edit(LIST_HOLD, old, ctx, LIST_ADD, new_out, &unused, err);
}

static void write_entries(char who, int n)
{
	for (int i = 0; i < n; i++) {
		char entry[40];
		bool changed = false;
		struct err err;
		snprintf(entry, sizeof(entry), "%c%d@b.org", who, i);
		if (edit(add_entry, entry, &changed, &err) != RC_OK || !changed) {
			fprintf(stderr, "%s: %s\n", entry, err.text);
			_exit(1);
		}
	}
	_exit(0);
}

/* Two processes, each with n entries of its own. */
static int run_writers(int n)
{
	pid_t pids[2];
	int failed = 0;
	put("# first\nold@b.org   # a friend\n\n# last\n");
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			write_entries((char)('x' + i), n);
	}
	for (int i = 0; i < 2; i++) {
		int status = -1;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		failed += unit_num("writer", status, 0);
	}
	char *text = contents();
	char **lines = g_strsplit(text, "\n", -1);
	int next[2] = {0, 0};
	failed += unit_num("what was there stays in front",
	    g_str_has_prefix(text, "# first\nold@b.org   # a friend\n\n# last\n"), true);
	/* Each writer's entries in his order, whatever came between. */
	for (char **line = lines + 4; *line != NULL && **line != '\0'; line++) {
		char want[40];
		int who = **line == 'x' ? 0 : 1;
		snprintf(want, sizeof(want), "%c%d@b.org", 'x' + who, next[who]++);
		failed += unit_str("order", *line, want);
	}
	failed += unit_num("the first's", next[0], n);
	failed += unit_num("the second's", next[1], n);
	failed += unit_num("nothing is left", (long long)count_files(), 1);
	g_strfreev(lines);
	g_free(text);
	return failed;
}

static void test_two_writers(void **state)
{
	(void)state;
	assert_int_equal(run_writers(ENTRIES), 0);
}

/* ---- crashes ---- */

#ifdef PULLYU_TEST_HOOKS
static void arm(const char *fault)
{
	static char *file;
	if (file == NULL) {
		file = g_strdup_printf("%s/pullyu-fault-%ld", g_get_tmp_dir(), (long)getpid());
		setenv("PULLYU_TEST_FAULT", file, 1);
	}
	if (fault == NULL) {
		unlink(file);
		unsetenv("PULLYU_TEST_FAULT");
		g_free(file);
		file = NULL;
	} else {
		assert_true(g_file_set_contents(file, fault, -1, NULL));
	}
}

/* On a slow disk, where the lock is held nearly all the time, none keeps it from the other. */
static void test_slow_writers(void **state)
{
	(void)state;
	arm("edit.written slow\n");
	assert_int_equal(run_writers(15), 0);
	arm(NULL);
}

static void test_crash(void **state)
{
	static const struct {
		const char *fault, *want;
		bool killed; /* or it fails */
	} rows[] = {
	    {"edit.fsync kill\n", "old\n", true},
	    {"edit.written kill\n", "old\n", true},
	    {"edit.renamed kill\n", "old\nnew\n", true},
	    {"edit.fsync fail\n", "old\n", false},
	    {"edit.written fail\n", "old\n", false},
	    {"edit.renamed fail\n", "old\nnew\n", false},
	};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct err err = {""};
		bool changed = false;
		int status = 0;
		put("old\n");
		arm(rows[i].fault);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(edit(append, "new\n", &changed, &err) == RC_TEMP ? 3 : 4);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (rows[i].killed)
			failed += unit_num(rows[i].fault,
			    WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, true);
		else
			failed += unit_num(
			    rows[i].fault, WIFEXITED(status) ? WEXITSTATUS(status) : -1, 3);
		failed += check_contents(rows[i].fault, rows[i].want);
		arm(NULL);
		/* Nothing stands in the way of the next edit, and nothing stays behind. */
		failed += unit_num("the next", edit(append, "more\n", &changed, &err), RC_OK);
		char *want = g_strconcat(rows[i].want, "more\n", NULL);
		failed += check_contents("the next", want);
		failed += unit_num("nothing is left", (long long)count_files(), 1);
		g_free(want);
	}
	assert_int_equal(failed, 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_directory, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_editor, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_two_writers, set_up, tear_down),
#ifdef PULLYU_TEST_HOOKS
	    cmocka_unit_test_setup_teardown(test_slow_writers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_crash, set_up, tear_down),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
