/*
 * template.h: the page of a digest as its admin wants it (pullyu-template(5)), read and checked.
 *
 * A template is an XML file, digest.html, and a style sheet, digest.css. Values have places in it
 * by attributes: data-text="subject" and the like. They enter the page as text nodes of a tree, or
 * as a link's address that was checked, never as markup, so that no template can forget to escape.
 * (XSLT could, by disable-output-escaping, and reads files; string templates do by default.)
 *
 * A template cannot make the page load or run anything: elements, attributes and style sheets are
 * checked against lists of what may stand in a page.
 */
#ifndef PULLYU_DIGEST_TEMPLATE_H
#define PULLYU_DIGEST_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

enum { TEMPLATE_FILE_MAX = 64 * 1024, TEMPLATE_DEPTH_MAX = 40 };

struct page_template;

/* Checked; borrowed. */
const struct _xmlDoc *template_doc(const struct page_template *template);
const char *template_style(const struct page_template *template);

/* What a value belongs to, from the outside to the inside. */
enum template_scope {
	SCOPE_PAGE,
	SCOPE_NOTICE,
	SCOPE_SUGGESTION,
	SCOPE_SECTION,
	SCOPE_GROUP,
	SCOPE_ENTRY,
};

/* One row a name. */
struct template_name {
	const char *name;
	enum template_scope scope;
	bool foreign;  /* a sender chose it: its direction is its own (dir=auto) */
	size_t offset; /* of a const char * in the struct of html.c that belongs to the scope */
};
/* NULL if there is no such name in this scope or around it. */
const struct template_name *template_name_find(const char *name, enum template_scope scope);

/* What data-href may name. */
struct template_link {
	const char *name;
	enum template_scope scope;
	size_t offset; /* of a struct html_link in the struct of html.c that belongs to the scope */
};
const struct template_link *template_link_find(const char *name, enum template_scope scope);

/* directory NULL or "": the shipped template. A directory may hold one of the two files; the other
 * is the shipped one then. RC_PERM: bad; err says "file:line: what". */
enum rc template_load(const char *directory, struct page_template **template_out, struct err *err);
void template_free(struct page_template **template);

#endif
