/*
 * table.h: one row an option: section, key, type, range, default, help. The checker, the loader and
 * the man pages' test all read these tables, so that none of them can know an option alone.
 */
#ifndef PULLYU_CONF_TABLE_H
#define PULLYU_CONF_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/ini.h"
#include "base/rc.h"
#include "conf/ini.h"

enum conf_type {
	CONF_STRING,   /* char *, own (g_free) */
	CONF_NUMBER,   /* int64_t; decimal, no leading zero */
	CONF_MODE,     /* int64_t; file permissions in octal: 0660 */
	CONF_SIZE,     /* int64_t, bytes; suffix k, m, g */
	CONF_DURATION, /* int64_t, seconds; suffix s, m, h, d, w */
	CONF_MSEC,     /* int64_t, milliseconds; suffix ms, s, m; without one, seconds */
	CONF_BOOL,     /* bool */
	CONF_CHOICE,   /* int: index into choices */
	CONF_CHOICES,  /* char **, own (g_strfreev): words separated by commas, each from choices */
	CONF_WORDS,    /* char **, own: words separated by commas, any */
	CONF_DOMAIN,   /* char *, own; a domain name, normalised */
	CONF_DOMAINS,  /* char **, own: domain names separated by commas, normalised */
	CONF_PATH,     /* char *, own; absolute */
	CONF_TEMPLATE, /* char *, own; path of a user's directory: absolute or %h first; %d %u %h */
	CONF_SOCKET,   /* char *, own; libmilter's syntax: unix:/path, inet:port@host */
	CONF_ADDRESS,  /* char *, own; "ann@example.org"; or "ann", which conf.c completes */
	CONF_MAILBOX,  /* char *, own; the same, or "Ann <ann@example.org>" */
	CONF_COMMAND,  /* char *, own; address with %u and %d; or "none", which conf.c settles */
	CONF_TIMES,    /* struct times */
	CONF_EXCEPTIONS, /* struct exceptions */
	CONF_DATE,       /* int32_t, a day (conf/dates.h); empty: 0, none */
	CONF_STAY,       /* struct stay */
	CONF_ZONE,       /* char *, own; a name listed in tzdata */
	CONF_LANGUAGE,   /* char *, own; a language tag (BCP 47) */
};

struct conf_option {
	const char *section, *key;
	enum conf_type type;
	size_t offset;       /* of the field in the struct that the table describes */
	int64_t min, max;    /* numbers, sizes, durations; lengths of strings (max 0: any) */
	const char *choices; /* separated by blanks */
	const char *dflt;    /* as it would stand in the file; NULL: none, the field is NULL */
	const char *help;    /* one line */
};

/* Fills target from the defaults of the table. */
void conf_table_defaults(const struct conf_option *table, size_t n, void *target);
/* Checks every entry of ini against the table (unknown section, unknown key, wrong type, out of
 * range: each one a problem that names what would be right) and, if there was none, sets target's
 * fields. On problems target keeps what it had, whole. An empty value of an option without default
 * unsets it. */
enum rc conf_table_apply(const struct conf_option *table, size_t n, const struct ini *ini,
    void *target, ini_problem_fn *problem, void *ctx, struct err *err);
/* Frees what the fields own and zeroes them. */
void conf_table_clear(const struct conf_option *table, size_t n, void *target);
/* Deep copy of the fields of one target to another, zeroed one. */
void conf_table_copy(const struct conf_option *table, size_t n, const void *from, void *to);

#endif
