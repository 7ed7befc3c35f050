/*
 * command_settings.c: commands that change settings.ini: times, pause, resume, and their undoing.
 * All lines of one command are changed or none is; the comments and the order of the file stay.
 *
 * What undoes such a command is noted as {"settings": [{"key", "old", "new"}]} (old null: the line
 * was not there). Undoing is refused where one of them was changed again since.
 */
#include <config.h>

#include "daemon/commands.h"

#include <string.h>

#include "base/clock.h"
#include "conf/dates.h"
#include "conf/ini.h"
#include "conf/settings_edit.h"
#include "policy/schedule.h"

enum { DAY = 86400, NEXT_SHOWN = 3, CHANGES_MAX = COMMAND_FORM_MAX + 2 };

const char *const command_settings[] = {"times", "timezone", "exceptions", "timezone_until",
    "pause_until", "pause", "originals", "language", "classes", NULL};

struct change {
	const char *key;   /* foreign */
	const char *value; /* foreign; NULL: the line goes */
};

struct edit {
	struct command_run *run;
	const struct change *changes;
	size_t n;
	json_t *undo;         /* own; array */
	bool known;           /* undo was noted before a crash: it stays */
	const json_t *expect; /* of an undo: what must still stand there; or NULL */
	bool changed_since;
};

static const char *section_of(const char *key)
{
	for (size_t i = 0; i < settings_table_n; i++)
		if (strcmp(settings_table[i].key, key) == 0)
			return settings_table[i].section;
	return "digest";
}

/* What stands in the file for a key, or NULL; g_free. */
static char *value_in(const char *text, const char *key)
{
	struct ini *ini = NULL;
	struct stat st = {0};
	char *value = NULL;
	if (ini_parse("settings.ini", text, strlen(text), &st, NULL, NULL, &ini, NULL) != RC_OK)
		return NULL;
	for (size_t i = 0; i < ini->n_entries; i++)
		if (strcmp(ini->entries[i].key, key) == 0 &&
		    strcmp(ini->entries[i].section, section_of(key)) == 0)
			value = g_strdup(ini->entries[i].value);
	ini_free(&ini);
	return value;
}

static enum rc note_undo(const struct edit *edit, struct err *err)
{
	json_t *undo = json_pack("{s:O}", "settings", edit->undo);
	enum rc rc = command_undo_put(edit->run, undo, err);
	json_decref(undo);
	return rc;
}

static enum rc edit_settings(void *ctx, const char *old, char **new_out, struct err *err)
{
	struct edit *edit = ctx;
	char *text = g_strdup(old);
	enum rc rc = RC_OK;
	edit->changed_since = false; /* called again where somebody else wrote meanwhile */
	if (!edit->known)
		json_array_clear(edit->undo);
	for (size_t i = 0; i < edit->n && rc == RC_OK; i++) {
		const struct change *c = &edit->changes[i];
		char *next = NULL, *was = value_in(text, c->key);
		bool changed = false;
		const json_t *expect = json_array_get(edit->expect, i);
		if (expect != NULL &&
		    g_strcmp0(was, json_string_value(json_object_get(expect, "new"))) != 0)
			edit->changed_since = true;
		rc =
		    settings_edit(text, section_of(c->key), c->key, c->value, &next, &changed, err);
		if (rc == RC_OK) {
			g_free(text);
			text = next;
		}
		if (rc == RC_OK && changed && !edit->known)
			json_array_append_new(edit->undo,
			    json_pack(
				"{s:s,s:s?,s:s?}", "key", c->key, "old", was, "new", c->value));
		g_free(was);
	}
	if (rc == RC_OK && edit->changed_since)
		rc = err_set(err, RC_PERM, "changed since");
	struct settings settings = {0};
	if (rc == RC_OK)
		rc = settings_check_text(
		    text, strlen(text), &edit->run->d->conf->defaults, &settings, err);
	settings_clear(&settings);
	/* Before anything is changed: a crash behind that must not take the way back. */
	if (rc == RC_OK && !edit->known && edit->expect == NULL)
		rc = note_undo(edit, err);
	if (rc == RC_OK)
		*new_out = text;
	else
		g_free(text);
	return rc;
}

static enum rc change_settings(struct edit *edit, struct err *err)
{
	struct command_run *run = edit->run;
	bool changed;
	return users_edit(
	    run->d->users, run->user, "settings.ini", edit_settings, edit, &changed, err);
}

