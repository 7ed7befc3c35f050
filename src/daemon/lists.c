/*
 * lists.c: see lists.h.
 */
#include <config.h>

#include "daemon/lists.h"

#include <string.h>

#include "policy/schedule.h"

struct list_edit {
	enum list_kind kind;
	const char *entry;
	enum list_change change;
};

static enum rc edit_text(void *ctx, const char *old, char **new_out, struct err *err)
{
	const struct list_edit *edit = ctx;
	bool unused;
	return list_edit(edit->kind, old, edit->entry, edit->change, new_out, &unused, err);
}

static enum rc edit_list(struct daemon *d, const char *user, enum list_kind kind,
    enum list_change change, struct lists_result *result, struct err *err)
{
	struct list_edit edit = {.kind = kind, .entry = result->entry, .change = change};
	bool changed = false;
	enum rc rc = users_edit(
	    d->users, user, kind == LIST_HOLD ? "hold" : "allow", edit_text, &edit, &changed, err);
	result->changed |= changed;
	return rc;
}

/* The new entry first, so that a crash between the two leaves it on both lists, where allow wins. */
static enum rc edit_lists(struct daemon *d, const char *user, enum lists_op op,
    struct lists_result *result, struct err *err)
{
	enum rc rc;
	if (op == LISTS_HOLD) {
		rc = edit_list(d, user, LIST_HOLD, LIST_ADD, result, err);
		if (rc == RC_OK)
			rc = edit_list(d, user, LIST_ALLOW, LIST_OVERRULE, result, err);
		return rc;
	}
	rc =
	    edit_list(d, user, LIST_ALLOW, op == LISTS_ALLOW ? LIST_ADD : LIST_REMOVE, result, err);
	if (rc == RC_OK)
		rc = edit_list(d, user, LIST_HOLD, LIST_REMOVE, result, err);
	return rc;
}

static enum rc forget_known(
    struct daemon *d, const char *user, struct lists_result *result, struct err *err)
{
	/* An entry that is no address, or names classes, is no correspondent's key. */
	enum rc rc = store_known_del(d->store, user, result->entry, err);
	daemon_check_store(d, rc, err);
	if (rc == RC_OK)
		result->known = result->changed = true;
	return rc == RC_NOTFOUND || rc == RC_PERM ? RC_OK : rc;
}

enum rc lists_change(struct daemon *d, const char *user, enum lists_op op, const char *entry,
    struct lists_result *result_out, struct err *err)
{
	struct lists_result result = {.entry = ""};
	struct err why;
	enum rc rc = list_entry_normalise(
	    op == LISTS_HOLD ? LIST_HOLD : LIST_ALLOW, entry, result.entry, &why);
	if (rc == RC_OK)
		rc = edit_lists(d, user, op, &result, &why);
	if (rc == RC_OK && op == LISTS_FORGET)
		rc = forget_known(d, user, &result, &why);
	if (rc != RC_OK)
		return err_set(err, rc, "%s", why.text);
	*result_out = result;
	return RC_OK;
}

/* ---- telling ---- */

static json_t *entries(const struct list *list, bool *cut)
{
	json_t *out = json_array();
	size_t n = list_count(list);
	for (size_t i = 0; i < n && i < LISTS_LEARNED_MAX; i++)
		json_array_append_new(out, json_string(list_entry(list, i)));
	*cut |= n > LISTS_LEARNED_MAX;
	return out;
}

struct known {
	json_t *out;
	bool cut;
};

static bool add_known(void *ctx, const char *address, int64_t when)
{
	struct known *known = ctx;
	char text[SCHEDULE_TEXT_MAX] = "";
	known->cut = json_array_size(known->out) >= LISTS_LEARNED_MAX;
	if (known->cut)
		return false;
	schedule_format(when, NULL, text, NULL);
	json_array_append_new(known->out, json_pack("{s:s,s:s}", "address", address, "when", text));
	return true;
}

enum rc lists_learned(struct daemon *d, const char *user, json_t **learned_out, struct err *err)
{
	struct user *u = NULL;
	struct known known = {.out = json_array()};
	enum rc rc = users_get(d->users, user, &u, err);
	if (rc == RC_OK)
		rc = store_known_scan(d->store, user, add_known, &known, err);
	daemon_check_store(d, rc, err);
	if (rc == RC_OK) {
		bool cut = known.cut;
		json_t *allow = entries(u->allow, &cut), *hold = entries(u->hold, &cut);
		*learned_out = json_pack("{s:o,s:o,s:O,s:b}", "allow", allow, "hold", hold, "known",
		    known.out, "cut", (int)cut);
		if (u->problem[0] != '\0')
			json_object_set_new(*learned_out, "problem", json_string(u->problem));
	}
	json_decref(known.out);
	user_unref(&u);
	return rc;
}
