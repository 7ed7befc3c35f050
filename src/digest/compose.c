/*
 * compose.c: digest_compose. GMime makes the header and the summary's two forms; the frame around
 * the originals is written by originals.c, because a tree of GMime parts would want every original
 * open at once, and because its CRLF filter changes an LF that stands alone.
 *
 *	multipart/mixed                     (only the alternative, if the originals go elsewhere)
 *	  multipart/alternative
 *	    text/plain
 *	    text/html
 *	  multipart/digest
 *	    message/rfc822 ...
 */
#include <config.h>

#include "digest/digest.h"

#include <string.h>

#include <gmime/gmime.h>

#include "digest/excerpts.h"
#include "digest/fields.h"
#include "digest/guard.h"
#include "digest/html.h"
#include "digest/origin.h"
#include "digest/originals.h"
#include "digest/out.h"
#include "digest/outline.h"
#include "digest/template.h"
#include "digest/text.h"

/* What the message is made of before it is written. */
struct parts {
	GMimeFormatOptions *format;  /* own */
	GMimeMessage *message;       /* own */
	GMimeMultipart *alternative; /* own */
};

/* text: checked by fields_check. GMime's own parser stays out of it: it recurses. */
static void add_mailbox(InternetAddressList *list, const char *text)
{
	char *name = NULL, *address = NULL;
	if (!fields_mailbox(text, &name, &address))
		return;
	InternetAddress *mailbox = internet_address_mailbox_new(name, address);
	internet_address_list_add(list, mailbox);
	g_object_unref(mailbox);
	g_free(name);
	g_free(address);
}

/* As it is, on one line: GMime would fold a long value, and who compares it would have to unfold.
 */
static void add_raw(GMimeObject *object, const char *name, const char *value)
{
	char *raw = g_strdup_printf(" %s\n", value);
	g_mime_object_set_header(object, name, value, NULL);
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	g_mime_header_set_raw_value(g_mime_header_list_get_header(headers, name), raw);
	g_free(raw);
}

static void make_message(
    struct parts *parts, const struct digest *digest, const struct outline *outline)
{
	GMimeMessage *message = parts->message = g_mime_message_new(TRUE);
	GMimeObject *object = GMIME_OBJECT(message);
	add_mailbox(g_mime_message_get_from(message), digest->from);
	if (digest->reply_to != NULL)
		add_mailbox(g_mime_message_get_reply_to(message), digest->reply_to);
	char *date = fields_date(digest), *list_id = fields_list_id(digest);
	InternetAddress *to = internet_address_mailbox_new(NULL, digest->user);
	internet_address_list_add(g_mime_message_get_to(message), to);
	g_object_unref(to);
	g_mime_message_set_subject(message, outline->subject, "utf-8");
	add_raw(object, "Date", date);
	add_raw(object, "Message-ID", digest->message_id);
	add_raw(object, "Auto-Submitted", "auto-generated");
	add_raw(object, "List-Id", list_id);
	add_raw(object, GUARD_FIELD, digest->guard);
	g_free(date);
	g_free(list_id);
}

static void add_text(GMimeMultipart *multipart, const char *subtype, const char *text)
{
	GMimePart *part = g_mime_part_new_with_type("text", subtype);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, strlen(text));
	GMimeDataWrapper *content =
	    g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
	g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
	if (strcmp(subtype, "plain") == 0)
		g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "format", "fixed");
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_mime_multipart_add(multipart, GMIME_OBJECT(part));
	g_object_unref(content);
	g_object_unref(stream);
	g_object_unref(part);
}

static void tell(const struct digest *digest, const char *text)
{
	if (digest->problem != NULL)
		digest->problem(digest->ctx, text);
}

/* By the admin's template, or, should that be broken, by the shipped one. */
static enum rc make_html(
    const struct digest *digest, const struct outline *outline, char **html_out, struct err *err)
{
	struct page_template *template = NULL;
	enum rc rc = template_load(digest->templates, &template, err);
	if (rc != RC_OK) {
		tell(digest, err->text);
		rc = template_load(NULL, &template, err);
	}
	if (rc == RC_OK)
		rc = html_render(template, outline, html_out, err);
	template_free(&template);
	return rc;
}

static enum rc make_alternative(struct parts *parts, const struct digest *digest,
    const struct outline *outline, struct err *err)
{
	char boundary[BOUNDARY_MAX], *html = NULL;
	enum rc rc = make_html(digest, outline, &html, err);
	if (rc == RC_OK)
		rc = boundary_make(boundary, err);
	if (rc == RC_OK) {
		char *text = text_render(outline);
		parts->alternative = g_mime_multipart_new_with_subtype("alternative");
		g_mime_multipart_set_boundary(parts->alternative, boundary);
		add_text(parts->alternative, "plain", text);
		add_text(parts->alternative, "html", html);
		g_free(text);
	}
	g_free(html);
	return rc;
}

