/*
 * command_answer.c: what a command's end is: its answer is noted, composed by a worker, handed to
 * the MTA. Answers to what is no good command are few: HELPS_HOUR_MAX in an hour, so that two
 * programs that answer each other fall silent.
 */
#include <config.h>

#include "daemon/commands.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "daemon/job.h"
#include "digest/guard.h"

enum {
	HELPS_HOUR_MAX = 3,
	ANSWER_SECONDS = 20,
};

/* ---- the answer ---- */

static char *answer_path(const struct command_run *run)
{
	char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, run->name, -1);
	char *path = g_strdup_printf("%s/answer.%s.eml", run->d->out, sum);
	g_free(sum);
	return path;
}

static void answer_id(const struct command_run *run, char out[STORE_MSGID_MAX])
{
	char hex[HMAC_HEX_SIZE];
	hmac_hex(run->d->key, run->name, hex);
	g_snprintf(out, STORE_MSGID_MAX, "<pullyu.answer.%.32s@%.150s>", hex, run->d->conf->host);
}

static void on_answered(void *ctx, json_t *result)
{
	struct command_run *run = ctx;
	struct err err;
	enum rc rc = job_result(result, &err);
	char *path = answer_path(run);
	if (rc == RC_OK || rc == RC_PERM) {
		if (rc == RC_PERM)
			log_error("%s: the MTA refuses the answer to command %s: %s", run->user,
			    run->name, err.text);
		fault_point("command.answered");
		unlink(path);
		command_drop(run);
	} else {
		bool replied = json_integer_value(json_object_get(result, "code")) > 0;
		command_later(run, replied ? COMMAND_WAITS : COMMANDS_WAIT, &err);
	}
	g_free(path);
}

static void on_composed(void *ctx, json_t *result)
{
	struct command_run *run = ctx;
	struct daemon *d = run->d;
	struct err err;
	if (d->stopping)
		return;
	enum rc rc = job_result(result, &err);
	/* A worker that died may have died of the machine's state. */
	if (rc == RC_TEMP || (rc == RC_CORRUPT && command_tries(run) < COMMAND_TRIES)) {
		command_later(run, COMMAND_WAITS, &err);
		return;
	}
	if (rc != RC_OK) { /* it would be so again */
		log_error("%s: command %s cannot be answered: %s", run->user, run->name, err.text);
		command_drop(run);
		return;
	}
	/* The null sender: whatever becomes of an answer, nothing comes back (RFC 3834 section
	 * 3.3). */
	json_t *job = ops_submit_job(d, "", run->user);
	char *path = answer_path(run);
	ops_put_text(job, "path", path);
	g_free(path);
	workers_run(d->workers, job, (unsigned)d->conf->submit_timeout + 10, on_answered, run);
}

/* note: what command_done has noted. */
void command_answer(struct command_run *run, const json_t *note)
{
	struct daemon *d = run->d;
	char id[STORE_MSGID_MAX], guard[GUARD_MAX], address[ADDR_MAX], day[DATES_TEXT_MAX];
	struct user *user = NULL;
	json_t *job = json_deep_copy(note);
	char *path = answer_path(run);
	answer_id(run, id);
	guard_make(d->key, id, guard);
	ops_put_text(job, "kind", "answer");
	ops_put_text(job, "out", path);
	ops_put_text(job, "user", run->user);
	ops_put_text(job, "from", d->conf->from);
	ops_put_text(job, "host", d->conf->host);
	ops_put_text(job, "message_id", id);
	ops_put_text(job, "guard", guard);
	ops_put_text(job, "in_reply_to", run->message_id);
	json_object_set_new(job, "now", json_integer(clock_now()));
	if (users_get(d->users, run->user, &user, NULL) == RC_OK)
		ops_put_text(job, "language", user->settings.language);
	user_unref(&user);
	if (command_address_of(d, run->user, address))
		ops_put_text(job, "command_address", address);
	char *times = command_token_for(d, run->user, id, run->received, COMMAND_TIMES, "");
	char *form = command_form(d, run->user);
	if (times != NULL)
		ops_put_text(job, "help_times", times);
	ops_put_text(job, "times_form", form);
	command_pause_example(d, run->received, day);
	ops_put_text(job, "pause_example", day);
	workers_run(d->workers, job, ANSWER_SECONDS, on_composed, run);
	g_free(times);
	g_free(form);
	g_free(path);
}

/* ---- notes ---- */

