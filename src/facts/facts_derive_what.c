/*
 * facts_derive_what.c: what kind of thing it is: a list's mail, a report, a calendar message,
 * something that a machine made or a person handed in.
 */
#include <config.h>

#include "facts/facts_derive.h"

#include <string.h>

#include <glib.h>

#include "base/str.h"
#include "facts/facts_shape.h"

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
	const char *text = derive_text(d, body), *mailto = strcasestr(text, "mailto:");
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
		const char *text = derive_text(d, body);
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
	if (body != NULL && strcasestr(derive_text(d, body), "one-click") != NULL)
		facts_set(facts, FACT_ONE_CLICK);
}

void derive_list(struct derive *d)
{
	struct facts *facts = d->facts;
	const struct body *body = d->first[KNOWN_LIST_ID];
	char id[256];
	if (body != NULL && body->len > 0) {
		const char *text = derive_text(d, body), *open = strrchr(text, '<');
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

struct type_fact {
	const char *type; /* lower case */
	enum fact fact;
};

static void set_by_type(
    struct facts *facts, const char *type, const struct type_fact *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(type, rows[i].type) == 0)
			facts_set(facts, rows[i].fact);
}

static void report_derive(struct facts *facts, const char *params)
{
	static const struct type_fact rows[] = {
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
	set_by_type(facts, type, rows, G_N_ELEMENTS(rows));
}

void derive_content(struct derive *d)
{
	struct facts *facts = d->facts;
	const struct body *body = d->first[KNOWN_CONTENT_TYPE];
	char type[128], param[64];
	static const struct type_fact rows[] = {
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
	set_by_type(facts, type, rows, G_N_ELEMENTS(rows));
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

void derive_machine(struct derive *d)
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
		if (shape_is_web_account(d->last_received->bytes))
			facts_set(facts, FACT_WEB_ACCOUNT);
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
