/*
 * keys.c: the file of keys that sign commands, see token.h. Nothing but its lines is in it, so that
 * whatever else is found there means that it is some other file, which is left alone.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <glib.h>

#include "base/fs.h"
#include "base/str.h"
#include "command/keys.h"
#include "command/token.h"

enum {
	DAY = 86400,
	SIGN_SECONDS = 30 * DAY, /* how long a key signs */
	/* How long it is good afterwards: a token's life, and a day for a maker that has not yet
	 * seen the newer key. */
	KEEP_SECONDS = COMMAND_TOKEN_SECONDS + DAY,
	KEY_HEX = 2 * HMAC_KEY_BYTES,
};

static bool parse_key(char *line, struct command_key *key)
{
	char *hex = strchr(line, ' ');
	if (hex == NULL)
		return false;
	*hex++ = '\0';
	if (!str_number(line, 0, INT64_MAX / 2, &key->made) || strlen(hex) != KEY_HEX)
		return false;
	for (size_t i = 0; i < HMAC_KEY_BYTES; i++) {
		int high = g_ascii_xdigit_value(hex[2 * i]);
		int low = g_ascii_xdigit_value(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		key->bytes[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

static enum rc parse(
    const char *path, const char *text, size_t len, struct command_keys *keys, struct err *err)
{
	enum rc rc = RC_OK;
	char **lines = g_strsplit(text, "\n", -1);
	for (size_t i = 0; lines[i] != NULL && rc == RC_OK; i++) {
		struct command_key key;
		if (lines[i][0] == '\0' && lines[i + 1] == NULL)
			break;
		if (keys->n == COMMAND_KEYS_MAX)
			rc = err_set(err, RC_PERM, "%s: more than %d keys", path, COMMAND_KEYS_MAX);
		else if (!parse_key(lines[i], &key) ||
		    (keys->n > 0 && key.made <= keys->rows[keys->n - 1].made))
			rc = err_set(err, RC_PERM,
			    "%s:%zu: no key; a line is seconds since 1970, a blank and %d "
			    "hexadecimal digits, the newest key last",
			    path, i + 1, KEY_HEX);
		else
			keys->rows[keys->n++] = key;
	}
	g_strfreev(lines);
	if (rc == RC_OK && (keys->n == 0 || strlen(text) != len))
		rc = err_set(err, RC_PERM, "%s: not a file of keys", path);
	return rc;
}

static enum rc write_keys(const char *path, const struct command_keys *keys, struct err *err)
{
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < keys->n; i++) {
		g_string_append_printf(text, "%" G_GINT64_FORMAT " ", keys->rows[i].made);
		for (size_t j = 0; j < HMAC_KEY_BYTES; j++)
			g_string_append_printf(text, "%02x", keys->rows[i].bytes[j]);
		g_string_append_c(text, '\n');
	}
	enum rc rc = fs_write_atomic(path, text->str, text->len, 0640, err);
	g_string_free(text, TRUE);
	return rc;
}

static void drop_first(struct command_keys *keys)
{
	keys->n--;
	memmove(&keys->rows[0], &keys->rows[1], keys->n * sizeof(keys->rows[0]));
}

/* Returns whether there is something to write. */
static enum rc renew(struct command_keys *keys, int64_t now, bool *changed_out, struct err *err)
{
	bool changed = false;
	if (keys->n == 0 || now - keys->rows[keys->n - 1].made > SIGN_SECONDS) {
		struct command_key key = {.made = now};
		if (getrandom(key.bytes, sizeof(key.bytes), 0) != (ssize_t)sizeof(key.bytes))
			return err_errno(err, RC_TEMP, "getrandom");
		if (keys->n == COMMAND_KEYS_MAX)
			drop_first(keys);
		keys->rows[keys->n++] = key;
		changed = true;
	}
	while (keys->n > 1 && now - keys->rows[1].made > KEEP_SECONDS) {
		drop_first(keys);
		changed = true;
	}
	*changed_out = changed;
	return RC_OK;
}

static enum rc read_keys(const char *path, struct command_keys *keys, struct err *err)
{
	struct stat st;
	char *text = NULL;
	size_t len;
	if (lstat(path, &st) != 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_TEMP, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, RC_PERM, "%s: not a regular file", path);
	enum rc rc = fs_read(path, COMMAND_KEYS_FILE_MAX, &text, &len, &st, err);
	if (rc != RC_OK)
		return rc;
	if ((st.st_mode & (S_IWOTH | S_IROTH)) != 0)
		rc = err_set(err, RC_PERM,
		    "%s: everybody may read or write it: chmod o-rw, or remove it", path);
	else
		rc = parse(path, text, len, keys, err);
	g_free(text);
	return rc;
}

enum rc command_keys_load(
    const char *path, int64_t now, struct command_keys **keys_out, struct err *err)
{
	struct command_keys *keys = g_new0(struct command_keys, 1);
	struct command_keys *renewed = g_new0(struct command_keys, 1);
	bool changed = false;
	enum rc rc = read_keys(path, keys, err);
	if (rc == RC_NOTFOUND)
		rc = RC_OK;
	if (rc != RC_OK)
		goto out;
	*renewed = *keys;
	rc = renew(renewed, now, &changed, err);
	if (rc == RC_OK && changed)
		rc = write_keys(path, renewed, err);
	if (rc == RC_OK)
		*keys = *renewed;
	else if (keys->n > 0)
		rc = RC_OK; /* a key that is overdue is better than none */
out:
	if (rc == RC_OK)
		*keys_out = g_steal_pointer(&keys);
	g_free(keys);
	g_free(renewed);
	return rc;
}

void command_keys_free(struct command_keys **keys)
{
	g_clear_pointer(keys, g_free);
}
