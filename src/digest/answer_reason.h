/*
 * answer_reason.h: why a command was not carried out, in the user's language: what is frequent has
 * a code. Pure but for the language in use (words.h).
 */
#ifndef PULLYU_DIGEST_ANSWER_REASON_H
#define PULLYU_DIGEST_ANSWER_REASON_H

#include <stdbool.h>

#include <glib.h>

#include "digest/answer.h"

/* The words for answer->reason (see there for the codes), and an example of what would be right.
 * What is returned is cleaned and in text. pause_day: a day for an example, "2027-01-05". false:
 * the code is not known, or one of its values is missing. */
bool answer_reason(GStringChunk *text, const struct answer *answer, const char *pause_day,
    const char **words_out, const char **example_out);

#endif
