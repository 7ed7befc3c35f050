/*
 * tree.h: a page of HTML as a tree, so that every value is escaped by construction. By libxml2.
 */
#ifndef PULLYU_DIGEST_TREE_H
#define PULLYU_DIGEST_TREE_H

#include <libxml/tree.h>

/* What libxml2 returned: NULL is for want of memory alone; as with g_malloc, that ends the
 * process. */
void *tree_some(void *node);

/* An HTML5 document in the language in use (words.h); its <html> is *html_out. xmlFreeDoc. */
xmlDoc *tree_page(const char *lang, const char *dir, xmlNode **html_out);

/* The child that was added at the end. text is UTF-8, or NULL for none. */
xmlNode *tree_add(xmlNode *parent, const char *name, const char *text);
void tree_text(xmlNode *node, const char *text);
void tree_attr(xmlNode *node, const char *name, const char *value);

/* The document in UTF-8; g_free. NULL if libxml2 could not write it. */
char *tree_write(xmlDoc *doc);

#endif
