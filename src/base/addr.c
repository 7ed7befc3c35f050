/*
 * addr.c: see addr.h.
 */
#include <config.h>

#include "base/addr.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>
#include <idn2.h>

#include "base/str.h"

enum { DOMAIN_MAX = 253, LOCAL_MAX = 64, PATH_PLAIN_MAX = 200 };

static bool is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static bool domain_chars_ok(const char *s)
{
	size_t label = 0;
	if (*s == '[') /* address literal, RFC 5321 section 4.1.3 */
		return s[1] != '\0' && s[strspn(s + 1, "0123456789abcdefipv.:") + 1] == ']' &&
		    s[strspn(s + 1, "0123456789abcdefipv.:") + 2] == '\0';
	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (g_ascii_isalnum(*s) || *s == '-' || *s == '_') {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0;
}

enum rc addr_domain_normalise(const char *in, char *out, size_t size, struct err *err)
{
	char lower[DOMAIN_MAX + 2];
	size_t len = strlen(in);
	if (len > 0 && in[len - 1] == '.')
		len--; /* the root's dot */
	if (len == 0 || len > DOMAIN_MAX)
		return err_set(err, RC_PERM, "no domain name: %.80s", in);
	memcpy(lower, in, len);
	lower[len] = '\0';
	if (is_ascii(lower)) {
		for (char *p = lower; *p != '\0'; p++)
			*p = g_ascii_tolower(*p);
	} else {
		char *ascii = NULL;
		int result = IDN2_ENCODING_ERROR;
		if (g_utf8_validate(lower, -1, NULL))
			result =
			    idn2_to_ascii_8z(lower, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
		if (result != IDN2_OK)
			return err_set(
			    err, RC_PERM, "no domain name: %.80s: %s", in, idn2_strerror(result));
		bool fits = str_copy(lower, sizeof(lower), ascii);
		idn2_free(ascii);
		if (!fits)
			return err_set(err, RC_PERM, "domain name too long: %.80s", in);
	}
	if (!domain_chars_ok(lower))
		return err_set(err, RC_PERM, "no domain name: %.80s", in);
	if (strlen(lower) >= size)
		return err_set(err, RC_PERM, "domain name too long: %.80s", in);
	strcpy(out, lower);
	return RC_OK;
}

/* RFC 5322 section 3.2.3 atext, plus UTF-8 (RFC 6531 section 3.3). */
static bool is_atext(char c)
{
	return g_ascii_isalnum(c) || (unsigned char)c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_string(const char *s)
{
	bool atom = false;
	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (!atom)
				return false;
			atom = false;
		} else if (is_atext(*s)) {
			atom = true;
		} else {
			return false;
		}
	}
	return atom;
}

/* Reads the quoted string at *p up to its closing quote; *p then stands behind it. */
static bool unquote(const char **p, GString *local)
{
	const char *s = *p + 1;
	for (; *s != '"'; s++) {
		if (*s == '\\')
			s++;
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
		g_string_append_c(local, *s);
	}
	*p = s + 1;
	return true;
}

/* RFC 5321 section 4.1.2: a Local-part is quoted only where it must be, so that the two
 * spellings of one mailbox give one key. */
static void requote(GString *local)
{
	if (is_dot_string(local->str))
		return;
	GString *quoted = g_string_new("\"");
	for (const char *s = local->str; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *s);
	}
	g_string_append_c(quoted, '"');
	g_string_assign(local, quoted->str);
	g_string_free(quoted, TRUE);
}

static void local_normalise(GString *local, const struct addr_opts *opts)
{
	if (opts != NULL && opts->delimiters != NULL && opts->delimiters[0] != '\0' &&
	    local->len > 0) {
		size_t at = 1 + strcspn(local->str + 1, opts->delimiters);
		g_string_truncate(local, at);
	}
	if (opts == NULL || !opts->keep_case) {
		if (is_ascii(local->str)) {
			g_string_ascii_down(local);
		} else {
			char *lower = g_utf8_strdown(local->str, -1);
			g_string_assign(local, lower);
			g_free(lower);
		}
	}
}

