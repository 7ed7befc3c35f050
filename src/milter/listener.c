/*
 * listener.c: see listener.h.
 */
#include <config.h>

#include "milter/listener.h"

#include <errno.h>
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
	/* One packet from the MTA: a header field, or a chunk of the body. libmilter drops the
	 * session when one is larger, by default than 64 kB. Postfix cuts fields at 60,000 bytes;
	 * others need not. */
	PACKET_MAX = 1024 * 1024,
	GRACE_MS = 200, /* for libmilter to send its answer to the end of a message */
	LOOK_MS = 50,
};

static struct {
	char *path;        /* own; NULL if it is no unix socket */
	struct stat st;    /* of the socket that we made */
	atomic_bool ended; /* libmilter's loop */
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

/* In the place of the C library's: libmilter has a thread that calls sigwait for SIGHUP, SIGTERM
 * and SIGINT and then drops every session at once, in the middle of messages. A signal sent to the
 * process goes to any thread that waits for it, so the only way to be the one that gets it is that
 * libmilter's thread does not wait. Nothing else here calls sigwait. */
int sigwait(const sigset_t *set, int *number)
{
	(void)set;
	(void)number;
	for (;;)
		pause();
}

static void fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

void listener_block_signals(void)
{
	sigset_t set;
	fill_signals(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- serving ---- */

static void *serve(void *arg)
{
	(void)arg;
	smfi_main();
	atomic_store(&listener.ended, true);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* Until a signal says stop, or libmilter ends by itself. */
static void wait_for_stop(void)
{
	sigset_t set;
	fill_signals(&set);
	while (!atomic_load(&listener.ended)) {
		int number = sigwaitinfo(&set, NULL);
		if (number == SIGTERM || number == SIGINT)
			return;
		if (number == SIGHUP)
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
	int result = pthread_create(&thread, NULL, serve, NULL);
	if (result != 0) {
		errno = result;
		return err_errno(err, RC_TEMP, "cannot start a thread");
	}
	wait_for_stop();
	remove_socket();
	if (atomic_load(&listener.ended))
		return err_set(err, RC_TEMP, "libmilter ended; it tells syslog why");
	drain();
	return RC_OK;
}
