/*
 * log.c: see log.h. Settings are atomics, so that a reload may call log_open while other threads
 * write.
 */
#include <config.h>

#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/str.h"

enum { LINE_MAX_BYTES = 2000 };

static _Atomic(const char *) log_ident = "pullyu";
static atomic_bool log_syslog;
static atomic_int log_level_now = LOG_LEVEL_INFO;

void log_open(const char *ident, bool to_syslog, enum log_level level)
{
	atomic_store(&log_ident, ident);
	atomic_store(&log_level_now, (int)level);
	if (to_syslog && !atomic_load(&log_syslog))
		openlog(ident, LOG_PID, LOG_MAIL);
	atomic_store(&log_syslog, to_syslog);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	static const char *const names[] = {"error", "warning", "info", "debug"};
	if (!log_wants(level))
		return;
	char line[LINE_MAX_BYTES];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	str_printable(line);
	if (atomic_load(&log_syslog)) {
		syslog(priorities[level], "%s", line);
		return;
	}
	/* One write, so that lines of several threads and processes do not mix. */
	char whole[LINE_MAX_BYTES + 128];
	int len = snprintf(whole, sizeof(whole), "%s[%ld]: %s: %s\n", atomic_load(&log_ident),
	    (long)getpid(), names[level], line);
	if (len > 0 && write(STDERR_FILENO, whole, (size_t)len) < 0)
		return; /* nowhere left to tell */
}
