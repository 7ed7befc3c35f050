/*
 * ini.c: see ini.h for the syntax.
 *
 * The bytes are read once. Our reading of them makes the entries; iniparser then reads the same
 * bytes (from an anonymous file, so that nobody can swap the file between the two readings) and
 * must find the same keys with the same values. What iniparser would silently read otherwise (a
 * trailing backslash joins lines, an apostrophe quotes, ';' cuts) is a problem named by our
 * reading.
 */
#include <config.h>

#include "conf/ini.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>
#include <iniparser/iniparser.h>

#include "base/fs.h"
#include "base/str.h"
#include "conf/problems.h"

enum {
	LINE_MAX_BYTES = 999, /* iniparser's buffer is 1,024 bytes, with section and key joined */
	NAME_MAX_BYTES = 64,
	ENTRIES_MAX = 4000, /* a file's: iniparser takes time by the square of it */
	PROBLEMS_MAX = 100, /* a file's: nobody reads more, and a hostile file has many */
};

struct reader {
	struct problems problems;
	const char *file;    /* foreign: of ini->files */
	GPtrArray *files;    /* own strings */
	GPtrArray *sections; /* own strings, each once */
	GHashTable *names;   /* the same: foreign keys */
	GArray *entries;     /* struct ini_entry; keys and values are own */
	size_t first;        /* entries of earlier files */
	GHashTable *headed;  /* sections that this file has headed: foreign keys */
	GHashTable *keys;    /* own "section\nkey" of this file -> line */
	const char *section; /* foreign: of sections; NULL before the first or in a bad one */
	bool bad_section;
};

static bool name_ok(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len > NAME_MAX_BYTES || !g_ascii_isalnum(name[0]))
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && strchr("-_.", *p) == NULL)
			return false;
	return true;
}

static void read_section(struct reader *r, int line, char *text)
{
	size_t len = strlen(text);
	r->section = NULL;
	r->bad_section = true;
	if (text[len - 1] != ']') {
		problems_add(&r->problems, r->file, line,
		    "a section's line must be [name] and nothing behind it");
		return;
	}
	text[len - 1] = '\0';
	char *name = str_trim(text + 1);
	if (!name_ok(name)) {
		problems_add(&r->problems, r->file, line,
		    "[%.70s] is no section name: letters, digits, '-', '_' and '.', at most %d",
		    name, NAME_MAX_BYTES);
		return;
	}
	char *lower = g_ascii_strdown(name, -1);
	char *known = g_hash_table_lookup(r->names, lower);
	if (known != NULL) {
		g_free(lower);
		lower = known;
	} else {
		g_ptr_array_add(r->sections, lower);
		g_hash_table_add(r->names, lower);
	}
	if (!g_hash_table_add(r->headed, lower)) {
		problems_add(&r->problems, r->file, line,
		    "section [%s] stands twice: put its lines together", lower);
		return;
	}
	r->section = lower;
	r->bad_section = false;
}

/* Cuts a quoted value out of text, which starts with the quote. NULL after a problem. */
static char *read_quoted(struct reader *r, int line, char *text)
{
	char *end = strchr(text + 1, '"');
	if (end == NULL) {
		problems_add(&r->problems, r->file, line, "the closing '\"' is missing");
		return NULL;
	}
	char *rest = str_trim(end + 1);
	if (*rest != '\0' && *rest != ';' && *rest != '#') {
		problems_add(&r->problems, r->file, line,
		    "'%.40s' stands behind the closing '\"': only a comment may", rest);
		return NULL;
	}
	*end = '\0';
	return text + 1;
}

static char *read_plain(struct reader *r, int line, char *text)
{
	size_t n = strcspn(text, ";#");
	if (text[0] == '\'') {
		problems_add(&r->problems, r->file, line,
		    "a value cannot start with an apostrophe: put it in double quotes");
		return NULL;
	}
	if (text[n] != '\0' && n > 0 && text[n - 1] != ' ' && text[n - 1] != '\t') {
		problems_add(&r->problems, r->file, line,
		    "'%c' inside a value would cut it: put the value in double quotes, or a blank "
		    "before a comment",
		    text[n]);
		return NULL;
	}
	text[n] = '\0';
	text = str_trim(text);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\t')
			*p = ' ';
	return text;
}

