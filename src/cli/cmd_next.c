/*
 * cmd_next.c: pullyu next: the slots to come, of a user or of a settings file, without pullyud.
 */
#include <config.h>

#include "cli/commands.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>

#include "base/clock.h"
#include "cli/call.h"
#include "cli/next_words.h"
#include "cli/out.h"
#include "policy/schedule.h"

enum { COUNT_DEFAULT = 5 };

/* The site's defaults, or the built-in ones on a machine that has no pullyu.conf: a settings file
 * can be looked at anywhere. */
static int defaults_read(const struct cli *cli, struct settings *defaults_out)
{
	int status = EX_OK;
	if (!cli->config_given && access(cli->config, F_OK) != 0) {
		conf_table_defaults(settings_table, settings_table_n, defaults_out);
		return EX_OK;
	}
	struct conf *conf = call_conf(cli, &status);
	if (conf != NULL)
		settings_copy(&conf->defaults, defaults_out);
	conf_unref(&conf);
	return status;
}

static int settings_of_file(const struct cli *cli, struct settings *settings_out)
{
	struct settings defaults = {0};
	struct err err;
	int status = defaults_read(cli, &defaults);
	if (status != EX_OK)
		return status;
	enum rc rc =
	    settings_load(cli->settings, &defaults, call_complain, NULL, settings_out, NULL, &err);
	settings_clear(&defaults);
	if (rc == RC_OK)
		return EX_OK;
	if (rc != RC_PERM)
		out_error("%s", err.text);
	return rc == RC_PERM ? EX_CONFIG : EX_NOINPUT;
}

static int settings_of_user(const struct cli *cli, struct settings *settings_out)
{
	struct users *users = NULL;
	struct user *user = NULL;
	char key[ADDR_MAX];
	struct err err;
	int status = EX_OK;
	struct conf *conf = call_conf(cli, &status);
	if (conf == NULL)
		return status;
	enum rc rc = call_users(conf, &users, &err);
	if (rc != RC_OK) {
		status = EX_CONFIG;
		goto out;
	}
	rc = users_key(users, cli->argv[0], key, &err);
	if (rc != RC_OK) {
		status = EX_NOUSER;
		goto out;
	}
	rc = users_get(users, key, &user, &err);
	if (rc != RC_OK) {
		status = EX_NOUSER;
		goto out;
	}
	if (user->problem[0] != '\0')
		out_error("%s", user->problem);
	if (user->usable)
		settings_copy(&user->settings, settings_out);
	else
		status = EX_CONFIG;
	settings_out->enabled = user->takes_part;
out:
	if (rc != RC_OK)
		out_error("%s", err.text);
	user_unref(&user);
	users_free(&users);
	conf_unref(&conf);
	return status;
}

static void print_slot(const struct schedule *schedule, int64_t slot, const char *local)
{
	static const char *const days[] = {"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	GDateTime *when = g_date_time_new_from_iso8601(local, NULL);
	char *remark = next_remark(schedule, slot);
	out_line("%s %s%s%s", when == NULL ? "" : days[g_date_time_get_day_of_week(when)], local,
	    remark[0] == '\0' ? "" : " ", remark);
	g_free(remark);
	if (when != NULL)
		g_date_time_unref(when);
}

static enum rc slots(const struct cli *cli, const struct settings *settings, int64_t after,
    json_t *json, struct err *err)
{
	int64_t count = cli->count == 0 ? COUNT_DEFAULT : cli->count;
	struct schedule schedule;
	enum rc rc = RC_OK;
	schedule_of(settings, &schedule);
	while (count-- > 0) {
		char local[SCHEDULE_TEXT_MAX], utc[SCHEDULE_TEXT_MAX];
		rc = schedule_next(&schedule, after, &after, err);
		if (rc == RC_OK)
			rc = schedule_format(
			    after, schedule_slot_zone(&schedule, after), local, err);
		if (rc == RC_OK)
			rc = schedule_format(after, NULL, utc, err);
		if (rc != RC_OK)
			break;
		if (cli->json)
			json_array_append_new(
			    json, json_pack("{s:s,s:s}", "local", local, "utc", utc));
		else
			print_slot(&schedule, after, local);
	}
	return rc;
}

static void print_words(const struct settings *settings, int64_t now)
{
	char *words = next_words(settings, now);
	char **lines = g_strsplit(g_strchomp(words), "\n", -1);
	out_line("%s", "");
	for (size_t i = 0; lines[i] != NULL; i++)
		out_line("%s", lines[i]);
	g_strfreev(lines);
	g_free(words);
}

int cmd_next(const struct cli *cli)
{
	struct settings settings = {0};
	struct err err;
	int64_t after = clock_now();
	int status = EX_OK;
	if ((cli->settings == NULL) == (cli->argc == 0)) {
		out_error("next: a user or --settings FILE, one of the two");
		return EX_USAGE;
	}
	if (cli->from != NULL && schedule_parse_time(cli->from, &after, &err) != RC_OK) {
		out_error("--from: %s", err.text);
		return EX_USAGE;
	}
	status = cli->settings != NULL ? settings_of_file(cli, &settings)
				       : settings_of_user(cli, &settings);
	if (status != EX_OK)
		goto out;
	json_t *json = json_array();
	enum rc rc = settings.enabled
	    ? slots(cli, &settings, after, json, &err)
	    : err_set(&err, RC_NOTFOUND, "takes no part: no digest comes");
	if (cli->json && (rc == RC_OK || rc == RC_NOTFOUND))
		out_json(json);
	json_decref(json);
	if (!cli->json && settings.enabled && (rc == RC_OK || rc == RC_NOTFOUND))
		print_words(&settings, after);
	if (rc != RC_OK && !(rc == RC_NOTFOUND && settings.enabled))
		out_error("%s: %s", cli->settings != NULL ? cli->settings : cli->argv[0], err.text);
	if (rc != RC_OK && rc != RC_NOTFOUND)
		status = EX_DATAERR;
out:
	settings_clear(&settings);
	return status;
}
