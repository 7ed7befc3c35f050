/*
 * rc.c: results and error texts. See rc.h.
 */
#include <config.h>

#include "base/rc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static void fill(struct err *err, const char *fmt, va_list ap)
{
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	str_printable(err->text);
}

enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...)
{
	if (err != NULL) {
		va_list ap;
		va_start(ap, fmt);
		fill(err, fmt, ap);
		va_end(ap);
	}
	return rc;
}

enum rc err_errno(struct err *err, enum rc rc, const char *fmt, ...)
{
	int saved = errno;
	if (err != NULL) {
		va_list ap;
		va_start(ap, fmt);
		fill(err, fmt, ap);
		va_end(ap);
		size_t used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(saved));
	}
	errno = saved;
	return rc;
}

enum rc err_prefix(struct err *err, enum rc rc, const char *fmt, ...)
{
	if (err != NULL) {
		struct err old = *err;
		va_list ap;
		va_start(ap, fmt);
		fill(err, fmt, ap);
		va_end(ap);
		size_t used = strlen(err->text);
		/* A text too long for its context loses its end, never its beginning. */
		snprintf(err->text + used, sizeof(err->text) - used, ": %.*s",
		    (int)(sizeof(old.text) - 1), old.text);
	}
	return rc;
}

const char *rc_name(enum rc rc)
{
	static const char *const names[] = {"ok", "notfound", "temp", "perm", "corrupt"};
	return (unsigned)rc < sizeof(names) / sizeof(names[0]) ? names[rc] : "unknown";
}
