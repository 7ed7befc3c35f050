/*
 * lists.c: see lists.h.
 */
#include <config.h>

#include "daemon/lists.h"

#include <string.h>

#include "policy/list_line.h"
#include "policy/schedule.h"

static const char *const names[] = {[LIST_ALLOW] = "allow", [LIST_HOLD] = "hold"};

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
	enum rc rc = users_edit(d->users, user, names[kind], edit_text, &edit, &changed, err);
	result->changed |= changed;
	return rc;
}

/* The new entry first, so that a crash between the two leaves it on both lists, where allow wins.
 * */
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

/* ---- as it was ---- */

struct lines {
	enum list_kind kind;
	char key[LIST_ENTRY_MAX];
	json_t *found; /* own; array of entries as they stand */
};

static enum rc find_lines(void *ctx, const char *old, char **new_out, struct err *err)
{
	struct lines *lines = ctx;
	struct list_line line;
	(void)err;
	json_array_clear(lines->found);
	for (const char *p = old; *p != '\0';) {
		size_t len = strcspn(p, "\n");
		if (list_line_read(LIST_ALLOW, p, len, &line, NULL) == RC_OK &&
		    strcmp(line.key, lines->key) == 0)
			json_array_append_new(
			    lines->found, json_stringn(p + line.start, line.end - line.start));
		p += len + (p[len] == '\n');
	}
	*new_out = NULL;
	return RC_OK;
}

enum rc lists_lines(
    struct daemon *d, const char *user, const char *entry, json_t **lines_out, struct err *err)
{
	struct list_line line;
	bool changed;
	json_t *all = json_object();
	enum rc rc = list_line_read(LIST_ALLOW, entry, strlen(entry), &line, err);
	for (int kind = LIST_ALLOW; kind <= LIST_HOLD && rc == RC_OK; kind++) {
		struct lines lines = {.kind = (enum list_kind)kind, .found = json_array()};
		g_strlcpy(lines.key, line.key, sizeof(lines.key));
		json_object_set_new(all, names[kind], lines.found);
		rc = users_edit(d->users, user, names[kind], find_lines, &lines, &changed, err);
	}
	int64_t when;
	if (rc == RC_OK && store_known_get(d->store, user, line.key, &when, NULL) == RC_OK)
		json_object_set_new(all, "known", json_integer(when));
	if (rc == RC_OK)
		*lines_out = all;
	else
		json_decref(all);
	return rc;
}

struct restoring {
	enum list_kind kind;
	const char *key;     /* foreign; a plain entry */
	const json_t *lines; /* foreign */
};

static enum rc restore_text(void *ctx, const char *old, char **new_out, struct err *err)
{
	const struct restoring *r = ctx;
	char *text = NULL;
	bool unused;
	size_t i;
	json_t *line;
	enum rc rc = list_edit(r->kind, old, r->key, LIST_REMOVE, &text, &unused, err);
	json_array_foreach(r->lines, i, line)
	{
		char *next = NULL;
		if (rc != RC_OK || !json_is_string(line))
			continue;
		rc = list_edit(
		    r->kind, text, json_string_value(line), LIST_ADD, &next, &unused, err);
		if (rc == RC_OK) {
			g_free(text);
			text = next;
		}
	}
	if (rc == RC_OK)
		*new_out = text;
	else
		g_free(text);
	return rc;
}

enum rc lists_restore(
    struct daemon *d, const char *user, const char *entry, const json_t *lines, struct err *err)
{
	struct list_line line;
	bool changed;
	enum rc rc = list_line_read(LIST_ALLOW, entry, strlen(entry), &line, err);
	for (int kind = LIST_ALLOW; kind <= LIST_HOLD && rc == RC_OK; kind++) {
		struct restoring r = {.kind = (enum list_kind)kind,
		    .key = line.key,
		    .lines = json_object_get(lines, names[kind])};
		rc = users_edit(d->users, user, names[kind], restore_text, &r, &changed, err);
	}
	const json_t *known = json_object_get(lines, "known");
	if (rc == RC_OK && known != NULL)
		rc = store_known_put(d->store, user, line.key, json_integer_value(known), err);
	daemon_check_store(d, rc, err);
	return rc;
}
