/*
 * message_private.h: what message.c shares with message_command.c.
 */
#ifndef PULLYU_MILTER_MESSAGE_PRIVATE_H
#define PULLYU_MILTER_MESSAGE_PRIVATE_H

#include <stdint.h>

#include <glib.h>

#include "milter/commander.h"
#include "milter/decide.h"
#include "milter/message.h"
#include "milter/spool.h"

struct message {
	struct snapshot *snapshot;           /* own */
	const struct message_client *client; /* foreign */
	char *mail_from;                     /* own */
	char queue_id[64];
	char *login;           /* own; NULL: the client has not logged in */
	const char *must_pass; /* foreign; why all of it passes, or NULL */
	GArray *rcpts;         /* own; of struct decide_rcpt */
	GHashTable *seen;      /* own; RCPT bytes -> index + 1 */
	size_t n_users;        /* recipients that take part; known when facts is set */
	size_t n_maybe;        /* recipients that look like a command address */
	struct facts *facts;   /* own; NULL before the first field */
	GString *header;       /* own; as it will stand in the file; NULL once it is too long, or
				* in its file */
	bool header_lost;      /* it is too long */
	GPtrArray *guards;     /* own; bodies of X-Pullyu-Digest */
	bool strip_guards;
	struct verdict verdict;
	bool judged; /* verdict is set */
	size_t n_held;
	struct spool *spool; /* own */
	int64_t n_bytes;     /* of header and body, while there is a spool */
	struct user *sender; /* own; whose mail it would be; NULL before anybody asked */
	struct ask ask;      /* all questions of this message; not before message_asker */
	struct asker asker;
	struct message_command {
		enum commander by; /* COMMANDER_NONE: the message is no command */
		char user[ADDR_MAX];
		struct spool *spool; /* own */
		size_t n_bytes;      /* of the body */
		bool failed;         /* it cannot be kept: the whole message must come again */
	} command;
};

static inline struct decide_rcpt *rcpts_of(const struct message *message)
{
	return (struct decide_rcpt *)(void *)message->rcpts->data;
}

/* The user of that key, looked up once a message; NULL if that failed. Borrowed. */
const struct user *message_sender(struct message *message, const char *key);
/* What is asked about the message; and how. Both borrow from it. */
struct decide_message message_question(const struct message *message);
const struct asker *message_asker(struct message *message);

/* message_command.c: the message as a command. */

/* At the end of the header: marks the recipients at which it is one. Returns how many. */
size_t message_command_find(struct message *message);
/* Begins the file; the header is complete. Failures are remembered: see failed. */
void message_command_begin(struct message *message);
/* What is beyond COMMAND_BODY_MAX is cut off. */
void message_command_body(struct message *message, const void *data, size_t len);
/* Makes the file durable. false: it cannot be, and nothing of it is left. */
bool message_command_commit(struct message *message);
/* Only after that. */
void message_command_take_off(struct message *message, const struct message_edits *edits);

#endif
