/*
 * shadow.h: what shadow mode let pass, counted per user. One record a user, a note of the store
 * (kind "shadow", name "counts", JSON), which ends SHADOW_KEEP_SECONDS after its last message. What
 * is counted stays in memory until shadow_flush: statistics need no fsync a message. One thread.
 *
 * Bounds: of a user at most SHADOW_SENDERS_MAX senders and SHADOW_RULES_MAX rules are kept; where
 * there are more, the rarest, and of these the oldest, make room, but never the few that came
 * nearest to passing. The totals stay exact. SHADOW_USERS_MAX records are in memory at a time.
 */
#ifndef PULLYU_DAEMON_SHADOW_H
#define PULLYU_DAEMON_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "classify/verdict.h"
#include "store/store.h"

enum {
	SHADOW_SENDERS_MAX = 500,
	SHADOW_RULES_MAX = 200,
	SHADOW_NEAREST = 10,
	SHADOW_REASONS_MAX = 3,
	SHADOW_RULE_MAX = 64, /* bytes of a rule's name that are kept */
	SHADOW_USERS_MAX = 200,
	SHADOW_SUM_MAX = 50000, /* senders in a sum over users */
	SHADOW_KEEP_SECONDS = 400 * 24 * 3600,
};

/* One message that would have been held. */
struct shadow_note {
	const char *user, *sender; /* normalised; sender may be "" */
	enum class cls;
	double margin;          /* of the verdict; below 0: none */
	int64_t received, slot; /* seconds since the epoch; slot: when its digest would have come */
	const char *reasons[SHADOW_REASONS_MAX];
	size_t n_reasons;
};

struct shadow_sender {
	char *name; /* own */
	uint64_t count;
	enum class cls; /* of the newest message */
	double margin;  /* the least; below 0: none */
	int64_t last;
};

struct shadow_record {
	int64_t since, last;
	int64_t slot; /* of the newest digest that is counted */
	uint64_t total, digests, classes[CLASS_COUNT];
	GHashTable *senders; /* own; name -> struct shadow_sender, own */
	GHashTable *rules;   /* own; name, own -> uint64_t, own: messages */
	guint senders_max, rules_max;
};

struct shadow_record *shadow_record_new(guint senders_max, guint rules_max);
void shadow_record_free(struct shadow_record **record); /* nulls */
void shadow_record_count(struct shadow_record *record, const struct shadow_note *note);
void shadow_record_add(struct shadow_record *sum, const struct shadow_record *record);
/* At most STORE_NOTE_MAX bytes: what is too much makes room. g_free. */
char *shadow_record_encode(struct shadow_record *record);
/* NULL: it is not one of ours. */
struct shadow_record *shadow_record_decode(const char *data, size_t len);
/* Pointers into the record, in a fixed order: the most frequent first. g_ptr_array_unref. */
GPtrArray *shadow_record_senders(const struct shadow_record *record);
/* The same, the nearest to passing first; those without a margin are left out. */
GPtrArray *shadow_record_nearest(const struct shadow_record *record);
/* The keys of record->rules. */
GPtrArray *shadow_record_rules(const struct shadow_record *record);

struct shadow;

struct shadow *shadow_new(struct store *store); /* borrowed */
/* Whatever was not flushed is gone. */
void shadow_free(struct shadow **shadow);
/* A record that makes no sense is set aside (name "unreadable"), logged, and begun anew. Any
 * failure is one of the store's: the note is not counted then. */
enum rc shadow_count(struct shadow *shadow, const struct shadow_note *note, struct err *err);
/* Writes all records in one transaction. After a failure they stay in memory. */
enum rc shadow_flush(struct shadow *shadow, struct err *err);
/* Names of users with a record (own strings), of that domain or (NULL) all. What was not flushed is
 * not seen, here and below. */
enum rc shadow_users(
    struct shadow *shadow, const char *domain, GPtrArray *users_out, struct err *err);
/* Adds one user's record to the sum. RC_NOTFOUND: none; RC_PERM: it makes no sense. */
enum rc shadow_sum(
    struct shadow *shadow, const char *user, struct shadow_record *sum, struct err *err);
enum rc shadow_forget(struct shadow *shadow, const char *user, struct err *err);

#endif
