/*
 * rules_build.h: what the two halves of reading rules share. Private to classify.
 */
#ifndef PULLYU_CLASSIFY_RULES_BUILD_H
#define PULLYU_CLASSIFY_RULES_BUILD_H

#include "classify/rules.h"

struct section {
	const char *name; /* foreign */
	GPtrArray
	    *entries; /* own; const struct ini_entry *, one a key, in the order of first use */
};

struct build {
	ini_problem_fn *problem;
	void *ctx;
	struct err *err;
	size_t n_problems;
	GPtrArray *sections; /* struct section *, own */
	struct rules *rules;
	GHashTable *indexes; /* rule name -> index + 1 */
};

/* Reports a mistake where it stands. */
void build_problem(struct build *b, const struct ini_entry *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* rules_keys.c. One entry of a rule; false if there is no such key. */
bool rule_key(struct build *b, struct rule *rule, const struct ini_entry *e);
/* Values that class sections have, too. */
bool key_number(const char *text, double *value_out);
unsigned key_classes(struct build *b, const struct ini_entry *e);

#endif
