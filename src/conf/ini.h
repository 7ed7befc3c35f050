/*
 * ini.h: the checked way into an INI file; ini.c is the only home of iniparser.
 *
 * iniparser 4.1 alone is not enough: it crashes on some queries, cuts values at ';' and '#', lets
 * the last duplicate win in silence and loads a directory as an empty file. So each file is first
 * read by a checker of our own (bounded, regular file, UTF-8, no NUL, no BOM, lines under 1,000
 * bytes, known syntax, no duplicate section or key, no unquoted ';' or '#' inside a value except
 * for a comment that stands after blank space); only then by iniparser, and strings only. Both
 * readings must agree. Thread-safe (iniparser's global error callback is set once).
 *
 * Syntax: [section], key = value, comments from ';' or '#' at the start of a line, or after blanks
 * behind a value; a value may stand in double quotes, inside which ';' and '#' are plain and blanks
 * at its ends are kept; there is no escape inside quotes. Names of sections and keys are
 * case-insensitive: letters, digits, '-', '_' and '.'. Size at most INI_FILE_MAX.
 */
#ifndef PULLYU_CONF_INI_H
#define PULLYU_CONF_INI_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/ini.h"
#include "base/rc.h"

enum { INI_FILE_MAX = 256 * 1024 };

struct ini {
	char *path;                /* own; the file, or the directory */
	char **files;              /* own; NULL-terminated; what entries[].file points at */
	struct ini_entry *entries; /* own; in the order of the file */
	size_t n_entries;
	char **sections; /* own; each once, in the order of the file, empty ones too */
	size_t n_sections;
	struct stat st; /* of the file that was read: owner, mode, mtime */
};

/* Reads and checks a file. Each problem goes to problem (which may be NULL); all are reported,
 * not only the first. RC_NOTFOUND if there is no such file; RC_PERM if it has problems, the first
 * of them in err; RC_TEMP if it cannot be read now. */
enum rc ini_load(
    const char *path, ini_problem_fn *problem, void *ctx, struct ini **ini_out, struct err *err);
/* The same for bytes that the caller has read from path; st goes to ini->st. */
enum rc ini_parse(const char *path, const char *data, size_t len, const struct stat *st,
    ini_problem_fn *problem, void *ctx, struct ini **ini_out, struct err *err);
/* The same for every file "*.ini" of a directory (names that start with a dot left out), in the
 * order of their names in bytes, as one struct ini. A section may stand in several files (not twice
 * in one). Something of such a name that is no regular file is a problem. */
enum rc ini_load_dir(
    const char *dir, ini_problem_fn *problem, void *ctx, struct ini **ini_out, struct err *err);
void ini_free(struct ini **ini);

#endif
