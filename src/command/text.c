/*
 * text.c: see text.h.
 */
#include <config.h>

#include "command/text.h"

#include <string.h>

#include <glib.h>

#include "base/str.h"

enum {
	FULL_CHARS = 60, /* clients break lines at 65 to 78 characters */
	FIELDS_ROWS = 8, /* from "From:" to "Sent:", with empty ones where HTML has paragraphs */
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

/* ---- links ---- */

/* What an entry and a link to it have in common: "shop.example" of "@shop.example", of
 * "list:shop.example" and of "http://shop.example/". *len_out bytes of word. */
static const char *core(const char *word, size_t *len_out)
{
	static const char *const leads[] = {"<", "mailto:", "http://", "https://", "list:", "@"};
	for (size_t i = 0; i < G_N_ELEMENTS(leads); i++)
		if (g_ascii_strncasecmp(word, leads[i], strlen(leads[i])) == 0)
			word += strlen(leads[i]);
	*len_out = strcspn(word, "<");
	while (*len_out > 0 && strchr("/>", word[*len_out - 1]) != NULL)
		(*len_out)--;
	return word;
}

bool text_is_link_to(const char *link, const char *word)
{
	size_t len, link_len;
	word = core(word, &len);
	link = core(link, &link_len);
	return len == link_len && g_ascii_strncasecmp(word, link, len) == 0;
}

/* ---- what is quoted without a mark ---- */

static bool is_among(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

/* Folded, without what frames it: "-----", "*"; g_free. */
static char *unframed(const char *text, size_t len)
{
	char *part = g_strndup(text, len), *folded = text_fold(part);
	char *start = folded + strspn(folded, "-_* ");
	size_t n = strlen(start);
	while (n > 0 && strchr("-_* ", start[n - 1]) != NULL)
		n--;
	char *out = g_strndup(start, n);
	g_free(part);
	g_free(folded);
	return out;
}

/* Whether the line is a field of one of these names, as clients translate them. */
static bool is_field(const struct text_line *line, const char *const *names)
{
	size_t len = strcspn(line->text, ":");
	if (line->quoted || line->text[len] == '\0' || len > FULL_CHARS)
		return false;
	char *name = unframed(line->text, len);
	bool found = is_among(name, names);
	g_free(name);
	return found;
}

/* Outlook, and phones: the message that is answered stands under the reply as it is. */
static bool begins_original(const struct text_lines *lines, size_t i)
{
	static const char *const titles[] = {"original message", "forwarded message",
	    "oorspronkelijk bericht", "origineel bericht", "doorgestuurd bericht",
	    "ursprungliche nachricht", "urspr. nachricht", "originalnachricht",
	    "original-nachricht", "weitergeleitete nachricht", "message d'origine",
	    "message original", "message initial", "message transfere", NULL};
	static const char *const from[] = {"from", "van", "von", "de", NULL};
	static const char *const sent[] = {
	    "sent", "date", "verzonden", "datum", "gesendet", "envoye", "envoye le", NULL};
	const struct text_line *rows = lines->rows;
	if (rows[i].text[0] == '-' && !rows[i].quoted) {
		char *title = unframed(rows[i].text, strlen(rows[i].text));
		bool found = is_among(title, titles);
		g_free(title);
		return found;
	}
	if (!is_field(&rows[i], from))
		return false;
	for (size_t j = i + 1; j < lines->n && j < i + FIELDS_ROWS; j++)
		if (is_field(&rows[j], sent))
			return true;
	return false;
}

static void quote_original(struct text_lines *lines)
{
	size_t i = 0;
	while (i < lines->n && !begins_original(lines, i))
		i++;
	for (; i < lines->n; i++)
		lines->rows[i].quoted = true;
}

/* ---- lines ---- */

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
	quote_original(lines_out);
}

void text_lines_clear(struct text_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		g_free(lines->rows[i].text);
	g_clear_pointer(&lines->rows, g_free);
	lines->n = 0;
}

/* "On Monday", "Op ma 23 nov.", "Am 23.11.", "Le lundi 23" or "2026-11-23 08:00": how clients begin
 * to say who wrote what they quote. */
static bool is_opening(const char *line)
{
	static const char *const words[] = {"on", "op", "am", "le", NULL};
	size_t len = strcspn(line, " ");
	char *word = g_ascii_strdown(line, (gssize)MIN(len, 3));
	bool found = g_ascii_isdigit(line[0]) || (line[len] == ' ' && is_among(word, words));
	g_free(word);
	return found;
}

/* Whether line i is in a paragraph that ends with what a client puts over a quotation. *start_out
 * is the first line of that, or i where it cannot be told; *end_out is the line behind it. */
static bool attribution(
    const struct text_lines *lines, size_t i, size_t *start_out, size_t *end_out)
{
	size_t end = i;
	while (end < lines->n && !lines->rows[end].quoted && lines->rows[end].text[0] != '\0')
		end++;
	if (end - i > ATTRIBUTION_LINES || !g_str_has_suffix(lines->rows[end - 1].text, ":"))
		return false;
	size_t next = end, start = i;
	while (next < lines->n && !lines->rows[next].quoted && lines->rows[next].text[0] == '\0')
		next++;
	while (start < end && !is_opening(lines->rows[start].text))
		start++;
	*start_out = start == end ? i : start;
	*end_out = next;
	return next < lines->n && lines->rows[next].quoted;
}

const struct text_line *text_next(const struct text_lines *lines, size_t *at, bool *doubtful_out)
{
	size_t i = *at, start, end;
	while (i < lines->n && (lines->rows[i].quoted || lines->rows[i].text[0] == '\0'))
		i++;
	if (i == lines->n)
		return NULL;
	*doubtful_out = attribution(lines, i, &start, &end) && start == i;
	*at = *doubtful_out ? end : i + 1;
	return &lines->rows[i];
}
