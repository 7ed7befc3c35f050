/*
 * facts_derive.c: what the fields say once all of them are there. One pass finds the fields that
 * have a meaning of their own (known[]); each of them then has its function.
 */
#include <config.h>

#include "facts/facts_private.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"
#include "facts/facts_shape.h"

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

static const char *const known_names[KNOWN_COUNT] = {
#define X(id, name) name,
    KNOWN(X)
#undef X
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

static int known_find(const char *name)
{
	size_t low = 0, high = KNOWN_COUNT;
	/* Most of a header's fields are X- something, and one of those is known. */
	if (name[0] == 'x' && name[1] == '-' && name[2] != 'o')
		return -1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = name[0] - known_names[middle][0];
		if (order == 0)
			order = strcmp(name, known_names[middle]);
		if (order == 0)
			return (int)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

static const char *charset_of(const struct derive *d)
{
	return d->charset[0] == '\0' ? NULL : d->charset;
}

static const char *text_of(const struct derive *d, const struct body *body)
{
	if (body->plain)
		return body->bytes;
	return facts_decode(d->facts, body->bytes, body->len, charset_of(d));
}

void facts_derived_add(struct facts *facts, const char *name, const char *value)
{
	const char *s = value;
	if (value[0] == '\0' || facts->n_derived == DERIVED_MAX)
		return;
	while (*s >= ' ' && *s < 0x7f)
		s++;
	if (*s != '\0') /* parts of undecoded bodies */
		value = facts_decode_raw(facts, value, strlen(value), NULL);
	facts->derived[facts->n_derived++] = (struct facts_field){name, value, value};
}

/* The field body in its known slot, or duplicates noted. */
static void known_take(struct derive *d, enum known id, const struct body *body)
{
	static const bool once[KNOWN_COUNT] = {
	    [KNOWN_DATE] = true,
	    [KNOWN_FROM] = true,
	    [KNOWN_SENDER] = true,
	    [KNOWN_REPLY_TO] = true,
	    [KNOWN_TO] = true,
	    [KNOWN_CC] = true,
	    [KNOWN_BCC] = true,
	    [KNOWN_MESSAGE_ID] = true,
	    [KNOWN_IN_REPLY_TO] = true,
	    [KNOWN_REFERENCES] = true,
	    [KNOWN_SUBJECT] = true,
	};
	struct facts *facts = d->facts;
	if (id == KNOWN_RECEIVED)
		d->last_received = body;
	if (id == KNOWN_DKIM && d->n_dkim < DKIM_MAX)
		d->dkim[d->n_dkim++] = body;
	if (id == KNOWN_AUTH_RESULTS && facts->n_auth_results < FACTS_AUTH_MAX)
		facts->auth_results[facts->n_auth_results++] = body->plain
		    ? body->bytes
		    : facts_decode_raw(facts, body->bytes, body->len, NULL);
	if ((id == KNOWN_DELIVERED_TO || id == KNOWN_ORIGINAL_TO) && !facts->priv->envelope_known)
		facts_envelope_rcpt(facts, body->bytes);
	if (d->first[id] == NULL)
		d->first[id] = body;
	else if (once[id])
		facts_set(facts, FACT_DUPLICATE);
}

/* Names that receiving servers add by the dozen, and that say nothing of the sender. */
static bool is_noise(const char *name)
{
#define PREFIX(s) \
	{ \
		s, sizeof(s) - 1 \
	}
	static const struct {
		const char *text;
		size_t len;
	} prefixes[] = {PREFIX("x-ms-"), PREFIX("x-gm-"), PREFIX("x-google-"),
	    PREFIX("x-forefront-"), PREFIX("x-microsoft-"), PREFIX("x-eop"), PREFIX("x-received"),
	    PREFIX("x-proofpoint-"), PREFIX("x-mimecast-"), PREFIX("x-spam-"),
	    PREFIX("x-exchange-"), PREFIX("x-virus-"), PREFIX("x-ironport-"),
	    PREFIX("x-barracuda-"), PREFIX("x-rspamd-")};
#undef PREFIX
	if (name[0] != 'x' || name[1] != '-')
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (name[2] == prefixes[i].text[2] &&
		    strncmp(name, prefixes[i].text, prefixes[i].len) == 0)
			return true;
	return false;
}

/* Whether a field is one in which the sender's program names the kind of message: X-Mailgun-Tag,
 * X-LinkedIn-Template, X-Amazon-Mail-Relay-Type. */
static bool is_template(const char *name)
{
	static const char *const suffixes[] = {"-template", "-template-name", "-tag", "-tags",
	    "-category", "-email-type", "-mail-type", "-message-type", "-notification-type",
	    "-relay-type"};
	size_t len = strlen(name);
	if (len < 6 || strchr("esyg", name[len - 1]) == NULL)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]))
			return true;
	return false;
}

