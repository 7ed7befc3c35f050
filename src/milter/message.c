/*
 * message.c: see message.h. Whatever goes wrong before the first recipient is taken off, the
 * message passes for everybody.
 */
#include <config.h>

#include "milter/message.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "command/address.h"
#include "digest/guard.h"
#include "milter/lead.h"
#include "milter/message_private.h"
#include "milter/notify.h"

static const char too_large[] = "larger than hold_max_size";

static void clear_rcpt(void *rcpt)
{
	decide_rcpt_clear(rcpt);
}

/* The value of an ESMTP argument, NULL if it is absent. args[0] is the address. */
static const char *esmtp_arg(char **args, const char *keyword)
{
	size_t len = strlen(keyword);
	for (size_t i = 1; args[0] != NULL && args[i] != NULL; i++) {
		if (g_ascii_strncasecmp(args[i], keyword, len) == 0 && args[i][len] == '=')
			return args[i] + len + 1;
	}
	return NULL;
}

struct message *message_new(
    struct snapshot *snapshot, const struct message_client *client, char **args, const char *login)
{
	struct message *message = g_new0(struct message, 1);
	const char *size = esmtp_arg(args, "SIZE");
	int64_t bytes;
	message->snapshot = snapshot;
	message->client = client;
	message->mail_from = g_strdup(args[0] == NULL ? "" : args[0]);
	message->login = login != NULL && login[0] != '\0' ? g_strdup(login) : NULL;
	message->rcpts = g_array_new(FALSE, TRUE, sizeof(struct decide_rcpt));
	g_array_set_clear_func(message->rcpts, clear_rcpt);
	str_copy(message->queue_id, sizeof(message->queue_id), "NOQUEUE");
	message->seen = g_hash_table_new(g_str_hash, g_str_equal);
	message->guards = g_ptr_array_new_with_free_func(g_free);
	if (size != NULL && str_number(size, 0, INT64_MAX, &bytes) &&
	    bytes > snapshot->conf->hold_max_size)
		message->must_pass = too_large;
	if (!lead_address_fits(message->mail_from))
		message->must_pass = "the envelope sender cannot be kept";
	return message;
}

void message_free(struct message **message)
{
	struct message *m = *message;
	if (m == NULL)
		return;
	spool_free(&m->spool);
	spool_free(&m->command.spool);
	if (m->sender != NULL)
		user_unref(&m->sender);
	if (m->facts != NULL)
		facts_free(&m->facts);
	if (m->header != NULL)
		g_string_free(m->header, TRUE);
	g_ptr_array_free(m->guards, TRUE);
	g_hash_table_destroy(m->seen);
	g_array_free(m->rcpts, TRUE);
	g_free(m->mail_from);
	g_free(m->login);
	snapshot_unref(&m->snapshot);
	g_free(m);
	*message = NULL;
}

/* Whether a NOTIFY value asks for a report of success: nobody would send it for a held copy. */
static bool wants_success(const char *notify)
{
	bool found = false;
	char **words = notify == NULL ? NULL : g_strsplit(notify, ",", 0);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		found |= g_ascii_strcasecmp(words[i], "SUCCESS") == 0;
	g_strfreev(words);
	return found;
}

void message_rcpt(struct message *message, char **args)
{
	if (args[0] == NULL)
		return;
	guint index = GPOINTER_TO_UINT(g_hash_table_lookup(message->seen, args[0]));
	if (index == 0) {
		struct decide_rcpt fresh = {.raw = NULL};
		if (message->rcpts->len >= MESSAGE_RCPTS_MAX)
			return;
		const char *template = message->snapshot->conf->command_address;
		fresh.raw = g_strdup(args[0]);
		fresh.maybe_command = template != NULL && command_address_fits(template, args[0]);
		message->n_maybe += fresh.maybe_command ? 1 : 0;
		g_array_append_val(message->rcpts, fresh);
		index = message->rcpts->len;
		g_hash_table_insert(message->seen, fresh.raw, GUINT_TO_POINTER(index));
	}
	/* The same bytes twice are one recipient, for the MTA takes both off at once. */
	if (wants_success(esmtp_arg(args, "NOTIFY")))
		rcpts_of(message)[index - 1].must_pass = "a delivery report was asked for";
}