static enum rc note(
    struct command_run *run, const char *kind, const char *name, const char *text, struct err *err)
{
	return store_note_put(run->d->store, run->user, kind, name, text, strlen(text),
	    clock_now() + COMMAND_NOTE_SECONDS, err);
}

bool command_noted(
    const struct command_run *run, const char *kind, const char *name, json_t **note_out)
{
	void *data = NULL;
	size_t len = 0;
	if (name[0] == '\0' ||
	    store_note_get(run->d->store, run->user, kind, name, &data, &len, NULL) != RC_OK)
		return false;
	if (note_out != NULL)
		*note_out = json_loadb(data, len, 0, NULL);
	g_free(data);
	return true;
}

/* Otherwise the link may be tried again. */
static bool was_done(enum answer_kind kind)
{
	switch (kind) {
	case ANSWER_FAILED:
	case ANSWER_BAD:
	case ANSWER_IMPOSSIBLE:
	case ANSWER_ALREADY:
	case ANSWER_GONE:
	case ANSWER_NOTHING_HELD:
		return false;
	default:
		return true;
	}
}

/* Everything that must be true from now on, in one transaction. */
static enum rc note_all(struct command_run *run, json_t *answer_note, struct err *err)
{
	struct daemon *d = run->d;
	char id[STORE_MSGID_MAX], name[COMMAND_NAME_MAX];
	char *text = json_dumps(answer_note, JSON_COMPACT);
	answer_id(run, id);
	enum rc rc = store_begin(d->store, err);
	if (rc == RC_OK)
		rc = note(run, "command", run->name, text, err);
	if (rc == RC_OK && run->message_id[0] != '\0' && strlen(run->message_id) < STORE_MSGID_MAX)
		rc = note(run, "seen", run->message_id, "", err);
	if (rc == RC_OK && run->token.expires != 0 && was_done(run->kind)) {
		command_token_name(run->command.token, name);
		rc = note(run, "used", name, run->name, err);
	}
	if (rc == RC_OK)
		rc = note(run, "digest", id, COMMAND_NO_ENTRIES, err); /* can be replied to */
	if (rc == RC_OK)
		rc = store_commit(d->store, err);
	else
		store_abort(d->store);
	free(text);
	return rc;
}

/* Answers to what is no command of this user's, or no good one: a few an hour. */
static bool is_help(enum answer_kind kind)
{
	switch (kind) {
	case ANSWER_HELP:
	case ANSWER_BAD:
	case ANSWER_IMPOSSIBLE:
	case ANSWER_USED:
	case ANSWER_EXPIRED:
	case ANSWER_FORGED:
	case ANSWER_UNKNOWN_DIGEST:
		return true;
	default:
		return false;
	}
}

void command_done(struct command_run *run)
{
	struct err err;
	if (run->d->stopping) /* it is done again, and ends in the same state */
		return;
	bool silent = is_help(run->kind) && ++command_hour(run)->helps > HELPS_HOUR_MAX;
	json_t *answer_note = json_object();
	ops_put_text(answer_note, "answer", answer_kind_name(run->kind));
	if (run->object->len > 0)
		ops_put_text(answer_note, "object", run->object->str);
	if (run->detail->len > 0)
		ops_put_text(
		    answer_note, run->kind == ANSWER_LISTS ? "lists" : "detail", run->detail->str);
	if (run->reason != NULL) {
		ops_put_text(answer_note, "reason", run->reason);
		ops_put_text(answer_note, "reason_1", run->reason_1);
		ops_put_text(answer_note, "reason_2", run->reason_2);
	}
	json_object_set_new(answer_note, "count", json_integer((json_int_t)run->count));
	char *undo = run->undo == NULL ? NULL
				       : command_token_for(run->d, run->user, run->name,
					     run->received, COMMAND_UNDO, run->name);
	if (undo != NULL)
		ops_put_text(answer_note, "undo", undo);
	g_free(undo);
	log_info("%s: command %s: %s %s%s", run->user, run->name, answer_kind_name(run->kind),
	    run->object->str, silent ? " (not answered: too many such an hour)" : "");
	run->d->counters.commands++;
	fault_point("command.carried_out");
	enum rc rc = note_all(run, answer_note, &err);
	fault_point("command.noted");
	daemon_check_store(run->d, rc, &err);
	if (rc != RC_OK)
		command_later(run, COMMANDS_WAIT, &err);
	else if (silent)
		command_drop(run);
	else
		command_answer(run, answer_note);
	json_decref(answer_note);
}