static void read_entry(struct reader *r, int line, char *text)
{
	char *equals = strchr(text, '=');
	if (equals == NULL) {
		problems_add(&r->problems, r->file, line,
		    "'%.60s' is neither [section] nor key = value nor a comment", text);
		return;
	}
	*equals = '\0';
	char *key = str_trim(text);
	char *value = equals + 1 + strspn(equals + 1, " \t");
	if (!name_ok(key)) {
		problems_add(&r->problems, r->file, line,
		    "'%.70s' is no key: letters, digits, '-', '_' and '.', at most %d", key,
		    NAME_MAX_BYTES);
		return;
	}
	value = *value == '"' ? read_quoted(r, line, value) : read_plain(r, line, value);
	if (value == NULL)
		return;
	if (strchr(value, '\t') != NULL) {
		problems_add(&r->problems, r->file, line, "a tab inside quotes: use a blank");
		return;
	}
	if (r->section == NULL) {
		if (!r->bad_section)
			problems_add(&r->problems, r->file, line,
			    "key %.70s stands before the first [section]", key);
		return;
	}
	char *lower = g_ascii_strdown(key, -1);
	char *whole = g_strdup_printf("%s\n%s", r->section, lower);
	int before = GPOINTER_TO_INT(g_hash_table_lookup(r->keys, whole));
	if (before != 0) {
		problems_add(&r->problems, r->file, line,
		    "[%s] %s stands twice; the first time in line %d", r->section, lower, before);
		g_free(whole);
		g_free(lower);
		return;
	}
	g_hash_table_insert(r->keys, whole, GINT_TO_POINTER(line));
	struct ini_entry entry = {
	    .file = r->file,
	    .section = r->section,
	    .key = lower,
	    .value = g_strdup(value),
	    .line = line,
	};
	g_array_append_val(r->entries, entry);
}

static void read_line(struct reader *r, int line, const char *bytes, size_t len)
{
	char text[LINE_MAX_BYTES + 1];
	if (len > LINE_MAX_BYTES) {
		problems_add(
		    &r->problems, r->file, line, "line longer than %d bytes", LINE_MAX_BYTES);
		return;
	}
	if (!g_utf8_validate(bytes, (gssize)len, NULL)) {
		problems_add(&r->problems, r->file, line, "not UTF-8");
		return;
	}
	memcpy(text, bytes, len);
	text[len] = '\0';
	char *s = str_trim(text);
	for (const char *p = s; *p != '\0'; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f) {
			problems_add(&r->problems, r->file, line, "control character 0x%02x",
			    (unsigned)(unsigned char)*p);
			return;
		}
	}
	if (*s == '\0')
		return;
	if (s[strlen(s) - 1] == '\\') {
		problems_add(&r->problems, r->file, line,
		    "a backslash at the end of a line would join the next one to it");
		return;
	}
	if (*s == ';' || *s == '#')
		return;
	if (*s == '[')
		read_section(r, line, s);
	else
		read_entry(r, line, s);
}

static void read_lines(struct reader *r, const char *data, size_t len)
{
	const char *end = data + len;
	size_t before = r->problems.n;
	int line = 1;
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		problems_add(&r->problems, r->file, 1,
		    "starts with a byte order mark: save it as UTF-8 without one");
		data += 3;
	}
	if (memchr(data, '\0', (size_t)(end - data)) != NULL) {
		problems_add(&r->problems, r->file, 0, "holds NUL bytes: not a text file in UTF-8");
		return;
	}
	for (; data < end; line++) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const char *stop = newline == NULL ? end : newline;
		size_t n = (size_t)(stop - data);
		read_line(r, line, data, n > 0 && stop[-1] == '\r' ? n - 1 : n);
		data = newline == NULL ? end : newline + 1;
		if (r->problems.n - before >= PROBLEMS_MAX) {
			problems_add(&r->problems, r->file, line,
			    "too many problems: the rest was "
			    "not looked at");
			return;
		}
	}
	if (r->entries->len - r->first > ENTRIES_MAX || g_hash_table_size(r->headed) > ENTRIES_MAX)
		problems_add(&r->problems, r->file, 0, "more than %d lines that are no comments",
		    ENTRIES_MAX);
}

