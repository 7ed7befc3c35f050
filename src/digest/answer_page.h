/*
 * answer_page.h: an answer as a page. Needs libxml2: in a worker.
 */
#ifndef PULLYU_DIGEST_ANSWER_PAGE_H
#define PULLYU_DIGEST_ANSWER_PAGE_H

#include "digest/answer_words.h"

/* HTML5 in UTF-8 with LF lines, in the style of the shipped digest; g_free. NULL if libxml2 could
 * not write it. */
char *answer_page(const struct answer_words *words);

#endif
