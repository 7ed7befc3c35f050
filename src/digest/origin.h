/*
 * origin.h: what the header of one held message tells about where it comes from: its thread, how to
 * unsubscribe, whether its sender is who he says. Read with facts.h: bounded, and safe without a
 * process of its own.
 */
#ifndef PULLYU_DIGEST_ORIGIN_H
#define PULLYU_DIGEST_ORIGIN_H

#include <stdbool.h>

#include "base/rc.h"
#include "digest/digest.h"

enum { ORIGIN_URI_MAX = 500 }; /* bytes; a longer address is not shown */

struct origin {
	char *message_id;      /* own; "" if none */
	char *parent, *thread; /* own; Message-ID of the message that it answers, and of the oldest
				  one that it refers to; "" if none */
	char *
	    unsubscribe_uri; /* own; https: or mailto:, ASCII without blanks, quotes, <>; or NULL */
	/* own; of that address; NULL with it. No mailto to digest->user or command_address. */
	char *unsubscribe_domain;
	bool unsubscribe_safe; /* following it changes nothing by itself (mailto, or RFC 8058) */
	bool unverified;       /* a trusted Authentication-Results says that From failed */
};

/* One an entry, in the order of digest->entries. What cannot be read has "" and NULL: whether an
 * original is still there is found out where it is copied. */
struct origin *origins_read(const struct digest *digest);
void origins_free(struct origin **origins, size_t n);

#endif