void message_queue_id(struct message *message, const char *queue_id)
{
	if (queue_id == NULL || queue_id[0] == '\0')
		return;
	str_copy(message->queue_id, sizeof(message->queue_id), queue_id);
	str_printable(message->queue_id);
}

/* With the first field all recipients are known. */
static void begin_header(struct message *message)
{
	if (message->facts != NULL)
		return;
	message->facts = facts_new();
	message->n_users = decide_users(
	    message->snapshot->users, clock_now(), rcpts_of(message), message->rcpts->len);
	facts_envelope_from(message->facts, message->mail_from);
	for (guint i = 0; i < message->rcpts->len; i++)
		facts_envelope_rcpt(message->facts, rcpts_of(message)[i].raw);
}

/* Whether anything hangs on what the message is. */
static bool is_of_interest(const struct message *message)
{
	return message->n_users > 0 || message->login != NULL || message->n_maybe > 0;
}

/* Keeps the field as it goes into the file: the MTA hands folded lines over with bare LFs. */
static void keep_field(struct message *message, const char *name, const char *value)
{
	GString *header = message->header;
	size_t len = strlen(name) + strlen(value);
	bool may_hold = message->must_pass == NULL && message->n_users > 0;
	if (message->header_lost || (!may_hold && message->n_maybe == 0))
		return;
	if (header == NULL)
		header = message->header = g_string_sized_new(8192);
	if (header->len + len > MESSAGE_HEADER_MAX) {
		message->must_pass = "the header is too long to be kept";
		message->header_lost = true;
		g_string_free(header, TRUE);
		message->header = NULL;
		return;
	}
	g_string_append(header, name);
	g_string_append_c(header, ':');
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\n' && (p == value || p[-1] != '\r'))
			g_string_append_c(header, '\r');
		g_string_append_c(header, *p);
	}
	g_string_append(header, "\r\n");
}

void message_header(struct message *message, const char *name, const char *value)
{
	begin_header(message);
	if (!is_of_interest(message))
		return;
	facts_header(message->facts, name, value);
	keep_field(message, name, value);
	if (g_ascii_strcasecmp(name, GUARD_FIELD) == 0 &&
	    message->guards->len < MESSAGE_GUARDS_MAX) {
		char *body = g_strndup(value, 2 * GUARD_MAX);
		g_ptr_array_add(message->guards, g_strdup(str_trim(body)));
		g_free(body);
	}
}

/* ---- the log: one line a recipient, when its fate is known ---- */

static void log_rcpt(
    const struct message *message, const struct decide_rcpt *rcpt, const char *failure)
{
	char score[32] = "-", reasons[VERDICT_TEXT_MAX] = "";
	const struct verdict *verdict = &message->verdict;
	bool hold = rcpt->hold && failure == NULL;
	if (message->judged) {
		g_ascii_formatd(score, sizeof(score), "%.1f", verdict->score);
		for (size_t i = 0; i < verdict->n_reasons; i++) {
			g_strlcat(reasons, i == 0 ? "" : ",", sizeof(reasons));
			g_strlcat(reasons, verdict->reasons[i].rule, sizeof(reasons));
		}
	}
	log_write(rcpt->user != NULL ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
	    "%s: user=%s class=%s score=%s action=%s reasons=%s why=%s", message->queue_id,
	    rcpt->key[0] == '\0' ? rcpt->raw : rcpt->key,
	    message->judged ? class_name(rcpt->user != NULL ? rcpt->cls : verdict->cls) : "-",
	    score, hold ? "hold" : "pass", reasons[0] == '\0' ? "-" : reasons,
	    rcpt->hold && !hold ? failure : rcpt->why);
}

