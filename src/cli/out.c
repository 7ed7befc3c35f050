/*
 * out.c: see out.h.
 */
#include <config.h>

#include "cli/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <glib.h>

#include "base/fs.h"

struct table {
	size_t columns;
	bool right[TABLE_COLUMNS_MAX];
	size_t width[TABLE_COLUMNS_MAX];
	GPtrArray *cells; /* own; row after row, the titles first */
};

/* Whether a terminal shows it as itself, where it stands. */
static bool is_plain(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_UNASSIGNED:
		return false;
	default:
		break;
	}
	/* Bidirectional marks, embeddings, overrides and isolates (Unicode annex 9). */
	return c != 0x061c && c != 0x200e && c != 0x200f && !(c >= 0x202a && c <= 0x202e) &&
	    !(c >= 0x2066 && c <= 0x2069);
}

char *out_clean(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_new(NULL);
	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		g_string_append_unichar(out, is_plain(c) ? c : '?');
	}
	g_free(valid);
	return g_string_free(out, FALSE);
}

size_t out_width(const char *text)
{
	size_t width = 0;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		width += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
	}
	return width;
}

__attribute__((format(printf, 3, 0))) static void put_line(
    FILE *to, const char *prefix, const char *fmt, va_list ap)
{
	char *text = g_strdup_vprintf(fmt, ap);
	char *clean = out_clean(text);
	fprintf(to, "%s%s\n", prefix, clean);
	g_free(clean);
	g_free(text);
}

void out_error(const char *fmt, ...)
{
	va_list ap;
	fflush(stdout); /* so that the two streams stay in order where they meet */
	va_start(ap, fmt);
	put_line(stderr, "pullyu: ", fmt, ap);
	va_end(ap);
}

void out_line(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put_line(stdout, "", fmt, ap);
	va_end(ap);
}

void out_json(const json_t *json)
{
	char *text = json_dumps(json, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	/* DEL is the one control character that stays as it is (RFC 8259 section 7). */
	for (const char *p = text; p != NULL && *p != '\0'; p++)
		if (*p == 0x7f)
			fputs("\\u007f", stdout);
		else
			putchar(*p);
	putchar('\n');
	free(text);
}

/* ---- tables ---- */

struct table *table_new(const char *const *titles)
{
	const char *cells[TABLE_COLUMNS_MAX];
	struct table *table = g_new0(struct table, 1);
	table->cells = g_ptr_array_new_with_free_func(g_free);
	for (; titles[table->columns] != NULL; table->columns++) {
		const char *title = titles[table->columns];
		g_assert(table->columns < TABLE_COLUMNS_MAX);
		table->right[table->columns] = title[0] == '>';
		cells[table->columns] = title + (title[0] == '>');
	}
	table_row(table, cells);
	return table;
}

void table_row(struct table *table, const char *const *cells)
{
	for (size_t i = 0; i < table->columns; i++) {
		char *clean = out_clean(cells[i] == NULL || cells[i][0] == '\0' ? "-" : cells[i]);
		table->width[i] = MAX(table->width[i], out_width(clean));
		g_ptr_array_add(table->cells, clean);
	}
}

/* Columns of the terminal, or 0 if stdout is none. */
static size_t terminal_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

/* Cuts text so that it takes at most width columns. */
static void cut(char *text, size_t width)
{
	size_t used = 0;
	for (char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		used += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
		if (used > width) {
			*p = '\0';
			return;
		}
	}
}

void table_end(struct table *table)
{
	size_t screen = terminal_width(), before = 0, last = table->columns - 1;
	for (size_t i = 0; i < last; i++)
		before += table->width[i] + 2;
	for (guint n = 0; n < table->cells->len; n++) {
		size_t i = n % table->columns;
		char *cell = table->cells->pdata[n];
		if (i == last && screen > before + 10)
			cut(cell, screen - before);
		int pad = (int)(table->width[i] - MIN(table->width[i], out_width(cell)));
		if (table->right[i])
			printf("%*s%s", pad, "", cell);
		else
			printf("%s%*s", cell, i == last ? 0 : pad, "");
		printf("%s", i == last ? "\n" : "  ");
	}
	g_ptr_array_free(table->cells, TRUE);
	g_free(table);
}

/* ---- whole messages ---- */

/* A screen is no place for a stranger's escape sequences; a carriage return alone could write over
 * what was there. Bytes from 0x80 on may be part of any charset and stay, but for the C1 control
 * characters of UTF-8, C2 80 to C2 9F. Returns the new length. */
static size_t screen_clean(char *data, size_t len, bool *after_c2)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];
		if (c == '\r')
			continue;
		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
		    (c >= 0x80 && c < 0xa0 && *after_c2))
			data[n++] = '?';
		else
			data[n++] = (char)c;
		*after_c2 = c == 0xc2;
	}
	return n;
}

bool out_file(int fd, long long offset)
{
	char buffer[65536];
	bool screen = isatty(STDOUT_FILENO) == 1, after_c2 = false;
	struct err err;
	if (fflush(stdout) != 0)
		return false; /* main reports it */
	for (;;) {
		ssize_t n = pread(fd, buffer, sizeof(buffer), (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			out_error("reading the message: %s", strerror(errno));
			return false;
		}
		if (n == 0)
			return true;
		size_t len = screen ? screen_clean(buffer, (size_t)n, &after_c2) : (size_t)n;
		if (fs_write_all(STDOUT_FILENO, buffer, len, &err) != RC_OK) {
			out_error("stdout: %s", err.text);
			return false;
		}
		offset += n;
	}
}
