/*
 * mailto.h: links that begin a mail (RFC 6068) and that a stranger wrote. Whoever follows one
 * writes, in the reader's name, what the stranger chose: so it is to begin a mail to one stranger,
 * and nothing else. Pure; thread-safe.
 */
#ifndef PULLYU_DIGEST_MAILTO_H
#define PULLYU_DIGEST_MAILTO_H

#include <stdbool.h>

#include "base/addr.h"

/* uri: "mailto:...", hostile, printable ASCII. Its one recipient, normalised (addr.h), its
 * extension kept. false: there is none or several, it names a header field other than subject and
 * body (what RFC 2369 senders need), in whatever spelling, or something in it cannot be decoded. */
bool mailto_recipient(const char *uri, char out[ADDR_MAX]);

/* Whether an address (normalised) is the reader's own or takes his commands: user with or without
 * an extension, whatever character begins one here, or command_address. Both may be NULL. */
bool mailto_is_own(const char *address, const char *user, const char *command_address);

#endif
