/*
 * html.c: see html.h. Values stand in <bdi>, so that text that runs right to left cannot reorder
 * what stands beside it. Colours and sizes are chosen to work without the style block too, which
 * some readers drop.
 */
#include <config.h>

#include "digest/html.h"

#include <stdbool.h>

#include <libxml/HTMLtree.h>
#include <libxml/tree.h>

/* A middle dot between the details of an entry. */
#define SEPARATOR " \xC2\xB7 "

static const char style[] =
    "\n"
    ":root{color-scheme:light dark;"
    "--bg:#fff;--fg:#1d2126;--dim:#59616b;--line:#dfe3e8;--accent:#0b6157;--note:#fff4d6}\n"
    "@media(prefers-color-scheme:dark){:root{"
    "--bg:#16191d;--fg:#e6e9ec;--dim:#a3abb5;--line:#343a41;--accent:#6fd0c1;--note:#3a3011}}\n"
    "body{margin:0;background:#fff;background:var(--bg);color:#1d2126;color:var(--fg);"
    "font:16px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\n"
    "main{max-width:42em;margin:0 auto;padding:24px 16px 40px}\n"
    "h1,h2,h3,p,ul{margin:0;padding:0}\n"
    "h1{font-size:26px;line-height:1.2}\n"
    "h2{font-size:18px;margin-top:36px;padding-bottom:6px;color:#0b6157;color:var(--accent);"
    "border-bottom:2px solid var(--accent)}\n"
    "h3{font-size:16px;margin-top:22px;overflow-wrap:anywhere}\n"
    "ul{list-style:none}\n"
    "li{padding:10px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}\n"
    "li:last-child{border-bottom:0}\n"
    ".head,.addr,.dim,footer{color:#59616b;color:var(--dim)}\n"
    ".head{margin-top:4px}\n"
    ".addr,.count{font-weight:400}\n"
    ".addr,.dim,footer{font-size:14px}\n"
    ".whole{white-space:nowrap}\n"
    ".note{margin-top:24px;padding:12px 16px;border-radius:8px;background:#fff4d6;"
    "background:var(--note)}\n"
    ".note h2{margin:0;padding:0;border:0;font-size:16px;color:inherit}\n"
    ".note li{padding:6px 0 0;border:0}\n"
    "footer{margin-top:36px;padding-top:12px;border-top:1px solid var(--line)}\n"
    "footer p+p{margin-top:4px}\n";

/* libxml2 returns NULL for want of memory alone; as with g_malloc, that ends the process. */
static void *some(void *node)
{
	if (node == NULL)
		g_error("libxml2: out of memory");
	return node;
}

static void put_text(xmlNode *node, const char *text)
{
	xmlNode *child = some(xmlNewText(BAD_CAST text));
	some(xmlAddChild(node, child));
}

static void put_attr(xmlNode *node, const char *name, const char *value)
{
	some(xmlNewProp(node, BAD_CAST name, BAD_CAST value));
}

static xmlNode *add(xmlNode *parent, const char *name, const char *class, const char *text)
{
	xmlNode *node = some(xmlNewChild(parent, NULL, BAD_CAST name, NULL));
	if (class != NULL)
		put_attr(node, "class", class);
	if (text != NULL)
		put_text(node, text);
	return node;
}

static void add_value(xmlNode *parent, const char *text)
{
	add(parent, "bdi", NULL, text);
}

static void render_entry(xmlNode *list, const struct outline_entry *entry)
{
	xmlNode *item = add(list, "li", NULL, NULL);
	add_value(add(item, "p", NULL, NULL), entry->subject);
	if (entry->from != NULL)
		add_value(add(item, "p", "dim", NULL), entry->from);
	xmlNode *details = add(item, "p", "dim", NULL);
	add(details, "span", "whole", entry->when);
	put_text(details, SEPARATOR);
	add(details, "span", "whole", entry->size);
	if (entry->list != NULL) {
		put_text(details, SEPARATOR);
		add_value(details, entry->list);
	}
	if (entry->why != NULL)
		add_value(add(item, "p", "dim", NULL), entry->why);
}

