/*
 * html.c: see html.h. The template's tree is copied element by element; values come in where it
 * says so. What a sender chose stands in an element of its own direction, so that text that runs
 * right to left cannot reorder what stands beside it.
 */
#include <config.h>

#include "digest/html.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "digest/clean.h"
#include "digest/keep.h"
#include "digest/tree.h"

/* How much of an entry a page tells; each level less than the one before. */
enum level {
	LEVEL_ALL,
	LEVEL_SHORT,
	LEVEL_ONE_LINK,
	LEVEL_UNLINKED,
	LEVEL_BRIEF,
	LEVEL_LEAN,
	LEVEL_BARE,
	LEVEL_COUNT,
};

enum { SHORT_SNIPPET = 70 };

/* Bytes of a value as it stands in the page, at LEVEL_LEAN; half of them at LEVEL_BARE: 200
 * entries of these with their elements stay below HTML_BYTES_MAX, even if each is the only one of
 * its group, has several messages, and cannot be verified. */
enum { LEAN_SUBJECT = 110, LEAN_NAME = 50, LEAN_ADDRESS = 56, LEAN_GROUP = 40, LEAN_NOTICE = 300 };

struct render {
	const struct page_template *template; /* foreign */
	const struct outline *outline;        /* foreign */
	enum level level;
	GStringChunk *text; /* own: values that were cut or put together */
	struct html_page page;
	struct html_notice notice;
	struct html_section section;
	struct html_group group;
	struct html_entry entry;
	struct html_suggestion suggestion;
	const struct outline_section *in_section; /* foreign; those that are being rendered */
	const struct outline_group *in_group;
};

/* ---- values ---- */

static size_t escaped_bytes(const char *c, const char *next)
{
	return *c == '&' ? 5 : *c == '<' || *c == '>' ? 4 : (size_t)(next - c);
}

/* Whole characters within max bytes of the page, an ellipsis included. */
static const char *fit(struct render *r, const char *text, size_t max)
{
	size_t used = 0;
	const char *cut = text, *next;
	for (const char *p = text; *p != '\0'; p = next) {
		next = g_utf8_next_char(p);
		used += escaped_bytes(p, next);
		if (used + strlen("\xE2\x80\xA6") <= max)
			cut = next;
		if (used > max)
			return keep(
			    r->text, g_strdup_printf("%.*s\xE2\x80\xA6", (int)(cut - text), text));
	}
	return text;
}

static const char *lean(struct render *r, const char *text, size_t max)
{
	if (text == NULL || r->level < LEVEL_LEAN)
		return text;
	return fit(r, text, r->level == LEVEL_LEAN ? max : max / 2);
}

static struct html_link link_of(const struct outline_link *link)
{
	return (struct html_link){
	    .text = link->uri == NULL ? NULL : link->label, .href = link->uri, .name = link->name};
}

static bool has_commands(const struct outline *outline)
{
	return outline->all.uri != NULL || outline->times.uri != NULL ||
	    outline->pause.uri != NULL || outline->help.uri != NULL;
}

static void page_begin(struct render *r)
{
	const struct outline *outline = r->outline;
	r->page = (struct html_page){.subject = outline->subject,
	    .title = outline->title,
	    .headline = outline->headline,
	    .slot = outline->slot,
	    .notices = outline->n_notices == 0 ? NULL : "",
	    .notices_heading = outline->notices_heading,
	    .closing = outline->closing,
	    .waits = outline->waits,
	    .shortened = r->level == LEVEL_ALL ? NULL : outline->shortened,
	    .unlinked = r->level >= LEVEL_ONE_LINK && outline->has_links ? outline->unlinked : NULL,
	    .suggestions = outline->n_quiet == 0 ? NULL : "",
	    .suggestions_heading = outline->quiet_heading,
	    .commands = has_commands(outline) ? "" : NULL,
	    .answer = outline->answer,
	    .all = link_of(&outline->all),
	    .times = link_of(&outline->times),
	    .pause = link_of(&outline->pause),
	    .help = link_of(&outline->help)};
}

/* No link for what might act at once: it is to be read, and copied by who wants it. */
static struct html_link unsubscribe_of(
    const char *text, const char *uri, bool is_link, const char **address_out)
{
	*address_out = is_link ? NULL : uri;
	return (struct html_link){.text = text, .href = is_link ? uri : NULL};
}

/* Three links are longer than all the rest; to let a sender through is what most want. */
static void entry_links(struct render *r, const struct outline_entry *entry)
{
	if (r->level < LEVEL_UNLINKED)
		r->entry.allow = link_of(&entry->allow);
	if (r->level < LEVEL_ONE_LINK) {
		r->entry.hold = link_of(&entry->hold);
		r->entry.send = link_of(&entry->send);
	}
	if (r->entry.allow.href != NULL || r->entry.hold.href != NULL || r->entry.send.href != NULL)
		r->entry.links = "";
}

