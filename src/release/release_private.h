/*
 * release_private.h: what releases.c (who is due, and when), release_held.c (what is held),
 * release.c (the steps of one release) and release_batch.c (its digests) share.
 */
#ifndef PULLYU_RELEASE_RELEASE_PRIVATE_H
#define PULLYU_RELEASE_RELEASE_PRIVATE_H

#include <glib.h>

#include "base/hmac.h"
#include "release/release.h"

struct releases {
	struct store *store; /* foreign */
	struct release_config config;
	char *host, *delimiters; /* own; config points at them */
	unsigned char key[HMAC_KEY_BYTES];
	struct release_ops ops;
	void *ctx;
	GHashTable *users; /* own; name -> struct release_user */
	unsigned running;  /* releases that wait for an answer */
	int64_t now;       /* the latest time that was passed in */
	bool stopping;
};

struct release_user {
	struct releases *all; /* foreign */
	char name[ADDR_MAX];
	/* Unread messages (of one who takes no part, read ones too), without those refused. */
	size_t held;
	int64_t oldest;                /* received; never in the future */
	struct release_record *record; /* own; NULL until read */
	struct release *active;        /* own; NULL if none is under way */
	int64_t looked;                /* when the rule was looked at last; 0: never */
	int64_t refreshed;             /* when the folder was looked at last */
	int64_t not_before;            /* after a failure */
	unsigned failures;             /* in a row */
};

struct release_done {
	release_done_fn *fn;
	void *ctx;
};

struct release {
	struct releases *all;      /* foreign */
	struct release_user *user; /* foreign */
	enum release_mode mode;    /* of the digests that are still to begin */
	int64_t slot;
	bool serves_slot; /* advances record.last to slot when all is done */
	bool
	    unlogged; /* the ledger cannot be written: originals only, each removed after its 250 */
	bool plain;   /* a worker died: compose without looking into the originals */
	GPtrArray *rest;    /* own; ids that wait for a further digest of the same slot */
	guint next;         /* STEP_ORIGINALS: index into record->ids */
	unsigned candidate; /* of the addresses to try for this original */
	bool taken;         /* the MTA has taken this original; only its removal is left */
	unsigned compose_failures;
	unsigned
	    digest_failures; /* 4xx to the digest itself, or it could not be composed for now */
	size_t postponed;    /* originals that got 4xx in this pass */
	struct err postponed_err;
	size_t delivered, refused;
	bool forgetful; /* more was refused than the ledger remembers */
	size_t digests; /* taken by the MTA */
	GArray *done;   /* own; struct release_done */
	bool waiting;   /* put off until user->not_before */
	bool counted;   /* into how many digests the rest will go */
	bool running, again, ended;
};

/* releases.c */
struct release_user *release_user_get(struct releases *all, const char *name);
/* After a failure: when to try again. */
void release_user_failed(struct release_user *user);

/* release_held.c */
enum { RELEASE_REFUSED_SECONDS = 24 * 3600 }; /* until what was refused is tried again */
/* Reads the user's record, unless that was done. */
enum rc release_user_record(struct release_user *user, struct err *err);
/* What the folder holds: with what its reader has opened, with what was refused? oldest_out may be
 * NULL. Forgets what was refused and is gone. */
enum rc release_user_list(struct release_user *user, bool read_too, bool refused_too,
    GPtrArray **ids_out, int64_t *oldest_out, struct err *err);
/* Reads folder and index again: how much is held, since when. ids_out, unless NULL: which ids. */
enum rc release_user_refresh(struct release_user *user, GPtrArray **ids_out, struct err *err);
/* How many are held and were refused for good. */
size_t release_user_refused(const struct release_user *user);
/* Sets when what was refused is tried again. */
void release_user_refused_later(struct release_user *user);

/* release_batch.c */
/* Moves the ids of the next digest from `rest` into the record. */
void release_take_batch(struct release *release);
/* "Part 2 of 3": of what this slot has to deliver. After a crash the count goes on where the ledger
 * says that it was. Counted once a release: what comes or goes meanwhile changes the number of
 * parts at most upwards. */
void release_number_part(struct release *release);

/* release.c */
/* Starts a release of these ids (stolen). With ids that are none, or a record that is under way, it
 * goes on with the record. */
struct release *release_new(
    struct release_user *user, GPtrArray *ids, enum release_mode mode, int64_t slot);
/* These ids (stolen) follow what is under way, without doubles, as such digests. */
void release_join(struct release *release, GPtrArray *ids, enum release_mode mode);
/* Takes the next steps until one has to be waited for. May free the release. */
void release_run(struct release *release);
void release_free(struct release **release);

#endif
