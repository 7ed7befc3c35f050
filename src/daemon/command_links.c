/*
 * command_links.c: the tokens of the links in digests, and what the numbers of a digest's entries
 * mean, remembered as a note of the kind "digest" by its Message-ID:
 * {"entries": [{"ids": [...], "target": ...}]}.
 */
#include <config.h>

#include "daemon/commands.h"

#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "command/address.h"
#include "conf/dates.h"
#include "policy/schedule.h"

enum { DAY = 86400, MAP_MAX = 4 * 1024 * 1024, PAUSE_EXAMPLE_DAYS = 14 };

bool command_address_of(const struct daemon *d, const char *user, char out[ADDR_MAX])
{
	return d->conf->command_address != NULL && d->command_keys != NULL &&
	    command_address_for(d->conf->command_address, user, out);
}

char *command_token_for(struct daemon *d, const char *user, const char *seed, int64_t since,
    enum command_verb verb, const char *object)
{
	struct command_token token = {.verb = verb, .expires = since + COMMAND_TOKEN_SECONDS};
	char text[COMMAND_TOKEN_MAX];
	if (d->command_keys == NULL || !str_copy(token.object, sizeof(token.object), object))
		return NULL;
	token.nonce = command_nonce(d->command_keys, seed, verb, object);
	command_token_make(d->command_keys, user, &token, text);
	return g_strdup(text);
}

static void put_token(struct daemon *d, json_t *into, const char *key, const char *user,
    const char *seed, int64_t since, enum command_verb verb, const char *object)
{
	char *token = command_token_for(d, user, seed, since, verb, object);
	if (token != NULL)
		json_object_set_new(into, key, json_string(token));
	g_free(token);
}

/* Whom a list entry would name: of what people write on a list the list, else the sender. */
static void target_of(const struct store_held *held, char out[ADDR_MAX + 8])
{
	out[0] = '\0';
	if (strcmp(held->class_name, "discussion") == 0 && held->list_id[0] != '\0')
		g_snprintf(out, ADDR_MAX + 8, "list:%s", held->list_id);
	else if (held->from_addr[0] != '\0')
		g_strlcpy(out, held->from_addr, ADDR_MAX + 8);
}

void command_pause_example(const struct daemon *d, int64_t since, char out[DATES_TEXT_MAX])
{
	int64_t days = CLAMP(d->conf->max_hold / DAY - 1, 1, PAUSE_EXAMPLE_DAYS);
	date_format((int32_t)(since / DAY + days), out);
}

void commands_link(
    struct daemon *d, const char *user, int64_t slot, bool send, const GPtrArray *ids, json_t *job)
{
	static const struct {
		const char *key;
		enum command_verb verb;
	} foot[] = {{"foot_all", COMMAND_ALL}, {"foot_times", COMMAND_TIMES},
	    {"foot_pause", COMMAND_PAUSE}, {"foot_help", COMMAND_HELP}};
	char address[ADDR_MAX], day[DATES_TEXT_MAX], seed[32];
	json_t *entries = json_object_get(job, "entries"), *entry;
	size_t i;
	if (!command_address_of(d, user, address))
		return;
	json_object_set_new(job, "command_address", json_string(address));
	/* Of the slot, not of the digest's name: a preview has the links that the digest will have.
	 * */
	g_snprintf(seed, sizeof(seed), "%" G_GINT64_FORMAT, slot);
	for (i = 0; i < G_N_ELEMENTS(foot); i++)
		put_token(d, job, foot[i].key, user, seed, slot, foot[i].verb, "");
	char *form = command_form(d, user);
	json_object_set_new(job, "times_form", json_string(form));
	g_free(form);
	command_pause_example(d, slot, day);
	json_object_set_new(job, "pause_example", json_string(day));
	json_array_foreach(entries, i, entry)
	{
		struct store_held held;
		char target[ADDR_MAX + 8];
		if (store_held_get(d->store, user, ids->pdata[i], &held, NULL) != RC_OK)
			continue;
		target_of(&held, target);
		if (target[0] != '\0' && strlen(target) < COMMAND_OBJECT_MAX) {
			ops_put_text(entry, "object", target);
			put_token(d, entry, "allow", user, seed, slot, COMMAND_ALLOW, target);
			put_token(d, entry, "hold", user, seed, slot, COMMAND_HOLD, target);
		}
		if (send && d->conf->digest_keep > 0)
			put_token(d, entry, "send", user, seed, slot, COMMAND_SEND, held.id);
	}
}

char *command_form(struct daemon *d, const char *user)
{
	struct user *u = NULL;
	GString *form = g_string_new(NULL);
	char times[TIMES_TEXT_MAX];
	if (users_get(d->users, user, &u, NULL) == RC_OK) {
		times_format(&u->settings.times, times);
		g_string_append_printf(
		    form, "times = %s\ntimezone = %s\n", times, u->settings.timezone);
		user_unref(&u);
	}
	return g_string_free(form, FALSE);
}

/* ---- what numbers mean ---- */

/* The worker's list of ids is trusted with nothing but the grouping. */
static json_t *map_entry(struct daemon *d, const char *user, json_t *ids, GHashTable *known)
{
	json_t *out = json_array();
	char target[ADDR_MAX + 8] = "";
	size_t i;
	json_t *id;
	json_array_foreach(ids, i, id)
	{
		const char *text = json_string_value(id);
		struct store_held held;
		if (text == NULL || !g_hash_table_contains(known, text))
			continue;
		json_array_append(out, id);
		if (target[0] == '\0' && store_held_get(d->store, user, text, &held, NULL) == RC_OK)
			target_of(&held, target);
	}
	char *valid = g_utf8_make_valid(target, -1);
	json_t *entry = json_pack("{s:o,s:s}", "ids", out, "target", valid);
	g_free(valid);
	return entry;
}

