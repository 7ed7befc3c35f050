/*
 * problems.c: see problems.h.
 */
#include <config.h>

#include "conf/problems.h"

#include <stdio.h>

#include "base/str.h"

void problems_add(struct problems *problems, const char *file, int line, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_printable(text);
	if (problems->n++ == 0) {
		if (line > 0)
			err_set(&problems->first, RC_PERM, "%s:%d: %s", file, line, text);
		else
			err_set(&problems->first, RC_PERM, "%s: %s", file, text);
	}
	if (problems->fn != NULL)
		problems->fn(problems->ctx, file, line, text);
}

enum rc problems_result(const struct problems *problems, struct err *err)
{
	if (problems->n == 0)
		return RC_OK;
	if (problems->n == 1)
		return err_set(err, RC_PERM, "%s", problems->first.text);
	return err_set(
	    err, RC_PERM, "%.440s (and %zu more)", problems->first.text, problems->n - 1);
}
