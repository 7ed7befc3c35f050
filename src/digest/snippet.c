/*
 * snippet.c: see snippet.h. Lines of plain text and those of a page (letter.h) go through the same
 * sieve.
 */
#include <config.h>

#include "digest/snippet.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <libxml/HTMLparser.h>

#include "digest/clean.h"
#include "digest/letter.h"

enum {
	ENOUGH_BYTES = 2000,   /* of own words: far more than any snippet */
	PHRASE_LINE_MAX = 160, /* bytes; a longer line is no mere link to the web version */
	INTRODUCTION_LINES = 3,
};

/* ---- charsets ---- */

#define REPLACEMENT "\xEF\xBF\xBD"

/* As much as can be read; what cannot becomes U+FFFD. NULL: no such charset. */
static char *convert(const char *text, size_t len, const char *charset)
{
	iconv_t cd = iconv_open("UTF-8", charset);
	char *in = (char *)text, buffer[4096];
	GString *out = g_string_new(NULL);
	if (cd == (iconv_t)-1) {
		g_string_free(out, TRUE);
		return NULL;
	}
	while (len > 0) {
		char *to = buffer;
		size_t room = sizeof(buffer);
		size_t done = iconv(cd, &in, &len, &to, &room);
		int why = errno;
		g_string_append_len(out, buffer, to - buffer);
		if (done != (size_t)-1 || why == E2BIG)
			continue;
		if (why != EILSEQ)
			break; /* cut in the middle of a character */
		g_string_append(out, REPLACEMENT);
		in++;
		len--;
	}
	iconv_close(cd);
	return g_string_free(out, FALSE);
}

static bool names_nothing(const char *charset)
{
	static const char *const names[] = {
	    "", "us-ascii", "ascii", "utf-8", "utf8", "unknown-8bit", "x-unknown", "binary"};
	for (size_t i = 0; charset != NULL && i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strcasecmp(charset, names[i]) == 0)
			return true;
	return charset == NULL;
}

/* Whether text is UTF-8, if with a byte here and there that is none: of other charsets, hardly any
 * pair of bytes is a character. */
static bool is_mostly_utf8(const char *text, size_t len)
{
	size_t good = 0, bad = 0;
	for (const char *p = text, *end = text + len; p < end;) {
		gunichar c = *p == '\0' ? 0 : g_utf8_get_char_validated(p, end - p);
		bool is_bad = c == (gunichar)-1 || c == (gunichar)-2;
		good += !is_bad && c >= 0x80;
		bad += is_bad;
		p = is_bad || c == 0 ? p + 1 : g_utf8_next_char(p);
	}
	return bad == 0 || good > 2 * bad;
}

/* Valid UTF-8; g_free. Text that claims to be ASCII or UTF-8 and is neither is Windows-1252, as all
 * browsers take it. NUL ends nothing: it becomes a blank. */
static char *to_utf8(const char *text, size_t len, const char *charset)
{
	char *utf8 = names_nothing(charset) ? NULL : convert(text, len, charset);
	if (utf8 == NULL) {
		char *copy = g_malloc(len + 1);
		memcpy(copy, text, len);
		copy[len] = '\0';
		for (size_t i = 0; i < len; i++)
			if (copy[i] == '\0')
				copy[i] = ' ';
		utf8 = is_mostly_utf8(copy, len) ? g_utf8_make_valid(copy, (gssize)len)
						 : convert(copy, len, "WINDOWS-1252");
		g_free(copy);
	}
	char *valid = g_utf8_make_valid(utf8 == NULL ? "" : utf8, -1);
	g_free(utf8);
	return valid;
}

/* ---- the sieve ---- */

struct sieve {
	GPtrArray *lines; /* own; char * */
	size_t bytes;     /* of lines */
	guint paragraph;  /* index of the first line of the current one */
	guint before;     /* of the one before */
	bool done;
};

/* "View this email in your browser" and its like, which nobody reads: case-folded. */
static bool is_boilerplate(const char *line)
{
	static const char *const phrases[] = {"in your browser", "in a browser", "in browser",
	    "view online", "view this email", "view this letter", "web version", "webversion",
	    "trouble viewing", "can't see this", "can't read this", "does not support html",
	    "doesn't support html", "html-capable", "im browser", "online-version", "onlineversion",
	    "webansicht", "nicht richtig angezeigt", "nicht korrekt angezeigt", "in je browser",
	    "in uw browser", "in de browser", "online versie", "webversie", "bekijk online",
	    "dans votre navigateur", "dans le navigateur", "version en ligne", "version web",
	    "en su navegador", "en tu navegador", "en el navegador", "nel browser",
	    "nel tuo browser", "versione online", "no seu navegador", "no navegador",
	    ("w przegl\xC4\x85"
	     "darce"),
	    "add us to your address book", "skip to content", "nicht korrekt dargestellt",
	    "nicht richtig dargestellt", "displaying correctly", "displayed correctly",
	    "not support html", "email as html", "view the full email", "this newsletter online",
	    "do not reply to this", "reply above this line", "all rights reserved", "unsubscribe",
	    "newsletter abmelden", "uitschrijven", "afmelden", "d\xC3\xA9sabonner",
	    "d\xC3\xA9sinscrire", "begin pgp signed message"};
	if (strlen(line) > PHRASE_LINE_MAX)
		return false;
	char *folded = g_utf8_casefold(line, -1);
	bool found = false;
	for (size_t i = 0; i < G_N_ELEMENTS(phrases) && !found; i++)
		found = strstr(folded, phrases[i]) != NULL;
	g_free(folded);
	return found;
}

