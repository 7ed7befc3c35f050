/*
 * table.c: see table.h. Applying has two halves: all entries are parsed into values of their own
 * first, and moved into the target only when there was no problem.
 */
#include <config.h>

#include "conf/table.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "conf/dates.h"
#include "conf/problems.h"
#include "conf/times.h"
#include "conf/value.h"

struct parsed {
	const struct conf_option *option;
	union {
		char *string;
		char **vector;
		int64_t number;
		bool yes;
		int choice;
		struct times times;
		struct exceptions exceptions;
		int32_t day;
		struct stay stay;
	} value; /* one field for each size that value_size knows */
};

static void *field_of(const struct conf_option *option, void *target)
{
	return (char *)target + option->offset;
}

void conf_table_defaults(const struct conf_option *table, size_t n, void *target)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_option *o = &table[i];
		struct err err;
		memset(field_of(o, target), 0, value_size(o->type));
		if (o->dflt != NULL && value_parse(o, o->dflt, field_of(o, target), &err) != RC_OK)
			g_error("default of [%s] %s: %s", o->section, o->key, err.text);
	}
}

void conf_table_clear(const struct conf_option *table, size_t n, void *target)
{
	for (size_t i = 0; i < n; i++)
		value_clear(table[i].type, field_of(&table[i], target));
}

void conf_table_copy(const struct conf_option *table, size_t n, const void *from, void *to)
{
	for (size_t i = 0; i < n; i++)
		value_copy(
		    table[i].type, (const char *)from + table[i].offset, field_of(&table[i], to));
}

static bool has_section(const struct conf_option *table, size_t n, const char *section)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].section, section) == 0)
			return true;
	return false;
}

/* "[paths] [users]", or the keys of a section: what would be right. The caller frees it. */
static char *known_names(const struct conf_option *table, size_t n, const char *section)
{
	GString *names = g_string_new(NULL);
	for (size_t i = 0; i < n; i++) {
		const struct conf_option *o = &table[i];
		if (section != NULL && strcmp(o->section, section) == 0)
			g_string_append_printf(names, " %s", o->key);
		else if (section == NULL && (i == 0 || strcmp(o->section, o[-1].section) != 0))
			g_string_append_printf(names, " [%s]", o->section);
	}
	return g_string_free(names, FALSE);
}

static void check_sections(
    const struct conf_option *table, size_t n, const struct ini *ini, struct problems *problems)
{
	for (size_t s = 0; s < ini->n_sections; s++) {
		const char *file = ini->path;
		int line = 0;
		if (has_section(table, n, ini->sections[s]))
			continue;
		for (size_t i = ini->n_entries; i-- > 0;)
			if (strcmp(ini->entries[i].section, ini->sections[s]) == 0) {
				file = ini->entries[i].file;
				line = ini->entries[i].line;
			}
		char *names = known_names(table, n, NULL);
		problems_add(problems, file, line, "[%s] is no section here; there are:%s",
		    ini->sections[s], names);
		g_free(names);
	}
}

static const struct conf_option *find(
    const struct conf_option *table, size_t n, const char *section, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if ((section == NULL || strcmp(table[i].section, section) == 0) &&
		    strcmp(table[i].key, key) == 0)
			return &table[i];
	return NULL;
}

static void unknown_key(const struct conf_option *table, size_t n, const struct ini_entry *entry,
    struct problems *problems)
{
	const struct conf_option *elsewhere = find(table, n, NULL, entry->key);
	if (elsewhere != NULL) {
		problems_add(problems, entry->file, entry->line,
		    "[%s] %s: no such key here; it belongs in [%s]", entry->section, entry->key,
		    elsewhere->section);
		return;
	}
	char *names = known_names(table, n, entry->section);
	problems_add(problems, entry->file, entry->line, "[%s] %s: no such key; there are:%s",
	    entry->section, entry->key, names);
	g_free(names);
}

enum rc conf_table_apply(const struct conf_option *table, size_t n, const struct ini *ini,
    void *target, ini_problem_fn *problem, void *ctx, struct err *err)
{
	struct problems problems = {.fn = problem, .ctx = ctx};
	GArray *all = g_array_new(FALSE, TRUE, sizeof(struct parsed));
	check_sections(table, n, ini, &problems);
	for (size_t i = 0; i < ini->n_entries; i++) {
		const struct ini_entry *entry = &ini->entries[i];
		struct parsed parsed = {.option = find(table, n, entry->section, entry->key)};
		struct err why;
		if (!has_section(table, n, entry->section))
			continue; /* reported once for the section */
		if (parsed.option == NULL)
			unknown_key(table, n, entry, &problems);
		else if (value_parse(parsed.option, entry->value, &parsed.value, &why) != RC_OK)
			problems_add(&problems, entry->file, entry->line, "[%s] %s: %s",
			    entry->section, entry->key, why.text);
		else
			g_array_append_val(all, parsed);
	}
	for (guint i = 0; i < all->len; i++) {
		struct parsed *parsed = &g_array_index(all, struct parsed, i);
		enum conf_type type = parsed->option->type;
		if (problems.n == 0) {
			void *field = field_of(parsed->option, target);
			value_clear(type, field);
			memcpy(field, &parsed->value, value_size(type));
		} else {
			value_clear(type, &parsed->value);
		}
	}
	g_array_free(all, TRUE);
	return problems_result(&problems, err);
}
