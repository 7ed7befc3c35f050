/*
 * store.c: the typed layer: turns what callers know into bytes for a database driver and folders
 * for a message driver, and keeps the rules that hold for every driver. See store.h; the bytes are
 * described in store_record.c.
 */
#include <config.h>

#include "store/store.h"

#include <string.h>

#include "base/fault.h"
#include "base/str.h"
#include "store/store_private.h"

static const struct store_msg_driver *const msg_drivers[] = {
    &store_maildir_driver,
    &store_mem_msg_driver,
    &store_fail_msg_driver,
};
static const struct store_db_driver *const db_drivers[] = {
    &store_bdb_driver,
    &store_mem_db_driver,
    &store_fail_db_driver,
};

static const char index_complete_key[] = "index-complete";

/* ---- access to the database driver ---- */

static enum rc checked(struct store *store, enum rc rc)
{
	if (store->in_txn && (rc == RC_TEMP || rc == RC_CORRUPT))
		store->doomed = true;
	return rc;
}

/* A transaction of which a part failed must not be added to: its commit will be refused. */
static enum rc usable(struct store *store, struct err *err)
{
	return store->doomed ? err_set(err, RC_TEMP, "the transaction has failed already") : RC_OK;
}

enum rc store_get(struct store *store, enum store_table table, struct store_bytes key,
    GByteArray *value, struct err *err)
{
	enum rc rc = usable(store, err);
	if (rc == RC_OK && fault_point("store.db.get"))
		rc = err_errno(err, RC_TEMP, "database");
	if (rc == RC_OK)
		rc = store->db->get(store->db_self, table, key, value, err);
	return checked(store, rc);
}

enum rc store_put(struct store *store, enum store_table table, struct store_bytes key,
    struct store_bytes value, struct err *err)
{
	enum rc rc = usable(store, err);
	if (rc == RC_OK && fault_point("store.db.put"))
		rc = err_errno(err, RC_TEMP, "database");
	if (rc == RC_OK)
		rc = store->db->put(store->db_self, table, key, value, err);
	return checked(store, rc);
}

enum rc store_del(
    struct store *store, enum store_table table, struct store_bytes key, struct err *err)
{
	enum rc rc = usable(store, err);
	if (rc == RC_OK && fault_point("store.db.del"))
		rc = err_errno(err, RC_TEMP, "database");
	if (rc == RC_OK)
		rc = store->db->del(store->db_self, table, key, err);
	return checked(store, rc);
}

enum rc store_scan(struct store *store, enum store_table table, const GByteArray *prefix,
    store_record_fn *fn, void *ctx, struct err *err)
{
	struct store_bytes bytes = {.data = "", .len = 0};
	enum rc rc = usable(store, err);
	if (prefix != NULL)
		bytes = store_bytes_of(prefix);
	if (rc == RC_OK)
		rc = store->db->scan(store->db_self, table, bytes, fn, ctx, err);
	return checked(store, rc);
}

/* ---- transactions ---- */

enum rc store_begin(struct store *store, struct err *err)
{
	if (store->in_txn)
		return err_set(err, RC_PERM, "a transaction is open already");
	enum rc rc = store->db->begin(store->db_self, err);
	store->in_txn = rc == RC_OK;
	store->doomed = false;
	if (rc == RC_OK && store->msg->defer != NULL)
		store->msg->defer(store->msg_self);
	return rc;
}

static enum rc settle(struct store *store, struct err *err)
{
	return store->msg->settle == NULL ? RC_OK : store->msg->settle(store->msg_self, err);
}

static void drop_bad_record(struct store *store)
{
	if (store->bad_key == NULL || store->in_txn)
		return;
	/* Both are best effort: if they fail, the record is met again, and is dropped then. */
	if (store_index_set_complete(store, false, NULL) == RC_OK)
		store_del(store, store->bad_table, store_bytes_of(store->bad_key), NULL);
	g_byte_array_unref(store->bad_key);
	store->bad_key = NULL;
}

void store_abort(struct store *store)
{
	if (!store->in_txn)
		return;
	settle(store, NULL); /* files do not roll back; if this fails, a rename or two may */
	store->db->abort(store->db_self);
	store->in_txn = false;
	store->doomed = false;
	drop_bad_record(store);
}

