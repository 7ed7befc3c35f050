/*
 * letter.c: see letter.h.
 */
#include <config.h>

#include "digest/letter.h"

#include <string.h>

#include <glib.h>
#include <libxml/HTMLparser.h>

/* ---- elements ---- */

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (g_ascii_strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool is_unread(const char *element)
{
	static const char *const names[] = {"head", "style", "script", "title", "template",
	    "noscript", "svg", "math", "object", "select", "textarea", "iframe", "audio", "video"};
	return is_one_of(element, names, G_N_ELEMENTS(names));
}

static bool is_inline(const char *element)
{
	static const char *const names[] = {"a", "abbr", "acronym", "b", "bdi", "bdo", "big",
	    "cite", "code", "em", "font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp",
	    "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"};
	return is_one_of(element, names, G_N_ELEMENTS(names));
}

/* ---- what a style hides ---- */

/* The value of a declaration in a style attribute without blanks; "" if there is none. The last one
 * counts. */
static const char *declared(const char *style, const char *name)
{
	size_t len = strlen(name);
	const char *found = "";
	for (const char *p = style; (p = strstr(p, name)) != NULL; p += len)
		if ((p == style || p[-1] == ';') && p[len] == ':')
			found = p + len + 1;
	return found;
}

static bool is_declared(const char *style, const char *name, const char *value)
{
	return g_str_has_prefix(declared(style, name), value);
}

static bool is_zero(const char *style, const char *name)
{
	char *end;
	const char *value = declared(style, name);
	double number = g_ascii_strtod(value, &end);
	return end != value && number > -0.01 && number < 0.01;
}

static bool is_far_away(const char *style, const char *name)
{
	return g_ascii_strtod(declared(style, name), NULL) < -400;
}

/* An element that does so hides all that is in it. */
static bool style_hides(const char *style)
{
	return is_declared(style, "display", "none") ||
	    is_declared(style, "visibility", "hidden") || is_declared(style, "mso-hide", "all") ||
	    is_declared(style, "color", "transparent") || is_zero(style, "opacity") ||
	    is_zero(style, "max-height") || is_zero(style, "max-width") ||
	    (is_declared(style, "overflow", "hidden") &&
		(is_zero(style, "height") || is_zero(style, "width"))) ||
	    is_far_away(style, "left") || is_far_away(style, "top") ||
	    is_far_away(style, "text-indent") || is_far_away(style, "margin-left");
}

/* Print too small to be read, unless an element inside makes it larger again: many programs lay out
 * whole letters in cells of "font-size: 0", lest the blanks between their elements show. */
static bool is_tiny(const char *style, bool outer)
{
	char *unit;
	const char *size = declared(style, "font-size"), *height = declared(style, "line-height");
	double number = g_ascii_strtod(size, &unit);
	bool tiny = outer;
	if (unit == size)
		tiny = outer && (size[0] == '\0' || g_str_has_prefix(size, "inherit"));
	else if (g_str_has_prefix(unit, "em") || unit[0] == '%')
		tiny = outer || number < 0.1;
	else
		tiny = number < (g_str_has_prefix(unit, "rem") ? 0.1 : 2);
	return tiny || (size[0] == '\0' && height[0] != '\0' && is_zero(style, "line-height"));
}

/* Lower case, without blanks; g_free. */
static char *style_of(xmlNode *node)
{
	xmlChar *style = xmlGetNoNsProp(node, BAD_CAST "style");
	GString *plain = g_string_new(NULL);
	for (const char *p = (const char *)style; p != NULL && *p != '\0'; p++)
		if (!g_ascii_isspace(*p))
			g_string_append_c(plain, g_ascii_tolower(*p));
	xmlFree(style);
	return g_string_free(plain, FALSE);
}

/* What print an element has is noted in it, for those inside. */
static bool is_hidden(xmlNode *node)
{
	char *style = style_of(node);
	xmlChar *aria = xmlGetNoNsProp(node, BAD_CAST "aria-hidden");
	bool outer = node->parent != NULL && node->parent->type == XML_ELEMENT_NODE &&
	    node->parent->_private != NULL;
	bool hidden = style_hides(style) ||
	    (aria != NULL && g_ascii_strcasecmp((const char *)aria, "true") == 0) ||
	    xmlHasProp(node, BAD_CAST "hidden") != NULL;
	node->_private = is_tiny(style, outer) ? node : NULL;
	xmlFree(aria);
	g_free(style);
	return hidden;
}

/* ---- what is quoted ---- */

static bool has_class(xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetNoNsProp(node, BAD_CAST "class");
	char **classes = g_strsplit_set(value == NULL ? "" : (const char *)value, " \t\r\n", -1);
	bool found = g_strv_contains((const char *const *)classes, name);
	g_strfreev(classes);
	xmlFree(value);
	return found;
}

/* Gmail and others after it wrap also "On Monday Ann wrote:" up with what they quote. */
static bool is_quote(xmlNode *node)
{
	static const char *const wraps[] = {"gmail_quote", "yahoo_quoted", "protonmail_quote"};
	if (g_ascii_strcasecmp((const char *)node->name, "blockquote") == 0)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(wraps); i++)
		if (has_class(node, wraps[i]))
			return true;
	return false;
}

