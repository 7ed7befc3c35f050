/*
 * fields.h: the header fields of a digest message, checked and in their final form: what compose.c
 * and plain.c have in common. Uses neither GMime nor libxml2.
 */
#ifndef PULLYU_DIGEST_FIELDS_H
#define PULLYU_DIGEST_FIELDS_H

#include "base/rc.h"
#include "digest/digest.h"

enum { FIELDS_VALUE_MAX = 900 }; /* bytes; with its name, a value fits a line of 998 */

/* RC_PERM if a value that comes from the configuration or the caller cannot stand in a header: it
 * is longer, empty, not UTF-8, or has control characters; or the Message-ID is none. */
enum rc fields_check(const struct digest *digest, struct err *err);

/* The date-time of RFC 5322 in the user's zone (UTC if that is unknown); g_free. */
char *fields_date(const struct digest *digest);

/* "<digest.example.org>": the body of List-Id; g_free. */
char *fields_list_id(const struct digest *digest);

#endif
