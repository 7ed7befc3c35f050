/*
 * store.h: what is held, for callers. Two halves behind one handle: the messages (a Maildir a user:
 * the truth) and the database (an index of the messages, which can be rebuilt from them, and the
 * slot ledger, correspondents, sent Message-IDs and notes, which cannot).
 *
 * One process opens a store; one thread uses it. Every function that changes something is durable
 * when it returns RC_OK outside a transaction, and when store_commit returns RC_OK inside one.
 * (Messages are files and do not roll back; inside a transaction they become durable when
 * store_commit returns.) RC_TEMP: disk full, locked, I/O error. RC_CORRUPT from any database
 * function: close the store and exit; opening again recovers. RC_PERM from a message function: the
 * user's folder is not what it should be (a link, no permission); other users' are not concerned.
 */
#ifndef PULLYU_STORE_STORE_H
#define PULLYU_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/rc.h"

struct store;

enum { STORE_ID_MAX = 128, STORE_TEXT_MAX = 256, STORE_MSGID_MAX = 256, STORE_REASONS_MAX = 512 };

struct store_config {
	const char *msg_driver; /* "maildir", "mem", "fail" */
	const char *msg_path;   /* maildir: spool/users */
	const char *db_driver;  /* "bdb", "mem", "fail" */
	const char *db_path;    /* bdb: the environment's directory */
};

/* The drivers' directories are made if missing. *recovered_out (NULL: not asked for) is set if the
 * database was broken and had to be set aside, or is missing beside folders that are there: the
 * index is empty then and wants store_rebuild; of the rest there is what could be saved. After a
 * crash the index may lack a message whose file was committed: rebuild at every start. A child may
 * be forked meanwhile, to check the database. RC_TEMP: another process has it open. */
enum rc store_open(const struct store_config *config, struct store **store_out, bool *recovered_out,
    struct err *err);
void store_close(struct store **store);

/* ---- messages ---- */

struct store_msg {
	char id[STORE_ID_MAX]; /* the Maildir's unique name without ":2,flags" */
	bool seen, trashed;    /* flags S and T: its reader has dealt with it */
	uint64_t size;         /* bytes on disk */
};

/* Takes over a durable file of the same file system as the user's message `id`: renames it into the
 * user's folder (made if missing) and makes that durable. Doing it again after a crash is harmless:
 * if path is gone and the message is there, RC_OK. RC_NOTFOUND if neither is. RC_PERM, and path
 * stays: another message is held under that id. id: letters, digits, "." "-" "_" "=" "," only, not
 * starting with ".". */
enum rc store_msg_commit(
    struct store *store, const char *user, const char *id, const char *path, struct err *err);
typedef bool store_msg_fn(void *ctx, const struct store_msg *msg); /* false: stop */
/* In the order of ids. Foreign files (names that cannot be ids, directories, links) are skipped. A
 * user without a folder has no messages. */
enum rc store_msg_list(
    struct store *store, const char *user, store_msg_fn *fn, void *ctx, struct err *err);
/* A read-only descriptor for the caller to close. RC_NOTFOUND if gone. Never follows a link. */
enum rc store_msg_open(
    struct store *store, const char *user, const char *id, int *fd_out, struct err *err);
/* Durable. RC_NOTFOUND if it was gone already. */
enum rc store_msg_remove(struct store *store, const char *user, const char *id, struct err *err);
typedef bool store_user_fn(void *ctx, const char *user);
/* Users that have a folder. Shortened directory names are resolved by the first message's
 * Delivered-To through the function given to store_rebuild; here they are skipped. */
enum rc store_msg_users(struct store *store, store_user_fn *fn, void *ctx, struct err *err);

/* ---- index ---- */

struct store_held {
	char id[STORE_ID_MAX];
	int64_t received; /* seconds since the epoch */
	uint64_t size;    /* bytes of the original, without our trace fields */
	uint32_t lead;    /* bytes of our trace fields before the original */
	char class_name[32];
	double score;
	char reasons[STORE_REASONS_MAX]; /* rule names, comma-separated */
	char from_addr[ADDR_MAX], from_name[STORE_TEXT_MAX], subject[STORE_TEXT_MAX];
	char message_id[STORE_MSGID_MAX]; /* with angle brackets, or "" */
	char list_id[STORE_TEXT_MAX];
	char return_path[ADDR_MAX]; /* envelope sender; "" for the null sender */
	char rcpt[ADDR_MAX];        /* the RCPT address as received */
};

enum rc store_held_put(
    struct store *store, const char *user, const struct store_held *held, struct err *err);
