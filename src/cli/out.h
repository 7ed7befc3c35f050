/*
 * out.h: what the commands print. Text that comes from mail, lists or the command line goes through
 * here, so that no control character of it reaches a terminal.
 */
#ifndef PULLYU_CLI_OUT_H
#define PULLYU_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/* A copy of text fit for one line of a terminal: bytes that are not UTF-8, control characters (C0,
 * DEL, C1), line and paragraph separators and the characters that turn the direction of writing
 * become "?" or U+FFFD. g_free. */
char *out_clean(const char *text);

/* Columns that a terminal takes for text (already clean). */
size_t out_width(const char *text);

/* printf to stderr after "pullyu: ", and a newline; the whole line is cleaned. */
void out_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* printf to stdout; the whole line is cleaned; a newline is added. */
void out_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line of ASCII-only JSON. */
void out_json(const json_t *json);

/* A table: rows of cells, aligned by what a terminal shows. */
enum { TABLE_COLUMNS_MAX = 8 };
struct table;
/* titles ends with NULL; a title that starts with ">" makes its column flush right. */
struct table *table_new(const char *const *titles);
/* As many cells as there are titles; NULL is "-". Copied and cleaned. */
void table_row(struct table *table, const char *const *cells);
/* Prints and frees. On a terminal the last column is cut at its right edge. */
void table_end(struct table *table);

/* Copies the rest of the descriptor, from offset, to stdout: byte for byte, or, to a terminal,
 * without control characters other than the newline and the tab. */
bool out_file(int fd, long long offset);

#endif
