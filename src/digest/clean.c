/*
 * clean.c: see clean.h.
 */
#include <config.h>

#include "digest/clean.h"

#include <stdbool.h>
#include <string.h>

enum kind { KIND_KEEP, KIND_DROP, KIND_BLANK, KIND_MARK, KIND_JOINER };

size_t clean_columns(gunichar c)
{
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

static bool in_range(gunichar c, gunichar first, gunichar last)
{
	return c >= first && c <= last;
}

/* Characters that change the order of the text around them (UAX #9), or that show nothing. */
static bool is_hidden(gunichar c)
{
	return in_range(c, 0x202A, 0x202E) || in_range(c, 0x2066, 0x2069) || /* bidi */
	    in_range(c, 0x206A, 0x206F) ||                                   /* deprecated */
	    in_range(c, 0x2060, 0x2064) || /* word joiner, invisible operators */
	    c == 0x00AD || c == 0x034F || c == 0x061C || c == 0x180E || c == 0x200B ||
	    c == 0x200E || c == 0x200F || c == 0xFEFF || c == 0xFFFC || c == 0x115F ||
	    c == 0x1160 || c == 0x3164 || c == 0xFFA0 || /* Hangul fillers */
	    in_range(c, 0xFFF9, 0xFFFB) || in_range(c, 0xE0000, 0xE0FFF);
}

static enum kind kind_of(gunichar c)
{
	if (is_hidden(c))
		return KIND_DROP;
	if (c == 0x200C || c == 0x200D || in_range(c, 0xFE00, 0xFE0F))
		return KIND_JOINER;
	if (c == 0x2800) /* the empty Braille pattern, a favourite for padding */
		return KIND_BLANK;
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_SPACE_SEPARATOR:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
		return KIND_BLANK;
	case G_UNICODE_FORMAT:
	case G_UNICODE_SURROGATE:
		return KIND_DROP;
	case G_UNICODE_NON_SPACING_MARK:
	case G_UNICODE_ENCLOSING_MARK:
		return KIND_MARK;
	default: /* a letter without columns (the vowel of a Hangul syllable) is a mark on another */
		return clean_columns(c) == 0 ? KIND_MARK : KIND_KEEP;
	}
}

static char *valid_utf8(const char *in)
{
	size_t len = in == NULL ? 0 : strnlen(in, CLEAN_IN_MAX);
	/* A character cut in half by the bound is no error of the writer's. */
	while (len > 0 && in[len] != '\0' && ((unsigned char)in[len] & 0xC0) == 0x80)
		len--;
	return g_utf8_make_valid(in == NULL ? "" : in, (gssize)len);
}

/* Text that grows within its bounds. */
struct text {
	GString *out;
	size_t columns, max_columns, max_bytes;
	size_t marks;  /* characters without columns behind the last one that has some */
	gunichar last; /* a joiner that came last; or 0 */
	bool blank;    /* one is due before what comes next */
};

static const char ellipsis[] = "\xE2\x80\xA6";

static bool ends_loosely(const GString *out)
{
	gunichar c = g_utf8_get_char(g_utf8_prev_char(out->str + out->len));
	return c == ' ' || c == 0x200C || c == 0x200D;
}

/* Removes what is behind the last character that leaves room for the ellipsis, and puts it. */
static void cut(struct text *text)
{
	GString *out = text->out;
	while (out->len > 0 &&
	    (text->columns + 1 > text->max_columns ||
		out->len + strlen(ellipsis) > text->max_bytes)) {
		const char *last = g_utf8_prev_char(out->str + out->len);
		text->columns -= clean_columns(g_utf8_get_char(last));
		g_string_truncate(out, (gsize)(last - out->str));
	}
	while (out->len > 0 && ends_loosely(out))
		g_string_truncate(out, (gsize)(g_utf8_prev_char(out->str + out->len) - out->str));
	g_string_append(out, ellipsis);
}

/* Whether a character without columns may stand here: few of them behind one another, and a joiner
 * means something behind a visible character and once. */
static bool may_follow(struct text *text, gunichar c, enum kind kind)
{
	bool again = kind == KIND_JOINER && (text->out->len == 0 || text->blank || text->last == c);
	text->last = kind == KIND_JOINER ? c : 0;
	return !again && text->marks++ < CLEAN_MARKS_MAX;
}

/* false: the bounds are reached. */
static bool put(struct text *text, gunichar c, enum kind kind)
{
	if (kind == KIND_KEEP)
		text->marks = 0, text->last = 0;
	else if (!may_follow(text, c, kind))
		return true;
	if ((c & 0xFFFE) == 0xFFFE || in_range(c, 0xFDD0, 0xFDEF)) /* noncharacters */
		c = 0xFFFD;
	if (text->blank && text->out->len > 0) {
		g_string_append_c(text->out, ' ');
		text->columns++;
	}
	text->blank = false;
	g_string_append_unichar(text->out, c);
	text->columns += clean_columns(c);
	return text->columns <= text->max_columns && text->out->len <= text->max_bytes;
}

char *clean_text(const char *in, size_t max_columns)
{
	char *valid = valid_utf8(in);
	struct text text = {.out = g_string_new(NULL),
	    .max_columns = max_columns,
	    .max_bytes = CLEAN_BYTES(max_columns)};
	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		enum kind kind = kind_of(c);
		if (kind == KIND_BLANK) {
			text.blank = true;
		} else if (kind != KIND_DROP && !put(&text, c, kind)) {
			cut(&text);
			break;
		}
	}
	g_free(valid);
	return g_string_free(text.out, FALSE);
}
