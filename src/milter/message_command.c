/*
 * message_command.c: a message that is a command, see message_private.h. It becomes a file in
 * SPOOL/incoming by the same promise as a held copy, and the recipient is taken off only then. But
 * once it is known to be one, it never passes instead: behind a command address there may be no
 * mailbox, and nobody would do what it says. So if the file cannot be written, the sender's program
 * is told to come again. Where only SPF could tell and there is no answer, it is not known to be
 * one, and passes like any mail that is in doubt.
 */
#include <config.h>

#include <glib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "command/address.h"
#include "milter/lead.h"
#include "milter/message_private.h"

static size_t mark(struct message *message, const char *template, const char *user)
{
	size_t n = 0;
	for (guint i = 0; i < message->rcpts->len; i++) {
		struct decide_rcpt *rcpt = &rcpts_of(message)[i];
		rcpt->command =
		    rcpt->maybe_command && command_address_is(template, user, rcpt->raw);
		if (rcpt->command)
			rcpt->must_pass = "a command";
		n += rcpt->command ? 1 : 0;
	}
	return n;
}

size_t message_command_find(struct message *message)
{
	const struct conf *conf = message->snapshot->conf;
	struct message_command *command = &message->command;
	if (message->n_maybe == 0 || message->header_lost || !lead_address_fits(message->mail_from))
		return 0;
	const struct decide_message facts = message_question(message);
	const struct commander_question question = {
	    .message = &facts,
	    .conf = conf,
	    .users = message->snapshot->users,
	    .login = message->login == NULL ? "" : message->login,
	    .mail_from = message->mail_from,
	};
	if (!commander_user(&question, command->user))
		return 0;
	bool named = false;
	for (guint i = 0; i < message->rcpts->len && !named; i++)
		named = rcpts_of(message)[i].maybe_command &&
		    command_address_is(
			conf->command_address, command->user, rcpts_of(message)[i].raw);
	if (!named)
		return 0;
	const struct user *user = message_sender(message, command->user);
	if (user == NULL || !user->takes_part)
		return 0;
	command->by = commander_right(&question, message_asker(message), command->user);
	if (command->by == COMMANDER_NONE) {
		log_info("%s: user=%s no command: it is not certain that the user sent it",
		    message->queue_id, command->user);
		return 0;
	}
	return mark(message, conf->command_address, command->user);
}

static void fail(struct message *message, const struct err *err)
{
	log_error("%s: user=%s the command cannot be kept, so the message must come again: %s",
	    message->queue_id, message->command.user, err->text);
	spool_free(&message->command.spool);
	message->command.failed = true;
}

void message_command_begin(struct message *message)
{
	const struct snapshot *snapshot = message->snapshot;
	const struct decide_rcpt *rcpt = rcpts_of(message);
	struct err err;
	while (!rcpt->command)
		rcpt++;
	const struct lead lead = {
	    .mail_from = message->mail_from,
	    .rcpt = rcpt->raw,
	    .helo = message->client->helo,
	    .addr = message->client->addr,
	    .host = snapshot->conf->host,
	    .queue_id = message->queue_id,
	    .now = clock_now(),
	    .by = commander_name(message->command.by),
	    .user = message->command.user,
	};
	GString *text = lead_format(&lead);
	enum rc rc = spool_new(snapshot->conf->spool, snapshot->conf->host, clock_now_usec(),
	    text->str, text->len, &message->command.spool, &err);
	if (rc == RC_OK)
		rc = spool_write(
		    message->command.spool, message->header->str, message->header->len, &err);
	if (rc != RC_OK)
		fail(message, &err);
	g_string_free(text, TRUE);
}

void message_command_body(struct message *message, const void *data, size_t len)
{
	struct message_command *command = &message->command;
	struct err err;
	size_t n = MIN(len, COMMAND_BODY_MAX - command->n_bytes);
	if (command->spool == NULL || n == 0)
		return;
	command->n_bytes += n;
	if (spool_write(command->spool, data, n, &err) != RC_OK)
		fail(message, &err);
}

bool message_command_commit(struct message *message)
{
	struct err err;
	if (!message->command.failed && spool_commit(message->command.spool, &err) != RC_OK)
		fail(message, &err);
	return !message->command.failed;
}

void message_command_take_off(struct message *message, const struct message_edits *edits)
{
	const struct message_command *command = &message->command;
	for (guint i = 0; i < message->rcpts->len; i++) {
		const struct decide_rcpt *rcpt = &rcpts_of(message)[i];
		if (!rcpt->command)
			continue;
		if (fault_point("milter.hold.delrcpt") ||
		    !edits->delete_rcpt(edits->ctx, rcpt->raw) ||
		    fault_point("milter.hold.after_delrcpt"))
			log_error("%s: user=%s the command address could not be taken off the "
				  "message: it may come there too",
			    message->queue_id, command->user);
	}
	log_info("%s: user=%s command by=%s", message->queue_id, command->user,
	    commander_name(command->by));
}
