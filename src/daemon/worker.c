/*
 * worker.c: see worker.h. A job travels to the forker as one message: its deadline in seconds, a
 * memory file with the job, and the write end of a pipe for the result. End of file on that pipe
 * without a whole JSON object means that the worker died.
 */
#include <config.h>

#include "daemon/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib.h>

#include "base/fs.h"
#include "base/log.h"

enum { JOB_MAX = 64 * 1024 * 1024, GRACE_SECONDS = 5 };

struct workers {
	int sock;  /* to the forker */
	pid_t pid; /* of the forker */
	unsigned running;
	GQueue waiting; /* of struct job; own */
	GList *all;     /* of struct job that run; foreign */
	guint pump;     /* idle source that starts what waits */
};

struct job {
	struct workers *workers; /* foreign */
	json_t *json;            /* own; until it was sent */
	unsigned seconds;
	worker_done_fn *done;
	void *ctx;
	int fd; /* read end of the result's pipe */
	guint source, timer;
	GString *result;
};

/* ---- in the forker and in workers ---- */

static void limit(int resource, rlim_t value)
{
	struct rlimit r = {.rlim_cur = value, .rlim_max = value};
	setrlimit(resource, &r);
}

/* What a worker may use; a hostile message can cost no more than this. */
static void confine(unsigned seconds)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	alarm(seconds);
	limit(RLIMIT_CPU, seconds);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, 256);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	limit(RLIMIT_AS, (rlim_t)512 * 1024 * 1024);
#endif
}

static json_t *read_job(int fd)
{
	GString *text = g_string_new(NULL);
	char buffer[65536];
	ssize_t n;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0 && text->len < JOB_MAX)
		g_string_append_len(text, buffer, n);
	json_t *job = json_loadb(text->str, text->len, 0, NULL);
	g_string_free(text, TRUE);
	return job;
}

/* There was no worker: not one that died of its job. */
static json_t *not_made(const char *what, const char *why)
{
	return json_pack("{s:s,s:s++}", "rc", rc_name(RC_TEMP), "text", what, ": ", why);
}

/* The result is stolen. */
static void answer(int fd, json_t *result)
{
	char *text = result == NULL ? NULL : json_dumps(result, JSON_COMPACT);
	if (text != NULL)
		fs_write_all(fd, text, strlen(text), NULL);
	free(text);
	json_decref(result);
}

static void __attribute__((noreturn))
work(worker_job_fn *job_fn, unsigned seconds, int job_fd, int result_fd)
{
	confine(seconds);
	json_t *job = read_job(job_fd);
	answer(result_fd, job == NULL ? NULL : job_fn(job));
	_exit(0);
}

struct order {
	uint32_t seconds;
};

/* Receives one order with its two descriptors. Returns 0 at the end, 1 with an order, -1 if what
 * came is none. */
static int receive_order(int sock, struct order *order, int fds[2])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = order, .iov_len = sizeof(*order)};
	struct msghdr message = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.space,
	    .msg_controllen = sizeof(control.space)};
	ssize_t n;
	do
		n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	if (n != (ssize_t)sizeof(*order) || c == NULL || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return -1;
	memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
	return 1;
}

static void __attribute__((noreturn)) forker(int sock, worker_job_fn *job_fn)
{
	struct order order;
	int fds[2], got;
	prctl(PR_SET_NAME, "pullyud-forker");
	/* The terminal's ^C and the service manager's TERM are for pullyud: it closes our socket
	 * once the jobs under way are done with. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* nobody waits: the pipe tells all there is to know */
	while ((got = receive_order(sock, &order, fds)) != 0) {
		if (got < 0)
			continue;
		pid_t pid = fork();
		if (pid == 0) {
			signal(SIGTERM, SIG_DFL);
			signal(SIGCHLD, SIG_DFL);
			close(sock);
			work(job_fn, order.seconds, fds[0], fds[1]);
		}
		if (pid < 0)
			answer(fds[1], not_made("fork", strerror(errno)));
		close(fds[0]);
		close(fds[1]);
	}
	_exit(0);
}

/* ---- in pullyud ---- */

enum rc workers_start(worker_job_fn *job_fn, struct workers **workers_out, struct err *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_errno(err, RC_TEMP, "socketpair");
	pid_t pid = fork();
	if (pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return err_errno(err, RC_TEMP, "fork");
	}
	if (pid == 0) {
		close(pair[0]);
		forker(pair[1], job_fn);
	}
	close(pair[1]);
	struct workers *workers = g_new0(struct workers, 1);
	workers->sock = pair[0];
	workers->pid = pid;
	g_queue_init(&workers->waiting);
	*workers_out = workers;
	return RC_OK;
}

static void job_end(struct job *job, json_t *result)
{
	struct workers *workers = job->workers;
	if (job->source != 0)
		g_source_remove(job->source);
	if (job->timer != 0)
		g_source_remove(job->timer);
	if (job->fd >= 0) {
		close(job->fd);
		workers->running--;
		workers->all = g_list_remove(workers->all, job);
	}
	worker_done_fn *done = job->done;
	void *ctx = job->ctx;
	json_decref(job->json);
	g_string_free(job->result, TRUE);
	g_free(job);
	done(ctx, result);
}