static void log_all(const struct message *message, const char *failure)
{
	for (guint i = 0; i < message->rcpts->len; i++)
		if (!rcpts_of(message)[i].command)
			log_rcpt(message, &rcpts_of(message)[i], failure);
}

/* ---- the end of the header ---- */

/* What shadow mode let pass: for pullyud's count. */
static void tell_shadow(const struct message *message, int64_t now)
{
	const struct facts *facts = message->facts;
	const struct verdict *verdict = &message->verdict;
	struct notify_shadow note = {
	    .sender = facts->from_addr[0] != '\0' ? facts->from_addr : facts->envelope_from,
	    .score = verdict->score,
	    .received = now,
	};
	for (guint i = 0; i < message->rcpts->len; i++) {
		const struct decide_rcpt *rcpt = &rcpts_of(message)[i];
		if (!rcpt->shadow)
			continue;
		note.user = rcpt->key;
		note.class_name = class_name(rcpt->cls);
		/* Where the rules are not why, how near they were says nothing. */
		note.margin = rcpt->listed || rcpt->cls != verdict->cls ? -1 : verdict->margin;
		note.n_reasons = 0;
		if (rcpt->listed)
			note.reasons[note.n_reasons++] = POLICY_REASON_LISTED;
		for (size_t k = 0;
		     !rcpt->listed && k < verdict->n_reasons && note.n_reasons < NOTIFY_REASONS_MAX;
		     k++)
			if (verdict->reasons[k].cls == verdict->cls)
				note.reasons[note.n_reasons++] = verdict->reasons[k].rule;
		notify_shadow(message->snapshot->conf->control, &note);
	}
}

/* What pullyud itself has sent and what came by this way all the same: why it passes; NULL for any
 * other message. Without a key nobody can tell a digest, and in doubt it passes. */
static const char *why_ours(const struct message *message)
{
	const struct snapshot *snapshot = message->snapshot;
	if (!snapshot->has_key)
		return message->guards->len > 0 ? "no key to tell a digest of our own" : NULL;
	if (guard_helo_check(snapshot->key, message->client->helo))
		return "re-sent by us";
	for (guint i = 0; i < message->guards->len; i++) {
		if (guard_check(snapshot->key, g_ptr_array_index(message->guards, i),
			message->facts->message_id))
			return "a digest of our own";
	}
	return NULL;
}

const struct user *message_sender(struct message *message, const char *key)
{
	struct err err;
	if (message->sender != NULL && strcmp(message->sender->name, key) != 0)
		user_unref(&message->sender);
	if (message->sender == NULL &&
	    users_get(message->snapshot->users, key, &message->sender, &err) != RC_OK)
		log_warning("%s: nothing is known of %s: %s", message->queue_id, key, err.text);
	return message->sender;
}

/* A user's own mail: whom it goes to is worth remembering. */
static void tell_sent(struct message *message)
{
	const struct conf *conf = message->snapshot->conf;
	char key[ADDR_MAX];
	if (message->login == NULL ||
	    users_key(message->snapshot->users, message->mail_from, key, NULL) != RC_OK)
		return;
	const struct user *user = message_sender(message, key);
	if (user == NULL || !user->takes_part)
		return;
	GPtrArray *to = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < message->rcpts->len; i++) {
		const struct decide_rcpt *rcpt = &rcpts_of(message)[i];
		char address[ADDR_MAX];
		if (rcpt->maybe_command &&
		    command_address_is(conf->command_address, key, rcpt->raw))
			continue;
		if (addr_normalise(rcpt->raw, NULL, address, NULL) == RC_OK)
			g_ptr_array_add(to, g_strdup(address));
	}
	if (to->len > 0)
		notify_sent(conf->control, key, (const char *const *)to->pdata, to->len,
		    message->facts->message_id);
	g_ptr_array_free(to, TRUE);
}

struct decide_message message_question(const struct message *message)
{
	const struct conf *conf = message->snapshot->conf;
	return (struct decide_message){
	    .facts = message->facts,
	    .verdict = &message->verdict,
	    .authenticated = message->login != NULL,
	    .authserv_ids = (const char *const *)conf->authserv_ids,
	    .spf = conf->spf,
	    .client_ip = message->client->addr,
	    .helo = message->client->helo,
	    .now = clock_now(),
	};
}

