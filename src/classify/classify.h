/*
 * classify.h: facts and rules give a verdict. Pure: no clock, no I/O, no log; the same input gives
 * the same verdict. struct rules is immutable and may be used by any number of threads; it is
 * reference-counted, so that a reload never changes a message half way.
 */
#ifndef PULLYU_CLASSIFY_CLASSIFY_H
#define PULLYU_CLASSIFY_CLASSIFY_H

#include "base/ini.h"
#include "base/rc.h"
#include "classify/verdict.h"
#include "facts/facts.h"

struct rules;

/* Builds rules from the entries of all rule files, in the order in which files are read (sorted by
 * name); a later file may repeat a section's name to change single keys of that rule. Each mistake
 * goes to problem with file, line, section and key. RC_PERM if there was one: nothing of a rule set
 * with a mistake takes effect. The format is pullyu-rules(5). */
enum rc rules_build(const struct ini_entry *entries, size_t n, ini_problem_fn *problem, void *ctx,
    struct rules **rules_out, struct err *err);
struct rules *rules_ref(struct rules *rules);
void rules_unref(struct rules **rules); /* nulls */
size_t rules_count(const struct rules *rules);
/* The plain words of a rule ("why"), or NULL if there is no such rule. Lives as long as rules. */
const char *rules_why(const struct rules *rules, const char *rule);

/* RC_TEMP (out of some bound of the regular expression engine) leaves verdict_out a personal
 * verdict with score 0, so that a caller that goes on lets the message pass. */
enum rc classify(const struct rules *rules, const struct facts *facts, struct verdict *verdict_out,
    struct err *err);

#endif
