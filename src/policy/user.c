/*
 * user.c: see user.h. Locks: users->lock guards the table of users and is held for a lookup only;
 * each slot's own lock is held while that user's files are looked at, participants_lock while that
 * file is. Either may be held when users->lock is taken, never the other way round. POSIX mutexes
 * and not GLib's, which TSan cannot see.
 */
#include <config.h>

#include "policy/user.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/ini.h"
#include "conf/problems.h"
#include "policy/user_file.h"
#include "policy/user_place.h"

enum {
	SLOT_BYTES = 2048,          /* a user with empty lists, about */
	PASSWD_KEEP_MS = 60 * 1000, /* how long the user database's answer serves */
};

enum file { FILE_SETTINGS, FILE_ALLOW, FILE_HOLD, FILE_COUNT };

static const char *const file_names[FILE_COUNT] = {"settings.ini", "allow", "hold"};

/* A user in the cache. */
struct slot {
	int refs; /* atomic: the table's and those of calls under way */
	char *key;
	pthread_mutex_t lock; /* guards what follows */
	struct user_place place;
	bool placed;         /* place was found once */
	int64_t place_until; /* clock_mono_ms */
	struct user_file_sig sigs[FILE_COUNT];
	bool good[FILE_COUNT]; /* the snapshot has a good version of this file */
	struct user *user;     /* the newest snapshot; NULL before the first */
	unsigned generation;   /* of the participants that it was made with */
	GList link;            /* of users->recent; guarded by users->lock */
	size_t bytes;          /* guarded by users->lock */
};

struct users {
	char *settings_dir, *participants_path, *delimiters;
	char **system_domains, **shadow_domains;
	bool keep_case;
	struct settings defaults;

	pthread_mutex_t participants_lock; /* guards the next two */
	struct user_file_sig participants_sig;
	char *participants_sum; /* own; SHA-256 of the text; NULL: none was read */

	pthread_mutex_t lock; /* guards what follows */
	GHashTable *slots;    /* key (foreign) -> struct slot, one reference */
	GQueue recent;        /* struct slot, the most recently asked for first */
	size_t bytes;
	struct list *participants; /* NULL: none are named */
	unsigned generation;       /* counts the changes of participants */
	char participants_problem[400];
};

/* ---- users ---- */

static struct user *user_new(const char *key)
{
	struct user *user = g_new0(struct user, 1);
	user->refs = 1;
	str_copy(user->name, sizeof(user->name), key);
	return user;
}

struct user *user_ref(struct user *user)
{
	g_atomic_int_inc(&user->refs);
	return user;
}

void user_unref(struct user **user)
{
	struct user *u = *user;
	*user = NULL;
	if (u == NULL || !g_atomic_int_dec_and_test(&u->refs))
		return;
	settings_clear(&u->settings);
	list_free(&u->allow);
	list_free(&u->hold);
	g_free(u);
}

/* ---- names and places ---- */

enum rc users_dir(struct users *users, const char *key, char **dir_out, struct err *err)
{
	struct user_place place;
	enum rc rc = user_place_find(users->settings_dir, users->system_domains, key, &place, err);
	if (rc == RC_OK) {
		*dir_out = g_steal_pointer(&place.dir);
		user_place_clear(&place);
	}
	return rc;
}

enum rc users_edit(struct users *users, const char *key, const char *name, user_edit_fn *fn,
    void *ctx, bool *changed_out, struct err *err)
{
	struct user_place place;
	enum rc rc = user_place_find(users->settings_dir, users->system_domains, key, &place, err);
	if (rc != RC_OK)
		return rc;
	bool is_list = strcmp(name, file_names[FILE_SETTINGS]) != 0;
	char *path = g_build_filename(place.dir, name, NULL);
	rc = user_file_edit(
	    path, is_list ? LIST_FILE_MAX : INI_FILE_MAX, place.owner, fn, ctx, changed_out, err);
	g_free(path);
	user_place_clear(&place);
	return rc;
}

