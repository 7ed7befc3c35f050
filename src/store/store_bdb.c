/*
 * store_bdb.c: tables as B-trees of one file, pullyu.db, in a Berkeley DB environment that this
 * process alone has open. Every change is logged and synchronous. How it is opened, and what
 * happens if it is broken, is in store_bdb_open.c.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_bdb.h"

enum {
	DEADLOCK_TRIES = 10,
	SCAN_RECORDS = 64, /* read at a time, with no lock held while the caller works */
	SCAN_BYTES = 1024 * 1024,
};

enum rc bdb_result(struct bdb *db, int result, const char *what, struct err *err)
{
	enum rc rc;
	switch (result) {
	case 0:
		return RC_OK;
	case DB_NOTFOUND:
		return err_set(err, RC_NOTFOUND, "no such record");
	case DB_RUNRECOVERY:
	case DB_CHKSUM_FAIL:
	case DB_PAGE_NOTFOUND:
	case DB_VERIFY_BAD:
	case EINVAL: /* we pass nothing that is invalid: a page or a log is */
		rc = RC_CORRUPT;
		break;
	default:
		rc = RC_TEMP;
	}
	if (db->panic != 0)
		rc = RC_CORRUPT;
	db->corrupt |= rc == RC_CORRUPT;
	err_set(err, rc, "database: %s: %s%s%s%s%s", what, db_strerror(result),
	    db->panic != 0 ? " after: " : "", db->panic != 0 ? db_strerror(db->panic) : "",
	    db->said[0] != '\0' ? ": " : "", db->said);
	db->said[0] = '\0';
	return rc;
}

static DBT dbt_in(struct store_bytes bytes)
{
	DBT dbt;
	memset(&dbt, 0, sizeof(dbt));
	dbt.data = (void *)(uintptr_t)bytes.data; /* not written to */
	dbt.size = (u_int32_t)bytes.len;
	return dbt;
}

static bool deadlocked(const struct bdb *db, int result)
{
	/* Inside a transaction only its owner can start over. */
	return (result == DB_LOCK_DEADLOCK || result == DB_LOCK_NOTGRANTED) && db->txn == NULL;
}

static enum rc bdb_get(
    void *self, enum store_table table, struct store_bytes key, GByteArray *value, struct err *err)
{
	struct bdb *db = self;
	DB *t = db->tables[table];
	DBT k = dbt_in(key), v;
	int result, tries = 0;
	memset(&v, 0, sizeof(v));
	v.flags = DB_DBT_MALLOC;
	do
		result = t->get(t, db->txn, &k, &v, 0);
	while (deadlocked(db, result) && ++tries < DEADLOCK_TRIES);
	if (result != 0)
		return bdb_result(db, result, "get", err);
	g_byte_array_append(value, v.data, v.size);
	free(v.data);
	return RC_OK;
}

static enum rc bdb_put(void *self, enum store_table table, struct store_bytes key,
    struct store_bytes value, struct err *err)
{
	struct bdb *db = self;
	DB *t = db->tables[table];
	DBT k = dbt_in(key), v = dbt_in(value);
	int result, tries = 0;
	do
		result = t->put(t, db->txn, &k, &v, db->txn == NULL ? DB_AUTO_COMMIT : 0);
	while (deadlocked(db, result) && ++tries < DEADLOCK_TRIES);
	return bdb_result(db, result, "put", err);
}

static enum rc bdb_del(void *self, enum store_table table, struct store_bytes key, struct err *err)
{
	struct bdb *db = self;
	DB *t = db->tables[table];
	DBT k = dbt_in(key);
	int result, tries = 0;
	do
		result = t->del(t, db->txn, &k, db->txn == NULL ? DB_AUTO_COMMIT : 0);
	while (deadlocked(db, result) && ++tries < DEADLOCK_TRIES);
	return bdb_result(db, result, "delete", err);
}

/* ---- scan ---- */

struct record {
	GByteArray *key, *value; /* own */
};

static void clear_record(gpointer data)
{
	struct record *record = data;
	g_byte_array_unref(record->key);
	g_byte_array_unref(record->value);
}

static void add_record(GArray *records, const DBT *key, const DBT *value)
{
	struct record record = {.key = g_byte_array_new(), .value = g_byte_array_new()};
	g_byte_array_append(record.key, key->data, key->size);
	g_byte_array_append(record.value, value->data, value->size);
	g_array_append_val(records, record);
}

/* Reads a batch from the first key that is not below from (with skip: that is above it). Returns
 * DB_NOTFOUND when there is no more behind the batch. */
