/*
 * list_edit.c: list_edit of list.h: a list's text with one entry more or less. Every line that is
 * not spoken of goes through byte for byte.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "policy/list_line.h"

struct edit {
	enum list_change change;
	struct list_line wanted;
	GString *out;     /* own */
	unsigned missing; /* LIST_ADD: classes that no line before here gives */
	size_t entries;   /* in out */
	bool changed;
};

/* What remains of the classes of a line of the same key. */
static unsigned classes_left(const struct edit *e, const struct list_line *line)
{
	bool plain = line->classes == LIST_EVERY_CLASS;
	bool wanted_plain = e->wanted.classes == LIST_EVERY_CLASS;
	switch (e->change) {
	case LIST_ADD:
		return plain == wanted_plain ? line->classes : 0;
	case LIST_REMOVE:
		if (wanted_plain)
			return 0;
		return plain ? line->classes : line->classes & ~e->wanted.classes;
	case LIST_OVERRULE:
		return wanted_plain || plain ? 0 : line->classes & ~e->wanted.classes;
	}
	return line->classes;
}

/* The line with other classes; its blanks and its comment stay. */
static void append_changed(
    struct edit *e, const char *bytes, size_t whole, const struct list_line *line, unsigned classes)
{
	char text[LIST_CLASSES_MAX];
	list_classes_format(classes, text);
	g_string_append_len(e->out, bytes, (gssize)line->key_end);
	g_string_append(e->out, text);
	g_string_append_len(e->out, bytes + line->end, (gssize)(whole - line->end));
	e->changed = true;
}

static void edit_line(struct edit *e, const char *bytes, size_t len, size_t whole)
{
	struct list_line line;
	/* Of any kind: what is wrong in this list may be taken out of it all the same. */
	bool sound = list_line_read(LIST_ALLOW, bytes, len, &line, NULL) == RC_OK;
	if (!sound || strcmp(line.key, e->wanted.key) != 0) {
		e->entries += sound && line.key[0] != '\0';
		g_string_append_len(e->out, bytes, (gssize)whole);
		return;
	}
	unsigned left = classes_left(e, &line);
	if (left == line.classes) {
		g_string_append_len(e->out, bytes, (gssize)whole);
		e->missing &= ~left;
	} else if (left != 0) {
		append_changed(e, bytes, whole, &line, left);
	} else if (e->change == LIST_ADD && e->missing != 0) {
		/* The entry takes the place of what it replaces. */
		append_changed(e, bytes, whole, &line, e->wanted.classes);
		e->missing = 0;
	} else {
		e->changed = true;
	}
}

static void append_entry(struct edit *e, const char *entry)
{
	const char *first = strchr(e->out->str, '\n');
	const char *newline =
	    first != NULL && first > e->out->str && first[-1] == '\r' ? "\r\n" : "\n";
	if (e->out->len > 0 && e->out->str[e->out->len - 1] != '\n')
		g_string_append(e->out, newline);
	g_string_append_printf(e->out, "%s%s", entry, newline);
	e->changed = true;
}

enum rc list_edit(enum list_kind kind, const char *text, const char *entry, enum list_change change,
    char **text_out, bool *changed_out, struct err *err)
{
	char normal[LIST_ENTRY_MAX];
	struct edit e = {.change = change};
	enum rc rc =
	    list_entry_normalise(change == LIST_ADD ? kind : LIST_ALLOW, entry, normal, err);
	if (rc == RC_OK)
		rc = list_line_read(LIST_ALLOW, normal, strlen(normal), &e.wanted, err);
	if (rc != RC_OK)
		return rc;
	e.missing = change == LIST_ADD ? e.wanted.classes : 0;
	e.out = g_string_new(NULL);
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		size_t whole = len + (line[len] == '\n');
		edit_line(&e, line, len, whole);
		line += whole;
	}
	if (e.missing != 0)
		append_entry(&e, normal);
	if (e.out->len > LIST_FILE_MAX)
		rc = err_set(err, RC_PERM, "the list would be larger than %d bytes", LIST_FILE_MAX);
	else if (change == LIST_ADD && e.changed && e.entries >= LIST_ENTRIES_MAX)
		rc = err_set(
		    err, RC_PERM, "the list would have more than %d entries", LIST_ENTRIES_MAX);
	if (rc != RC_OK) {
		g_string_free(e.out, TRUE);
		return rc;
	}
	*changed_out = e.changed;
	*text_out = g_string_free(e.out, FALSE);
	return RC_OK;
}
