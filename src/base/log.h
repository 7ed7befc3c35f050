/*
 * log.h: one line per event to syslog or stderr. Thread-safe after log_open. Only programs and
 * the top layer of a module log; everything below fills a struct err.
 */
#ifndef PULLYU_BASE_LOG_H
#define PULLYU_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* ident is borrowed for the life of the process ("pullyud"). to_syslog false: stderr, with
 * "ident[pid]: level: " in front. May be called again to change destination or level. */
void log_open(const char *ident, bool to_syslog, enum log_level level);
/* The running level, for callers that would compute something only to log it. */
bool log_wants(enum log_level level);

/* At most 2,000 bytes a line; control characters become '?'. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
