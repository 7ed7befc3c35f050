/*
 * originals.c: see originals.h.
 */
#include <config.h>

#include "digest/originals.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

enum { BLOCK = 64 * 1024, LINE_MAX_BYTES = 998 };

const char *original_data_name(enum original_data data)
{
	static const char *const names[] = {"7bit", "8bit", "binary"};
	return names[data];
}

void original_scan(struct original_scan *scan, const unsigned char *data, size_t len)
{
	scan->bytes += len;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = data[i];
		if ((c == '\n') != scan->cr || c == '\0')
			scan->data = ORIGINAL_BINARY;
		else if (c >= 0x80 && scan->data == ORIGINAL_7BIT)
			scan->data = ORIGINAL_8BIT;
		scan->cr = c == '\r';
		if (c == '\n')
			scan->line = 0;
		else if (c != '\r' && ++scan->line > LINE_MAX_BYTES)
			scan->data = ORIGINAL_BINARY;
	}
}

void original_scan_end(struct original_scan *scan)
{
	if (scan->cr)
		scan->data = ORIGINAL_BINARY;
}

enum rc original_open(
    const struct digest *digest, const struct digest_entry *entry, int *fd_out, struct err *err)
{
	struct stat st;
	int fd = -1;
	enum rc rc = digest->open_original(digest->ctx, entry->id, &fd, err);
	if (rc != RC_OK)
		return err_prefix(err, rc, "original %s", entry->id);
	if (fstat(fd, &st) != 0) {
		rc = err_errno(err, RC_TEMP, "original %s", entry->id);
	} else if (!S_ISREG(st.st_mode)) {
		rc = err_set(err, RC_NOTFOUND, "original %s: not a regular file", entry->id);
	} else {
		/* An index that counts more trace fields than there is file is wrong: then the
		 * whole file goes out, rather than nothing. */
		off_t start = entry->lead <= (uint64_t)st.st_size ? (off_t)entry->lead : 0;
		if (lseek(fd, start, SEEK_SET) != start)
			rc = err_errno(err, RC_TEMP, "original %s", entry->id);
	}
	if (rc != RC_OK)
		close(fd);
	else
		*fd_out = fd;
	return rc;
}

/* out NULL: only looks. */
static enum rc read_one(const struct digest *digest, const struct digest_entry *entry,
    struct out *out, struct original_scan *scan, struct err *err)
{
	unsigned char *block = NULL;
	int fd = -1;
	enum rc rc = original_open(digest, entry, &fd, err);
	if (rc != RC_OK)
		return rc;
	block = g_malloc(BLOCK);
	for (;;) {
		ssize_t n = read(fd, block, BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(err, RC_TEMP, "original %s", entry->id);
		if (n <= 0)
			break;
		original_scan(scan, block, (size_t)n);
		if (out != NULL)
			out_write(out, block, (size_t)n);
	}
	original_scan_end(scan);
	g_free(block);
	close(fd);
	return rc;
}

enum rc originals_new(const struct digest *digest, const struct outline *outline,
    struct originals **originals_out, struct err *err)
{
	struct originals *originals = g_new0(struct originals, 1);
	enum rc rc = RC_OK;
	originals->digest = digest;
	originals->outline = outline;
	originals->scans = g_new0(struct original_scan, MAX(outline->n_messages, 1));
	for (size_t i = 0; rc == RC_OK && i < outline->n_messages; i++) {
		struct original_scan *scan = &originals->scans[i];
		rc = read_one(digest, outline->order[i], NULL, scan, err);
		if (scan->data > originals->data)
			originals->data = scan->data;
	}
	if (rc == RC_OK)
		*originals_out = originals;
	else
		originals_free(&originals);
	return rc;
}

void originals_free(struct originals **originals)
{
	if (*originals == NULL)
		return;
	g_free((*originals)->scans);
	g_free(*originals);
	*originals = NULL;
}

enum rc boundary_make(char out[BOUNDARY_MAX], struct err *err)
{
	unsigned char random[16];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_errno(err, RC_TEMP, "getrandom");
	size_t used = (size_t)g_snprintf(out, BOUNDARY_MAX, "=_");
	for (size_t i = 0; i < sizeof(random); i++)
		used += (size_t)g_snprintf(out + used, BOUNDARY_MAX - used, "%02x", random[i]);
	return RC_OK;
}

/* message/rfc822 is what a part of multipart/digest is without saying so (RFC 2046 section 5.1.5);
 * it says so for readers that do not know. */
static void write_part_header(struct out *out, const char *boundary, enum original_data data)
{
	out_text(out, "--");
	out_text(out, boundary);
	out_text(out, "\r\nContent-Type: message/rfc822\r\n");
	if (data != ORIGINAL_7BIT) {
		out_text(out, "Content-Transfer-Encoding: ");
		out_text(out, original_data_name(data));
		out_text(out, "\r\n");
	}
	out_text(out, "\r\n");
}

enum rc originals_write(const struct originals *originals, struct out *out, struct err *err)
{
	const struct outline *outline = originals->outline;
	char boundary[BOUNDARY_MAX];
	enum rc rc = boundary_make(boundary, err);
	if (rc != RC_OK)
		return rc;
	out_text(out, "Content-Type: multipart/digest; boundary=\"");
	out_text(out, boundary);
	out_text(out, "\"\r\nContent-Transfer-Encoding: ");
	out_text(out, original_data_name(originals->data));
	out_text(out, "\r\n\r\n");
	for (size_t i = 0; i < outline->n_messages && out->rc == RC_OK; i++) {
		const struct digest_entry *entry = outline->order[i];
		const struct original_scan *before = &originals->scans[i];
		struct original_scan scan = {0};
		write_part_header(out, boundary, before->data);
		rc = read_one(originals->digest, entry, out, &scan, err);
		if (rc != RC_OK)
			return rc;
		if (scan.bytes != before->bytes || scan.data != before->data)
			return err_set(
			    err, RC_TEMP, "original %s: changed while it was read", entry->id);
		/* This line end belongs to the boundary (RFC 2046 section 5.1.1): an original keeps
		 * its own last line end, or its lack of one. */
		out_text(out, "\r\n");
	}
	out_text(out, "--");
	out_text(out, boundary);
	out_text(out, "--\r\n");
	return RC_OK;
}
