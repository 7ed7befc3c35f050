/*
 * store_known.c: what the user sent: correspondents and Message-IDs, each with its time, and by
 * their times in the table AGE, so that expiring costs what it removes and not what is kept.
 */
#include <config.h>

#include <string.h>

#include "store/store_private.h"

struct change {
	enum store_table table;
	GByteArray *key; /* own */
	int64_t when;
};

static enum rc change_init(struct change *change, enum store_table table, const char *user,
    const char *what, struct err *err)
{
	change->table = table;
	change->key = g_byte_array_new();
	return store_key(change->key, user, what, err);
}

static enum rc time_of(
    struct store *store, const struct change *change, int64_t *when_out, struct err *err)
{
	GByteArray *value = g_byte_array_new();
	enum rc rc = store_get(store, change->table, store_bytes_of(change->key), value, err);
	if (rc == RC_OK && !store_time_decode(store_bytes_of(value), when_out))
		rc = store_bad_record(store, change->table, store_bytes_of(change->key), err);
	g_byte_array_unref(value);
	return rc;
}

static enum rc del_age(
    struct store *store, const struct change *change, int64_t when, struct err *err)
{
	GByteArray *age = g_byte_array_new();
	store_age_key(when, change->table, store_bytes_of(change->key), age);
	enum rc rc = store_del(store, STORE_TABLE_AGE, store_bytes_of(age), err);
	g_byte_array_unref(age);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc put_both(struct store *store, void *ctx, struct err *err)
{
	struct change *change = ctx;
	struct store_bytes nothing = {.data = "", .len = 0};
	int64_t old;
	enum rc rc = time_of(store, change, &old, err);
	if (rc == RC_OK && old >= change->when)
		return RC_OK;
	if (rc == RC_OK)
		rc = del_age(store, change, old, err);
	else if (rc == RC_NOTFOUND)
		rc = RC_OK;
	if (rc != RC_OK)
		return rc;
	GByteArray *bytes = g_byte_array_new();
	store_age_key(change->when, change->table, store_bytes_of(change->key), bytes);
	rc = store_put(store, STORE_TABLE_AGE, store_bytes_of(bytes), nothing, err);
	if (rc == RC_OK) {
		g_byte_array_set_size(bytes, 0);
		store_time_encode(change->when, bytes);
		rc = store_put(
		    store, change->table, store_bytes_of(change->key), store_bytes_of(bytes), err);
	}
	g_byte_array_unref(bytes);
	return rc;
}

static enum rc del_both(struct store *store, void *ctx, struct err *err)
{
	struct change *change = ctx;
	int64_t when;
	enum rc rc = time_of(store, change, &when, err);
	if (rc == RC_OK)
		rc = del_age(store, change, when, err);
	if (rc == RC_OK)
		rc = store_del(store, change->table, store_bytes_of(change->key), err);
	return rc;
}

static enum rc put(struct store *store, enum store_table table, const char *user, const char *what,
    int64_t when, struct err *err)
{
	struct change change = {.when = when};
	enum rc rc = change_init(&change, table, user, what, err);
	if (rc == RC_OK)
		rc = store_change(store, put_both, &change, err);
	g_byte_array_unref(change.key);
	return rc;
}

static enum rc get(struct store *store, enum store_table table, const char *user, const char *what,
    int64_t *when_out, struct err *err)
{
	struct change change;
	enum rc rc = change_init(&change, table, user, what, err);
	if (rc == RC_OK)
		rc = time_of(store, &change, when_out, err);
	g_byte_array_unref(change.key);
	return rc;
}

enum rc store_known_put(
    struct store *store, const char *user, const char *address, int64_t when, struct err *err)
{
	return put(store, STORE_TABLE_KNOWN, user, address, when, err);
}

enum rc store_known_get(
    struct store *store, const char *user, const char *address, int64_t *when_out, struct err *err)
{
	return get(store, STORE_TABLE_KNOWN, user, address, when_out, err);
}

enum rc store_known_del(struct store *store, const char *user, const char *address, struct err *err)
{
	struct change change;
	enum rc rc = change_init(&change, STORE_TABLE_KNOWN, user, address, err);
	if (rc == RC_OK)
		rc = store_change(store, del_both, &change, err);
	g_byte_array_unref(change.key);
	return rc;
}

struct scan {
	struct store *store;
	store_known_fn *fn;
	void *ctx;
	enum rc rc; /* of what was found on the way */
	struct err *err;
};

static bool scan_known(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct scan *s = ctx;
	struct store_bytes rest;
	const char *user;
	int64_t when;
	if (!store_key_split(key, &user, &rest) || !store_time_decode(value, &when)) {
		s->rc = store_bad_record(s->store, STORE_TABLE_KNOWN, key, s->err);
		return false;
	}
	char *address = g_strndup(rest.data, rest.len);
	bool more = s->fn(s->ctx, address, when);
	g_free(address);
	return more;
}

enum rc store_known_scan(
    struct store *store, const char *user, store_known_fn *fn, void *ctx, struct err *err)
{
	struct scan s = {.store = store, .fn = fn, .ctx = ctx, .err = err};
	GByteArray *prefix = g_byte_array_new();
	enum rc rc = store_key(prefix, user, NULL, err);
	g_byte_array_append(prefix, (const guint8 *)"", 1); /* no longer name has it as its start */
	if (rc == RC_OK)
		rc = store_scan(store, STORE_TABLE_KNOWN, prefix, scan_known, &s, err);
	g_byte_array_unref(prefix);
	return rc == RC_OK ? s.rc : rc;
}

enum rc store_sent_put(
    struct store *store, const char *user, const char *message_id, int64_t when, struct err *err)
{
	return put(store, STORE_TABLE_SENT, user, message_id, when, err);
}

enum rc store_sent_get(struct store *store, const char *user, const char *message_id,
    int64_t *when_out, struct err *err)
{
	return get(store, STORE_TABLE_SENT, user, message_id, when_out, err);
}

/* ---- expiry ---- */

struct expiry {
	int64_t before;
	size_t max;
	GPtrArray *ages; /* own: GByteArray, keys of AGE */
};

static bool collect_old(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct expiry *expiry = ctx;
	struct store_bytes rest;
	enum store_table table;
	int64_t when;
	(void)value;
	/* What makes no sense here points at nothing: it goes too. */
	if (store_age_split(key, &when, &table, &rest) && when >= expiry->before)
		return false;
	GByteArray *copy = g_byte_array_new();
	g_byte_array_append(copy, key.data, (guint)key.len);
	g_ptr_array_add(expiry->ages, copy);
	return expiry->ages->len < expiry->max;
}

/* Removes the entry that an AGE key speaks of, unless that has a later time by now. */
static enum rc remove_entry(struct store *store, struct store_bytes age, struct err *err)
{
	struct change change;
	struct store_bytes rest;
	int64_t when, now;
	if (!store_age_split(age, &when, &change.table, &rest))
		return RC_OK;
	change.key = g_byte_array_new();
	g_byte_array_append(change.key, rest.data, (guint)rest.len);
	enum rc rc = time_of(store, &change, &now, err);
	if (rc == RC_OK && now == when)
		rc = store_del(store, change.table, rest, err);
	g_byte_array_unref(change.key);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc remove_old(struct store *store, void *ctx, struct err *err)
{
	struct expiry *expiry = ctx;
	for (guint i = 0; i < expiry->ages->len; i++) {
		struct store_bytes age = store_bytes_of(g_ptr_array_index(expiry->ages, i));
		enum rc rc = remove_entry(store, age, err);
		if (rc == RC_OK)
			rc = store_del(store, STORE_TABLE_AGE, age, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static void free_bytes(gpointer bytes)
{
	g_byte_array_unref(bytes);
}

enum rc store_known_expire(
    struct store *store, int64_t before, size_t max, size_t *removed_out, struct err *err)
{
	struct expiry expiry = {.before = before, .max = max};
	enum rc rc = RC_OK;
	expiry.ages = g_ptr_array_new_with_free_func(free_bytes);
	if (max > 0)
		rc = store_scan(store, STORE_TABLE_AGE, NULL, collect_old, &expiry, err);
	if (rc == RC_OK && expiry.ages->len > 0)
		rc = store_change(store, remove_old, &expiry, err);
	if (rc == RC_OK)
		*removed_out = expiry.ages->len;
	g_ptr_array_unref(expiry.ages);
	return rc;
}

/* ---- mending ---- */

enum { MEND_BATCH = 200 };

struct mending {
	struct store *store;
	enum store_table from;
	enum rc rc;
	struct err *err;
	unsigned count;
};

static bool mend_record(void *ctx, struct store_bytes key, struct store_bytes value)
{
	struct mending *m = ctx;
	struct change change = {.table = m->from};
	struct store_bytes of = key;
	bool sound = m->from == STORE_TABLE_AGE
	    ? store_age_split(key, &change.when, &change.table, &of)
	    : store_time_decode(value, &change.when);
	if (!sound) {
		m->rc = store_del(m->store, m->from, key, m->err);
		return m->rc == RC_OK;
	}
	change.key = g_byte_array_new();
	g_byte_array_append(change.key, of.data, (guint)of.len);
	GByteArray *age = g_byte_array_new();
	if (m->from == STORE_TABLE_AGE) {
		/* As if it were learnt again: the latest time wins. */
		m->rc = put_both(m->store, &change, m->err);
	} else {
		store_age_key(change.when, change.table, key, age);
		m->rc = store_put(m->store, STORE_TABLE_AGE, store_bytes_of(age),
		    (struct store_bytes){.data = "", .len = 0}, m->err);
	}
	g_byte_array_unref(age);
	g_byte_array_unref(change.key);
	if (m->rc == RC_OK && ++m->count % MEND_BATCH == 0) {
		m->rc = store_commit(m->store, m->err);
		if (m->rc == RC_OK)
			m->rc = store_begin(m->store, m->err);
	}
	return m->rc == RC_OK;
}

enum rc store_known_mend(struct store *store, struct err *err)
{
	static const enum store_table order[] = {
	    STORE_TABLE_AGE, STORE_TABLE_KNOWN, STORE_TABLE_SENT};
	struct err inner;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < G_N_ELEMENTS(order) && rc == RC_OK; i++) {
		struct mending m = {.store = store, .from = order[i], .err = &inner};
		rc = store_begin(store, &inner);
		if (rc == RC_OK)
			rc = store_scan(store, order[i], NULL, mend_record, &m, &inner);
		if (rc == RC_OK)
			rc = m.rc;
		if (rc == RC_OK)
			rc = store_commit(store, &inner);
		store_abort(store);
	}
	return store_result(rc, &inner, err);
}