static void entry_begin(struct render *r, const struct outline_entry *entry)
{
	bool brief = r->level >= LEVEL_BRIEF, all = r->level < LEVEL_LEAN;
	const char *snippet = brief ? NULL : entry->snippet;
	if (snippet != NULL && r->level >= LEVEL_SHORT)
		snippet = keep(r->text, clean_text(snippet, SHORT_SNIPPET));
	r->entry = (struct html_entry){.number = entry->number,
	    .name = lean(r, entry->name, LEAN_NAME),
	    .address = lean(r, entry->addr, LEAN_ADDRESS),
	    .unverified = entry->unverified,
	    .subject = lean(r, entry->subject, LEAN_SUBJECT),
	    .count = entry->count,
	    .when = entry->when,
	    .snippet = snippet,
	    .others = r->level >= LEVEL_SHORT ? NULL : entry->others,
	    .attached = brief ? NULL : entry->attached,
	    .why = brief ? NULL : entry->why};
	if (all)
		r->entry.unsubscribe = unsubscribe_of(entry->unsubscribe, entry->unsubscribe_uri,
		    entry->unsubscribe_link, &r->entry.unsubscribe_address);
	entry_links(r, entry);
}

static void suggestion_begin(struct render *r, const struct outline_quiet *quiet)
{
	r->suggestion = (struct html_suggestion){.suggestion = lean(r, quiet->text, LEAN_NOTICE)};
	r->suggestion.unsubscribe = unsubscribe_of(quiet->unsubscribe, quiet->unsubscribe_uri,
	    quiet->unsubscribe_link, &r->suggestion.unsubscribe_address);
}

/* The innermost scope that knows the name has the value. */
static const char *value_of(struct render *r, enum template_scope scope, size_t offset)
{
	const void *const scopes[] = {[SCOPE_PAGE] = &r->page,
	    [SCOPE_NOTICE] = &r->notice,
	    [SCOPE_SUGGESTION] = &r->suggestion,
	    [SCOPE_SECTION] = &r->section,
	    [SCOPE_GROUP] = &r->group,
	    [SCOPE_ENTRY] = &r->entry};
	const char *value;
	memcpy(&value, (const char *)scopes[scope] + offset, sizeof(value));
	return value;
}

/* ---- elements ---- */

/* The value of a data attribute; xmlFree. */
static xmlChar *data_of(const xmlNode *node, const char *name)
{
	return xmlGetNoNsProp((xmlNode *)node, BAD_CAST name);
}

static const char *data_value(struct render *r, const xmlNode *node, const char *attribute,
    enum template_scope scope, const struct template_name **name_out)
{
	xmlChar *name = data_of(node, attribute);
	*name_out = name == NULL ? NULL : template_name_find((const char *)name, scope);
	xmlFree(name);
	return *name_out == NULL ? NULL : value_of(r, (*name_out)->scope, (*name_out)->offset);
}

static bool is_left_out(struct render *r, const xmlNode *node, enum template_scope scope)
{
	const struct template_name *name;
	const char *value = data_value(r, node, "data-if", scope, &name);
	if (name != NULL && value == NULL)
		return true;
	value = data_value(r, node, "data-if-not", scope, &name);
	return name != NULL && value != NULL;
}

static void render_nodes(
    struct render *r, const xmlNode *from, xmlNode *to, enum template_scope scope);

/* What the link is about stands in its name: many are called alike on a page. */
static void put_href(
    struct render *r, const char *name, const xmlNode *from, xmlNode *to, enum template_scope scope)
{
	const struct template_link *link = template_link_find(name, scope);
	const char *href = link == NULL
	    ? NULL
	    : value_of(r, link->scope, link->offset + offsetof(struct html_link, href));
	if (href == NULL)
		return;
	tree_attr(to, "href", href);
	const char *label =
	    value_of(r, link->scope, link->offset + offsetof(struct html_link, name));
	if (label != NULL && xmlHasProp((xmlNode *)from, BAD_CAST "aria-label") == NULL)
		tree_attr(to, "aria-label", label);
}

static void copy_attributes(
    struct render *r, const xmlNode *from, xmlNode *to, enum template_scope scope)
{
	for (const xmlAttr *attr = from->properties; attr != NULL; attr = attr->next) {
		xmlChar *value = xmlNodeListGetString(from->doc, attr->children, 1);
		const char *text = value == NULL ? "" : (const char *)value;
		if (!g_str_has_prefix((const char *)attr->name, "data-"))
			tree_attr(to, (const char *)attr->name, text);
		else if (strcmp((const char *)attr->name, "data-href") == 0)
			put_href(r, text, from, to, scope);
		xmlFree(value);
	}
}