/* Where an address begins in a word, the brackets before it included; the end, if there is none. */
static size_t address_start(const char *word)
{
	static const char *const marks[] = {"://", "mailto:", "cid:", "www."};
	size_t start = strlen(word);
	for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
		const char *mark = strstr(word, marks[i]);
		size_t at = mark == NULL ? start : (size_t)(mark - word);
		while (i == 0 && mark != NULL && at > 0 && g_ascii_isalpha(word[at - 1]))
			at--; /* the scheme */
		bool begins = at == 0 || strchr("([<\"'", word[at - 1]) != NULL;
		if (mark != NULL && at < start && (begins || i == 0))
			start = at;
	}
	if (word[start] != '\0')
		while (start > 0 && strchr("([<\"'", word[start - 1]) != NULL)
			start--;
	return start;
}

/* "**", "(" and what a decoder left of padding: they frame words, and say nothing. */
static bool is_frame(const char *word, size_t len)
{
	for (const char *p = word; p < word + len; p = g_utf8_next_char(p))
		if (*p == '\0' || (strchr("()[]*#=_~", *p) == NULL && g_utf8_get_char(p) != 0xFFFD))
			return false;
	return true;
}

/* Without an address and without the signs that make text fat; of "[the shop](https://...)" the
 * words stay. */
static void put_word(GString *out, const char *word)
{
	size_t len = address_start(word);
	if (word[len] != '\0' && len > 0 && word[len - 1] == ']') {
		char *open = strrchr(out->str, '[');
		len--;
		if (memchr(word, '[', len) == NULL && open != NULL)
			g_string_erase(out, open - out->str, 1);
		else if (word[0] == '[')
			word++, len--;
	}
	for (; len > 0 && strchr("*)]>", *word) != NULL; len--)
		word++;
	while (len > 0 && word[len - 1] == '*')
		len--;
	if (len > 0 && !is_frame(word, len))
		g_string_append_printf(out, "%s%.*s", out->len > 0 ? " " : "", (int)len, word);
}

static bool has_word(const char *text)
{
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
		if (g_unichar_isalnum(g_utf8_get_char(p)))
			return true;
	return false;
}

/* Without addresses and "[image: ...]"; NULL if no word is left; g_free. */
static char *own_words(const char *line)
{
	GString *out = g_string_new(NULL);
	char **words = g_strsplit(line, " ", -1);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (g_ascii_strncasecmp(words[i], "[image:", 7) == 0)
			while (words[i + 1] != NULL && strchr(words[i], ']') == NULL)
				i++;
		else
			put_word(out, words[i]);
	}
	g_strfreev(words);
	bool kept = has_word(out->str) && !is_boilerplate(out->str);
	return g_string_free(out, !kept);
}

static void next_paragraph(struct sieve *sieve)
{
	if (sieve->lines->len > sieve->paragraph)
		sieve->before = sieve->paragraph;
	sieve->paragraph = sieve->lines->len;
}

/* "On Monday Ann wrote:", which may take several lines, and an empty one. */
static void drop_introduction(struct sieve *sieve)
{
	guint n = sieve->lines->len;
	guint first = n > sieve->paragraph ? sieve->paragraph : sieve->before;
	const char *last = n == 0 ? "" : sieve->lines->pdata[n - 1];
	if (n > first && n - first <= INTRODUCTION_LINES && g_str_has_suffix(last, ":"))
		g_ptr_array_set_size(sieve->lines, (gint)first);
}

static void sieve_line(struct sieve *sieve, const char *line)
{
	char *clean;
	if (line[0] == '>') {
		drop_introduction(sieve);
		sieve->before = sieve->paragraph = sieve->lines->len;
		return;
	}
	if (strcmp(line, "-- ") == 0) { /* a signature (RFC 3676 section 4.3) */
		sieve->done = true;
		return;
	}
	clean = clean_text(line, ENOUGH_BYTES);
	if (clean[0] == '\0')
		next_paragraph(sieve);
	char *words = own_words(clean);
	g_free(clean);
	if (words == NULL)
		return;
	sieve->bytes += strlen(words);
	sieve->done = sieve->bytes > ENOUGH_BYTES;
	g_ptr_array_add(sieve->lines, words);
}

