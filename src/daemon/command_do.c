/*
 * command_do.c: what each command does. One row a verb.
 *
 * What undoes a command is noted as JSON: {"lists": [{"entry": ..., "lines": ...}]} (where each entry
 * stood, lists_lines), or {"settings": ...} (command_settings.c).
 */
#include <config.h>

#include "daemon/commands.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/job.h"
#include "daemon/lists.h"

enum { ROWS_SHOWN = 200 };

/* Refused, or not possible: says why. */
void command_refuse(struct command_run *run, enum rc rc, const struct err *err)
{
	if (rc == RC_PERM || rc == RC_NOTFOUND) {
		run->kind = ANSWER_BAD;
	} else {
		run->kind = ANSWER_FAILED;
		log_error("%s: command %s: %s", run->user, run->name, err->text);
	}
	g_string_assign(run->detail, rc == RC_PERM || rc == RC_NOTFOUND ? err->text : "");
	command_done(run);
}

static void name_object(struct command_run *run, const char *text)
{
	g_string_append_printf(run->object, "%s%s", run->object->len == 0 ? "" : ", ", text);
}

/* ---- lists ---- */

/* The senders that the command names; g_ptr_array_free. */
static enum rc targets(struct command_run *run, GPtrArray **out, struct err *err)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	const char *said = run->token.expires != 0 ? run->token.object : run->command.entry;
	enum rc rc = RC_OK;
	if (said[0] != '\0')
		g_ptr_array_add(all, g_strdup(said));
	for (size_t i = 0; i < run->command.n_numbers && rc == RC_OK; i++) {
		struct command_entry entry = {0};
		rc = command_entry_find(run, run->command.numbers[i], &entry, err);
		if (rc == RC_OK && entry.target[0] == '\0')
			rc = err_set(err, RC_PERM, "number %u has no sender's address",
			    run->command.numbers[i]);
		if (rc == RC_OK)
			g_ptr_array_add(all, g_strdup(entry.target));
		command_entry_clear(&entry);
	}
	if (rc == RC_OK && all->len == 0)
		rc = err_set(err, RC_PERM,
		    "which sender? Right would be: %s 2, or %s news@shop.example",
		    command_verb_name(run->command.verb), command_verb_name(run->command.verb));
	if (rc == RC_OK)
		*out = all;
	else
		g_ptr_array_free(all, TRUE);
	return rc;
}

/* Puts one entry where it shall be, and notes where it was. */
static enum rc put_entry(struct command_run *run, const char *entry, enum lists_op op, json_t *was,
    bool *changed, struct err *err)
{
	char normal[LIST_ENTRY_MAX];
	struct lists_result result = {0};
	json_t *lines = NULL;
	enum rc rc =
	    list_entry_normalise(op == LISTS_HOLD ? LIST_HOLD : LIST_ALLOW, entry, normal, err);
	if (rc == RC_OK)
		rc = lists_lines(run->d, run->user, normal, &lines, err);
	if (rc == RC_OK)
		rc = lists_change(run->d, run->user, op, normal, &result, err);
	if (rc == RC_OK)
		name_object(run, normal);
	if (rc == RC_OK && result.changed)
		json_array_append_new(was, json_pack("{s:s,s:O}", "entry", normal, "lines", lines));
	*changed |= result.changed;
	json_decref(lines);
	return rc;
}

static void do_lists(struct command_run *run, enum lists_op op, enum answer_kind kind)
{
	struct err err;
	GPtrArray *all = NULL;
	json_t *was = json_array();
	bool changed = false;
	enum rc rc = targets(run, &all, &err);
	for (guint i = 0; rc == RC_OK && i < all->len; i++) {
		rc = put_entry(run, all->pdata[i], op, was, &changed, &err);
		const char *at = strchr(all->pdata[i], '@');
		if (rc == RC_OK && op == LISTS_ALLOW && at > (const char *)all->pdata[i])
			learn_let(run->d, run->user, all->pdata[i]);
	}
	if (json_array_size(was) > 0)
		run->undo = json_pack("{s:O}", "lists", was);
	json_decref(was);
	if (all != NULL)
		g_ptr_array_free(all, TRUE);
	if (rc != RC_OK) {
		command_refuse(run, rc, &err);
		return;
	}
	run->kind = changed ? kind : ANSWER_ALREADY;
	command_done(run);
}

static void do_allow(struct command_run *run)
{
	do_lists(run, LISTS_ALLOW, ANSWER_ALLOWED);
}

static void do_hold(struct command_run *run)
{
	do_lists(run, LISTS_HOLD, ANSWER_HELD);
}

static void do_forget(struct command_run *run)
{
	do_lists(run, LISTS_FORGET, ANSWER_FORGOTTEN);
}

/* ---- sending ---- */

static void send_next(struct command_run *run);

static void sent_all(struct command_run *run)
{
	run->kind = run->count > 0 ? ANSWER_SENT : ANSWER_GONE;
	command_done(run);
}

static void on_released(void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err)
{
	struct command_run *run = ctx;
	(void)left;
	if (rc != RC_OK) /* the engine tries it again by itself */
		log_warning("%s: command %s: %s", run->user, run->name, err->text);
	run->count += delivered > 0 || rc == RC_OK ? MAX(delivered, 1) : 1;
	run->next++;
	send_next(run);
}

static void on_kept_sent(void *ctx, json_t *result)
{
	struct command_run *run = ctx;
	struct err err;
	enum rc rc = job_result(result, &err);
	if (rc == RC_TEMP || rc == RC_CORRUPT) {
		command_later(run, &err);
		return;
	}
	if (rc == RC_OK)
		run->count++;
	else
		log_error("%s: command %s: %s", run->user, run->name, err.text);
	run->next++;
	send_next(run);
}

