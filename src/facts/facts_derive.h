/*
 * facts_derive.h: what the parts of facts_derive share. Not for callers of facts.
 */
#ifndef PULLYU_FACTS_DERIVE_H
#define PULLYU_FACTS_DERIVE_H

#include "facts/facts_private.h"

/* In the order of strcmp. */
#define KNOWN(X) \
	X(ARC_AUTH, "arc-authentication-results") \
	X(ARC_SIGNATURE, "arc-message-signature") \
	X(ARC_SEAL, "arc-seal") \
	X(AUTH_RESULTS, "authentication-results") \
	X(AUTO_SUBMITTED, "auto-submitted") \
	X(BCC, "bcc") \
	X(CC, "cc") \
	X(CONTENT_LANGUAGE, "content-language") \
	X(CONTENT_ENCODING, "content-transfer-encoding") \
	X(CONTENT_TYPE, "content-type") \
	X(DATE, "date") \
	X(DELIVERED_TO, "delivered-to") \
	X(DKIM, "dkim-signature") \
	X(DOMAINKEY, "domainkey-signature") \
	X(FEEDBACK_ID, "feedback-id") \
	X(FROM, "from") \
	X(IN_REPLY_TO, "in-reply-to") \
	X(LIST_ID, "list-id") \
	X(LIST_POST, "list-post") \
	X(LIST_SUBSCRIBE, "list-subscribe") \
	X(LIST_UNSUBSCRIBE, "list-unsubscribe") \
	X(LIST_UNSUBSCRIBE_POST, "list-unsubscribe-post") \
	X(MESSAGE_ID, "message-id") \
	X(MIME_VERSION, "mime-version") \
	X(PRECEDENCE, "precedence") \
	X(RECEIVED, "received") \
	X(RECEIVED_SPF, "received-spf") \
	X(REFERENCES, "references") \
	X(REPLY_TO, "reply-to") \
	X(RETURN_PATH, "return-path") \
	X(SENDER, "sender") \
	X(SUBJECT, "subject") \
	X(TO, "to") \
	X(ORIGINAL_TO, "x-original-to")

enum known {
#define X(id, name) KNOWN_##id,
	KNOWN(X)
#undef X
	    KNOWN_COUNT
};

enum { DKIM_MAX = 8 };

struct derive {
	struct facts *facts;
	const struct body *first[KNOWN_COUNT]; /* body of the first field of that name, or NULL */
	const struct body *last_received;
	const struct body *dkim[DKIM_MAX];
	size_t n_dkim;
	char charset[64];      /* of the body, or "" */
	const char *list_addr; /* of List-Post, normalised, or "" */
	bool to_sender;        /* To or Cc holds another address of From's site */
};

/* Text of a field: decoded where it must be. */
const char *derive_text(const struct derive *d, const struct body *body);
/* The charset of the body, or NULL. */
const char *derive_charset(const struct derive *d);

/* facts_derive_who.c: who wrote to whom, and what it answers. derive_to goes after derive_list, for
 * the list's address. */
void derive_from(struct derive *d);
void derive_envelope(struct derive *d);
void derive_to(struct derive *d);
void derive_ids(struct derive *d);

/* facts_derive_what.c: lists, content, machines. */
void derive_list(struct derive *d);
void derive_content(struct derive *d);
void derive_machine(struct derive *d);

#endif
