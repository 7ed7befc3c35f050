/*
 * cmd_lists.c: the user's lists: pullyu allow, hold, forget.
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