enum rc store_commit(struct store *store, struct err *err)
{
	enum rc rc;
	if (!store->in_txn)
		return err_set(err, RC_PERM, "no transaction is open");
	if (store->doomed) {
		rc = err_set(err, RC_TEMP, "rolled back, for a part of the transaction failed");
		store_abort(store);
		return rc;
	}
	/* Files first: the index must not say what the folders may still forget. */
	rc = settle(store, err);
	if (rc == RC_OK && fault_point("store.db.before_commit"))
		rc = err_errno(err, RC_TEMP, "commit");
	if (rc != RC_OK) {
		store_abort(store);
		return rc;
	}
	rc = store->db->commit(store->db_self, err);
	store->in_txn = false;
	(void)fault_point("store.db.after_commit");
	return rc;
}

enum rc store_checkpoint(struct store *store, struct err *err)
{
	if (fault_point("store.db.checkpoint"))
		return err_errno(err, RC_TEMP, "checkpoint");
	return store->db->checkpoint(store->db_self, err);
}

enum rc store_change(struct store *store, store_change_fn *fn, void *ctx, struct err *err)
{
	struct err inner;
	bool nested = store->in_txn;
	enum rc rc = nested ? RC_OK : store_begin(store, &inner);
	if (rc == RC_OK)
		rc = fn(store, ctx, &inner);
	if (rc == RC_OK && !nested)
		rc = store_commit(store, &inner);
	if (rc != RC_OK && !nested)
		store_abort(store);
	return store_result(rc, &inner, err);
}

enum rc store_bad_record(
    struct store *store, enum store_table table, struct store_bytes key, struct err *err)
{
	if (store->bad_key == NULL) {
		store->bad_key = g_byte_array_new();
		store->bad_table = table;
		g_byte_array_append(store->bad_key, key.data, (guint)key.len);
	}
	enum rc rc =
	    err_set(err, RC_CORRUPT, "a record of table %d makes no sense and is dropped: %.*s",
		(int)table, (int)MIN(key.len, 200), (const char *)key.data);
	drop_bad_record(store);
	return checked(store, rc);
}

/* ---- folders ---- */

enum rc store_folder(const char *user, char folder_out[STORE_FOLDER_MAX], struct err *err)
{
	char domain_part[ADDR_PATH_MAX], local_part[ADDR_PATH_MAX];
	size_t len = strnlen(user, ADDR_MAX);
	const char *domain = len < ADDR_MAX ? addr_domain(user) : "";
	if (domain[0] == '\0' || domain - user < 2)
		return err_set(err, RC_PERM, "no user: %.80s", user);
	addr_path(domain, strlen(domain), domain_part);
	addr_path(user, (size_t)(domain - user) - 1, local_part);
	g_snprintf(folder_out, STORE_FOLDER_MAX, "%s/%s", domain_part, local_part);
	return RC_OK;
}

enum rc store_folder_user(const char *folder, char user_out[ADDR_MAX], struct err *err)
{
	char domain[ADDR_PATH_MAX], local[ADDR_PATH_MAX], again[STORE_FOLDER_MAX];
	char user[2 * ADDR_PATH_MAX];
	const char *slash = strchr(folder, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - folder);
	if (len == 0 || len >= sizeof(domain))
		return err_set(err, RC_PERM, "no folder of a user: %.80s", folder);
	memcpy(local, folder, len);
	local[len] = '\0';
	enum rc rc = addr_unpath(local, domain, sizeof(domain), err);
	if (rc == RC_OK)
		rc = addr_unpath(slash + 1, local, sizeof(local), err);
	if (rc != RC_OK)
		return rc;
	g_snprintf(user, sizeof(user), "%s@%s", local, domain);
	/* An "@" in a directory's name would let two folders claim one user. */
	if (store_folder(user, again, NULL) != RC_OK || strcmp(again, folder) != 0)
		return err_set(err, RC_PERM, "no folder of a user: %.80s", folder);
	str_copy(user_out, ADDR_MAX, user);
	return RC_OK;
}

/* ---- open, close ---- */

