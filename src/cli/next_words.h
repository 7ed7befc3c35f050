/*
 * next_words.h: when digests come, in words. English, as the whole command line is.
 */
#ifndef PULLYU_CLI_NEXT_WORDS_H
#define PULLYU_CLI_NEXT_WORDS_H

#include <stdint.h>

#include "policy/schedule.h"

/* Sentences, a line each, about what counts at an instant or comes later; g_free. */
char *next_words(const struct settings *settings, int64_t now);
/* What is odd about a slot: "(02:30 does not exist on this day)"; "" if nothing is; g_free. */
char *next_remark(const struct schedule *schedule, int64_t slot);

#endif
