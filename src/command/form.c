/*
 * form.c: see form.h.
 */
#include <config.h>

#include "command/form.h"

#include <string.h>

#include <glib.h>

/* The key of a form line, as settings spell it; "" if the line is none. *value_out is borrowed. */
static void form_key(const char *line, char key_out[32], const char **value_out, bool *equals_out)
{
	size_t len = strcspn(line, "=:");
	char *folded;
	key_out[0] = '\0';
	if (line[len] == '\0' || len > 60)
		return;
	char *name = g_strndup(line, len);
	folded = text_fold(g_strstrip(name));
	g_strdelimit(folded, " -", '_');
	if (folded[0] != '\0' && strlen(folded) < 32 &&
	    strspn(folded, "abcdefghijklmnopqrstuvwxyz_") == strlen(folded))
		g_strlcpy(key_out, folded, 32);
	*equals_out = line[len] == '=';
	*value_out = line + len + 1;
	g_free(name);
	g_free(folded);
}

struct command_form *form_find(struct command *command, const char *key)
{
	for (size_t i = 0; i < command->n_form; i++)
		if (strcmp(command->form[i].key, key) == 0)
			return &command->form[i];
	return NULL;
}

enum rc form_set(struct command_form *form, const char *key, const char *value, struct err *err)
{
	char *copy = g_strstrip(g_strdup(value));
	size_t len = strlen(copy);
	enum rc rc = RC_OK;
	if (len >= 2 && (copy[0] == '"' || copy[0] == '\'') && copy[len - 1] == copy[0]) {
		memmove(copy, copy + 1, len - 2);
		copy[len - 2] = '\0';
	}
	for (const char *p = copy; *p != '\0'; p++)
		if (g_ascii_iscntrl(*p))
			rc = err_set(err, RC_PERM, "%s: control characters are in its value", key);
	if (rc == RC_OK && len >= COMMAND_VALUE_MAX)
		rc = err_set(err, RC_PERM, "%s: more than %d bytes", key, COMMAND_VALUE_MAX - 1);
	if (rc == RC_OK) {
		g_strlcpy(form->key, key, sizeof(form->key));
		g_strlcpy(form->value, copy, sizeof(form->value));
	}
	g_free(copy);
	return rc;
}

static enum rc unknown_key(const char *key, const char *const *keys, struct err *err)
{
	char *names = g_strjoinv(", ", (char **)keys);
	enum rc rc =
	    err_set(err, RC_PERM, "there is nothing called '%s' here, only: %s", key, names);
	g_free(names);
	return rc;
}

/* Whether a client may have broken line i, so that the next one belongs to it. */
static bool goes_on(const struct text_lines *lines, size_t i)
{
	char key[32];
	const char *value;
	bool equals;
	if (!lines->rows[i].full || i + 1 == lines->n || lines->rows[i + 1].text[0] == '\0' ||
	    lines->rows[i + 1].quoted != lines->rows[i].quoted)
		return false;
	form_key(lines->rows[i + 1].text, key, &value, &equals);
	return key[0] == '\0';
}

/* Reads the lines that are quoted, or those that are not. */
static enum rc read_form(const struct text_lines *lines, const char *const *keys, bool quoted,
    struct command *command, struct err *err)
{
	size_t given = command->n_form; /* by lines that count for more */
	enum rc rc = RC_OK;
	for (size_t i = 0; i < lines->n && rc == RC_OK; i++) {
		char key[32];
		const char *value;
		bool equals;
		if (lines->rows[i].quoted != quoted)
			continue;
		form_key(lines->rows[i].text, key, &value, &equals);
		if (key[0] == '\0')
			continue;
		if (!g_strv_contains(keys, key)) {
			if (equals && !quoted)
				rc = unknown_key(key, keys, err);
			continue;
		}
		GString *whole = g_string_new(value);
		while (goes_on(lines, i))
			g_string_append_printf(whole, " %s", lines->rows[++i].text);
		struct command_form *form = form_find(command, key), fresh;
		rc = form_set(&fresh, key, whole->str, err);
		g_string_free(whole, TRUE);
		if (rc != RC_OK)
			break;
		if (form == NULL && command->n_form == COMMAND_FORM_MAX)
			rc = err_set(err, RC_PERM, "more than %d settings", COMMAND_FORM_MAX);
		else if (form == NULL)
			command->form[command->n_form++] = fresh;
		else if ((size_t)(form - command->form) >= given &&
		    strcmp(form->value, fresh.value) != 0)
			rc = err_set(err, RC_PERM, "%s is said twice, and not the same", key);
	}
	return rc;
}

enum rc form_read_unquoted(const struct text_lines *lines, const char *const *keys,
    struct command *command, struct err *err)
{
	return read_form(lines, keys, false, command, err);
}

enum rc form_read(const struct text_lines *lines, const char *const *keys, struct command *command,
    struct err *err)
{
	enum rc rc = form_read_unquoted(lines, keys, command, err);
	return rc == RC_OK ? read_form(lines, keys, true, command, err) : rc;
}
