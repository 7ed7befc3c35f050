/*
 * store_private.h: what a store driver promises, and what the typed layer shares between its files.
 * Only src/store and its tests include it.
 *
 * A message driver keeps files by folder and id. A folder is "DOMAIN/LOCAL", two path parts made by
 * addr_path: a driver may use it as a relative path without another look. ids are checked.
 * A database driver keeps bytes in tables, ordered by memcmp of the keys (a prefix sorts first).
 * Keys are 1 to STORE_KEY_MAX bytes, values 0 to STORE_VALUE_MAX: the typed layer sees to it.
 * Both: one thread; results and durability as store.h says; an operation that fails changes nothing
 * and leaves its outputs untouched.
 */
#ifndef PULLYU_STORE_STORE_PRIVATE_H
#define PULLYU_STORE_STORE_PRIVATE_H

#include <string.h>

#include <glib.h>

#include "store/store.h"

/* ---- message drivers ---- */

/* Both parts as long as addr_path may make them. */
enum { STORE_FOLDER_MAX = 2 * ADDR_PATH_MAX };

typedef bool store_folder_fn(void *ctx, const char *folder);

struct store_msg_driver {
	const char *name;
	enum rc (*open)(const char *path, void **self_out, struct err *err);
	void (*close)(void *self);
	enum rc (*commit)(
	    void *self, const char *folder, const char *id, const char *path, struct err *err);
	/* Appends every message, each once, in any order. fn of store.h is the typed layer's. */
	enum rc (*list)(void *self, const char *folder, GArray *msgs, struct err *err);
	enum rc (*open_msg)(
	    void *self, const char *folder, const char *id, int *fd_out, struct err *err);
	enum rc (*remove)(void *self, const char *folder, const char *id, struct err *err);
	/* Every folder, in any order; fn may use the driver. */
	enum rc (*folders)(void *self, store_folder_fn *fn, void *ctx, struct err *err);
	/* A transaction begins: until settle, commits and removals need not be durable. Both may be
	 * NULL: then they always are. */
	void (*defer)(void *self);
	/* Makes what was deferred durable, and ends deferring whatever the result. */
	enum rc (*settle)(void *self, struct err *err);
};

/* ---- database drivers ---- */

enum store_table {
	STORE_TABLE_HELD,     /* user NUL id -> struct store_held */
	STORE_TABLE_SLOT,     /* user -> opaque */
	STORE_TABLE_KNOWN,    /* user NUL address -> time */
	STORE_TABLE_SENT,     /* user NUL Message-ID -> time */
	STORE_TABLE_AGE,      /* time, which table, its key -> nothing: KNOWN and SENT by age */
	STORE_TABLE_NOTE,     /* user NUL kind "/" name -> its end, bytes */
	STORE_TABLE_NOTE_AGE, /* end, NOTE's key -> nothing */
	STORE_TABLE_META,     /* name -> what the store knows of itself */
	STORE_TABLES
};

enum {
	STORE_KEY_MAX = 1024,
	STORE_REST_MAX = 640, /* the part behind the user: an address, an id or a Message-ID */
	STORE_VALUE_MAX = STORE_SLOT_MAX + 64
};

struct store_bytes {
	const void *data; /* foreign */
	size_t len;
};

typedef bool store_record_fn(void *ctx, struct store_bytes key, struct store_bytes value);

struct store_db_driver {
	const char *name;
	/* *reset_out is set if what was there could not be used and was set aside. The tables SLOT,
	 * KNOWN, SENT and AGE may have been saved from it; HELD and META are empty then. */
	enum rc (*open)(const char *path, void **self_out, bool *reset_out, struct err *err);
	void (*close)(void *self); /* an open transaction is rolled back */
	/* The value is appended to a GByteArray that the caller owns. */
	enum rc (*get)(void *self, enum store_table table, struct store_bytes key,
	    GByteArray *value, struct err *err);
	enum rc (*put)(void *self, enum store_table table, struct store_bytes key,
	    struct store_bytes value, struct err *err);
	enum rc (*del)(void *self, enum store_table table, struct store_bytes key, struct err *err);
	/* In the order of keys. fn may change the store: whether it then meets what it changed is
	 * left open. fn's bytes are borrowed for the call. */
	enum rc (*scan)(void *self, enum store_table table, struct store_bytes prefix,
	    store_record_fn *fn, void *ctx, struct err *err);
	enum rc (*begin)(void *self, struct err *err);
	enum rc (*commit)(void *self, struct err *err); /* on failure: rolled back */
	void (*abort)(void *self);
	enum rc (*checkpoint)(void *self, struct err *err);
};

extern const struct store_msg_driver store_maildir_driver, store_mem_msg_driver,
    store_fail_msg_driver;
extern const struct store_db_driver store_bdb_driver, store_mem_db_driver, store_fail_db_driver;

