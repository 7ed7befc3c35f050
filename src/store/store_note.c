/*
 * store_note.c: notes: small records of a user that have an end. A note's key is USER NUL KIND "/"
 * NAME; NOTE_AGE lists them by their ends, so that expiring costs what it removes and not what is
 * kept.
 */
#include <config.h>

#include <string.h>

#include "store/store_private.h"

struct note {
	GByteArray *key; /* own */
	struct store_bytes data;
	int64_t expires;
};

static enum rc note_key(
    GByteArray *key, const char *user, const char *kind, const char *name, struct err *err)
{
	if (kind[0] == '\0' || strchr(kind, '/') != NULL)
		return err_set(err, RC_PERM, "a note of no kind: %.80s", kind);
	char *rest = g_strconcat(kind, "/", name, NULL);
	enum rc rc = store_key(key, user, rest, err);
	g_free(rest);
	return rc;
}

/* The note of that key; its data is borrowed from value. */
static enum rc note_read(struct store *store, struct store_bytes key, GByteArray *value,
    struct note *out, struct err *err)
{
	enum rc rc = store_get(store, STORE_TABLE_NOTE, key, value, err);
	if (rc == RC_OK && !store_note_decode(store_bytes_of(value), &out->expires, &out->data))
		rc = store_bad_record(store, STORE_TABLE_NOTE, key, err);
	return rc;
}

