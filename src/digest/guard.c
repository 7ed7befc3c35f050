/*
 * guard.c: see guard.h.
 */
#include <config.h>

#include "digest/guard.h"

#include <stdio.h>

void guard_make(
    const unsigned char key[HMAC_KEY_BYTES], const char *message_id, char out[GUARD_MAX])
{
	char hex[HMAC_HEX_SIZE];
	hmac_hex(key, message_id, hex);
	snprintf(out, GUARD_MAX, "v1; %s", hex);
}

bool guard_check(const unsigned char key[HMAC_KEY_BYTES], const char *body, const char *message_id)
{
	char want[GUARD_MAX];
	guard_make(key, message_id, want);
	return message_id[0] != '\0' && hmac_equal(body, want);
}

void guard_helo(const unsigned char key[HMAC_KEY_BYTES], char out[GUARD_HELO_MAX])
{
	char hex[HMAC_HEX_SIZE];
	hmac_hex(key, "EHLO", hex);
	snprintf(out, GUARD_HELO_MAX, "pullyu-%.24s.invalid", hex);
}

bool guard_helo_check(const unsigned char key[HMAC_KEY_BYTES], const char *helo)
{
	char want[GUARD_HELO_MAX];
	guard_helo(key, want);
	return hmac_equal(helo, want);
}
