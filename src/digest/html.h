/*
 * html.h: a digest as a page. Needs libxml2: in a worker.
 */
#ifndef PULLYU_DIGEST_HTML_H
#define PULLYU_DIGEST_HTML_H

#include "base/rc.h"
#include "digest/outline.h"
#include "digest/template.h"

/* Gmail shows 102 kB of a message's HTML and hides the rest. */
enum { HTML_BYTES_MAX = 100 * 1000, HTML_ENTRIES_FIT = 200 };

/* HTML5 in UTF-8 with LF lines; g_free. Built as a tree, so that every value is escaped by
 * construction. A page that would be larger than HTML_BYTES_MAX is made with fewer details, and
 * says so; with up to HTML_ENTRIES_FIT entries and the shipped template it always fits. */
enum rc html_render(const struct page_template *template, const struct outline *outline,
    char **html_out, struct err *err);

/* The values of a template's names (template_name.offset). Set by html.c; NULL: there is none. */
struct html_link {
	const char *text; /* what it says; first, so that the link's name is the text's as well */
	const char *href; /* NULL: text only */
	const char *name; /* for who hears the page; NULL: the text does */
};
struct html_page {
	const char *subject, *title, *headline, *slot, *notices, *notices_heading, *closing, *waits,
	    *shortened, *unlinked, *suggestions, *suggestions_heading, *commands, *answer;
	struct html_link all, times, pause, help;
};
struct html_notice {
	const char *notice;
};
struct html_suggestion {
	const char *suggestion, *unsubscribe_address;
	struct html_link unsubscribe;
};
struct html_section {
	const char *section, *count;
};
struct html_group {
	const char *group;
};
struct html_entry {
	const char *number, *name, *address, *unverified, *subject, *count, *when, *snippet,
	    *others, *attached, *why, *unsubscribe_address, *links;
	struct html_link unsubscribe, allow, hold, send;
};

#endif
