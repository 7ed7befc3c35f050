/*
 * tree.c: see tree.h.
 */
#include <config.h>

#include "digest/tree.h"

#include <glib.h>
#include <libxml/HTMLtree.h>

void *tree_some(void *node)
{
	if (node == NULL)
		g_error("libxml2: out of memory");
	return node;
}

xmlDoc *tree_page(const char *lang, const char *dir, xmlNode **html_out)
{
	xmlDoc *doc = tree_some(htmlNewDocNoDtD(NULL, NULL));
	tree_some(xmlCreateIntSubset(doc, BAD_CAST "html", NULL, NULL)); /* <!DOCTYPE html> */
	xmlNode *html = tree_some(xmlNewDocNode(doc, NULL, BAD_CAST "html", NULL));
	xmlDocSetRootElement(doc, html);
	tree_attr(html, "lang", lang);
	tree_attr(html, "dir", dir);
	*html_out = html;
	return doc;
}

xmlNode *tree_add(xmlNode *parent, const char *name, const char *text)
{
	xmlNode *node = tree_some(xmlNewChild(parent, NULL, BAD_CAST name, NULL));
	if (text != NULL)
		tree_text(node, text);
	return node;
}

void tree_text(xmlNode *node, const char *text)
{
	tree_some(xmlAddChild(node, tree_some(xmlNewText(BAD_CAST text))));
}

void tree_attr(xmlNode *node, const char *name, const char *value)
{
	tree_some(xmlNewProp(node, BAD_CAST name, BAD_CAST value));
}

char *tree_write(xmlDoc *doc)
{
	xmlOutputBuffer *buffer = tree_some(xmlAllocOutputBuffer(NULL));
	htmlDocContentDumpFormatOutput(buffer, doc, "UTF-8", 0);
	xmlOutputBufferFlush(buffer);
	const char *text = (const char *)xmlOutputBufferGetContent(buffer);
	size_t size = xmlOutputBufferGetSize(buffer);
	char *html = buffer->error == 0 && text != NULL && size > 0 ? g_strndup(text, size) : NULL;
	xmlOutputBufferClose(buffer);
	return html;
}
