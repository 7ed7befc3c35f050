/*
 * server.c: see server.h. A connection reads until it has a line, hands it over, and stops reading
 * until the answer is written; so a client that pipelines cannot make us remember its requests.
 */
#include <config.h>

#include "control/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib.h>

#include "base/clock.h"
#include "control/control.h"
#include "control/wire.h"

struct control_server {
	int sock;
	char *path;
	control_handler_fn *handler;
	void *ctx;
	guint source;
	GHashTable *connections; /* of struct connection, as a set; own */
};

struct connection {
	struct control_server *server; /* foreign */
	int sock;
	guint source; /* of the socket: reading or writing; 0 while a call is unanswered */
	guint idle;   /* the timer */
	int64_t used; /* monotonic ms of the last bytes that came */
	GString *in, *out;
	size_t written;
	int out_fd;
	struct control_call_in *call; /* foreign; NULL if none is unanswered */
};

struct control_call_in {
	struct connection *connection; /* foreign; NULL once the client is gone */
};

static void connection_free(void *data)
{
	struct connection *c = data;
	if (c->call != NULL)
		c->call->connection = NULL;
	if (c->source != 0)
		g_source_remove(c->source);
	if (c->idle != 0)
		g_source_remove(c->idle);
	if (c->out_fd >= 0)
		close(c->out_fd);
	close(c->sock);
	g_string_free(c->in, TRUE);
	g_string_free(c->out, TRUE);
	g_free(c);
}

static void connection_drop(struct connection *c)
{
	g_hash_table_remove(c->server->connections, c);
}

static gboolean on_idle(gpointer data)
{
	struct connection *c = data;
	if (c->call != NULL) /* it waits for us, not we for it */
		return G_SOURCE_CONTINUE;
	if (clock_mono_ms() - c->used < SERVER_IDLE_SECONDS * 1000)
		return G_SOURCE_CONTINUE;
	c->idle = 0;
	connection_drop(c);
	return G_SOURCE_REMOVE;
}

enum line { LINE_NONE, LINE_HANDED, LINE_TOO_LONG };

/* Hands the next whole line to the handler. After LINE_HANDED the connection may be gone: the
 * handler may have answered, and the client may have left. */
static enum line next_line(struct connection *c)
{
	char *end = memchr(c->in->str, '\n', c->in->len);
	if (end == NULL)
		return c->in->len < CONTROL_LINE_MAX ? LINE_NONE : LINE_TOO_LONG;
	json_error_t error;
	size_t len = (size_t)(end - c->in->str);
	json_t *request = json_loadb(c->in->str, len, JSON_REJECT_DUPLICATES, &error);
	g_string_erase(c->in, 0, (gssize)len + 1);
	struct control_call_in *call = g_new0(struct control_call_in, 1);
	call->connection = c;
	c->call = call;
	if (c->source != 0) {
		g_source_remove(c->source);
		c->source = 0;
	}
	if (!json_is_object(request)) {
		struct err err;
		err_set(&err, RC_PERM, "the request is not a JSON object");
		control_answer_rc(call, RC_PERM, &err);
	} else {
		c->server->handler(c->server->ctx, request, call);
	}
	json_decref(request);
	return LINE_HANDED;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct connection *c = data;
	char buffer[16384];
	int unwanted = -1;
	(void)condition;
	ssize_t n = wire_receive(fd, buffer, sizeof(buffer), &unwanted);
	if (unwanted >= 0)
		close(unwanted);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	enum line line = LINE_NONE;
	if (n > 0) {
		c->used = clock_mono_ms();
		g_string_append_len(c->in, buffer, n);
		line = next_line(c);
	}
	if (line == LINE_HANDED)
		return G_SOURCE_REMOVE; /* next_line removed this source */
	if (n > 0 && line == LINE_NONE)
		return G_SOURCE_CONTINUE;
	c->source = 0;
	connection_drop(c);
	return G_SOURCE_REMOVE;
}

static void start_reading(struct connection *c)
{
	c->source = g_unix_fd_add(c->sock, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, c);
}

/* Returns whether there is more to write; drops the connection on an error. */
static gboolean flush(struct connection *c, bool *dropped_out)
{
	*dropped_out = false;
	while (c->written < c->out->len) {
		ssize_t n = wire_send(
		    c->sock, c->out->str + c->written, c->out->len - c->written, c->out_fd);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return TRUE;
		if (n < 0) {
			*dropped_out = true;
			connection_drop(c);
			return FALSE;
		}
		if (c->out_fd >= 0) {
			close(c->out_fd);
			c->out_fd = -1;
		}
		c->written += (size_t)n;
	}
	g_string_truncate(c->out, 0);
	c->written = 0;
	return FALSE;
}

static gboolean on_answered(gpointer data)
{
	struct connection *c = data;
	c->source = 0;
	start_reading(c);
	if (next_line(c) == LINE_TOO_LONG)
		connection_drop(c);
	return G_SOURCE_REMOVE;
}

