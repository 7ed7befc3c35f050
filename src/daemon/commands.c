/*
 * commands.c: the queue of command mail: one message at a time, from SPOOL/commands. Reading its
 * text is a worker's job; what it says is carried out (command_do.c), noted, answered. See
 * commands.h for the steps.
 *
 * COMMANDS_HOUR_MAX commands of one user in an hour are carried out, and one answer says so when
 * there are more.
 */
#include <config.h>

#include "daemon/commands.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/describe.h"
#include "daemon/job.h"
#include "facts/facts.h"
#include "policy/schedule.h"

enum {
	HOUR = 3600,
	DAY = 86400,
	COMMANDS_HOUR_MAX = 120,
	TEXT_SECONDS = 10,
	WAITS_MAX = 12,            /* times [release] retry */
	GIVE_UP_SECONDS = 5 * DAY, /* as MTAs do */
};

/* ---- files ---- */

enum rc commands_take(struct daemon *d, const char *path, const char *name, struct err *err)
{
	struct command_lead lead;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_errno(err, errno == ELOOP ? RC_PERM : RC_TEMP, "open");
	enum rc rc = describe_command(fd, &lead, err);
	close(fd);
	if (rc != RC_OK)
		return rc;
	char *to = g_build_filename(d->commands, name, NULL);
	if (rename(path, to) != 0)
		rc = err_errno(err, RC_TEMP, "rename");
	if (rc == RC_OK)
		rc = fs_sync_dir(d->commands, err);
	if (rc == RC_OK)
		rc = fs_sync_dir(d->incoming, err);
	g_free(to);
	fault_point("command.taken");
	commands_soon(d);
	return rc;
}

/* How long one command waits, and how often it did. */
struct wait {
	int64_t until; /* clock_mono_ms */
	unsigned tries;
};

static bool waits(const struct daemon *d, const char *name)
{
	const struct wait *wait = g_hash_table_lookup(d->command_waits, name);
	return wait != NULL && wait->until > clock_mono_ms();
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list(const struct daemon *d)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	DIR *dir = opendir(d->commands);
	struct dirent *e;
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && !g_hash_table_contains(d->strange, e->d_name) &&
		    !waits(d, e->d_name))
			g_ptr_array_add(names, g_strdup(e->d_name));
	if (dir != NULL)
		closedir(dir);
	g_ptr_array_sort(names, by_name);
	return names;
}

/* The oldest; g_free; NULL: none. The directory is read again when the last listing is used up. */
static char *next_name(struct daemon *d)
{
	if (d->command_names == NULL || d->command_names->len == 0) {
		if (d->command_names != NULL)
			g_ptr_array_free(d->command_names, TRUE);
		d->command_names = list(d);
	}
	return d->command_names->len == 0 ? NULL : g_ptr_array_steal_index(d->command_names, 0);
}

static char *path_of(const struct command_run *run)
{
	return g_build_filename(run->d->commands, run->name, NULL);
}

static enum rc load_open(struct command_run *run, int fd, struct err *err)
{
	struct command_lead lead;
	struct facts *facts = facts_new();
	uint64_t header = 0;
	enum rc rc = describe_command(fd, &lead, err);
	if (rc == RC_OK && lseek(fd, (off_t)lead.len, SEEK_SET) < 0)
		rc = err_errno(err, RC_TEMP, "seek");
	if (rc == RC_OK)
		rc = facts_read(facts, fd, &header, err);
	if (rc == RC_OK) {
		str_copy(run->user, sizeof(run->user), lead.user);
		run->by_login = lead.by_login;
		run->lead = lead.len;
		run->subject = g_strdup(facts->subject);
		run->message_id = g_strdup(facts->message_id);
		run->refs = g_new0(char *, facts->n_refs + 1);
		for (size_t i = 0; i < facts->n_refs; i++)
			run->refs[i] = g_strdup(facts->refs[i]);
	}
	facts_free(&facts);
	return rc;
}

