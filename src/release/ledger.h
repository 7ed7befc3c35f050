/*
 * ledger.h: one user's record in the slot ledger: which slot was served last, and the release that
 * is under way. Written durably before each step that cannot be taken back, so that a crash repeats
 * at most the step that was under way, with the same Message-ID. Encoded as JSON.
 *
 * It also remembers what the MTA refused for good: those messages stay held, and stay out of the
 * user's digests, which would be refused for their sake.
 */
#ifndef PULLYU_RELEASE_LEDGER_H
#define PULLYU_RELEASE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "base/rc.h"
#include "store/store.h"

/* Of one user; what is refused beyond that is not remembered: it comes up again in the next digest.
 * */
enum { LEDGER_REFUSED_MAX = 500 };

enum release_step {
	STEP_IDLE,      /* nothing is under way */
	STEP_COMPOSE,   /* the digest is to be composed and submitted */
	STEP_ORIGINALS, /* the originals are to be submitted one by one, each removed after its 250
			 */
	STEP_RETIRE,    /* the digest was taken by the MTA: its messages are to be removed */
};

enum release_mode {
	MODE_ATTACH,  /* a digest with the originals inside */
	MODE_FOLDER,  /* a digest without, then the originals to the address with "Digest" */
	MODE_INBOX,   /* a digest without, then the originals to the address they were sent to */
	MODE_DELIVER, /* no digest, only the originals, as MODE_INBOX */
};

struct release_record {
	int64_t last;         /* slots up to this instant are served */
	char rule[65];        /* which times and zone `last` belongs to; "" before any */
	int64_t slot;         /* of the release under way, or of the last one */
	unsigned seq;         /* of its messages, from 1: a large slot takes several digests */
	unsigned part, parts; /* that digest is part 1..parts of its slot; 0: not known */
	enum release_step step;
	enum release_mode mode;
	char message_id[STORE_MSGID_MAX]; /* of the digest under way */
	GPtrArray *ids;                   /* own; char *; the messages of the digest under way */
	GPtrArray *refused;   /* own; char *; held messages that the MTA refused for good */
	int64_t refused_next; /* when they are tried again */
};

struct release_record *ledger_record_new(void);
void ledger_record_free(struct release_record **record);

/* RC_NOTFOUND: none yet. A record that makes no sense is RC_CORRUPT; the caller starts afresh:
 * the worst of it is one repeat. */
enum rc ledger_get(
    struct store *store, const char *user, struct release_record **record_out, struct err *err);
enum rc ledger_put(
    struct store *store, const char *user, const struct release_record *record, struct err *err);

bool ledger_refused(const struct release_record *record, const char *id);
/* Both in memory, until the next ledger_put. Adding what is there already is fine; false: no room.
 * */
bool ledger_refused_add(struct release_record *record, const char *id);
void ledger_refused_del(struct release_record *record, const char *id);

#endif
