/*
 * value.c: see value.h. One function a type; each is strict, because what a C library's number
 * parser takes ("12abc", "010", "1e3") is not what the person meant.
 */
#include <config.h>

#include "conf/value.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/addr.h"
#include "base/str.h"
#include "conf/dates.h"
#include "conf/times.h"
#include "conf/zone.h"

enum { SUN_PATH_MAX = 107 }; /* sockaddr_un.sun_path without its NUL, unix(7) */

static bool is_string(enum conf_type type)
{
	switch (type) {
	case CONF_STRING:
	case CONF_PATH:
	case CONF_TEMPLATE:
	case CONF_SOCKET:
	case CONF_ADDRESS:
	case CONF_MAILBOX:
	case CONF_COMMAND:
	case CONF_ZONE:
	case CONF_LANGUAGE:
	case CONF_DOMAIN:
		return true;
	default:
		return false;
	}
}

static bool is_vector(enum conf_type type)
{
	return type == CONF_CHOICES || type == CONF_WORDS || type == CONF_DOMAINS;
}

size_t value_size(enum conf_type type)
{
	if (is_string(type))
		return sizeof(char *);
	if (is_vector(type))
		return sizeof(char **);
	switch (type) {
	case CONF_BOOL:
		return sizeof(bool);
	case CONF_CHOICE:
		return sizeof(int);
	case CONF_TIMES:
		return sizeof(struct times);
	case CONF_EXCEPTIONS:
		return sizeof(struct exceptions);
	case CONF_DATE:
		return sizeof(int32_t);
	case CONF_STAY:
		return sizeof(struct stay);
	default:
		return sizeof(int64_t);
	}
}

void value_clear(enum conf_type type, void *field)
{
	if (is_string(type))
		g_free(*(char **)field);
	else if (is_vector(type))
		g_strfreev(*(char ***)field);
	memset(field, 0, value_size(type));
}

void value_copy(enum conf_type type, const void *from, void *to)
{
	if (is_string(type))
		*(char **)to = g_strdup(*(char *const *)from);
	else if (is_vector(type))
		*(char ***)to = g_strdupv(*(char **const *)from);
	else
		memcpy(to, from, value_size(type));
}

/* The largest unit that leaves no rest: 604800 is "1w". */
static void unit_text(int64_t value, const char *units, const int64_t *factors, char out[32])
{
	size_t best = 0;
	for (size_t i = 0; units[i] != '\0'; i++)
		if (value != 0 && value % factors[i] == 0)
			best = i;
	snprintf(out, 32, "%lld%.1s", (long long)(value / factors[best]),
	    units[best] == ' ' ? "" : units + best);
}

static const int64_t size_factors[] = {1, 1024, 1024 * 1024, 1024 * 1024 * 1024};
static const int64_t time_factors[] = {1, 60, 3600, 86400, 604800};

static bool leading_zero(const char *text)
{
	return text[0] == '0' && g_ascii_isdigit(text[1]);
}

static enum rc parse_number(
    const struct conf_option *o, const char *text, int64_t *out, struct err *err)
{
	char low[32], high[32];
	bool ok = !leading_zero(text);
	if (o->type == CONF_NUMBER) {
		if (ok && str_number(text, o->min, o->max, out))
			return RC_OK;
		return err_set(err, RC_PERM, "'%.40s' is no number from %lld to %lld", text,
		    (long long)o->min, (long long)o->max);
	}
	if (o->type == CONF_SIZE) {
		if (ok && str_size(text, o->min, o->max, out))
			return RC_OK;
		unit_text(o->min, " kmg", size_factors, low);
		unit_text(o->max, " kmg", size_factors, high);
		return err_set(err, RC_PERM,
		    "'%.40s' is no size from %s to %s: a number of bytes, or with k, m or g", text,
		    low, high);
	}
	if (ok && str_duration(text, o->min, o->max, out))
		return RC_OK;
	unit_text(o->min, "smhdw", time_factors, low);
	unit_text(o->max, "smhdw", time_factors, high);
	return err_set(err, RC_PERM,
	    "'%.40s' is no time from %s to %s: a number with s, m, h, d or w", text, low, high);
}