enum rc users_key(struct users *users, const char *rcpt, char key_out[ADDR_MAX], struct err *err)
{
	const struct addr_opts opts = {
	    .delimiters = users->delimiters,
	    .keep_case = users->keep_case,
	};
	return addr_normalise(rcpt, &opts, key_out, err);
}

/* ---- reading ---- */

/* Reads one file into *settings_out or *list_out. label names it in problems. RC_NOTFOUND: there is
 * none. */
static enum rc read_file(const struct users *users, const struct user_place *place, enum file file,
    bool long_label, ini_problem_fn *problem, void *ctx, struct settings *settings_out,
    struct list **list_out, struct user_file_sig *sig_out, struct err *err)
{
	char *path = g_build_filename(place->dir, file_names[file], NULL);
	const char *label = long_label ? path : file_names[file];
	struct problems problems = {.fn = problem, .ctx = ctx};
	struct stat st;
	struct err why;
	struct ini *ini = NULL;
	char *data = NULL;
	size_t len = 0;
	enum rc rc = user_file_read(path, file == FILE_SETTINGS ? INI_FILE_MAX : LIST_FILE_MAX,
	    place->owner, &data, &len, &st, sig_out, &why);
	if (rc == RC_NOTFOUND) {
		err_set(err, rc, "%s: none", path);
	} else if (rc != RC_OK) {
		problems_add(&problems, label, 0, "%s", why.text);
		problems_result(&problems, err);
	} else if (file == FILE_SETTINGS) {
		rc = ini_parse(label, data, len, &st, problem, ctx, &ini, err);
		if (rc == RC_OK)
			rc = settings_from_ini(
			    ini, &users->defaults, problem, ctx, settings_out, err);
		ini_free(&ini);
	} else {
		rc = list_parse(file == FILE_HOLD ? LIST_HOLD : LIST_ALLOW, label, data, len,
		    problem, ctx, list_out, err);
	}
	if (rc == RC_TEMP) /* try again with the next message, though the file is the same */
		sig_out->young = true;
	g_free(data);
	g_free(path);
	return rc;
}

enum rc users_check(
    struct users *users, const char *key, ini_problem_fn *problem, void *ctx, struct err *err)
{
	struct user_place place;
	struct err why;
	enum rc result = RC_OK;
	enum rc rc = user_place_find(users->settings_dir, users->system_domains, key, &place, &why);
	if (rc == RC_NOTFOUND)
		return RC_OK; /* no settings of their own: nothing to be wrong */
	if (rc != RC_OK)
		return err_set(err, rc, "%s", why.text);
	for (int file = 0; file < FILE_COUNT; file++) {
		struct user_file_sig sig;
		struct settings settings = {0};
		struct list *list = NULL;
		rc = read_file(users, &place, (enum file)file, true, problem, ctx, &settings, &list,
		    &sig, &why);
		settings_clear(&settings);
		list_free(&list);
		if (rc != RC_OK && rc != RC_NOTFOUND && result == RC_OK)
			result = err_set(err, RC_PERM, "%s", why.text);
	}
	user_place_clear(&place);
	return result;
}

/* ---- who takes part ---- */

/* Reads the participants file if its content changed. participants_lock is held, or nobody else has
 * users yet. On failure the last good list stays. */
static enum rc participants_read(struct users *users, struct err *err)
{
	const char *path = users->participants_path;
	char *data = NULL;
	size_t len = 0;
	struct stat st;
	struct list *list = NULL;
	struct err why = {""};
	enum rc rc = fs_read(path, LIST_FILE_MAX, &data, &len, &st, &why);
	if (rc == RC_OK || stat(path, &st) == 0)
		user_file_sig_set(&users->participants_sig, 0, &st);
	else
		user_file_sig_set(&users->participants_sig, errno, NULL);
	char *sum = rc == RC_OK
	    ? g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, len)
	    : NULL;
	bool same = sum != NULL && g_strcmp0(sum, users->participants_sum) == 0;
	if (rc == RC_OK && !same)
		rc = list_parse(LIST_NAMES, path, data, len, NULL, NULL, &list, &why);
	g_free(data);
	pthread_mutex_lock(&users->lock);
	if ((rc == RC_OK && !same) || rc == RC_NOTFOUND) {
		struct list *old = users->participants;
		users->participants = list;
		users->generation++;
		list_free(&old);
		g_free(users->participants_sum);
		users->participants_sum = g_steal_pointer(&sum);
	}
	if (rc == RC_OK || rc == RC_NOTFOUND)
		why.text[0] = '\0';
	str_copy(users->participants_problem, sizeof(users->participants_problem), why.text);
	pthread_mutex_unlock(&users->lock);
	g_free(sum);
	if (rc == RC_OK || rc == RC_NOTFOUND)
		return RC_OK;
	return err_set(err, rc, "%s", why.text);
}

