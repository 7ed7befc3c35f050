/*
 * text.c: see text.h. The form:
 *
 *	Your digest
 *	14 messages from 9 senders
 *	Tuesday, 24 November 2026, 08:00 (Europe/Amsterdam)
 *
 *
 *	NOTIFICATIONS (3)
 *	-----------------
 *
 *	forge.example
 *
 *	 1. Build 124 failed (3 messages)
 *	    GitForge <notify@forge.example>, Mon 23 Nov, 17:42
 *	      The first words of the message itself, in two lines.
 *	    Also: Build 123 failed; Build 122 failed
 *	    Held because a code forge notifies
 */
#include <config.h>

#include "digest/text.h"

#include <stdbool.h>
#include <string.h>

#include "digest/clean.h"

static size_t columns_of(const char *text)
{
	size_t columns = 0;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
		columns += clean_columns(g_utf8_get_char(p));
	return columns;
}

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
	line->columns = columns_of(indent);
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

static void heading(GString *out, const char *text, const char *count)
{
	char *upper = g_utf8_strup(text, -1);
	char *line = count == NULL ? g_strdup(upper) : g_strdup_printf("%s (%s)", upper, count);
	size_t columns = columns_of(line);
	g_string_append_printf(out, "\n\n%s\n", line);
	for (size_t i = 0; i < columns; i++)
		g_string_append_c(out, '-');
	g_string_append(out, "\n");
	g_free(line);
	g_free(upper);
}

/* On one line, or else each on its own: a time is not to be cut. */
static void put_who(GString *out, const char *who, const char *when)
{
	bool together = 4 + columns_of(who) + 2 + columns_of(when) <= TEXT_COLUMNS;
	char *line = g_strdup_printf("%s, %s", who, when);
	text_wrap(out, together ? line : who, "    ", "    ");
	if (!together)
		text_wrap(out, when, "    ", "    ");
	g_free(line);
}

/* An address is of no use in pieces: it stays on one line, however long. */
static void put_address(GString *out, const char *uri)
{
	g_string_append_printf(out, "    <%s>\n", uri);
}

static void render_entry(GString *out, const struct outline_entry *entry)
{
	GString *who = g_string_new(entry->name);
	char *subject = entry->count == NULL
	    ? g_strdup(entry->subject)
	    : g_strdup_printf("%s (%s)", entry->subject, entry->count);
	if (entry->addr != NULL)
		g_string_append_printf(who, " <%s>", entry->addr);
	if (entry->unverified != NULL)
		g_string_append_printf(who, " (%s)", entry->unverified);
	g_string_append_c(out, '\n');
	char *mark =
	    entry->number == NULL ? g_strdup("  * ") : g_strdup_printf("%3s ", entry->number);
	text_wrap(out, subject, mark, "    ");
	g_free(mark);
	put_who(out, who->str, entry->when);
	if (entry->snippet != NULL)
		text_wrap(out, entry->snippet, "      ", "      ");
	if (entry->others != NULL)
		text_wrap(out, entry->others, "    ", "    ");
	if (entry->attached != NULL)
		text_wrap(out, entry->attached, "    ", "    ");
	if (entry->why != NULL)
		text_wrap(out, entry->why, "    ", "    ");
	if (entry->unsubscribe != NULL) {
		text_wrap(out, entry->unsubscribe, "    ", "    ");
		put_address(out, entry->unsubscribe_uri);
	}
	g_free(subject);
	g_string_free(who, TRUE);
}

static void render_section(GString *out, const struct outline_section *section)
{
	heading(out, section->heading, section->count);
	for (size_t g = 0; g < section->n; g++) {
		const struct outline_group *group = &section->groups[g];
		if (group->heading != NULL) {
			g_string_append_c(out, '\n');
			text_wrap(out, group->heading, "", "  ");
		}
		for (size_t e = 0; e < group->n; e++)
			render_entry(out, &group->entries[e]);
	}
}

static void render_suggestions(GString *out, const struct outline *outline)
{
	if (outline->n_quiet > 0)
		heading(out, outline->quiet_heading, NULL);
	for (size_t i = 0; i < outline->n_quiet; i++) {
		const struct outline_quiet *quiet = &outline->quiet[i];
		g_string_append_c(out, '\n');
		text_wrap(out, quiet->text, "  * ", "    ");
		if (quiet->unsubscribe_uri != NULL)
			put_address(out, quiet->unsubscribe_uri);
	}
}

void text_rows(GString *out, const struct outline_words *rows, size_t n)
{
	size_t widest = 0;
	for (size_t i = 0; i < n; i++)
		widest = MAX(widest, columns_of(rows[i].words));
	for (size_t i = 0; i < n; i++) {
		size_t columns = columns_of(rows[i].words);
		GString *first = g_string_new("  ");
		g_string_append(first, rows[i].words);
		g_string_append_printf(first, "%*s", (int)(widest - columns) + 2, "");
		char *rest = g_strnfill(2 + widest + 2, ' ');
		text_wrap(out, rows[i].meaning, first->str, rest);
		g_free(rest);
		g_string_free(first, TRUE);
	}
}

char *text_render(const struct outline *outline)
{
	GString *out = g_string_new(NULL);
	text_wrap(out, outline->title, "", "");
	text_wrap(out, outline->headline, "", "");
	text_wrap(out, outline->slot, "", "");
	if (outline->n_notices > 0)
		heading(out, outline->notices_heading, NULL);
	for (size_t i = 0; i < outline->n_notices; i++) {
		g_string_append_c(out, '\n');
		text_wrap(out, outline->notices[i], "  * ", "    ");
	}
	for (size_t s = 0; s < outline->n_sections; s++)
		render_section(out, &outline->sections[s]);
	render_suggestions(out, outline);
	/* No "-- " here: a reader that hides signatures would hide the promise. */
	g_string_append(out, "\n\n");
	text_wrap(out, outline->closing, "", "");
	text_wrap(out, outline->waits, "", "");
	if (outline->answer_how != NULL) {
		g_string_append_c(out, '\n');
		text_wrap(out, outline->answer_how, "", "");
		text_rows(out, outline->words, outline->n_words);
	}
	return g_string_free(out, FALSE);
}
