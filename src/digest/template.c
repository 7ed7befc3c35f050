/*
 * template.c: see template.h.
 */
#include <config.h>

#include "digest/template.h"

#include <string.h>
#include <sys/stat.h>

#include <glib.h>
#include <libxml/parser.h>

#include "base/fs.h"
#include "digest/html.h"
#include "digest/page.h"

struct page_template {
	xmlDoc *doc; /* own */
	char *style; /* own */
};

#define ROW(name, scope, foreign, type, field) \
	{ \
		name, scope, foreign, offsetof(struct type, field) \
	}

static const struct template_name names[] = {
    ROW("number", SCOPE_ENTRY, false, html_entry, number),
    ROW("subject", SCOPE_ENTRY, true, html_entry, subject),
    ROW("name", SCOPE_ENTRY, true, html_entry, name),
    ROW("address", SCOPE_ENTRY, true, html_entry, address),
    ROW("unverified", SCOPE_ENTRY, false, html_entry, unverified),
    ROW("count", SCOPE_ENTRY, false, html_entry, count),
    ROW("when", SCOPE_ENTRY, false, html_entry, when),
    ROW("snippet", SCOPE_ENTRY, true, html_entry, snippet),
    ROW("others", SCOPE_ENTRY, true, html_entry, others),
    ROW("attached", SCOPE_ENTRY, true, html_entry, attached),
    ROW("why", SCOPE_ENTRY, false, html_entry, why),
    ROW("unsubscribe", SCOPE_ENTRY, false, html_entry, unsubscribe.text),
    ROW("unsubscribe-address", SCOPE_ENTRY, false, html_entry, unsubscribe_address),
    ROW("links", SCOPE_ENTRY, false, html_entry, links),
    ROW("allow", SCOPE_ENTRY, false, html_entry, allow.text),
    ROW("hold", SCOPE_ENTRY, false, html_entry, hold.text),
    ROW("send", SCOPE_ENTRY, false, html_entry, send.text),
    ROW("group", SCOPE_GROUP, true, html_group, group),
    ROW("section", SCOPE_SECTION, false, html_section, section),
    ROW("section-count", SCOPE_SECTION, false, html_section, count),
    ROW("notice", SCOPE_NOTICE, true, html_notice, notice),
    ROW("suggestion", SCOPE_SUGGESTION, true, html_suggestion, suggestion),
    ROW("unsubscribe", SCOPE_SUGGESTION, false, html_suggestion, unsubscribe.text),
    ROW("unsubscribe-address", SCOPE_SUGGESTION, false, html_suggestion, unsubscribe_address),
    ROW("subject", SCOPE_PAGE, false, html_page, subject),
    ROW("title", SCOPE_PAGE, false, html_page, title),
    ROW("headline", SCOPE_PAGE, false, html_page, headline),
    ROW("slot", SCOPE_PAGE, false, html_page, slot),
    ROW("notices", SCOPE_PAGE, false, html_page, notices),
    ROW("notices-heading", SCOPE_PAGE, false, html_page, notices_heading),
    ROW("closing", SCOPE_PAGE, false, html_page, closing),
    ROW("waits", SCOPE_PAGE, false, html_page, waits),
    ROW("shortened", SCOPE_PAGE, false, html_page, shortened),
    ROW("unlinked", SCOPE_PAGE, false, html_page, unlinked),
    ROW("suggestions", SCOPE_PAGE, false, html_page, suggestions),
    ROW("suggestions-heading", SCOPE_PAGE, false, html_page, suggestions_heading),
    ROW("commands", SCOPE_PAGE, false, html_page, commands),
    ROW("answer", SCOPE_PAGE, false, html_page, answer),
    ROW("all", SCOPE_PAGE, false, html_page, all.text),
    ROW("times", SCOPE_PAGE, false, html_page, times.text),
    ROW("pause", SCOPE_PAGE, false, html_page, pause.text),
    ROW("help", SCOPE_PAGE, false, html_page, help.text),
};
#undef ROW

