/*
 * lists.c: a user's lists allow and hold, as the command line and commands by mail edit them.
 */
#include <config.h>

#include "daemon/lists.h"

#include <string.h>

#include "policy/list_line.h"

static const char *const names[] = {[LIST_ALLOW] = "allow", [LIST_HOLD] = "hold"};

struct edit {
	enum list_kind kind;
	const char *entry; /* foreign */
	enum list_change change;
};

static enum rc edit_text(void *ctx, const char *old, char **new_out, struct err *err)
{
	const struct edit *edit = ctx;
	bool unused;
	return list_edit(edit->kind, old, edit->entry, edit->change, new_out, &unused, err);
}

static enum rc edit_list(struct daemon *d, const char *user, enum list_kind kind, const char *entry,
    enum list_change change, bool *changed, struct err *err)
{
	struct edit edit = {.kind = kind, .entry = entry, .change = change};
	bool now = false;
	enum rc rc = users_edit(d->users, user, names[kind], edit_text, &edit, &now, err);
	*changed |= now;
	return rc;
}

/* What was said last is what counts: an entry that would overrule it leaves the other list. The new
 * entry first, so that a crash between the two leaves it on both, where allow wins. */
enum rc lists_edit(struct daemon *d, const char *user, const char *entry, enum lists_op op,
    bool *changed_out, struct err *err)
{
	bool changed = false;
	enum rc rc;
	if (op == LISTS_HOLD) {
		rc = edit_list(d, user, LIST_HOLD, entry, LIST_ADD, &changed, err);
		if (rc == RC_OK)
			rc = edit_list(d, user, LIST_ALLOW, entry, LIST_OVERRULE, &changed, err);
	} else {
		rc = edit_list(d, user, LIST_ALLOW, entry,
		    op == LISTS_ALLOW ? LIST_ADD : LIST_REMOVE, &changed, err);
		if (rc == RC_OK)
			rc = edit_list(d, user, LIST_HOLD, entry, LIST_REMOVE, &changed, err);
	}
	if (rc == RC_OK)
		*changed_out = changed;
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
	return rc;
}
