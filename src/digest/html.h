/*
 * html.h: a digest as a page. Needs libxml2: in a worker.
 */
#ifndef PULLYU_DIGEST_HTML_H
#define PULLYU_DIGEST_HTML_H

#include "base/rc.h"
#include "digest/outline.h"

/* HTML5 in UTF-8 with LF lines; g_free. Built as a tree, so that every value is escaped by
 * construction. The page names nothing outside itself: no image, link, script, font or form. */
enum rc html_render(const struct outline *outline, char **html_out, struct err *err);

#endif
