/*
 * settings_edit.c: see settings_edit.h; ini.h has the syntax. Only a text that the checker accepts
 * is edited, so that a line can be taken apart without another look at what may be wrong with it;
 * and what comes out is checked again, so that a mistake here is no mistake in a file.
 */
#include <config.h>

#include "conf/settings_edit.h"

#include <string.h>

#include <glib.h>

#include "base/str.h"

#define LABEL "settings.ini"

/* ---- checking ---- */

static enum rc check(const char *text, size_t len, const struct settings *defaults,
    ini_problem_fn *problem, void *ctx, struct settings *settings_out, struct ini **ini_out,
    struct err *err)
{
	const struct stat st = {0};
	struct settings own = {0}, settings = {0};
	struct ini *ini = NULL;
	enum rc rc = ini_parse(LABEL, text, len, &st, problem, ctx, &ini, err);
	if (rc == RC_OK && defaults == NULL)
		conf_table_defaults(settings_table, settings_table_n, &own);
	if (rc == RC_OK)
		rc = settings_from_ini(
		    ini, defaults == NULL ? &own : defaults, problem, ctx, &settings, err);
	settings_clear(&own);
	if (rc == RC_OK && settings_out != NULL)
		*settings_out = settings;
	else
		settings_clear(&settings);
	if (rc == RC_OK && ini_out != NULL)
		*ini_out = ini;
	else
		ini_free(&ini);
	return rc;
}

enum rc settings_check_text(const char *text, size_t len, const struct settings *defaults,
    struct settings *settings_out, struct err *err)
{
	return check(text, len, defaults, NULL, NULL, settings_out, NULL, err);
}

static const struct ini_entry *find_entry(
    const struct ini *ini, const char *section, const char *key)
{
	for (size_t i = 0; i < ini->n_entries; i++)
		if (strcmp(ini->entries[i].section, section) == 0 &&
		    strcmp(ini->entries[i].key, key) == 0)
			return &ini->entries[i];
	return NULL;
}

/* ---- lines ---- */

static const char *line_end(const char *line)
{
	return line + strcspn(line, "\n");
}

static const char *line_at(const char *text, int number)
{
	while (--number > 0)
		text = line_end(text) + 1;
	return text;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* Where the value of a line with a key begins, and where it ends: quotes belong to it, blanks and
 * comments behind it do not. */
static const char *value_of(const char *line, const char **end_out)
{
	const char *value = skip_blanks(strchr(line, '=') + 1), *end;
	if (*value == '"') {
		end = strchr(value + 1, '"') + 1;
	} else {
		end = value + strcspn(value, ";#\r\n");
		while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
	}
	*end_out = end;
	return value;
}

/* How the file ends its lines. */
static const char *newline_of(const char *text)
{
	const char *end = strchr(text, '\n');
	return end != NULL && end > text && end[-1] == '\r' ? "\r\n" : "\n";
}

/* ---- changing ---- */

static char *replace_value(const char *text, const char *line, const char *value)
{
	const char *end, *start = value_of(line, &end);
	bool blank_before = start[-1] == '=' && start == end;
	bool blank_behind = *value != '\0' && (*end == ';' || *end == '#');
	return g_strdup_printf("%.*s%s%s%s%s", (int)(start - text), text, blank_before ? " " : "",
	    value, blank_behind ? " " : "", end);
}

static char *remove_line(const char *text, const char *line)
{
	const char *end = line_end(line);
	return g_strdup_printf("%.*s%s", (int)(line - text), text, end + (*end == '\n'));
}

/* The new line, shaped like the one of another key; NULL: there is none to be like. */
static char *shape_line(const char *like, const char *key, const char *value)
{
	if (like == NULL)
		return g_strdup_printf("%s = %s", key, value);
	size_t indent = strspn(like, " \t");
	size_t name = strcspn(like + indent, " \t=");
	size_t equals = strcspn(like + indent, "=");
	const char *behind = skip_blanks(like + indent + equals + 1);
	size_t gap = (size_t)(behind - (like + indent + equals + 1));
	size_t pad = strlen(key) < equals ? equals - strlen(key) : equals > name;
	return g_strdup_printf("%.*s%s%*s=%s%s", (int)indent, like, key, (int)pad, "",
	    gap > 0 || equals > name ? " " : "", value);
}

/* Behind the line at `after`, which may be the last one and lack its end. */
static char *insert_line(const char *text, const char *after, const char *line)
{
	const char *newline = newline_of(text);
	const char *end = line_end(after);
	bool ended = *end == '\n';
	end += ended;
	return g_strdup_printf(
	    "%.*s%s%s%s%s", (int)(end - text), text, ended ? "" : newline, line, newline, end);
}

/* The line that heads the section, or NULL. */
static const char *find_section(const char *text, const char *section)
{
	for (const char *line = text; *line != '\0';) {
		const char *end = line_end(line), *s = line + strspn(line, " \t\r");
		if (*s == '[') {
			char *name = g_strndup(s + 1, strcspn(s + 1, "]\n"));
			bool same = g_ascii_strcasecmp(str_trim(name), section) == 0;
			g_free(name);
			if (same)
				return line;
		}
		line = end + (*end == '\n');
	}
	return NULL;
}

static char *append_section(
    const char *text, const char *section, const char *key, const char *value)
{
	const char *newline = newline_of(text);
	size_t len = strlen(text);
	return g_strdup_printf("%s%s%s[%s]%s%s = %s%s", text,
	    len == 0 || text[len - 1] == '\n' ? "" : newline, len == 0 ? "" : newline, section,
	    newline, key, value, newline);
}

static char *add_key(const struct ini *ini, const char *text, const char *section, const char *key,
    const char *value)
{
	const char *like = NULL, *head = find_section(text, section);
	for (size_t i = 0; i < ini->n_entries; i++)
		if (strcmp(ini->entries[i].section, section) == 0)
			like = line_at(text, ini->entries[i].line);
	if (head == NULL)
		return append_section(text, section, key, value);
	char *line = shape_line(like, key, value);
	char *all = insert_line(text, like == NULL ? head : like, line);
	g_free(line);
	return all;
}

/* ---- all of it ---- */

static enum rc check_arguments(
    const char *section, const char *key, const char *value, struct err *err)
{
	bool known = false;
	for (size_t i = 0; i < settings_table_n; i++)
		known |= strcmp(settings_table[i].section, section) == 0 &&
		    strcmp(settings_table[i].key, key) == 0;
	if (!known)
		return err_set(err, RC_PERM, "there is no setting [%.40s] %.40s", section, key);
	for (const char *p = value; p != NULL && *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, RC_PERM, "[%s] %s: control character 0x%02x", section,
			    key, (unsigned)(unsigned char)*p);
		if (strchr("\";#", *p) != NULL)
			return err_set(err, RC_PERM, "[%s] %s: '%c' cannot stand in a value",
			    section, key, *p);
	}
	return RC_OK;
}

