/*
 * origin.c: see origin.h.
 */
#include <config.h>

#include "digest/origin.h"

#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "auth/auth.h"
#include "base/addr.h"
#include "digest/mailto.h"
#include "digest/originals.h"
#include "facts/facts.h"

enum { HOST_MAX = 253, URIS_MAX = 20 };

/* Printable ASCII that can stand in an attribute, in angle brackets and in a line of text. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7F || strchr("\"'<>\\^`{|}", text[i]) != NULL)
			return false;
	return len > 0 && len <= ORIGIN_URI_MAX;
}

/* A domain that says where the address leads: letters, digits, dots and hyphens alone. */
static char *domain_new(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!g_ascii_isalnum(text[i]) && text[i] != '.' && text[i] != '-')
			return NULL;
	return len == 0 || len > HOST_MAX ? NULL : g_ascii_strdown(text, (gssize)len);
}

/* RFC 3986 section 3.2; user information is there to mislead, so an address with it is not shown.
 * */
static char *https_domain(const char *uri, size_t len)
{
	const char *host = uri + strlen("https://");
	size_t n = strcspn(host, "/?#");
	if (n > len - strlen("https://"))
		n = len - strlen("https://");
	if (memchr(host, '@', n) != NULL)
		return NULL;
	const char *port = memchr(host, ':', n);
	return domain_new(host, port == NULL ? n : (size_t)(port - host));
}

/* No link writes to the reader himself: the mail would come from him, and be his command. */
static char *mailto_domain(const char *uri, const struct digest *digest)
{
	char address[ADDR_MAX];
	if (!mailto_recipient(uri, address) ||
	    mailto_is_own(address, digest->user, digest->command_address))
		return NULL;
	const char *domain = addr_domain(address);
	return domain_new(domain, strlen(domain));
}

static void offer(struct origin *origin, const char *uri, size_t len, char *domain, bool safe)
{
	if (domain == NULL)
		return;
	g_free(origin->unsubscribe_uri);
	g_free(origin->unsubscribe_domain);
	origin->unsubscribe_uri = g_strndup(uri, len);
	origin->unsubscribe_domain = domain;
	origin->unsubscribe_safe = safe;
}

static bool has_scheme(const char *uri, const char *scheme)
{
	return uri != NULL && g_ascii_strncasecmp(uri, scheme, strlen(scheme)) == 0;
}

/* The https address first in line that asks before it acts, else a mailto. */
static void consider(struct origin *origin, const struct digest *digest, const char *uri, bool asks)
{
	size_t len = strlen(uri);
	const char *have = origin->unsubscribe_uri;
	if (!is_plain(uri, len))
		return;
	if (has_scheme(uri, "https://") && (have == NULL || (asks && !has_scheme(have, "https:"))))
		offer(origin, uri, len, https_domain(uri, len), asks);
	else if (has_scheme(uri, "mailto:") && !origin->unsubscribe_safe)
		offer(origin, uri, len, mailto_domain(uri, digest), true);
}

/* List-Unsubscribe (RFC 2369): the first https address if it asks before it acts, as it must where
 * there is a List-Unsubscribe-Post (RFC 8058 section 3.1: to act is what POST is for); else the
 * first mailto; else the https address, which may act at once and is no link therefore. Blanks
 * between the brackets, where a long address was folded, count nothing (RFC 2369 section 2). */
static void read_unsubscribe(
    struct origin *origin, const struct digest *digest, const struct facts *facts)
{
	const struct facts_field *field = facts_field_find(facts, "list-unsubscribe");
	bool asks = facts_field_find(facts, "list-unsubscribe-post") != NULL;
	const char *p = field == NULL ? NULL : strchr(field->raw, '<');
	for (int n = 0; p != NULL && n < URIS_MAX; n++) {
		size_t len = strcspn(++p, ">");
		GString *uri = g_string_new(NULL);
		for (size_t i = 0; i < len && uri->len <= ORIGIN_URI_MAX; i++)
			if (!g_ascii_isspace(p[i]))
				g_string_append_c(uri, p[i]);
		if (p[len] == '>')
			consider(origin, digest, uri->str, asks);
		g_string_free(uri, TRUE);
		p = strchr(p, '<');
	}
}

static void fill(struct origin *origin, const struct digest *digest, const struct facts *facts)
{
	const char *domain = addr_domain(facts->from_addr);
	const char *oldest = facts->n_refs == 0 ? "" : facts->refs[facts->n_refs - 1];
	origin->message_id = g_strdup(facts->message_id);
	origin->thread = g_strdup(oldest);
	origin->parent = g_strdup(facts->n_refs == 0 ? "" : facts->refs[0]);
	origin->unverified = domain[0] != '\0' &&
	    auth_results_state(facts->auth_results, facts->n_auth_results, digest->authserv_ids,
		domain) == AUTH_FAIL;
	/* Who is not who he says wants to know which addresses are read. */
	if (!origin->unverified)
		read_unsubscribe(origin, digest, facts);
}

static void read_one(
    struct origin *origin, const struct digest *digest, const struct digest_entry *entry)
{
	struct facts *facts = facts_new();
	uint64_t header_len;
	struct err err;
	int fd = -1;
	if (original_open(digest, entry, &fd, &err) == RC_OK) {
		/* What cannot be read to its end yields fewer facts. */
		facts_read(facts, fd, &header_len, &err);
		close(fd);
	} else {
		facts_end(facts);
	}
	fill(origin, digest, facts);
	facts_free(&facts);
}

struct origin *origins_read(const struct digest *digest)
{
	struct origin *origins = g_new0(struct origin, MAX(digest->n_entries, 1));
	for (size_t i = 0; i < digest->n_entries; i++)
		read_one(&origins[i], digest, &digest->entries[i]);
	return origins;
}

void origins_free(struct origin **origins, size_t n)
{
	if (*origins == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		struct origin *origin = &(*origins)[i];
		g_free(origin->message_id);
		g_free(origin->parent);
		g_free(origin->thread);
		g_free(origin->unsubscribe_uri);
		g_free(origin->unsubscribe_domain);
	}
	g_free(*origins);
	*origins = NULL;
}
