/*
 * list_line.c: see list_line.h; list.h has the format.
 */
#include <config.h>

#include "policy/list_line.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"

enum { LINE_MAX_BYTES = 1000 };

#define EXAMPLES "right would be ann@example.org, @example.org, @.example.org or list:NAME"

/* Of what can be typed in two ways that look the same, one. False: too long. */
static bool compose(const char *text, char *out, size_t size)
{
	if (g_str_is_ascii(text)) /* nearly always, and in the path of every message */
		return str_copy(out, size, text);
	char *nfc = g_utf8_normalize(text, -1, G_NORMALIZE_NFC);
	bool fits = nfc != NULL && str_copy(out, size, nfc);
	g_free(nfc);
	return fits;
}

enum rc list_key_of_addr(const char *addr, bool extension, char out[ADDR_MAX], struct err *err)
{
	const struct addr_opts opts = {.delimiters = extension ? "" : "+"};
	char normal[ADDR_MAX];
	enum rc rc = addr_normalise(addr, &opts, normal, err);
	if (rc == RC_OK && !compose(normal, out, ADDR_MAX))
		rc = err_set(err, RC_PERM, "address too long");
	return rc;
}

enum rc list_key_of_list_id(const char *id, char out[LIST_KEY_MAX], struct err *err)
{
	size_t len = strlen(id);
	if (len >= 2 && id[0] == '<' && id[len - 1] == '>') {
		id++;
		len -= 2;
	}
	/* RFC 2919 section 2 limits it to 255 octets. What stands in the wild is not always a
	 * dot-atom, so anything goes that cannot be confused. */
	if (len == 0 || len > 255)
		return err_set(err, RC_PERM, "a List-Id has 1 to 255 bytes; " EXAMPLES);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)id[i] <= ' ' || id[i] == 0x7f || strchr("<>\"", id[i]) != NULL)
			return err_set(err, RC_PERM, "'%.60s' is no List-Id; " EXAMPLES, id);
	char lower[LIST_KEY_MAX];
	char *part = g_strndup(id, len);
	char *down = g_utf8_strdown(part, -1);
	bool fits = compose(down, lower, LIST_KEY_MAX - strlen("list:"));
	g_free(down);
	g_free(part);
	if (!fits)
		return err_set(err, RC_PERM, "a List-Id has 1 to 255 bytes; " EXAMPLES);
	snprintf(out, LIST_KEY_MAX, "list:%.*s", (int)(LIST_KEY_MAX - sizeof("list:")), lower);
	return RC_OK;
}

static enum rc key_of_domain(const char *at, char out[LIST_KEY_MAX], struct err *err)
{
	char domain[ADDR_MAX];
	bool below = at[1] == '.';
	if (addr_domain_normalise(at + (below ? 2 : 1), domain, sizeof(domain), NULL) != RC_OK)
		return err_set(err, RC_PERM, "'%.60s' is no domain; " EXAMPLES, at);
	snprintf(out, LIST_KEY_MAX, "@%s%s", below ? "." : "", domain);
	return RC_OK;
}

static enum rc key_of(char *s, char out[LIST_KEY_MAX], struct err *err)
{
	if (g_ascii_strncasecmp(s, "list:", 5) == 0)
		return list_key_of_list_id(str_trim(s + 5), out, err);
	if (*s == '@')
		return key_of_domain(s, out, err);
	if (*s == '\0')
		return err_set(err, RC_PERM, "no entry; " EXAMPLES);
	if (g_str_has_prefix(s, "*@")) /* a valid address, and never what was meant */
		return err_set(err, RC_PERM, "'%.80s': a whole domain is written %.80s", s, s + 1);
	if (list_key_of_addr(s, true, out, NULL) != RC_OK)
		return err_set(err, RC_PERM, "'%.80s' is no entry of a list; " EXAMPLES, s);
	return RC_OK;
}

/* ---- classes ---- */

