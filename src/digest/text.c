/*
 * text.c: see text.h. The form:
 *
 *	Your digest
 *	14 messages from 9 senders
 *	Tuesday, 24 November 2026, 08:00 (Europe/Amsterdam)
 *
 *
 *	NEWSLETTERS (1)
 *	---------------
 *
 *	The Garden Letter <letter@garden.example>
 *
 *	  * What to sow in November
 *	    Mon 23 Nov, 17:42 - 12 kB
 *	    Why held: it came from a mailing list for announcements
 */
#include <config.h>

#include "digest/text.h"

#include <stdbool.h>
#include <string.h>

#include "digest/clean.h"

/* The line that is being filled. */
struct line {
	GString *out; /* foreign */
	const char *rest;
	size_t start;   /* where the line begins in out */
	size_t columns; /* used */
	bool empty;     /* nothing behind the indent */
};

static void line_begin(struct line *line, const char *indent)
{
	line->start = line->out->len;
	g_string_append(line->out, indent);
	line->columns = strlen(indent);
	line->empty = true;
}

static void line_break(struct line *line)
{
	g_string_append_c(line->out, '\n');
	line_begin(line, line->rest);
}

static bool line_fits(const struct line *line, size_t columns, size_t bytes)
{
	return line->columns + columns <= TEXT_COLUMNS &&
	    line->out->len - line->start + bytes <= TEXT_LINE_BYTES;
}

static void line_put(struct line *line, const char *text, size_t bytes, size_t columns)
{
	g_string_append_len(line->out, text, (gssize)bytes);
	line->columns += columns;
	line->empty = false;
}

/* A word that must break: wherever the line is full, but never before a mark of a character. */
static void put_broken(struct line *line, const char *word, size_t bytes)
{
	for (const char *p = word, *next; p < word + bytes; p = next) {
		next = g_utf8_next_char(p);
		size_t columns = clean_columns(g_utf8_get_char(p));
		if (!line_fits(line, columns, (size_t)(next - p)))
			line_break(line);
		line_put(line, p, (size_t)(next - p), columns);
	}
}

static void put_word(struct line *line, const char *word, size_t bytes)
{
	size_t columns = 0;
	bool wide = false;
	for (const char *p = word; p < word + bytes; p = g_utf8_next_char(p)) {
		size_t n = clean_columns(g_utf8_get_char(p));
		columns += n;
		wide = wide || n == 2;
	}
	size_t space = line->empty ? 0 : 1;
	bool fits = line_fits(line, space + columns, space + bytes);
	/* What never fits a line of its own begins where it stands, as does text without spaces. */
	bool breaks = !fits &&
	    (wide || strlen(line->rest) + columns > TEXT_COLUMNS ||
		strlen(line->rest) + bytes > TEXT_LINE_BYTES);
	if (space != 0 && (fits || (breaks && line_fits(line, 3, 3))))
		line_put(line, " ", 1, 1);
	else if (!line->empty)
		line_break(line);
	if (breaks)
		put_broken(line, word, bytes);
	else
		line_put(line, word, bytes, columns);
}

void text_wrap(GString *out, const char *text, const char *first, const char *rest)
{
	struct line line = {.out = out, .rest = rest};
	line_begin(&line, first);
	for (const char *p = text; *p != '\0';) {
		size_t bytes = strcspn(p, " ");
		if (bytes > 0)
			put_word(&line, p, bytes);
		p += bytes;
		p += strspn(p, " ");
	}
	g_string_append_c(out, '\n');
}

static void heading(GString *out, const char *text, size_t n)
{
	char *upper = g_utf8_strup(text, -1);
	char *line = n == 0 ? g_strdup(upper) : g_strdup_printf("%s (%zu)", upper, n);
	size_t columns = 0;
	for (const char *p = line; *p != '\0'; p = g_utf8_next_char(p))
		columns += clean_columns(g_utf8_get_char(p));
	g_string_append_printf(out, "\n\n%s\n", line);
	for (size_t i = 0; i < columns; i++)
		g_string_append_c(out, '-');
	g_string_append(out, "\n");
	g_free(line);
	g_free(upper);
}

static void render_entry(GString *out, const struct outline_entry *entry)
{
	char *details = g_strdup_printf("%s - %s", entry->when, entry->size);
	g_string_append_c(out, '\n');
	text_wrap(out, entry->subject, "  * ", "    ");
	if (entry->from != NULL)
		text_wrap(out, entry->from, "    ", "    ");
	text_wrap(out, details, "    ", "    ");
	if (entry->list != NULL)
		text_wrap(out, entry->list, "    ", "    ");
	if (entry->why != NULL)
		text_wrap(out, entry->why, "    ", "    ");
	g_free(details);
}

static void render_sender(GString *out, const struct outline_sender *sender)
{
	char *who = sender->name == NULL ? g_strdup(sender->addr)
					 : g_strdup_printf("%s <%s>", sender->name, sender->addr);
	g_string_append_c(out, '\n');
	text_wrap(out, who, "", "  ");
	for (size_t i = 0; i < sender->n; i++)
		render_entry(out, &sender->entries[i]);
	g_free(who);
}

char *text_render(const struct outline *outline)
{
	GString *out = g_string_new(NULL);
	text_wrap(out, outline->words->title, "", "");
	text_wrap(out, outline->headline, "", "");
	text_wrap(out, outline->slot, "", "");
	if (outline->n_notices > 0)
		heading(out, outline->words->notices, 0);
	for (size_t i = 0; i < outline->n_notices; i++) {
		g_string_append_c(out, '\n');
		text_wrap(out, outline->notices[i], "  * ", "    ");
	}
	for (size_t c = 0; c < outline->n_classes; c++) {
		const struct outline_class *class = &outline->classes[c];
		heading(out, class->heading, class->n_entries);
		for (size_t s = 0; s < class->n; s++)
			render_sender(out, &class->senders[s]);
	}
	/* No "-- " here: a reader that hides signatures would hide the promise. */
	g_string_append(out, "\n\n");
	text_wrap(out, outline->closing, "", "");
	text_wrap(out, outline->waits, "", "");
	return g_string_free(out, FALSE);
}