enum rc store_index_complete(struct store *store, bool *complete_out, struct err *err)
{
	GByteArray *key = g_byte_array_new(), *value = g_byte_array_new();
	g_byte_array_append(key, (const guint8 *)index_complete_key, sizeof(index_complete_key));
	struct err inner;
	enum rc rc = store_get(store, STORE_TABLE_META, store_bytes_of(key), value, &inner);
	if (rc == RC_OK || rc == RC_NOTFOUND) {
		*complete_out = rc == RC_OK;
		rc = RC_OK;
	}
	g_byte_array_unref(key);
	g_byte_array_unref(value);
	return store_result(rc, &inner, err);
}

enum rc store_index_set_complete(struct store *store, bool complete, struct err *err)
{
	struct store_bytes key = {.data = index_complete_key, .len = sizeof(index_complete_key)};
	struct store_bytes value = {.data = "", .len = 0};
	if (complete)
		return store_put(store, STORE_TABLE_META, key, value, err);
	struct err inner;
	enum rc rc = store_del(store, STORE_TABLE_META, key, &inner);
	return store_result(rc == RC_NOTFOUND ? RC_OK : rc, &inner, err);
}

static bool note_folder(void *ctx, const char *folder)
{
	(void)folder;
	*(bool *)ctx = true;
	return false;
}

/* Whether the index wants a rebuild: it was set aside, or is new beside folders that are not (then
 * somebody removed it), or lost a record, or the last rebuild did not get to its end. */
static enum rc index_state(struct store *store, bool reset, bool *incomplete_out, struct err *err)
{
	bool complete = false, folders = false;
	enum rc rc = store_index_complete(store, &complete, err);
	if (rc != RC_OK)
		return rc;
	if (!complete && !reset) {
		if (store->msg->folders(store->msg_self, note_folder, &folders, NULL) != RC_OK)
			folders = true; /* not known: then say so */
		if (!folders)
			rc = store_index_set_complete(store, true, err);
	}
	if (rc == RC_OK)
		*incomplete_out = reset || (!complete && folders);
	return rc;
}

enum rc store_open(const struct store_config *config, struct store **store_out, bool *recovered_out,
    struct err *err)
{
	struct store *store = g_new0(struct store, 1);
	bool reset = false, incomplete = false;
	enum rc rc;
	for (size_t i = 0; i < G_N_ELEMENTS(msg_drivers); i++)
		if (strcmp(msg_drivers[i]->name, config->msg_driver) == 0)
			store->msg = msg_drivers[i];
	for (size_t i = 0; i < G_N_ELEMENTS(db_drivers); i++)
		if (strcmp(db_drivers[i]->name, config->db_driver) == 0)
			store->db = db_drivers[i];
	if (store->msg == NULL || store->db == NULL) {
		rc = err_set(err, RC_PERM, "no such store driver: %.80s",
		    store->msg == NULL ? config->msg_driver : config->db_driver);
		goto fail;
	}
	rc = store->msg->open(config->msg_path, &store->msg_self, err);
	if (rc != RC_OK)
		goto fail;
	rc = store->db->open(config->db_path, &store->db_self, &reset, err);
	if (rc != RC_OK)
		goto fail_msg;
	/* "fail" opens, so that callers can be tried against a store that fails later. */
	if (reset)
		rc = store_known_mend(store, err);
	if (reset && rc == RC_OK)
		rc = store_note_mend(store, err);
	if (rc == RC_OK && recovered_out != NULL && store->db != &store_fail_db_driver)
		rc = index_state(store, reset, &incomplete, err);
	if (rc != RC_OK)
		goto fail_db;
	*store_out = store;
	if (recovered_out != NULL)
		*recovered_out = incomplete;
	return RC_OK;
fail_db:
	store->db->close(store->db_self);
fail_msg:
	store->msg->close(store->msg_self);
fail:
	g_free(store);
	return rc;
}

void store_close(struct store **store)
{
	struct store *s = *store;
	if (s == NULL)
		return;
	store_abort(s);
	s->db->close(s->db_self);
	s->msg->close(s->msg_self);
	g_free(s);
	*store = NULL;
}

/* ---- messages ---- */

static enum rc folder_and_id(
    const char *user, const char *id, char folder_out[STORE_FOLDER_MAX], struct err *err)
{
	if (!store_id_valid(id))
		return err_set(err, RC_PERM, "no message id: %.80s", id);
	return store_folder(user, folder_out, err);
}