static enum rc load(struct command_run *run, struct err *err)
{
	char *path = path_of(run);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	g_free(path);
	if (fd < 0)
		return err_errno(err,
		    errno == ENOENT      ? RC_NOTFOUND
			: errno == ELOOP ? RC_PERM
					 : RC_TEMP,
		    "open");
	enum rc rc = load_open(run, fd, err);
	close(fd);
	return rc;
}

/* ---- the end of one ---- */

static void run_free(struct command_run *run)
{
	g_free(run->name);
	g_free(run->subject);
	g_free(run->message_id);
	g_strfreev(run->refs);
	g_string_free(run->object, TRUE);
	g_string_free(run->detail, TRUE);
	json_decref(run->undo);
	json_decref(run->sent);
	if (run->ids != NULL)
		g_ptr_array_free(run->ids, TRUE);
	g_free(run);
}

static void next_command(struct daemon *d)
{
	if (d->command != NULL)
		run_free(d->command);
	d->command = NULL;
	commands_soon(d);
}

/* Over and done with, answered or not. */
void command_drop(struct command_run *run)
{
	struct daemon *d = run->d;
	struct err err;
	char *path = path_of(run);
	g_hash_table_remove(d->command_waits, run->name);
	if (unlink(path) != 0 && errno != ENOENT)
		log_error("%s: %s", path, strerror(errno));
	enum rc rc = fs_sync_dir(d->commands, &err);
	if (rc == RC_OK)
		rc = store_note_del(d->store, run->user, "command", run->name, &err);
	daemon_check_store(d, rc, &err);
	g_free(path);
	next_command(d);
}

static gboolean on_retry(gpointer data)
{
	struct daemon *d = data;
	d->commands_retry = 0;
	/* Some may wait for longer. */
	if (g_hash_table_size(d->command_waits) > 0)
		d->commands_retry = g_timeout_add_seconds((guint)d->conf->retry + 1, on_retry, d);
	commands_soon(d);
	return G_SOURCE_REMOVE;
}

static gboolean on_wait_over(gpointer data)
{
	struct daemon *d = data;
	d->commands_timer = 0;
	commands_soon(d);
	return G_SOURCE_REMOVE;
}

static void wait_alone(struct command_run *run)
{
	struct daemon *d = run->d;
	struct wait *wait = g_hash_table_lookup(d->command_waits, run->name);
	if (wait == NULL) {
		wait = g_new0(struct wait, 1);
		g_hash_table_insert(d->command_waits, g_strdup(run->name), wait);
	}
	wait->tries++;
	wait->until = clock_mono_ms() + d->conf->retry * 1000 * MIN(wait->tries, WAITS_MAX);
	/* Those that wait are found again when it is over; the others go on now. */
	if (d->commands_retry == 0)
		d->commands_retry = g_timeout_add_seconds((guint)d->conf->retry + 1, on_retry, d);
}

void command_later(struct command_run *run, enum command_wait wait, const struct err *err)
{
	struct daemon *d = run->d;
	if (d->stopping) /* it is still there at the next start */
		return;
	log_warning("%s: command %s: %s", run->user, run->name, err->text);
	if (clock_now() - run->received > GIVE_UP_SECONDS) {
		log_error("%s: command %s: given up", run->user, run->name);
		command_drop(run);
		return;
	}
	if (wait == COMMAND_WAITS)
		wait_alone(run);
	else if (d->commands_timer == 0)
		d->commands_timer = g_timeout_add_seconds((guint)d->conf->retry, on_wait_over, d);
	next_command(d);
}

/* ---- the beginning of one ---- */

struct command_hour *command_hour(struct command_run *run)
{
	GHashTable *users = run->d->command_users;
	struct command_hour *u = g_hash_table_lookup(users, run->user);
	int64_t now = clock_now();
	if (u == NULL) {
		u = g_new0(struct command_hour, 1);
		g_hash_table_insert(users, g_strdup(run->user), u);
	}
	if (llabs(now - u->since) >= HOUR)
		*u = (struct command_hour){.since = now};
	return u;
}