static void send_kept(struct command_run *run, const struct store_held *held)
{
	struct daemon *d = run->d;
	json_t *job = ops_submit_job(d, held->return_path, held->rcpt);
	json_object_set_new(job, "users", json_string(d->kept_path));
	json_object_set_new(job, "user", json_string(run->user));
	json_object_set_new(job, "id", json_string(held->id));
	json_object_set_new(job, "lead", json_integer((json_int_t)held->lead));
	workers_run(d->workers, job, (unsigned)d->conf->submit_timeout + 10, on_kept_sent, run);
}

/* The next original: one that is still held is released, one that was in a digest is sent again. */
static void send_next(struct command_run *run)
{
	struct daemon *d = run->d;
	struct store_held held;
	if (d->stopping)
		return;
	for (; run->next < run->ids->len; run->next++) {
		const char *id = run->ids->pdata[run->next];
		if (store_held_get(d->store, run->user, id, &held, NULL) == RC_OK) {
			const char *const one[] = {id, NULL};
			learn_let(d, run->user, held.from_addr);
			releases_now(
			    d->releases, run->user, one, false, clock_now(), on_released, run);
			return;
		}
		if (kept_get(d, run->user, id, &held, NULL) == RC_OK) {
			learn_let(d, run->user, held.from_addr);
			send_kept(run, &held);
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

static void do_send(struct command_run *run)
{
	struct err err;
	enum rc rc = RC_OK;
	run->ids = g_ptr_array_new_with_free_func(g_free);
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
		rc = err_set(
		    &err, RC_PERM, "which messages? Right would be: release 3 5, or release all");
	if (rc != RC_OK)
		command_refuse(run, rc, &err);
	else
		send_next(run);
}

static void on_all_released(
    void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err)
{
	struct command_run *run = ctx;
	if (rc != RC_OK) /* the engine tries it again by itself */
		log_warning("%s: command %s: %s", run->user, run->name, err->text);
	run->count = delivered + left;
	run->kind = run->count > 0 ? ANSWER_SENT_ALL : ANSWER_NOTHING_HELD;
	command_done(run);
}

static void do_all(struct command_run *run)
{
	releases_now(run->d->releases, run->user, NULL, false, clock_now(), on_all_released, run);
}

/* ---- undo ---- */

static void undo_lists(struct command_run *run, const json_t *lists)
{
	struct err err;
	enum rc rc = RC_OK;
	size_t i;
	json_t *row;
	json_array_foreach(lists, i, row)
	{
		const char *entry = json_string_value(json_object_get(row, "entry"));
		if (rc != RC_OK || entry == NULL)
			continue;
		rc = lists_restore(run->d, run->user, entry, json_object_get(row, "lines"), &err);
		name_object(run, entry);
	}
	if (rc != RC_OK) {
		command_refuse(run, rc, &err);
		return;
	}
	run->kind = ANSWER_UNDONE;
	command_done(run);
}

static void do_undo(struct command_run *run)
{
	void *data = NULL;
	size_t len = 0;
	json_t *undo = NULL;
	if (store_note_get(
		run->d->store, run->user, "undo", run->token.object, &data, &len, NULL) == RC_OK)
		undo = json_loadb(data, len, 0, NULL);
	g_free(data);
	const json_t *lists = json_object_get(undo, "lists");
	const json_t *settings = json_object_get(undo, "settings");
	if (lists != NULL) {
		undo_lists(run, lists);
	} else if (settings != NULL) {
		command_settings_undo(run, settings);
	} else {
		run->kind = ANSWER_UNDO_LATE;
		command_done(run);
	}
	json_decref(undo);
}

/* ---- looking ---- */

/* "allow news@shop.example" for each row of an array. */
static void put_rows(GString *out, const char *what, const json_t *rows)
{
	size_t n = MIN(json_array_size(rows), ROWS_SHOWN);
	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(rows, i);
		const char *text =
		    json_string_value(json_is_object(row) ? json_object_get(row, "address") : row);
		const char *when = json_string_value(json_object_get(row, "when"));
		if (text != NULL)
			g_string_append_printf(out, "%s %s%s%.10s\n", what, text,
			    when == NULL ? "" : " ", when == NULL ? "" : when);
	}
}

static void do_learned(struct command_run *run)
{
	static const char *const kinds[] = {"allow", "hold", "known"};
	struct err err;
	json_t *learned = NULL;
	enum rc rc = lists_learned(run->d, run->user, &learned, &err);
	if (rc != RC_OK) {
		command_refuse(run, rc, &err);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		put_rows(run->detail, kinds[i], json_object_get(learned, kinds[i]));
	json_decref(learned);
	run->kind = ANSWER_LISTS;
	command_done(run);
}

static void do_help(struct command_run *run)
{
	run->kind = ANSWER_HELP;
	command_done(run);
}

void command_do(struct command_run *run)
{
	static void (*const verbs[COMMAND_VERBS])(struct command_run * run) = {
	    [COMMAND_ALLOW] = do_allow,
	    [COMMAND_HOLD] = do_hold,
	    [COMMAND_FORGET] = do_forget,
	    [COMMAND_SEND] = do_send,
	    [COMMAND_ALL] = do_all,
	    [COMMAND_TIMES] = command_settings_times,
	    [COMMAND_PAUSE] = command_settings_pause,
	    [COMMAND_RESUME] = command_settings_resume,
	    [COMMAND_LISTS] = do_learned,
	    [COMMAND_HELP] = do_help,
	    [COMMAND_UNDO] = do_undo,
	};
	if (run->command.verb == COMMAND_UNDO && run->token.expires == 0)
		do_help(run); /* what is to be undone, only a link can say */
	else
		verbs[run->command.verb](run);
}
