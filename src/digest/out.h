/*
 * out.h: buffered writing with one place to look for failure. Not thread-safe.
 */
#ifndef PULLYU_DIGEST_OUT_H
#define PULLYU_DIGEST_OUT_H

#include <stddef.h>

#include "base/rc.h"

struct out {
	int fd; /* foreign */
	size_t used;
	enum rc rc;     /* the first failure; nothing is written after it */
	struct err err; /* its text */
	char buffer[64 * 1024];
};

void out_init(struct out *out, int fd);
void out_write(struct out *out, const void *data, size_t len);
/* Text as it is. */
void out_text(struct out *out, const char *text);
/* Text with LF lines, written with CRLF. */
void out_lines(struct out *out, const char *text);
/* Writes what is buffered; the result of everything so far. */
enum rc out_flush(struct out *out, struct err *err);

#endif
