/*
 * rules_load.c: see rules_load.h.
 */
#include <config.h>

#include "policy/rules_load.h"

#include "conf/ini.h"

enum rc policy_rules_load(
    const char *dir, ini_problem_fn *problem, void *ctx, struct rules **rules_out, struct err *err)
{
	struct ini *ini = NULL;
	struct rules *rules = NULL;
	enum rc rc = ini_load_dir(dir, problem, ctx, &ini, err);
	if (rc != RC_OK)
		return rc;
	rc = rules_build(ini->entries, ini->n_entries, problem, ctx, &rules, err);
	ini_free(&ini);
	if (rc != RC_OK)
		return rc;
	/* An empty directory would let everything pass without a word. */
	if (rules_count(rules) == 0) {
		rules_unref(&rules);
		return err_set(err, RC_PERM, "%s: no rule in any file *.ini", dir);
	}
	*rules_out = rules;
	return RC_OK;
}
