/*
 * plain.c: digest_compose_plain: the digest for when the way through GMime and libxml2 has failed.
 * The same header fields, the summary as plain text, the originals; every byte of the frame is
 * written here.
 */
#include <config.h>

#include "digest/digest.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

#include "digest/fields.h"
#include "digest/guard.h"
#include "digest/originals.h"
#include "digest/out.h"
#include "digest/outline.h"
#include "digest/text.h"

/* Bytes of text in one encoded word: 60 characters of base64, and "=?utf-8?B?" "?=", stay below the
 * 75 of RFC 2047 section 2. */
enum { ENCODED_BYTES = 45 };

static void field(struct out *out, const char *name, const char *body)
{
	out_text(out, name);
	out_text(out, ": ");
	out_text(out, body);
	out_text(out, "\r\n");
}

/* RFC 2047: as encoded words, one a line, cut between characters. */
static char *encode_words(const char *text, size_t len)
{
	GString *out = g_string_new(NULL);
	for (size_t done = 0; done < len;) {
		size_t n = 0;
		while (done + n < len) {
			size_t next = (size_t)(g_utf8_next_char(text + done + n) - (text + done));
			if (next > ENCODED_BYTES)
				break;
			n = next;
		}
		char *base64 = g_base64_encode((const guchar *)text + done, n);
		g_string_append_printf(
		    out, "%s=?utf-8?B?%s?=", out->len == 0 ? "" : "\r\n ", base64);
		g_free(base64);
		done += n;
	}
	return g_string_free(out, FALSE);
}

/* A quoted string (RFC 5322 section 3.2.4), or the text itself where that needs no quotes. */
static char *quote(const char *text)
{
	static const char plain[] = "!#$%&'*+-/=?^_`{|}~ "; /* atext and the space */
	bool quoted = strstr(text, "=?") != NULL || strstr(text, "  ") != NULL;
	GString *out = g_string_new("\"");
	for (const char *p = text; *p != '\0'; p++) {
		quoted = quoted || (!g_ascii_isalnum(*p) && strchr(plain, *p) == NULL);
		if (*p == '"' || *p == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
	if (!quoted)
		g_string_assign(out, text);
	return g_string_free(out, FALSE);
}

/* Only the name can be encoded: an address that is not ASCII has no other form (RFC 6532). */
static void mailbox_field(struct out *out, const char *field_name, const char *text)
{
	char *name = NULL, *address = NULL;
	if (!fields_mailbox(text, &name, &address))
		return;
	if (name == NULL) {
		field(out, field_name, address);
	} else {
		char *words = g_str_is_ascii(name) ? quote(name) : encode_words(name, strlen(name));
		bool folds = !g_str_is_ascii(name) || strlen(words) + strlen(address) > 60;
		char *body = g_strdup_printf("%s%s <%s>", words, folds ? "\r\n" : "", address);
		field(out, field_name, body);
		g_free(body);
		g_free(words);
	}
	g_free(name);
	g_free(address);
}

static void write_header(struct out *out, const struct digest *digest, const char *subject)
{
	char *date = fields_date(digest), *list_id = fields_list_id(digest);
	mailbox_field(out, "From", digest->from);
	field(out, "To", digest->user);
	const char *reply_to = fields_reply_to(digest);
	if (reply_to != NULL)
		mailbox_field(out, "Reply-To", reply_to);
	if (g_str_is_ascii(subject)) {
		field(out, "Subject", subject);
	} else {
		char *words = encode_words(subject, strlen(subject));
		field(out, "Subject", words);
		g_free(words);
	}
	field(out, "Date", date);
	field(out, "Message-ID", digest->message_id);
	field(out, "Auto-Submitted", "auto-generated");
	field(out, "List-Id", list_id);
	field(out, GUARD_FIELD, digest->guard);
	field(out, "MIME-Version", "1.0");
	g_free(date);
	g_free(list_id);
}

/* The MIME header of the text, and the text. */
static void write_summary(struct out *out, const char *text)
{
	field(out, "Content-Type", "text/plain; charset=utf-8; format=fixed");
	field(out, "Content-Transfer-Encoding",
	    original_data_name(g_str_is_ascii(text) ? ORIGINAL_7BIT : ORIGINAL_8BIT));
	out_text(out, "\r\n");
	out_lines(out, text);
}

static enum rc write_mixed(
    struct out *out, const struct originals *originals, const char *text, struct err *err)
{
	char boundary[BOUNDARY_MAX];
	enum original_data data = originals->data;
	enum rc rc = boundary_make(boundary, err);
	if (rc != RC_OK)
		return rc;
	if (data == ORIGINAL_7BIT && !g_str_is_ascii(text))
		data = ORIGINAL_8BIT;
	char *type = g_strdup_printf("multipart/mixed; boundary=\"%s\"", boundary);
	field(out, "Content-Type", type);
	field(out, "Content-Transfer-Encoding", original_data_name(data));
	g_free(type);
	out_text(out, "\r\n--");
	out_text(out, boundary);
	out_text(out, "\r\n");
	write_summary(out, text);
	out_text(out, "\r\n--");
	out_text(out, boundary);
	out_text(out, "\r\n");
	rc = originals_write(originals, out, err);
	out_text(out, "\r\n--");
	out_text(out, boundary);
	out_text(out, "--\r\n");
	return rc;
}

enum rc digest_compose_plain(const struct digest *digest, int fd, struct err *err)
{
	struct outline *outline = NULL;
	struct originals *originals = NULL;
	struct out *out = NULL;
	char *text = NULL;
	enum rc rc = fields_check(digest, err);
	if (rc == RC_OK)
		rc = outline_new(digest, NULL, &outline, err);
	if (rc == RC_OK && digest->attach && digest->n_entries > 0)
		rc = originals_new(digest, outline, &originals, err);
	if (rc != RC_OK)
		goto out;
	text = text_render(outline);
	out = g_new(struct out, 1);
	out_init(out, fd);
	write_header(out, digest, outline->subject);
	if (originals == NULL)
		write_summary(out, text);
	else
		rc = write_mixed(out, originals, text, err);
	if (rc == RC_OK)
		rc = out_flush(out, err);
	if (rc == RC_OK)
		outline_number(outline, digest);
out:
	g_free(out);
	g_free(text);
	originals_free(&originals);
	outline_free(&outline);
	return rc;
}
