/*
 * test_control.c: the control socket: requests, descriptors, late and missing answers, rubbish.
 * The server runs on the main loop of a thread of its own, as in pullyud.
 */
#include <config.h>

#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "control/control.h"
#include "control/server.h"
#include "control/wire.h"

static char dir[] = "/tmp/pullyu-test-XXXXXX";
static char path[64];
static GMainLoop *loop;
static struct control_server *server;
static pthread_t thread;
static struct control_call_in *forgotten;

static gboolean quit(gpointer data)
{
	(void)data;
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static gboolean answer_late(gpointer data)
{
	control_answer(data, json_pack("{s:s}", "was", "late"), -1);
	return G_SOURCE_REMOVE;
}

static void handler(void *ctx, json_t *request, struct control_call_in *call)
{
	const char *op = json_string_value(json_object_get(request, "op"));
	struct err err;
	(void)ctx;
	if (op == NULL)
		control_answer_rc(call, RC_PERM, (err_set(&err, RC_PERM, "no op"), &err));
	else if (strcmp(op, "echo") == 0)
		control_answer(call, json_deep_copy(request), -1);
	else if (strcmp(op, "fd") == 0)
		control_answer(call, json_object(), open("/dev/zero", O_RDONLY | O_CLOEXEC));
	else if (strcmp(op, "late") == 0)
		g_timeout_add(50, answer_late, call);
	else if (strcmp(op, "never") == 0)
		forgotten = call;
	else
		control_answer_rc(call, RC_NOTFOUND, (err_set(&err, RC_PERM, "no such op"), &err));
}

static void *run(void *data)
{
	(void)data;
	g_main_loop_run(loop);
	return NULL;
}

static int setup(void **state)
{
	struct err err;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	loop = g_main_loop_new(NULL, FALSE);
	if (control_server_new(path, 0600, handler, NULL, &server, &err) != RC_OK)
		fail_msg("%s", err.text);
	return pthread_create(&thread, NULL, run, NULL);
}

static int teardown(void **state)
{
	struct stat st;
	(void)state;
	g_idle_add(quit, NULL);
	pthread_join(thread, NULL);
	control_server_free(&server);
	assert_int_equal(stat(path, &st), -1);
	if (forgotten != NULL)
		control_answer(
		    forgotten, json_object(), -1); /* after its client: must be harmless */
	g_main_loop_unref(loop);
	return rmdir(dir);
}

static enum rc call(const char *op, int64_t timeout, json_t **reply, int *fd, struct err *err)
{
	json_t *request = json_pack("{s:s}", "op", op);
	enum rc rc = control_call(path, request, timeout, reply, fd, err);
	json_decref(request);
	return rc;
}

static void test_calls(void **state)
{
	json_t *reply = NULL;
	struct err err;
	int fd = -1;
	char byte = 'x';
	struct stat st;
	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(call("echo", 5000, &reply, NULL, &err), RC_OK);
	assert_string_equal(json_string_value(json_object_get(reply, "op")), "echo");
	json_decref(reply);
	assert_int_equal(call("late", 5000, &reply, NULL, &err), RC_OK);
	assert_string_equal(json_string_value(json_object_get(reply, "was")), "late");
	json_decref(reply);
	assert_int_equal(call("fd", 5000, NULL, &fd, &err), RC_OK);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 0);
	close(fd);
	assert_int_equal(call("fd", 5000, NULL, NULL, &err), RC_OK);
	assert_int_equal(call("nonsense", 5000, NULL, NULL, &err), RC_NOTFOUND);
	assert_string_equal(err.text, "no such op");
	assert_int_equal(call("never", 100, NULL, NULL, &err), RC_TEMP);
}

static void test_nobody(void **state)
{
	struct err err;
	json_t *request = json_object();
	(void)state;
	assert_int_equal(
	    control_call("/nonexistent/sock", request, 100, NULL, NULL, &err), RC_TEMP);
	char longer[300];
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(control_call(longer, request, 100, NULL, NULL, &err), RC_PERM);
	json_decref(request);
}

static int raw(void)
{
	struct sockaddr_un address;
	assert_int_equal(wire_address(path, &address, NULL), RC_OK);
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	return sock;
}

/* Everything that comes until the other end closes or n lines are there. */
static char *lines(int sock, int n)
{
	GString *all = g_string_new(NULL);
	char byte;
	while (n > 0 && read(sock, &byte, 1) == 1) {
		g_string_append_c(all, byte);
		n -= byte == '\n';
	}
	return g_string_free(all, FALSE);
}

static void test_rubbish(void **state)
{
	static const char *const rows[] = {"\n", "nonsense\n", "[1]\n", "{\"op\":1}\n",
	    "{\"op\":\"echo\",\"op\":\"echo\"}\n", "\xff\xfe\n", "{\"op\":\"\\u0000\"}\n"};
	int failed = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int sock = raw();
		assert_true(write(sock, rows[i], strlen(rows[i])) > 0);
		char *got = lines(sock, 1);
		failed += unit_num(rows[i], strncmp(got, "{\"rc\":\"perm\"", 12), 0);
		g_free(got);
		close(sock);
	}
	assert_int_equal(failed, 0);
}

static void test_pipeline(void **state)
{
	(void)state;
	int sock = raw();
	GString *out = g_string_new(NULL);
	for (int i = 0; i < 500; i++)
		g_string_append(out, "{\"op\":\"echo\"}\n");
	g_string_append(out, "{\"op\":\"late\"}\n{\"op\":\"echo\"}\n");
	assert_int_equal(write(sock, out->str, out->len), out->len);
	char *got = lines(sock, 502);
	char **split = g_strsplit(got, "\n", -1);
	assert_int_equal(g_strv_length(split), 503);
	assert_non_null(strstr(split[500], "late"));
	assert_non_null(strstr(split[501], "echo"));
	g_strfreev(split);
	g_free(got);
	g_string_free(out, TRUE);
	close(sock);
}

static void test_too_long(void **state)
{
	static char block[65536];
	(void)state;
	memset(block, 'x', sizeof(block));
	int sock = raw();
	ssize_t sent = 0, n;
	while ((n = send(sock, block, sizeof(block), MSG_NOSIGNAL)) > 0)
		sent += n;
	/* The server drops the connection instead of remembering. */
	assert_true(sent < 4 * CONTROL_LINE_MAX);
	close(sock);
}

static void test_second_server(void **state)
{
	struct control_server *other = NULL;
	struct err err;
	char file[80];
	(void)state;
	assert_int_equal(control_server_new(path, 0600, handler, NULL, &other, &err), RC_PERM);
	assert_non_null(strstr(err.text, "another pullyud"));
	snprintf(file, sizeof(file), "%s/file", dir);
	int fd = open(file, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(control_server_new(file, 0600, handler, NULL, &other, &err), RC_PERM);
	assert_int_equal(unlink(file), 0);
	/* A socket that nobody listens on is replaced. */
	struct sockaddr_un address;
	wire_address(file, &address, NULL);
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	close(sock);
	assert_int_equal(control_server_new(file, 0600, handler, NULL, &other, &err), RC_OK);
	control_server_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_calls),
	    cmocka_unit_test(test_nobody),
	    cmocka_unit_test(test_rubbish),
	    cmocka_unit_test(test_pipeline),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_second_server),
	};
	return cmocka_run_group_tests_name("control", tests, setup, teardown);
}
