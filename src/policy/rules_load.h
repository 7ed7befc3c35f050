/*
 * rules_load.h: the rule files of a directory as one rule set, for every program that classifies.
 * Thread-safe.
 */
#ifndef PULLYU_POLICY_RULES_LOAD_H
#define PULLYU_POLICY_RULES_LOAD_H

#include "base/ini.h"
#include "base/rc.h"
#include "classify/classify.h"

/* Reads dir/ *.ini in the order of their names. Every mistake goes to problem (may be NULL), the
 * first one to err too. RC_NOTFOUND if there is no such directory; RC_PERM if a file has a mistake,
 * or if there is no rule at all; RC_TEMP if something cannot be read now. The caller unrefs. */
enum rc policy_rules_load(
    const char *dir, ini_problem_fn *problem, void *ctx, struct rules **rules_out, struct err *err);

#endif
