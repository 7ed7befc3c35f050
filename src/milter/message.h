/*
 * message.h: one message between MAIL and its end: what was seen of it, who is to be held, whether
 * it is a command, the files. Knows nothing of libmilter; session.c calls it and does what it says.
 * Belongs to one thread at a time.
 */
#ifndef PULLYU_MILTER_MESSAGE_H
#define PULLYU_MILTER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "milter/snapshot.h"

enum {
	MESSAGE_RCPTS_MAX = 1000,        /* further ones pass */
	MESSAGE_HEADER_MAX = 256 * 1024, /* bytes kept; with a longer header the message passes */
	MESSAGE_GUARDS_MAX = 20,         /* foreign X-Pullyu-Digest fields that are removed */
	COMMAND_BODY_MAX = 64 * 1024,    /* bytes kept of a command's body */
};

struct message;

struct message_client {
	char addr[64];  /* textual IP address; "" if unknown */
	char helo[256]; /* hostile; "" if unknown */
};

/* args: MAIL FROM's address and ESMTP arguments, NULL-terminated. Takes over the snapshot. client
 * is borrowed until message_free. login: the name with which the client has logged in, as the MTA
 * says it; NULL or "": it has not. */
struct message *message_new(
    struct snapshot *snapshot, const struct message_client *client, char **args, const char *login);
/* Nulls. Removes files that were not committed. */
void message_free(struct message **message);

/* RCPT TO's address and ESMTP arguments. */
void message_rcpt(struct message *message, char **args);
/* The MTA's queue id as soon as it is known; may be called often; NULL and "" are ignored. */
void message_queue_id(struct message *message, const char *queue_id);
/* As libmilter gives a field when leading blanks are asked for. */
void message_header(struct message *message, const char *name, const char *value);

enum message_next {
	MESSAGE_PASS, /* nothing more is wanted of this message */
	MESSAGE_BODY, /* body and end are wanted */
};
/* Decides. */
enum message_next message_end_header(struct message *message);
void message_body(struct message *message, const void *data, size_t len);

/* What the MTA is to be asked to do at the end. Both return whether the MTA was told. */
struct message_edits {
	void *ctx;
	bool (*delete_rcpt)(void *ctx, char *rcpt);
	bool (*delete_field)(
	    void *ctx, char *name, int index); /* the index-th of that name, from 1 */
};
/* Makes a command and the held copies durable, and only then takes their recipients off. false: the
 * command cannot be kept. Then nothing was edited, and the MTA is to answer "try again": a command
 * that passed would be lost, for nobody waits for it behind its address. */
bool message_end(struct message *message, const struct message_edits *edits);

#endif
