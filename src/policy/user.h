/*
 * user.h: users, and the cache of what they asked for. A struct user is an immutable snapshot of
 * one user's settings and lists, reference-counted; the cache re-reads a file only when its stat
 * (device, inode, size, mtime, ctime) changed, and keeps the last good settings and lists when a
 * file turns bad, or is gone together with the directory that it was in (a home that is not
 * mounted). The cache is bounded (USERS_CACHE_MAX users, USERS_CACHE_BYTES of lists); who was not
 * asked about for longest leaves it first, and with him his last good version. Thread-safe; no file
 * is read while a lock of all users is held.
 *
 * A user's files (settings.ini, allow, hold) must be regular, not reached by a symbolic link as the
 * last component, not world-writable, and belong to root, to our own user, or, in a system domain,
 * to the system user of that local part.
 *
 * Who takes part: an address or domain named by the participants file, or whoever has a
 * settings.ini of their own; in both cases not with "[digest] enabled = no".
 */
#ifndef PULLYU_POLICY_USER_H
#define PULLYU_POLICY_USER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/ini.h"
#include "base/rc.h"
#include "conf/settings.h"
#include "policy/list.h"
#include "policy/user_edit.h"

enum { USERS_CACHE_MAX = 20000, USERS_CACHE_BYTES = 64 * 1024 * 1024 };

struct user {
	int refs;            /* atomic */
	char name[ADDR_MAX]; /* normalised address: the key everywhere */
	bool takes_part;
	bool usable; /* false: settings or a list are unreadable and no good version is
		      * known, or the home directory (%h) was missing at first sight. Then every
		      * message passes. */
	struct settings settings;
	bool shadow;               /* in shadow mode, by his settings or because of his domain */
	struct list *allow, *hold; /* own; NULL: empty */
	char problem[400];         /* "" or what is wrong with a file of his, for the digest:
				    * "settings.ini:3: [digest] times: ..." */
};

/* Plain copy of what is needed from pullyu.conf; strings are copied. */
struct users_config {
	const char *settings_dir; /* %d %u %h */
	const char *participants;
	char **system_domains; /* NULL-terminated; may be NULL */
	char **shadow_domains; /* the same */
	const char *delimiters;
	bool keep_case;
	const struct settings *defaults;
};

struct users;

/* A participants file with a mistake is RC_PERM; a missing one means that nobody is named there. It
 * is re-read when it changed, and the last good one stays. */
enum rc users_new(const struct users_config *config, struct users **users_out, struct err *err);
void users_free(struct users **users);
/* Whether the participants file is bad now, and why: for the log. */
bool users_problem(struct users *users, char text_out[400]);

/* The normalised key of an address as received in RCPT TO. RC_PERM if it is no address. */
enum rc users_key(struct users *users, const char *rcpt, char key_out[ADDR_MAX], struct err *err);

/* The user of that key. RC_OK also for somebody who does not take part. A file of the user's that
 * is bad never fails the call: see usable and problem. The caller unrefs. */
enum rc users_get(struct users *users, const char *key, struct user **user_out, struct err *err);
struct user *user_ref(struct user *user);
void user_unref(struct user **user); /* nulls */

/* The user's settings directory ("%d %u %h" filled in, path parts escaped). RC_NOTFOUND if the
 * template has %h and there is no such system user. */
enum rc users_dir(struct users *users, const char *key, char **dir_out, struct err *err);

/* Changes one of the user's files ("settings.ini", "allow" or "hold") as user_file_edit does.
 * RC_NOTFOUND as users_dir. */
enum rc users_edit(struct users *users, const char *key, const char *name, user_edit_fn *fn,
    void *ctx, bool *changed_out, struct err *err);

/* Reads the user's three files (those there are) afresh and reports every problem; RC_PERM if there
 * was one. */
enum rc users_check(
    struct users *users, const char *key, ini_problem_fn *problem, void *ctx, struct err *err);

#endif