static const struct template_link links[] = {
    {"unsubscribe", SCOPE_ENTRY, offsetof(struct html_entry, unsubscribe)},
    {"allow", SCOPE_ENTRY, offsetof(struct html_entry, allow)},
    {"hold", SCOPE_ENTRY, offsetof(struct html_entry, hold)},
    {"send", SCOPE_ENTRY, offsetof(struct html_entry, send)},
    {"unsubscribe", SCOPE_SUGGESTION, offsetof(struct html_suggestion, unsubscribe)},
    {"all", SCOPE_PAGE, offsetof(struct html_page, all)},
    {"times", SCOPE_PAGE, offsetof(struct html_page, times)},
    {"pause", SCOPE_PAGE, offsetof(struct html_page, pause)},
    {"help", SCOPE_PAGE, offsetof(struct html_page, help)},
};

static const char *const scopes[] = {
    "page", "notices", "suggestions", "sections", "groups", "entries"};

/* Of which scope another one is the inside. */
static enum template_scope outside_of(enum template_scope scope)
{
	static const enum template_scope outside[] = {[SCOPE_PAGE] = SCOPE_PAGE,
	    [SCOPE_NOTICE] = SCOPE_PAGE,
	    [SCOPE_SUGGESTION] = SCOPE_PAGE,
	    [SCOPE_SECTION] = SCOPE_PAGE,
	    [SCOPE_GROUP] = SCOPE_SECTION,
	    [SCOPE_ENTRY] = SCOPE_GROUP};
	return outside[scope];
}

const struct template_name *template_name_find(const char *name, enum template_scope scope)
{
	for (;; scope = outside_of(scope)) {
		for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
			if (names[i].scope == scope && strcmp(names[i].name, name) == 0)
				return &names[i];
		if (scope == SCOPE_PAGE)
			return NULL;
	}
}

const struct template_link *template_link_find(const char *name, enum template_scope scope)
{
	for (;; scope = outside_of(scope)) {
		for (size_t i = 0; i < G_N_ELEMENTS(links); i++)
			if (links[i].scope == scope && strcmp(links[i].name, name) == 0)
				return &links[i];
		if (scope == SCOPE_PAGE)
			return NULL;
	}
}

/* ---- the check ---- */

struct check {
	const char *path;
	struct err *err;
	enum rc rc;
	bool shows_subject; /* of an entry: a page without it would hide what is held */
};

static void __attribute__((format(printf, 3, 4)))
refuse(struct check *check, const xmlNode *node, const char *format, ...)
{
	va_list args;
	if (check->rc != RC_OK)
		return;
	va_start(args, format);
	char *text = g_strdup_vprintf(format, args);
	va_end(args);
	check->rc =
	    err_set(check->err, RC_PERM, "%s:%ld: %s", check->path, xmlGetLineNo(node), text);
	g_free(text);
}

static bool in_list(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

/* Nothing that a style sheet could load, or by which it could leave its element. */
static const char *style_fault(const char *style)
{
	static const char *const never[] = {"url(", "@import", "image-set(", "expression(",
	    "behavior:", "-moz-binding", "src(", "\\", "<", "@font-face"};
	char *plain = g_ascii_strdown(style, -1);
	const char *found = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(never) && found == NULL; i++)
		if (strstr(plain, never[i]) != NULL)
			found = never[i];
	g_free(plain);
	return found;
}

static bool is_picture(const char *src)
{
	return g_str_has_prefix(src, "data:image/png;base64,") ||
	    g_str_has_prefix(src, "data:image/jpeg;base64,") ||
	    g_str_has_prefix(src, "data:image/gif;base64,");
}

static void check_plain(
    struct check *check, const xmlNode *node, const char *name, const char *value)
{
	static const char *const anywhere[] = {
	    "class", "id", "lang", "dir", "title", "role", "align", "width", "height", "alt"};
	static const char *const metas[] = {"charset", "name", "content"};
	const char *element = (const char *)node->name, *fault;
	if (in_list(anywhere, G_N_ELEMENTS(anywhere), name) || g_str_has_prefix(name, "aria-"))
		return;
	if (strcmp(element, "meta") == 0 && in_list(metas, G_N_ELEMENTS(metas), name))
		return;
	if (strcmp(name, "style") == 0) {
		if ((fault = style_fault(value)) != NULL)
			refuse(check, node, "\"%s\" may not stand in a style", fault);
	} else if (strcmp(element, "a") == 0 && strcmp(name, "href") == 0) {
		if (!g_str_has_prefix(value, "https://") && !g_str_has_prefix(value, "mailto:"))
			refuse(check, node, "a link leads to https:// or mailto:");
	} else if (strcmp(element, "img") == 0 && strcmp(name, "src") == 0) {
		if (!is_picture(value))
			refuse(check, node,
			    "a picture must be inside: src=\"data:image/png;base64,...\"");
	} else {
		refuse(check, node, "<%s> may not have the attribute %s", element, name);
	}
}

