/*
 * store_mem.c: drivers that live in memory and end with the handle: for tests, and for trying out.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/store_private.h"

/* ---- messages: folder -> id -> GBytes ---- */

/* Far above any hold_max_size: a message in memory has a bound all the same. */
enum { MEM_MSG_MAX = 256 * 1024 * 1024 };

static void unref_table(gpointer table)
{
	g_hash_table_unref(table);
}

static void unref_bytes(gpointer bytes)
{
	g_bytes_unref(bytes);
}

static enum rc mem_msg_open(const char *path, void **self_out, struct err *err)
{
	(void)path, (void)err;
	*self_out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_table);
	return RC_OK;
}

static void mem_msg_close(void *self)
{
	g_hash_table_unref(self);
}

static GBytes *find(void *self, const char *folder, const char *id)
{
	GHashTable *msgs = g_hash_table_lookup(self, folder);
	return msgs == NULL ? NULL : g_hash_table_lookup(msgs, id);
}

/* Reads the committed file and unlinks it: from then on memory alone has it. */
static enum rc mem_msg_commit(
    void *self, const char *folder, const char *id, const char *path, struct err *err)
{
	GBytes *old = find(self, folder, id);
	char *data = NULL;
	size_t len = 0;
	struct stat st;
	if (lstat(path, &st) != 0) {
		if (errno == ENOENT && old != NULL)
			return RC_OK;
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_TEMP, "%s", path);
	}
	if (!S_ISREG(st.st_mode) || st.st_size > MEM_MSG_MAX)
		return err_set(err, RC_PERM, "%s: no regular file, or too large", path);
	enum rc rc = fs_read(path, (size_t)st.st_size, &data, &len, NULL, err);
	if (rc != RC_OK)
		return rc;
	GBytes *msg = g_bytes_new_take(data, len);
	if (old != NULL && !g_bytes_equal(old, msg)) {
		g_bytes_unref(msg);
		return err_set(err, RC_PERM, "%s: another message is held as %s", path, id);
	}
	if (unlink(path) != 0) {
		g_bytes_unref(msg);
		return err_errno(err, RC_TEMP, "%s", path);
	}
	GHashTable *msgs = g_hash_table_lookup(self, folder);
	if (msgs == NULL) {
		msgs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_bytes);
		g_hash_table_insert(self, g_strdup(folder), msgs);
	}
	g_hash_table_replace(msgs, g_strdup(id), msg);
	return RC_OK;
}

static enum rc mem_msg_list(void *self, const char *folder, GArray *msgs, struct err *err)
{
	GHashTable *table = g_hash_table_lookup(self, folder);
	GHashTableIter iter;
	gpointer id, bytes;
	(void)err;
	if (table == NULL)
		return RC_OK;
	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &id, &bytes)) {
		struct store_msg msg = {.size = g_bytes_get_size(bytes)};
		g_strlcpy(msg.id, id, sizeof(msg.id));
		g_array_append_val(msgs, msg);
	}
	return RC_OK;
}

static enum rc mem_msg_open_msg(
    void *self, const char *folder, const char *id, int *fd_out, struct err *err)
{
	GBytes *msg = find(self, folder, id);
	if (msg == NULL)
		return err_set(err, RC_NOTFOUND, "%s: no such message", id);
	int fd = memfd_create(id, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_errno(err, RC_TEMP, "%s", id);
	enum rc rc = fs_write_all(fd, g_bytes_get_data(msg, NULL), g_bytes_get_size(msg), err);
	/* A memfd is open for writing; the seal makes it as read-only as a file's descriptor. */
	if (rc == RC_OK &&
	    (lseek(fd, 0, SEEK_SET) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) != 0))
		rc = err_errno(err, RC_TEMP, "%s", id);
	if (rc == RC_OK)
		*fd_out = fd;
	else
		close(fd);
	return rc;
}

static enum rc mem_msg_remove(void *self, const char *folder, const char *id, struct err *err)
{
	GHashTable *msgs = g_hash_table_lookup(self, folder);
	if (msgs == NULL || !g_hash_table_remove(msgs, id))
		return err_set(err, RC_NOTFOUND, "%s: no such message", id);
	return RC_OK;
}

static enum rc mem_msg_folders(void *self, store_folder_fn *fn, void *ctx, struct err *err)
{
	GList *folders = g_hash_table_get_keys(self);
	(void)err;
	for (GList *l = folders; l != NULL && fn(ctx, l->data); l = l->next)
		;
	g_list_free(folders);
	return RC_OK;
}

const struct store_msg_driver store_mem_msg_driver = {
    .name = "mem",
    .open = mem_msg_open,
    .close = mem_msg_close,
    .commit = mem_msg_commit,
    .list = mem_msg_list,
    .open_msg = mem_msg_open_msg,
    .remove = mem_msg_remove,
    .folders = mem_msg_folders,
};

/* ---- database: a tree a table, and a list of what to undo ---- */

struct undo {
	enum store_table table;
	GBytes *key;   /* own */
	GBytes *value; /* own; NULL: there was none */
};

struct mem_db {
	GTree *tables[STORE_TABLES]; /* GBytes -> GBytes */
	GArray *undo;                /* own: struct undo; NULL: no transaction */
};

static gint compare_keys(gconstpointer a, gconstpointer b, gpointer unused)
{
	(void)unused;
	return g_bytes_compare(a, b);
}