/* A token decides what it says and to whom. */
static bool check_token(struct command_run *run)
{
	struct daemon *d = run->d;
	char name[COMMAND_NAME_MAX];
	void *data = NULL;
	size_t len = 0;
	enum command_check check = command_token_check(
	    d->command_keys, run->user, run->command.token, run->received, &run->token);
	if (check != COMMAND_GOOD) {
		run->kind = check == COMMAND_EXPIRED ? ANSWER_EXPIRED : ANSWER_FORGED;
		run->token.expires = 0;
		return false;
	}
	run->command.verb = run->token.verb;
	command_token_name(run->command.token, name);
	/* Help and the like may be asked for as often as one likes. */
	bool used = run->token.verb != COMMAND_HELP && run->token.verb != COMMAND_LISTS &&
	    store_note_get(d->store, run->user, "used", name, &data, &len, NULL) == RC_OK;
	/* By this very message, before a crash, is not used. */
	if (used && strcmp(data, run->name) != 0) {
		run->kind = ANSWER_USED;
		run->token.expires = 0;
		g_free(data);
		return false;
	}
	g_free(data);
	return true;
}

static void today_of(const struct settings *settings, int64_t now, struct schedule_local *today_out)
{
	struct schedule schedule;
	schedule_of(settings, &schedule);
	schedule_local(now, schedule_zone(&schedule, now), today_out, NULL);
}

unsigned command_tries(const struct command_run *run)
{
	const struct wait *wait = g_hash_table_lookup(run->d->command_waits, run->name);
	return wait == NULL ? 0 : wait->tries;
}

/* Plain words that are no reply to a message of ours can come from anywhere: a newsletter's mailto
 * link for unsubscribing may say them in the user's name. They do no more than ask. */
static bool only_asks(const struct command_run *run)
{
	return run->command.verb == COMMAND_HELP || run->command.verb == COMMAND_LISTS;
}

static void on_text(void *ctx, json_t *result)
{
	struct command_run *run = ctx;
	struct schedule_local today = {0};
	struct user *user = NULL;
	struct err err;
	if (run->d->stopping)
		return;
	enum rc read = job_result(result, &err);
	if (read != RC_OK && command_tries(run) < COMMAND_TRIES) {
		command_later(run, COMMAND_WAITS, &err);
		return;
	}
	/* Of a message that kills its reader the subject may still say it all. */
	const char *text =
	    read != RC_OK ? NULL : json_string_value(json_object_get(result, "lines"));
	if (users_get(run->d->users, run->user, &user, NULL) == RC_OK)
		today_of(&user->settings, run->received, &today);
	user_unref(&user);
	enum rc rc = command_read(run->subject, text == NULL ? "" : text, command_settings,
	    today.day, &run->command, &run->err);
	if (rc != RC_OK) {
		run->kind = rc == RC_PERM ? ANSWER_BAD : ANSWER_HELP;
		if (rc == RC_PERM)
			g_string_assign(run->detail, run->err.text);
		command_done(run);
	} else if (run->command.token[0] != '\0' && run->d->command_keys == NULL) {
		err_set(&err, RC_TEMP, "there are no keys to check its token");
		command_later(run, COMMAND_WAITS, &err);
	} else if (run->command.token[0] != '\0' && !check_token(run)) {
		command_done(run);
	} else if (run->command.token[0] == '\0' && !only_asks(run) && !command_is_reply(run)) {
		run->kind = ANSWER_UNKNOWN_DIGEST;
		command_done(run);
	} else {
		command_do(run);
	}
}

