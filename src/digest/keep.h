/*
 * keep.h: strings that live as long as what they are about: each is in one GStringChunk, which its
 * owner frees. Not thread-safe.
 */
#ifndef PULLYU_DIGEST_KEEP_H
#define PULLYU_DIGEST_KEEP_H

#include <glib.h>

/* Takes text (g_free'd here) over into chunk, which has it from now on. NULL stays NULL. */
const char *keep(GStringChunk *chunk, char *text);

#endif
