/*
 * facts.c: the life of a struct facts: memory, fields as they come, names of facts. What they mean
 * is computed in facts_derive.c once all are there.
 */
#include <config.h>

#include "facts/facts.h"

#include <string.h>

#include <glib.h>

#include "facts/facts_private.h"

static const char *const names[FACT_COUNT] = {
#define FACT(id, name, help) [id] = name,
#include "facts/facts_names.h"
#undef FACT
};

const char *facts_name(enum fact fact)
{
	return names[fact];
}

int facts_by_name(const char *name)
{
	for (int i = 0; i < FACT_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

bool facts_derived_exists(const char *name)
{
	static const char *const all[] = {"from:name", "from:address", "from:local", "from:domain",
	    "sender:address", "reply-to:address", "reply-to:domain", "envelope:address",
	    "envelope:local", "envelope:domain", "message-id:domain", "dkim:domain", "list-id:id",
	    "list-unsubscribe:domain", "content-type:type", "template:name"};
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		if (strcmp(all[i], name) == 0)
			return true;
	return false;
}

struct facts *facts_new(void)
{
	struct facts *facts = g_new0(struct facts, 1);
	/* Not zeroed: the arrays are large, and their counts say what is in use. */
	struct facts_private *priv = g_malloc(sizeof(*priv));
	priv->chunks = NULL;
	priv->n_rcpts = 0;
	priv->envelope_known = false;
	priv->ended = false;
	facts->priv = priv;
	facts->fields = priv->fields;
	facts->derived = priv->derived;
	facts->envelope_from = facts->from_addr = facts->from_name = facts->sender_addr = "";
	facts->reply_to_addr = facts->subject = facts->message_id = facts->list_id = "";
	return facts;
}

void facts_free(struct facts **facts)
{
	if (*facts == NULL)
		return;
	struct chunk *next;
	for (struct chunk *c = (*facts)->priv->chunks; c != NULL; c = next) {
		next = c->next;
		g_free(c);
	}
	g_free((*facts)->priv);
	g_free(*facts);
	*facts = NULL;
}

char *facts_alloc(struct facts *facts, size_t size)
{
	struct facts_private *priv = facts->priv;
	struct chunk *c = priv->chunks;
	if (c == NULL || c->size - c->used < size) {
		size_t room = c == NULL ? ARENA_FIRST : ARENA_CHUNK;
		if (room < size)
			room = size;
		c = g_malloc(sizeof(*c) + room);
		c->next = priv->chunks;
		c->used = 0;
		c->size = room;
		priv->chunks = c;
	}
	char *p = c->data + c->used;
	c->used += size;
	return p;
}

const char *facts_strndup(struct facts *facts, const char *s, size_t len)
{
	char *p = facts_alloc(facts, len + 1);
	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void facts_envelope_from(struct facts *facts, const char *mail_from)
{
	char addr[ADDR_MAX];
	facts->priv->envelope_known = true;
	facts->envelope_from = "";
	if (mail_from[0] == '\0' || strcmp(mail_from, "<>") == 0)
		facts_set(facts, FACT_NULL_SENDER);
	else if (addr_normalise(mail_from, NULL, addr, NULL) == RC_OK)
		facts->envelope_from = facts_strndup(facts, addr, strlen(addr));
}

void facts_envelope_rcpt(struct facts *facts, const char *rcpt)
{
	char addr[ADDR_MAX];
	struct facts_private *priv = facts->priv;
	if (priv->n_rcpts == RCPTS_MAX || addr_normalise(rcpt, NULL, addr, NULL) != RC_OK)
		return;
	priv->rcpts[priv->n_rcpts++] = facts_strndup(facts, addr, strlen(addr));
}

/* The name in lower case without blanks behind it; NULL if it is no field name (RFC 5322 section
 * 2.2), or one longer than anybody uses. */
static const char *field_name(struct facts *facts, const char *name, size_t len)
{
	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t'))
		len--;
	if (len == 0 || len >= NAME_MAX_BYTES)
		return NULL;
	char *lower = facts_alloc(facts, len + 1);
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (c <= ' ' || c >= 0x7f || c == ':')
			return NULL;
		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	lower[len] = '\0';
	return lower;
}

/* Bytes that are copied as they are: printable ASCII but "?". */
static bool is_common(char c)
{
	return c >= ' ' && c < 0x7f && c != '?';
}

/* Whether all of BLOCK bytes are common. Without a way out in the middle, so that the compiler can
 * make vector instructions of it. */
enum { BLOCK = 16 };

static bool block_is_common(const char *s)
{
	unsigned char odd = 0;
	for (size_t i = 0; i < BLOCK; i++) {
		unsigned char c = (unsigned char)s[i];
		odd |= (unsigned char)(c < ' ') | (unsigned char)(c > 0x7e) |
		    (unsigned char)(c == '?');
	}
	return odd == 0;
}

/* How many of the len bytes at s are common: nearly all are, and a header's bytes are most of what
 * facts cost. */
static size_t common_span(const char *s, size_t len)
{
	size_t i = 0;
	while (i + BLOCK <= len && block_is_common(s + i))
		i += BLOCK;
	while (i < len && is_common(s[i]))
		i++;
	return i;
}

/* Unfolds (RFC 5322 section 2.2.3) and trims. */
static void field_body(struct facts *facts, const char *value, size_t len, struct body *out)
{
	bool cut = len > FACTS_BODY_MAX;
	if (cut)
		len = FACTS_BODY_MAX;
	char *copy = facts_alloc(facts, len + 1), *p = copy;
	bool plain = true;
	size_t i = 0;
	while (i < len && value[i] == ' ')
		i++;
	while (i < len) {
		size_t span = common_span(value + i, len - i);
		memcpy(p, value + i, span);
		p += span;
		i += span;
		if (i == len)
			break;
		unsigned char c = (unsigned char)value[i++];
		if (c == '\r' || c == '\n')
			continue;
		if (c == '\t')
			c = ' ';
		if (c < ' ' || c >= 0x7f || (c == '?' && p > copy && p[-1] == '='))
			plain = false;
		if (c != ' ' || p > copy)
			*p++ = (char)c;
	}
	/* A cut may have split a character. */
	if (cut && g_utf8_validate(copy, p - copy, NULL) == FALSE) {
		char *start = p;
		while (start > copy && p - start < 4 && ((unsigned char)start[-1] & 0xc0) == 0x80)
			start--;
		if (start > copy && (unsigned char)start[-1] >= 0xc0)
			p = start - 1;
	}
	while (p > copy && p[-1] == ' ')
		p--;
	*p = '\0';
	out->bytes = copy;
	out->len = (size_t)(p - copy);
	out->plain = plain;
}

void facts_header(struct facts *facts, const char *name, const char *value)
{
	struct facts_private *priv = facts->priv;
	size_t len = strlen(value), name_len = strlen(name);
	size_t bytes = name_len + len + 3; /* ":" and CRLF */
	facts->n_bytes += bytes;
	if (facts->n_fields == FACTS_FIELDS_MAX || facts->n_bytes > FACTS_BYTES_MAX) {
		facts_set(facts, FACT_TRUNCATED);
		return;
	}
	const char *lower = field_name(facts, name, name_len);
	if (lower == NULL)
		return;
	struct body *body = &priv->bodies[facts->n_fields];
	field_body(facts, value, len, body);
	priv->fields[facts->n_fields++] = (struct facts_field){lower, "", ""};
}

void facts_end(struct facts *facts)
{
	if (facts->priv->ended)
		return;
	facts->priv->ended = true;
	facts_derive(facts);
}

const struct facts_field *facts_field_find(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->n_fields; i++)
		if (strcmp(facts->fields[i].name, name) == 0)
			return &facts->fields[i];
	return NULL;
}