const struct asker *message_asker(struct message *message)
{
	const struct conf *conf = message->snapshot->conf;
	if (message->ask.socket == NULL) {
		message->ask = (struct ask){
		    .socket = conf->control,
		    .timeout_ms = conf->ask_timeout,
		    .queue_id = message->queue_id,
		};
		ask_asker(&message->ask, &message->asker);
	}
	return &message->asker;
}

static size_t decide_all(struct message *message)
{
	struct decide_rcpt *rcpts = rcpts_of(message);
	size_t n = message->rcpts->len;
	struct err err;
	if (classify(message->snapshot->rules, message->facts, &message->verdict, &err) == RC_OK) {
		message->judged = true;
	} else {
		log_warning("%s: not classified: %s", message->queue_id, err.text);
		message->must_pass = "not classified";
	}
	for (size_t i = 0; message->must_pass != NULL && i < n; i++)
		rcpts[i].must_pass = message->must_pass;

	const struct decide_message question = message_question(message);
	size_t n_held = decide(&question, message_asker(message), rcpts, n);
	tell_shadow(message, question.now);
	return n_held;
}

/* ---- holding ---- */

static GString *lead_for(const struct message *message, const struct decide_rcpt *rcpt)
{
	struct verdict verdict = message->verdict;
	verdict.cls = rcpt->cls;
	if (rcpt->listed) {
		/* What the rules found is not why. */
		verdict.n_reasons = MIN(verdict.n_reasons + 1, VERDICT_REASONS_MAX);
		memmove(&verdict.reasons[1], &verdict.reasons[0],
		    (verdict.n_reasons - 1) * sizeof(verdict.reasons[0]));
		verdict.reasons[0] = (struct verdict_reason){.rule = POLICY_REASON_LISTED};
	}
	const struct lead lead = {
	    .mail_from = message->mail_from,
	    .rcpt = rcpt->raw,
	    .helo = message->client->helo,
	    .addr = message->client->addr,
	    .host = message->snapshot->conf->host,
	    .queue_id = message->queue_id,
	    .now = clock_now(),
	    .verdict = &verdict,
	};
	return lead_format(&lead);
}

/* From here on the message passes for everybody. */
static void give_up(struct message *message, const char *why)
{
	spool_free(&message->spool);
	message->n_held = 0;
	log_all(message, why);
}

static void give_up_failed(struct message *message, const struct err *err)
{
	char why[sizeof(err->text) + 32];
	log_error("%s: cannot hold, so it passes: %s", message->queue_id, err->text);
	snprintf(why, sizeof(why), "cannot hold: %s", err->text);
	give_up(message, why);
}

static enum rc begin_hold(struct message *message, struct err *err)
{
	const struct snapshot *snapshot = message->snapshot;
	const struct decide_rcpt *rcpt = rcpts_of(message);
	while (!rcpt->hold)
		rcpt++;
	GString *lead = lead_for(message, rcpt);
	enum rc rc = spool_new(snapshot->conf->spool, snapshot->conf->host, clock_now_usec(),
	    lead->str, lead->len, &message->spool, err);
	if (rc == RC_OK)
		rc = spool_write(message->spool, message->header->str, message->header->len, err);
	message->n_bytes = (int64_t)message->header->len;
	g_string_free(lead, TRUE);
	return rc;
}

/* Recipients that take part and at which the message is no command. */
static size_t users_left(const struct message *message)
{
	size_t n = 0;
	for (guint i = 0; i < message->rcpts->len; i++)
		n += rcpts_of(message)[i].user != NULL && !rcpts_of(message)[i].command ? 1 : 0;
	return n;
}