static int silent(const char *format, ...)
{
	(void)format;
	return 0;
}

static void silence(void)
{
	iniparser_set_error_callback(silent);
}

/* The second reading. All names and values were checked, so that no query can fail. */
static enum rc agree(struct reader *r, const char *data, size_t len, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char name[64];
	dictionary *d = NULL;
	pthread_once(&once, silence);
	int fd = memfd_create("pullyu-ini", MFD_CLOEXEC);
	if (fd < 0)
		return err_errno(err, RC_TEMP, "%s: memfd_create", r->file);
	enum rc rc = fs_write_all(fd, data, len, err);
	if (rc != RC_OK)
		goto out;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (access(name, R_OK) != 0) {
		rc = err_errno(err, RC_TEMP, "%s: %s", r->file, name);
		goto out;
	}
	d = iniparser_load(name);
	size_t want = g_hash_table_size(r->headed) + (r->entries->len - r->first);
	if (d == NULL || d->n < 0 || (size_t)d->n != want)
		problems_add(&r->problems, r->file, 0, "cannot be read without doubt");
	for (size_t i = r->first; d != NULL && r->problems.n == 0 && i < r->entries->len; i++) {
		const struct ini_entry *e = &g_array_index(r->entries, struct ini_entry, i);
		char *whole = g_strdup_printf("%s:%s", e->section, e->key);
		char *value = g_strdup(iniparser_getstring(d, whole, NULL));
		g_free(whole);
		if (value != NULL)
			g_strdelimit(value, "\t", ' ');
		if (value == NULL || strcmp(value, e->value) != 0)
			problems_add(&r->problems, r->file, e->line,
			    "[%s] %s cannot be read without doubt", e->section, e->key);
		g_free(value);
	}
out:
	if (d != NULL)
		iniparser_freedict(d);
	close(fd);
	return rc;
}

static enum rc read_data(
    struct reader *r, const char *path, const char *data, size_t len, struct err *err)
{
	size_t before = r->problems.n;
	enum rc rc = RC_OK;
	r->file = g_strdup(path);
	g_ptr_array_add(r->files, (char *)r->file);
	r->first = r->entries->len;
	r->section = NULL;
	r->bad_section = false;
	r->headed = g_hash_table_new(g_str_hash, g_str_equal);
	r->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (len > INI_FILE_MAX)
		problems_add(&r->problems, path, 0, "larger than %d bytes", INI_FILE_MAX);
	else
		read_lines(r, data, len);
	if (r->problems.n == before)
		rc = agree(r, data, len, err);
	g_hash_table_unref(r->headed);
	g_hash_table_unref(r->keys);
	return rc;
}

static enum rc read_file(struct reader *r, const char *path, struct stat *st_out, struct err *err)
{
	char *data = NULL;
	size_t len = 0;
	struct err why;
	enum rc rc = fs_read(path, INI_FILE_MAX, &data, &len, st_out, &why);
	if (rc == RC_PERM) { /* a directory, a FIFO, too large; why begins with the path */
		problems_add(&r->problems, path, 0, "%s",
		    g_str_has_prefix(why.text, path) ? why.text + strlen(path) + 2 : why.text);
		return RC_OK;
	}
	if (rc != RC_OK)
		return err_set(err, rc, "%s", why.text);
	rc = read_data(r, path, data, len, err);
	g_free(data);
	return rc;
}

