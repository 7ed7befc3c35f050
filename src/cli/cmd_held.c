/*
 * cmd_held.c: what waits for a user: pullyu list, show, preview, release.
 */
#include <config.h>

#include "cli/commands.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>

#include "cli/call.h"
#include "cli/out.h"

static char *sender(const json_t *message)
{
	const char *name = reply_text(message, "from_name");
	return g_strdup(name[0] != '\0' ? name : reply_text(message, "from_addr"));
}

static void print_list(const json_t *messages)
{
	static const char *const titles[] = {
	    "ID", "RECEIVED", ">SIZE", "CLASS", "FROM", "SUBJECT", NULL};
	struct table *table = table_new(titles);
	size_t i;
	json_t *message;
	json_array_foreach(messages, i, message)
	{
		char *from = sender(message);
		char *size = g_format_size((guint64)MAX(reply_number(message, "size"), 0));
		const char *cells[] = {reply_text(message, "id"), reply_text(message, "received"),
		    size, reply_text(message, "class"), from, reply_text(message, "subject")};
		table_row(table, cells);
		g_free(size);
		g_free(from);
	}
	table_end(table);
}

int cmd_list(const struct cli *cli)
{
	json_t *reply = NULL;
	int status = call(cli, json_pack("{s:s,s:s}", "op", "list", "user", cli->argv[0]),
	    CALL_SHORT, &reply, NULL);
	if (status != EX_OK)
		return status;
	json_t *messages = json_object_get(reply, "messages");
	if (!json_is_array(messages)) {
		out_error("pullyud sent no list");
		status = EX_PROTOCOL;
	} else if (cli->json) {
		out_json(messages);
	} else if (json_array_size(messages) == 0) {
		out_line("nothing waits for %s", cli->argv[0]);
	} else {
		print_list(messages);
	}
	json_decref(reply);
	return status;
}

/* A request that is answered by a file. */
static int print_file(const struct cli *cli, json_t *request, json_t **reply_out)
{
	json_t *reply = NULL;
	int fd = -1;
	int status = call(cli, request, CALL_LONG, &reply, &fd);
	if (status != EX_OK)
		return status;
	if (fd < 0 || reply_number(reply, "lead") < 0) {
		out_error("pullyud sent no message");
		status = EX_PROTOCOL;
	} else if (!out_file(fd, reply_number(reply, "lead"))) {
		status = EX_IOERR;
	}
	if (fd >= 0)
		close(fd);
	*reply_out = reply;
	return status;
}

int cmd_show(const struct cli *cli)
{
	json_t *reply = NULL;
	int status = print_file(cli,
	    json_pack("{s:s,s:s,s:s}", "op", "show", "user", cli->argv[0], "id", cli->argv[1]),
	    &reply);
	json_decref(reply);
	return status;
}

int cmd_preview(const struct cli *cli)
{
	static const char *const formats[] = {"eml", "text", "html", NULL};
	const char *format = cli->format == NULL ? formats[0] : cli->format;
	json_t *reply = NULL;
	if (!g_strv_contains(formats, format)) {
		out_error("--format: eml, text or html, not \"%s\"", format);
		return EX_USAGE;
	}
	int status = print_file(cli,
	    json_pack("{s:s,s:s,s:s,s:I}", "op", "preview", "user", cli->argv[0], "form", format,
		"part", (json_int_t)cli->part),
	    &reply);
	long long part = reply_number(reply, "part"), parts = reply_number(reply, "parts");
	const char *problem = json_string_value(json_object_get(reply, "problem"));
	if (problem != NULL)
		out_error("the template is not used: %s", problem);
	if (parts > 1)
		out_error("part %lld of %lld%s", part, parts,
		    part < parts ? "; --part shows the others" : "");
	json_decref(reply);
	return status;
}

/* NULL if something that was typed is not valid UTF-8. */
static json_t *release_request(const struct cli *cli)
{
	json_t *request = json_pack("{s:s,s:s}", "op", "release", "user", cli->argv[0]);
	if (request == NULL || cli->argc == 1)
		return request;
	json_t *ids = json_array();
	bool valid = true;
	for (int i = 1; i < cli->argc; i++)
		valid = json_array_append_new(ids, json_string(cli->argv[i])) == 0 && valid;
	json_object_set_new(request, "ids", ids);
	if (!valid) {
		json_decref(request);
		return NULL;
	}
	return request;
}

int cmd_release(const struct cli *cli)
{
	json_t *reply = NULL;
	int status = call(cli, release_request(cli), CALL_LONG, &reply, NULL);
	if (status != EX_OK)
		return status;
	int64_t count = reply_number(reply, "count"), left = reply_number(reply, "left");
	if (count == 0 && left == 0)
		out_line("nothing waits for %s", cli->argv[0]);
	else
		out_line(
		    "%lld %s delivered", (long long)count, count == 1 ? "message" : "messages");
	if (left > 0 && cli->argc == 1) {
		out_error("%lld could not be delivered yet", (long long)left);
		status = EX_TEMPFAIL;
	}
	json_decref(reply);
	return status;
}
