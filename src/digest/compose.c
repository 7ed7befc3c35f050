/*
 * compose.c: digest_compose. GMime (message.c) makes the header and the summary's two forms; the
 * frame around the originals is written by originals.c, because a tree of GMime parts would want
 * every original open at once, and because its CRLF filter changes an LF that stands alone.
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
#include "digest/html.h"
#include "digest/message.h"
#include "digest/origin.h"
#include "digest/originals.h"
#include "digest/out.h"
#include "digest/outline.h"
#include "digest/template.h"
#include "digest/text.h"

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

static enum rc make_alternative(struct message *message, const struct digest *digest,
    const struct outline *outline, struct err *err)
{
	char *html = NULL;
	enum rc rc = make_html(digest, outline, &html, err);
	if (rc == RC_OK) {
		char *text = text_render(outline);
		rc = message_alternative(message, text, html, err);
		g_free(text);
	}
	g_free(html);
	return rc;
}

static enum rc write_mixed(struct out *out, const struct message *message,
    const struct originals *originals, struct err *err)
{
	char boundary[BOUNDARY_MAX];
	enum rc rc = boundary_make(boundary, err);
	if (rc != RC_OK)
		return rc;
	GMimeMultipart *mixed = g_mime_multipart_new_with_subtype("mixed");
	g_mime_multipart_set_boundary(mixed, boundary);
	g_mime_object_set_header(GMIME_OBJECT(mixed), "Content-Transfer-Encoding",
	    original_data_name(originals->data), NULL);
	g_mime_message_set_mime_part(message->message, GMIME_OBJECT(mixed));
	char *header = g_mime_object_get_headers(GMIME_OBJECT(message->message), message->format);
	out_text(out, header);
	g_free(header);
	g_object_unref(mixed);

	out_text(out, "\r\n--");
	out_text(out, boundary);
	out_text(out, "\r\n");
	rc = message_put(out, message, GMIME_OBJECT(message->alternative), err);
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

static enum rc write_message(struct out *out, const struct message *message,
    const struct originals *originals, struct err *err)
{
	enum rc rc = RC_OK;
	if (originals != NULL) {
		rc = write_mixed(out, message, originals, err);
	} else {
		g_mime_message_set_mime_part(message->message, GMIME_OBJECT(message->alternative));
		rc = message_put(out, message, GMIME_OBJECT(message->message), err);
	}
	return rc == RC_OK ? out_flush(out, err) : rc;
}

static enum rc compose_message(struct out *out, const struct digest *digest,
    const struct outline *outline, const struct originals *originals, struct err *err)
{
	struct message message;
	char *list_id = fields_list_id(digest);
	message_begin(&message, digest, outline->subject, "auto-generated");
	message_add_raw(&message, "List-Id", list_id);
	g_free(list_id);
	enum rc rc = make_alternative(&message, digest, outline, err);
	if (rc == RC_OK)
		rc = write_message(out, &message, originals, err);
	message_clear(&message);
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
	if (rc == RC_OK)
		outline_number(outline, digest);
out:
	g_free(out);
	originals_free(&originals);
	outline_free(&outline);
	return rc;
}