enum message_next message_end_header(struct message *message)
{
	struct err err;
	begin_header(message);
	if (!is_of_interest(message)) {
		log_all(message, NULL);
		return MESSAGE_PASS;
	}
	facts_end(message->facts);
	tell_sent(message);
	const char *ours = why_ours(message);
	if (ours != NULL) {
		for (guint i = 0; i < message->rcpts->len; i++)
			str_copy(rcpts_of(message)[i].why, sizeof(rcpts_of(message)[i].why), ours);
		log_all(message, NULL);
		return MESSAGE_PASS;
	}
	message->strip_guards = message->guards->len > 0;
	size_t n_commands = message_command_find(message);
	message->n_held = users_left(message) == 0 ? 0 : decide_all(message);
	if (message->header == NULL)
		message->header = g_string_new(NULL);
	g_string_append(message->header, "\r\n");
	if (n_commands > 0)
		message_command_begin(message);
	if (message->n_held == 0)
		log_all(message, NULL);
	else if (begin_hold(message, &err) != RC_OK)
		give_up_failed(message, &err);
	g_string_free(message->header, TRUE);
	message->header = NULL;
	return message->n_held > 0 || n_commands > 0 || message->strip_guards ? MESSAGE_BODY
									      : MESSAGE_PASS;
}

void message_body(struct message *message, const void *data, size_t len)
{
	struct err err;
	message_command_body(message, data, len);
	if (message->spool == NULL)
		return;
	message->n_bytes += (int64_t)len;
	if (message->n_bytes > message->snapshot->conf->hold_max_size)
		give_up(message, too_large);
	else if (spool_write(message->spool, data, len, &err) != RC_OK)
		give_up_failed(message, &err);
}

/* Each held recipient's copy on the disk for good. */
static enum rc finish_hold(struct message *message, struct err *err)
{
	bool first = true;
	enum rc rc = RC_OK;
	for (guint i = 0; rc == RC_OK && i < message->rcpts->len; i++) {
		const struct decide_rcpt *rcpt = &rcpts_of(message)[i];
		if (!rcpt->hold)
			continue;
		if (!first) {
			GString *lead = lead_for(message, rcpt);
			rc = spool_copy(message->spool, lead->str, lead->len, err);
			g_string_free(lead, TRUE);
		}
		first = false;
	}
	return rc == RC_OK ? spool_commit(message->spool, err) : rc;
}

static void take_off(struct message *message, const struct message_edits *edits)
{
	for (guint i = 0; i < message->rcpts->len; i++) {
		const struct decide_rcpt *rcpt = &rcpts_of(message)[i];
		if (!rcpt->hold)
			continue;
		/* The file stays whatever happens: a repeat, never a loss. */
		if (fault_point("milter.hold.delrcpt") ||
		    !edits->delete_rcpt(edits->ctx, rcpt->raw) ||
		    fault_point("milter.hold.after_delrcpt"))
			log_error("%s: %s is held but could not be taken off the message: it may "
				  "come twice",
			    message->queue_id, rcpt->key);
	}
}

/* Everything is durable before the first edit, or there is none. */
static bool end_copies(struct message *message, const struct message_edits *edits)
{
	struct err err;
	bool command = message->command.by != COMMANDER_NONE;
	if (command && !message_command_commit(message))
		return false;
	bool held = message->spool != NULL;
	if (held && finish_hold(message, &err) != RC_OK) {
		give_up_failed(message, &err);
		held = false;
	}
	if (command)
		message_command_take_off(message, edits);
	if (held) {
		take_off(message, edits);
		log_all(message, NULL);
	}
	if (command || held)
		notify_kick(message->snapshot->conf->control);
	return true;
}

bool message_end(struct message *message, const struct message_edits *edits)
{
	if (!end_copies(message, edits))
		return false;
	/* From the last to the first: an MTA may or may not count again after each. */
	for (guint i = message->guards->len; message->strip_guards && i > 0; i--) {
		char name[] = GUARD_FIELD;
		if (!edits->delete_field(edits->ctx, name, (int)i))
			log_warning(
			    "%s: a foreign %s could not be removed", message->queue_id, name);
	}
	return true;
}
