/*
 * facts_derive_who.c: who wrote to whom: From, Sender, Reply-To, the envelope, To and Cc; and the
 * messages that it answers.
 */
#include <config.h>

#include "facts/facts_derive.h"

#include <string.h>

#include <glib.h>

#include "base/str.h"
#include "facts/facts_shape.h"

struct mailbox {
	struct derive *derive;
	const char *name, *addr; /* normalised and decoded; addr "" if none was found */
	size_t count;            /* of mailboxes in the field */
};

static bool mailbox_first(void *ctx, const char *name, const char *addr)
{
	struct mailbox *box = ctx;
	struct facts *facts = box->derive->facts;
	char normal[ADDR_MAX];
	if (addr_normalise(addr, NULL, normal, NULL) != RC_OK)
		return true;
	box->addr = facts_strndup(facts, normal, strlen(normal));
	box->name = facts_decode(facts, name, strlen(name), derive_charset(box->derive));
	return false;
}

static struct mailbox mailbox_of(struct derive *d, enum known id)
{
	struct mailbox box = {d, "", "", 0};
	if (d->first[id] != NULL)
		box.count = facts_mailboxes(d->first[id]->bytes, mailbox_first, &box);
	return box;
}

static const char *local_part(struct facts *facts, const char *addr)
{
	const char *at = strrchr(addr, '@');
	return at == NULL ? "" : facts_strndup(facts, addr, (size_t)(at - addr));
}

void derive_from(struct derive *d)
{
	struct facts *facts = d->facts;
	struct mailbox from = mailbox_of(d, KNOWN_FROM);
	facts->from_addr = from.addr;
	facts->from_name = from.name;
	facts->from_count = from.count;
	if (from.addr[0] == '\0' && d->first[KNOWN_FROM] != NULL) /* no address: a name at least */
		facts->from_name = derive_text(d, d->first[KNOWN_FROM]);
	const char *local = local_part(facts, from.addr);
	if (from.addr[0] != '\0')
		facts_set(facts, FACT_FROM);
	if (facts->from_name[0] != '\0' && strchr(facts->from_name, '@') == NULL)
		facts_set(facts, FACT_FROM_NAMED);
	if (shape_is_noreply(local))
		facts_set(facts, FACT_NO_REPLY);
	else if (shape_is_person(facts->from_name, local, addr_domain(from.addr)))
		facts_set(facts, FACT_FROM_PERSON);
	facts_derived_add(facts, "from:name", facts->from_name);
	facts_derived_add(facts, "from:address", from.addr);
	facts_derived_add(facts, "from:local", local);
	facts_derived_add(facts, "from:domain", addr_domain(from.addr));

	facts->sender_addr = mailbox_of(d, KNOWN_SENDER).addr;
	if (facts->sender_addr[0] != '\0' && strcmp(facts->sender_addr, from.addr) != 0)
		facts_set(facts, FACT_SENDER);
	facts_derived_add(facts, "sender:address", facts->sender_addr);

	facts->reply_to_addr = mailbox_of(d, KNOWN_REPLY_TO).addr;
	const char *reply_local = local_part(facts, facts->reply_to_addr);
	if (facts->reply_to_addr[0] != '\0' && strcmp(facts->reply_to_addr, from.addr) != 0) {
		facts_set(facts, FACT_REPLY_TO);
		if (shape_is_noreply(reply_local))
			facts_set(facts, FACT_NO_REPLY_TO);
		if (shape_has_token(reply_local))
			facts_set(facts, FACT_REPLY_TO_TOKEN);
		if (!shape_same_site(addr_domain(facts->reply_to_addr), addr_domain(from.addr)))
			facts_set(facts, FACT_REPLY_TO_FOREIGN);
	}
	facts_derived_add(facts, "reply-to:address", facts->reply_to_addr);
	facts_derived_add(facts, "reply-to:domain", addr_domain(facts->reply_to_addr));
}

void derive_envelope(struct derive *d)
{
	struct facts *facts = d->facts;
	if (!facts->priv->envelope_known && d->first[KNOWN_RETURN_PATH] != NULL)
		facts_envelope_from(facts, d->first[KNOWN_RETURN_PATH]->bytes);
	const char *addr = facts->envelope_from, *local = local_part(facts, addr);
	if (addr[0] == '\0')
		return;
	facts_set(facts, FACT_ENVELOPE);
	if (shape_is_verp(local))
		facts_set(facts, FACT_VERP);
	if (shape_is_bounce(local))
		facts_set(facts, FACT_BOUNCE_ADDRESS);
	/* Some people's addresses are numbers; they stand in From too. */
	if (shape_has_token(local) && strcmp(addr, facts->from_addr) != 0)
		facts_set(facts, FACT_ENVELOPE_TOKEN);
	if (facts->from_addr[0] != '\0' &&
	    !shape_same_site(addr_domain(addr), addr_domain(facts->from_addr)))
		facts_set(facts, FACT_ENVELOPE_FOREIGN);
	facts_derived_add(facts, "envelope:address", addr);
	facts_derived_add(facts, "envelope:local", local);
	facts_derived_add(facts, "envelope:domain", addr_domain(addr));
}

/* Whether addr, as a header has it, is the normalised address key, with or without extension. */
static bool same_mailbox(const char *addr, const char *key)
{
	size_t addr_local = strcspn(addr, "@"), key_local = strcspn(key, "@");
	if (addr[addr_local] == '\0' || g_ascii_strcasecmp(addr + addr_local, key + key_local) != 0)
		return false;
	size_t a = MIN(addr_local, strcspn(addr, "+")), k = MIN(key_local, strcspn(key, "+"));
	return a == k && g_ascii_strncasecmp(addr, key, a) == 0;
}

