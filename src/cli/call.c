/*
 * call.c: see call.h.
 */
#include <config.h>

#include "cli/call.h"

#include <sysexits.h>

#include <glib.h>

#include "cli/out.h"
#include "control/control.h"

void call_complain(void *ctx, const char *file, int line, const char *text)
{
	(void)ctx;
	if (line > 0)
		out_error("%s:%d: %s", file, line, text);
	else
		out_error("%s: %s", file, text);
}

void call_problem(void *ctx, const char *file, int line, const char *text)
{
	size_t *count = ctx;
	(*count)++;
	if (line > 0)
		out_line("%s:%d: %s", file, line, text);
	else
		out_line("%s: %s", file, text);
}

struct conf *call_conf(const struct cli *cli, int *status_out)
{
	struct conf *conf = NULL;
	struct err err;
	enum rc rc = conf_load(cli->config, call_complain, NULL, &conf, &err);
	if (rc == RC_OK)
		return conf;
	/* Of a bad file each problem has been told. */
	if (rc != RC_PERM)
		out_error("%s", err.text);
	*status_out = EX_CONFIG;
	return NULL;
}

enum rc call_users(const struct conf *conf, struct users **users_out, struct err *err)
{
	const struct users_config config = {.settings_dir = conf->settings_dir,
	    .participants = conf->participants,
	    .system_domains = conf->system_domains,
	    .shadow_domains = conf->shadow_domains,
	    .delimiters = conf->delimiters,
	    .keep_case = conf->keep_case,
	    .defaults = &conf->defaults};
	return users_new(&config, users_out, err);
}

static int status_of(enum rc rc, const char *path)
{
	switch (rc) {
	case RC_OK:
		return EX_OK;
	case RC_NOTFOUND:
		return EX_NOINPUT;
	case RC_TEMP:
		return control_listening(path) ? EX_TEMPFAIL : EX_UNAVAILABLE;
	case RC_PERM:
		return EX_DATAERR;
	case RC_CORRUPT:
		break;
	}
	return EX_SOFTWARE;
}

int call(
    const struct cli *cli, json_t *request, int64_t timeout_ms, json_t **reply_out, int *fd_out)
{
	struct err err;
	int status;
	if (request == NULL) {
		out_error("%s: an argument is not valid UTF-8", cli->command->name);
		return EX_DATAERR;
	}
	struct conf *conf = call_conf(cli, &status);
	if (conf != NULL) {
		enum rc rc =
		    control_call(conf->control, request, timeout_ms, reply_out, fd_out, &err);
		status = status_of(rc, conf->control);
		if (status == EX_UNAVAILABLE)
			out_error("pullyud is not running, or not for you: %s", err.text);
		else if (status != EX_OK)
			out_error("%s", err.text);
	}
	conf_unref(&conf);
	json_decref(request);
	return status;
}

const char *reply_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text == NULL ? "" : text;
}

int64_t reply_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}