static void fields_walk(struct derive *d)
{
	struct facts *facts = d->facts;
	for (size_t i = 0; i < facts->n_fields; i++) {
		int id = known_find(facts->fields[i].name);
		if (id >= 0)
			known_take(d, (enum known)id, &facts->priv->bodies[i]);
	}
	if (d->first[KNOWN_CONTENT_TYPE] != NULL)
		facts_param(
		    d->first[KNOWN_CONTENT_TYPE]->bytes, "charset", d->charset, sizeof(d->charset));
	for (size_t i = 0; i < facts->n_fields; i++) {
		const struct body *body = &facts->priv->bodies[i];
		struct facts_field *field = &facts->fields[i];
		field->value = field->raw = body->bytes;
		if (!body->plain) {
			field->value = text_of(d, body);
			field->raw = facts_decode_raw(facts, body->bytes, body->len, charset_of(d));
		}
		if (field->name[0] == 'x' && field->name[1] == '-' && !is_noise(field->name) &&
		    is_template(field->name))
			facts_derived_add(facts, "template:name", field->value);
	}
}

struct mailbox {
	struct derive *derive;
	const char *name, *addr; /* normalised and decoded; addr "" if none was found */
};

static bool mailbox_first(void *ctx, const char *name, const char *addr)
{
	struct mailbox *box = ctx;
	struct facts *facts = box->derive->facts;
	char normal[ADDR_MAX];
	if (addr_normalise(addr, NULL, normal, NULL) != RC_OK)
		return true;
	box->addr = facts_strndup(facts, normal, strlen(normal));
	box->name = facts_decode(facts, name, strlen(name), charset_of(box->derive));
	return false;
}

static struct mailbox mailbox_of(struct derive *d, enum known id)
{
	struct mailbox box = {d, "", ""};
	if (d->first[id] != NULL)
		facts_mailboxes(d->first[id]->bytes, mailbox_first, &box);
	return box;
}

static const char *local_part(struct facts *facts, const char *addr)
{
	const char *at = strrchr(addr, '@');
	return at == NULL ? "" : facts_strndup(facts, addr, (size_t)(at - addr));
}

static void from_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	struct mailbox from = mailbox_of(d, KNOWN_FROM);
	facts->from_addr = from.addr;
	facts->from_name = from.name;
	if (from.addr[0] == '\0' && d->first[KNOWN_FROM] != NULL) /* no address: a name at least */
		facts->from_name = text_of(d, d->first[KNOWN_FROM]);
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

static void envelope_derive(struct derive *d)
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

struct to_walk {
	struct derive *derive;
};

