/*
 * test_worker.c: jobs in processes of their own: results, deaths, deadlines, limits, and that
 * nothing of it outlives its owner.
 */
#include <config.h>

#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "daemon/worker.h"

/* In the worker. */
static json_t *run_job(json_t *job)
{
	const char *kind = json_string_value(json_object_get(job, "kind"));
	if (strcmp(kind, "echo") == 0)
		return json_incref(job);
	if (strcmp(kind, "pid") == 0)
		return json_pack("{s:i}", "pid", (int)getpid());
	if (strcmp(kind, "die") == 0)
		raise(SIGKILL);
	if (strcmp(kind, "sleep") == 0)
		sleep(1000);
	if (strcmp(kind, "spin") == 0)
		for (volatile unsigned n = 0;; n++)
			continue;
	if (strcmp(kind, "flood") == 0) {
		char *text = g_strnfill(1 << 20, 'x');
		json_t *result = json_pack("{s:s}", "text", text);
		g_free(text);
		return result;
	}
	return NULL;
}

struct run {
	GMainLoop *loop;
	unsigned pending, ok, failed, not_made;
	int pid;
};

static void done(void *ctx, json_t *result)
{
	struct run *r = ctx;
	const char *rc = json_string_value(json_object_get(result, "rc"));
	if (result == NULL)
		r->failed++;
	else if (rc != NULL && strcmp(rc, "temp") == 0)
		r->not_made++;
	else
		r->ok++;
	if (json_object_get(result, "pid") != NULL)
		r->pid = (int)json_integer_value(json_object_get(result, "pid"));
	if (--r->pending == 0)
		g_main_loop_quit(r->loop);
}

static int setup(void **state)
{
	struct workers *workers = NULL;
	struct err err;
	if (workers_start(run_job, &workers, &err) != RC_OK)
		return -1;
	*state = workers;
	return 0;
}

static int teardown(void **state)
{
	struct workers *workers = *state;
	workers_stop(&workers);
	while (waitpid(-1, NULL, 0) > 0) /* the forker */
		continue;
	return 0;
}

static struct run run(struct workers *workers, const char *kind, unsigned n, unsigned seconds)
{
	struct run r = {.loop = g_main_loop_new(NULL, FALSE), .pending = n};
	for (unsigned i = 0; i < n; i++)
		workers_run(workers, json_pack("{s:s}", "kind", kind), seconds, done, &r);
	g_main_loop_run(r.loop);
	g_main_loop_unref(r.loop);
	assert_true(workers_idle(workers));
	return r;
}

static void test_results(void **state)
{
	struct run r = run(*state, "echo", 200, 60);
	assert_int_equal(r.ok, 200);
	r = run(*state, "pid", 1, 60);
	assert_int_not_equal(r.pid, 0);
	assert_int_not_equal(r.pid, getpid());
}

static void test_large_job(void **state)
{
	struct run r = {.loop = g_main_loop_new(NULL, FALSE), .pending = 1};
	char *text = g_strnfill(8 << 20, 'x');
	workers_run(*state, json_pack("{s:s,s:s}", "kind", "pid", "text", text), 60, done, &r);
	g_free(text);
	g_main_loop_run(r.loop);
	g_main_loop_unref(r.loop);
	assert_int_equal(r.ok, 1);
}

static void test_failures(void **state)
{
	static const char *const kinds[] = {"die", "flood", "none of these"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct run r = run(*state, kinds[i], 3, 60);
		assert_int_equal(r.failed, 3);
	}
	struct run r = run(*state, "echo", 1, 60);
	assert_int_equal(r.ok, 1);
}

static void test_deadline(void **state)
{
	struct run r = run(*state, "sleep", 2, 1);
	assert_int_equal(r.failed, 2);
	r = run(*state, "spin", 1, 1);
	assert_int_equal(r.failed, 1);
}

static void test_too_many(void **state)
{
	/* More than may wait: some are refused, all are answered. */
	struct run r = run(*state, "echo", WORKERS_WAITING_MAX + 40, 60);
	assert_int_equal(r.ok + r.not_made, WORKERS_WAITING_MAX + 40);
	assert_true(r.not_made >= 1);
}

/* No descriptor to be had: nobody died, and a later job is done. */
static void test_no_descriptor(void **state)
{
	struct rlimit was;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	struct run r = {.loop = g_main_loop_new(NULL, FALSE), .pending = 1};
	struct rlimit none = {.rlim_cur = 3, .rlim_max = was.rlim_max};
	workers_run(*state, json_pack("{s:s}", "kind", "echo"), 60, done, &r);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	while (r.pending > 0)
		g_main_context_iteration(NULL, TRUE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	g_main_loop_unref(r.loop);
	assert_int_equal(r.not_made, 1);
	r = run(*state, "echo", 1, 60);
	assert_int_equal(r.ok, 1);
}

static void quick_done(void *ctx, json_t *result)
{
	struct run *r = ctx;
	r->failed += result == NULL;
}

/* Stopping answers what is under way, and no worker lives on. */
static void test_stop(void **state)
{
	struct workers *workers = NULL;
	struct run r = {.loop = NULL};
	struct run p = {.loop = g_main_loop_new(NULL, FALSE), .pending = 1};
	(void)state;
	assert_int_equal(workers_start(run_job, &workers, NULL), RC_OK);
	workers_run(workers, json_pack("{s:s}", "kind", "sleep"), 60, quick_done, &r);
	workers_run(workers, json_pack("{s:s}", "kind", "pid"), 60, done, &p);
	g_main_loop_run(p.loop);
	g_main_loop_unref(p.loop);
	workers_stop(&workers);
	assert_int_equal(r.failed, 1);
}

/* The owner is killed: forker and workers must not outlive it. Their end closes the pipe. */
static void test_owner_killed(void **state)
{
	int pipe_fds[2];
	char byte;
	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct workers *workers = NULL;
		struct run r = {.loop = g_main_loop_new(NULL, FALSE), .pending = 1};
		close(pipe_fds[0]);
		if (workers_start(run_job, &workers, NULL) != RC_OK)
			_exit(1);
		workers_run(workers, json_pack("{s:s}", "kind", "sleep"), 600, quick_done, &r);
		workers_run(workers, json_pack("{s:s}", "kind", "pid"), 60, done, &r);
		g_main_loop_run(r.loop);
		raise(SIGKILL);
	}
	close(pipe_fds[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	alarm(60); /* the test hangs otherwise if it fails */
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0);
	alarm(0);
	close(pipe_fds[0]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_results), T(test_large_job), T(test_failures),
	    T(test_deadline), T(test_too_many), T(test_no_descriptor), cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_owner_killed)};
	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
