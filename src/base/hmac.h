/*
 * hmac.h: HMAC-SHA256 (RFC 2104, FIPS 180-4), by GLib.
 */
#ifndef PULLYU_BASE_HMAC_H
#define PULLYU_BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

enum { HMAC_KEY_BYTES = 32, HMAC_HEX_SIZE = 65 };

/* Lower-case hexadecimal of HMAC-SHA256 over text. */
void hmac_hex(
    const unsigned char key[HMAC_KEY_BYTES], const char *text, char hex_out[HMAC_HEX_SIZE]);
/* Compares in time that does not depend on where the strings differ. */
bool hmac_equal(const char *a, const char *b);
/* Reads the key file; makes it (mode 0640, random) if it is missing and create is set.
 * RC_NOTFOUND without create; RC_PERM if it is not a key file. */
enum rc hmac_key_load(
    const char *path, bool create, unsigned char key_out[HMAC_KEY_BYTES], struct err *err);

#endif