static bool to_mailbox(void *ctx, const char *name, const char *addr)
{
	struct derive *d = ((struct to_walk *)ctx)->derive;
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

static void to_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	struct to_walk walk = {d};
	if (d->first[KNOWN_TO] != NULL)
		facts->to_count = facts_mailboxes(d->first[KNOWN_TO]->bytes, to_mailbox, &walk);
	if (d->first[KNOWN_CC] != NULL)
		facts->cc_count = facts_mailboxes(d->first[KNOWN_CC]->bytes, to_mailbox, &walk);
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

static void subject_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	if (d->first[KNOWN_SUBJECT] != NULL)
		facts->subject = text_of(d, d->first[KNOWN_SUBJECT]);
	struct subject_shape shape = shape_subject(facts->subject);
	static const struct {
		enum fact fact;
		size_t offset;
	} rows[] = {
	    {FACT_REPLY_SUBJECT, offsetof(struct subject_shape, reply)},
	    {FACT_FORWARD_SUBJECT, offsetof(struct subject_shape, forward)},
	    {FACT_SUBJECT_TAG, offsetof(struct subject_shape, tag)},
	    {FACT_SUBJECT_EMPTY, offsetof(struct subject_shape, empty)},
	    {FACT_SUBJECT_EMOJI, offsetof(struct subject_shape, emoji)},
	    {FACT_SUBJECT_CAPITALS, offsetof(struct subject_shape, capitals)},
	    {FACT_SUBJECT_DIGIT, offsetof(struct subject_shape, digit)},
	    {FACT_SUBJECT_NUMBER, offsetof(struct subject_shape, number)},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (*(const bool *)((const char *)&shape + rows[i].offset))
			facts_set(facts, rows[i].fact);
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

static void ids_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	const char *s, *id;
	if (d->first[KNOWN_MESSAGE_ID] != NULL) {
		s = text_of(d, d->first[KNOWN_MESSAGE_ID]);
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
		s = text_of(d, d->first[KNOWN_IN_REPLY_TO]);
		while ((id = angle_next(facts, &s)) != NULL)
			ref_add(facts, id);
	}
	if (d->first[KNOWN_REFERENCES] != NULL) {
		const char *newest[FACTS_REFS_MAX];
		size_t n = 0;
		s = text_of(d, d->first[KNOWN_REFERENCES]);
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

static bool starts(const struct body *body, const char *word)
{
	size_t len = strlen(word);
	return body != NULL && g_ascii_strncasecmp(body->bytes, word, len) == 0 &&
	    !g_ascii_isalnum(body->bytes[len]) && body->bytes[len] != '-';
}

static void list_post_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	const struct body *body = d->first[KNOWN_LIST_POST];
	char addr[ADDR_MAX];
	if (body == NULL)
		return;
	const char *text = text_of(d, body), *mailto = strcasestr(text, "mailto:");
	if (starts(body, "no")) {
		facts_set(facts, FACT_LIST_POST_NO);
	} else if (mailto != NULL) {
		char *plain = g_strndup(mailto + 7, strcspn(mailto + 7, ">?, "));
		if (addr_normalise(plain, NULL, addr, NULL) == RC_OK) {
			d->list_addr = facts_strndup(facts, addr, strlen(addr));
			facts_set(facts, FACT_LIST_POST);
		}
		g_free(plain);
	}
	/* A URL alone is where some newsletters have the article for the web. */
}

static void list_unsubscribe_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	const struct body *body = d->first[KNOWN_LIST_UNSUBSCRIBE];
	char hosts[512];
	if (body != NULL) {
		/* Some libraries put long URLs into encoded words, which RFC 2047 forbids here. */
		const char *text = text_of(d, body);
		bool web = strcasestr(text, "http://") || strcasestr(text, "https://");
		if (web)
			facts_set(facts, FACT_LIST_UNSUBSCRIBE_WEB);
		if (web || strchr(text, '@') != NULL)
			facts_set(facts, FACT_LIST_UNSUBSCRIBE);
		shape_hosts(text, hosts, sizeof(hosts));
		facts_derived_add(
		    facts, "list-unsubscribe:domain", facts_strndup(facts, hosts, strlen(hosts)));
	}
	body = d->first[KNOWN_LIST_UNSUBSCRIBE_POST];
	if (body != NULL && strcasestr(text_of(d, body), "one-click") != NULL)
		facts_set(facts, FACT_ONE_CLICK);
}

static void list_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	const struct body *body = d->first[KNOWN_LIST_ID];
	char id[256];
	if (body != NULL && body->len > 0) {
		const char *text = text_of(d, body), *open = strrchr(text, '<');
		if (open != NULL || strchr(text, ' ') == NULL)
			str_copy(id, sizeof(id), open != NULL ? open + 1 : text);
		else
			id[0] = '\0';
		id[strcspn(id, "> ")] = '\0';
		char *lower = g_ascii_strdown(id, -1);
		facts->list_id = facts_strndup(facts, lower, strlen(lower));
		g_free(lower);
		if (facts->list_id[0] != '\0')
			facts_set(facts, FACT_LIST_ID);
		facts_derived_add(facts, "list-id:id", facts->list_id);
	}
	list_post_derive(d);
	list_unsubscribe_derive(d);
	if (d->first[KNOWN_LIST_SUBSCRIBE] != NULL)
		facts_set(facts, FACT_LIST_SUBSCRIBE);
	if (d->first[KNOWN_FEEDBACK_ID] != NULL)
		facts_set(facts, FACT_FEEDBACK_ID);
	body = d->first[KNOWN_PRECEDENCE];
	if (starts(body, "bulk") || starts(body, "junk"))
		facts_set(facts, FACT_PRECEDENCE_BULK);
	if (starts(body, "list"))
		facts_set(facts, FACT_PRECEDENCE_LIST);
}

