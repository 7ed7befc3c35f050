/*
 * page.h: the shipped template and style sheet (src/digest/page/), made part of the program by the
 * build, so that there is always one that works.
 */
#ifndef PULLYU_DIGEST_PAGE_H
#define PULLYU_DIGEST_PAGE_H

extern const char page_html[], page_css[];

#endif
