/*
 * store_bdb.h: what store_bdb.c (operations) and store_bdb_open.c (opening, recovery) share. The
 * only headers and files that know <db.h> are these.
 */
#ifndef PULLYU_STORE_STORE_BDB_H
#define PULLYU_STORE_STORE_BDB_H

#include <db.h>

#include "store/store_private.h"

struct bdb {
	char *path;               /* own; the environment's directory */
	int lock_fd;              /* holds the flock; -1: none */
	DB_ENV *env;              /* own; NULL: not open */
	DB *tables[STORE_TABLES]; /* own */
	DB_TXN *txn;              /* own; NULL: none */
	char said[256];           /* what Berkeley DB said last, for the next struct err */
	int panic;                /* why the environment panicked; 0: it did not */
};

/* Turns a result of Berkeley DB's into ours, with the text "what: reason: what it said". */
enum rc bdb_result(struct bdb *db, int result, const char *what, struct err *err);

enum rc bdb_open(const char *path, void **self_out, bool *reset_out, struct err *err);
void bdb_close(void *self);

#endif