/* ---- shared by store.c and store_rebuild.c ---- */

struct store {
	const struct store_msg_driver *msg;
	const struct store_db_driver *db;
	void *msg_self, *db_self; /* own; the drivers' */
	bool in_txn;
	bool doomed; /* an operation of the transaction failed: it can only be rolled back */
	/* A record that made no sense, to be deleted once no transaction is open. */
	enum store_table bad_table;
	GByteArray *bad_key; /* own; NULL: none */
};

/* RC_PERM if user is no normalised address. */
enum rc store_folder(const char *user, char folder_out[STORE_FOLDER_MAX], struct err *err);
/* The reverse. RC_PERM if a part was shortened, or the folder is none of ours. */
enum rc store_folder_user(const char *folder, char user_out[ADDR_MAX], struct err *err);

/* A record does not decode: it will be deleted, and the index counts as incomplete from now on, so
 * that the daemon which is started again is not stopped by it for ever. Returns RC_CORRUPT. */
enum rc store_bad_record(
    struct store *store, enum store_table table, struct store_bytes key, struct err *err);

/* The driver's operations; if one fails, the caller's transaction is doomed. prefix NULL: all. */
enum rc store_get(struct store *store, enum store_table table, struct store_bytes key,
    GByteArray *value, struct err *err);
enum rc store_scan(struct store *store, enum store_table table, const GByteArray *prefix,
    store_record_fn *fn, void *ctx, struct err *err);
enum rc store_put(struct store *store, enum store_table table, struct store_bytes key,
    struct store_bytes value, struct err *err);
enum rc store_del(
    struct store *store, enum store_table table, struct store_bytes key, struct err *err);
/* Runs changes in the caller's transaction, or in one of their own. */
typedef enum rc store_change_fn(struct store *store, void *ctx, struct err *err);
enum rc store_change(struct store *store, store_change_fn *fn, void *ctx, struct err *err);

/* META's record that says that the index holds all of the folders. */
enum rc store_index_complete(struct store *store, bool *complete_out, struct err *err);
enum rc store_index_set_complete(struct store *store, bool complete, struct err *err);

/* Makes KNOWN, SENT and AGE agree again after some of their records were lost: AGE says what the
 * others held and they say what it held. */
enum rc store_known_mend(struct store *store, struct err *err);
/* The same for notes: each has its NOTE_AGE again. */
enum rc store_note_mend(struct store *store, struct err *err);

/* ---- records and keys: store_record.c ---- */

bool store_id_valid(const char *id);

/* user NUL rest; rest NULL: the user alone (table SLOT). RC_PERM if a part is empty or too long. */
enum rc store_key(GByteArray *key, const char *user, const char *rest, struct err *err);
/* Takes a key of two parts apart. Both are borrowed from it (the user is NUL-terminated, the rest
 * is not). False if it has no two parts. */
bool store_key_split(struct store_bytes key, const char **user_out, struct store_bytes *rest_out);

enum rc store_held_encode(const struct store_held *held, GByteArray *value, struct err *err);
/* The id is the key's. False: nonsense; *held_out is undefined then. */
bool store_held_decode(
    struct store_bytes id, struct store_bytes value, struct store_held *held_out);
void store_time_encode(int64_t when, GByteArray *value);
bool store_time_decode(struct store_bytes value, int64_t *when_out);
void store_age_key(int64_t when, enum store_table table, struct store_bytes key, GByteArray *out);
bool store_age_split(struct store_bytes age, int64_t *when_out, enum store_table *table_out,
    struct store_bytes *key_out);
void store_note_encode(int64_t expires, struct store_bytes data, GByteArray *value);
bool store_note_decode(
    struct store_bytes value, int64_t *expires_out, struct store_bytes *data_out);
void store_note_age_key(int64_t expires, struct store_bytes key, GByteArray *out);
bool store_note_age_split(
    struct store_bytes age, int64_t *expires_out, struct store_bytes *key_out);
/* The version in front of the ledger's opaque bytes. */
void store_slot_encode(const void *data, size_t len, GByteArray *value);
bool store_slot_decode(struct store_bytes value, struct store_bytes *data_out);

/* For functions that meet failures which are none to their caller, such as RC_NOTFOUND: they
 * collect texts in an inner err, and the caller's is touched only if the result is a failure. */
static inline enum rc store_result(enum rc rc, const struct err *inner, struct err *err)
{
	if (rc != RC_OK && err != NULL)
		*err = *inner;
	return rc;
}

static inline struct store_bytes store_bytes_of(const GByteArray *array)
{
	return (struct store_bytes){.data = array->data, .len = array->len};
}

static inline bool store_has_prefix(struct store_bytes key, struct store_bytes prefix)
{
	return key.len >= prefix.len &&
	    (prefix.len == 0 || memcmp(key.data, prefix.data, prefix.len) == 0);
}

#endif