static enum rc put_object(
    struct out *out, const struct parts *parts, GMimeObject *object, struct err *err)
{
	GByteArray *bytes = g_byte_array_new();
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	ssize_t n = g_mime_object_write_to_stream(object, parts->format, stream);
	if (n >= 0)
		out_write(out, bytes->data, bytes->len);
	g_object_unref(stream);
	g_byte_array_unref(bytes);
	return n >= 0 ? RC_OK : err_set(err, RC_TEMP, "GMime could not write the message");
}

static enum rc write_mixed(
    struct out *out, const struct parts *parts, const struct originals *originals, struct err *err)
{
	char boundary[BOUNDARY_MAX];
	enum rc rc = boundary_make(boundary, err);
	if (rc != RC_OK)
		return rc;
	GMimeMultipart *mixed = g_mime_multipart_new_with_subtype("mixed");
	g_mime_multipart_set_boundary(mixed, boundary);
	g_mime_object_set_header(GMIME_OBJECT(mixed), "Content-Transfer-Encoding",
	    original_data_name(originals->data), NULL);
	g_mime_message_set_mime_part(parts->message, GMIME_OBJECT(mixed));
	char *header = g_mime_object_get_headers(GMIME_OBJECT(parts->message), parts->format);
	out_text(out, header);
	g_free(header);
	g_object_unref(mixed);

	out_text(out, "\r\n--");
	out_text(out, boundary);
	out_text(out, "\r\n");
	rc = put_object(out, parts, GMIME_OBJECT(parts->alternative), err);
	if (rc != RC_OK)
		return rc;
	out_text(out, "\r\n--");
	out_text(out, boundary);
	out_text(out, "\r\n");
	rc = originals_write(originals, out, err);
	out_text(out, "\r\n--");
	out_text(out, boundary);
	out_text(out, "--\r\n");
	return rc;
}

static enum rc write_message(
    struct out *out, const struct parts *parts, const struct originals *originals, struct err *err)
{
	enum rc rc = RC_OK;
	if (originals != NULL) {
		rc = write_mixed(out, parts, originals, err);
	} else {
		g_mime_message_set_mime_part(parts->message, GMIME_OBJECT(parts->alternative));
		rc = put_object(out, parts, GMIME_OBJECT(parts->message), err);
	}
	return rc == RC_OK ? out_flush(out, err) : rc;
}

static void parts_clear(struct parts *parts)
{
	if (parts->alternative != NULL)
		g_object_unref(parts->alternative);
	if (parts->message != NULL)
		g_object_unref(parts->message);
	if (parts->format != NULL)
		g_mime_format_options_free(parts->format);
}

static enum rc compose_message(struct out *out, const struct digest *digest,
    const struct outline *outline, const struct originals *originals, struct err *err)
{
	struct parts parts = {0};
	g_mime_init(); /* counts its callers; never undone, for the process composes again */
	parts.format = g_mime_format_options_new();
	g_mime_format_options_set_newline_format(parts.format, GMIME_NEWLINE_FORMAT_DOS);
	make_message(&parts, digest, outline);
	enum rc rc = make_alternative(&parts, digest, outline, err);
	if (rc == RC_OK)
		rc = write_message(out, &parts, originals, err);
	parts_clear(&parts);
	return rc;
}

/* The summary alone. */
static enum rc compose_form(struct out *out, const struct digest *digest,
    const struct outline *outline, enum digest_form form, struct err *err)
{
	char *text = NULL;
	enum rc rc = RC_OK;
	if (form == DIGEST_HTML)
		rc = make_html(digest, outline, &text, err);
	else
		text = text_render(outline);
	if (rc == RC_OK) {
		out_text(out, text);
		rc = out_flush(out, err);
	}
	g_free(text);
	return rc;
}

static enum rc details_outline(
    const struct digest *digest, struct outline **outline_out, struct err *err)
{
	struct origin *origins = origins_read(digest);
	struct excerpt *excerpts = excerpts_read(digest);
	struct outline_details details = {.origins = origins, .excerpts = excerpts};
	enum rc rc = outline_new(digest, &details, outline_out, err);
	excerpts_free(excerpts, digest->n_entries);
	origins_free(&origins, digest->n_entries);
	return rc;
}

enum rc digest_compose(const struct digest *digest, enum digest_form form, int fd, struct err *err)
{
	struct outline *outline = NULL;
	struct originals *originals = NULL;
	struct out *out = g_new(struct out, 1);
	out_init(out, fd);
	enum rc rc = fields_check(digest, err);
	if (rc == RC_OK)
		rc = details_outline(digest, &outline, err);
	if (rc == RC_OK && form != DIGEST_MESSAGE) {
		rc = compose_form(out, digest, outline, form, err);
		goto out;
	}
	if (rc == RC_OK && digest->attach && digest->n_entries > 0)
		rc = originals_new(digest, outline, &originals, err);
	if (rc == RC_OK)
		rc = compose_message(out, digest, outline, originals, err);
out:
	g_free(out);
	originals_free(&originals);
	outline_free(&outline);
	return rc;
}