static unsigned classes_of(enum list_kind kind)
{
	const unsigned never = 1U << CLASS_SECURITY | 1U << CLASS_CALENDAR | 1U << CLASS_BOUNCE;
	return LIST_EVERY_CLASS & ~(kind == LIST_HOLD ? never : 0);
}

void list_classes_format(unsigned classes, char out[LIST_CLASSES_MAX])
{
	size_t used = 0;
	out[0] = '\0';
	for (unsigned cls = 0; cls < CLASS_COUNT && classes != LIST_EVERY_CLASS; cls++)
		if ((classes & 1U << cls) != 0)
			used += (size_t)snprintf(out + used, LIST_CLASSES_MAX - used, "%s%s",
			    used == 0 ? ": " : ", ", class_name((enum class)cls));
}

static enum rc bad_class(enum list_kind kind, const char *word, struct err *err)
{
	char right[LIST_CLASSES_MAX];
	bool known = class_by_name(word) >= 0;
	/* Of all of them the last is left out: the set would be a plain entry's. */
	list_classes_format(classes_of(kind) & ~(1U << CLASS_BOUNCE), right);
	return err_set(err, RC_PERM,
	    known ? "mail of class '%.40s' is never held; behind the colon may stand%s"
		  : "'%.40s' is no class of mail; behind the colon may stand%s",
	    word, right + 1);
}

/* The words behind the colon. */
static enum rc read_classes(
    enum list_kind kind, const char *text, unsigned *classes_out, struct err *err)
{
	unsigned classes = 0;
	enum rc rc = RC_OK;
	char **words = g_strsplit(text, ",", -1);
	if (words[0] == NULL)
		rc = bad_class(kind, "", err);
	for (char **w = words; *w != NULL && rc == RC_OK; w++) {
		char *word = g_ascii_strdown(*w, -1);
		const char *name = str_trim(word);
		int cls = class_by_name(name);
		if (cls < 0 || (classes_of(kind) & 1U << cls) == 0)
			rc = bad_class(kind, name, err);
		else
			classes |= 1U << cls;
		g_free(word);
	}
	g_strfreev(words);
	if (rc == RC_OK)
		*classes_out = classes;
	return rc;
}

/* ---- lines ---- */

/* The colon in front of the classes, behind a List-Id. A List-Id may hold colons itself. */
static const char *colon_of_list(const char *s)
{
	unsigned unused;
	const char *id = s + strlen("list:");
	id += strspn(id, " \t");
	if (*id == '<' && strchr(id, '>') != NULL)
		return strchr(strchr(id, '>'), ':');
	for (const char *p = strchr(id, ':'); p != NULL; p = strchr(p + 1, ':'))
		if (p[1] == ' ' || p[1] == '\t' || p[1] == '\0')
			return p;
	const char *last = strrchr(id, ':');
	return last != NULL && read_classes(LIST_ALLOW, last + 1, &unused, NULL) == RC_OK ? last
											  : NULL;
}

/* The same behind an address or a domain: the first colon outside of quotes and brackets. */
static const char *colon_of_addr(const char *s)
{
	char until = '\0';
	for (; *s != '\0'; s++) {
		if (until == '"' && *s == '\\' && s[1] != '\0')
			s++;
		else if (until != '\0')
			until = *s == until ? '\0' : until;
		else if (*s == ':')
			return s;
		else if (*s == '"')
			until = '"';
		else if (*s == '<')
			until = '>';
		else if (*s == '[')
			until = ']';
	}
	return NULL;
}

/* Control characters, and what nobody sees and so nobody can look for. */
static enum rc check_characters(const char *text, struct err *err)
{
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (c >= ' ' && c < 0x7f)
			continue;
		GUnicodeType type = g_unichar_type(c);
		if (type == G_UNICODE_CONTROL && c != '\t')
			return err_set(err, RC_PERM, "control character 0x%02x", (unsigned)c);
		/* The two joiners belong to the spelling of some languages (RFC 5892, A.1). */
		if (type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR ||
		    (type == G_UNICODE_FORMAT && c != 0x200c && c != 0x200d))
			return err_set(err, RC_PERM,
			    "holds U+%04X, a character that cannot be seen: type it anew",
			    (unsigned)c);
	}
	return RC_OK;
}