/* Content-Type in lower case up to its parameters. */
static void content_type(const struct body *body, char *out, size_t size)
{
	size_t n = 0;
	for (const char *s = body == NULL ? "" : body->bytes; *s != '\0' && *s != ';'; s++)
		if (*s != ' ' && n + 1 < size)
			out[n++] = g_ascii_tolower(*s);
	out[n] = '\0';
}

static void report_derive(struct facts *facts, const char *params)
{
	static const struct {
		const char *type;
		enum fact fact;
	} rows[] = {
	    {"delivery-status", FACT_REPORT_DELIVERY},
	    {"global-delivery-status", FACT_REPORT_DELIVERY},
	    {"disposition-notification", FACT_REPORT_DISPOSITION},
	    {"global-disposition-notification", FACT_REPORT_DISPOSITION},
	    {"feedback-report", FACT_REPORT_FEEDBACK},
	    {"tlsrpt", FACT_REPORT_TLS},
	};
	char type[64];
	facts_set(facts, FACT_REPORT);
	if (!facts_param(params, "report-type", type, sizeof(type)))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(type, rows[i].type) == 0)
			facts_set(facts, rows[i].fact);
}

static void content_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	const struct body *body = d->first[KNOWN_CONTENT_TYPE];
	char type[128], param[64];
	static const struct {
		const char *type;
		enum fact fact;
	} rows[] = {
	    {"", FACT_TEXT_PLAIN},
	    {"text/plain", FACT_TEXT_PLAIN},
	    {"text/html", FACT_TEXT_HTML},
	    {"multipart/alternative", FACT_ALTERNATIVE},
	    {"multipart/mixed", FACT_MIXED},
	    {"multipart/signed", FACT_SIGNED},
	    {"multipart/encrypted", FACT_ENCRYPTED},
	    {"text/calendar", FACT_CALENDAR},
	};
	content_type(body, type, sizeof(type));
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(type, rows[i].type) == 0)
			facts_set(facts, rows[i].fact);
	facts_derived_add(facts, "content-type:type", facts_strndup(facts, type, strlen(type)));
	if (body == NULL)
		return;
	if (strcmp(type, "multipart/report") == 0)
		report_derive(facts, body->bytes);
	if (g_str_has_suffix(type, "/pkcs7-mime") || g_str_has_suffix(type, "/x-pkcs7-mime")) {
		bool sign = facts_param(body->bytes, "smime-type", param, sizeof(param)) &&
		    strcmp(param, "signed-data") == 0;
		facts_set(facts, sign ? FACT_SIGNED : FACT_ENCRYPTED);
	}
	if (facts_param(body->bytes, "method", param, sizeof(param)) && shape_is_itip(param)) {
		facts_set(facts, FACT_CALENDAR);
		facts_set(facts, FACT_CALENDAR_METHOD);
	}
}

static void machine_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	const struct body *body = d->first[KNOWN_AUTO_SUBMITTED];
	/* RFC 3834 section 5.2: an unknown word counts as automatic. */
	if (starts(body, "auto-replied"))
		facts_set(facts, FACT_AUTO_REPLIED);
	else if (body != NULL && body->len > 0 && !starts(body, "no"))
		facts_set(facts, FACT_AUTO_GENERATED);
	if (d->last_received != NULL) {
		facts_set(facts, FACT_RECEIVED);
		if (shape_is_submission(d->last_received->bytes))
			facts_set(facts, FACT_SUBMITTED);
		facts_derived_add(facts, "received:first", d->last_received->bytes);
	}
	if (d->first[KNOWN_DATE] == NULL)
		facts_set(facts, FACT_NO_DATE);
	char domain[256];
	for (size_t i = 0; i < d->n_dkim; i++) {
		if (!shape_dkim_domain(d->dkim[i]->bytes, domain, sizeof(domain)))
			continue;
		facts_derived_add(
		    facts, "dkim:domain", facts_strndup(facts, domain, strlen(domain)));
		if (facts->from_addr[0] != '\0' &&
		    !shape_same_site(domain, addr_domain(facts->from_addr)))
			facts_set(facts, FACT_DKIM_FOREIGN);
	}
}

void facts_derive(struct facts *facts)
{
	struct derive d = {.facts = facts, .list_addr = ""};
	fields_walk(&d);
	from_derive(&d);
	envelope_derive(&d);
	ids_derive(&d);
	list_derive(&d);
	to_derive(&d); /* after list_derive, for the list's address */
	subject_derive(&d);
	content_derive(&d);
	machine_derive(&d);
}
