/*
 * siphash.h: SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF",
 * 2012): a keyed hash for tables that hold what strangers wrote. Who does not know the key cannot
 * make two inputs that fall together. Thread-safe.
 */
#ifndef PULLYU_BASE_SIPHASH_H
#define PULLYU_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_BYTES = 16 };

uint64_t siphash(const unsigned char key[SIPHASH_KEY_BYTES], const void *data, size_t len);

#endif