static enum rc parse_msec(
    const struct conf_option *o, const char *text, int64_t *out, struct err *err)
{
	char digits[32];
	int64_t value = -1, seconds;
	size_t n = strspn(text, "0123456789");
	if (!leading_zero(text) && strcmp(text + n, "ms") == 0 && n < sizeof(digits)) {
		memcpy(digits, text, n);
		digits[n] = '\0';
		if (!str_number(digits, o->min, o->max, &value))
			value = -1;
	} else if (!leading_zero(text) && str_duration(text, 0, o->max / 1000, &seconds)) {
		value = seconds * 1000;
	}
	if (value < o->min || value > o->max)
		return err_set(err, RC_PERM,
		    "'%.40s' is no time from %lldms to %llds: a number with ms or s", text,
		    (long long)o->min, (long long)(o->max / 1000));
	*out = value;
	return RC_OK;
}

static enum rc parse_mode(
    const struct conf_option *o, const char *text, int64_t *out, struct err *err)
{
	int64_t mode = 0;
	size_t n = strspn(text, "01234567");
	if (text[n] != '\0' || n < 3 || n > 4 || (n == 4 && text[0] != '0'))
		return err_set(err, RC_PERM, "'%.40s' is no file mode like 0660", text);
	for (const char *p = text; *p != '\0'; p++)
		mode = mode * 8 + (*p - '0');
	if (mode < o->min || mode > o->max)
		return err_set(err, RC_PERM, "file mode %.40s is not from %04llo to %04llo", text,
		    (unsigned long long)o->min, (unsigned long long)o->max);
	*out = mode;
	return RC_OK;
}

/* Index of word among choices separated by blanks; -1 if it is none. */
static int choice_index(const char *choices, const char *word)
{
	int found = -1;
	char **names = g_strsplit(choices, " ", -1);
	for (int i = 0; names[i] != NULL && found < 0; i++)
		if (g_ascii_strcasecmp(names[i], word) == 0)
			found = i;
	g_strfreev(names);
	return found;
}

static enum rc no_choice(const char *word, const char *choices, struct err *err)
{
	return err_set(err, RC_PERM, "'%.40s' is none of: %s", word, choices);
}

static enum rc parse_choice(
    const struct conf_option *o, const char *text, int *out, struct err *err)
{
	int index = choice_index(o->choices, text);
	if (index < 0)
		return no_choice(text, o->choices, err);
	*out = index;
	return RC_OK;
}

/* One word of a list in its stored form, which the caller owns; NULL with err. */
static char *parse_word(const struct conf_option *o, const char *word, struct err *err)
{
	char domain[ADDR_MAX];
	if (word[0] == '\0') {
		err_set(err, RC_PERM, "nothing stands between two commas, or behind the last");
		return NULL;
	}
	if (o->type == CONF_CHOICES) {
		if (choice_index(o->choices, word) >= 0)
			return g_ascii_strdown(word, -1);
		no_choice(word, o->choices, err);
		return NULL;
	}
	if (o->type == CONF_DOMAINS) {
		if (addr_domain_normalise(word, domain, sizeof(domain), err) != RC_OK)
			return NULL;
		return g_strdup(domain);
	}
	if (strpbrk(word, " \t") != NULL) {
		err_set(err, RC_PERM, "'%.60s': words are separated by commas", word);
		return NULL;
	}
	return g_strdup(word);
}

static enum rc parse_vector(
    const struct conf_option *o, const char *text, char ***out, struct err *err)
{
	enum rc rc = RC_OK;
	GPtrArray *vector = g_ptr_array_new();
	char **words = g_strsplit(text, ",", -1);
	bool empty = words[0] == NULL || (words[1] == NULL && *g_strstrip(words[0]) == '\0');
	for (char **word = words; !empty && *word != NULL && rc == RC_OK; word++) {
		char *stored = parse_word(o, g_strstrip(*word), err);
		if (stored == NULL)
			rc = RC_PERM;
		else if (g_ptr_array_find_with_equal_func(vector, stored, g_str_equal, NULL))
			g_free(stored);
		else
			g_ptr_array_add(vector, stored);
	}
	g_strfreev(words);
	g_ptr_array_add(vector, NULL);
	char **result = (char **)g_ptr_array_free(vector, FALSE);
	if (rc == RC_OK)
		*out = result;
	else
		g_strfreev(result);
	return rc;
}

