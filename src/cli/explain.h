/*
 * explain.h: what would happen to one message for one user, decided as pullyu-milter decides, and
 * why, in words. Asks nobody but pullyud, and nothing is changed or counted.
 */
#ifndef PULLYU_CLI_EXPLAIN_H
#define PULLYU_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "classify/classify.h"
#include "conf/conf.h"
#include "policy/policy.h"

struct explanation {
	/* set by the caller; foreign */
	const struct conf *conf;
	const struct user *user;
	const struct rules *rules;
	int64_t now;
	/* set by explain */
	bool held, shadow;   /* shadow: it would be held, but the user is in shadow mode */
	bool judged;         /* verdict is set */
	enum class cls;      /* as which it is treated */
	int64_t until;       /* held: the latest time of delivery; 0: unknown */
	bool until_max_hold; /* and max_hold is why */
	struct verdict verdict;
	const char *known, *authenticated; /* in one word; NULL: it did not matter */
	GPtrArray *because;                /* own strings; the first says it all, if briefly */
};

/* fd: a regular file, at its start. because must be there. RC_TEMP if the file cannot be read. */
enum rc explain(struct explanation *explanation, int fd, struct err *err);

#endif
