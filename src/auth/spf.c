/*
 * spf.c: SPF (RFC 7208) by libspf2. See auth.h.
 *
 * A zone file has lines "name|type|data" with types A, AAAA, MX ("10 host"), TXT, SPF, PTR; data
 * "!nxdomain", "!nodata" and "!tryagain" stand for those answers. Names that are not there do not
 * exist; a name that is there has no data of the types that are not. '#' starts a comment line.
 */
#include <config.h>

#include "auth/auth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/types.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include <glib.h>
#include <spf2/spf.h>
#include <spf2/spf_dns_zone.h>

#include "base/addr.h"
#include "base/fs.h"
#include "base/str.h"

enum { ZONE_MAX = 1024 * 1024 };

static const struct {
	const char *name;
	ns_type type;
} zone_types[] = {
    {"A", ns_t_a},
    {"AAAA", ns_t_aaaa},
    {"MX", ns_t_mx},
    {"TXT", ns_t_txt},
    {"SPF", ns_t_spf},
    {"PTR", ns_t_ptr},
};

static SPF_errcode_t zone_add(
    SPF_dns_server_t *zone, const char *name, ns_type type, const char *data)
{
	static const struct {
		const char *data;
		int herrno;
	} answers[] = {
	    {"!nxdomain", HOST_NOT_FOUND}, {"!nodata", NO_DATA}, {"!tryagain", TRY_AGAIN}};
	for (size_t i = 0; i < G_N_ELEMENTS(answers); i++)
		if (strcmp(data, answers[i].data) == 0)
			return SPF_dns_zone_add_str(zone, name, type, answers[i].herrno, NULL);
	return SPF_dns_zone_add_str(zone, name, type, NETDB_SUCCESS, data);
}

/* One line; seen: name to the bits of the types that it has. */
static enum rc zone_line(
    SPF_dns_server_t *zone, char *line, GHashTable *seen, const char *path, struct err *err)
{
	char *name = str_trim(line);
	if (*name == '\0' || *name == '#')
		return RC_OK;
	char *type = strchr(name, '|');
	char *data = type == NULL ? NULL : strchr(type + 1, '|');
	if (data == NULL)
		return err_set(err, RC_PERM, "%s: not name|type|data: %s", path, name);
	*type++ = '\0';
	*data++ = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(zone_types); i++) {
		if (g_ascii_strcasecmp(type, zone_types[i].name) != 0)
			continue;
		if (zone_add(zone, name, zone_types[i].type, data) != SPF_E_SUCCESS)
			return err_set(
			    err, RC_PERM, "%s: bad data: %s|%s|%s", path, name, type, data);
		guint types = GPOINTER_TO_UINT(g_hash_table_lookup(seen, name)) | 1U << i;
		g_hash_table_replace(seen, g_ascii_strdown(name, -1), GUINT_TO_POINTER(types));
		return RC_OK;
	}
	return err_set(err, RC_PERM, "%s: unknown type: %s|%s", path, name, type);
}

/* libspf2's zone says "no such host" of any pair of name and type that it lacks, and some versions
 * of libspf2 ask for type SPF before TXT: what is not there has to be said. */
static void zone_complete(SPF_dns_server_t *zone, GHashTable *seen)
{
	GHashTableIter iter;
	gpointer name, types;
	g_hash_table_iter_init(&iter, seen);
	while (g_hash_table_iter_next(&iter, &name, &types))
		for (size_t i = 0; i < G_N_ELEMENTS(zone_types); i++)
			if ((GPOINTER_TO_UINT(types) & 1U << i) == 0)
				SPF_dns_zone_add_str(zone, name, zone_types[i].type, NO_DATA, NULL);
}

static enum rc zone_load(const char *path, SPF_dns_server_t **zone_out, struct err *err)
{
	char *text = NULL, *next;
	size_t len;
	SPF_dns_server_t *zone = NULL;
	GHashTable *seen = NULL;
	enum rc rc = fs_read(path, ZONE_MAX, &text, &len, NULL, err);
	if (rc != RC_OK)
		return rc;
	zone = SPF_dns_zone_new(NULL, "zone", 0);
	seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (char *line = text; line != NULL && rc == RC_OK; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		rc = zone_line(zone, line, seen, path, err);
	}
	if (rc == RC_OK) {
		zone_complete(zone, seen);
		*zone_out = zone;
	} else {
		SPF_dns_free(zone);
	}
	g_hash_table_destroy(seen);
	g_free(text);
	return rc;
}

/* False if it is no address, or one that SPF has nothing to say about: libspf2 lets every sender
 * pass from a loopback address, where a content filter or a local program speaks. */
