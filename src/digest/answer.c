/*
 * answer.c: see answer.h.
 */
#include <config.h>

#include "digest/answer.h"

#include <string.h>

#include "digest/answer_page.h"
#include "digest/answer_words.h"
#include "digest/fields.h"
#include "digest/message.h"
#include "digest/out.h"
#include "digest/text.h"

static const char *const names[ANSWER_KINDS] = {
    [ANSWER_ALLOWED] = "allowed",
    [ANSWER_HELD] = "held",
    [ANSWER_FORGOTTEN] = "forgotten",
    [ANSWER_ALREADY] = "already",
    [ANSWER_SENT] = "sent",
    [ANSWER_SENT_ALL] = "sent_all",
    [ANSWER_NOTHING_HELD] = "nothing_held",
    [ANSWER_GONE] = "gone",
    [ANSWER_TIMES] = "times",
    [ANSWER_PAUSED_HOLD] = "paused_hold",
    [ANSWER_PAUSED_PASS] = "paused_pass",
    [ANSWER_RESUMED] = "resumed",
    [ANSWER_LISTS] = "lists",
    [ANSWER_UNDONE] = "undone",
    [ANSWER_UNDO_LATE] = "undo_late",
    [ANSWER_HELP] = "help",
    [ANSWER_BAD] = "bad",
    [ANSWER_IMPOSSIBLE] = "impossible",
    [ANSWER_USED] = "used",
    [ANSWER_EXPIRED] = "expired",
    [ANSWER_FORGED] = "forged",
    [ANSWER_UNKNOWN_DIGEST] = "unknown_digest",
    [ANSWER_TOO_MANY] = "too_many",
    [ANSWER_FAILED] = "failed",
};

const char *answer_kind_name(enum answer_kind kind)
{
	return names[kind];
}

int answer_kind_by_name(const char *name)
{
	for (int kind = 0; kind < ANSWER_KINDS; kind++)
		if (strcmp(names[kind], name) == 0)
			return kind;
	return -1;
}

/* ---- threading ---- */

static bool is_reference(const char *id)
{
	return strlen(id) <= FIELDS_VALUE_MAX && fields_is_message_id(id);
}

/* The newest of what the command referred to, and the command itself (RFC 5322 section 3.6.4), on
 * one line; "" if there is nothing; g_free. */
static char *references(const struct answer *answer)
{
	GString *out = g_string_new(answer->in_reply_to != NULL && is_reference(answer->in_reply_to)
		? answer->in_reply_to
		: "");
	char **ids =
	    g_strsplit_set(answer->references == NULL ? "" : answer->references, " \t\r\n", -1);
	for (size_t i = g_strv_length(ids); i-- > 0;) {
		if (!is_reference(ids[i]) || (out->len > 0 && strstr(out->str, ids[i]) != NULL))
			continue;
		if (out->len + strlen(ids[i]) + 1 > FIELDS_VALUE_MAX)
			break;
		if (out->len > 0)
			g_string_prepend_c(out, ' ');
		g_string_prepend(out, ids[i]);
	}
	g_strfreev(ids);
	return g_string_free(out, FALSE);
}

static void add_thread(struct message *message, const struct answer *answer)
{
	char *line = references(answer);
	if (answer->in_reply_to != NULL && is_reference(answer->in_reply_to))
		message_add_raw(message, "In-Reply-To", answer->in_reply_to);
	if (line[0] != '\0')
		message_add_raw(message, "References", line);
	g_free(line);
}

/* ---- the text ---- */

/* An address is of no use in pieces. */
static void put_link(GString *out, const char *how, const struct outline_link *link)
{
	if (link->uri == NULL)
		return;
	g_string_append_c(out, '\n');
	text_wrap(out, how, "", "");
	g_string_append_printf(out, "<%s>\n", link->uri);
}

static void put_section(GString *out, const struct answer_section *section)
{
	if (section->n == 0)
		return;
	g_string_append_c(out, '\n');
	if (section->heading != NULL)
		text_wrap(out, section->heading, "", "");
	for (size_t i = 0; i < section->n; i++)
		text_wrap(out, section->lines[i], "  ", "    ");
}

static char *render_text(const struct answer_words *words)
{
	GString *out = g_string_new(NULL);
	text_wrap(out, words->said, "", "");
	for (size_t i = 0; i < ANSWER_SECTIONS; i++)
		put_section(out, &words->sections[i]);
	put_link(out, words->undo_how, &words->undo);
	if (words->n_rows > 0) {
		g_string_append_c(out, '\n');
		text_wrap(out, words->help_how, "", "");
		g_string_append_c(out, '\n');
		text_rows(out, words->rows, words->n_rows);
		g_string_append_c(out, '\n');
		text_wrap(out, words->help_notes, "", "");
	}
	put_link(out, words->times.label, &words->times);
	return g_string_free(out, FALSE);
}

/* ---- the message ---- */

/* What an answer has in common with a digest. */
static struct digest digest_of(const struct answer *answer)
{
	return (struct digest){.user = answer->user,
	    .from = answer->from,
	    .message_id = answer->message_id,
	    .guard = answer->guard,
	    .host = answer->host,
	    .now = answer->now,
	    .command_address = answer->command_address};
}

static enum rc write_answer(struct out *out, const struct answer *answer,
    const struct digest *digest, const struct answer_words *words, struct err *err)
{
	struct message message;
	char *html = answer_page(words), *text = render_text(words);
	message_begin(&message, digest, words->subject, "auto-replied"); /* RFC 3834 section 5 */
	add_thread(&message, answer);
	enum rc rc = html == NULL ? err_set(err, RC_TEMP, "libxml2 could not write the page")
				  : message_alternative(&message, text, html, err);
	if (rc == RC_OK) {
		g_mime_message_set_mime_part(message.message, GMIME_OBJECT(message.alternative));
		rc = message_put(out, &message, GMIME_OBJECT(message.message), err);
	}
	if (rc == RC_OK)
		rc = out_flush(out, err);
	message_clear(&message);
	g_free(html);
	g_free(text);
	return rc;
}

enum rc answer_compose(const struct answer *answer, int fd, struct err *err)
{
	struct digest digest = digest_of(answer);
	enum rc rc = fields_check(&digest, err);
	if (rc != RC_OK)
		return rc;
	struct out *out = g_new(struct out, 1);
	out_init(out, fd);
	struct answer_words *words = answer_words_new(answer);
	rc = write_answer(out, answer, &digest, words, err);
	answer_words_free(&words);
	g_free(out);
	return rc;
}