/* text: valid UTF-8. */
static char *sieve_text(const char *text, size_t max_columns)
{
	struct sieve sieve = {.lines = g_ptr_array_new_with_free_func(g_free)};
	for (const char *p = text; *p != '\0' && !sieve.done;) {
		size_t len = strcspn(p, "\n");
		size_t n = len > 0 && p[len - 1] == '\r' ? len - 1 : len;
		char *line = g_strndup(p, MIN(n, CLEAN_IN_MAX));
		char *valid = g_utf8_make_valid(line, -1);
		sieve_line(&sieve, valid);
		g_free(valid);
		g_free(line);
		p += len + (p[len] == '\n');
	}
	g_ptr_array_add(sieve.lines, NULL);
	char *all = g_strjoinv(" ", (char **)sieve.lines->pdata);
	char *snippet = clean_text(all, max_columns);
	g_free(all);
	g_ptr_array_free(sieve.lines, TRUE);
	return snippet;
}

/* ---- pages ---- */

static char *lines_of_page(const char *html, size_t len, const char *charset, bool mark_quotes)
{
	/* Without a charset in the MIME header the page's own <meta> counts: libxml2 finds it. */
	bool named = !names_nothing(charset);
	char *utf8 = NULL;
	len = MIN(len, SNIPPET_HTML_BYTES);
	if (named || is_mostly_utf8(html, len))
		utf8 = to_utf8(html, len, charset);
	char *text = utf8 == NULL
	    ? letter_text(html, len, NULL, SNIPPET_TEXT_BYTES, mark_quotes)
	    : letter_text(utf8, strlen(utf8), "UTF-8", SNIPPET_TEXT_BYTES, mark_quotes);
	g_free(utf8);
	return text;
}

char *snippet_lines_of_html(const char *html, size_t len, const char *charset)
{
	return lines_of_page(html, len, charset, true);
}

/* Quotes count here: many a letter frames its own words as one. */
char *snippet_from_html(const char *html, size_t len, const char *charset, size_t max_columns)
{
	char *lines = lines_of_page(html, len, charset, false);
	char *snippet = sieve_text(lines, max_columns);
	g_free(lines);
	return snippet;
}

/* ---- text that is no plain text ---- */

/* "&rsquo;" and "&#847;": some programs make the text form of a letter from its page and forget
 * these. g_free. */
static char *without_references(const char *text)
{
	GString *out = g_string_new(NULL);
	for (const char *p = text; *p != '\0'; p++) {
		char name[12];
		size_t len = *p == '&' ? strcspn(p + 1, "; \n&") : 0;
		const htmlEntityDesc *entity = NULL;
		gunichar c = 0;
		if (len > 0 && len < sizeof(name) && p[1 + len] == ';') {
			g_strlcpy(name, p + 1, len + 1);
			entity = name[0] == '#' ? NULL : htmlEntityLookup(BAD_CAST name);
			c = entity != NULL   ? entity->value
			    : name[0] != '#' ? 0
					     : (gunichar)g_ascii_strtoull(name + 1, NULL, 10);
		}
		if (c == 0 || !g_unichar_validate(c)) {
			g_string_append_c(out, *p);
			continue;
		}
		g_string_append_unichar(out, c);
		p += len + 1;
	}
	return g_string_free(out, FALSE);
}

/* A page that is sent as its own text form. */
static bool is_page(const char *text)
{
	static const char *const tags[] = {"<html", "<body", "<table", "<div", "<br>", "<br/>",
	    "<br />", "<p>", "</a>", "</span>"};
	char *lower = g_ascii_strdown(text, -1);
	size_t n = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(tags) && n < 2; i++)
		for (const char *p = lower; n < 2 && (p = strstr(p, tags[i])) != NULL; p++)
			n++;
	g_free(lower);
	return n == 2;
}

char *snippet_lines_of_text(const char *text, size_t len, const char *charset)
{
	return to_utf8(text, MIN(len, SNIPPET_TEXT_BYTES), charset);
}

char *snippet_from_text(const char *text, size_t len, const char *charset, size_t max_columns)
{
	char *utf8 = snippet_lines_of_text(text, len, charset), *snippet;
	if (is_page(utf8)) {
		snippet = snippet_from_html(utf8, strlen(utf8), "utf-8", max_columns);
	} else {
		char *plain = without_references(utf8);
		snippet = sieve_text(plain, max_columns);
		g_free(plain);
	}
	g_free(utf8);
	return snippet;
}