static bool to_mailbox(void *ctx, const char *name, const char *addr)
{
	struct derive *d = ctx;
	struct facts *facts = d->facts;
	const char *at = strrchr(addr, '@');
	(void)name;
	for (size_t i = 0; i < facts->priv->n_rcpts; i++)
		if (same_mailbox(addr, facts->priv->rcpts[i]))
			facts_set(facts, FACT_RCPT_NAMED);
	if (same_mailbox(addr, facts->from_addr))
		facts_set(facts, FACT_TO_SELF);
	else if (at != NULL && shape_same_site(at + 1, addr_domain(facts->from_addr)))
		d->to_sender = true;
	if (d->list_addr[0] != '\0' && same_mailbox(addr, d->list_addr))
		facts_set(facts, FACT_LIST_IN_TO);
	/* RFC 2919: most managers make the identifier from the list's address. */
	size_t local = (size_t)(at - addr);
	if (facts->list_id[0] != '\0' && g_ascii_strncasecmp(addr, facts->list_id, local) == 0 &&
	    facts->list_id[local] == '.' &&
	    g_ascii_strcasecmp(at + 1, facts->list_id + local + 1) == 0)
		facts_set(facts, FACT_LIST_IN_TO);
	return true;
}

void derive_to(struct derive *d)
{
	struct facts *facts = d->facts;
	if (d->first[KNOWN_TO] != NULL)
		facts->to_count = facts_mailboxes(d->first[KNOWN_TO]->bytes, to_mailbox, d);
	if (d->first[KNOWN_CC] != NULL)
		facts->cc_count = facts_mailboxes(d->first[KNOWN_CC]->bytes, to_mailbox, d);
	size_t n = facts->to_count + facts->cc_count;
	facts_set(facts, n == 0 ? FACT_TO_NOBODY : n == 1 ? FACT_TO_ONE : FACT_TO_SEVERAL);
	if (n > 10)
		facts_set(facts, FACT_TO_CROWD);
	if (d->to_sender && facts->priv->n_rcpts > 0 && !facts_has(facts, FACT_RCPT_NAMED))
		facts_set(facts, FACT_TO_SENDER);
	for (size_t i = 0; i < facts->priv->n_rcpts; i++) {
		facts_set(facts, FACT_RCPT_KNOWN);
		if (strcmp(facts->priv->rcpts[i], facts->from_addr) == 0)
			facts_set(facts, FACT_FROM_RCPT);
	}
}

/* The next "<...>" at or behind *s without blanks inside, as it stands; NULL if there is none. */
static const char *angle_next(struct facts *facts, const char **s)
{
	const char *open, *close;
	for (open = strchr(*s, '<'); open != NULL; open = strchr(open + 1, '<')) {
		close = open + strcspn(open, "> ");
		if (*close == '>' && close > open + 1) {
			*s = close + 1;
			return facts_strndup(facts, open, (size_t)(close + 1 - open));
		}
	}
	return NULL;
}

static void ref_add(struct facts *facts, const char *id)
{
	for (size_t i = 0; i < facts->n_refs; i++)
		if (strcmp(facts->refs[i], id) == 0)
			return;
	if (facts->n_refs < FACTS_REFS_MAX)
		facts->refs[facts->n_refs++] = id;
}

/* Whether a recipient's site made that Message-ID. */
static void own_ref(struct facts *facts, const char *id)
{
	char domain[256];
	str_copy(domain, sizeof(domain), addr_domain(id));
	domain[strcspn(domain, ">")] = '\0';
	for (size_t i = 0; domain[0] != '\0' && i < facts->priv->n_rcpts; i++)
		if (shape_same_site(domain, addr_domain(facts->priv->rcpts[i])))
			facts_set(facts, FACT_REPLY_OWN);
}

void derive_ids(struct derive *d)
{
	struct facts *facts = d->facts;
	const char *s, *id;
	if (d->first[KNOWN_MESSAGE_ID] != NULL) {
		s = derive_text(d, d->first[KNOWN_MESSAGE_ID]);
		if (s[0] == '<' && (id = angle_next(facts, &s)) != NULL)
			facts->message_id = id;
	}
	if (facts->message_id[0] == '\0') {
		facts_set(facts, FACT_NO_MESSAGE_ID);
	} else {
		char domain[256];
		str_copy(domain, sizeof(domain), addr_domain(facts->message_id));
		domain[strcspn(domain, ">")] = '\0';
		char *lower = g_ascii_strdown(domain, -1);
		facts_derived_add(
		    facts, "message-id:domain", facts_strndup(facts, lower, strlen(lower)));
		if (lower[0] != '\0' && facts->from_addr[0] != '\0' &&
		    !shape_same_site(lower, addr_domain(facts->from_addr)))
			facts_set(facts, FACT_MESSAGE_ID_FOREIGN);
		g_free(lower);
	}
	if (d->first[KNOWN_IN_REPLY_TO] != NULL) {
		s = derive_text(d, d->first[KNOWN_IN_REPLY_TO]);
		while ((id = angle_next(facts, &s)) != NULL)
			ref_add(facts, id);
	}
	if (d->first[KNOWN_REFERENCES] != NULL) {
		const char *newest[FACTS_REFS_MAX];
		size_t n = 0;
		s = derive_text(d, d->first[KNOWN_REFERENCES]);
		while ((id = angle_next(facts, &s)) != NULL)
			newest[n++ % FACTS_REFS_MAX] = id;
		for (size_t k = 0; k < MIN(n, (size_t)FACTS_REFS_MAX); k++)
			ref_add(facts, newest[(n - 1 - k) % FACTS_REFS_MAX]);
	}
	if (facts->n_refs > 0)
		facts_set(facts, FACT_REPLY);
	for (size_t i = 0; i < facts->n_refs; i++)
		own_ref(facts, facts->refs[i]);
}
