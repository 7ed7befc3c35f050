/*
 * cmd_lists.c: the user's lists, and whom he knows: pullyu allow, hold, forget, learned.
 */
#include <config.h>

#include "cli/commands.h"

#include <string.h>
#include <sysexits.h>

#include "cli/call.h"
#include "cli/out.h"

int cmd_lists(const struct cli *cli)
{
	static const struct {
		const char *name, *done, *already;
	} words[] = {
	    {"allow", "allowed", "was allowed already"},
	    {"hold", "held from now on", "was held already"},
	    {"forget", "forgotten", "was on no list"},
	};
	json_t *reply = NULL;
	int status = call(cli,
	    json_pack("{s:s,s:s,s:s}", "op", cli->command->name, "user", cli->argv[0], "entry",
		cli->argv[1]),
	    CALL_SHORT, &reply, NULL);
	if (status != EX_OK)
		return status;
	/* The text is the entry as it stands in the list. */
	const char *entry = reply_text(reply, "text");
	bool changed = json_is_true(json_object_get(reply, "changed"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(cli->command->name, words[i].name) == 0)
			out_line("%s: %s", entry[0] == '\0' ? cli->argv[1] : entry,
			    changed ? words[i].done : words[i].already);
	json_decref(reply);
	return EX_OK;
}

static void add_row(struct table *table, const char *what, const char *entry, const char *when)
{
	const char *cells[] = {what, when, entry};
	table_row(table, cells);
}

static void print_learned(const json_t *reply)
{
	static const char *const titles[] = {"WHAT", "LAST MAIL", "ENTRY", NULL};
	static const char *const lists[] = {"allow", "hold"};
	struct table *table = table_new(titles);
	size_t i;
	json_t *value;
	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
		json_array_foreach(json_object_get(reply, lists[l]), i, value)
		{
			const char *entry = json_string_value(value);
			add_row(table, lists[l], entry, NULL);
		}
	json_array_foreach(json_object_get(reply, "known"), i, value)
	{
		const char *when = reply_text(value, "when");
		add_row(
		    table, "known", reply_text(value, "address"), when[0] == '\0' ? NULL : when);
	}
	table_end(table);
}

int cmd_learned(const struct cli *cli)
{
	json_t *reply = NULL;
	int status = call(cli, json_pack("{s:s,s:s}", "op", "learned", "user", cli->argv[0]),
	    CALL_SHORT, &reply, NULL);
	if (status != EX_OK)
		return status;
	const json_t *allow = json_object_get(reply, "allow");
	const json_t *hold = json_object_get(reply, "hold");
	const json_t *known = json_object_get(reply, "known");
	if (!json_is_array(allow) || !json_is_array(hold) || !json_is_array(known)) {
		out_error("pullyud sent no lists");
		status = EX_PROTOCOL;
	} else if (cli->json) {
		json_object_del(reply, "rc");
		out_json(reply);
	} else if (json_array_size(allow) + json_array_size(hold) + json_array_size(known) == 0) {
		out_line("%s has no lists and has written to nobody", cli->argv[0]);
	} else {
		print_learned(reply);
	}
	if (status == EX_OK && !cli->json) {
		if (json_is_true(json_object_get(reply, "cut")))
			out_error("there is more than is shown");
		if (reply_text(reply, "problem")[0] != '\0')
			out_error("the last good lists, for %s", reply_text(reply, "problem"));
	}
	json_decref(reply);
	return status;
}
