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

enum { GUARD_HELO_MAX = 64 };

/* The name by which pullyud says EHLO when it submits: "pullyu-<24 hexadecimal digits>.invalid". So
 * the milter also knows an original that pullyud re-sends, whose bytes must not change, should it
 * come by a port with milters. */
void guard_helo(const unsigned char key[HMAC_KEY_BYTES], char out[GUARD_HELO_MAX]);
/* Whether a HELO or EHLO name is that name. */
bool guard_helo_check(const unsigned char key[HMAC_KEY_BYTES], const char *helo);

#endif
