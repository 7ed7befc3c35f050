/*
 * facts_addr.c: address lists and parameters, read by loops only: a header nests as deep as its
 * sender likes, the stack does not.
 */
#include <config.h>

#include "facts/facts_private.h"

#include <string.h>

#include <glib.h>

enum { PHRASE_MAX = 1024, SPEC_MAX = 512 };

/* One element of the list in the making. Texts beyond the bounds are cut. */
struct element {
	char phrase[PHRASE_MAX]; /* display name, quotes removed */
	char spec[SPEC_MAX];     /* what stands outside of angle brackets, as it stands */
	char angle[SPEC_MAX];    /* what stands between them */
	char comment[PHRASE_MAX];
	size_t phrase_len, spec_len, angle_len, comment_len;
	bool has_angle;
};

static void element_clear(struct element *e)
{
	e->phrase_len = e->spec_len = e->angle_len = e->comment_len = 0;
	e->has_angle = false;
}

static void add(char *to, size_t *len, size_t size, char c)
{
	if (*len + 1 < size)
		to[(*len)++] = c;
}

static void add_phrase(struct element *e, char c)
{
	if (c != ' ' || (e->phrase_len > 0 && e->phrase[e->phrase_len - 1] != ' '))
		add(e->phrase, &e->phrase_len, sizeof(e->phrase), c);
}

static void add_spec(struct element *e, char c)
{
	if (c != ' ')
		add(e->spec, &e->spec_len, sizeof(e->spec), c);
}

/* Ends the element; returns whether it was a mailbox. */
static bool element_done(struct element *e, facts_mailbox_fn *fn, void *ctx, bool *go_on)
{
	while (e->phrase_len > 0 && e->phrase[e->phrase_len - 1] == ' ')
		e->phrase_len--;
	e->phrase[e->phrase_len] = e->spec[e->spec_len] = '\0';
	e->angle[e->angle_len] = e->comment[e->comment_len] = '\0';
	const char *addr = e->has_angle ? e->angle : e->spec;
	const char *name = e->has_angle && e->phrase_len > 0 ? e->phrase : e->comment;
	bool mailbox = strchr(addr, '@') != NULL;
	if (mailbox && *go_on && fn != NULL)
		*go_on = fn(ctx, name, addr);
	element_clear(e);
	return mailbox;
}

/* The closing quote of the quoted string at s, or NULL. */
static const char *quote_end(const char *s)
{
	for (s++; *s != '\0' && *s != '"'; s++)
		if (*s == '\\' && s[1] != '\0')
			s++;
	return *s == '"' ? s : NULL;
}

/* The parenthesis that closes the comment at s, nested ones counted, or NULL. */
static const char *comment_end(const char *s)
{
	size_t depth = 0;
	for (; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		else if (*s == '(')
			depth++;
		else if (*s == ')' && --depth == 0)
			return s;
	}
	return NULL;
}

static const char *take_quoted(struct element *e, const char *s, const char *end)
{
	add_spec(e, '"');
	for (s++; s < end; s++) {
		if (*s == '\\' && s + 1 < end)
			add_spec(e, *s++);
		add_phrase(e, *s);
		add(e->spec, &e->spec_len, sizeof(e->spec), *s);
	}
	add_spec(e, '"');
	return end;
}

static const char *take_comment(struct element *e, const char *s, const char *end)
{
	e->comment_len = 0; /* the last comment is the one with the name */
	for (s++; s < end; s++)
		if (*s != '\\')
			add(e->comment, &e->comment_len, sizeof(e->comment), *s);
	return end;
}

static const char *take_angle(struct element *e, const char *s)
{
	e->angle_len = 0;
	e->has_angle = true;
	for (s++; *s != '\0' && *s != '>'; s++)
		if (*s != ' ')
			add(e->angle, &e->angle_len, sizeof(e->angle), *s);
	return *s == '>' ? s : s - 1;
}

size_t facts_mailboxes(const char *list, facts_mailbox_fn *fn, void *ctx)
{
	struct element e;
	size_t count = 0;
	bool go_on = true, quotes_match = true, comments_match = true;
	element_clear(&e);
	for (const char *s = list; *s != '\0'; s++) {
		const char *end;
		if (*s == '"' && quotes_match) {
			end = quote_end(s);
			quotes_match = end != NULL; /* no later one can match either */
			if (end != NULL)
				s = take_quoted(&e, s, end);
		} else if (*s == '(' && comments_match) {
			end = comment_end(s);
			comments_match = end != NULL;
			if (end != NULL)
				s = take_comment(&e, s, end);
		} else if (*s == '<') {
			s = take_angle(&e, s);
		} else if (*s == ',' || *s == ';') {
			count += element_done(&e, fn, ctx, &go_on);
		} else if (*s == ':' && !e.has_angle && memchr(e.spec, '@', e.spec_len) == NULL) {
			element_clear(&e); /* the name of a group */
		} else if (*s != '"') {
			add_phrase(&e, *s);
			add_spec(&e, *s);
		}
	}
	return count + element_done(&e, fn, ctx, &go_on);
}

bool facts_param(const char *body, const char *name, char *out, size_t size)
{
	size_t name_len = strlen(name);
	const char *s = body;
	bool quotes_match = true;
	/* To each ";" outside of quotes in turn. */
	for (;;) {
		for (; *s != '\0' && *s != ';'; s++) {
			if (*s != '"' || !quotes_match)
				continue;
			const char *end = quote_end(s);
			quotes_match = end != NULL;
			if (end != NULL)
				s = end;
		}
		if (*s == '\0')
			return false;
		for (s++; *s == ' '; s++)
			;
		if (g_ascii_strncasecmp(s, name, name_len) != 0)
			continue;
		const char *p = s + name_len;
		while (*p == ' ')
			p++;
		if (*p != '=')
			continue;
		for (p++; *p == ' '; p++)
			;
		size_t n = 0;
		bool quoted = *p == '"';
		for (p += quoted; *p != '\0' && (quoted ? *p != '"' : strchr("; (", *p) == NULL);
		     p++)
			if (n + 1 < size)
				out[n++] = g_ascii_tolower(*p);
		out[n] = '\0';
		return true;
	}
}
