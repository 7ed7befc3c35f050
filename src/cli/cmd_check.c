/*
 * cmd_check.c: pullyu check [USER]: everything that a person writes, read as the daemons read it.
 * Problems go to stdout, one a line, as "file:line: text"; the exit status is 1 if there is one.
 */
#include <config.h>

#include "cli/commands.h"

#include <stdlib.h>

#include <glib.h>

#include "base/fs.h"
#include "cli/call.h"
#include "cli/out.h"
#include "digest/template.h"
#include "policy/list.h"
#include "policy/rules_load.h"

/* What went wrong without a line of its own in a file. */
static void report(enum rc rc, const struct err *err, size_t told, size_t *count)
{
	if (rc == RC_OK || *count > told)
		return;
	(*count)++;
	out_line("%s", err->text);
}

static void check_rules(const struct conf *conf, size_t *count, GString *ok)
{
	struct rules *rules = NULL;
	struct err err;
	size_t told = *count;
	enum rc rc = policy_rules_load(conf->rules, call_problem, count, &rules, &err);
	report(rc, &err, told, count);
	if (rc == RC_OK)
		g_string_append_printf(ok, ", %zu rules", rules_count(rules));
	rules_unref(&rules);
}

/* users_new tells the first mistake of the participants file; here is every one. */
static void check_participants(const char *path, size_t *count)
{
	struct list *list = NULL;
	char *text = NULL;
	size_t len;
	if (fs_read(path, LIST_FILE_MAX, &text, &len, NULL, NULL) == RC_OK)
		list_parse(LIST_NAMES, path, text, len, call_problem, count, &list, NULL);
	list_free(&list);
	g_free(text);
}

static void check_user(struct users *users, const char *name, size_t *count, GString *ok)
{
	char key[ADDR_MAX];
	struct user *user = NULL;
	struct err err;
	size_t told = *count;
	enum rc rc = users_key(users, name, key, &err);
	if (rc == RC_OK)
		rc = users_check(users, key, call_problem, count, &err);
	report(rc, &err, told, count);
	if (rc == RC_OK && users_get(users, key, &user, NULL) == RC_OK)
		g_string_append_printf(ok, ", %s %s part%s", key,
		    user->takes_part ? "takes" : "does not take",
		    user->takes_part && user->shadow ? ", in shadow mode" : "");
	user_unref(&user);
}

static void check_template(const char *directory, size_t *count)
{
	struct page_template *template = NULL;
	struct err err;
	size_t told = *count;
	report(template_load(directory, &template, &err), &err, told, count);
	template_free(&template);
}

int cmd_check(const struct cli *cli)
{
	struct conf *conf = NULL;
	struct users *users = NULL;
	struct err err;
	size_t count = 0;
	GString *ok = g_string_new(cli->config);
	enum rc rc = conf_load(cli->config, call_problem, &count, &conf, &err);
	report(rc, &err, 0, &count);
	if (rc == RC_OK) {
		check_rules(conf, &count, ok);
		check_template(conf->digest_template, &count);
		size_t told = count;
		check_participants(conf->participants, &count);
		rc = call_users(conf, &users, &err);
		report(rc, &err, told, &count);
	}
	if (rc == RC_OK && cli->argc > 0)
		check_user(users, cli->argv[0], &count, ok);
	if (count == 0)
		out_line("ok: %s", ok->str);
	g_string_free(ok, TRUE);
	users_free(&users);
	conf_unref(&conf);
	return count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
