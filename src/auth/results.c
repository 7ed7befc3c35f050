/*
 * results.c: Authentication-Results (RFC 8601). See auth.h.
 *
 * A field counts as a whole or not at all: one that a trusted server wrote and that cannot be read
 * to its end ends the reading of the fields below it too, for then somebody has had a hand in it.
 * One pass, no recursion, no allocation. More is read than RFC 8601 allows where servers are known
 * to write it: values with "/", "=" and "+" unquoted (header.b), "action=none" without a property
 * type, a semicolon at the end.
 */
#include <config.h>

#include "auth/auth.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "base/addr.h"

enum { KEYWORD_MAX = 64, VALUE_MAX = 400 };

enum method { METHOD_DKIM, METHOD_SPF, METHOD_DMARC, METHOD_COUNT };
static const char *const method_names[METHOD_COUNT] = {"dkim", "spf", "dmarc"};

/* What one field says by one method, or what counts in the end. */
struct tally {
	bool reported; /* the method stands there at all */
	bool about;    /* and speaks of the domain */
	bool pass, fail;
};

/* One result with the properties that tell what it is about. "" is absent. */
struct resinfo {
	int method;                                 /* -1: none of ours */
	char result[KEYWORD_MAX];                   /* lower case */
	char d[VALUE_MAX], i[VALUE_MAX];            /* header.d, header.i */
	char from[VALUE_MAX], mail_from[VALUE_MAX]; /* header.from, smtp.mailfrom */
	bool twice;                                 /* a property stands there twice */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Skips blanks and comments (RFC 5322 CFWS; comments nest). False if a comment does not end. */
static bool skip_cfws(const char **at)
{
	const char *p = *at;
	size_t depth = 0;
	for (; *p != '\0'; p++) {
		if (depth > 0 && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '(')
			depth++;
		else if (depth > 0 && *p == ')')
			depth--;
		else if (depth == 0 && !is_blank(*p))
			break;
	}
	*at = p;
	return depth == 0;
}

/* RFC 8601 Keyword, in lower case. */
static bool read_keyword(const char **at, char out[KEYWORD_MAX])
{
	size_t n = 0;
	const char *p = *at;
	for (; g_ascii_isalnum(*p) || *p == '-' || *p == '_'; p++) {
		if (n + 1 >= KEYWORD_MAX)
			return false;
		out[n++] = g_ascii_tolower(*p);
	}
	out[n] = '\0';
	*at = p;
	return n > 0;
}

/* A value: quoted strings and plain bytes up to a blank, a comment or a semicolon; may be empty.
 * False if a quoted string does not end. One that is too long for us is as good as none: "". */
static bool read_value(const char **at, char out[VALUE_MAX])
{
	size_t n = 0;
	bool quoted = false, too_long = false;
	const char *p = *at;
	for (; *p != '\0'; p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (!quoted && (is_blank(*p) || strchr(";()", *p) != NULL))
			break;
		if (n + 1 < VALUE_MAX)
			out[n++] = *p;
		else
			too_long = true;
	}
	out[too_long ? 0 : n] = '\0';
	*at = p;
	return !quoted;
}

/* ["/" version] "=": true if that stands here and the version, if any, is 1. */
static bool read_equals(const char **at, bool *version_known)
{
	if (!skip_cfws(at))
		return false;
	if (*at[0] == '/') {
		(*at)++;
		if (!skip_cfws(at) || !g_ascii_isdigit(**at))
			return false;
		*version_known = **at == '1' && !g_ascii_isdigit((*at)[1]);
		while (g_ascii_isdigit(**at))
			(*at)++;
		if (!skip_cfws(at))
			return false;
	}
	if (**at != '=')
		return false;
	(*at)++;
	return skip_cfws(at);
}

static void keep_property(
    struct resinfo *info, const char *type, const char *property, const char *value)
{
	const struct {
		const char *type, *property;
		char *slot;
	} slots[] = {
	    {"header", "d", info->d},
	    {"header", "i", info->i},
	    {"header", "from", info->from},
	    {"smtp", "mailfrom", info->mail_from},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(slots); i++) {
		if (strcmp(type, slots[i].type) != 0 || strcmp(property, slots[i].property) != 0)
			continue;
		info->twice = info->twice || slots[i].slot[0] != '\0';
		memcpy(slots[i].slot, value, strlen(value) + 1);
	}
}

/* reasonspec or propspec: NAME ["." PROPERTY] "=" VALUE. */
static bool read_property(const char **at, struct resinfo *info)
{
	char type[KEYWORD_MAX], property[KEYWORD_MAX] = "", value[VALUE_MAX];
	if (!read_keyword(at, type) || !skip_cfws(at))
		return false;
	if (**at == '.') {
		(*at)++;
		if (!skip_cfws(at) || !read_keyword(at, property) || !skip_cfws(at))
			return false;
	}
	if (**at != '=')
		return false;
	(*at)++;
	if (!skip_cfws(at) || !read_value(at, value))
		return false;
	keep_property(info, type, property, value);
	return true;
}

/* From behind the semicolon to the next one or the end. */
static bool read_resinfo(const char **at, struct resinfo *info)
{
	char method[KEYWORD_MAX];
	bool version_known = true;
	memset(info, 0, sizeof(*info));
	info->method = -1;
	if (!read_keyword(at, method))
		return false;
	const char *rest = *at;
	if (strcmp(method, "none") == 0 && skip_cfws(&rest) && (*rest == ';' || *rest == '\0')) {
		*at = rest;
		return true;
	}
	if (!read_equals(at, &version_known) || !read_keyword(at, info->result))
		return false;
	for (;;) {
		const char *before = *at;
		if (!skip_cfws(at))
			return false;
		if (**at == '\0' || **at == ';')
			break;
		if (*at == before || !read_property(at, info))
			return false;
	}
	for (int m = 0; m < METHOD_COUNT && version_known; m++)
		if (strcmp(method, method_names[m]) == 0)
			info->method = m;
	return !info->twice;
}

/* The domain of "user@domain", "<user@domain>", "@domain" or "domain", normalised; "" if none. */
static void domain_of(const char *value, char out[ADDR_MAX])
{
	char copy[VALUE_MAX];
	const char *at = strrchr(value, '@');
	g_strlcpy(copy, at == NULL ? value : at + 1, sizeof(copy));
	size_t len = strlen(copy);
	if (len > 0 && copy[len - 1] == '>')
		copy[len - 1] = '\0';
	if (addr_domain_normalise(copy[0] == '<' ? copy + 1 : copy, out, ADDR_MAX, NULL) != RC_OK)
		out[0] = '\0';
}

static void count_resinfo(const struct resinfo *info, const char *domain, struct tally *tally)
{
	char name[ADDR_MAX];
	bool pass = strcmp(info->result, "pass") == 0;
	/* "hardfail" is the name of RFC 5451. */
	bool fail = strcmp(info->result, "fail") == 0 || strcmp(info->result, "hardfail") == 0;
	bool aligned = false, about = false;
	switch ((enum method)info->method) {
	case METHOD_DKIM:
		/* header.i lies in header.d or below it (RFC 6376 section 3.5), so that what is
		 * within the one is within the other. A key for a bare top-level domain speaks for
		 * nobody. */
		domain_of(info->d[0] != '\0' ? info->d : info->i, name);
		aligned = strchr(name, '.') != NULL && addr_domain_within(domain, name);
		about = aligned || addr_domain_within(name, domain);
		fail = false; /* any hop may break a signature */
		break;
	case METHOD_SPF:
		domain_of(info->mail_from, name);
		aligned = about = addr_domain_within(name, domain);
		break;
	case METHOD_DMARC:
		domain_of(info->from, name);
		aligned = about = strcmp(name, domain) == 0;
		break;
	case METHOD_COUNT:
		break;
	}
	tally->reported = true;
	tally->about = tally->about || about;
	tally->pass = tally->pass || (aligned && pass);
	tally->fail = tally->fail || (aligned && fail);
}

/* The authserv-id and the version. False: not ours, or of a version that we do not know. */
static bool read_server(const char **at, const char *const *trusted)
{
	char id[VALUE_MAX];
	if (!skip_cfws(at) || !read_value(at, id) || id[0] == '\0')
		return false;
	for (; *trusted != NULL; trusted++)
		if (g_ascii_strcasecmp(*trusted, id) == 0)
			break;
	if (*trusted == NULL || !skip_cfws(at))
		return false;
	if (g_ascii_isdigit(**at)) {
		if (**at != '1' || g_ascii_isdigit((*at)[1]))
			return false;
		(*at)++;
	}
	return true;
}

/* Adds what the field says; false if it is a trusted server's and cannot be read. */
static bool read_field(const char *value, const char *const *trusted, const char *domain,
    struct tally total[METHOD_COUNT])
{
	struct tally field[METHOD_COUNT] = {{false, false, false, false}};
	struct resinfo info;
	const char *at = value;
	if (!read_server(&at, trusted))
		return true;
	/* A field that was cut may end in the middle of a domain name. */
	if (strlen(value) > AUTH_FIELD_MAX)
		return false;
	for (;;) {
		if (!skip_cfws(&at))
			return false;
		if (*at == '\0')
			break;
		if (*at != ';')
			return false;
		at++;
		if (!skip_cfws(&at))
			return false;
		if (*at == '\0')
			break;
		if (!read_resinfo(&at, &info))
			return false;
		if (info.method >= 0)
			count_resinfo(&info, domain, &field[info.method]);
	}
	for (int m = 0; m < METHOD_COUNT; m++)
		if (!total[m].reported)
			total[m] = field[m];
	return true;
}

static void read_all(const char *const *values, size_t n, const char *const *trusted,
    const char *domain, struct tally total[METHOD_COUNT])
{
	memset(total, 0, METHOD_COUNT * sizeof(total[0]));
	if (trusted == NULL || domain[0] == '\0')
		return;
	for (size_t i = 0; i < n && read_field(values[i], trusted, domain, total); i++)
		;
}

enum auth_state auth_results_state(
    const char *const *values, size_t n, const char *const *trusted, const char *domain)
{
	struct tally total[METHOD_COUNT];
	bool pass = false, fail = false, about = false;
	read_all(values, n, trusted, domain, total);
	for (int m = 0; m < METHOD_COUNT; m++) {
		pass = pass || total[m].pass;
		fail = fail || total[m].fail;
		about = about || total[m].about;
	}
	return pass ? AUTH_PASS : fail ? AUTH_FAIL : about ? AUTH_DOUBT : AUTH_ABSENT;
}

const char *auth_results_method(
    const char *const *values, size_t n, const char *const *trusted, const char *domain)
{
	static const enum method order[] = {METHOD_DMARC, METHOD_DKIM, METHOD_SPF};
	struct tally total[METHOD_COUNT];
	read_all(values, n, trusted, domain, total);
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		if (total[order[i]].pass)
			return method_names[order[i]];
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		if (total[order[i]].fail)
			return method_names[order[i]];
	return NULL;
}

bool auth_results_dkim(
    const char *const *values, size_t n, const char *const *trusted, const char *domain)
{
	struct tally total[METHOD_COUNT];
	read_all(values, n, trusted, domain, total);
	return total[METHOD_DKIM].pass;
}

enum auth_state auth_results_state_any(const char *const *values, size_t n,
    const char *const *trusted, const char *from, const char *envelope)
{
	enum auth_state a = auth_results_state(values, n, trusted, from);
	enum auth_state b = auth_results_state(values, n, trusted, envelope);
	if (a == AUTH_PASS || b == AUTH_PASS)
		return AUTH_PASS;
	if (a == AUTH_DOUBT || b == AUTH_DOUBT)
		return AUTH_DOUBT;
	return a == AUTH_FAIL || b == AUTH_FAIL ? AUTH_FAIL : AUTH_ABSENT;
}
