/*
 * listener.c: see listener.h.
 */
#include <config.h>

#include "milter/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "base/log.h"
#include "milter/session.h"
#include "milter/snapshot.h"

enum {
	BACKLOG = 1024,
	/* One packet from the MTA: a header field, or a chunk of the body. Postfix takes fields of
	 * up to header_size_limit, 100 kB; libmilter's default is 64 kB. */
	PACKET_MAX = 1024 * 1024,
	GRACE_MS = 200, /* for libmilter to send its answer to the end of a message */
	LOOK_MS = 50,
};

static struct {
	char *path;     /* own; NULL if it is no unix socket */
	struct stat st; /* of the socket that we made */
	int signal_pipe[2];
	atomic_bool ended; /* libmilter's loop */
	int result;        /* of it */
} listener;

/* The path of a unix socket, or NULL. */
static const char *unix_path(const char *socket)
{
	const char *colon = strchr(socket, ':');
	if (colon == NULL)
		return socket;
	size_t len = (size_t)(colon - socket);
	bool is_unix = len == 0 || (len == 4 && strncasecmp(socket, "unix", 4) == 0) ||
	    (len == 5 && strncasecmp(socket, "local", 5) == 0);
	return is_unix ? colon + 1 : NULL;
}

static enum rc remove_stale(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? RC_OK : err_errno(err, RC_PERM, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, RC_PERM, "%s: there is something that is not a socket", path);
	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
		return err_set(err, RC_PERM, "%s: too long for a socket", path);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return err_errno(err, RC_TEMP, "socket");
	int result = connect(sock, (struct sockaddr *)&address, sizeof(address));
	bool nobody = result != 0 && errno == ECONNREFUSED;
	close(sock);
	if (!nobody)
		return err_set(err, RC_PERM, "%s: somebody listens there already", path);
	return unlink(path) == 0 ? RC_OK : err_errno(err, RC_PERM, "%s", path);
}

enum rc listener_open(const char *socket, int64_t mode, struct err *err)
{
	const char *path = unix_path(socket);
	char *copy = g_strdup(socket); /* libmilter wants it writable */
	enum rc rc = path == NULL ? RC_OK : remove_stale(path, err);
	if (rc != RC_OK)
		goto out;
	/* No moment at which it is open to more than it will be. */
	mode_t mask = umask((mode_t)(0777 & ~mode));
	bool opened = smfi_register(session_callbacks) == MI_SUCCESS &&
	    smfi_setconn(copy) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
	    smfi_opensocket(false) == MI_SUCCESS;
	int error = errno;
	umask(mask);
	smfi_setmaxdatasize(PACKET_MAX);
	errno = error;
	if (!opened)
		rc = err_errno(err, RC_PERM, "cannot listen at %s", socket);
	else if (path != NULL && (chmod(path, (mode_t)mode) != 0 || stat(path, &listener.st) != 0))
		rc = err_errno(err, RC_PERM, "%s", path);
	else if (path != NULL)
		listener.path = g_strdup(path);
out:
	g_free(copy);
	return rc;
}

/* Only if it is still the one that we made: another milter may have taken the path. */
static void remove_socket(void)
{
	struct stat st;
	if (listener.path != NULL && lstat(listener.path, &st) == 0 &&
	    st.st_dev == listener.st.st_dev && st.st_ino == listener.st.st_ino)
		unlink(listener.path);
	g_clear_pointer(&listener.path, g_free);
}

/* ---- signals ---- */

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;
	if (write(listener.signal_pipe[1], &byte, 1) < 0)
		errno = saved; /* full: enough of them wait already */
	errno = saved;
}

void listener_block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Called with the signals blocked. */
static enum rc prepare_signals(struct err *err)
{
	static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	if (pipe2(listener.signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_errno(err, RC_TEMP, "pipe");
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	return RC_OK;
}

static void unblock_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- serving ---- */

static void *serve(void *arg)
{
	(void)arg;
	listener.result = smfi_main();
	atomic_store(&listener.ended, true);
	on_signal(0);
	return NULL;
}

/* Until a signal says stop, or libmilter ends by itself. */
static void wait_for_stop(void)
{
	while (!atomic_load(&listener.ended)) {
		struct pollfd p = {.fd = listener.signal_pipe[0], .events = POLLIN};
		char byte = 0;
		if (poll(&p, 1, -1) < 0 || read(p.fd, &byte, 1) != 1)
			continue;
		if (byte == SIGTERM || byte == SIGINT)
			return;
		if (byte == SIGHUP)
			snapshot_watch_kick();
	}
}

static void drain(void)
{
	int64_t start = clock_mono_ms();
	struct session_load load = session_load_now();
	log_info("stopping; %d messages in flight", load.messages);
	for (;;) {
		int64_t waited = clock_mono_ms() - start;
		if (load.messages == 0 || waited >= LISTENER_CONTENT_MS ||
		    (load.contents == 0 && waited >= LISTENER_ENVELOPE_MS))
			break;
		poll(NULL, 0, LOOK_MS);
		load = session_load_now();
	}
	if (load.messages > 0)
		log_warning("stopped with %d messages in flight; the MTA will try them again",
		    load.messages);
	poll(NULL, 0, GRACE_MS);
}

enum rc listener_run(struct err *err)
{
	pthread_t thread;
	enum rc rc = prepare_signals(err);
	if (rc != RC_OK)
		return rc;
	/* It inherits the blocked signals; libmilter's own threads inherit them from it. */
	int result = pthread_create(&thread, NULL, serve, NULL);
	if (result != 0) {
		errno = result;
		return err_errno(err, RC_TEMP, "cannot start a thread");
	}
	unblock_signals();
	wait_for_stop();
	remove_socket();
	if (!atomic_load(&listener.ended)) {
		drain();
		return RC_OK;
	}
	return listener.result == MI_SUCCESS
	    ? RC_OK
	    : err_set(err, RC_TEMP, "libmilter ended; it tells syslog why");
}
