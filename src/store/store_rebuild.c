/*
 * store_rebuild.c: makes the index equal to the folders, which are the truth.
 */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "store/store_private.h"

/* Entries changed in one transaction: bounds its locks, its log, and our memory. */
enum { BATCH = 200 };

struct edit {
	char user[ADDR_MAX];
	bool add;
	struct store_held held; /* with !add, only its id */
};

struct rebuild {
	struct store *store;
	store_describe_fn *describe;
	void *ctx;
	GArray *edits; /* own: struct edit, not yet applied */
	size_t changed;
};

/* ---- applying ---- */

static enum rc apply(struct store *store, void *ctx, struct err *err)
{
	const struct rebuild *r = ctx;
	for (guint i = 0; i < r->edits->len; i++) {
		const struct edit *edit = &g_array_index(r->edits, struct edit, i);
		enum rc rc = edit->add ? store_held_put(store, edit->user, &edit->held, err)
				       : store_held_del(store, edit->user, edit->held.id, err);
		if (rc != RC_OK && rc != RC_NOTFOUND)
			return rc;
	}
	return RC_OK;
}

static enum rc flush(struct rebuild *r, struct err *err)
{
	if (r->edits->len == 0)
		return RC_OK;
	enum rc rc = store_change(r->store, apply, r, err);
	if (rc == RC_OK)
		r->changed += r->edits->len;
	g_array_set_size(r->edits, 0);
	return rc;
}

static enum rc queue(struct rebuild *r, const char *user, struct edit *edit, struct err *err)
{
	str_copy(edit->user, sizeof(edit->user), user);
	g_array_append_vals(r->edits, edit, 1);
	return r->edits->len < BATCH ? RC_OK : flush(r, err);
}

/* ---- one user ---- */

static bool collect_id(void *ctx, struct store_bytes key, struct store_bytes value)
{
	GHashTable *ids = ctx; /* id -> whether the record makes sense */
	struct store_held held;
	const char *user;
	struct store_bytes id;
	if (store_key_split(key, &user, &id))
		g_hash_table_insert(ids, g_strndup(id.data, id.len),
		    GINT_TO_POINTER(store_held_decode(id, value, &held)));
	return true;
}

/* Describes a file. RC_NOTFOUND: it is gone by now, or is none of ours: an IMAP server may have
 * written it, so that we may not even read it. */
static enum rc describe(struct rebuild *r, const char *folder, const struct store_msg *msg,
    char user_out[ADDR_MAX], struct store_held *held_out, struct err *err)
{
	char user[ADDR_MAX] = "";
	struct store_held held;
	int fd = -1;
	memset(&held, 0, sizeof(held));
	enum rc rc = r->store->msg->open_msg(r->store->msg_self, folder, msg->id, &fd, err);
	if (rc == RC_OK) {
		rc = r->describe(r->ctx, fd, msg, user, &held, err);
		close(fd);
	}
	if (rc == RC_OK) {
		str_copy(held.id, sizeof(held.id), msg->id);
		GByteArray *value = g_byte_array_new();
		/* A file may hold a score such as 1e999. */
		rc = store_held_encode(&held, value, err);
		g_byte_array_unref(value);
	}
	if (rc == RC_PERM)
		rc = RC_NOTFOUND;
	if (rc == RC_OK) {
		str_copy(user_out, ADDR_MAX, user);
		*held_out = held;
	}
	return rc;
}

/* Removing an entry is the side on which a mistake costs: it wants certainty that the file is
 * gone, which a listing beside a busy IMAP server does not give. */
static enum rc really_gone(
    struct rebuild *r, const char *folder, const char *id, bool *gone_out, struct err *err)
{
	int fd;
	enum rc rc = RC_NOTFOUND;
	if (store_id_valid(id))
		rc = r->store->msg->open_msg(r->store->msg_self, folder, id, &fd, err);
	if (rc == RC_OK)
		close(fd);
	if (rc == RC_TEMP || rc == RC_CORRUPT)
		return rc;
	*gone_out = rc == RC_NOTFOUND;
	return RC_OK;
}

