/*
 * originals.h: the held messages, copied byte for byte into the digest. Nothing here looks at what
 * an original means; it is read twice, first to learn which Content-Transfer-Encoding is honest,
 * then to copy it, in blocks: memory does not grow with it. One original is open at a time. Uses
 * neither GMime nor libxml2.
 */
#ifndef PULLYU_DIGEST_ORIGINALS_H
#define PULLYU_DIGEST_ORIGINALS_H

#include <stdint.h>

#include "base/rc.h"
#include "digest/digest.h"
#include "digest/out.h"
#include "digest/outline.h"

/* RFC 2045 section 2.7 to 2.9, in the order in which one covers the other. */
enum original_data {
	ORIGINAL_7BIT,
	ORIGINAL_8BIT,
	ORIGINAL_BINARY, /* NUL, a CR or LF alone, or a line over 998 bytes */
};
const char *original_data_name(enum original_data data); /* "7bit", "8bit", "binary" */

/* Bytes, fed in pieces of any length. */
struct original_scan {
	enum original_data data;
	uint64_t bytes;
	uint64_t line; /* bytes of the line so far */
	bool cr;       /* the last byte was one */
};
void original_scan(struct original_scan *scan, const unsigned char *data, size_t len);
void original_scan_end(struct original_scan *scan);

/* The original for reading, behind the trace fields. RC_NOTFOUND: it is gone, or no file. err names
 * it. */
enum rc original_open(
    const struct digest *digest, const struct digest_entry *entry, int *fd_out, struct err *err);

/* What the first reading found out: one a message, in the order of the outline. */
struct originals {
	const struct digest *digest;   /* foreign */
	const struct outline *outline; /* foreign */
	struct original_scan *scans;   /* own */
	enum original_data data;       /* covers all of them */
};

/* RC_NOTFOUND: one is gone; RC_TEMP: one cannot be read. err names it. */
enum rc originals_new(const struct digest *digest, const struct outline *outline,
    struct originals **originals_out, struct err *err);
void originals_free(struct originals **originals);

/* Writes the part: its MIME header, an empty line and the multipart/digest body with its closing
 * boundary. Boundaries are 128 random bits, so that no original can contain them. RC_TEMP: an
 * original changed between the readings. The failure of out itself shows in out. */
enum rc originals_write(const struct originals *originals, struct out *out, struct err *err);

enum { BOUNDARY_MAX = 48 };
/* "=_" and 32 hexadecimal digits: "=_" never stands in quoted-printable text. */
enum rc boundary_make(char out[BOUNDARY_MAX], struct err *err);

#endif