static void render_sender(xmlNode *main, const struct outline_sender *sender)
{
	xmlNode *heading = add(main, "h3", NULL, NULL);
	if (sender->name != NULL) {
		add_value(heading, sender->name);
		put_text(heading, " ");
	}
	add_value(add(heading, "span", sender->name == NULL ? NULL : "addr", NULL), sender->addr);
	xmlNode *list = add(main, "ul", NULL, NULL);
	for (size_t i = 0; i < sender->n; i++)
		render_entry(list, &sender->entries[i]);
}

static void render_body(xmlNode *main, const struct outline *outline)
{
	add(main, "h1", NULL, outline->words->title);
	add(main, "p", "head", outline->headline);
	add(main, "p", "head", outline->slot);
	if (outline->n_notices > 0) {
		xmlNode *note = add(main, "section", "note", NULL);
		add(note, "h2", NULL, outline->words->notices);
		xmlNode *list = add(note, "ul", NULL, NULL);
		for (size_t i = 0; i < outline->n_notices; i++)
			add_value(add(list, "li", NULL, NULL), outline->notices[i]);
	}
	for (size_t c = 0; c < outline->n_classes; c++) {
		const struct outline_class *class = &outline->classes[c];
		char *count = g_strdup_printf(" (%zu)", class->n_entries);
		add(add(main, "h2", NULL, class->heading), "span", "count", count);
		g_free(count);
		for (size_t s = 0; s < class->n; s++)
			render_sender(main, &class->senders[s]);
	}
	xmlNode *footer = add(main, "footer", NULL, NULL);
	add(footer, "p", NULL, outline->closing);
	add_value(add(footer, "p", NULL, NULL), outline->waits);
}

static void add_meta(xmlNode *head, const char *name, const char *content)
{
	xmlNode *meta = add(head, "meta", NULL, NULL);
	put_attr(meta, "name", name);
	put_attr(meta, "content", content);
}

static xmlDoc *build(const struct outline *outline)
{
	xmlDoc *doc = some(htmlNewDocNoDtD(NULL, NULL));
	some(xmlCreateIntSubset(doc, BAD_CAST "html", NULL, NULL)); /* <!DOCTYPE html> */
	xmlNode *html = some(xmlNewDocNode(doc, NULL, BAD_CAST "html", NULL));
	xmlDocSetRootElement(doc, html);
	put_attr(html, "lang", outline->words->language);
	put_attr(html, "dir", outline->words->dir);
	xmlNode *head = add(html, "head", NULL, NULL);
	put_attr(add(head, "meta", NULL, NULL), "charset", "utf-8");
	add_meta(head, "viewport", "width=device-width, initial-scale=1");
	add_meta(head, "color-scheme", "light dark");
	add(head, "title", NULL, outline->subject);
	add(head, "style", NULL, style);
	render_body(add(add(html, "body", NULL, NULL), "main", NULL, NULL), outline);
	return doc;
}

enum rc html_render(const struct outline *outline, char **html_out, struct err *err)
{
	xmlDoc *doc = build(outline);
	xmlOutputBuffer *buffer = some(xmlAllocOutputBuffer(NULL));
	htmlDocContentDumpFormatOutput(buffer, doc, "UTF-8", 1);
	xmlOutputBufferFlush(buffer);
	const char *text = (const char *)xmlOutputBufferGetContent(buffer);
	size_t size = xmlOutputBufferGetSize(buffer);
	bool good = buffer->error == 0 && text != NULL && size > 0;
	if (good)
		*html_out = g_strndup(text, size);
	xmlOutputBufferClose(buffer);
	xmlFreeDoc(doc);
	return good ? RC_OK : err_set(err, RC_TEMP, "libxml2 could not write the page");
}
