/*
 * ini.h: one checked line of an INI file, as conf hands it to the modules that give it meaning.
 * Plain data: base knows nothing of what the keys mean.
 */
#ifndef PULLYU_BASE_INI_H
#define PULLYU_BASE_INI_H

#include <stddef.h>

struct ini_entry {
	const char *file;    /* foreign */
	const char *section; /* foreign; lower case */
	const char *key;     /* foreign; lower case */
	const char *value;   /* foreign; trimmed unless quoted; UTF-8 without control characters */
	int line;            /* of the key, from 1 */
};

/* Called with each problem found in a file: key may be NULL (the whole section or file), line 0
 * if unknown; text says what is wrong and what would be right. */
typedef void ini_problem_fn(void *ctx, const char *file, int line, const char *text);

#endif
