/*
 * store_bdb.h: what the files of the driver "bdb" share: store_bdb.c (operations), store_bdb_open.c
 * (opening) and store_bdb_repair.c (what to do about a broken one). <db.h> is included here alone.
 */
#ifndef PULLYU_STORE_STORE_BDB_H
#define PULLYU_STORE_STORE_BDB_H

#include <stdio.h>

#include <db.h>

#include "store/store_private.h"

#define BDB_FILE "pullyu.db"

struct bdb {
	char *path;               /* own; the environment's directory */
	int lock_fd;              /* holds the flock; -1: none */
	DB_ENV *env;              /* own; NULL: not open */
	DB *tables[STORE_TABLES]; /* own */
	DB_TXN *txn;              /* own; NULL: none */
	char said[256];           /* what Berkeley DB said first since the last struct err */
	int panic;                /* why the environment panicked; 0: it did not */
	bool corrupt;             /* something has answered RC_CORRUPT */
	FILE *verdict; /* in the child that checks: a panic writes it and ends the child */
};

extern const char *const bdb_table_names[STORE_TABLES];

/* Turns a result of Berkeley DB's into ours, with the text "what: reason: what it said". */
enum rc bdb_result(struct bdb *db, int result, const char *what, struct err *err);
/* Whether trouble comes from the machine (disk full, no permission) and not from what is stored. */
bool bdb_machine_trouble(const struct bdb *db, int result);

/* Opens the environment in dir, running recovery; and the tables in it. Both return Berkeley DB's
 * result; nothing is left open unless it is 0. */
int bdb_env_open(struct bdb *db, const char *dir);
int bdb_tables_open(struct bdb *db);
void bdb_env_close(struct bdb *db);

/* Recovers db->path and looks at every page, in a child: Berkeley DB can loop for ever, or end the
 * process, on what a bad disk leaves. RC_CORRUPT: broken. RC_TEMP: trouble with the machine. */
enum rc bdb_check(struct bdb *db, struct err *err);
/* The end of that child, with what it found. */
void bdb_check_end(struct bdb *db, int result) __attribute__((noreturn));
/* Sets db->path aside and puts a new environment there, with what can be saved of the tables that
 * cannot be rebuilt. On failure db->path is as it was. */
enum rc bdb_replace(struct bdb *db, struct err *err);
/* What bdb_replace does last, if a crash kept it from that. */
enum rc bdb_replace_finish(struct bdb *db, bool *replaced_out, struct err *err);

enum rc bdb_open(const char *path, void **self_out, bool *reset_out, struct err *err);
void bdb_close(void *self);

extern const struct store_db_driver store_bdb_driver;

#endif