/* Attributes by which values get their places; each changes what the names mean below it. */
static void check_data(struct check *check, const xmlNode *node, const char *name,
    const char *value, enum template_scope outer, enum template_scope inner)
{
	const char *element = (const char *)node->name;
	if (strcmp(name, "data-each") == 0) {
		if (inner == outer)
			refuse(check, node, "data-each=\"%s\" cannot stand here", value);
	} else if (strcmp(name, "data-text") == 0 || strcmp(name, "data-if") == 0 ||
	    strcmp(name, "data-if-not") == 0) {
		const struct template_name *found = template_name_find(value, inner);
		if (found == NULL)
			refuse(check, node, "there is no value \"%s\" here", value);
		else if (found->scope == SCOPE_ENTRY && strcmp(name, "data-text") == 0 &&
		    strcmp(value, "subject") == 0)
			check->shows_subject = true;
	} else if (strcmp(name, "data-href") == 0) {
		if (strcmp(element, "a") != 0)
			refuse(check, node, "data-href belongs to an <a>");
		else if (template_link_find(value, inner) == NULL)
			refuse(check, node, "there is no link \"%s\" here", value);
	} else {
		refuse(check, node, "there is no attribute %s", name);
	}
}

/* The scope inside a node. */
static enum template_scope scope_of(const xmlNode *node, enum template_scope outer)
{
	xmlChar *each = xmlGetNoNsProp((xmlNode *)node, BAD_CAST "data-each");
	enum template_scope scope = outer;
	for (size_t i = SCOPE_PAGE + 1; each != NULL && i < G_N_ELEMENTS(scopes); i++)
		if (strcmp((const char *)each, scopes[i]) == 0 &&
		    outside_of((enum template_scope)i) == outer)
			scope = (enum template_scope)i;
	xmlFree(each);
	return scope;
}

static void check_element(
    struct check *check, const xmlNode *node, enum template_scope outer, enum template_scope inner)
{
	static const char *const elements[] = {"html", "head", "meta", "title", "style", "body",
	    "main", "header", "footer", "section", "article", "nav", "aside", "h1", "h2", "h3",
	    "h4", "h5", "h6", "p", "ul", "ol", "li", "dl", "dt", "dd", "div", "span", "b", "strong",
	    "i", "em", "small", "br", "hr", "a", "img", "bdi", "abbr", "time"};
	if (node->ns != NULL ||
	    !in_list(elements, G_N_ELEMENTS(elements), (const char *)node->name))
		refuse(check, node, "<%s> may not stand in a digest", (const char *)node->name);
	for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
		const char *name = (const char *)attr->name;
		xmlChar *value = xmlNodeListGetString(node->doc, attr->children, 1);
		const char *text = value == NULL ? "" : (const char *)value;
		if (attr->ns != NULL)
			refuse(check, node, "an attribute may not have a namespace");
		else if (g_str_has_prefix(name, "data-"))
			check_data(check, node, name, text, outer, inner);
		else
			check_plain(check, node, name, text);
		xmlFree(value);
	}
}

static void check_tree(
    struct check *check, const xmlNode *node, enum template_scope scope, unsigned depth)
{
	if (depth > TEMPLATE_DEPTH_MAX)
		refuse(check, node, "elements are nested more than %d deep", TEMPLATE_DEPTH_MAX);
	for (; node != NULL && check->rc == RC_OK; node = node->next) {
		if (node->type == XML_ELEMENT_NODE) {
			enum template_scope inner = scope_of(node, scope);
			check_element(check, node, scope, inner);
			/* What stands in <style> is an example: digest.css takes its place. */
			if (strcmp((const char *)node->name, "style") != 0)
				check_tree(check, node->children, inner, depth + 1);
		} else if (node->type != XML_TEXT_NODE && node->type != XML_COMMENT_NODE) {
			refuse(check, node, "only elements, text and comments may stand here");
		}
	}
}

/* ---- reading ---- */

