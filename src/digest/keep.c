/*
 * keep.c: see keep.h.
 */
#include <config.h>

#include "digest/keep.h"

const char *keep(GStringChunk *chunk, char *text)
{
	const char *kept = text == NULL ? NULL : g_string_chunk_insert(chunk, text);
	g_free(text);
	return kept;
}
