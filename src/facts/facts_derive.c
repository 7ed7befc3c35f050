/*
 * facts_derive.c: what the fields say once all of them are there. One pass finds the fields that
 * have a meaning of their own (known[]); each of them then has its function.
 */
#include <config.h>

#include "facts/facts_derive.h"

#include <string.h>

#include <glib.h>

#include "facts/facts_shape.h"

static const char *const known_names[KNOWN_COUNT] = {
#define X(id, name) name,
    KNOWN(X)
#undef X
};

enum { TEMPLATES_MAX = 8 };

static int known_find(const char *name)
{
	size_t low = 0, high = KNOWN_COUNT;
	/* Most of a header's fields are X- something, and one of those is known. */
	if (name[0] == 'x' && name[1] == '-' && name[2] != 'o')
		return -1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = name[0] - known_names[middle][0]; /* that is mostly enough */
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

const char *derive_charset(const struct derive *d)
{
	return d->charset[0] == '\0' ? NULL : d->charset;
}

const char *derive_text(const struct derive *d, const struct body *body)
{
	if (body->plain)
		return body->bytes;
	return facts_decode(d->facts, body->bytes, body->len, derive_charset(d));
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

/* The field body in its known slot. Returns false if it is a second one of a field that may stand
 * once. */
static bool known_take(struct derive *d, enum known id, const struct body *body)
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
	if (d->first[id] == NULL) {
		d->first[id] = body;
	} else if (once[id]) {
		facts_set(facts, FACT_DUPLICATE);
		return false;
	}
	return true;
}

/* Names that receiving servers add by the dozen, and that say nothing of the sender. */
static bool is_noise(const char *name)
{
	static const char *const prefixes[] = {"x-ms-", "x-gm-", "x-google-", "x-forefront-",
	    "x-microsoft-", "x-eop", "x-received", "x-proofpoint-", "x-mimecast-", "x-spam-",
	    "x-exchange-", "x-virus-", "x-ironport-", "x-barracuda-", "x-rspamd-"};
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(name, prefixes[i]))
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
	if (name[0] != 'x' || name[1] != '-')
		return false;
	/* "X-Tag" is anybody's. The last letters of those suffixes: the hot path has no time for
	 * the others. */
	size_t len = strlen(name);
	if (len < sizeof("x-tags") - 1 || strchr("egsy", name[len - 1]) == NULL)
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
		if (id >= 0 && !known_take(d, (enum known)id, &facts->priv->bodies[i]))
			facts->priv->bodies[i] = (struct body){"", 0, true}; /* the first counts */
	}
	if (d->first[KNOWN_CONTENT_TYPE] != NULL)
		facts_param(
		    d->first[KNOWN_CONTENT_TYPE]->bytes, "charset", d->charset, sizeof(d->charset));
	for (size_t i = 0; i < facts->n_fields; i++) {
		const struct body *body = &facts->priv->bodies[i];
		struct facts_field *field = &facts->fields[i];
		field->value = field->raw = body->bytes;
		if (!body->plain) {
			field->value = derive_text(d, body);
			field->raw =
			    facts_decode_raw(facts, body->bytes, body->len, derive_charset(d));
		}
	}
}

static void template_derive(struct facts *facts)
{
	size_t n = 0;
	for (size_t i = 0; i < facts->n_fields && n < TEMPLATES_MAX; i++) {
		const struct facts_field *field = &facts->fields[i];
		if (!is_template(field->name) || is_noise(field->name))
			continue;
		facts_derived_add(facts, "template:name", field->value);
		n++;
	}
}

static void subject_derive(struct derive *d)
{
	struct facts *facts = d->facts;
	if (d->first[KNOWN_SUBJECT] != NULL)
		facts->subject = derive_text(d, d->first[KNOWN_SUBJECT]);
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

void facts_derive(struct facts *facts)
{
	struct derive d = {.facts = facts, .list_addr = ""};
	fields_walk(&d);
	derive_from(&d);
	derive_envelope(&d);
	derive_ids(&d);
	derive_list(&d);
	derive_to(&d); /* after derive_list, for the list's address */
	subject_derive(&d);
	derive_content(&d);
	derive_machine(&d);
	template_derive(facts);
}