static int read_batch(struct bdb *db, enum store_table table, struct store_bytes prefix,
    const GByteArray *from, bool skip, GArray *records)
{
	DB *t = db->tables[table];
	DBC *cursor;
	DBT key, value;
	size_t bytes = 0;
	int result = t->cursor(t, db->txn, &cursor, 0);
	if (result != 0)
		return result;
	memset(&key, 0, sizeof(key));
	memset(&value, 0, sizeof(value));
	/* One byte more, for malloc(0) may be NULL. */
	key.data = malloc((size_t)from->len + 1);
	if (key.data == NULL)
		abort();
	if (from->len > 0)
		memcpy(key.data, from->data, from->len);
	key.size = from->len;
	key.flags = value.flags = DB_DBT_REALLOC;
	result = cursor->get(cursor, &key, &value, from->len > 0 ? DB_SET_RANGE : DB_FIRST);
	if (result == 0 && skip && key.size == from->len &&
	    memcmp(key.data, from->data, key.size) == 0)
		result = cursor->get(cursor, &key, &value, DB_NEXT);
	while (result == 0 && records->len < SCAN_RECORDS && bytes < SCAN_BYTES) {
		struct store_bytes found = {.data = key.data, .len = key.size};
		if (!store_has_prefix(found, prefix)) {
			result = DB_NOTFOUND;
			break;
		}
		add_record(records, &key, &value);
		bytes += key.size + value.size;
		result = cursor->get(cursor, &key, &value, DB_NEXT);
	}
	free(key.data);
	free(value.data);
	int closed = cursor->close(cursor);
	return result == 0 || result == DB_NOTFOUND ? (closed != 0 ? closed : result) : result;
}

static bool give(const GArray *records, store_record_fn *fn, void *ctx)
{
	for (guint i = 0; i < records->len; i++) {
		const struct record *record = &g_array_index(records, struct record, i);
		if (!fn(ctx, store_bytes_of(record->key), store_bytes_of(record->value)))
			return false;
	}
	return true;
}

/* In batches that are copied, so that no lock and no cursor is held while fn runs: a fn that
 * changed the store would wait for ever for a lock of its own thread. */
static enum rc bdb_scan(void *self, enum store_table table, struct store_bytes prefix,
    store_record_fn *fn, void *ctx, struct err *err)
{
	struct bdb *db = self;
	GByteArray *from = g_byte_array_new();
	bool skip = false, more = true;
	int result = 0, tries = 0;
	g_byte_array_append(from, prefix.data, (guint)prefix.len);
	while (result == 0 && more) {
		GArray *records = g_array_new(FALSE, FALSE, sizeof(struct record));
		g_array_set_clear_func(records, clear_record);
		result = read_batch(db, table, prefix, from, skip, records);
		if (deadlocked(db, result) && ++tries < DEADLOCK_TRIES) {
			result = 0;
		} else if ((result == 0 || result == DB_NOTFOUND) && records->len > 0) {
			const struct record *last =
			    &g_array_index(records, struct record, records->len - 1);
			g_byte_array_set_size(from, 0);
			g_byte_array_append(from, last->key->data, last->key->len);
			skip = true;
			tries = 0;
			more = give(records, fn, ctx);
		}
		g_array_unref(records);
	}
	g_byte_array_unref(from);
	return result == DB_NOTFOUND ? RC_OK : bdb_result(db, result, "scan", err);
}

/* ---- transactions ---- */

static enum rc bdb_begin(void *self, struct err *err)
{
	struct bdb *db = self;
	return bdb_result(db, db->env->txn_begin(db->env, NULL, &db->txn, 0), "begin", err);
}

static enum rc bdb_commit(void *self, struct err *err)
{
	struct bdb *db = self;
	DB_TXN *txn = db->txn;
	db->txn = NULL; /* gone, however it ends */
	return bdb_result(db, txn->commit(txn, 0), "commit", err);
}

static void bdb_abort(void *self)
{
	struct bdb *db = self;
	DB_TXN *txn = db->txn;
	db->txn = NULL;
	if (txn != NULL)
		(void)txn->abort(
		    txn); /* if it fails the environment panics, and all else says so */
}

static enum rc bdb_checkpoint(void *self, struct err *err)
{
	struct bdb *db = self;
	return bdb_result(db, db->env->txn_checkpoint(db->env, 0, 0, 0), "checkpoint", err);
}

const struct store_db_driver store_bdb_driver = {
    .name = "bdb",
    .open = bdb_open,
    .close = bdb_close,
    .get = bdb_get,
    .put = bdb_put,
    .del = bdb_del,
    .scan = bdb_scan,
    .begin = bdb_begin,
    .commit = bdb_commit,
    .abort = bdb_abort,
    .checkpoint = bdb_checkpoint,
};
