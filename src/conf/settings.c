/*
 * settings.c: see settings.h.
 */
#include <config.h>

#include "conf/settings.h"

#include <stddef.h>
#include <string.h>

#include <glib.h>

const struct conf_option settings_table[] = {
#define OPTION(section, key, type, field, min, max, choices, dflt, help) \
	{section, key, type, offsetof(struct settings, field), min, max, choices, dflt, help},
#include "conf/settings_options.h"
#undef OPTION
};
const size_t settings_table_n = G_N_ELEMENTS(settings_table);

enum rc settings_from_ini(const struct ini *ini, const struct settings *defaults,
    ini_problem_fn *problem, void *ctx, struct settings *settings_out, struct err *err)
{
	struct settings settings;
	settings_copy(defaults, &settings);
	enum rc rc =
	    conf_table_apply(settings_table, settings_table_n, ini, &settings, problem, ctx, err);
	if (rc == RC_OK && settings.timezone == NULL) /* "timezone =" unset it */
		settings.timezone = g_strdup(defaults->timezone);
	if (rc == RC_OK)
		*settings_out = settings;
	else
		settings_clear(&settings);
	return rc;
}

enum rc settings_load(const char *path, const struct settings *defaults, ini_problem_fn *problem,
    void *ctx, struct settings *settings_out, struct stat *st_out, struct err *err)
{
	struct ini *ini = NULL;
	enum rc rc = ini_load(path, problem, ctx, &ini, err);
	if (rc != RC_OK)
		return rc;
	rc = settings_from_ini(ini, defaults, problem, ctx, settings_out, err);
	if (rc == RC_OK && st_out != NULL)
		*st_out = ini->st;
	ini_free(&ini);
	return rc;
}

void settings_copy(const struct settings *from, struct settings *to)
{
	memset(to, 0, sizeof(*to));
	conf_table_copy(settings_table, settings_table_n, from, to);
}

void settings_clear(struct settings *settings)
{
	conf_table_clear(settings_table, settings_table_n, settings);
}