static void render_element(
    struct render *r, const xmlNode *from, xmlNode *to, enum template_scope scope)
{
	const struct template_name *name;
	if (is_left_out(r, from, scope))
		return;
	xmlNode *element = tree_add(to, (const char *)from->name, NULL);
	copy_attributes(r, from, element, scope);
	const char *value = data_value(r, from, "data-text", scope, &name);
	if (strcmp((const char *)from->name, "style") == 0) {
		tree_text(element, template_style(r->template));
	} else if (name != NULL) {
		if (name->foreign)
			tree_attr(element, "dir", "auto");
		tree_text(element, value == NULL ? "" : value);
	} else {
		render_nodes(r, from->children, element, scope);
	}
}

/* Once for each notice, suggestion, section, group or entry. */
static void render_each(struct render *r, const char *each, const xmlNode *from, xmlNode *to)
{
	const struct outline *outline = r->outline;
	if (strcmp(each, "notices") == 0) {
		for (size_t i = 0; i < outline->n_notices; i++) {
			r->notice.notice = lean(r, outline->notices[i], LEAN_NOTICE);
			render_element(r, from, to, SCOPE_NOTICE);
		}
	} else if (strcmp(each, "suggestions") == 0) {
		for (size_t i = 0; i < outline->n_quiet; i++) {
			suggestion_begin(r, &outline->quiet[i]);
			render_element(r, from, to, SCOPE_SUGGESTION);
		}
	} else if (strcmp(each, "sections") == 0) {
		for (size_t i = 0; i < outline->n_sections; i++) {
			r->in_section = &outline->sections[i];
			r->section =
			    (struct html_section){r->in_section->heading, r->in_section->count};
			render_element(r, from, to, SCOPE_SECTION);
		}
	} else if (strcmp(each, "groups") == 0) {
		for (size_t i = 0; i < r->in_section->n; i++) {
			r->in_group = &r->in_section->groups[i];
			r->group.group = lean(r, r->in_group->heading, LEAN_GROUP);
			render_element(r, from, to, SCOPE_GROUP);
		}
	} else {
		for (size_t i = 0; i < r->in_group->n; i++) {
			entry_begin(r, &r->in_group->entries[i]);
			render_element(r, from, to, SCOPE_ENTRY);
		}
	}
}

static bool is_layout(const char *text)
{
	return strchr(text, '\n') != NULL && text[strspn(text, " \t\r\n")] == '\0';
}

static void render_nodes(
    struct render *r, const xmlNode *from, xmlNode *to, enum template_scope scope)
{
	for (; from != NULL; from = from->next) {
		if (from->type == XML_TEXT_NODE && !is_layout((const char *)from->content))
			tree_text(to, (const char *)from->content);
		if (from->type != XML_ELEMENT_NODE)
			continue;
		xmlChar *each = data_of(from, "data-each");
		if (each == NULL)
			render_element(r, from, to, scope);
		else
			render_each(r, (const char *)each, from, to);
		xmlFree(each);
	}
}

/* ---- the page ---- */

static xmlDoc *build(struct render *r)
{
	const xmlNode *root = xmlDocGetRootElement(template_doc(r->template));
	xmlNode *html;
	xmlDoc *doc = tree_page(r->outline->lang, r->outline->dir, &html);
	page_begin(r);
	render_nodes(r, root->children, html, SCOPE_PAGE);
	return doc;
}

static char *render(
    const struct page_template *template, const struct outline *outline, enum level level)
{
	struct render r = {.template = template,
	    .outline = outline,
	    .level = level,
	    .text = g_string_chunk_new(4096)};
	xmlDoc *doc = build(&r);
	char *html = tree_write(doc);
	xmlFreeDoc(doc);
	g_string_chunk_free(r.text);
	return html;
}

enum rc html_render(const struct page_template *template, const struct outline *outline,
    char **html_out, struct err *err)
{
	char *html = NULL;
	/* Levels that could not do are not tried: each costs as much as the page is long. */
	enum level level = outline->n_entries > 4 * HTML_ENTRIES_FIT ? LEVEL_BARE : LEVEL_ALL;
	for (; level < LEVEL_COUNT; level++) {
		g_free(html);
		html = render(template, outline, level);
		if (html == NULL)
			return err_set(err, RC_TEMP, "libxml2 could not write the page");
		if (strlen(html) <= HTML_BYTES_MAX)
			break;
	}
	*html_out = html;
	return RC_OK;
}