static enum rc check_template(const char *text, struct err *err)
{
	bool user = false, domain = false, home = false;
	if (text[0] != '/' && !g_str_has_prefix(text, "%h/") && strcmp(text, "%h") != 0)
		return err_set(
		    err, RC_PERM, "'%.60s' must be an absolute path, or begin with %%h/", text);
	for (const char *p = text; (p = strchr(p, '%')) != NULL; p += 2) {
		user = user || p[1] == 'u';
		domain = domain || p[1] == 'd';
		home = home || p[1] == 'h';
		if (p[1] == '\0' || strchr("udh", p[1]) == NULL || (p[1] == 'h' && p != text))
			return err_set(err, RC_PERM,
			    "'%.60s': %%d is the domain, %%u the local part, %%h the home "
			    "directory (only at the start); nothing else may follow a %%",
			    text);
	}
	/* Otherwise users would share one directory and change each other's settings. */
	if (!home && !(user && domain))
		return err_set(err, RC_PERM, "'%.60s' needs %%d and %%u, or %%h", text);
	return RC_OK;
}

/* smfi_setconn(): unix:path, local:path, inet:port@host, inet6:port@host. */
static enum rc check_socket(const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	const char *rest = colon == NULL ? "" : colon + 1;
	char port[8];
	int64_t unused;
	if (g_str_has_prefix(text, "unix:") || g_str_has_prefix(text, "local:")) {
		if (rest[0] == '/' && strlen(rest) <= SUN_PATH_MAX)
			return RC_OK;
		return err_set(err, RC_PERM,
		    "'%.60s': unix: wants an absolute path of at most %d "
		    "bytes",
		    text, SUN_PATH_MAX);
	}
	if (g_str_has_prefix(text, "inet:") || g_str_has_prefix(text, "inet6:")) {
		size_t n = strcspn(rest, "@");
		if (n < sizeof(port) && (rest[n] == '\0' || rest[n + 1] != '\0')) {
			memcpy(port, rest, n);
			port[n] = '\0';
			if (str_number(port, 1, 65535, &unused))
				return RC_OK;
		}
	}
	return err_set(err, RC_PERM,
	    "'%.60s' is no socket: unix:/path, inet:port@host or inet6:port@host", text);
}

static enum rc check_address(const char *text, struct err *err)
{
	char normal[ADDR_MAX];
	char *whole =
	    strchr(text, '@') != NULL ? g_strdup(text) : g_strdup_printf("%s@localhost", text);
	enum rc rc = addr_normalise(whole, NULL, normal, err);
	g_free(whole);
	if (rc == RC_OK && (text[0] == '<' || strpbrk(text, " \t") != NULL))
		rc = RC_PERM;
	if (rc != RC_OK)
		return err_set(err, RC_PERM, "'%.80s' is no address like ann@example.org", text);
	return RC_OK;
}

static enum rc check_command(const char *text, struct err *err)
{
	static const char user[] = "%u@%d";
	char normal[ADDR_MAX];
	unsigned n_user = 0, n_domain = 0, others = 0;
	if (strcmp(text, "none") == 0)
		return RC_OK;
	GString *tried = g_string_new(NULL);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p != '%') {
			others += *p < '!' || *p == '"' || *p == '<' || *p == 0x7f;
			g_string_append_c(tried, *p);
			continue;
		}
		p++;
		n_user += *p == 'u';
		n_domain += *p == 'd';
		others += *p != 'u' && *p != 'd';
		g_string_append(tried, *p == 'u' ? "u" : "example.org");
		if (*p == '\0')
			break;
	}
	bool good = n_user <= 1 && n_domain <= 1 && others == 0 &&
	    addr_normalise(tried->str, NULL, normal, NULL) == RC_OK;
	g_string_free(tried, TRUE);
	if (!good)
		return err_set(err, RC_PERM,
		    "'%.60s' is no address for commands; right would be: %%u+pullyu@%%d, "
		    "commands@example.org, or none",
		    text);
	/* Whatever people send to themselves would be read as a command. */
	if (strcmp(text, user) == 0)
		return err_set(err, RC_PERM,
		    "'%s' is each user's own address; right would be: %%u+pullyu@%%d", text);
	return RC_OK;
}