static enum rc mem_db_open(const char *path, void **self_out, bool *reset_out, struct err *err)
{
	struct mem_db *db = g_new0(struct mem_db, 1);
	(void)path, (void)reset_out, (void)err;
	for (int i = 0; i < STORE_TABLES; i++)
		db->tables[i] = g_tree_new_full(compare_keys, NULL, unref_bytes, unref_bytes);
	*self_out = db;
	return RC_OK;
}

static void set(struct mem_db *db, enum store_table table, GBytes *key, GBytes *value)
{
	if (value == NULL)
		g_tree_remove(db->tables[table], key);
	else
		g_tree_replace(db->tables[table], g_bytes_ref(key), g_bytes_ref(value));
}

/* Changes a record, value NULL: removes it; inside a transaction, notes what was there. */
static void change(struct mem_db *db, enum store_table table, GBytes *key, GBytes *value)
{
	if (db->undo != NULL) {
		GBytes *old = g_tree_lookup(db->tables[table], key);
		struct undo undo = {.table = table, .key = g_bytes_ref(key)};
		undo.value = old == NULL ? NULL : g_bytes_ref(old);
		g_array_append_val(db->undo, undo);
	}
	set(db, table, key, value);
}

/* Ends the transaction; with rollback, the last change is taken back first. */
static void end(struct mem_db *db, bool rollback)
{
	for (guint i = db->undo->len; i-- > 0;) {
		struct undo *undo = &g_array_index(db->undo, struct undo, i);
		if (rollback)
			set(db, undo->table, undo->key, undo->value);
		g_bytes_unref(undo->key);
		if (undo->value != NULL)
			g_bytes_unref(undo->value);
	}
	g_array_unref(db->undo);
	db->undo = NULL;
}

static void mem_db_close(void *self)
{
	struct mem_db *db = self;
	if (db->undo != NULL)
		end(db, true);
	for (int i = 0; i < STORE_TABLES; i++)
		g_tree_unref(db->tables[i]);
	g_free(db);
}

static enum rc mem_db_get(
    void *self, enum store_table table, struct store_bytes key, GByteArray *value, struct err *err)
{
	struct mem_db *db = self;
	GBytes *wanted = g_bytes_new_static(key.data, key.len);
	GBytes *found = g_tree_lookup(db->tables[table], wanted);
	g_bytes_unref(wanted);
	if (found == NULL)
		return err_set(err, RC_NOTFOUND, "no such record");
	g_byte_array_append(value, g_bytes_get_data(found, NULL), (guint)g_bytes_get_size(found));
	return RC_OK;
}

static enum rc mem_db_put(void *self, enum store_table table, struct store_bytes key,
    struct store_bytes value, struct err *err)
{
	GBytes *k = g_bytes_new(key.data, key.len), *v = g_bytes_new(value.data, value.len);
	(void)err;
	change(self, table, k, v);
	g_bytes_unref(k);
	g_bytes_unref(v);
	return RC_OK;
}

static enum rc mem_db_del(
    void *self, enum store_table table, struct store_bytes key, struct err *err)
{
	struct mem_db *db = self;
	GBytes *k = g_bytes_new(key.data, key.len);
	bool found = g_tree_lookup(db->tables[table], k) != NULL;
	if (found)
		change(db, table, k, NULL);
	g_bytes_unref(k);
	return found ? RC_OK : err_set(err, RC_NOTFOUND, "no such record");
}

/* Looks the next key up afresh each time, so that fn may change the tree. */
static enum rc mem_db_scan(void *self, enum store_table table, struct store_bytes prefix,
    store_record_fn *fn, void *ctx, struct err *err)
{
	struct mem_db *db = self;
	GBytes *at = g_bytes_new(prefix.data, prefix.len);
	GTreeNode *node = g_tree_lower_bound(db->tables[table], at);
	bool more = true;
	(void)err;
	while (more && node != NULL) {
		GBytes *value = g_bytes_ref(g_tree_node_value(node));
		struct store_bytes k, v;
		g_bytes_unref(at);
		at = g_bytes_ref(g_tree_node_key(node));
		k.data = g_bytes_get_data(at, &k.len);
		v.data = g_bytes_get_data(value, &v.len);
		more = store_has_prefix(k, prefix) && fn(ctx, k, v);
		g_bytes_unref(value);
		if (more)
			node = g_tree_upper_bound(db->tables[table], at);
	}
	g_bytes_unref(at);
	return RC_OK;
}

static enum rc mem_db_begin(void *self, struct err *err)
{
	struct mem_db *db = self;
	(void)err;
	db->undo = g_array_new(FALSE, FALSE, sizeof(struct undo));
	return RC_OK;
}

static enum rc mem_db_commit(void *self, struct err *err)
{
	(void)err;
	end(self, false);
	return RC_OK;
}

static void mem_db_abort(void *self)
{
	end(self, true);
}

static enum rc mem_db_checkpoint(void *self, struct err *err)
{
	(void)self, (void)err;
	return RC_OK;
}

const struct store_db_driver store_mem_db_driver = {
    .name = "mem",
    .open = mem_db_open,
    .close = mem_db_close,
    .get = mem_db_get,
    .put = mem_db_put,
    .del = mem_db_del,
    .scan = mem_db_scan,
    .begin = mem_db_begin,
    .commit = mem_db_commit,
    .abort = mem_db_abort,
    .checkpoint = mem_db_checkpoint,
};
