/*
 * answer_page.c: see answer_page.h.
 */
#include <config.h>

#include "digest/answer_page.h"

#include "digest/page.h"
#include "digest/tree.h"

/* Beside the style of a digest: lines are no cards here. */
static const char style[] = "li{background:none;border:0;border-radius:0;padding:3px 0;margin:0}"
			    "dl{margin:12px 0 0}dt{font-weight:600;margin-top:8px}dd{margin:0}"
			    "main>p,main>ul{margin-top:14px}"
			    "main>p>a[href]{display:inline-block;padding:10px 0;font-weight:600}";

static void add_meta(xmlNode *head, const char *name, const char *content)
{
	xmlNode *meta = tree_add(head, "meta", NULL);
	tree_attr(meta, "name", name);
	tree_attr(meta, "content", content);
}

static void add_head(xmlNode *html, const struct answer_words *words)
{
	xmlNode *head = tree_add(html, "head", NULL);
	tree_attr(tree_add(head, "meta", NULL), "charset", "utf-8");
	add_meta(head, "viewport", "width=device-width, initial-scale=1");
	add_meta(head, "color-scheme", "light dark");
	tree_add(head, "title", words->subject);
	tree_text(tree_add(head, "style", page_css), style);
}

static void add_link(xmlNode *parent, const struct outline_link *link)
{
	if (link->uri != NULL)
		tree_attr(
		    tree_add(tree_add(parent, "p", NULL), "a", link->label), "href", link->uri);
}

static void add_section(xmlNode *parent, const struct answer_section *section)
{
	if (section->n == 0)
		return;
	if (section->heading != NULL)
		tree_add(parent, "h2", section->heading);
	xmlNode *list = tree_add(parent, "ul", NULL);
	for (size_t i = 0; i < section->n; i++)
		tree_attr(tree_add(list, "li", section->lines[i]), "dir", "auto");
}

static void add_rows(xmlNode *parent, const struct answer_words *words)
{
	if (words->n_rows == 0)
		return;
	tree_add(parent, "p", words->help_how);
	xmlNode *list = tree_add(parent, "dl", NULL);
	for (size_t i = 0; i < words->n_rows; i++) {
		tree_add(list, "dt", words->rows[i].words);
		tree_add(list, "dd", words->rows[i].meaning);
	}
	tree_add(parent, "p", words->help_notes);
}

char *answer_page(const struct answer_words *words)
{
	xmlNode *html;
	xmlDoc *doc = tree_page(words->lang, words->dir, &html);
	add_head(html, words);
	xmlNode *main_part = tree_add(tree_add(html, "body", NULL), "main", NULL);
	tree_attr(tree_add(main_part, "h1", words->subject), "dir", "auto");
	tree_attr(tree_add(main_part, "p", words->said), "dir", "auto");
	for (size_t i = 0; i < ANSWER_SECTIONS; i++)
		add_section(main_part, &words->sections[i]);
	add_link(main_part, &words->undo);
	add_rows(main_part, words);
	add_link(main_part, &words->times);
	char *page = tree_write(doc);
	xmlFreeDoc(doc);
	return page;
}
