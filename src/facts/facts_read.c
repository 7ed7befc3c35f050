/*
 * facts_read.c: the header of a message in a file: RFC 5322 fields, LF or CRLF, to the first empty
 * line. Reads by blocks and keeps at most one field of bounded length.
 */
#include <config.h>

#include "facts/facts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "facts/facts_private.h"

enum { BLOCK = 16 * 1024, FIELD_MAX = FACTS_BODY_MAX + NAME_MAX_BYTES + 2 };

/* A field in the making: what exceeds FIELD_MAX is counted, not kept. */
struct reader {
	struct facts *facts;
	char field[FIELD_MAX + 1];
	size_t len;
	size_t line;    /* bytes of the current line so far, without CR */
	size_t dropped; /* bytes of the field beyond FIELD_MAX */
	bool last_cr;   /* the byte before was CR */
	bool any_line;  /* a whole line has been read */
	bool folded;    /* the current line continues the field */
	bool skip;      /* the current line is an mbox "From " line or no field */
	bool done;      /* the empty line, or something that is no field, was met */
};

static void field_done(struct reader *r)
{
	if (r->len == 0)
		return;
	r->field[r->len] = '\0';
	char *colon = strchr(r->field, ':');
	if (colon != NULL) {
		*colon = '\0';
		facts_header(r->facts, r->field, colon + 1);
	}
	r->facts->n_bytes += r->dropped;
	r->len = 0;
	r->dropped = 0;
}

static void keep(struct reader *r, char c)
{
	if (r->len < FIELD_MAX)
		r->field[r->len++] = c == '\0' ? '?' : c;
	else
		r->dropped++;
}

/* A line begins with c: does it continue the field, or end it? */
static void line_start(struct reader *r, char c)
{
	r->folded = c == ' ' || c == '\t';
	if (!r->folded)
		field_done(r);
	r->skip = r->folded && r->len == 0; /* nothing that it could continue */
}

static void line_end(struct reader *r)
{
	if (!r->folded && !r->skip) {
		bool mbox = !r->any_line && r->len > 5 && memcmp(r->field, "From ", 5) == 0 &&
		    memchr(r->field, ':', MIN(r->len, 5)) == NULL;
		char *colon = memchr(r->field, ':', r->len);
		if (mbox) {
			r->len = 0;
		} else if (colon == NULL || colon == r->field) {
			/* No field: the body has begun without an empty line. */
			r->len = 0;
			r->done = true;
		}
	}
	r->any_line = true;
	r->line = 0;
}

/* Takes one byte; sets done with the last byte of the header. */
static void take(struct reader *r, char c)
{
	if (c == '\n') {
		if (r->line == 0) {
			field_done(r);
			r->done = true;
		} else {
			line_end(r);
		}
		r->last_cr = false;
		return;
	}
	if (r->last_cr) { /* a CR that ends no line */
		if (r->line++ == 0)
			line_start(r, '\r');
		if (!r->skip)
			keep(r, ' ');
		r->last_cr = false;
	}
	if (c == '\r') {
		r->last_cr = true;
		return;
	}
	if (r->line++ == 0)
		line_start(r, c);
	if (!r->skip)
		keep(r, c);
}

enum rc facts_read(struct facts *facts, int fd, uint64_t *header_len_out, struct err *err)
{
	char block[BLOCK];
	enum rc rc = RC_OK;
	uint64_t total = 0;
	struct reader *r = g_new0(struct reader, 1);
	r->facts = facts;
	while (!r->done) {
		ssize_t n = read(fd, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = err_errno(err, RC_TEMP, "reading a message's header");
			goto out;
		}
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n && !r->done; i++) {
			take(r, block[i]);
			total++;
		}
		/* A file without an empty line is a header to its end; stop where nothing would be
		 * looked at any more. */
		if (facts->n_bytes + r->dropped > 16 * (size_t)FACTS_BYTES_MAX) {
			facts_set(facts, FACT_TRUNCATED);
			break;
		}
	}
	if (!r->done && r->line > 0)
		line_end(r);
	field_done(r);
	facts_end(facts);
	if (header_len_out != NULL)
		*header_len_out = total;
out:
	g_free(r);
	return rc;
}