static enum rc find_missing(struct rebuild *r, const char *user, const char *folder, GArray *msgs,
    GHashTable *ids, struct err *err)
{
	for (guint i = 0; i < msgs->len; i++) {
		const struct store_msg *msg = &g_array_index(msgs, struct store_msg, i);
		struct edit edit = {.add = true};
		gpointer sound = NULL;
		bool present = g_hash_table_lookup_extended(ids, msg->id, NULL, &sound);
		g_hash_table_remove(ids, msg->id);
		if (present && GPOINTER_TO_INT(sound))
			continue;
		/* Whose it is, the folder says: a Delivered-To could be normalised
		 * differently today. */
		enum rc rc = describe(r, folder, msg, edit.user, &edit.held, err);
		if (rc == RC_NOTFOUND) {
			if (present)
				g_hash_table_insert(ids, g_strdup(msg->id), NULL);
			continue;
		}
		if (rc == RC_OK)
			rc = queue(r, user, &edit, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc find_gone(
    struct rebuild *r, const char *user, const char *folder, GHashTable *ids, struct err *err)
{
	GHashTableIter iter;
	gpointer id, sound;
	g_hash_table_iter_init(&iter, ids);
	while (g_hash_table_iter_next(&iter, &id, &sound)) {
		struct edit edit = {.add = false};
		bool gone = true;
		enum rc rc = RC_OK;
		if (GPOINTER_TO_INT(sound))
			rc = really_gone(r, folder, id, &gone, err);
		str_copy(edit.held.id, sizeof(edit.held.id), id);
		if (rc == RC_OK && gone)
			rc = queue(r, user, &edit, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc rebuild_user(struct rebuild *r, const char *user, struct err *err)
{
	char folder[STORE_FOLDER_MAX];
	enum rc rc = store_folder(user, folder, err);
	if (rc != RC_OK)
		return rc;
	GArray *msgs = g_array_new(FALSE, FALSE, sizeof(struct store_msg));
	GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GByteArray *prefix = g_byte_array_new();
	rc = store_key(prefix, user, NULL, err);
	g_byte_array_append(prefix, (const guint8 *)"", 1);
	if (rc == RC_OK)
		rc = r->store->msg->list(r->store->msg_self, folder, msgs, err);
	if (rc == RC_OK)
		rc = store_scan(r->store, STORE_TABLE_HELD, prefix, collect_id, ids, err);
	if (rc == RC_OK)
		rc = find_missing(r, user, folder, msgs, ids, err);
	if (rc == RC_OK)
		rc = find_gone(r, user, folder, ids, err);
	if (rc == RC_OK)
		rc = flush(r, err);
	g_byte_array_unref(prefix);
	g_hash_table_unref(ids);
	g_array_unref(msgs);
	return rc;
}

/* ---- all users ---- */

struct everybody {
	struct rebuild *r;
	GHashTable *users; /* own: set of names */
	enum rc rc;
	struct err *err, inner;
};

static bool add_index_user(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct everybody *all = ctx;
	const char *user;
	struct store_bytes id;
	(void)value;
	if (store_key_split(key, &user, &id) && !g_hash_table_contains(all->users, user))
		g_hash_table_add(all->users, g_strdup(user));
	return true;
}

/* The user of a folder whose name was shortened: asks the messages in it, until one names a user
 * whose folder this is. RC_NOTFOUND: nobody's. */
static enum rc ask_messages(
    struct everybody *all, const char *folder, char user_out[ADDR_MAX], struct err *err)
{
	GArray *msgs = g_array_new(FALSE, FALSE, sizeof(struct store_msg));
	enum rc rc = all->r->store->msg->list(all->r->store->msg_self, folder, msgs, err);
	bool found = false;
	for (guint i = 0; rc == RC_OK && !found && i < msgs->len; i++) {
		const struct store_msg *msg = &g_array_index(msgs, struct store_msg, i);
		struct store_held held;
		char user[ADDR_MAX], again[STORE_FOLDER_MAX];
		rc = describe(all->r, folder, msg, user, &held, err);
		found = rc == RC_OK && store_folder(user, again, NULL) == RC_OK &&
		    strcmp(again, folder) == 0;
		if (found)
			str_copy(user_out, ADDR_MAX, user);
		if (rc == RC_NOTFOUND)
			rc = RC_OK;
	}
	g_array_unref(msgs);
	return (rc == RC_OK && !found) || rc == RC_PERM ? RC_NOTFOUND : rc;
}

static bool add_folder_user(void *ctx, const char *folder)
{
	struct everybody *all = ctx;
	char user[ADDR_MAX];
	enum rc rc = store_folder_user(folder, user, NULL);
	if (rc != RC_OK)
		rc = ask_messages(all, folder, user, all->err);
	if (rc == RC_OK)
		g_hash_table_add(all->users, g_strdup(user));
	else if (rc != RC_NOTFOUND)
		all->rc = rc;
	return all->rc == RC_OK;
}

static enum rc rebuild_all(struct rebuild *r, struct err *err)
{
	struct everybody all = {.r = r, .err = err};
	GHashTableIter iter;
	gpointer user;
	bool incomplete = false;
	all.users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	enum rc rc = store_scan(r->store, STORE_TABLE_HELD, NULL, add_index_user, &all, err);
	if (rc == RC_OK)
		rc = r->store->msg->folders(r->store->msg_self, add_folder_user, &all, err);
	if (rc == RC_OK)
		rc = all.rc;
	g_hash_table_iter_init(&iter, all.users);
	while (rc == RC_OK && g_hash_table_iter_next(&iter, &user, NULL)) {
		/* One user's folder that cannot be read, for good or for now, is no reason to index
		 * nobody's. What was found in it before is kept. */
		rc = rebuild_user(r, user, err);
		if (rc == RC_TEMP) {
			incomplete = true;
			all.inner = *err;
		}
		if (rc == RC_PERM || rc == RC_TEMP)
			rc = flush(r, err);
	}
	if (rc == RC_OK && incomplete)
		rc = err_set(err, RC_TEMP, "%s", all.inner.text);
	if (rc == RC_OK)
		rc = store_index_set_complete(r->store, true, err);
	g_hash_table_unref(all.users);
	return rc;
}

enum rc store_rebuild(struct store *store, const char *user, store_describe_fn *fn, void *ctx,
    size_t *changed_out, struct err *err)
{
	struct rebuild r = {.store = store, .describe = fn, .ctx = ctx};
	struct err inner;
	if (store->in_txn)
		return err_set(err, RC_PERM, "a rebuild makes its own transactions");
	r.edits = g_array_new(FALSE, FALSE, sizeof(struct edit));
	enum rc rc = user == NULL ? rebuild_all(&r, &inner) : rebuild_user(&r, user, &inner);
	g_array_unref(r.edits);
	if (rc == RC_OK && changed_out != NULL)
		*changed_out = r.changed;
	return store_result(rc, &inner, err);
}
