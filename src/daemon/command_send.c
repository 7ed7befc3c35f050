/*
 * command_send.c: commands that send: single originals, or everything that is held. An original
 * that is still held is released, one that went out in a digest is sent again from where it is
 * kept.
 *
 * What was sent again is noted one by one ("sent", by the command's name: an array of ids), so that
 * a command which has to wait in the middle, or was killed there, does not begin with the first
 * again.
 */
#include <config.h>

#include "daemon/commands.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "daemon/job.h"

enum { NOTE_SECONDS = 7 * 86400 };

static void send_next(struct command_run *run);

static void sent_all(struct command_run *run)
{
	if (run->count > 0)
		run->kind = ANSWER_SENT;
	else
		run->kind = run->gone == run->ids->len ? ANSWER_GONE : ANSWER_FAILED;
	command_done(run);
}

static enum rc note_sent(struct command_run *run, const char *id, struct err *err)
{
	if (run->sent == NULL)
		run->sent = json_array();
	json_array_append_new(run->sent, json_string(id));
	char *text = json_dumps(run->sent, JSON_COMPACT);
	enum rc rc = store_note_put(run->d->store, run->user, "sent", run->name, text, strlen(text),
	    clock_now() + NOTE_SECONDS, err);
	free(text);
	daemon_check_store(run->d, rc, err);
	return rc;
}

static bool was_sent(const struct command_run *run, const char *id)
{
	size_t i;
	json_t *sent;
	json_array_foreach(
	    run->sent, i, sent) if (g_strcmp0(json_string_value(sent), id) == 0) return true;
	return false;
}

static void on_released(void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err)
{
	struct command_run *run = ctx;
	struct err inner;
	if (release_refused(delivered, left, rc)) { /* another release is under way */
		command_later(run, COMMAND_WAITS, err);
		return;
	}
	if (rc != RC_OK)
		log_warning("%s: command %s: %s", run->user, run->name, err->text);
	/* What was put off is on its way: the engine tries it again by itself. */
	if (delivered > 0 || rc == RC_OK || rc == RC_TEMP) {
		run->count++;
		if (note_sent(run, run->ids->pdata[run->next], &inner) != RC_OK)
			log_warning("%s: command %s: %s", run->user, run->name, inner.text);
	}
	run->next++;
	send_next(run);
}

static void on_kept_sent(void *ctx, json_t *result)
{
	struct command_run *run = ctx;
	struct err err;
	const char *id = run->ids->pdata[run->next];
	enum rc rc = job_result(result, &err);
	if (rc == RC_TEMP || rc == RC_CORRUPT) {
		bool answered = json_integer_value(json_object_get(result, "code")) > 0;
		command_later(run, answered ? COMMAND_WAITS : COMMANDS_WAIT, &err);
		return;
	}
	if (rc == RC_OK) {
		run->count++;
		fault_point("command.sent");
		/* Not noted: it might come twice. */
		if (note_sent(run, id, &err) != RC_OK)
			log_warning("%s: command %s: %s", run->user, run->name, err.text);
	} else {
		log_error("%s: command %s: %s", run->user, run->name, err.text);
	}
	run->next++;
	send_next(run);
}

static void send_kept(struct command_run *run, const struct store_held *held)
{
	struct daemon *d = run->d;
	json_t *job = ops_submit_job(d, held->return_path, held->rcpt);
	ops_put_text(job, "users", d->kept_path);
	ops_put_text(job, "user", run->user);
	ops_put_text(job, "id", held->id);
	json_object_set_new(job, "lead", json_integer((json_int_t)held->lead));
	workers_run(d->workers, job, (unsigned)d->conf->submit_timeout + 10, on_kept_sent, run);
}

/* ---- one after the other ---- */

static void send_next(struct command_run *run)
{
	struct daemon *d = run->d;
	struct store_held held;
	struct err err;
	if (d->stopping)
		return;
	for (; run->next < run->ids->len; run->next++) {
		const char *id = run->ids->pdata[run->next];
		if (was_sent(run, id)) {
			run->count++;
			continue;
		}
		enum rc rc = store_held_get(d->store, run->user, id, &held, &err);
		if (rc == RC_OK) {
			const char *const one[] = {id, NULL};
			learn_let(d, run->user, held.from_addr);
			releases_now(
			    d->releases, run->user, one, false, clock_now(), on_released, run);
			return;
		}
		if (rc == RC_NOTFOUND)
			rc = kept_get(d, run->user, id, &held, &err);
		if (rc == RC_OK) {
			learn_let(d, run->user, held.from_addr);
			send_kept(run, &held);
			return;
		}
		daemon_check_store(d, rc, &err);
		if (rc == RC_TEMP) { /* it may still be there */
			command_later(run, COMMAND_WAITS, &err);
			return;
		}
		run->gone++;
	}
	sent_all(run);
}

static void add_ids(struct command_run *run, char **ids)
{
	for (size_t i = 0; ids[i] != NULL; i++)
		if (!g_ptr_array_find_with_equal_func(run->ids, ids[i], g_str_equal, NULL))
			g_ptr_array_add(run->ids, g_strdup(ids[i]));
}

void command_send(struct command_run *run)
{
	struct err err;
	enum rc rc = RC_OK;
	run->ids = g_ptr_array_new_with_free_func(g_free);
	(void)command_noted(run, "sent", run->name, &run->sent);
	if (run->token.expires != 0) {
		char **ids = command_entry_ids(run->d, run->user, run->token.object);
		add_ids(run, ids);
		g_strfreev(ids);
	}
	for (size_t i = 0; i < run->command.n_numbers && rc == RC_OK; i++) {
		struct command_entry entry = {0};
		rc = command_entry_find(run, run->command.numbers[i], &entry, &err);
		if (rc == RC_OK)
			add_ids(run, entry.ids);
		command_entry_clear(&entry);
	}
	if (rc == RC_OK && run->ids->len == 0)
		rc = command_why(run, &err, "which-messages", NULL, NULL);
	if (rc != RC_OK)
		command_refuse(run, rc, &err);
	else
		send_next(run);
}

/* ---- everything ---- */

static void on_all_released(
    void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err)
{
	struct command_run *run = ctx;
	if (release_refused(delivered, left, rc)) {
		command_later(run, COMMAND_WAITS, err); /* nothing was begun */
		return;
	}
	if (rc != RC_OK) /* the engine tries it again by itself */
		log_warning("%s: command %s: %s", run->user, run->name, err->text);
	/* With RC_OK what is left is what the MTA refuses. */
	run->count = rc == RC_OK ? delivered : delivered + left;
	if (run->count > 0)
		run->kind = ANSWER_SENT_ALL;
	else
		run->kind = left > 0 ? ANSWER_FAILED : ANSWER_NOTHING_HELD;
	command_done(run);
}

void command_send_all(struct command_run *run)
{
	releases_now(run->d->releases, run->user, NULL, false, clock_now(), on_all_released, run);
}
