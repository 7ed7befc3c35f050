/*
 * fold.h: text in the form in which phrases are compared: lower case, compatibility forms such as
 * full-width letters made plain, accents removed from Latin letters, one blank for several,
 * apostrophes alike, invisible characters dropped. Pure; thread-safe.
 */
#ifndef PULLYU_CLASSIFY_FOLD_H
#define PULLYU_CLASSIFY_FOLD_H

#include <stddef.h>

enum { FOLD_MAX = 2048 }; /* bytes of text that are looked at, and of the result */

/* s is valid UTF-8. Returns the length of the result, which is NUL-terminated. */
size_t fold(const char *s, char out[FOLD_MAX + 1]);

#endif
