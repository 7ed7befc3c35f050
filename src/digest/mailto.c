/*
 * mailto.c: see mailto.h.
 */
#include <config.h>

#include "digest/mailto.h"

#include <string.h>

#include <glib.h>

static const char scheme[] = "mailto:";

/* NULL: not to be decoded, or with what no address and no header field has; g_free. */
static char *decoded(const char *text, size_t len, bool lines)
{
	char *out = g_uri_unescape_segment(text, text + len, NULL);
	for (const char *p = out; p != NULL && *p != '\0'; p++) {
		if (!g_ascii_iscntrl(*p) || (lines && (*p == '\r' || *p == '\n' || *p == '\t')))
			continue;
		g_free(out);
		return NULL;
	}
	return out;
}

static bool field_is_harmless(const char *field, size_t len)
{
	const char *sign = memchr(field, '=', len);
	size_t name_len = sign == NULL ? len : (size_t)(sign - field);
	char *name = decoded(field, name_len, false);
	bool body = name != NULL && g_ascii_strcasecmp(name, "body") == 0;
	bool good = body || (name != NULL && g_ascii_strcasecmp(name, "subject") == 0);
	char *value = sign == NULL ? NULL : decoded(sign + 1, len - name_len - 1, body);
	good = good && (sign == NULL || value != NULL);
	g_free(name);
	g_free(value);
	return good;
}

/* "?" and ";" divide fields for some mail clients, as "&" does for all. */
static bool fields_are_harmless(const char *fields)
{
	while (*fields != '\0') {
		size_t len = strcspn(fields, "?&;");
		if (len > 0 && !field_is_harmless(fields, len))
			return false;
		fields += len;
		fields += strspn(fields, "?&;");
	}
	return true;
}

bool mailto_recipient(const char *uri, char out[ADDR_MAX])
{
	char address[ADDR_MAX];
	if (g_ascii_strncasecmp(uri, scheme, strlen(scheme)) != 0)
		return false;
	const char *to = uri + strlen(scheme);
	size_t len = strcspn(to, "?");
	/* What divides recipients divides them before anything is decoded, and for some after. */
	char *text = decoded(to, len, false);
	bool good = text != NULL && strpbrk(text, ",;:<> \"()") == NULL && memchr(to, '@', len) &&
	    strchr(text, '@') == strrchr(text, '@') &&
	    addr_normalise(text, NULL, address, NULL) == RC_OK && fields_are_harmless(to + len);
	g_free(text);
	if (good)
		memcpy(out, address, sizeof(address));
	return good;
}

/* Case counts for nothing here: to refuse one link too many costs little. */
static bool same(const char *a, const char *b)
{
	char *folded_a = g_utf8_casefold(a, -1), *folded_b = g_utf8_casefold(b, -1);
	bool equal = strcmp(folded_a, folded_b) == 0;
	g_free(folded_a);
	g_free(folded_b);
	return equal;
}

/* "ann+x@example.org", and what else an extension can begin with: which of the characters it is
 * here, only the MTA knows. */
static bool is_user(const char *address, const char *user)
{
	const char *domain = addr_domain(user);
	if (domain[0] == '\0' || strcmp(addr_domain(address), domain) != 0)
		return false;
	size_t len = (size_t)(domain - user) - 1;
	if (strlen(address) <= len || g_ascii_isalnum(address[len]) || (address[len] & 0x80) != 0)
		return false;
	char *local = g_strndup(address, len), *own = g_strndup(user, len);
	bool is = same(local, own);
	g_free(local);
	g_free(own);
	return is;
}

bool mailto_is_own(const char *address, const char *user, const char *command_address)
{
	char own[ADDR_MAX], command[ADDR_MAX];
	if (user != NULL && addr_normalise(user, NULL, own, NULL) == RC_OK && is_user(address, own))
		return true;
	return command_address != NULL &&
	    addr_normalise(command_address, NULL, command, NULL) == RC_OK && same(address, command);
}
