/*
 * settings_edit.h: one setting of a settings.ini changed in its text, so that the comments and the
 * order of whoever wrote it stay. Thread-safe.
 */
#ifndef PULLYU_CONF_SETTINGS_EDIT_H
#define PULLYU_CONF_SETTINGS_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"
#include "conf/settings.h"

/* Whether text would do as a settings.ini. defaults NULL: those of the program. *settings_out:
 * settings_clear; may be NULL. RC_PERM: "settings.ini:3: [digest] times: ..." */
enum rc settings_check_text(const char *text, size_t len, const struct settings *defaults,
    struct settings *settings_out, struct err *err);

/* The text with [section] key set to value; value NULL: without that line. Where the key is there
 * its value alone is replaced, and a comment behind it stays; a new key comes behind the last one
 * of its section, its "=" below that one's; a missing section comes at the end. Every other line
 * stays byte for byte. text is NUL-terminated. *text_out: g_free; it would do as a settings.ini.
 * *changed_out: whether it differs from text.
 *
 * RC_PERM, with nothing set: text is bad already (its problem, with the line); there is no such
 * setting; or value is none for it (what would be right), or none that a file can hold: control
 * characters, '"', ';', '#'. */
enum rc settings_edit(const char *text, const char *section, const char *key, const char *value,
    char **text_out, bool *changed_out, struct err *err);

#endif
