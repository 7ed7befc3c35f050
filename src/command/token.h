/*
 * token.h: signed commands. A token names a verb, an object, an expiry and a nonce, and is signed
 * for one user with HMAC-SHA256: who holds it can have done what it says, for that user, and
 * nothing else. That it works once is its taker's business, see command_token_name.
 *
 * All functions but command_keys_load are pure. Thread-safe; keys are read only.
 */
#ifndef PULLYU_COMMAND_TOKEN_H
#define PULLYU_COMMAND_TOKEN_H

#include <stdint.h>

#include "base/rc.h"

/* Their numbers stand in tokens that are under way: a new verb comes last. */
enum command_verb {
	COMMAND_ALLOW,
	COMMAND_HOLD,
	COMMAND_FORGET,
	COMMAND_SEND,
	COMMAND_ALL,
	COMMAND_TIMES,
	COMMAND_PAUSE,
	COMMAND_RESUME,
	COMMAND_LISTS,
	COMMAND_HELP,
	COMMAND_UNDO,
	COMMAND_VERBS
};
/* "allow", "hold", ...; "none" for COMMAND_VERBS. */
const char *command_verb_name(enum command_verb verb);

enum {
	COMMAND_OBJECT_MAX = 400,
	COMMAND_TOKEN_MAX = 700,
	COMMAND_TOKEN_SECONDS = 30 * 86400, /* how long a link in a digest may be used */
	COMMAND_NAME_MAX = 65,
};

struct command_token {
	enum command_verb verb;
	char object[COMMAND_OBJECT_MAX]; /* no control characters */
	int64_t expires;                 /* seconds since the epoch; good up to and including it */
	uint32_t nonce;
};

struct command_keys;

/* The key file: lines "SECONDS-SINCE-EPOCH 64-HEX-DIGITS", newest last. It is made (mode 0640,
 * atomically) where there is none. The newest key signs; when it is older than 30 days a new one is
 * added, and keys superseded for more than 31 days are dropped: so a token of the last 30 days
 * stays good if its maker loads the keys anew at least once a day. Where a key that is due cannot
 * be written, the old one goes on and there is no error. One process at a time.
 * RC_PERM and a clear text: no such file (a link, larger than 16 kB, a line that is none), or one
 * that others may write or read. RC_TEMP: it cannot be read or made. The caller frees. */
enum rc command_keys_load(
    const char *path, int64_t now, struct command_keys **keys_out, struct err *err);
void command_keys_free(struct command_keys **keys);

/* The text of a token: one word of [A-Za-z0-9_-]. user is a normalised address. */
void command_token_make(const struct command_keys *keys, const char *user,
    const struct command_token *token, char out[COMMAND_TOKEN_MAX]);

/* A nonce that is the same whenever the same digest is composed again with the same newest key:
 * seed is the digest's Message-ID. */
uint32_t command_nonce(
    const struct command_keys *keys, const char *seed, enum command_verb verb, const char *object);

enum command_check { COMMAND_GOOD, COMMAND_EXPIRED, COMMAND_FORGED };

/* text is hostile. *token_out is set when it is COMMAND_GOOD or COMMAND_EXPIRED. Compares in time
 * that does not depend on where signatures differ. */
enum command_check command_token_check(const struct command_keys *keys, const char *user,
    const char *text, int64_t now, struct command_token *token_out);

/* The verb that a token claims, unchecked: to know how to read the mail around it. COMMAND_VERBS if
 * it claims none. */
enum command_verb command_token_claims(const char *text);

/* Under which name the use of a good token of one user is noted: hexadecimal SHA-256 of its signed
 * content. */
void command_token_name(const char *text, char name_out[COMMAND_NAME_MAX]);

#endif
