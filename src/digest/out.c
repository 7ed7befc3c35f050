/*
 * out.c: see out.h.
 */
#include <config.h>

#include "digest/out.h"

#include <string.h>

#include "base/fs.h"

void out_init(struct out *out, int fd)
{
	out->fd = fd;
	out->used = 0;
	out->rc = RC_OK;
	out->err.text[0] = '\0';
}

static void write_through(struct out *out, const void *data, size_t len)
{
	if (out->rc == RC_OK && len > 0)
		out->rc = fs_write_all(out->fd, data, len, &out->err);
}

void out_write(struct out *out, const void *data, size_t len)
{
	if (len > sizeof(out->buffer) - out->used) {
		write_through(out, out->buffer, out->used);
		out->used = 0;
	}
	if (len > sizeof(out->buffer)) {
		write_through(out, data, len);
		return;
	}
	memcpy(out->buffer + out->used, data, len);
	out->used += len;
}

void out_text(struct out *out, const char *text)
{
	out_write(out, text, strlen(text));
}

void out_lines(struct out *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		out_write(out, text, len);
		text += len;
		if (*text == '\n') {
			out_write(out, "\r\n", 2);
			text++;
		}
	}
}

enum rc out_flush(struct out *out, struct err *err)
{
	write_through(out, out->buffer, out->used);
	out->used = 0;
	return out->rc == RC_OK ? RC_OK : err_set(err, out->rc, "digest: %s", out->err.text);
}
