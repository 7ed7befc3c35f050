/*
 * text.c: see text.h.
 */
#include <config.h>

#include "command/text.h"

#include <string.h>

#include <glib.h>

#include "base/str.h"

enum {
	FULL_CHARS = 60,       /* clients break lines at 65 to 78 characters */
	ATTRIBUTION_LINES = 3, /* "On Monday, 23 November 2026 at 08:00 / Pullyu <...> / wrote:" */
};

/* What stands in for a character; 0: nothing does. */
static gunichar plain_char(gunichar c)
{
	if (c == '\r')
		return 0;
	if (c == '\t' || (c >= 0x80 && g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR))
		return ' ';
	if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
		return '-';
	if (c == 0x2018 || c == 0x2019 || c == 0x201a || c == 0x201b || c == '`' || c == 0xb4)
		return '\'';
	if ((c >= 0x201c && c <= 0x201f) || c == 0xab || c == 0xbb)
		return '"';
	if (g_unichar_type(c) == G_UNICODE_FORMAT)
		return 0;
	return c;
}

char *text_plain(const char *text)
{
	GString *out = g_string_sized_new(strlen(text));
	char *valid = g_utf8_make_valid(text, -1);
	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = plain_char(g_utf8_get_char(p));
		if (c != 0)
			g_string_append_unichar(out, c);
	}
	g_free(valid);
	return g_string_free(out, FALSE);
}

char *text_fold(const char *text)
{
	char *folded = g_utf8_casefold(text, -1);
	char *apart = g_utf8_normalize(folded, -1, G_NORMALIZE_ALL);
	GString *out = g_string_new(NULL);
	for (const char *p = apart == NULL ? "" : apart; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (!g_unichar_ismark(c))
			g_string_append_unichar(out, c);
	}
	g_free(folded);
	g_free(apart);
	return g_string_free(out, FALSE);
}

void text_lines_split(const char *plain, struct text_lines *lines_out)
{
	char **raw = g_strsplit(plain, "\n", -1);
	size_t n = g_strv_length(raw);
	*lines_out = (struct text_lines){.rows = g_new0(struct text_line, n + 1)};
	for (size_t i = 0; i < n; i++) {
		struct text_line *line = &lines_out->rows[lines_out->n];
		char *text = str_trim(raw[i]);
		line->quoted = text[0] == '>';
		text += strspn(text, "> ");
		if (!line->quoted && strcmp(text, "--") == 0)
			break;
		line->text = g_strdup(text);
		line->full = g_utf8_strlen(text, -1) >= FULL_CHARS;
		lines_out->n++;
	}
	g_strfreev(raw);
}

void text_lines_clear(struct text_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		g_free(lines->rows[i].text);
	g_clear_pointer(&lines->rows, g_free);
	lines->n = 0;
}

/* Whether line i begins what a client puts over a quotation; *end_out is the line behind it. */
static bool attribution(const struct text_lines *lines, size_t i, size_t *end_out)
{
	size_t end = i;
	while (end < lines->n && !lines->rows[end].quoted && lines->rows[end].text[0] != '\0')
		end++;
	if (end - i > ATTRIBUTION_LINES || !g_str_has_suffix(lines->rows[end - 1].text, ":"))
		return false;
	size_t next = end;
	while (next < lines->n && !lines->rows[next].quoted && lines->rows[next].text[0] == '\0')
		next++;
	*end_out = next;
	return next < lines->n && lines->rows[next].quoted;
}

const char *text_first(const struct text_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		size_t end;
		if (lines->rows[i].quoted || lines->rows[i].text[0] == '\0')
			continue;
		if (!attribution(lines, i, &end))
			return lines->rows[i].text;
		i = end;
	}
	return NULL;
}