/* Whether there is room for one more command of this user in this hour. */
static bool admit(struct command_run *run)
{
	struct command_hour *u = command_hour(run);
	if (++u->n <= COMMANDS_HOUR_MAX)
		return true;
	if (u->told) {
		log_warning("%s: command %s: ignored: more than %d in an hour", run->user,
		    run->name, COMMANDS_HOUR_MAX);
		command_drop(run);
		return false;
	}
	u->told = true;
	run->kind = ANSWER_TOO_MANY;
	run->count = COMMANDS_HOUR_MAX;
	command_done(run);
	return false;
}

static void begin(struct command_run *run)
{
	struct err err;
	json_t *answer_note = NULL;
	enum rc rc = load(run, &err);
	if (rc == RC_NOTFOUND) {
		next_command(run->d);
		return;
	}
	if (rc == RC_TEMP) {
		command_later(run, COMMAND_WAITS, &err);
		return;
	}
	if (rc != RC_OK) {
		log_error("%s/%s: %s; left where it is", run->d->commands, run->name, err.text);
		g_hash_table_add(run->d->strange, g_strdup(run->name));
		next_command(run->d);
		return;
	}
	if (command_noted(run, "command", run->name, &answer_note) && answer_note != NULL) {
		/* Carried out before a crash, or the MTA was away. */
		command_answer(run, answer_note);
		json_decref(answer_note);
		return;
	}
	if (command_noted(run, "seen", run->message_id, NULL)) {
		log_info("%s: command %s: came before: %s", run->user, run->name, run->message_id);
		command_drop(run);
		return;
	}
	if (!admit(run))
		return;
	json_t *job = json_object();
	char *path = path_of(run);
	ops_put_text(job, "kind", "text");
	ops_put_text(job, "path", path);
	json_object_set_new(job, "lead", json_integer((json_int_t)run->lead));
	g_free(path);
	workers_run(run->d->workers, job, TEXT_SECONDS, on_text, run);
}

static gboolean on_soon(gpointer data)
{
	struct daemon *d = data;
	d->commands_source = 0;
	if (d->stopping || d->command != NULL || d->commands_timer != 0)
		return G_SOURCE_REMOVE;
	char *name = next_name(d);
	if (name == NULL)
		return G_SOURCE_REMOVE;
	struct command_run *run = g_new0(struct command_run, 1);
	run->d = d;
	run->name = name;
	run->received = describe_received(name);
	run->object = g_string_new(NULL);
	run->detail = g_string_new(NULL);
	d->command = run;
	begin(run);
	return G_SOURCE_REMOVE;
}

void commands_soon(struct daemon *d)
{
	if (d->commands_source == 0)
		d->commands_source = g_idle_add(on_soon, d);
}

/* ---- start and end ---- */

void commands_keys(struct daemon *d)
{
	struct command_keys *keys = NULL;
	struct err err;
	if (d->conf->command_address == NULL) {
		command_keys_free(&d->command_keys);
		return;
	}
	if (command_keys_load(d->conf->command_keys, clock_now(), &keys, &err) != RC_OK) {
		/* The last good ones, if there are any, serve on. */
		log_error("commands by mail: %s", err.text);
		return;
	}
	command_keys_free(&d->command_keys);
	d->command_keys = keys;
	d->command_keys_read = clock_now();
}

void commands_minute(struct daemon *d)
{
	if (llabs(clock_now() - d->command_keys_read) >= DAY)
		commands_keys(d);
}

void commands_start(struct daemon *d)
{
	d->command_users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	d->command_waits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	commands_keys(d);
	commands_soon(d);
}

void commands_end(struct daemon *d)
{
	if (d->command != NULL)
		run_free(d->command);
	d->command = NULL;
	if (d->command_users != NULL)
		g_hash_table_destroy(d->command_users);
	if (d->command_waits != NULL)
		g_hash_table_destroy(d->command_waits);
	if (d->command_names != NULL)
		g_ptr_array_free(d->command_names, TRUE);
	command_keys_free(&d->command_keys);
}