static enum rc check_mailbox(const char *text, struct err *err)
{
	const char *open = strchr(text, '<');
	size_t len = strlen(text);
	if (open == NULL)
		return check_address(text, err);
	char *inner = g_strndup(open + 1, len - (size_t)(open + 1 - text));
	bool ok = inner[0] != '\0' && inner[strlen(inner) - 1] == '>' &&
	    strpbrk(text, "\"\\(),:;[]") == NULL;
	if (ok) {
		inner[strlen(inner) - 1] = '\0';
		ok = strpbrk(inner, "<>") == NULL && check_address(inner, NULL) == RC_OK;
	}
	g_free(inner);
	if (!ok)
		return err_set(
		    err, RC_PERM, "'%.80s' is no mailbox like Ann Smith <ann@example.org>", text);
	return RC_OK;
}

/* RFC 5646 section 2.1, its outline: subtags of up to eight letters or digits, the first letters.
 */
static enum rc check_language(const char *text, struct err *err)
{
	size_t subtag = 0;
	bool first = true, ok = strlen(text) <= 35;
	for (const char *p = text; ok; p++) {
		if (*p == '-' || *p == '\0') {
			ok = subtag <= 8 && subtag >= (first ? 2U : 1U);
			first = false;
			subtag = 0;
			if (*p == '\0')
				break;
		} else {
			ok = first ? g_ascii_isalpha(*p) : g_ascii_isalnum(*p);
			subtag++;
		}
	}
	if (!ok)
		return err_set(err, RC_PERM, "'%.40s' is no language like en, nl or pt-BR", text);
	return RC_OK;
}

static enum rc check_string(const struct conf_option *o, const char *text, struct err *err)
{
	size_t len = strlen(text);
	if ((int64_t)len < o->min || (o->max > 0 && (int64_t)len > o->max)) {
		if (len == 0)
			return err_set(err, RC_PERM, "the value is missing");
		return err_set(err, RC_PERM, "'%.60s' must have %lld to %lld bytes", text,
		    (long long)o->min, (long long)o->max);
	}
	switch (o->type) {
	case CONF_PATH:
		if (text[0] != '/')
			return err_set(err, RC_PERM, "'%.80s' is no absolute path", text);
		return RC_OK;
	case CONF_TEMPLATE:
		return check_template(text, err);
	case CONF_SOCKET:
		return check_socket(text, err);
	case CONF_ADDRESS:
		return check_address(text, err);
	case CONF_MAILBOX:
		return check_mailbox(text, err);
	case CONF_COMMAND:
		return check_command(text, err);
	case CONF_ZONE:
		return zone_check(text, err);
	case CONF_LANGUAGE:
		return check_language(text, err);
	default:
		return RC_OK;
	}
}

static enum rc parse_string(
    const struct conf_option *o, const char *text, char **out, struct err *err)
{
	char domain[ADDR_MAX];
	if (text[0] == '\0' && o->dflt == NULL) {
		*out = NULL;
		return RC_OK;
	}
	enum rc rc = check_string(o, text, err);
	if (rc == RC_OK && o->type == CONF_DOMAIN)
		rc = addr_domain_normalise(text, domain, sizeof(domain), err);
	if (rc != RC_OK)
		return rc;
	char *stored = g_strdup(o->type == CONF_DOMAIN ? domain : text);
	size_t len = strlen(stored);
	while (o->type == CONF_PATH && len > 1 && stored[len - 1] == '/')
		stored[--len] = '\0';
	*out = stored;
	return RC_OK;
}

enum rc value_parse(
    const struct conf_option *option, const char *text, void *field_out, struct err *err)
{
	switch (option->type) {
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_DURATION:
		return parse_number(option, text, field_out, err);
	case CONF_MODE:
		return parse_mode(option, text, field_out, err);
	case CONF_MSEC:
		return parse_msec(option, text, field_out, err);
	case CONF_BOOL:
		if (str_bool(text, field_out))
			return RC_OK;
		return err_set(err, RC_PERM, "'%.40s' is neither yes nor no", text);
	case CONF_CHOICE:
		return parse_choice(option, text, field_out, err);
	case CONF_CHOICES:
	case CONF_WORDS:
	case CONF_DOMAINS:
		return parse_vector(option, text, field_out, err);
	case CONF_TIMES:
		return times_parse(text, field_out, err);
	case CONF_EXCEPTIONS:
		return exceptions_parse(text, field_out, err);
	case CONF_DATE:
		if (text[0] != '\0')
			return date_parse(text, field_out, err);
		*(int32_t *)field_out = 0;
		return RC_OK;
	case CONF_STAY:
		return stay_parse(text, field_out, err);
	default:
		return parse_string(option, text, field_out, err);
	}
}