/* Of the new text: what is wrong without the line, which nobody has seen yet. */
static void keep_first(void *ctx, const char *file, int line, const char *text)
{
	struct err *first = ctx;
	(void)file, (void)line;
	if (first->text[0] == '\0')
		err_set(first, RC_PERM, "%s", text);
}

static enum rc check_result(
    const char *text, const char *section, const char *key, const char *value, struct err *err)
{
	struct err first = {.text = ""}, why;
	struct ini *ini = NULL;
	enum rc rc = check(text, strlen(text), NULL, keep_first, &first, NULL, &ini, &why);
	if (rc != RC_OK)
		return err_set(err, rc, "%s", first.text[0] != '\0' ? first.text : why.text);
	const struct ini_entry *entry = find_entry(ini, section, key);
	bool right =
	    value == NULL ? entry == NULL : entry != NULL && strcmp(entry->value, value) == 0;
	ini_free(&ini);
	return right ? RC_OK
		     : err_set(err, RC_PERM, "[%s] %s: a file cannot hold '%.80s'", section, key,
			   value == NULL ? "" : value);
}

enum rc settings_edit(const char *text, const char *section, const char *key, const char *value,
    char **text_out, bool *changed_out, struct err *err)
{
	struct ini *ini = NULL;
	char *trimmed = g_strdup(value), *all;
	const char *wanted = trimmed == NULL ? NULL : str_trim(trimmed);
	enum rc rc = check_arguments(section, key, wanted, err);
	if (rc == RC_OK)
		rc = check(text, strlen(text), NULL, NULL, NULL, NULL, &ini, err);
	if (rc != RC_OK)
		goto out;
	const struct ini_entry *entry = find_entry(ini, section, key);
	const char *line = entry == NULL ? NULL : line_at(text, entry->line);
	if (entry == NULL ? wanted == NULL : wanted != NULL && strcmp(entry->value, wanted) == 0)
		all = g_strdup(text);
	else if (entry == NULL)
		all = add_key(ini, text, section, key, wanted);
	else
		all = wanted == NULL ? remove_line(text, line) : replace_value(text, line, wanted);
	rc = check_result(all, section, key, wanted, err);
	if (rc == RC_OK) {
		*changed_out = strcmp(all, text) != 0;
		*text_out = all;
	} else {
		g_free(all);
	}
out:
	ini_free(&ini);
	g_free(trimmed);
	return rc;
}