/* RC_NOTFOUND: there is none. */
static enum rc read_file(const char *path, char **text_out, struct err *err)
{
	char *text = NULL;
	size_t len = 0;
	enum rc rc = fs_read(path, TEMPLATE_FILE_MAX, &text, &len, NULL, err);
	if (rc != RC_OK)
		return rc;
	if (!g_utf8_validate_len(text, len, NULL)) {
		g_free(text);
		return err_set(err, RC_PERM, "%s: not UTF-8", path);
	}
	*text_out = text;
	return RC_OK;
}

/* The first error is the one to tell: those behind it follow from it. */
static void note_first(void *ctx, const xmlError *error)
{
	char **first = ctx;
	if (*first == NULL && error->message != NULL) {
		char *message = g_strchomp(g_strdup(error->message));
		*first = g_strdup_printf("%d: %s", error->line, message);
		g_free(message);
	}
}

static enum rc parse(const char *path, const char *text, xmlDoc **doc_out, struct err *err)
{
	struct check check = {.path = path, .err = err, .rc = RC_OK};
	char *first = NULL;
	xmlSetStructuredErrorFunc(&first, (xmlStructuredErrorFunc)(void (*)(void))note_first);
	xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), path, "UTF-8", XML_PARSE_NONET);
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (doc == NULL) {
		enum rc rc =
		    err_set(err, RC_PERM, "%s:%s", path, first == NULL ? "1: not XML" : first);
		g_free(first);
		return rc;
	}
	g_free(first);
	xmlNode *root = xmlDocGetRootElement(doc);
	if (doc->intSubset != NULL &&
	    (doc->intSubset->children != NULL || doc->intSubset->SystemID != NULL))
		check.rc = err_set(err, RC_PERM, "%s:1: <!DOCTYPE html> and no more", path);
	else if (strcmp((const char *)root->name, "html") != 0)
		refuse(&check, root, "the outermost element must be <html>");
	check_tree(&check, root, SCOPE_PAGE, 0);
	if (!check.shows_subject)
		refuse(&check, root, "the subject of entries is shown nowhere");
	if (check.rc == RC_OK)
		*doc_out = doc;
	else
		xmlFreeDoc(doc);
	return check.rc;
}

/* The admin's file, or the shipped text where he has none. */
static enum rc file_or_shipped(const char *directory, const char *name, const char *shipped,
    char **path_out, char **text_out, struct err *err)
{
	enum rc rc = RC_NOTFOUND;
	if (directory != NULL && directory[0] != '\0') {
		*path_out = g_build_filename(directory, name, NULL);
		rc = read_file(*path_out, text_out, err);
	}
	if (rc == RC_NOTFOUND) {
		g_free(*path_out);
		*path_out = g_strdup(name);
		*text_out = g_strdup(shipped);
		rc = RC_OK;
	}
	return rc;
}

enum rc template_load(const char *directory, struct page_template **template_out, struct err *err)
{
	struct page_template *template = g_new0(struct page_template, 1);
	char *html_path = NULL, *css_path = NULL, *html = NULL;
	const char *fault = NULL;
	struct stat st;
	enum rc rc = RC_OK;
	if (directory != NULL && directory[0] != '\0' && stat(directory, &st) != 0)
		rc = err_errno(err, RC_PERM, "%s", directory);
	if (rc == RC_OK)
		rc = file_or_shipped(directory, "digest.html", page_html, &html_path, &html, err);
	if (rc == RC_OK)
		rc = parse(html_path, html, &template->doc, err);
	if (rc == RC_OK)
		rc = file_or_shipped(
		    directory, "digest.css", page_css, &css_path, &template->style, err);
	if (rc == RC_OK && (fault = style_fault(template->style)) != NULL)
		rc = err_set(
		    err, RC_PERM, "%s: \"%s\" may not stand in a style sheet", css_path, fault);
	g_free(html_path);
	g_free(css_path);
	g_free(html);
	if (rc == RC_OK)
		*template_out = template;
	else
		template_free(&template);
	return rc;
}

void template_free(struct page_template **template)
{
	if (*template == NULL)
		return;
	if ((*template)->doc != NULL)
		xmlFreeDoc((*template)->doc);
	g_free((*template)->style);
	g_free(*template);
	*template = NULL;
}

const xmlDoc *template_doc(const struct page_template *template)
{
	return template->doc;
}

const char *template_style(const struct page_template *template)
{
	return template->style;
}
