/*
 * fields.h: the header fields of a digest message, checked and in their final form: what compose.c
 * and plain.c have in common. Uses neither GMime nor libxml2.
 */
#ifndef PULLYU_DIGEST_FIELDS_H
#define PULLYU_DIGEST_FIELDS_H

#include <stdbool.h>

#include "base/rc.h"
#include "digest/digest.h"

enum { FIELDS_VALUE_MAX = 900 }; /* bytes; with its name, a value fits a line of 998 */

/* RC_PERM if a value that comes from the configuration or the caller cannot stand in a header: it
 * is longer, empty, not UTF-8, or has control characters; the Message-ID is none; From or Reply-To
 * is not one mailbox; the address for commands is no address. */
enum rc fields_check(const struct digest *digest, struct err *err);

/* A mailbox as the configuration has it, "Ann Smith <ann@example.org>", "\"Smith, Ann\" <...>" or
 * an address alone, in its parts; g_free. The name is without its quotes, NULL if there is none.
 * Returns whether it is one. */
bool fields_mailbox(const char *text, char **name_out, char **address_out);

/* Whom an answer reaches: a mailbox, or NULL for From. Where no other is wanted, answers are
 * commands. Borrowed from digest. */
const char *fields_reply_to(const struct digest *digest);

/* Whether value is one message identifier in angle brackets. */
bool fields_is_message_id(const char *value);

/* The date-time of RFC 5322 in the user's zone (UTC if that is unknown); g_free. */
char *fields_date(const struct digest *digest);

/* "<digest.example.org>": the body of List-Id; g_free. What cannot stand in it, because the machine
 * has a strange name, becomes "-": no digest waits for that. */
char *fields_list_id(const struct digest *digest);

#endif
