/*
 * cmd_report.c: pullyu report [USER | @DOMAIN]: what shadow mode would have held.
 */
#include <config.h>

#include "cli/commands.h"

#include <stdio.h>
#include <sysexits.h>

#include <glib.h>

#include "cli/call.h"
#include "cli/out.h"

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* A figure of an answer; "-" if it is none. g_free. */
static char *figure(const json_t *value)
{
	if (json_is_integer(value))
		return g_strdup_printf("%lld", (long long)json_integer_value(value));
	return json_is_real(value) ? g_strdup_printf("%.1f", json_real_value(value))
				   : g_strdup("-");
}

static void print_classes(const json_t *classes)
{
	static const char *const titles[] = {">MESSAGES", "CLASS", NULL};
	struct table *table = table_new(titles);
	const char *name;
	json_t *count;
	json_object_foreach((json_t *)classes, name, count)
	{
		char *messages = figure(count);
		const char *cells[] = {messages, name};
		table_row(table, cells);
		g_free(messages);
	}
	out_line("%s", "");
	table_end(table);
}

static void print_senders(const char *title, const json_t *senders)
{
	static const char *const titles[] = {">MESSAGES", ">MARGIN", "CLASS", "SENDER", NULL};
	size_t i;
	json_t *sender;
	if (json_array_size(senders) == 0)
		return;
	out_line("%s", "");
	out_line("%s:", title);
	struct table *table = table_new(titles);
	json_array_foreach(senders, i, sender)
	{
		char *messages = figure(json_object_get(sender, "messages"));
		char *margin = figure(json_object_get(sender, "margin"));
		const char *cells[] = {
		    messages, margin, reply_text(sender, "class"), reply_text(sender, "sender")};
		table_row(table, cells);
		g_free(messages);
		g_free(margin);
	}
	table_end(table);
}

static void print_rules(const json_t *rules)
{
	static const char *const titles[] = {">MESSAGES", "RULE", "WHY", NULL};
	size_t i;
	json_t *rule;
	if (json_array_size(rules) == 0)
		return;
	out_line("%s", "");
	struct table *table = table_new(titles);
	json_array_foreach(rules, i, rule)
	{
		char *messages = figure(json_object_get(rule, "messages"));
		const char *cells[] = {messages, reply_text(rule, "rule"), reply_text(rule, "why")};
		table_row(table, cells);
		g_free(messages);
	}
	table_end(table);
}

static void print_report(const json_t *reply)
{
	int64_t messages = reply_number(reply, "messages"), users = reply_number(reply, "users");
	int64_t digests = reply_number(reply, "digests"), saved = reply_number(reply, "saved");
	int64_t unreadable = reply_number(reply, "unreadable");
	if (unreadable > 0)
		out_error("of %lld user%s the counts make no sense; see the log of pullyud",
		    (long long)unreadable, plural(unreadable));
	if (messages == 0) {
		out_line("shadow mode has counted nothing");
		return;
	}
	out_line("shadow mode since %s, %lld user%s, last message %s", reply_text(reply, "since"),
	    (long long)users, plural(users), reply_text(reply, "last"));
	out_line("%lld message%s would have been held", (long long)messages, plural(messages));
	print_classes(json_object_get(reply, "classes"));
	print_senders(
	    "Look at these first: senders nearest to passing", json_object_get(reply, "nearest"));
	print_senders("The most frequent senders", json_object_get(reply, "senders"));
	print_rules(json_object_get(reply, "rules"));
	out_line("%s", "");
	out_line("interruptions saved: %lld message%s - %lld digest%s = %lld", (long long)messages,
	    plural(messages), (long long)digests, plural(digests), (long long)saved);
	out_line("time saved: %lld x %lld s to get back to work = %.1f hours", (long long)saved,
	    (long long)reply_number(reply, "seconds_each"),
	    json_number_value(json_object_get(reply, "hours")));
}

int cmd_report(const struct cli *cli)
{
	json_t *reply = NULL;
	const char *who = cli->argc == 0 ? NULL : cli->argv[0];
	bool domain = who != NULL && who[0] == '@';
	json_t *request = json_pack("{s:s}", "op", "report");
	json_t *name = who == NULL ? NULL : json_string(domain ? who + 1 : who);
	if (who != NULL && name == NULL)
		g_clear_pointer(&request, json_decref);
	if (name != NULL)
		json_object_set_new(request, domain ? "domain" : "user", name);
	if (cli->reset && request != NULL)
		json_object_set_new(request, "reset", json_true());
	int status = call(cli, request, CALL_LONG, &reply, NULL);
	if (status != EX_OK)
		return status;
	if (!json_is_integer(json_object_get(reply, "messages")) ||
	    !json_is_object(json_object_get(reply, "classes"))) {
		out_error("pullyud sent no report");
		status = EX_PROTOCOL;
	} else if (cli->json) {
		json_object_del(reply, "rc");
		out_json(reply);
	} else {
		print_report(reply);
		if (cli->reset)
			out_line("the counts begin anew");
	}
	json_decref(reply);
	return status;
}