/* Where the entry ends: a comment is cut off, and blanks. */
static size_t entry_end(const char *text)
{
	size_t end = strlen(text);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '#' && (p == text || p[-1] == ' ' || p[-1] == '\t')) {
			end = (size_t)(p - text);
			break;
		}
	}
	while (end > 0 && strchr(" \t\r\n", text[end - 1]) != NULL)
		end--;
	return end;
}

static enum rc read_entry(enum list_kind kind, char *text, struct list_line *line, struct err *err)
{
	char *s = text + line->start;
	bool list = g_ascii_strncasecmp(s, "list:", 5) == 0;
	enum rc rc = check_characters(s, err);
	if (rc != RC_OK)
		return rc;
	if (line->end - line->start >= LIST_ENTRY_MAX)
		return err_set(err, RC_PERM, "longer than %d bytes", LIST_ENTRY_MAX - 1);
	const char *colon = list ? colon_of_list(s) : colon_of_addr(s);
	line->key_end = colon == NULL ? line->end : (size_t)(colon - text);
	if (colon != NULL) {
		if (kind == LIST_NAMES)
			return err_set(
			    err, RC_PERM, "'%.80s': classes stand in allow and hold only", s);
		rc = read_classes(kind, colon + 1, &line->classes, err);
		if (rc != RC_OK)
			return rc;
	}
	while (line->key_end > line->start && strchr(" \t", text[line->key_end - 1]) != NULL)
		line->key_end--;
	text[line->key_end] = '\0';
	return key_of(s, line->key, err);
}

enum rc list_line_read(
    enum list_kind kind, const char *bytes, size_t len, struct list_line *line_out, struct err *err)
{
	char text[LINE_MAX_BYTES + 1];
	struct list_line line = {.key = "", .classes = LIST_EVERY_CLASS};
	if (len > LINE_MAX_BYTES)
		return err_set(err, RC_PERM, "line longer than %d bytes", LINE_MAX_BYTES);
	if (memchr(bytes, '\0', len) != NULL || !g_utf8_validate(bytes, (gssize)len, NULL))
		return err_set(err, RC_PERM, "not UTF-8");
	memcpy(text, bytes, len);
	text[len] = '\0';
	line.end = entry_end(text);
	text[line.end] = '\0';
	line.start = strspn(text, " \t\r\n");
	enum rc rc = RC_OK;
	if (line.start < line.end)
		rc = read_entry(kind, text, &line, err);
	if (rc == RC_OK)
		*line_out = line;
	return rc;
}

enum rc list_entry_normalise(
    enum list_kind kind, const char *in, char out[LIST_ENTRY_MAX], struct err *err)
{
	struct list_line line, again;
	char classes[LIST_CLASSES_MAX], text[LIST_KEY_MAX + LIST_CLASSES_MAX];
	enum rc rc = list_line_read(kind, in, strlen(in), &line, err);
	if (rc != RC_OK)
		return rc;
	if (line.key[0] == '\0')
		return err_set(err, RC_PERM, "no entry; " EXAMPLES);
	list_classes_format(line.classes, classes);
	snprintf(text, sizeof(text), "%s%s", line.key, classes);
	/* What a file would not give back is no entry. */
	if (in[line.end] != '\0' && strchr(in + line.end, '#') != NULL)
		return err_set(err, RC_PERM, "'%.80s': '#' would start a comment", in);
	if (list_line_read(kind, text, strlen(text), &again, NULL) != RC_OK ||
	    strcmp(again.key, line.key) != 0 || again.classes != line.classes)
		return err_set(err, RC_PERM, "'%.80s' cannot stand in a list", in);
	if (!str_copy(out, LIST_ENTRY_MAX, text))
		return err_set(err, RC_PERM, "longer than %d bytes", LIST_ENTRY_MAX - 1);
	return RC_OK;
}