enum rc store_held_get(struct store *store, const char *user, const char *id,
    struct store_held *held_out, struct err *err);
enum rc store_held_del(struct store *store, const char *user, const char *id, struct err *err);
typedef bool store_held_fn(void *ctx, const char *user, const struct store_held *held);
/* user NULL: of all users. In the order of users, then ids. fn must not change the store. */
enum rc store_held_scan(
    struct store *store, const char *user, store_held_fn *fn, void *ctx, struct err *err);

/* Fills a record from the message's file (store cannot: it knows nothing of header fields).
 * user_out: whose it is, from Delivered-To. RC_PERM: not one of our files, leave it alone. */
typedef enum rc store_describe_fn(void *ctx, int fd, const struct store_msg *msg,
    char user_out[ADDR_MAX], struct store_held *held_out, struct err *err);
/* Makes the index of one user (or of all: user NULL) equal to the folders: adds what is missing,
 * removes what is gone. *changed_out counts entries added and removed; may be NULL. */
enum rc store_rebuild(struct store *store, const char *user, store_describe_fn *fn, void *ctx,
    size_t *changed_out, struct err *err);

/* ---- slot ledger: opaque bytes a user, written and read by release/ ---- */

enum { STORE_SLOT_MAX = 256 * 1024 };
enum rc store_slot_put(
    struct store *store, const char *user, const void *data, size_t len, struct err *err);
/* *data_out: g_free. */
enum rc store_slot_get(
    struct store *store, const char *user, void **data_out, size_t *len_out, struct err *err);
enum rc store_slot_del(struct store *store, const char *user, struct err *err);
typedef bool store_slot_fn(void *ctx, const char *user, const void *data, size_t len);
enum rc store_slot_scan(struct store *store, store_slot_fn *fn, void *ctx, struct err *err);

/* ---- what the user sent ---- */

/* The user wrote to address at that time; a later time replaces an earlier one. */
enum rc store_known_put(
    struct store *store, const char *user, const char *address, int64_t when, struct err *err);
enum rc store_known_get(
    struct store *store, const char *user, const char *address, int64_t *when_out, struct err *err);
enum rc store_known_del(
    struct store *store, const char *user, const char *address, struct err *err);
typedef bool store_known_fn(void *ctx, const char *address, int64_t when); /* false: stop */
/* Whom the user has written to, in the order of the addresses' bytes. fn may change the store. */
enum rc store_known_scan(
    struct store *store, const char *user, store_known_fn *fn, void *ctx, struct err *err);
/* The user sent a message with this Message-ID (with angle brackets). */
enum rc store_sent_put(
    struct store *store, const char *user, const char *message_id, int64_t when, struct err *err);
enum rc store_sent_get(struct store *store, const char *user, const char *message_id,
    int64_t *when_out, struct err *err);
/* Removes entries of both kinds that are older than `before`, at most max of them: call again while
 * *removed_out == max. */
enum rc store_known_expire(
    struct store *store, int64_t before, size_t max, size_t *removed_out, struct err *err);

/* ---- notes: small records of a user that have an end, opaque bytes by kind and name ---- */

/* kind: a word without "/". name: 1 to 600 bytes. */
enum { STORE_NOTE_MAX = 200 * 1024 };
enum rc store_note_put(struct store *store, const char *user, const char *kind, const char *name,
    const void *data, size_t len, int64_t expires, struct err *err);
/* *data_out: g_free; a NUL stands behind the data. A note whose end has passed may still be
 * there. */
enum rc store_note_get(struct store *store, const char *user, const char *kind, const char *name,
    void **data_out, size_t *len_out, struct err *err);
enum rc store_note_del(
    struct store *store, const char *user, const char *kind, const char *name, struct err *err);
typedef bool store_note_fn(
    void *ctx, const char *user, const char *name, const void *data, size_t len);
/* user NULL: of all users. In the order of users, then names. fn must not change the store. */
enum rc store_note_scan(struct store *store, const char *user, const char *kind, store_note_fn *fn,
    void *ctx, struct err *err);
/* Removes notes that ended before that time, at most max of them: call again while
 * *removed_out == max. */
enum rc store_note_expire(
    struct store *store, int64_t before, size_t max, size_t *removed_out, struct err *err);

/* ---- transactions over the database half; they do not nest ---- */

enum rc store_begin(struct store *store, struct err *err);
enum rc store_commit(struct store *store, struct err *err); /* on failure: rolled back */
void store_abort(struct store *store);
/* Checkpoint and removal of old logs: about once a minute. */
enum rc store_checkpoint(struct store *store, struct err *err);

#endif
