/*
 * value.h: one value of an option: from its text, checked, and into the field of a struct. Only
 * table.c needs it. Thread-safe.
 */
#ifndef PULLYU_CONF_VALUE_H
#define PULLYU_CONF_VALUE_H

#include "conf/table.h"

/* Parses text as the option wants it into *field_out, which is the zeroed field itself or memory of
 * its size (value_size). RC_PERM with a text that says what would be right. */
enum rc value_parse(
    const struct conf_option *option, const char *text, void *field_out, struct err *err);
size_t value_size(enum conf_type type);
/* Frees what the field owns and zeroes it. */
void value_clear(enum conf_type type, void *field);
void value_copy(enum conf_type type, const void *from, void *to);

#endif