static bool set_client(SPF_request_t *request, const char *text)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (g_ascii_strncasecmp(text, "IPv6:", 5) ==
	    0) /* as the MTA's macros and literals have it */
		text += 5;
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		if (!IN6_IS_ADDR_V4MAPPED(&v6)) {
			SPF_request_set_ipv6(request, v6);
			return !SPF_request_is_loopback(request);
		}
		memcpy(&v4, v6.s6_addr + 12, sizeof(v4));
	} else if (inet_pton(AF_INET, text, &v4) != 1) {
		return false;
	}
	SPF_request_set_ipv4(request, v4);
	return !SPF_request_is_loopback(request);
}

/* False if there is no domain to ask about (RFC 7208 section 4.3). */
static bool set_names(SPF_request_t *request, const struct auth_spf_query *query)
{
	char helo[ADDR_MAX], sender[ADDR_MAX];
	bool helo_ok = addr_domain_normalise(query->helo, helo, sizeof(helo), NULL) == RC_OK &&
	    helo[0] != '[' && strchr(helo, '.') != NULL;
	if (query->envelope_from[0] == '\0') {
		if (!helo_ok)
			return false;
		g_snprintf(sender, sizeof(sender), "postmaster@%s", helo);
	} else if (addr_normalise(query->envelope_from, NULL, sender, NULL) != RC_OK ||
	    addr_domain(sender)[0] == '[') {
		return false;
	}
	return SPF_request_set_helo_dom(request, helo_ok ? helo : "unknown") == SPF_E_SUCCESS &&
	    SPF_request_set_env_from(request, sender) == SPF_E_SUCCESS;
}

/* libspf2 leaves the result INVALID where it gave up early; its errors tell why. */
static enum auth_spf why_invalid(SPF_response_t *response)
{
	enum auth_spf result = AUTH_SPF_NONE;
	int n = response == NULL ? 0 : SPF_response_messages(response);
	if (n == 0)
		return AUTH_SPF_TEMPERROR;
	for (int i = 0; i < n; i++) {
		SPF_errcode_t code = SPF_error_code(SPF_response_message(response, i));
		if (code == SPF_E_DNS_ERROR || code == SPF_E_NO_MEMORY ||
		    code == SPF_E_INTERNAL_ERROR)
			return AUTH_SPF_TEMPERROR;
		if (code != SPF_E_NOT_SPF)
			result = AUTH_SPF_PERMERROR;
	}
	return result;
}

static enum auth_spf translate(SPF_response_t *response)
{
	switch (response == NULL ? SPF_RESULT_INVALID : SPF_response_result(response)) {
	case SPF_RESULT_PASS:
		return AUTH_SPF_PASS;
	case SPF_RESULT_FAIL:
		return AUTH_SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return AUTH_SPF_SOFTFAIL;
	case SPF_RESULT_NEUTRAL:
		return AUTH_SPF_NEUTRAL;
	case SPF_RESULT_NONE:
		return AUTH_SPF_NONE;
	case SPF_RESULT_PERMERROR:
		return AUTH_SPF_PERMERROR;
	case SPF_RESULT_TEMPERROR:
		return AUTH_SPF_TEMPERROR;
	case SPF_RESULT_INVALID:
	default:
		return why_invalid(response);
	}
}

enum auth_spf auth_spf_check(
    const struct auth_spf_query *query, const char *dns_zone, struct err *err)
{
	SPF_dns_server_t *zone = NULL;
	SPF_request_t *request = NULL;
	SPF_response_t *response = NULL;
	enum auth_spf result = AUTH_SPF_TEMPERROR;
	if (dns_zone != NULL && zone_load(dns_zone, &zone, err) != RC_OK)
		return AUTH_SPF_TEMPERROR;
	SPF_server_t *server =
	    zone != NULL ? SPF_server_new_dns(zone, 0) : SPF_server_new(SPF_DNS_RESOLV, 0);
	if (server != NULL)
		request = SPF_request_new(server);
	if (request == NULL) {
		err_set(err, RC_TEMP, "libspf2 cannot be used");
	} else if (!set_client(request, query->client_ip) || !set_names(request, query)) {
		result = AUTH_SPF_NONE;
	} else {
		SPF_request_query_mailfrom(request, &response);
		result = translate(response);
		if (result == AUTH_SPF_TEMPERROR)
			err_set(err, RC_TEMP, "SPF of %s: %s", addr_domain(query->envelope_from),
			    response != NULL && SPF_response_messages(response) > 0
				? SPF_error_message(SPF_response_message(response, 0))
				: "no result");
	}
	if (response != NULL)
		SPF_response_free(response);
	if (request != NULL)
		SPF_request_free(request);
	/* A server made by SPF_server_new_dns leaves the zone to us. */
	bool zone_is_ours = server == NULL || !server->destroy_resolver;
	if (server != NULL)
		SPF_server_free(server);
	if (zone != NULL && zone_is_ours)
		SPF_dns_free(zone);
	return result;
}
