/*
 * message.h: the frame of what Pullyu writes to a user, digests and answers alike: its header, and
 * a text beside a page. By GMime. Not thread-safe.
 */
#ifndef PULLYU_DIGEST_MESSAGE_H
#define PULLYU_DIGEST_MESSAGE_H

#include <gmime/gmime.h>

#include "base/rc.h"
#include "digest/digest.h"
#include "digest/out.h"

struct message {
	GMimeFormatOptions *format;  /* own */
	GMimeMessage *message;       /* own */
	GMimeMultipart *alternative; /* own; NULL until message_alternative */
};

/* From, Reply-To, To, Subject, Date, Message-ID, Auto-Submitted and the guard, of values that
 * fields_check found good. */
void message_begin(struct message *message, const struct digest *digest, const char *subject,
    const char *auto_submitted);
void message_clear(struct message *message);

/* As it is, on one line: GMime would fold a long value, and who compares it would have to
 * unfold. */
void message_add_raw(struct message *message, const char *name, const char *value);

/* multipart/alternative; text and html are UTF-8 with LF lines. */
enum rc message_alternative(
    struct message *message, const char *text, const char *html, struct err *err);

/* Writes the object with CRLF lines. */
enum rc message_put(
    struct out *out, const struct message *message, GMimeObject *object, struct err *err);

#endif
