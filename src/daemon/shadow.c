/*
 * shadow.c: the records of shadow.h between memory and the store.
 */
#include <config.h>

#include "daemon/shadow.h"

#include <string.h>

#include "base/addr.h"
#include "base/log.h"

static const char kind[] = "shadow", counts[] = "counts", unreadable[] = "unreadable";

struct shadow {
	struct store *store; /* foreign */
	GHashTable *records; /* own; user, own -> struct shadow_record, own */
};

static void record_free(gpointer data)
{
	struct shadow_record *record = data;
	shadow_record_free(&record);
}

struct shadow *shadow_new(struct store *store)
{
	struct shadow *shadow = g_new0(struct shadow, 1);
	shadow->store = store;
	shadow->records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, record_free);
	return shadow;
}

void shadow_free(struct shadow **shadow)
{
	struct shadow *s = *shadow;
	*shadow = NULL;
	if (s == NULL)
		return;
	g_hash_table_destroy(s->records);
	g_free(s);
}

/* RC_PERM: it makes no sense; its bytes are in *data_out then (g_free). */
static enum rc load(struct shadow *shadow, const char *user, struct shadow_record **record_out,
    void **data_out, size_t *len_out, struct err *err)
{
	enum rc rc = store_note_get(shadow->store, user, kind, counts, data_out, len_out, err);
	if (rc != RC_OK)
		return rc;
	struct shadow_record *record = shadow_record_decode(*data_out, *len_out);
	if (record == NULL)
		return err_set(err, RC_PERM, "%s: the counts of shadow mode make no sense", user);
	g_clear_pointer(data_out, g_free);
	*record_out = record;
	return RC_OK;
}

/* The user's record in memory, from the store or a new one. */
static enum rc record_of(struct shadow *shadow, const struct shadow_note *note,
    struct shadow_record **record_out, struct err *err)
{
	const char *user = note->user;
	struct shadow_record *record = g_hash_table_lookup(shadow->records, user);
	void *data = NULL;
	size_t len = 0;
	enum rc rc = RC_OK;
	if (record == NULL && g_hash_table_size(shadow->records) >= SHADOW_USERS_MAX)
		rc = shadow_flush(shadow, err);
	if (rc == RC_OK && record == NULL) {
		rc = load(shadow, user, &record, &data, &len, err);
		if (rc == RC_PERM && data != NULL) {
			log_warning("%s; they are set aside and begun anew", err->text);
			rc = store_note_put(shadow->store, user, kind, unreadable, data, len,
			    note->received + SHADOW_KEEP_SECONDS, err);
		}
		if (rc == RC_NOTFOUND)
			rc = RC_OK;
		g_free(data);
		if (rc != RC_OK)
			return rc;
		if (record == NULL)
			record = shadow_record_new(SHADOW_SENDERS_MAX, SHADOW_RULES_MAX);
		g_hash_table_insert(shadow->records, g_strdup(user), record);
	}
	if (rc == RC_OK)
		*record_out = record;
	return rc;
}

enum rc shadow_count(struct shadow *shadow, const struct shadow_note *note, struct err *err)
{
	struct shadow_record *record;
	enum rc rc = record_of(shadow, note, &record, err);
	if (rc == RC_OK)
		shadow_record_count(record, note);
	return rc;
}

enum rc shadow_flush(struct shadow *shadow, struct err *err)
{
	GHashTableIter iter;
	gpointer user, record;
	if (g_hash_table_size(shadow->records) == 0)
		return RC_OK;
	enum rc rc = store_begin(shadow->store, err);
	if (rc != RC_OK)
		return rc;
	g_hash_table_iter_init(&iter, shadow->records);
	while (rc == RC_OK && g_hash_table_iter_next(&iter, &user, &record)) {
		int64_t last = ((struct shadow_record *)record)->last;
		char *text = shadow_record_encode(record);
		rc = store_note_put(shadow->store, user, kind, counts, text, strlen(text),
		    last + SHADOW_KEEP_SECONDS, err);
		g_free(text);
	}
	if (rc == RC_OK)
		rc = store_commit(shadow->store, err);
	else
		store_abort(shadow->store);
	if (rc == RC_OK)
		g_hash_table_remove_all(shadow->records);
	return rc;
}

struct collect {
	const char *domain; /* foreign; NULL: all */
	GPtrArray *users;   /* foreign */
};

static bool collect_user(
    void *ctx, const char *user, const char *name, const void *data, size_t len)
{
	struct collect *c = ctx;
	(void)data, (void)len;
	if (strcmp(name, counts) == 0 &&
	    (c->domain == NULL || strcmp(addr_domain(user), c->domain) == 0))
		g_ptr_array_add(c->users, g_strdup(user));
	return true;
}

enum rc shadow_users(
    struct shadow *shadow, const char *domain, GPtrArray *users_out, struct err *err)
{
	struct collect collect = {.domain = domain, .users = users_out};
	return store_note_scan(shadow->store, NULL, kind, collect_user, &collect, err);
}

enum rc shadow_sum(
    struct shadow *shadow, const char *user, struct shadow_record *sum, struct err *err)
{
	struct shadow_record *record = NULL;
	void *data = NULL;
	size_t len;
	enum rc rc = load(shadow, user, &record, &data, &len, err);
	if (rc == RC_OK)
		shadow_record_add(sum, record);
	shadow_record_free(&record);
	g_free(data);
	return rc;
}

enum rc shadow_forget(struct shadow *shadow, const char *user, struct err *err)
{
	g_hash_table_remove(shadow->records, user);
	enum rc rc = store_note_del(shadow->store, user, kind, counts, err);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}