static enum rc del_age(
    struct store *store, struct store_bytes key, int64_t expires, struct err *err)
{
	GByteArray *age = g_byte_array_new();
	store_note_age_key(expires, key, age);
	enum rc rc = store_del(store, STORE_TABLE_NOTE_AGE, store_bytes_of(age), err);
	g_byte_array_unref(age);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc put_age(
    struct store *store, struct store_bytes key, int64_t expires, struct err *err)
{
	GByteArray *age = g_byte_array_new();
	store_note_age_key(expires, key, age);
	enum rc rc = store_put(store, STORE_TABLE_NOTE_AGE, store_bytes_of(age),
	    (struct store_bytes){.data = "", .len = 0}, err);
	g_byte_array_unref(age);
	return rc;
}

static enum rc put_both(struct store *store, void *ctx, struct err *err)
{
	struct note *note = ctx, old;
	struct store_bytes key = store_bytes_of(note->key);
	GByteArray *value = g_byte_array_new();
	enum rc rc = note_read(store, key, value, &old, err);
	if (rc == RC_OK && old.expires != note->expires)
		rc = del_age(store, key, old.expires, err);
	if (rc == RC_OK || rc == RC_NOTFOUND)
		rc = put_age(store, key, note->expires, err);
	if (rc == RC_OK) {
		g_byte_array_set_size(value, 0);
		store_note_encode(note->expires, note->data, value);
		rc = store_put(store, STORE_TABLE_NOTE, key, store_bytes_of(value), err);
	}
	g_byte_array_unref(value);
	return rc;
}

enum rc store_note_put(struct store *store, const char *user, const char *kind, const char *name,
    const void *data, size_t len, int64_t expires, struct err *err)
{
	struct err inner;
	if (len > STORE_NOTE_MAX)
		return err_set(err, RC_PERM, "%.80s: a note of %zu bytes is too large", user, len);
	struct note note = {.data = {.data = data, .len = len}, .expires = expires};
	note.key = g_byte_array_new();
	enum rc rc = note_key(note.key, user, kind, name, &inner);
	if (rc == RC_OK)
		rc = store_change(store, put_both, &note, &inner);
	g_byte_array_unref(note.key);
	return store_result(rc, &inner, err);
}

enum rc store_note_get(struct store *store, const char *user, const char *kind, const char *name,
    void **data_out, size_t *len_out, struct err *err)
{
	GByteArray *key = g_byte_array_new(), *value = g_byte_array_new();
	struct note note;
	enum rc rc = note_key(key, user, kind, name, err);
	if (rc == RC_OK)
		rc = note_read(store, store_bytes_of(key), value, &note, err);
	if (rc == RC_OK) {
		char *copy = g_malloc(note.data.len + 1); /* never NULL, and a text has its end */
		if (note.data.len > 0)
			memcpy(copy, note.data.data, note.data.len);
		copy[note.data.len] = '\0';
		*data_out = copy;
		*len_out = note.data.len;
	}
	g_byte_array_unref(key);
	g_byte_array_unref(value);
	return rc;
}

static enum rc del_both(struct store *store, void *ctx, struct err *err)
{
	struct note *note = ctx;
	struct store_bytes key = store_bytes_of(note->key);
	GByteArray *value = g_byte_array_new();
	enum rc rc = note_read(store, key, value, note, err);
	if (rc == RC_OK)
		rc = del_age(store, key, note->expires, err);
	if (rc == RC_OK)
		rc = store_del(store, STORE_TABLE_NOTE, key, err);
	g_byte_array_unref(value);
	return rc;
}

enum rc store_note_del(
    struct store *store, const char *user, const char *kind, const char *name, struct err *err)
{
	struct note note = {.key = g_byte_array_new()};
	enum rc rc = note_key(note.key, user, kind, name, err);
	if (rc == RC_OK)
		rc = store_change(store, del_both, &note, err);
	g_byte_array_unref(note.key);
	return rc;
}

/* ---- scan ---- */

struct scan {
	struct store *store;
	const char *kind;
	store_note_fn *fn;
	void *ctx;
	enum rc rc; /* of the callback's own findings */
	struct err *err;
};

static bool scan_note(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct scan *s = ctx;
	struct store_bytes rest, data;
	const char *user;
	int64_t expires;
	size_t kind_len = strlen(s->kind);
	if (!store_key_split(key, &user, &rest) || !store_note_decode(value, &expires, &data)) {
		s->rc = store_bad_record(s->store, STORE_TABLE_NOTE, key, s->err);
		return false;
	}
	if (rest.len <= kind_len || memcmp(rest.data, s->kind, kind_len) != 0 ||
	    ((const char *)rest.data)[kind_len] != '/')
		return true;
	char *name = g_strndup((const char *)rest.data + kind_len + 1, rest.len - kind_len - 1);
	bool on = s->fn(s->ctx, user, name, data.data, data.len);
	g_free(name);
	return on;
}

enum rc store_note_scan(struct store *store, const char *user, const char *kind, store_note_fn *fn,
    void *ctx, struct err *err)
{
	struct scan s = {.store = store, .kind = kind, .fn = fn, .ctx = ctx, .err = err};
	GByteArray *prefix = g_byte_array_new();
	enum rc rc = user == NULL ? RC_OK : note_key(prefix, user, kind, "", err);
	if (rc == RC_OK)
		rc = store_scan(
		    store, STORE_TABLE_NOTE, user == NULL ? NULL : prefix, scan_note, &s, err);
	g_byte_array_unref(prefix);
	return rc == RC_OK ? s.rc : rc;
}

/* ---- expiry ---- */

struct expiry {
	int64_t before;
	size_t max;
	GPtrArray *ages; /* own: GByteArray, keys of NOTE_AGE */
};

static bool collect_old(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct expiry *expiry = ctx;
	struct store_bytes rest;
	int64_t expires;
	(void)value;
	/* What makes no sense here points at nothing: it goes too. */
	if (store_note_age_split(key, &expires, &rest) && expires >= expiry->before)
		return false;
	GByteArray *copy = g_byte_array_new();
	g_byte_array_append(copy, key.data, (guint)key.len);
	g_ptr_array_add(expiry->ages, copy);
	return expiry->ages->len < expiry->max;
}

/* Removes the note that a key of NOTE_AGE speaks of, unless that ends at another time by now. */
static enum rc remove_note(struct store *store, struct store_bytes age, struct err *err)
{
	struct store_bytes key;
	struct note note;
	struct err inner;
	int64_t expires;
	if (!store_note_age_split(age, &expires, &key))
		return RC_OK;
	GByteArray *value = g_byte_array_new();
	enum rc rc = note_read(store, key, value, &note, &inner);
	if (rc == RC_OK && note.expires == expires)
		rc = store_del(store, STORE_TABLE_NOTE, key, &inner);
	g_byte_array_unref(value);
	return store_result(rc == RC_NOTFOUND ? RC_OK : rc, &inner, err);
}

static enum rc remove_old(struct store *store, void *ctx, struct err *err)
{
	struct expiry *expiry = ctx;
	for (guint i = 0; i < expiry->ages->len; i++) {
		struct store_bytes age = store_bytes_of(g_ptr_array_index(expiry->ages, i));
		enum rc rc = remove_note(store, age, err);
		if (rc == RC_OK)
			rc = store_del(store, STORE_TABLE_NOTE_AGE, age, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static void free_bytes(gpointer bytes)
{
	g_byte_array_unref(bytes);
}

enum rc store_note_expire(
    struct store *store, int64_t before, size_t max, size_t *removed_out, struct err *err)
{
	struct expiry expiry = {.before = before, .max = max};
	enum rc rc = RC_OK;
	expiry.ages = g_ptr_array_new_with_free_func(free_bytes);
	if (max > 0)
		rc = store_scan(store, STORE_TABLE_NOTE_AGE, NULL, collect_old, &expiry, err);
	if (rc == RC_OK && expiry.ages->len > 0)
		rc = store_change(store, remove_old, &expiry, err);
	if (rc == RC_OK)
		*removed_out = expiry.ages->len;
	g_ptr_array_unref(expiry.ages);
	return rc;
}

/* ---- mending ---- */

struct mending {
	struct store *store;
	enum rc rc;
	struct err *err;
};

static bool mend_note(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct mending *m = ctx;
	struct store_bytes data;
	int64_t expires;
	m->rc = store_note_decode(value, &expires, &data)
	    ? put_age(m->store, key, expires, m->err)
	    : store_del(m->store, STORE_TABLE_NOTE, key, m->err);
	return m->rc == RC_OK;
}

enum rc store_note_mend(struct store *store, struct err *err)
{
	struct mending m = {.store = store, .err = err};
	enum rc rc = store_begin(store, err);
	if (rc == RC_OK)
		rc = store_scan(store, STORE_TABLE_NOTE, NULL, mend_note, &m, err);
	if (rc == RC_OK)
		rc = m.rc;
	if (rc == RC_OK)
		return store_commit(store, err);
	store_abort(store);
	return rc;
}
