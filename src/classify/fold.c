/*
 * fold.c: see fold.h.
 */
#include <config.h>

#include "classify/fold.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "base/str.h"

/* Newsletters hide words behind these: zero-width characters, soft hyphens, direction marks,
 * variation selectors; and the accents that decomposition has split off Latin letters. */
static bool is_dropped(gunichar c)
{
	return c == 0xad || c == 0x34f || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2064) || c == 0xfeff ||
	    (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0x300 && c <= 0x36f);
}

static size_t add_blank(char *out, size_t n)
{
	if (n > 0 && out[n - 1] != ' ' && n < FOLD_MAX)
		out[n++] = ' ';
	return n;
}

/* Letters that decomposition leaves whole, and that people replace by these. */
static const char *plain_letter(gunichar c)
{
	switch (c) {
	case 0xe6:
		return "ae";
	case 0xf8:
		return "o";
	case 0x111:
		return "d";
	case 0x131:
		return "i";
	case 0x142:
		return "l";
	case 0x153:
		return "oe";
	default:
		return NULL;
	}
}

static size_t fold_unicode(const char *s, size_t len, char *out)
{
	size_t n = 0;
	char *normal = g_utf8_normalize(s, (gssize)len, G_NORMALIZE_ALL);
	char *folded = g_utf8_casefold(normal == NULL ? "" : normal, -1);
	for (const char *p = folded; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		size_t bytes = (size_t)(g_utf8_next_char(p) - p);
		if (is_dropped(c))
			continue;
		if (c == 0x2018 || c == 0x2019 || c == 0x2bc || c == 0xb4 || c == '`') {
			if (n < FOLD_MAX)
				out[n++] = '\'';
			continue;
		}
		const char *plain = plain_letter(c);
		if (plain != NULL && n + strlen(plain) <= FOLD_MAX) {
			memcpy(out + n, plain, strlen(plain));
			n += strlen(plain);
			continue;
		}
		if (c <= ' ' || g_unichar_isspace(c)) {
			n = add_blank(out, n);
			continue;
		}
		if (n + bytes > FOLD_MAX)
			break;
		memcpy(out + n, p, bytes);
		n += bytes;
	}
	g_free(folded);
	g_free(normal);
	return n;
}

size_t fold(const char *s, char out[FOLD_MAX + 1])
{
	size_t n = 0, i;
	for (i = 0; i < FOLD_MAX && (unsigned char)s[i] < 0x80 && s[i] != '\0'; i++) {
		char c = s[i];
		if (c > ' ') {
			c = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
			out[n++] = c == '`' ? '\'' : c;
		} else if (n > 0 && out[n - 1] != ' ') {
			out[n++] = ' ';
		}
	}
	if (i < FOLD_MAX && s[i] != '\0') {
		n = fold_unicode(s, str_cut(s, FOLD_MAX), out);
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return n;
}
