/*
 * command_do.c: what each command does. One row a verb.
 *
 * What undoes a command is noted before it is carried out, as JSON: {"lists": [{"entry", "lines",
 * "now"}]} (where each entry stood, and where it stands since, lists_lines), or {"settings": ...}
 * (command_settings.c). Nothing is undone that was changed since.
 */
#include <config.h>

#include "daemon/commands.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/job.h"
#include "daemon/lists.h"

enum { ROWS_SHOWN = 200 };

/* Refused, or not possible: says why. */
enum rc command_why(struct command_run *run, struct err *err, const char *code, const char *value_1,
    const char *value_2)
{
	run->reason = code;
	str_copy(run->reason_1, sizeof(run->reason_1), value_1 == NULL ? "" : value_1);
	str_copy(run->reason_2, sizeof(run->reason_2), value_2 == NULL ? "" : value_2);
	return err_set(err, RC_PERM, "%s %s %s", code, run->reason_1, run->reason_2);
}

void command_refuse(struct command_run *run, enum rc rc, const struct err *err)
{
	if (rc == RC_PERM || rc == RC_NOTFOUND) {
		run->kind = ANSWER_IMPOSSIBLE;
		if (run->reason == NULL)
			g_string_assign(run->detail, err->text);
	} else {
		run->kind = ANSWER_FAILED;
		log_error("%s: command %s: %s", run->user, run->name, err->text);
	}
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
		if (rc == RC_OK && entry.target[0] == '\0') {
			char number[16];
			g_snprintf(number, sizeof(number), "%u", run->command.numbers[i]);
			rc = command_why(run, err, "no-address", number, NULL);
		}
		if (rc == RC_OK)
			g_ptr_array_add(all, g_strdup(entry.target));
		command_entry_clear(&entry);
	}
	if (rc == RC_OK && all->len == 0)
		rc = command_why(run, err, "which-sender", NULL, NULL);
	if (rc == RC_OK)
		*out = all;
	else
		g_ptr_array_free(all, TRUE);
	return rc;
}

/* The entries in normal form, and where they stand. */
static enum rc look_up(
    struct command_run *run, enum lists_op op, const GPtrArray *all, json_t *rows, struct err *err)
{
	enum rc rc = RC_OK;
	for (guint i = 0; i < all->len && rc == RC_OK; i++) {
		char normal[LIST_ENTRY_MAX];
		json_t *lines = NULL;
		rc = list_entry_normalise(
		    op == LISTS_HOLD ? LIST_HOLD : LIST_ALLOW, all->pdata[i], normal, err);
		if (rc == RC_OK)
			rc = lists_lines(run->d, run->user, normal, &lines, err);
		if (rc == RC_OK)
			json_array_append_new(
			    rows, json_pack("{s:s,s:O}", "entry", normal, "lines", lines));
		json_decref(lines);
	}
	return rc;
}

/* Puts each entry where it shall be, and adds where it stands now. */
static enum rc change_all(struct command_run *run, enum lists_op op, json_t *rows, struct err *err)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		const char *entry = json_string_value(json_object_get(row, "entry"));
		const char *at = entry == NULL ? NULL : strchr(entry, '@');
		struct lists_result result;
		json_t *now = NULL;
		enum rc rc = entry == NULL
		    ? err_set(err, RC_TEMP, "what was noted makes no sense")
		    : lists_change(run->d, run->user, op, entry, &result, err);
		if (rc == RC_OK)
			rc = lists_lines(run->d, run->user, entry, &now, err);
		if (rc != RC_OK)
			return rc;
		json_object_set_new(row, "now", now);
		name_object(run, entry);
		if (op == LISTS_ALLOW && at > entry)
			learn_let(run->d, run->user, entry);
	}
	return RC_OK;
}

static bool any_moved(const json_t *rows)
{
	size_t i;
	json_t *row;
	bool moved = false;
	json_array_foreach(rows, i, row) moved |=
	    !json_equal(json_object_get(row, "lines"), json_object_get(row, "now"));
	return moved;
}

static void do_lists(struct command_run *run, enum lists_op op, enum answer_kind kind)
{
	struct err err;
	GPtrArray *all = NULL;
	json_t *undo = command_undo_before(run);
	enum rc rc = RC_OK;
	if (undo == NULL) {
		undo = json_pack("{s:[]}", "lists");
		rc = targets(run, &all, &err);
		if (rc == RC_OK)
			rc = look_up(run, op, all, json_object_get(undo, "lists"), &err);
		/* Before anything is changed: a crash behind that must not take the way back. */
		if (rc == RC_OK)
			rc = command_undo_put(run, undo, &err);
	}
	json_t *rows = json_object_get(undo, "lists");
	if (rc == RC_OK)
		rc = change_all(run, op, rows, &err);
	if (rc == RC_OK && any_moved(rows)) {
		rc = command_undo_put(run, undo, &err);
		run->undo = json_incref(undo);
	}
	json_decref(undo);
	if (all != NULL)
		g_ptr_array_free(all, TRUE);
	if (rc != RC_OK) {
		command_refuse(run, rc, &err);
		return;
	}
	run->kind = run->undo != NULL ? kind : ANSWER_ALREADY;
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

/* ---- undo ---- */

json_t *command_undo_before(struct command_run *run)
{
	json_t *undo = NULL;
	command_noted(run, "undo", run->name, &undo);
	return undo;
}

enum rc command_undo_put(struct command_run *run, const json_t *undo, struct err *err)
{
	char *text = json_dumps(undo, JSON_COMPACT);
	enum rc rc = store_note_put(run->d->store, run->user, "undo", run->name, text, strlen(text),
	    clock_now() + COMMAND_NOTE_SECONDS, err);
	free(text);
	daemon_check_store(run->d, rc, err);
	return rc;
}

/* Whether each entry still stands where the command put it. */
static bool lists_stand(struct command_run *run, const json_t *rows)
{
	size_t i;
	json_t *row;
	bool stand = true;
	json_array_foreach(rows, i, row)
	{
		const char *entry = json_string_value(json_object_get(row, "entry"));
		json_t *now = NULL;
		stand = stand && entry != NULL &&
		    lists_lines(run->d, run->user, entry, &now, NULL) == RC_OK &&
		    json_equal(now, json_object_get(row, "now"));
		json_decref(now);
	}
	return stand;
}

static void undo_lists(struct command_run *run, const json_t *rows)
{
	struct err err;
	enum rc rc = RC_OK;
	size_t i;
	json_t *row;
	if (!lists_stand(run, rows)) {
		run->kind = ANSWER_UNDO_LATE;
		command_done(run);
		return;
	}
	json_array_foreach(rows, i, row)
	{
		const char *entry = json_string_value(json_object_get(row, "entry"));
		if (rc == RC_OK)
			rc = lists_restore(
			    run->d, run->user, entry, json_object_get(row, "lines"), &err);
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
	    [COMMAND_SEND] = command_send,
	    [COMMAND_ALL] = command_send_all,
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