enum rc store_msg_commit(
    struct store *store, const char *user, const char *id, const char *path, struct err *err)
{
	char folder[STORE_FOLDER_MAX];
	enum rc rc = folder_and_id(user, id, folder, err);
	return rc == RC_OK ? store->msg->commit(store->msg_self, folder, id, path, err) : rc;
}

static gint compare_msgs(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct store_msg *)a)->id, ((const struct store_msg *)b)->id);
}

enum rc store_msg_list(
    struct store *store, const char *user, store_msg_fn *fn, void *ctx, struct err *err)
{
	char folder[STORE_FOLDER_MAX];
	enum rc rc = store_folder(user, folder, err);
	if (rc != RC_OK)
		return rc;
	GArray *msgs = g_array_new(FALSE, FALSE, sizeof(struct store_msg));
	rc = store->msg->list(store->msg_self, folder, msgs, err);
	g_array_sort(msgs, compare_msgs);
	for (guint i = 0; rc == RC_OK && i < msgs->len; i++)
		if (!fn(ctx, &g_array_index(msgs, struct store_msg, i)))
			break;
	g_array_unref(msgs);
	return rc;
}

enum rc store_msg_open(
    struct store *store, const char *user, const char *id, int *fd_out, struct err *err)
{
	char folder[STORE_FOLDER_MAX];
	enum rc rc = folder_and_id(user, id, folder, err);
	return rc == RC_OK ? store->msg->open_msg(store->msg_self, folder, id, fd_out, err) : rc;
}

enum rc store_msg_remove(struct store *store, const char *user, const char *id, struct err *err)
{
	char folder[STORE_FOLDER_MAX];
	enum rc rc = folder_and_id(user, id, folder, err);
	return rc == RC_OK ? store->msg->remove(store->msg_self, folder, id, err) : rc;
}

struct users_ctx {
	store_user_fn *fn;
	void *ctx;
};

static bool folder_to_user(void *ctx, const char *folder)
{
	const struct users_ctx *users = ctx;
	char user[ADDR_MAX];
	return store_folder_user(folder, user, NULL) != RC_OK || users->fn(users->ctx, user);
}

enum rc store_msg_users(struct store *store, store_user_fn *fn, void *ctx, struct err *err)
{
	struct users_ctx users = {.fn = fn, .ctx = ctx};
	return store->msg->folders(store->msg_self, folder_to_user, &users, err);
}

/* ---- index ---- */

enum rc store_held_put(
    struct store *store, const char *user, const struct store_held *held, struct err *err)
{
	char folder[STORE_FOLDER_MAX];
	GByteArray *key = g_byte_array_new(), *value = g_byte_array_new();
	enum rc rc = store_folder(user, folder, err);
	if (rc == RC_OK)
		rc = store_held_encode(held, value, err);
	if (rc == RC_OK)
		rc = store_key(key, user, held->id, err);
	if (rc == RC_OK)
		rc = store_put(
		    store, STORE_TABLE_HELD, store_bytes_of(key), store_bytes_of(value), err);
	g_byte_array_unref(key);
	g_byte_array_unref(value);
	return rc;
}

enum rc store_held_get(struct store *store, const char *user, const char *id,
    struct store_held *held_out, struct err *err)
{
	GByteArray *key = g_byte_array_new(), *value = g_byte_array_new();
	struct store_held held;
	struct store_bytes id_bytes = {.data = id, .len = strlen(id)};
	enum rc rc = store_key(key, user, id, err);
	if (rc == RC_OK)
		rc = store_get(store, STORE_TABLE_HELD, store_bytes_of(key), value, err);
	if (rc == RC_OK && !store_held_decode(id_bytes, store_bytes_of(value), &held))
		rc = store_bad_record(store, STORE_TABLE_HELD, store_bytes_of(key), err);
	if (rc == RC_OK)
		*held_out = held;
	g_byte_array_unref(key);
	g_byte_array_unref(value);
	return rc;
}

static enum rc del_entry(struct store *store, enum store_table table, const char *user,
    const char *rest, struct err *err)
{
	GByteArray *key = g_byte_array_new();
	enum rc rc = store_key(key, user, rest, err);
	if (rc == RC_OK)
		rc = store_del(store, table, store_bytes_of(key), err);
	g_byte_array_unref(key);
	return rc;
}

