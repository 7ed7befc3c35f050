/*
 * describe.c: see describe.h. The lead is Return-Path, Delivered-To, Received, then
 * X-Pullyu-Verdict or, of a command, X-Pullyu-Command ("by=login; user=ann@example.org"), in this
 * order, and nothing of the sender's can stand in it or before it: the milter wrote it first.
 */
#include <config.h>

#include "daemon/describe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "base/addr.h"
#include "base/str.h"
#include "classify/verdict.h"
#include "facts/facts.h"

enum { LEAD_MAX = 16 * 1024 };

struct lead {
	size_t len;
	char *return_path, *delivered_to, *last; /* own; unfolded, trimmed */
};

static void lead_clear(struct lead *lead)
{
	g_free(lead->return_path);
	g_free(lead->delivered_to);
	g_free(lead->last);
}

/* The field at *p, unfolded: its name is compared, its body returned (g_free), *p moves behind it.
 * NULL if another field stands there. */
static char *take_field(const char **p, const char *name)
{
	size_t n = strlen(name);
	const char *s = *p;
	if (g_ascii_strncasecmp(s, name, n) != 0 || s[n] != ':')
		return NULL;
	GString *body = g_string_new(NULL);
	for (s += n + 1; *s != '\0'; s++) {
		if (*s == '\n' && s[1] != ' ' && s[1] != '\t')
			break;
		if (*s != '\r' && *s != '\n')
			g_string_append_c(body, *s);
	}
	if (*s != '\n') { /* the field does not end within the bound */
		g_string_free(body, TRUE);
		return NULL;
	}
	*p = s + 1;
	char *text = g_strdup(str_trim(body->str));
	g_string_free(body, TRUE);
	return text;
}

/* last: the field that says what kind of file it is. */
static enum rc read_lead(int fd, const char *last, struct lead *lead, struct err *err)
{
	char buffer[LEAD_MAX + 1];
	ssize_t n = pread(fd, buffer, LEAD_MAX, 0);
	if (n < 0)
		return err_errno(err, RC_TEMP, "read");
	buffer[n] = '\0';
	const char *p = buffer;
	char *received = NULL;
	enum rc rc = RC_PERM;
	if ((lead->return_path = take_field(&p, "Return-Path")) != NULL &&
	    (lead->delivered_to = take_field(&p, "Delivered-To")) != NULL &&
	    (received = take_field(&p, "Received")) != NULL &&
	    (lead->last = take_field(&p, last)) != NULL)
		rc = RC_OK;
	g_free(received);
	lead->len = (size_t)(p - buffer);
	return rc == RC_OK ? RC_OK : err_set(err, rc, "no trace fields of ours at the start");
}

/* "<a@b>" to "a@b"; what is no address (and so not of our writing) to the null sender. */
static void unbracket(const char *in, char out[ADDR_MAX])
{
	size_t len = strlen(in);
	if (len >= 2 && in[0] == '<' && in[len - 1] == '>' && len - 2 < ADDR_MAX) {
		memcpy(out, in + 1, len - 2);
		out[len - 2] = '\0';
	} else {
		out[0] = '\0';
	}
}

/* A verdict that cannot be read must not keep its message from being delivered. */
static void fill_verdict(const char *text, struct store_held *held)
{
	enum class cls = CLASS_NEWSLETTER;
	char reasons[VERDICT_TEXT_MAX] = "";
	verdict_parse(text, &cls, &held->score, reasons, NULL);
	str_copy(held->class_name, sizeof(held->class_name), class_name(cls));
	str_copy(held->reasons, sizeof(held->reasons), reasons);
}

/* The milter's names begin with the seconds at which the message was held. */
int64_t describe_received(const char *id)
{
	char seconds[24];
	int64_t when = 0;
	size_t n = strspn(id, "0123456789");
	if (n < sizeof(seconds)) {
		memcpy(seconds, id, n);
		seconds[n] = '\0';
		str_number(seconds, 0, INT64_MAX / 2, &when);
	}
	return when;
}

static void fill_facts(const struct facts *facts, struct store_held *held)
{
	str_copy(held->from_addr, sizeof(held->from_addr), facts->from_addr);
	str_copy(held->from_name, sizeof(held->from_name), facts->from_name);
	str_copy(held->subject, sizeof(held->subject), facts->subject);
	str_copy(held->message_id, sizeof(held->message_id), facts->message_id);
	str_copy(held->list_id, sizeof(held->list_id), facts->list_id);
}

enum rc describe(void *ctx, int fd, const struct store_msg *msg, char user_out[ADDR_MAX],
    struct store_held *held_out, struct err *err)
{
	struct lead lead = {0};
	struct store_held held = {0};
	uint64_t header = 0;
	struct facts *facts = NULL;
	enum rc rc = read_lead(fd, "X-Pullyu-Verdict", &lead, err);
	if (rc == RC_OK && !str_copy(held.rcpt, sizeof(held.rcpt), lead.delivered_to))
		rc = err_set(err, RC_PERM, "Delivered-To is too long");
	if (rc == RC_OK && lseek(fd, (off_t)lead.len, SEEK_SET) < 0)
		rc = err_errno(err, RC_TEMP, "seek");
	if (rc != RC_OK)
		goto out;
	facts = facts_new();
	rc = facts_read(facts, fd, &header, err);
	if (rc != RC_OK)
		goto out;
	fill_verdict(lead.last, &held);
	str_copy(held.id, sizeof(held.id), msg->id);
	held.received = describe_received(msg->id);
	held.lead = (uint32_t)lead.len;
	held.size = msg->size > lead.len ? msg->size - lead.len : 0;
	unbracket(lead.return_path, held.return_path);
	fill_facts(facts, &held);
	rc = users_key(ctx, held.rcpt, user_out, err);
	if (rc == RC_OK)
		*held_out = held;
out:
	facts_free(&facts);
	lead_clear(&lead);
	return rc;
}

enum rc describe_command(int fd, struct command_lead *lead_out, struct err *err)
{
	static const char by_login[] = "by=login; user=", by_aligned[] = "by=aligned; user=";
	struct lead lead = {0};
	struct command_lead out = {0};
	enum rc rc = read_lead(fd, "X-Pullyu-Command", &lead, err);
	const char *user = NULL;
	if (rc == RC_OK && g_str_has_prefix(lead.last, by_login)) {
		user = lead.last + sizeof(by_login) - 1;
		out.by_login = true;
	} else if (rc == RC_OK && g_str_has_prefix(lead.last, by_aligned)) {
		user = lead.last + sizeof(by_aligned) - 1;
	}
	if (rc == RC_OK &&
	    (user == NULL || !str_copy(out.user, sizeof(out.user), user) ||
		addr_domain(out.user)[0] == '\0'))
		rc = err_set(err, RC_PERM, "X-Pullyu-Command says nothing that we would say");
	out.len = lead.len;
	if (rc == RC_OK)
		*lead_out = out;
	lead_clear(&lead);
	return rc;
}