static json_t *read_map(const char *path)
{
	char *text = NULL;
	size_t len = 0;
	struct err err;
	if (fs_read(path, MAP_MAX, &text, &len, NULL, &err) != RC_OK)
		return NULL;
	json_t *map = json_loadb(text, len, 0, NULL);
	g_free(text);
	return map;
}

void commands_remember(struct daemon *d, const char *user, const char *message_id,
    const GPtrArray *ids, const char *map_path)
{
	struct err err;
	json_t *map = read_map(map_path), *entries = json_array(), *entry;
	GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
	size_t i;
	for (guint k = 0; k < ids->len; k++)
		g_hash_table_add(known, ids->pdata[k]);
	json_array_foreach(json_object_get(map, "entries"), i, entry)
	    json_array_append_new(entries, map_entry(d, user, entry, known));
	json_t *note = json_pack("{s:o}", "entries", entries);
	char *text = json_dumps(note, JSON_COMPACT);
	enum rc rc = store_note_put(d->store, user, "digest", message_id, text, strlen(text),
	    clock_now() + COMMAND_NOTE_SECONDS, &err);
	if (rc == RC_PERM) {
		/* Too many messages in one digest: its numbers mean nothing, but it can be replied
		 * to. */
		log_warning("%s: what the numbers of %s mean is not remembered: %s", user,
		    message_id, err.text);
		rc = store_note_put(d->store, user, "digest", message_id, COMMAND_NO_ENTRIES,
		    strlen(COMMAND_NO_ENTRIES), clock_now() + COMMAND_NOTE_SECONDS, &err);
	}
	if (rc != RC_OK)
		log_warning("%s: %s is not remembered: %s", user, message_id, err.text);
	daemon_check_store(d, rc, &err);
	free(text);
	json_decref(note);
	json_decref(map);
	g_hash_table_destroy(known);
}

static json_t *digest_note(struct daemon *d, const char *user, const char *message_id)
{
	void *data = NULL;
	size_t len = 0;
	if (message_id[0] == '\0' || strlen(message_id) >= STORE_MSGID_MAX ||
	    store_note_get(d->store, user, "digest", message_id, &data, &len, NULL) != RC_OK)
		return NULL;
	json_t *note = json_loadb(data, len, 0, NULL);
	g_free(data);
	return note;
}

/* The newest digest (or answer) of ours that the command refers to. */
static json_t *referred(struct command_run *run, bool with_entries)
{
	for (size_t i = 0; run->refs[i] != NULL; i++) {
		json_t *note = digest_note(run->d, run->user, run->refs[i]);
		if (note != NULL &&
		    (!with_entries || json_array_size(json_object_get(note, "entries")) > 0))
			return note;
		json_decref(note);
	}
	return NULL;
}

bool command_is_reply(struct command_run *run)
{
	json_t *note = referred(run, false);
	bool is = note != NULL;
	json_decref(note);
	return is;
}

static char **id_list(const json_t *ids)
{
	GPtrArray *list = g_ptr_array_new();
	size_t i;
	json_t *id;
	json_array_foreach(ids, i, id) if (json_is_string(id))
	    g_ptr_array_add(list, g_strdup(json_string_value(id)));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

enum rc command_entry_find(
    struct command_run *run, unsigned number, struct command_entry *entry_out, struct err *err)
{
	json_t *note = referred(run, true);
	const json_t *entries = json_object_get(note, "entries");
	const json_t *entry = number == 0 ? NULL : json_array_get(entries, number - 1);
	const char *target = json_string_value(json_object_get(entry, "target"));
	enum rc rc = RC_OK;
	if (note == NULL) {
		rc = command_why(run, err, "which-digest", NULL, NULL);
	} else if (entry == NULL) {
		char asked[16], all[16];
		g_snprintf(asked, sizeof(asked), "%u", number);
		g_snprintf(all, sizeof(all), "%zu", json_array_size(entries));
		rc = command_why(run, err, "no-number", asked, all);
	}
	if (rc == RC_OK) {
		entry_out->ids = id_list(json_object_get(entry, "ids"));
		str_copy(
		    entry_out->target, sizeof(entry_out->target), target == NULL ? "" : target);
	}
	json_decref(note);
	return rc;
}

void command_entry_clear(struct command_entry *entry)
{
	g_strfreev(entry->ids);
	entry->ids = NULL;
}

struct search {
	const char *id;
	char **ids; /* own; found */
};

static bool search_digest(
    void *ctx, const char *user, const char *name, const void *data, size_t len)
{
	struct search *s = ctx;
	(void)user, (void)name;
	json_t *note = json_loadb(data, len, 0, NULL), *entry;
	size_t i;
	json_array_foreach(json_object_get(note, "entries"), i, entry)
	{
		char **ids = id_list(json_object_get(entry, "ids"));
		if (s->ids == NULL && g_strv_contains((const char *const *)ids, s->id))
			s->ids = ids;
		else
			g_strfreev(ids);
	}
	json_decref(note);
	return s->ids == NULL;
}

char **command_entry_ids(struct daemon *d, const char *user, const char *id)
{
	struct search s = {.id = id};
	struct err err;
	enum rc rc = store_note_scan(d->store, user, "digest", search_digest, &s, &err);
	daemon_check_store(d, rc, &err);
	if (s.ids == NULL) {
		s.ids = g_new0(char *, 2);
		s.ids[0] = g_strdup(id);
	}
	return s.ids;
}
