/*
 * threads.h: which messages of a list belong together: one refers to another, or both have the same
 * base subject (RFC 5256 section 2.1, simplified). Pure; one struct threads belongs to one thread
 * of execution.
 */
#ifndef PULLYU_DIGEST_THREADS_H
#define PULLYU_DIGEST_THREADS_H

#include "digest/origin.h"

struct threads;

struct threads *threads_new(void);
void threads_free(struct threads **threads);

/* Called in the order of time. Returns the name of the thread, which sorts by the order in which
 * threads began; borrowed until threads_free. list: a key; messages of different lists never share
 * a thread. origin may be NULL; subject is cleaned. */
const char *threads_add(
    struct threads *threads, const char *list, const struct origin *origin, const char *subject);

/* Without what replies and lists put before it; case-folded; g_free. */
char *threads_base_subject(const char *subject);

#endif