/* The next digests, a line each, as they come from now on. */
static void put_next(struct command_run *run)
{
	struct user *user = NULL;
	struct schedule schedule;
	int64_t when = clock_now();
	if (users_get(run->d->users, run->user, &user, NULL) != RC_OK)
		return;
	schedule_of(&user->settings, &schedule);
	for (int i = 0; i < NEXT_SHOWN; i++) {
		char text[SCHEDULE_TEXT_MAX];
		if (schedule_next(&schedule, when, &when, NULL) != RC_OK ||
		    schedule_format(when, schedule_slot_zone(&schedule, when), text, NULL) != RC_OK)
			break;
		/* "2026-12-01T08:00:00+01:00": to the minute, without the offset. */
		text[10] = ' ';
		text[16] = '\0';
		g_string_append_printf(
		    run->detail, "%s%s", run->detail->len == 0 ? "" : "\n", text);
	}
	user_unref(&user);
}

static void set(
    struct command_run *run, const struct change *changes, size_t n, enum answer_kind kind)
{
	struct edit edit = {.run = run, .changes = changes, .n = n, .undo = json_array()};
	struct err err;
	json_t *before = command_undo_before(run);
	edit.known = before != NULL;
	if (edit.known)
		json_array_extend(edit.undo, json_object_get(before, "settings"));
	json_decref(before);
	enum rc rc = change_settings(&edit, &err);
	bool changed = rc == RC_OK && json_array_size(edit.undo) > 0;
	if (changed)
		run->undo = json_pack("{s:O}", "settings", edit.undo);
	json_decref(edit.undo);
	if (rc != RC_OK) {
		command_refuse(run, rc, &err);
		return;
	}
	run->kind = changed ? kind : ANSWER_ALREADY;
	put_next(run);
	ops_tick_soon(run->d);
	command_done(run);
}

void command_settings_times(struct command_run *run)
{
	struct change changes[CHANGES_MAX];
	struct err err;
	size_t n = 0;
	for (size_t i = 0; i < run->command.n_form; i++)
		changes[n++] =
		    (struct change){run->command.form[i].key, run->command.form[i].value};
	if (n == 0) {
		(void)command_why(run, &err, "which-times", NULL, NULL);
		command_refuse(run, RC_PERM, &err);
		return;
	}
	set(run, changes, n, ANSWER_TIMES);
}

void command_settings_pause(struct command_run *run)
{
	char day[DATES_TEXT_MAX];
	struct err err;
	if (run->command.until == 0) {
		(void)command_why(run, &err, "which-day", NULL, NULL);
		command_refuse(run, RC_PERM, &err);
		return;
	}
	date_format(run->command.until, day);
	g_string_assign(run->object, day);
	/* Promise 5: nothing waits for longer than max_hold, whatever is paused. */
	if ((int64_t)run->command.until * DAY > clock_now() + run->d->conf->max_hold)
		run->count = (uint64_t)(run->d->conf->max_hold / DAY);
	const struct change changes[] = {
	    {"pause_until", day}, {"pause", run->command.pass ? "pass" : "hold"}};
	set(run, changes, G_N_ELEMENTS(changes),
	    run->command.pass ? ANSWER_PAUSED_PASS : ANSWER_PAUSED_HOLD);
}

void command_settings_resume(struct command_run *run)
{
	const struct change change = {"pause_until", ""};
	struct user *user = NULL;
	bool paused = users_get(run->d->users, run->user, &user, NULL) == RC_OK &&
	    user->settings.pause_until != 0;
	user_unref(&user);
	if (!paused) {
		run->kind = ANSWER_ALREADY;
		command_done(run);
		return;
	}
	set(run, &change, 1, ANSWER_RESUMED);
}

void command_settings_undo(struct command_run *run, const json_t *rows)
{
	struct change changes[CHANGES_MAX];
	struct edit edit = {.run = run, .changes = changes, .expect = rows, .undo = json_array()};
	struct err err;
	for (size_t i = 0; i < json_array_size(rows) && edit.n < CHANGES_MAX; i++) {
		const json_t *row = json_array_get(rows, i);
		const char *key = json_string_value(json_object_get(row, "key"));
		if (key != NULL)
			changes[edit.n++] =
			    (struct change){key, json_string_value(json_object_get(row, "old"))};
	}
	enum rc rc = change_settings(&edit, &err);
	json_decref(edit.undo);
	if (rc != RC_OK && !edit.changed_since) {
		command_refuse(run, rc, &err);
		return;
	}
	run->kind = edit.changed_since ? ANSWER_UNDO_LATE : ANSWER_UNDONE;
	put_next(run);
	ops_tick_soon(run->d);
	command_done(run);
}
