/*
 * cmd_daemon.c: pullyud as a whole: pullyu status, metrics, rebuild, drain.
 */
#include <config.h>

#include "cli/commands.h"

#include <string.h>
#include <sysexits.h>

#include <glib.h>

#include "cli/call.h"
#include "cli/out.h"

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_users(const json_t *users)
{
	static const char *const titles[] = {
	    "USER", ">HELD", "OLDEST", "NEXT DIGEST", "NOTE", NULL};
	struct table *table = table_new(titles);
	size_t i;
	json_t *user;
	json_array_foreach(users, i, user)
	{
		int64_t failures = reply_number(user, "failures");
		int64_t refused = reply_number(user, "refused");
		char *held = g_strdup_printf("%lld", (long long)reply_number(user, "held"));
		char *note = json_is_true(json_object_get(user, "under_way"))
		    ? g_strdup("a release is under way")
		    : failures > 0
		    ? g_strdup_printf("put off %lld time%s", (long long)failures, plural(failures))
		    : refused > 0 ? g_strdup_printf("the MTA refused %lld more", (long long)refused)
				  : g_strdup("");
		const char *cells[] = {reply_text(user, "user"), held, reply_text(user, "oldest"),
		    reply_text(user, "next"), note};
		table_row(table, cells);
		g_free(note);
		g_free(held);
	}
	table_end(table);
}

int cmd_status(const struct cli *cli)
{
	json_t *reply = NULL;
	int status = call(cli, json_pack("{s:s}", "op", "status"), CALL_SHORT, &reply, NULL);
	if (status != EX_OK)
		return status;
	const json_t *users = json_object_get(reply, "users");
	if (!json_is_array(users)) {
		out_error("pullyud sent no status");
		status = EX_PROTOCOL;
	} else if (cli->json) {
		json_object_del(reply, "rc");
		out_json(reply);
	} else {
		int64_t held = reply_number(reply, "held");
		out_line("pullyud %s, running since %s", reply_text(reply, "version"),
		    reply_text(reply, "since"));
		out_line("%lld message%s held, %lld on the way in", (long long)held, plural(held),
		    (long long)reply_number(reply, "incoming"));
		if (json_array_size(users) > 0) {
			out_line("%s", "");
			print_users(users);
		}
	}
	json_decref(reply);
	return status;
}

/* Metric names (Prometheus, data model): letters, digits, "_" and ":". */
static bool is_metric_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && *p != '_' && *p != ':')
			return false;
	return name[0] != '\0';
}

/* The Prometheus text format, version 0.0.4. */
static void print_metric(const char *name, const json_t *value)
{
	const char *prefix = g_str_has_prefix(name, "pullyu_") ? "" : "pullyu_";
	if (!is_metric_name(name) || !json_is_number(value))
		return;
	printf("# TYPE %s%s %s\n%s%s ", prefix, name,
	    g_str_has_suffix(name, "_total") ? "counter" : "gauge", prefix, name);
	if (json_is_integer(value)) {
		printf("%lld\n", (long long)json_integer_value(value));
	} else {
		char number[G_ASCII_DTOSTR_BUF_SIZE];
		printf("%s\n", g_ascii_dtostr(number, sizeof(number), json_real_value(value)));
	}
}

int cmd_metrics(const struct cli *cli)
{
	json_t *reply = NULL;
	const char *name;
	json_t *value;
	int status = call(cli, json_pack("{s:s}", "op", "metrics"), CALL_SHORT, &reply, NULL);
	if (status != EX_OK)
		return status;
	json_t *metrics = json_object_get(reply, "metrics");
	if (!json_is_object(metrics)) {
		out_error("pullyud sent no metrics");
		status = EX_PROTOCOL;
	} else if (cli->json) {
		out_json(metrics);
	} else {
		json_object_foreach(metrics, name, value) print_metric(name, value);
	}
	json_decref(reply);
	return status;
}

int cmd_rebuild(const struct cli *cli)
{
	json_t *reply = NULL;
	int status = call(cli, json_pack("{s:s}", "op", "rebuild"), CALL_LONG, &reply, NULL);
	if (status != EX_OK)
		return status;
	int64_t changed = reply_number(reply, "changed");
	if (changed == 0)
		out_line("the index was right");
	else
		out_line("%lld entr%s of the index put right", (long long)changed,
		    changed == 1 ? "y" : "ies");
	json_decref(reply);
	return EX_OK;
}

int cmd_drain(const struct cli *cli)
{
	json_t *reply = NULL;
	json_t *request = cli->argc == 0
	    ? json_pack("{s:s}", "op", "drain")
	    : json_pack("{s:s,s:s}", "op", "drain", "user", cli->argv[0]);
	int status = call(cli, request, CALL_LONG, &reply, NULL);
	if (status != EX_OK)
		return status;
	int64_t count = reply_number(reply, "count"), left = reply_number(reply, "left");
	out_line("%lld message%s delivered, %lld left", (long long)count, plural(count),
	    (long long)left);
	json_decref(reply);
	return left > 0 ? EX_TEMPFAIL : EX_OK;
}
