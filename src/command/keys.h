/*
 * keys.h: what keys.c shares with token.c, the loaded keys. For src/command only.
 */
#ifndef PULLYU_COMMAND_KEYS_H
#define PULLYU_COMMAND_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hmac.h"

/* Three keys of 30 days are in use; a person who adds keys may have some more. */
enum { COMMAND_KEYS_MAX = 32, COMMAND_KEYS_FILE_MAX = 16384 };

struct command_keys {
	size_t n; /* at least 1 */
	struct command_key {
		int64_t made; /* seconds since the epoch */
		unsigned char bytes[HMAC_KEY_BYTES];
	} rows[COMMAND_KEYS_MAX]; /* newest last */
};

#endif
