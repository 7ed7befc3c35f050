/*
 * client.c: one request, one reply, one deadline. See control.h.
 */
#include <config.h>

#include "control/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "control/wire.h"

/* Waits until sock is ready for the events. RC_TEMP at the deadline. */
static enum rc wait_for(int sock, short events, int64_t deadline, struct err *err)
{
	for (;;) {
		int64_t left = deadline - clock_mono_ms();
		struct pollfd p = {.fd = sock, .events = events};
		if (left <= 0)
			return err_set(err, RC_TEMP, "pullyud did not answer in time");
		int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return RC_OK;
		if (n < 0 && errno != EINTR)
			return err_errno(err, RC_TEMP, "poll");
	}
}

static enum rc send_all(int sock, const char *data, size_t len, int64_t deadline, struct err *err)
{
	while (len > 0) {
		ssize_t n = wire_send(sock, data, len, -1);
		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_errno(err, RC_TEMP, "pullyud's socket");
		enum rc rc = wait_for(sock, POLLOUT, deadline, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* Reads up to the first newline; what follows it would be a second reply, which nobody asked. */
static enum rc receive_line(int sock, GString *line, int *fd_out, int64_t deadline, struct err *err)
{
	char buffer[16384];
	for (;;) {
		enum rc rc = wait_for(sock, POLLIN, deadline, err);
		if (rc != RC_OK)
			return rc;
		ssize_t n = wire_receive(sock, buffer, sizeof(buffer), fd_out);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_errno(err, RC_TEMP, "pullyud's socket");
		if (n == 0)
			return err_set(err, RC_TEMP, "pullyud closed the connection");
		char *end = memchr(buffer, '\n', (size_t)n);
		g_string_append_len(line, buffer, end == NULL ? n : end - buffer);
		if (end != NULL)
			return RC_OK;
		if (line->len > CONTROL_REPLY_MAX)
			return err_set(err, RC_TEMP, "pullyud's reply is too long");
	}
}

static enum rc connect_to(const char *path, int64_t deadline, int *sock_out, struct err *err)
{
	struct sockaddr_un address;
	enum rc rc = wire_address(path, &address, err);
	if (rc != RC_OK)
		return rc;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return err_errno(err, RC_TEMP, "socket");
	/* EAGAIN: the listener's queue is full. There is nothing to poll for, so try again soon. */
	while (connect(sock, (struct sockaddr *)&address, sizeof(address)) != 0) {
		if (errno == EAGAIN && clock_mono_ms() < deadline) {
			poll(NULL, 0, 5);
			continue;
		}
		if (errno == EINTR)
			continue;
		rc = err_errno(err, RC_TEMP, "pullyud does not answer at %s", path);
		close(sock);
		return rc;
	}
	*sock_out = sock;
	return RC_OK;
}

static enum rc rc_of_reply(json_t *reply, struct err *err)
{
	const char *name = json_string_value(json_object_get(reply, "rc"));
	const char *text = json_string_value(json_object_get(reply, "text"));
	for (int rc = RC_OK; name != NULL && rc <= (int)RC_CORRUPT; rc++) {
		if (strcmp(name, rc_name((enum rc)rc)) != 0)
			continue;
		if (rc != (int)RC_OK)
			err_set(err, (enum rc)rc, "%s", text == NULL ? name : text);
		return (enum rc)rc;
	}
	return err_set(err, RC_TEMP, "pullyud's reply makes no sense");
}

static enum rc exchange(int sock, const char *request, size_t len, int64_t deadline,
    json_t **reply_out, int *fd_out, struct err *err)
{
	GString *line = g_string_new(NULL);
	json_t *reply = NULL;
	enum rc rc = send_all(sock, request, len, deadline, err);
	if (rc == RC_OK)
		rc = receive_line(sock, line, fd_out, deadline, err);
	if (rc != RC_OK)
		goto out;
	reply = json_loadb(line->str, line->len, 0, NULL);
	rc = rc_of_reply(reply, err);
	if (rc == RC_OK && reply_out != NULL) {
		*reply_out = reply;
		reply = NULL;
	}
out:
	json_decref(reply);
	g_string_free(line, TRUE);
	return rc;
}

enum rc control_call(const char *path, json_t *request, int64_t timeout_ms, json_t **reply_out,
    int *fd_out, struct err *err)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	int sock = -1, fd = -1;
	char *text = json_dumps(request, JSON_COMPACT);
	if (text == NULL)
		return err_set(err, RC_PERM, "the request is not valid UTF-8");
	GString *line = g_string_new(text);
	free(text);
	g_string_append_c(line, '\n');
	enum rc rc = line->len <= CONTROL_LINE_MAX
	    ? connect_to(path, deadline, &sock, err)
	    : err_set(err, RC_PERM, "the request is too long");
	if (rc == RC_OK)
		rc = exchange(sock, line->str, line->len, deadline, reply_out, &fd, err);
	if (rc == RC_OK && fd_out != NULL)
		*fd_out = fd;
	else if (fd >= 0)
		close(fd);
	if (sock >= 0)
		close(sock);
	g_string_free(line, TRUE);
	return rc;
}

bool control_listening(const char *path)
{
	int sock;
	if (connect_to(path, clock_mono_ms() + 1000, &sock, NULL) != RC_OK)
		return false;
	close(sock);
	return true;
}
