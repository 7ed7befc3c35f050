/*
 * store_maildir.h: what the files of the driver "maildir" share: store_maildir.c (the driver),
 * store_maildir_commit.c (taking a message over) and store_maildir_dir.c (directories and names).
 */
#ifndef PULLYU_STORE_STORE_MAILDIR_H
#define PULLYU_STORE_STORE_MAILDIR_H

#include <limits.h>

#include "store/store_private.h"

enum {
	MAILDIR_ROUNDS = 5,       /* against an IMAP server that renames while we look */
	MAILDIR_IDS_MAX = 200000, /* a folder with more files than that is not held mail */
};

struct maildir {
	int root;
	char *path;         /* own */
	GHashTable *synced; /* own: set of folders whose directories are known to be durable */
	/* Inside a transaction directories are made durable at its end, each once. */
	bool deferring;
	GHashTable *deferred; /* own: set of paths */
};

/* The directories of one folder; -1 where one is missing. */
struct maildir_folder {
	int dir, fresh, cur; /* "fresh" is new/ */
};

#define MAILDIR_NO_FOLDER \
	{ \
		-1, -1, -1 \
	}

/* Where a message was found. */
struct maildir_place {
	int dir; /* of the folder */
	char name[NAME_MAX + 1];
	struct store_msg msg;
};

/* ---- store_maildir_dir.c ---- */

void maildir_close_fd(int *fd); /* makes it -1 */
enum rc maildir_rc_of_errno(void);
/* Ends an operation: the caller's err is touched by a failure only. */
enum rc maildir_finish(enum rc rc, const struct err *inner, const char *context, struct err *err);

/* Never follows a link. */
enum rc maildir_open_dir(int parent, const char *name, int *fd_out, struct err *err);
enum rc maildir_sync_fd(int fd, const char *what, struct err *err);
/* Opens a folder. make: what is missing is made, durably. open: RC_NOTFOUND if there is none; new/
 * and cur/ may be missing. */
enum rc maildir_folder_make(
    struct maildir *m, const char *name, struct maildir_folder *folder_out, struct err *err);
enum rc maildir_folder_open(
    struct maildir *m, const char *name, struct maildir_folder *folder_out, struct err *err);
void maildir_folder_close(struct maildir_folder *folder);

/* Calls fn for each name of a directory that may be a message's; msg has no size yet. fn: false to
 * stop. dir -1: nothing. */
typedef bool maildir_name_fn(void *ctx, int dir, const char *name, const struct store_msg *msg);
enum rc maildir_each_name(int dir, maildir_name_fn *fn, void *ctx, struct err *err);
/* Size of a regular file. RC_NOTFOUND also for anything else of that name. */
enum rc maildir_stat_file(int dir, const char *name, uint64_t *size_out, struct err *err);

/* The names that nearly every message has: to be tried before a look through the directories, which
 * may hold thousands. Returns the directory of name number i; -1: it is missing. */
enum { MAILDIR_USUAL = 3 };
int maildir_usual_name(
    const struct maildir_folder *folder, const char *id, int i, char name_out[STORE_ID_MAX + 8]);

/* Where a message is at this moment; and that, opened. */
enum rc maildir_find(const struct maildir_folder *folder, const char *id,
    struct maildir_place *place_out, struct err *err);
enum rc maildir_find_and_open(
    const struct maildir_folder *folder, const char *id, int *fd_out, struct err *err);

/* ---- store_maildir.c ---- */

/* Makes a change in a directory durable: now, or at the end of the transaction. */
enum rc maildir_sync_later(struct maildir *m, const char *path, struct err *err);
/* The same for "new" or "cur" of a folder. */
enum rc maildir_sync_part_later(
    struct maildir *m, const char *name, const char *part, struct err *err);

/* ---- store_maildir_commit.c ---- */

enum rc maildir_commit(
    void *self, const char *name, const char *id, const char *path, struct err *err);

#endif
