/*
 * release.h: when what is held goes out, and in which steps. The engine decides and keeps the
 * ledger; composing and submitting are done elsewhere (in workers) and reported back. Everything
 * runs on one thread; time is passed in.
 *
 * The promise: a message leaves the store only after the MTA's 250 for the digest that contains it,
 * or for the message itself. The steps of a release, with what a crash after each of them means:
 *
 *   1. the record (slot, Message-ID, ids) is in the ledger      nothing has happened yet
 *   2. the digest is composed and submitted                     it is sent again, same Message-ID
 *   3. the record says "taken" (STEP_RETIRE or _ORIGINALS)      the rest is resumed
 *   4. messages are removed; originals: each after its own 250  at most one is sent again
 *   5. the record says "served up to this slot"
 *
 * Slots missed while nobody ran merge into one. A slot with nothing held passes in silence. A
 * message that its reader has opened or deleted in the folder is not repeated. What waited for
 * max_hold goes out whatever the times say; what is held for somebody who no longer takes part goes
 * out at once, without a digest, what was put off and what was read in the folder with it. What the
 * MTA refuses for good stays held, is left out of later digests and is tried again alone once a
 * day.
 */
#ifndef PULLYU_RELEASE_RELEASE_H
#define PULLYU_RELEASE_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"
#include "policy/schedule.h"
#include "release/ledger.h"
#include "store/store.h"

struct releases;
struct release; /* one user's release under way */

/* What the user asked for, as the engine needs it. */
struct release_rule {
	bool takes_part; /* false: deliver what is held, at once, without a digest */
	struct schedule schedule;
	enum release_mode mode; /* MODE_ATTACH, MODE_FOLDER or MODE_INBOX */
};

struct release_config {
	int64_t max_hold;       /* seconds */
	int64_t retry;          /* seconds to wait after the first failure; doubles up to 6 hours */
	size_t max_messages;    /* of one digest */
	uint64_t max_bytes;     /* of originals attached to one digest; at least one goes in */
	unsigned parallel;      /* releases under way at a time */
	const char *host;       /* right side of Message-IDs; copied */
	const char *delimiters; /* address extension delimiters of the MTA; copied */
	const unsigned char
	    *key; /* HMAC_KEY_BYTES: makes Message-IDs that nobody can guess; copied */
};

/* What the engine wants done. Each is answered later, or at once, by the function named. */
struct release_ops {
	/* Never fails: without settings, the site's defaults. */
	void (*rule)(void *ctx, const char *user, struct release_rule *rule_out);
	/* Makes the index of this user equal to the folder (store_rebuild). */
	enum rc (*reconcile)(void *ctx, const char *user, struct err *err);
	/* Compose the digest of release_record(); plain: without looking into the originals.
	 * Answer: release_composed. */
	void (*compose)(void *ctx, struct release *release, bool plain);
	/* Submit what was composed last, to the user. Answer: release_submitted. */
	void (*submit_digest)(void *ctx, struct release *release);
	/* Submit this original as it stands, from the envelope sender ("": null) to rcpt. Answer:
	 * release_submitted. */
	void (*submit_original)(void *ctx, struct release *release, const struct store_held *held,
	    const char *from, const char *rcpt);
	/* The rest may be NULL. Told that the MTA has taken the digest of this record, whose
	 * messages are still held; after a crash perhaps never. */
	void (*taken)(void *ctx, const char *user, const struct release_record *record);
	/* Told before the messages of a digest that contains them are removed; after a crash
	 * perhaps twice. */
	void (*retiring)(void *ctx, const char *user, const struct release_record *record);
	/* Told once a release has ended or was put off: digests and messages that the MTA took, and
	 * messages that stay. */
	void (*ended)(void *ctx, const char *user, size_t digests, size_t delivered, size_t left,
	    enum rc rc, const char *text);
};

struct releases *releases_new(struct store *store, const struct release_config *config,
    const struct release_ops *ops, void *ctx);
