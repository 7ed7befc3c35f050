/*
 * address.c: see address.h.
 */
#include <config.h>

#include "command/address.h"

#include <string.h>

#include <glib.h>

bool command_address_for(const char *template, const char *user, char out[ADDR_MAX])
{
	const char *domain = addr_domain(user);
	if (domain[0] == '\0')
		return false;
	GString *text = g_string_new(NULL);
	for (const char *p = template; *p != '\0'; p++) {
		if (p[0] == '%' && p[1] == 'u')
			g_string_append_len(text, user, domain - user - 1);
		else if (p[0] == '%' && p[1] == 'd')
			g_string_append(text, domain);
		else
			g_string_append_c(text, *p);
		p += p[0] == '%' && p[1] != '\0' ? 1 : 0;
	}
	bool good = addr_normalise(text->str, NULL, out, NULL) == RC_OK;
	g_string_free(text, TRUE);
	return good;
}

/* %u and %d stand for anything. There are two of them at most (conf/value.c), so that this ends
 * soon whatever a stranger writes. */
static bool matches(const char *template, const char *s, size_t len)
{
	for (; *template != '\0'; template ++, s++, len--) {
		if (template[0] == '%' && template[1] != '\0') {
			for (; len > 0; s++, len--)
				if (matches(template + 2, s, len))
					return true;
			return template[2] == '\0';
		}
		if (len == 0 || g_ascii_tolower(*template) != g_ascii_tolower(*s))
			return false;
	}
	return len == 0;
}

bool command_address_fits(const char *template, const char *rcpt)
{
	size_t len = strnlen(rcpt, ADDR_MAX + 1);
	if (len >= 2 && rcpt[0] == '<' && rcpt[len - 1] == '>') {
		rcpt++;
		len -= 2;
	}
	return len < ADDR_MAX && rcpt[0] != '@' && matches(template, rcpt, len);
}

bool command_address_is(const char *template, const char *user, const char *rcpt)
{
	char want[ADDR_MAX], got[ADDR_MAX];
	return command_address_fits(template, rcpt) && command_address_for(template, user, want) &&
	    addr_normalise(rcpt, NULL, got, NULL) == RC_OK && strcmp(want, got) == 0;
}
