/*
 * cmd_explain.c: pullyu explain USER FILE: what would happen to this message for this user, and
 * why. Works without pullyud; then it says what it could not ask.
 */
#include <config.h>

#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/call.h"
#include "cli/explain.h"
#include "cli/out.h"
#include "cli/verdict_out.h"
#include "policy/rules_load.h"
#include "policy/schedule.h"

/* A regular file can be read twice and its size is known; of anything else a copy is made, but of
 * no more than tells that it is too large. */
static int copy_of(int from, int64_t max, struct err *err)
{
	char buffer[65536];
	int64_t total = 0;
	ssize_t n;
	FILE *to = tmpfile();
	int fd = to == NULL ? -1 : fcntl(fileno(to), F_DUPFD_CLOEXEC, 0);
	if (to != NULL)
		fclose(to);
	if (fd < 0) {
		err_errno(err, RC_TEMP, "a temporary file");
		return -1;
	}
	while (total <= max && (n = read(from, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err_errno(err, RC_TEMP, "read");
		if (n < 0 || fs_write_all(fd, buffer, (size_t)n, err) != RC_OK) {
			close(fd);
			return -1;
		}
		total += n;
	}
	return fd;
}

/* Returns -1 after err was set. */
static int open_message(const char *path, int64_t max, struct err *err)
{
	struct stat st;
	struct err why;
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		err_errno(err, RC_NOTFOUND, "%s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (S_ISREG(st.st_mode))
		return fd;
	int copy = copy_of(fd, max, &why);
	if (copy < 0)
		err_set(err, RC_NOTFOUND, "%s: %s", path, why.text);
	close(fd);
	return copy;
}

/* ---- printing ---- */

/* "until Tue 2026-11-24 08:00 (Europe/Amsterdam)" */
static char *until_text(const struct explanation *e)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	struct schedule schedule;
	struct schedule_local local;
	char date[DATES_TEXT_MAX];
	schedule_of(&e->user->settings, &schedule);
	const char *zone = schedule_zone(&schedule, e->until);
	if (schedule_local(e->until, zone, &local, NULL) != RC_OK)
		return g_strdup("until an unknown time");
	date_format(local.day, date);
	return g_strdup_printf("until %s %s %02d:%02d (%s%s)", days[local.weekday], date,
	    local.minute / 60, local.minute % 60, zone,
	    e->until_max_hold ? "; no digest comes before max_hold ends" : "");
}

static void print_text(const struct explanation *e)
{
	char *because, *until = e->until == 0 ? NULL : until_text(e);
	g_ptr_array_add(e->because, NULL);
	because = g_strjoinv("; ", (char **)e->because->pdata);
	if (e->held)
		out_line("held as %s %s", class_name(e->cls), until);
	else if (e->shadow)
		out_line(
		    "passes: shadow mode; without it, held as %s %s", class_name(e->cls), until);
	if (e->held || e->shadow)
		out_line("because %s", because);
	else
		out_line("passes: %s", because);
	if (e->judged) {
		const struct verdict *v = &e->verdict;
		printf("verdict: %s %.1f", class_name(v->cls), v->score);
		if (v->runner_up_score > 0)
			printf(
			    " (runner-up %s %.1f)", class_name(v->runner_up), v->runner_up_score);
		printf("; another class is %.1f away\n", v->margin);
		verdict_print(v);
	}
	g_free(because);
	g_free(until);
}

static json_t *until_json(const struct explanation *e)
{
	struct schedule schedule;
	char local[SCHEDULE_TEXT_MAX], utc[SCHEDULE_TEXT_MAX];
	schedule_of(&e->user->settings, &schedule);
	if (e->until == 0 ||
	    schedule_format(e->until, schedule_zone(&schedule, e->until), local, NULL) != RC_OK ||
	    schedule_format(e->until, NULL, utc, NULL) != RC_OK)
		return json_null();
	return json_pack("{s:s,s:s}", "local", local, "utc", utc);
}

static json_t *word(const char *text)
{
	return text == NULL ? json_null() : json_string(text);
}

static void print_json(const struct explanation *e)
{
	json_t *because = json_array();
	for (guint i = 0; i < e->because->len; i++) {
		char *valid = g_utf8_make_valid(e->because->pdata[i], -1);
		json_array_append_new(because, json_string(valid));
		g_free(valid);
	}
	json_t *object = json_pack("{s:s,s:b,s:s,s:b,s:s,s:o,s:o,s:o,s:o,s:o}", "user",
	    e->user->name, "takes_part", (int)e->user->takes_part, "action",
	    e->held ? "hold" : "pass", "shadow", (int)e->shadow, "class", class_name(e->cls),
	    "because", because, "until", until_json(e), "known", word(e->known), "authenticated",
	    word(e->authenticated), "verdict", e->judged ? verdict_json(&e->verdict) : json_null());
	out_json(object);
	json_decref(object);
}

/* ---- the command ---- */

static int status_of(enum rc rc)
{
	switch (rc) {
	case RC_OK:
		return EX_OK;
	case RC_NOTFOUND:
		return EX_NOINPUT;
	case RC_PERM:
		return EX_CONFIG;
	case RC_TEMP:
		return EX_TEMPFAIL;
	case RC_CORRUPT:
		break;
	}
	return EX_SOFTWARE;
}

/* Everything but the user and the message. */
static enum rc load(
    const struct conf *conf, struct users **users_out, struct rules **rules_out, struct err *err)
{
	enum rc rc = call_users(conf, users_out, err);
	if (rc == RC_OK)
		rc = policy_rules_load(conf->rules, call_complain, NULL, rules_out, err);
	return rc == RC_NOTFOUND ? RC_PERM : rc;
}

int cmd_explain(const struct cli *cli)
{
	int status = EX_OK, fd = -1;
	char key[ADDR_MAX];
	struct users *users = NULL;
	struct user *user = NULL;
	struct rules *rules = NULL;
	struct err err;
	struct conf *conf = call_conf(cli, &status);
	if (conf == NULL)
		return status;
	enum rc rc = load(conf, &users, &rules, &err);
	status = status_of(rc);
	if (rc == RC_OK &&
	    ((rc = users_key(users, cli->argv[0], key, &err)) != RC_OK ||
		(rc = users_get(users, key, &user, &err)) != RC_OK))
		status = EX_NOUSER;
	if (rc == RC_OK) {
		fd = open_message(cli->argv[1], conf->hold_max_size, &err);
		rc = fd < 0 ? RC_NOTFOUND : RC_OK;
		status = status_of(rc);
	}
	struct explanation e = {.conf = conf, .user = user, .rules = rules, .now = clock_now()};
	e.because = g_ptr_array_new_with_free_func(g_free);
	if (rc == RC_OK) {
		rc = explain(&e, fd, &err);
		status = status_of(rc == RC_OK ? rc : RC_NOTFOUND);
	}
	if (rc != RC_OK)
		out_error("%s", err.text);
	else if (cli->json)
		print_json(&e);
	else
		print_text(&e);
	g_ptr_array_unref(e.because);
	if (fd >= 0)
		close(fd);
	rules_unref(&rules);
	user_unref(&user);
	users_free(&users);
	conf_unref(&conf);
	return status;
}
