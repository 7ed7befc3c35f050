/*
 * hmac.c: see hmac.h. A key file holds HMAC_KEY_BYTES random bytes and nothing else.
 */
#include <config.h>

#include "base/hmac.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <glib.h>

#include "base/fs.h"

void hmac_hex(
    const unsigned char key[HMAC_KEY_BYTES], const char *text, char hex_out[HMAC_HEX_SIZE])
{
	char *hex = g_compute_hmac_for_string(G_CHECKSUM_SHA256, key, HMAC_KEY_BYTES, text, -1);
	memcpy(hex_out, hex, HMAC_HEX_SIZE);
	g_free(hex);
}

bool hmac_equal(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char diff = 0;
	if (strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		diff |= (unsigned char)(a[i] ^ b[i]);
	return diff == 0;
}

static enum rc key_make(const char *path, struct err *err)
{
	unsigned char key[HMAC_KEY_BYTES];
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return err_errno(err, RC_TEMP, "getrandom");
	return fs_write_atomic(path, key, sizeof(key), 0640, err);
}

enum rc hmac_key_load(
    const char *path, bool create, unsigned char key_out[HMAC_KEY_BYTES], struct err *err)
{
	unsigned char key[HMAC_KEY_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && create) {
		enum rc rc = key_make(path, err);
		if (rc != RC_OK)
			return rc;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_TEMP, "%s", path);
	ssize_t n = read(fd, key, sizeof(key));
	close(fd);
	if (n != HMAC_KEY_BYTES)
		return err_set(
		    err, RC_PERM, "%s: not a key file of %d bytes", path, HMAC_KEY_BYTES);
	memcpy(key_out, key, HMAC_KEY_BYTES);
	return RC_OK;
}