static void participants_refresh(struct users *users)
{
	/* One thread is enough; the others go on with what there is. */
	if (pthread_mutex_trylock(&users->participants_lock) != 0)
		return;
	if (!user_file_unchanged(users->participants_path, true, &users->participants_sig))
		participants_read(users, NULL);
	pthread_mutex_unlock(&users->participants_lock);
}

bool users_problem(struct users *users, char text_out[400])
{
	pthread_mutex_lock(&users->lock);
	str_copy(text_out, 400, users->participants_problem);
	pthread_mutex_unlock(&users->lock);
	return text_out[0] != '\0';
}

/* ---- the cache ---- */

static void slot_unref(struct slot *slot)
{
	if (!g_atomic_int_dec_and_test(&slot->refs))
		return;
	user_unref(&slot->user);
	user_place_clear(&slot->place);
	g_free(slot->key);
	pthread_mutex_destroy(&slot->lock);
	g_free(slot);
}

/* Takes the slot out of the cache; calls under way go on with it. users->lock is held. */
static void slot_drop(struct users *users, struct slot *slot)
{
	g_hash_table_remove(users->slots, slot->key);
	g_queue_unlink(&users->recent, &slot->link);
	users->bytes -= slot->bytes;
	slot_unref(slot);
}

static struct slot *slot_get(struct users *users, const char *key)
{
	pthread_mutex_lock(&users->lock);
	struct slot *slot = g_hash_table_lookup(users->slots, key);
	if (slot == NULL) {
		slot = g_new0(struct slot, 1);
		slot->refs = 1;
		slot->key = g_strdup(key);
		slot->link.data = slot;
		slot->bytes = SLOT_BYTES;
		slot->place.owner = USER_FILE_NO_OWNER;
		pthread_mutex_init(&slot->lock, NULL);
		g_hash_table_insert(users->slots, slot->key, slot);
		users->bytes += slot->bytes;
	} else {
		g_queue_unlink(&users->recent, &slot->link);
	}
	g_queue_push_head_link(&users->recent, &slot->link);
	g_atomic_int_inc(&slot->refs);
	while (users->recent.length > 1 &&
	    (users->recent.length > USERS_CACHE_MAX || users->bytes > USERS_CACHE_BYTES))
		slot_drop(users, users->recent.tail->data);
	pthread_mutex_unlock(&users->lock);
	return slot;
}

/* Tells the cache what the slot takes now, if it is still in it. */
static void slot_weigh(struct users *users, struct slot *slot)
{
	size_t bytes = SLOT_BYTES + list_bytes(slot->user->allow) + list_bytes(slot->user->hold);
	pthread_mutex_lock(&users->lock);
	if (g_hash_table_lookup(users->slots, slot->key) == slot) {
		users->bytes = users->bytes - slot->bytes + bytes;
		slot->bytes = bytes;
	}
	pthread_mutex_unlock(&users->lock);
}

static bool files_unchanged(const struct slot *slot)
{
	for (int file = 0; file < FILE_COUNT; file++) {
		char *path = g_build_filename(slot->place.dir, file_names[file], NULL);
		bool same = user_file_unchanged(path, false, &slot->sigs[file]);
		g_free(path);
		if (!same)
			return false;
	}
	return true;
}

/* The settings that were read, or the last good ones, or the site's. */
static void adopt_settings(const struct users *users, const struct slot *slot, enum rc rc,
    const struct settings *read, struct settings *out)
{
	if (rc == RC_OK)
		*out = *read;
	else if (rc != RC_NOTFOUND && slot->good[FILE_SETTINGS])
		settings_copy(&slot->user->settings, out);
	else
		settings_copy(&users->defaults, out);
}

