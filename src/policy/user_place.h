/*
 * user_place.h: where a user's files are, and who may own them. Only user.c needs it. Thread-safe.
 */
#ifndef PULLYU_POLICY_USER_PLACE_H
#define PULLYU_POLICY_USER_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"

struct user_place {
	char *dir;     /* own; NULL: no settings of their own (%h without a system user) */
	char *home;    /* own; the home directory that dir is in; NULL: it is not made from %h */
	int64_t owner; /* user id, or USER_FILE_NO_OWNER */
	bool system;   /* the user database was asked: the answer may change */
};

/* template: [users] settings_dir, checked; system_domains may be NULL; key is a normalised address.
 * *place_out is set with RC_NOTFOUND too: %h, and no system user, so dir is NULL. RC_TEMP: the user
 * database does not answer. RC_PERM: key is no address. */
enum rc user_place_find(const char *template, char *const *system_domains, const char *key,
    struct user_place *place_out, struct err *err);
void user_place_clear(struct user_place *place);

#endif