void releases_free(struct releases **releases);
/* Before the end: answers are still taken and noted in the ledger, but no further step begins. */
void releases_stop(struct releases *releases);
/* New limits after a reload; releases under way keep theirs until their next step. */
void releases_configure(struct releases *releases, const struct release_config *config);

/* At start: reads index and ledger, so that held mail, missed slots and interrupted releases are
 * known. Again after the index was made anew: releases under way go on. */
enum rc releases_load(struct releases *releases, int64_t now, struct err *err);
/* A message of this user was indexed; received is not in the future. */
void releases_held(struct releases *releases, const char *user, int64_t received);
/* Starts what is due and resumes what was put off. Returns when it wants to be called again: an
 * instant not later than a minute from now. */
int64_t releases_tick(struct releases *releases, int64_t now);

/* On demand. ids NULL: everything held, as a digest now (deliver, or somebody who takes no part: as
 * originals, what was read or refused too; what was put off becomes part of it).
 * It joins a release that is put off, and tries that at once, or one that is under way; what this
 * one has under way stays as it is, the rest follows.
 * Otherwise these messages, as originals; refused while another release is under way or put off.
 *
 * done is called exactly once, perhaps before releases_now returns: when the release has ended, or
 * was put off (RC_TEMP; the engine goes on by itself), or left messages that the MTA refuses
 * (RC_PERM). delivered: by the whole of that release; left: what is still held. RC_OK with none
 * delivered and none left: nothing was held. If it was refused (release_refused), nothing was
 * begun, and nothing will happen by itself. done may call releases_now with ids, not for
 * everything. */
typedef void release_done_fn(
    void *ctx, size_t delivered, size_t left, enum rc rc, const struct err *err);
static inline bool release_refused(size_t delivered, size_t left, enum rc rc)
{
	return rc != RC_OK && delivered == 0 && left == 0;
}
void releases_now(struct releases *releases, const char *user, const char *const *ids, bool deliver,
    int64_t now, release_done_fn *done, void *done_ctx);

/* How a step went. RC_NOTFOUND from composing: an original is gone, make a new list. RC_CORRUPT
 * from composing: the worker died. RC_TEMP from composing: not now. RC_PERM from submitting: the
 * MTA refused for good. code: the MTA's reply code, 0 if there was no reply: then the rest waits,
 * too. */
void release_composed(struct release *release, enum rc rc, const struct err *err);
void release_submitted(struct release *release, enum rc rc, int code, const struct err *err);

/* Of a release under way; borrowed until the next step. */
const char *release_user(const struct release *release);
const struct release_record *release_record(const struct release *release);

struct release_status {
	/* Unread messages (of one who takes no part, read ones too), without those refused. */
	size_t held;
	size_t refused; /* held, and refused by the MTA for good */
	int64_t oldest; /* received; 0 if none */
	int64_t next;   /* next release; 0 if none */
	bool under_way;
	unsigned failures; /* in a row */
};
typedef void release_status_fn(void *ctx, const char *user, const struct release_status *status);
void releases_status(struct releases *releases, release_status_fn *fn, void *ctx);
/* For callers that compose without releasing (preview): the record of the release of this user that
 * is under way or put off, borrowed until its next step, or NULL. At STEP_COMPOSE it is the next
 * digest. Otherwise: the slot that the next digest would name (now, if nothing says otherwise), and
 * the ids it would contain. */
const struct release_record *releases_active(const struct releases *releases, const char *user);
int64_t releases_slot(struct releases *releases, const char *user, int64_t now);
enum rc releases_list(struct releases *releases, const char *user, bool read_too,
    GPtrArray **ids_out, struct err *err);
/* And how a release would split them: the ids of one part, from 1, and how many parts there are.
 * RC_NOTFOUND: not so many. */
enum rc releases_part(const struct releases *releases, const char *user, const GPtrArray *ids,
    enum release_mode mode, unsigned part, GPtrArray **ids_out, unsigned *parts_out,
    struct err *err);

#endif
