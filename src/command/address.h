/*
 * address.h: the address to which a user sends commands, from the template of pullyu.conf's
 * [command] address: "%u+pullyu@%d", where %u is the user's local part and %d the domain. Pure;
 * thread-safe.
 */
#ifndef PULLYU_COMMAND_ADDRESS_H
#define PULLYU_COMMAND_ADDRESS_H

#include <stdbool.h>

#include "base/addr.h"

/* user: a normalised address. out is normalised, in lower case, its extension kept. false: there is
 * none for this user (it would be too long, or his local part needs quotes). */
bool command_address_for(const char *template, const char *user, char out[ADDR_MAX]);

/* Whether rcpt could be that address of anybody: quick, and wrong only in saying yes too often. A
 * source route never is, for the MTA would not find its bytes again. */
bool command_address_fits(const char *template, const char *rcpt);

/* Whether rcpt, the bytes of RCPT TO, is that address of that user. */
bool command_address_is(const char *template, const char *user, const char *rcpt);

#endif
