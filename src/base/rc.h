/*
 * rc.h: what every fallible function returns, and the text that goes with it.
 *
 * A function that can fail returns an enum rc and takes a caller-owned struct err. On RC_OK the
 * struct err is not touched; on anything else it holds one line of text without a newline. Lower
 * layers fill it; the top layer logs it, once. Output parameters end in _out and are untouched
 * unless the result is RC_OK.
 */
#ifndef PULLYU_BASE_RC_H
#define PULLYU_BASE_RC_H

#include <stdarg.h>

enum rc {
	RC_OK = 0,
	RC_NOTFOUND, /* the thing asked for does not exist; nothing is wrong */
	RC_TEMP,     /* trying again later may help: disk full, daemon down, deadline missed */
	RC_PERM,     /* trying again will not help: bad input, refused, not allowed */
	RC_CORRUPT,  /* stored data that we wrote ourselves does not make sense */
};

struct err {
	char text[512]; /* UTF-8, no control characters, NUL-terminated */
};

/* Sets the text; control characters become '?'. Returns rc, so that a caller can
 * "return err_set(err, RC_TEMP, ...)". err may be NULL. */
enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As err_set, and appends ": " and strerror(errno). */
enum rc err_errno(struct err *err, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "text: " in front of what is there: the caller's context. Returns rc. */
enum rc err_prefix(struct err *err, enum rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "ok", "notfound", "temp", "perm", "corrupt": as on the control socket. */
const char *rc_name(enum rc rc);

#endif