/* ---- text of a page ---- */

struct page {
	GString *out;
	bool mark_quotes;
	const xmlNode *quote; /* the outermost quote that we are in; NULL: in none */
};

/* Line ends in the source of a page are blanks. */
static void put_text(struct page *page, const char *text)
{
	GString *out = page->out;
	if (page->quote != NULL && (out->len == 0 || out->str[out->len - 1] == '\n'))
		g_string_append(out, "> ");
	for (; *text != '\0'; text++)
		g_string_append_c(out, *text == '\n' || *text == '\r' ? ' ' : *text);
}

/* Whether to go on below this node. */
static bool visit(xmlNode *node, struct page *page)
{
	if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
		if (node->content != NULL && node->parent->_private == NULL)
			put_text(page, (const char *)node->content);
		return false;
	}
	if (node->type != XML_ELEMENT_NODE || is_unread((const char *)node->name) ||
	    is_hidden(node))
		return false;
	if (!is_inline((const char *)node->name))
		g_string_append_c(page->out, '\n');
	if (page->mark_quotes && page->quote == NULL && node->children != NULL && is_quote(node))
		page->quote = node;
	return true;
}

static void leave(const xmlNode *node, struct page *page)
{
	if (page->quote == node)
		page->quote = NULL;
	if (node->type == XML_ELEMENT_NODE && !is_inline((const char *)node->name))
		g_string_append_c(page->out, '\n');
}

/* Without recursion: a page may be nested as deep as it likes. */
static char *text_of(xmlNode *root, size_t max, bool mark_quotes)
{
	struct page page = {.out = g_string_new(NULL), .mark_quotes = mark_quotes};
	xmlNode *node = root;
	while (node != NULL && page.out->len < max) {
		if (visit(node, &page) && node->children != NULL) {
			node = node->children;
			continue;
		}
		while (node != root && node->next == NULL) {
			node = node->parent;
			leave(node, &page);
		}
		node = node == root ? NULL : node->next;
	}
	return g_string_free(page.out, FALSE);
}

char *letter_text(const char *html, size_t len, const char *charset, size_t max, bool mark_quotes)
{
	xmlDoc *doc = htmlReadMemory(html, (int)len, NULL, charset,
	    HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
		HTML_PARSE_COMPACT);
	xmlNode *root = doc == NULL ? NULL : xmlDocGetRootElement(doc);
	char *text = root == NULL ? g_strdup("") : text_of(root, max, mark_quotes);
	char *valid = g_utf8_make_valid(text, -1);
	g_free(text);
	if (doc != NULL)
		xmlFreeDoc(doc);
	return valid;
}