enum rc addr_normalise(
    const char *in, const struct addr_opts *opts, char out[ADDR_MAX], struct err *err)
{
	char copy[1024];
	char domain[DOMAIN_MAX + 2];
	GString *local = NULL;
	enum rc rc = RC_PERM;
	if (!str_copy(copy, sizeof(copy), in))
		return err_set(err, RC_PERM, "address too long");
	char *s = str_trim(copy);
	size_t len = strlen(s);
	if (len >= 2 && s[0] == '<' && s[len - 1] == '>') {
		s[len - 1] = '\0';
		s++;
	}
	/* RFC 5321 section 4.1.2: a source route must be accepted and should be ignored. */
	if (*s == '@' && strchr(s, ':') != NULL)
		s = strchr(s, ':') + 1;
	if (!g_utf8_validate(s, -1, NULL))
		return err_set(err, RC_PERM, "no address (not UTF-8): %.80s", in);
	const char *p = s;
	local = g_string_new(NULL);
	bool quoted = *p == '"';
	if (quoted) {
		if (!unquote(&p, local))
			goto bad;
	} else {
		size_t n = strcspn(p, "@");
		g_string_append_len(local, p, (gssize)n);
		p += n;
		if (!is_dot_string(local->str))
			goto bad;
	}
	if (*p != '@' || local->len == 0 || strchr(p + 1, '@') != NULL)
		goto bad;
	if (addr_domain_normalise(p + 1, domain, sizeof(domain), err) != RC_OK)
		goto out;
	if (!quoted || is_dot_string(local->str))
		local_normalise(local, opts);
	else if (opts == NULL || !opts->keep_case)
		local_normalise(local, NULL);
	requote(local);
	if (local->len > LOCAL_MAX)
		goto bad;
	g_string_append_c(local, '@');
	g_string_append(local, domain); /* both are within their bounds: it fits */
	memcpy(out, local->str, local->len + 1);
	rc = RC_OK;
	goto out;
bad:
	err_set(err, RC_PERM, "no address: %.80s", in);
out:
	g_string_free(local, TRUE);
	return rc;
}

const char *addr_domain(const char *address)
{
	const char *at = strrchr(address, '@');
	return at == NULL ? "" : at + 1;
}

bool addr_domain_within(const char *domain, const char *parent)
{
	size_t d = strlen(domain), p = strlen(parent);
	if (p == 0 || d < p || strcmp(domain + d - p, parent) != 0)
		return false;
	return d == p || domain[d - p - 1] == '.';
}

void addr_path(const char *part, size_t len, char out[ADDR_PATH_MAX])
{
	size_t used = 0;
	for (size_t i = 0; i < len && used <= PATH_PLAIN_MAX; i++) {
		char c = part[i];
		bool plain = g_ascii_isalnum(c) || (c != '\0' && strchr("-_+=", c) != NULL) ||
		    (c == '.' && i > 0);
		if (plain)
			out[used++] = c;
		else
			used += (size_t)snprintf(out + used, 4, "%%%02X", (unsigned char)c);
	}
	if (len == 0)
		used = (size_t)snprintf(out, 2, "%%");
	if (used > PATH_PLAIN_MAX) {
		char *sum =
		    g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)part, len);
		used = 100; /* the beginning, for the eye; the checksum tells them apart */
		used += (size_t)snprintf(out + used, ADDR_PATH_MAX - used, "%%%s", sum);
		g_free(sum);
	}
	out[used] = '\0';
}

enum rc addr_unpath(const char *path, char *out, size_t size, struct err *err)
{
	size_t used = 0;
	char again[ADDR_PATH_MAX];
	if (strlen(path) > PATH_PLAIN_MAX || size < 1)
		return err_set(err, RC_PERM, "shortened path: %.80s", path);
	for (const char *p = path; *p != '\0'; p++) {
		if (used + 1 >= size)
			return err_set(err, RC_PERM, "path too long: %.80s", path);
		if (*p == '%' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			out[used++] =
			    (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]));
			p += 2;
		} else {
			out[used++] = *p;
		}
	}
	out[used] = '\0';
	/* Only what addr_path makes is a name of ours; "a%41" and stray directories are not. */
	addr_path(out, used, again);
	if (used == 0 || strcmp(again, path) != 0)
		return err_set(err, RC_PERM, "not one of our directory names: %.80s", path);
	return RC_OK;
}