static void job_not_made(struct job *job, const char *what, const char *why)
{
	json_t *result = not_made(what, why);
	job_end(job, result);
	json_decref(result);
}

static gboolean pump(gpointer data);

static void pump_soon(struct workers *workers)
{
	if (workers->pump == 0)
		workers->pump = g_idle_add(pump, workers);
}

static gboolean on_result(gint fd, GIOCondition condition, gpointer data)
{
	struct job *job = data;
	struct workers *workers = job->workers;
	char buffer[4096];
	(void)condition;
	ssize_t n = read(fd, buffer, sizeof(buffer));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return G_SOURCE_CONTINUE;
	if (n > 0 && job->result->len + (size_t)n <= WORKER_RESULT_MAX) {
		g_string_append_len(job->result, buffer, n);
		return G_SOURCE_CONTINUE;
	}
	json_t *result = n == 0 ? json_loadb(job->result->str, job->result->len, 0, NULL) : NULL;
	job->source = 0;
	job_end(job, json_is_object(result) ? result : NULL);
	json_decref(result);
	pump_soon(workers);
	return G_SOURCE_REMOVE;
}

static gboolean on_late(gpointer data)
{
	struct job *job = data;
	struct workers *workers = job->workers;
	job->timer = 0;
	job_end(job, NULL);
	pump_soon(workers);
	return G_SOURCE_REMOVE;
}

/* A sealed-off copy of the job that the worker reads at its own pace. */
static int job_file(const struct job *job)
{
	char *text = json_dumps(job->json, JSON_COMPACT);
	if (text == NULL)
		return -1;
	int fd = memfd_create("pullyud-job", MFD_CLOEXEC);
	if (fd >= 0 &&
	    (fs_write_all(fd, text, strlen(text), NULL) != RC_OK || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	free(text);
	return fd;
}

static int send_order(struct workers *workers, struct job *job, int job_fd, int result_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct order order = {.seconds = job->seconds};
	struct iovec iov = {.iov_base = &order, .iov_len = sizeof(order)};
	struct msghdr message = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.space,
	    .msg_controllen = sizeof(control.space)};
	int fds[2] = {job_fd, result_fd};
	memset(&control, 0, sizeof(control));
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(workers->sock, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(order) ? 0 : -1;
}

static void job_start(struct job *job)
{
	struct workers *workers = job->workers;
	int pipe_fds[2];
	int job_fd = job_file(job);
	if (job_fd < 0 || pipe2(pipe_fds, O_CLOEXEC) != 0) {
		int error = errno;
		log_error("worker: %s", strerror(error));
		if (job_fd >= 0)
			close(job_fd);
		job_not_made(job, "worker", strerror(error));
		return;
	}
	int sent = send_order(workers, job, job_fd, pipe_fds[1]);
	if (sent != 0)
		log_error("worker: the forker is gone: %s", strerror(errno));
	close(job_fd);
	close(pipe_fds[1]);
	fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
	json_decref(job->json);
	job->json = NULL;
	job->fd = pipe_fds[0];
	workers->running++;
	workers->all = g_list_prepend(workers->all, job);
	if (sent != 0) {
		job_not_made(job, "worker", "the forker is gone");
		return;
	}
	job->source = g_unix_fd_add(job->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_result, job);
	/* The worker's own alarm comes first; this is for one that cannot be killed. */
	job->timer = g_timeout_add_seconds(job->seconds + GRACE_SECONDS, on_late, job);
}

static gboolean pump(gpointer data)
{
	struct workers *workers = data;
	workers->pump = 0;
	while (workers->running < WORKERS_RUNNING_MAX && !g_queue_is_empty(&workers->waiting))
		job_start(g_queue_pop_head(&workers->waiting));
	while (g_queue_get_length(&workers->waiting) > WORKERS_WAITING_MAX)
		job_not_made(
		    g_queue_pop_tail(&workers->waiting), "worker", "too many jobs are waiting");
	return G_SOURCE_REMOVE;
}

void workers_run(
    struct workers *workers, json_t *job, unsigned seconds, worker_done_fn *done, void *ctx)
{
	struct job *j = g_new0(struct job, 1);
	j->workers = workers;
	j->json = job;
	j->seconds = seconds;
	j->done = done;
	j->ctx = ctx;
	j->fd = -1;
	j->result = g_string_new(NULL);
	g_queue_push_tail(&workers->waiting, j);
	pump_soon(workers);
}

int workers_fd(const struct workers *workers)
{
	return workers->sock;
}

bool workers_idle(const struct workers *workers)
{
	return workers->running == 0 && g_queue_is_empty((GQueue *)&workers->waiting);
}

void workers_stop(struct workers **workers)
{
	struct workers *w = *workers;
	if (w == NULL)
		return;
	while (w->all != NULL || !g_queue_is_empty(&w->waiting)) {
		struct job *job = w->all != NULL ? w->all->data : g_queue_pop_head(&w->waiting);
		job_end(job, NULL);
	}
	if (w->pump != 0)
		g_source_remove(w->pump);
	close(w->sock); /* the forker sees the end, leaves, and its workers are killed with it */
	g_free(w);
	*workers = NULL;
}
