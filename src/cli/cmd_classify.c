/*
 * cmd_classify.c: pullyu classify [--format text|tsv|json] [--rules DIR] FILE...
 *
 * tsv: path, class, action, score, comma-separated reasons. json: one object a line. The action is
 * that of the default policy, which holds newsletters and notifications.
 */
#include <config.h>

#include "cli/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

#include "classify/classify.h"
#include "cli/call.h"
#include "cli/out.h"
#include "cli/verdict_out.h"
#include "facts/facts.h"
#include "policy/rules_load.h"

enum format { FORMAT_TEXT, FORMAT_TSV, FORMAT_JSON };

static const char *action_of(const struct verdict *v)
{
	return v->cls == CLASS_NEWSLETTER || v->cls == CLASS_NOTIFICATION ? "hold" : "pass";
}

static void print_text(const char *path, const struct verdict *v)
{
	printf("%s: %s, %s by default (score %.1f)\n", path, class_name(v->cls),
	    strcmp(action_of(v), "hold") == 0 ? "held" : "passes", v->score);
	verdict_print(v);
}

static void print_tsv(const char *path, const struct verdict *v)
{
	printf("%s\t%s\t%s\t%.1f\t", path, class_name(v->cls), action_of(v), v->score);
	for (size_t i = 0; i < v->n_reasons; i++)
		printf("%s%s", i > 0 ? "," : "", v->reasons[i].rule);
	printf("\n");
}

static void print_json(const char *path, const struct verdict *v)
{
	json_t *object = json_pack(
	    "{s:s, s:s, s:s}", "path", path, "class", class_name(v->cls), "action", action_of(v));
	json_t *rest = verdict_json(v);
	json_object_update(object, rest);
	json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(rest);
	json_decref(object);
}

/* ---- one file ---- */

static enum rc classify_file(
    const struct rules *rules, const char *path, struct verdict *verdict_out, struct err *err)
{
	struct facts *facts = NULL;
	int fd =
	    strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "%s", path);
	facts = facts_new();
	enum rc rc = facts_read(facts, fd, NULL, err);
	if (rc != RC_OK) {
		rc = err_prefix(err, RC_NOTFOUND, "%s", path);
	} else {
		rc = classify(rules, facts, verdict_out, err);
		if (rc != RC_OK)
			rc = err_prefix(err, rc, "%s", path);
	}
	facts_free(&facts);
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}

static void print_verdict(enum format format, const char *path, const struct verdict *v)
{
	/* A path may hold tabs, line breaks and bytes that are not UTF-8. */
	char *shown = out_clean(path);
	switch (format) {
	case FORMAT_TEXT:
		print_text(shown, v);
		break;
	case FORMAT_TSV:
		print_tsv(shown, v);
		break;
	case FORMAT_JSON:
		print_json(shown, v);
		break;
	}
	g_free(shown);
}

/* Returns whether there is such a format. */
static bool format_read(const char *name, enum format *format_out)
{
	static const char *const formats[] = {"text", "tsv", "json"};
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(formats); i++) {
		if (strcmp(name, formats[i]) == 0) {
			*format_out = (enum format)i;
			return true;
		}
	}
	return name == NULL;
}

/* The directory of --rules, else of pullyu.conf, else, where there is no pullyu.conf, the one of
 * the installation. NULL after a message. */
static char *rules_dir(const struct cli *cli, int *status_out)
{
	if (cli->rules != NULL)
		return g_strdup(cli->rules);
	if (!cli->config_given && access(cli->config, R_OK) != 0)
		return g_strdup(PULLYU_SYSCONFDIR "/rules.d");
	struct conf *conf = call_conf(cli, status_out);
	char *dir = conf == NULL ? NULL : g_strdup(conf->rules);
	conf_unref(&conf);
	return dir;
}

int cmd_classify(const struct cli *cli)
{
	enum format format = FORMAT_TEXT;
	struct rules *rules = NULL;
	struct err err;
	int status = EX_OK;
	if (!format_read(cli->format, &format)) {
		out_error("--format: text, tsv or json, not \"%s\"", cli->format);
		return EX_USAGE;
	}
	char *dir = rules_dir(cli, &status);
	if (dir == NULL)
		return status;
	enum rc rc = policy_rules_load(dir, call_complain, NULL, &rules, &err);
	g_free(dir);
	if (rc != RC_OK) {
		out_error("%s", err.text);
		return rc == RC_TEMP ? EX_TEMPFAIL : EX_CONFIG;
	}
	for (int i = 0; i < cli->argc; i++) {
		struct verdict verdict;
		rc = classify_file(rules, cli->argv[i], &verdict, &err);
		if (rc != RC_OK)
			out_error("%s", err.text);
		if (rc == RC_NOTFOUND)
			status = EX_NOINPUT;
		else
			print_verdict(format, cli->argv[i], &verdict);
	}
	rules_unref(&rules);
	return status;
}
