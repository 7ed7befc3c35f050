/*
 * form.h: the lines "key = value" or "key: value" of a mail that is a form. Pure; thread-safe. For
 * src/command only.
 */
#ifndef PULLYU_COMMAND_FORM_H
#define PULLYU_COMMAND_FORM_H

#include "command/read.h"
#include "command/text.h"

/* Collects the keys that are among keys (NULL-terminated) into command->form. A line that sets
 * another one with "=" is an error; with ":" it is talk ("Sent: today"). An unquoted line counts
 * more than a quoted one of the same key; the same key twice with two values is an error. A line
 * that a client has broken goes on in the next. RC_PERM says what is wrong. */
enum rc form_read(const struct text_lines *lines, const char *const *keys, struct command *command,
    struct err *err);

/* The same, but only of the lines that are not quoted. */
enum rc form_read_unquoted(const struct text_lines *lines, const char *const *keys,
    struct command *command, struct err *err);

/* Borrowed from command; NULL if it is not there. */
struct command_form *form_find(struct command *command, const char *key);

/* value: plain text (text.h). Quotes around it are the typist's. RC_PERM if it is too long, or
 * control characters are in it. key is shorter than its array. */
enum rc form_set(struct command_form *form, const char *key, const char *value, struct err *err);

#endif
