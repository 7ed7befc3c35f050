/*
 * str.h: the few string operations that GLib does not have. Strings are NUL-terminated UTF-8
 * unless said otherwise. All functions are thread-safe. A failed allocation aborts (g_malloc).
 */
#ifndef PULLYU_BASE_STR_H
#define PULLYU_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Replaces control characters (C0, DEL) by '?', in place: for logs and error texts. */
void str_printable(char *s);

/* How many bytes of s, at most max, are whole characters of UTF-8. */
size_t str_cut(const char *s, size_t max);

/* Copies src to dst of size bytes, truncating at a UTF-8 character boundary; always terminates.
 * Returns whether everything fitted. */
bool str_copy(char *dst, size_t size, const char *src);

/* Removes leading and trailing blanks (space, tab, CR, LF) in place; returns the new start. */
char *str_trim(char *s);

/* Whole string as a decimal number in [min, max]: no sign, blanks, hexadecimal or octal.
 * Returns whether it is one; *value_out is untouched otherwise. */
bool str_number(const char *s, int64_t min, int64_t max, int64_t *value_out);

/* A number with an optional suffix k, m, g (powers of 1024, either case). */
bool str_size(const char *s, int64_t min, int64_t max, int64_t *bytes_out);

/* A number with an optional suffix s, m, h, d, w; without one, seconds. */
bool str_duration(const char *s, int64_t min, int64_t max, int64_t *seconds_out);

/* "yes", "true", "on", "1" and "no", "false", "off", "0", in any case. */
bool str_bool(const char *s, bool *value_out);

#endif
