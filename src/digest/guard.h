/*
 * guard.h: the signed header field by which Pullyu knows its own digests, so that a digest that
 * meets the milter again is never held (a second guard against loops; the first is the port
 * without milters). Pure; thread-safe.
 */
#ifndef PULLYU_DIGEST_GUARD_H
#define PULLYU_DIGEST_GUARD_H

#include <stdbool.h>

#include "base/hmac.h"

#define GUARD_FIELD "X-Pullyu-Digest"

enum { GUARD_MAX = 80 };

/* The body "v1; <HMAC-SHA256 of the Message-ID in hexadecimal>". */
void guard_make(
    const unsigned char key[HMAC_KEY_BYTES], const char *message_id, char out[GUARD_MAX]);
/* Whether body is the guard of that Message-ID. Both are hostile. */
bool guard_check(const unsigned char key[HMAC_KEY_BYTES], const char *body, const char *message_id);

#endif
