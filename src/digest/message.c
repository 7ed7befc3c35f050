/*
 * message.c: see message.h.
 */
#include <config.h>

#include "digest/message.h"

#include <string.h>

#include "digest/fields.h"
#include "digest/guard.h"
#include "digest/originals.h"

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

void message_add_raw(struct message *message, const char *name, const char *value)
{
	GMimeObject *object = GMIME_OBJECT(message->message);
	char *raw = g_strdup_printf(" %s\n", value);
	g_mime_object_set_header(object, name, value, NULL);
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	g_mime_header_set_raw_value(g_mime_header_list_get_header(headers, name), raw);
	g_free(raw);
}

void message_begin(struct message *message, const struct digest *digest, const char *subject,
    const char *auto_submitted)
{
	g_mime_init(); /* counts its callers; never undone, for the process composes again */
	message->format = g_mime_format_options_new();
	message->alternative = NULL;
	g_mime_format_options_set_newline_format(message->format, GMIME_NEWLINE_FORMAT_DOS);
	GMimeMessage *gmime = message->message = g_mime_message_new(TRUE);
	add_mailbox(g_mime_message_get_from(gmime), digest->from);
	const char *reply_to = fields_reply_to(digest);
	if (reply_to != NULL)
		add_mailbox(g_mime_message_get_reply_to(gmime), reply_to);
	InternetAddress *to = internet_address_mailbox_new(NULL, digest->user);
	internet_address_list_add(g_mime_message_get_to(gmime), to);
	g_object_unref(to);
	g_mime_message_set_subject(gmime, subject, "utf-8");
	char *date = fields_date(digest);
	message_add_raw(message, "Date", date);
	g_free(date);
	message_add_raw(message, "Message-ID", digest->message_id);
	message_add_raw(message, "Auto-Submitted", auto_submitted);
	message_add_raw(message, GUARD_FIELD, digest->guard);
}

void message_clear(struct message *message)
{
	if (message->alternative != NULL)
		g_object_unref(message->alternative);
	if (message->message != NULL)
		g_object_unref(message->message);
	if (message->format != NULL)
		g_mime_format_options_free(message->format);
	*message = (struct message){0};
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

enum rc message_alternative(
    struct message *message, const char *text, const char *html, struct err *err)
{
	char boundary[BOUNDARY_MAX];
	enum rc rc = boundary_make(boundary, err);
	if (rc != RC_OK)
		return rc;
	message->alternative = g_mime_multipart_new_with_subtype("alternative");
	g_mime_multipart_set_boundary(message->alternative, boundary);
	add_text(message->alternative, "plain", text);
	add_text(message->alternative, "html", html);
	return RC_OK;
}

enum rc message_put(
    struct out *out, const struct message *message, GMimeObject *object, struct err *err)
{
	GByteArray *bytes = g_byte_array_new();
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	ssize_t n = g_mime_object_write_to_stream(object, message->format, stream);
	if (n >= 0)
		out_write(out, bytes->data, bytes->len);
	g_object_unref(stream);
	g_byte_array_unref(bytes);
	return n >= 0 ? RC_OK : err_set(err, RC_TEMP, "GMime could not write the message");
}
