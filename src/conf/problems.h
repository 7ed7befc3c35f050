/*
 * problems.h: collects what is wrong with a file: each problem goes to the caller's function, the
 * first is kept for the struct err, all are counted. One struct belongs to one thread.
 */
#ifndef PULLYU_CONF_PROBLEMS_H
#define PULLYU_CONF_PROBLEMS_H

#include <stddef.h>

#include "base/ini.h"
#include "base/rc.h"

struct problems {
	ini_problem_fn *fn; /* may be NULL */
	void *ctx;
	size_t n;
	struct err first; /* "file:line: text" */
};

/* Reports one problem; line 0: the whole file. */
void problems_add(struct problems *problems, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* RC_OK if there was none; else RC_PERM, and err holds the first and how many more there were. */
enum rc problems_result(const struct problems *problems, struct err *err);

#endif
