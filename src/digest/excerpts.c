/*
 * excerpts.c: see excerpts.h. A reader is a fork of the caller. It writes one frame a message: four
 * 32-bit lengths (snippet, three names; NO_TEXT: no such name), a 32-bit count of attachments, then
 * the texts. The caller trusts nothing of that: a reader may be what a hostile message made of it.
 */
#include <config.h>

#include "digest/excerpts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "digest/clean.h"
#include "digest/originals.h"

#define NO_TEXT UINT32_MAX

enum { TEXTS = 1 + EXCERPT_NAMES, TEXT_MAX = 16 * 1024 };

struct frame {
	uint32_t len[TEXTS];
	uint32_t n_attachments;
};

struct reader {
	pid_t pid;
	int fd; /* its frames; -1: none runs */
};

/* ---- in the reader ---- */

static void confine(void)
{
	struct rlimit limit = {0, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &limit);
	/* What a library has to say while it dies would only confuse the log. */
	if (null >= 0)
		dup2(null, STDERR_FILENO);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	limit.rlim_cur = limit.rlim_max = (rlim_t)400 * 1024 * 1024;
	setrlimit(RLIMIT_AS, &limit);
#endif
}

static bool write_excerpt(int fd, const struct excerpt *excerpt)
{
	const char *texts[TEXTS] = {excerpt->snippet};
	struct frame frame = {.n_attachments = (uint32_t)excerpt->n_attachments};
	for (size_t i = 0; i < EXCERPT_NAMES; i++)
		texts[1 + i] = excerpt->names[i];
	for (size_t i = 0; i < TEXTS; i++)
		frame.len[i] = texts[i] == NULL ? NO_TEXT : (uint32_t)strlen(texts[i]);
	if (fs_write_all(fd, &frame, sizeof(frame), NULL) != RC_OK)
		return false;
	for (size_t i = 0; i < TEXTS; i++)
		if (texts[i] != NULL && fs_write_all(fd, texts[i], frame.len[i], NULL) != RC_OK)
			return false;
	return true;
}

static void __attribute__((noreturn))
read_messages(const struct digest *digest, size_t first, int out)
{
	bool good = true;
	confine();
	for (size_t i = first; good && i < digest->n_entries; i++) {
		struct excerpt excerpt = {.snippet = NULL};
		struct err err;
		int fd = -1;
		fault_point("excerpt.read");
		if (original_open(digest, &digest->entries[i], &fd, &err) == RC_OK) {
			off_t lead = lseek(fd, 0, SEEK_CUR);
			excerpt_read(fd, (uint64_t)MAX(lead, 0), &excerpt);
			close(fd);
		} else {
			excerpt.snippet = g_strdup("");
		}
		good = write_excerpt(out, &excerpt);
		excerpt_clear(&excerpt);
	}
	_exit(0);
}

/* ---- in the caller ---- */

static void reader_start(struct reader *reader, const struct digest *digest, size_t first)
{
	int fds[2];
	reader->fd = -1;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	reader->pid = fork();
	if (reader->pid == 0) {
		close(fds[0]);
		read_messages(digest, first, fds[1]);
	}
	close(fds[1]);
	if (reader->pid < 0)
		close(fds[0]);
	else
		reader->fd = fds[0];
}

static void reader_stop(struct reader *reader)
{
	if (reader->fd < 0)
		return;
	close(reader->fd);
	reader->fd = -1;
	kill(reader->pid, SIGKILL);
	/* Where children are reaped by themselves (SIGCHLD ignored) this waits for all, too. */
	while (waitpid(reader->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static bool read_all(int fd, void *data, size_t len, int64_t deadline)
{
	unsigned char *to = data;
	while (len > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		int ready = left <= 0 ? 0 : poll(&p, 1, (int)left);
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t n = ready <= 0 ? 0 : read(fd, to, len);
		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
	}
	return true;
}

static bool read_text(int fd, uint32_t len, size_t max_columns, int64_t deadline, char **text_out)
{
	char *text = len > TEXT_MAX ? NULL : g_malloc0(len + 1);
	bool good = text != NULL && read_all(fd, text, len, deadline);
	if (good)
		*text_out = clean_text(text, max_columns);
	g_free(text);
	return good;
}

static bool reader_next(struct reader *reader, struct excerpt *excerpt, int64_t deadline)
{
	struct frame frame;
	bool good = reader->fd >= 0 && read_all(reader->fd, &frame, sizeof(frame), deadline) &&
	    read_text(reader->fd, frame.len[0], EXCERPT_COLUMNS, deadline, &excerpt->snippet);
	for (size_t i = 0; good && i < EXCERPT_NAMES && frame.len[1 + i] != NO_TEXT; i++)
		good = read_text(reader->fd, frame.len[1 + i], EXCERPT_NAME_COLUMNS, deadline,
		    &excerpt->names[i]);
	if (good)
		excerpt->n_attachments = frame.n_attachments;
	return good;
}

struct excerpt *excerpts_read(const struct digest *digest)
{
	struct excerpt *excerpts = g_new0(struct excerpt, MAX(digest->n_entries, 1));
	struct reader reader = {.fd = -1};
	int64_t end = clock_mono_ms() + EXCERPTS_TOTAL_MS;
	for (size_t i = 0; i < digest->n_entries; i++) {
		int64_t now = clock_mono_ms();
		if (reader.fd < 0 && now < end)
			reader_start(&reader, digest, i);
		if (!reader_next(&reader, &excerpts[i], MIN(now + EXCERPTS_MESSAGE_MS, end))) {
			reader_stop(&reader); /* the next message has a new one */
			excerpt_clear(&excerpts[i]);
			excerpts[i].snippet = g_strdup("");
		}
	}
	reader_stop(&reader);
	return excerpts;
}

void excerpts_free(struct excerpt *excerpts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		excerpt_clear(&excerpts[i]);
	g_free(excerpts);
}