/* The answer is out: go on with what the client sent meanwhile, but from the main loop, so that a
 * long pipeline does not become deep recursion. */
static void resume(struct connection *c)
{
	c->source = g_idle_add(on_answered, c);
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct connection *c = data;
	bool dropped;
	(void)fd, (void)condition;
	guint source = c->source;
	c->source = 0; /* whatever happens, this source ends or is set again below */
	if (flush(c, &dropped)) {
		c->source = source;
		return G_SOURCE_CONTINUE;
	}
	if (!dropped)
		resume(c);
	return G_SOURCE_REMOVE;
}

void control_answer(struct control_call_in *call, json_t *reply, int fd)
{
	struct connection *c = call->connection;
	bool dropped;
	g_free(call);
	if (c == NULL) {
		json_decref(reply);
		if (fd >= 0)
			close(fd);
		return;
	}
	c->call = NULL;
	c->out_fd = fd;
	if (json_object_get(reply, "rc") == NULL)
		json_object_set_new(reply, "rc", json_string(rc_name(RC_OK)));
	char *text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	g_string_append(c->out,
	    text == NULL ? "{\"rc\":\"perm\",\"text\":\"the answer is not valid UTF-8\"}" : text);
	g_string_append_c(c->out, '\n');
	free(text);
	if (flush(c, &dropped))
		c->source = g_unix_fd_add(c->sock, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_writable, c);
	else if (!dropped)
		resume(c);
}

void control_answer_rc(struct control_call_in *call, enum rc rc, const struct err *err)
{
	json_t *reply = json_object();
	json_object_set_new(reply, "rc", json_string(rc_name(rc)));
	if (rc != RC_OK && err != NULL)
		json_object_set_new(reply, "text", json_string(err->text));
	control_answer(call, reply, -1);
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data)
{
	struct control_server *server = data;
	(void)condition;
	int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (sock < 0)
		return G_SOURCE_CONTINUE;
	if (g_hash_table_size(server->connections) >= SERVER_CONNECTIONS_MAX) {
		close(sock); /* the milter then lets its message pass */
		return G_SOURCE_CONTINUE;
	}
	struct connection *c = g_new0(struct connection, 1);
	c->server = server;
	c->sock = sock;
	c->out_fd = -1;
	c->used = clock_mono_ms();
	c->in = g_string_new(NULL);
	c->out = g_string_new(NULL);
	g_hash_table_add(server->connections, c);
	c->idle = g_timeout_add_seconds(SERVER_IDLE_SECONDS, on_idle, c);
	start_reading(c);
	return G_SOURCE_CONTINUE;
}

/* Makes room for bind: removes a socket that nobody listens on, and nothing else. */
static enum rc clear_stale(const char *path, const struct sockaddr_un *address, struct err *err)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return RC_OK;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, RC_PERM, "%s is in the way and is not a socket", path);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_errno(err, RC_TEMP, "socket");
	int live = connect(sock, (const struct sockaddr *)address, sizeof(*address)) == 0;
	close(sock);
	if (live)
		return err_set(err, RC_PERM, "another pullyud listens at %s", path);
	if (unlink(path) != 0)
		return err_errno(err, RC_PERM, "%s", path);
	return RC_OK;
}

enum rc control_server_new(const char *path, mode_t mode, control_handler_fn *handler, void *ctx,
    struct control_server **server_out, struct err *err)
{
	struct sockaddr_un address;
	enum rc rc = wire_address(path, &address, err);
	if (rc == RC_OK)
		rc = clear_stale(path, &address, err);
	if (rc != RC_OK)
		return rc;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return err_errno(err, RC_TEMP, "socket");
	/* The mode is right from the first moment on: the umask covers the time before chmod. */
	mode_t old = umask(0177);
	int bound = bind(sock, (struct sockaddr *)&address, sizeof(address));
	umask(old);
	if (bound != 0 || chmod(path, mode) != 0 || listen(sock, 512) != 0) {
		rc = err_errno(err, RC_PERM, "%s", path);
		close(sock);
		return rc;
	}
	struct control_server *server = g_new0(struct control_server, 1);
	server->sock = sock;
	server->path = g_strdup(path);
	server->handler = handler;
	server->ctx = ctx;
	server->connections =
	    g_hash_table_new_full(g_direct_hash, g_direct_equal, connection_free, NULL);
	server->source = g_unix_fd_add(sock, G_IO_IN, on_connection, server);
	*server_out = server;
	return RC_OK;
}

void control_server_free(struct control_server **server)
{
	struct control_server *s = *server;
	if (s == NULL)
		return;
	g_source_remove(s->source);
	g_hash_table_destroy(s->connections);
	close(s->sock);
	unlink(s->path);
	g_free(s->path);
	g_free(s);
	*server = NULL;
}