/* The list that was read, or the last good one. */
static struct list *adopt_list(enum rc rc, bool good, struct list *read, struct list *old)
{
	if (rc == RC_OK)
		return read;
	return rc != RC_NOTFOUND && good && old != NULL ? list_ref(old) : NULL;
}

static bool is_gone(const char *dir)
{
	struct stat st;
	return dir != NULL && stat(dir, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Where there is no directory the absence of a file says nothing: its file system may not be
 * mounted. What was there counts as unreadable; and of whom nothing is known yet, and whose home is
 * missing, everything passes. */
static void doubt_absence(struct slot *slot, enum rc rcs[FILE_COUNT], struct user *user)
{
	const struct user *old = slot->user;
	if (!is_gone(slot->place.dir))
		return;
	bool stranger = (old == NULL || !old->usable) && is_gone(slot->place.home);
	for (int i = 0; i < FILE_COUNT; i++) {
		if (rcs[i] != RC_NOTFOUND || !(slot->good[i] || stranger))
			continue;
		if (slot->good[i])
			rcs[i] = RC_TEMP;
		else
			user->usable = false;
		slot->sigs[i].error = -1; /* no errno: to be looked at again */
		if (user->problem[0] == '\0')
			g_snprintf(user->problem, sizeof(user->problem),
			    "the directory %.300s is missing", slot->place.dir);
	}
}

static bool is_in_shadow(const struct users *users, const char *key)
{
	return users->shadow_domains != NULL &&
	    g_strv_contains((const char *const *)users->shadow_domains, addr_domain(key));
}

/* Reads all files of the slot and makes a new snapshot. What is bad keeps its last good version.
 * That a file was absent before it turned bad is no good version of it: the user wanted something,
 * and nobody knows what. */
static void slot_read(const struct users *users, struct slot *slot, const struct list *participants)
{
	struct settings settings = {0};
	struct list *lists[FILE_COUNT] = {NULL};
	enum rc rcs[FILE_COUNT];
	struct user *old = slot->user, *user = user_new(slot->key);
	user->usable = true;
	for (int i = 0; i < FILE_COUNT; i++) {
		struct err why;
		rcs[i] = slot->place.dir == NULL
		    ? RC_NOTFOUND
		    : read_file(users, &slot->place, (enum file)i, false, NULL, NULL, &settings,
			  &lists[i], &slot->sigs[i], &why);
		if (rcs[i] == RC_OK || rcs[i] == RC_NOTFOUND)
			continue;
		if (user->problem[0] == '\0')
			str_copy(user->problem, sizeof(user->problem), why.text);
		user->usable = user->usable && slot->good[i];
	}
	doubt_absence(slot, rcs, user);
	adopt_settings(users, slot, rcs[FILE_SETTINGS], &settings, &user->settings);
	user->allow = adopt_list(rcs[FILE_ALLOW], slot->good[FILE_ALLOW], lists[FILE_ALLOW],
	    old == NULL ? NULL : old->allow);
	user->hold = adopt_list(rcs[FILE_HOLD], slot->good[FILE_HOLD], lists[FILE_HOLD],
	    old == NULL ? NULL : old->hold);
	struct list_match named = list_match_addr(participants, slot->key, LIST_EVERY_CLASS);
	user->takes_part =
	    user->settings.enabled && (rcs[FILE_SETTINGS] != RC_NOTFOUND || named.entry != NULL);
	user->shadow = user->settings.shadow || is_in_shadow(users, slot->key);
	for (int i = 0; i < FILE_COUNT; i++)
		slot->good[i] = rcs[i] == RC_OK || (rcs[i] != RC_NOTFOUND && slot->good[i]);
	slot->user = user;
	user_unref(&old);
}

/* The user database does not answer, and nothing of this user is known: everything passes. */
static void slot_unknown(const struct users *users, struct slot *slot, const char *why)
{
	slot->user = user_new(slot->key);
	settings_copy(&users->defaults, &slot->user->settings);
	str_copy(slot->user->problem, sizeof(slot->user->problem), why);
}

/* Asks the user database again from time to time. Returns whether the place is another one now. */
static bool slot_find_place(const struct users *users, struct slot *slot, struct err *err)
{
	struct user_place place = {.owner = USER_FILE_NO_OWNER};
	int64_t now = clock_mono_ms();
	if (slot->user != NULL && now < slot->place_until)
		return false;
	enum rc rc =
	    user_place_find(users->settings_dir, users->system_domains, slot->key, &place, err);
	if (rc != RC_OK && rc != RC_NOTFOUND) {
		slot->place_until = 0;
		return false; /* the last place is better than none */
	}
	slot->place_until = place.system ? now + PASSWD_KEEP_MS : INT64_MAX;
	bool same = g_strcmp0(place.dir, slot->place.dir) == 0 && place.owner == slot->place.owner;
	user_place_clear(&slot->place);
	slot->place = place;
	slot->placed = true;
	return !same;
}

/* Brings the slot's snapshot up to date. The slot's lock is held. */
static void slot_refresh(struct users *users, struct slot *slot)
{
	struct err err = {""};
	bool moved = slot_find_place(users, slot, &err);
	pthread_mutex_lock(&users->lock);
	unsigned generation = users->generation;
	struct list *participants =
	    users->participants == NULL ? NULL : list_ref(users->participants);
	pthread_mutex_unlock(&users->lock);
	if (!slot->placed) {
		if (slot->user == NULL)
			slot_unknown(users, slot, err.text);
	} else if (slot->user == NULL || moved || slot->generation != generation ||
	    (slot->place.dir != NULL && !files_unchanged(slot))) {
		slot_read(users, slot, participants);
		slot->generation = generation;
		slot_weigh(users, slot);
	}
	list_free(&participants);
}

enum rc users_get(struct users *users, const char *key, struct user **user_out, struct err *err)
{
	if (*addr_domain(key) == '\0' || strlen(key) >= ADDR_MAX)
		return err_set(err, RC_PERM, "no normalised address: %.80s", key);
	participants_refresh(users);
	struct slot *slot = slot_get(users, key);
	pthread_mutex_lock(&slot->lock);
	slot_refresh(users, slot);
	struct user *user = user_ref(slot->user);
	pthread_mutex_unlock(&slot->lock);
	slot_unref(slot);
	*user_out = user;
	return RC_OK;
}

/* ---- all of it ---- */

enum rc users_new(const struct users_config *config, struct users **users_out, struct err *err)
{
	struct users *users = g_new0(struct users, 1);
	users->settings_dir = g_strdup(config->settings_dir);
	users->participants_path = g_strdup(config->participants);
	users->delimiters = g_strdup(config->delimiters);
	users->system_domains = g_strdupv(config->system_domains);
	users->shadow_domains = g_strdupv(config->shadow_domains);
	users->keep_case = config->keep_case;
	settings_copy(config->defaults, &users->defaults);
	pthread_mutex_init(&users->participants_lock, NULL);
	pthread_mutex_init(&users->lock, NULL);
	users->slots = g_hash_table_new(g_str_hash, g_str_equal);
	g_queue_init(&users->recent);
	enum rc rc = participants_read(users, err);
	if (rc == RC_OK)
		*users_out = users;
	else
		users_free(&users);
	return rc;
}

void users_free(struct users **users)
{
	struct users *u = *users;
	*users = NULL;
	if (u == NULL)
		return;
	while (u->recent.tail != NULL)
		slot_drop(u, u->recent.tail->data);
	g_hash_table_unref(u->slots);
	list_free(&u->participants);
	settings_clear(&u->defaults);
	pthread_mutex_destroy(&u->lock);
	pthread_mutex_destroy(&u->participants_lock);
	g_free(u->participants_sum);
	g_strfreev(u->system_domains);
	g_strfreev(u->shadow_domains);
	g_free(u->delimiters);
	g_free(u->participants_path);
	g_free(u->settings_dir);
	g_free(u);
}
