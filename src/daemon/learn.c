/*
 * learn.c: what is learnt of a user's senders: how often one of them was in a digest, and when the
 * user last had a message of theirs sent on its own. Notes of the kind "sender" by address. From
 * them comes one question a quarter: you have released nothing of these for eight weeks,
 * unsubscribe? Nothing is ever held or passed because of it.
 */
#include <config.h>

#include "daemon/daemon.h"

#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
	DAY = 86400,
	QUIET_SECONDS = 56 * DAY,
	QUARTER_SECONDS = 91 * DAY,
	KEEP_SECONDS = 400 * DAY,
	KEEP_ONCE_SECONDS = 70 * DAY, /* of who wrote once: there may be very many of them */
	OFTEN = 4,                    /* messages from which on a sender is worth a question */
};

#define KIND       "sender"
#define ASKED_KIND "asked"
#define ASKED_NAME "unsubscribe"

struct sender {
	int64_t first; /* in a digest */
	int64_t let;   /* sent on its own because the user asked for it; 0: never */
	int64_t n;     /* messages in digests */
};

/* Nothing is known of a record that makes no sense. */
static void sender_get(
    struct daemon *d, const char *user, const char *addr, int64_t now, struct sender *out)
{
	void *data = NULL;
	size_t len = 0;
	json_int_t first, let, n;
	*out = (struct sender){.first = now};
	if (store_note_get(d->store, user, KIND, addr, &data, &len, NULL) != RC_OK)
		return;
	json_t *json = json_loadb(data, len, 0, NULL);
	/* A clock that was ahead once must not make a first time of the future. */
	if (json_unpack(json, "{s:I,s:I,s:I}", "first", &first, "let", &let, "n", &n) == 0)
		*out = (struct sender){.first = MIN(first, now), .let = let, .n = n};
	json_decref(json);
	g_free(data);
}

static enum rc sender_put(struct daemon *d, const char *user, const char *addr, int64_t now,
    const struct sender *sender, struct err *err)
{
	json_t *json = json_pack("{s:I,s:I,s:I}", "first", (json_int_t)sender->first, "let",
	    (json_int_t)sender->let, "n", (json_int_t)sender->n);
	char *text = json_dumps(json, JSON_COMPACT);
	int64_t keep = sender->n < 2 && sender->let == 0 ? KEEP_ONCE_SECONDS : KEEP_SECONDS;
	enum rc rc =
	    store_note_put(d->store, user, KIND, addr, text, strlen(text), now + keep, err);
	free(text);
	json_decref(json);
	return rc;
}

static enum rc count_one(
    struct daemon *d, const char *user, const char *id, int64_t now, struct err *err)
{
	struct store_held held;
	struct sender sender;
	if (store_held_get(d->store, user, id, &held, NULL) != RC_OK || held.from_addr[0] == '\0')
		return RC_OK;
	sender_get(d, user, held.from_addr, now, &sender);
	sender.n++;
	return sender_put(d, user, held.from_addr, now, &sender, err);
}

static enum rc put_asked(struct daemon *d, const char *user, int64_t now, struct err *err)
{
	char when[24];
	g_snprintf(when, sizeof(when), "%" G_GINT64_FORMAT, now);
	return store_note_put(
	    d->store, user, ASKED_KIND, ASKED_NAME, when, strlen(when), now + QUARTER_SECONDS, err);
}

void learn_taken(struct daemon *d, const char *user, const GPtrArray *ids)
{
	struct err err;
	int64_t now = clock_now();
	/* Found out before the counts change: the same answer as when the digest was composed. */
	char **asked = learn_quiet(d, user, ids);
	enum rc rc = store_begin(d->store, &err);
	for (guint i = 0; i < ids->len && rc == RC_OK; i++)
		rc = count_one(d, user, ids->pdata[i], now, &err);
	if (rc == RC_OK && asked[0] != NULL)
		rc = put_asked(d, user, now, &err);
	if (rc == RC_OK)
		rc = store_commit(d->store, &err);
	else
		store_abort(d->store);
	g_strfreev(asked);
	if (rc != RC_OK)
		log_warning("%s: senders are not counted: %s", user, err.text);
	daemon_check_store(d, rc, &err);
}

void learn_let(struct daemon *d, const char *user, const char *addr)
{
	struct sender sender;
	struct err err;
	int64_t now = clock_now();
	if (addr[0] == '\0')
		return;
	sender_get(d, user, addr, now, &sender);
	sender.let = now;
	enum rc rc = sender_put(d, user, addr, now, &sender, &err);
	if (rc != RC_OK)
		log_warning("%s: %s", user, err.text);
	daemon_check_store(d, rc, &err);
}

/* Within the last quarter: the note may outlive its end. */
static bool was_asked(struct daemon *d, const char *user, int64_t now)
{
	void *data = NULL;
	size_t len;
	int64_t when = 0;
	if (store_note_get(d->store, user, ASKED_KIND, ASKED_NAME, &data, &len, NULL) == RC_OK)
		str_number(data, 0, INT64_MAX, &when);
	g_free(data);
	return now - when < QUARTER_SECONDS;
}

char **learn_quiet(struct daemon *d, const char *user, const GPtrArray *ids)
{
	GPtrArray *quiet = g_ptr_array_new();
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	int64_t now = clock_now();
	bool asked = was_asked(d, user, now);
	for (guint i = 0; i < ids->len && !asked && quiet->len < LEARN_QUIET_MAX; i++) {
		struct store_held held;
		struct sender sender;
		if (store_held_get(d->store, user, ids->pdata[i], &held, NULL) != RC_OK ||
		    held.from_addr[0] == '\0' || !g_hash_table_add(seen, g_strdup(held.from_addr)))
			continue;
		sender_get(d, user, held.from_addr, now, &sender);
		if (sender.n >= OFTEN && now - sender.first >= QUIET_SECONDS &&
		    now - sender.let >= QUIET_SECONDS)
			g_ptr_array_add(quiet, g_strdup(held.from_addr));
	}
	g_hash_table_destroy(seen);
	g_ptr_array_add(quiet, NULL);
	return (char **)g_ptr_array_free(quiet, FALSE);
}
