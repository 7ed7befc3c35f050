/*
 * outline_answer.h: what of an outline is about answering: numbers, links, words to write, and whom
 * one could do without. For outline.c and compose.
 */
#ifndef PULLYU_DIGEST_OUTLINE_ANSWER_H
#define PULLYU_DIGEST_OUTLINE_ANSWER_H

#include "digest/outline.h"

/* Fills it in; entries are there, and in their order. */
void outline_answer(struct outline *outline, const struct digest *digest);

#endif
