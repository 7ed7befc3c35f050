/*
 * str.c: see str.h.
 */
#include <config.h>

#include "base/str.h"

#include <string.h>

#include <glib.h>

void str_printable(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

size_t str_cut(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	/* Back to the start of the character that does not fit whole. */
	while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	return len;
}

bool str_copy(char *dst, size_t size, const char *src)
{
	size_t len = str_cut(src, size - 1);
	memcpy(dst, src, len);
	dst[len] = '\0';
	return src[len] == '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *str_trim(char *s)
{
	while (is_blank(*s))
		s++;
	size_t len = strlen(s);
	while (len > 0 && is_blank(s[len - 1]))
		s[--len] = '\0';
	return s;
}

/* Reads decimal digits; returns what follows them, or NULL when there are none or too many. */
static const char *digits(const char *s, int64_t *value_out)
{
	int64_t value = 0;
	const char *p = s;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (value > (INT64_MAX - 9) / 10)
			return NULL;
		value = value * 10 + (*p - '0');
	}
	if (p == s)
		return NULL;
	*value_out = value;
	return p;
}

static bool scaled(const char *s, const char *suffixes, const int64_t *factors, int64_t min,
    int64_t max, int64_t *value_out)
{
	int64_t value;
	const char *end = digits(s, &value);
	if (end == NULL)
		return false;
	if (*end != '\0') {
		const char *at = strchr(suffixes, g_ascii_tolower(*end));
		if (at == NULL || end[1] != '\0')
			return false;
		int64_t factor = factors[at - suffixes];
		if (value > INT64_MAX / factor)
			return false;
		value *= factor;
	}
	if (value < min || value > max)
		return false;
	*value_out = value;
	return true;
}

bool str_number(const char *s, int64_t min, int64_t max, int64_t *value_out)
{
	return scaled(s, "", NULL, min, max, value_out);
}

bool str_size(const char *s, int64_t min, int64_t max, int64_t *bytes_out)
{
	static const int64_t factors[] = {1024, 1024 * 1024, 1024 * 1024 * 1024};
	return scaled(s, "kmg", factors, min, max, bytes_out);
}

bool str_duration(const char *s, int64_t min, int64_t max, int64_t *seconds_out)
{
	static const int64_t factors[] = {1, 60, 3600, 86400, 7 * 86400};
	return scaled(s, "smhdw", factors, min, max, seconds_out);
}

bool str_bool(const char *s, bool *value_out)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	for (size_t i = 0; i < G_N_ELEMENTS(yes); i++) {
		if (g_ascii_strcasecmp(s, yes[i]) == 0) {
			*value_out = true;
			return true;
		}
		if (g_ascii_strcasecmp(s, no[i]) == 0) {
			*value_out = false;
			return true;
		}
	}
	return false;
}