static void reader_start(struct reader *r, ini_problem_fn *problem, void *ctx)
{
	memset(r, 0, sizeof(*r));
	r->problems.fn = problem;
	r->problems.ctx = ctx;
	r->files = g_ptr_array_new();
	r->sections = g_ptr_array_new();
	r->names = g_hash_table_new(g_str_hash, g_str_equal);
	r->entries = g_array_new(FALSE, FALSE, sizeof(struct ini_entry));
}

/* Ends the reading; what was read becomes *ini_out, or is freed unless rc is RC_OK. */
static enum rc reader_end(struct reader *r, const char *path, const struct stat *st, enum rc rc,
    struct ini **ini_out, struct err *err)
{
	struct ini *ini = g_new0(struct ini, 1);
	ini->path = g_strdup(path);
	ini->st = *st;
	g_hash_table_unref(r->names);
	ini->n_sections = r->sections->len;
	g_ptr_array_add(r->sections, NULL);
	ini->sections = (char **)g_ptr_array_free(r->sections, FALSE);
	g_ptr_array_add(r->files, NULL);
	ini->files = (char **)g_ptr_array_free(r->files, FALSE);
	ini->n_entries = r->entries->len;
	ini->entries = (struct ini_entry *)(void *)g_array_free(r->entries, FALSE);
	if (rc == RC_OK)
		rc = problems_result(&r->problems, err);
	if (rc == RC_OK)
		*ini_out = ini;
	else
		ini_free(&ini);
	return rc;
}

enum rc ini_load(
    const char *path, ini_problem_fn *problem, void *ctx, struct ini **ini_out, struct err *err)
{
	struct reader r;
	struct stat st = {0};
	reader_start(&r, problem, ctx);
	enum rc rc = read_file(&r, path, &st, err);
	return reader_end(&r, path, &st, rc, ini_out, err);
}

enum rc ini_parse(const char *path, const char *data, size_t len, const struct stat *st,
    ini_problem_fn *problem, void *ctx, struct ini **ini_out, struct err *err)
{
	struct reader r;
	reader_start(&r, problem, ctx);
	enum rc rc = read_data(&r, path, data, len, err);
	return reader_end(&r, path, st, rc, ini_out, err);
}

static int by_bytes(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum rc ini_load_dir(
    const char *dir, ini_problem_fn *problem, void *ctx, struct ini **ini_out, struct err *err)
{
	struct reader r;
	struct stat st;
	const char *name;
	enum rc rc = RC_OK;
	if (stat(dir, &st) != 0)
		return err_errno(
		    err, errno == ENOENT || errno == ENOTDIR ? RC_NOTFOUND : RC_TEMP, "%s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, RC_PERM, "%s: not a directory", dir);
	GDir *d = g_dir_open(dir, 0, NULL);
	if (d == NULL)
		return err_errno(err, RC_TEMP, "%s", dir);
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(d)) != NULL)
		if (name[0] != '.' && g_str_has_suffix(name, ".ini"))
			g_ptr_array_add(paths, g_build_filename(dir, name, NULL));
	g_dir_close(d);
	g_ptr_array_sort(paths, by_bytes);
	reader_start(&r, problem, ctx);
	for (guint i = 0; i < paths->len && rc == RC_OK; i++) {
		struct stat unused;
		rc = read_file(&r, g_ptr_array_index(paths, i), &unused, err);
		if (rc == RC_NOTFOUND) /* removed since the directory was read */
			rc = RC_TEMP;
	}
	g_ptr_array_free(paths, TRUE);
	return reader_end(&r, dir, &st, rc, ini_out, err);
}

void ini_free(struct ini **ini)
{
	struct ini *i = *ini;
	if (i == NULL)
		return;
	for (size_t n = 0; n < i->n_entries; n++) {
		g_free((char *)i->entries[n].key);
		g_free((char *)i->entries[n].value);
	}
	g_free(i->entries);
	g_strfreev(i->sections);
	g_strfreev(i->files);
	g_free(i->path);
	g_free(i);
	*ini = NULL;
}