enum rc store_held_del(struct store *store, const char *user, const char *id, struct err *err)
{
	return del_entry(store, STORE_TABLE_HELD, user, id, err);
}

struct scan_ctx {
	struct store *store;
	enum rc rc; /* of the callback's own findings */
	struct err *err;
	store_held_fn *held_fn;
	store_slot_fn *slot_fn;
	void *ctx;
};

static bool scan_held(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct scan_ctx *s = ctx;
	struct store_held held;
	const char *user;
	struct store_bytes id;
	if (!store_key_split(key, &user, &id) || !store_held_decode(id, value, &held)) {
		s->rc = store_bad_record(s->store, STORE_TABLE_HELD, key, s->err);
		return false;
	}
	return s->held_fn(s->ctx, user, &held);
}

enum rc store_held_scan(
    struct store *store, const char *user, store_held_fn *fn, void *ctx, struct err *err)
{
	struct scan_ctx s = {.store = store, .err = err, .held_fn = fn, .ctx = ctx};
	GByteArray *prefix = g_byte_array_new();
	enum rc rc = RC_OK;
	if (user != NULL) {
		rc = store_key(prefix, user, NULL, err);
		g_byte_array_append(prefix, (const guint8 *)"", 1);
	}
	if (rc == RC_OK)
		rc = store_scan(store, STORE_TABLE_HELD, prefix, scan_held, &s, err);
	g_byte_array_unref(prefix);
	return rc == RC_OK ? s.rc : rc;
}

/* ---- slot ledger ---- */

enum rc store_slot_put(
    struct store *store, const char *user, const void *data, size_t len, struct err *err)
{
	if (len > STORE_SLOT_MAX)
		return err_set(
		    err, RC_PERM, "%.80s: a ledger of %zu bytes is too large", user, len);
	GByteArray *key = g_byte_array_new(), *value = g_byte_array_new();
	enum rc rc = store_key(key, user, NULL, err);
	if (rc == RC_OK) {
		store_slot_encode(data, len, value);
		rc = store_put(
		    store, STORE_TABLE_SLOT, store_bytes_of(key), store_bytes_of(value), err);
	}
	g_byte_array_unref(key);
	g_byte_array_unref(value);
	return rc;
}

enum rc store_slot_get(
    struct store *store, const char *user, void **data_out, size_t *len_out, struct err *err)
{
	GByteArray *key = g_byte_array_new(), *value = g_byte_array_new();
	struct store_bytes data;
	enum rc rc = store_key(key, user, NULL, err);
	if (rc == RC_OK)
		rc = store_get(store, STORE_TABLE_SLOT, store_bytes_of(key), value, err);
	if (rc == RC_OK && !store_slot_decode(store_bytes_of(value), &data))
		rc = store_bad_record(store, STORE_TABLE_SLOT, store_bytes_of(key), err);
	if (rc == RC_OK) {
		char *copy = g_malloc(data.len + 1); /* never NULL, and a text has its end */
		memcpy(copy, data.data, data.len);
		copy[data.len] = '\0';
		*data_out = copy;
		*len_out = data.len;
	}
	g_byte_array_unref(key);
	g_byte_array_unref(value);
	return rc;
}

enum rc store_slot_del(struct store *store, const char *user, struct err *err)
{
	return del_entry(store, STORE_TABLE_SLOT, user, NULL, err);
}

static bool scan_slot(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct scan_ctx *s = ctx;
	char user[ADDR_MAX];
	struct store_bytes data;
	if (key.len == 0 || key.len >= ADDR_MAX || memchr(key.data, '\0', key.len) != NULL ||
	    !store_slot_decode(value, &data)) {
		s->rc = store_bad_record(s->store, STORE_TABLE_SLOT, key, s->err);
		return false;
	}
	memcpy(user, key.data, key.len);
	user[key.len] = '\0';
	return s->slot_fn(s->ctx, user, data.data, data.len);
}

enum rc store_slot_scan(struct store *store, store_slot_fn *fn, void *ctx, struct err *err)
{
	struct scan_ctx s = {.store = store, .err = err, .slot_fn = fn, .ctx = ctx};
	enum rc rc = store_scan(store, STORE_TABLE_SLOT, NULL, scan_slot, &s, err);
	return rc == RC_OK ? s.rc : rc;
}
