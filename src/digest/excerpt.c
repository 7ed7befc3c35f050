/*
 * excerpt.c: see excerpt.h. Finds the part that a reader would read first, and what is attached.
 */
#include <config.h>

#include "digest/excerpt.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <gmime/gmime.h>

#include "digest/clean.h"
#include "digest/snippet.h"

enum { PARTS_MAX = 200, DEPTH_MAX = 12 };

struct walk {
	GMimePart *text, *html; /* foreign; the first of each */
	struct excerpt *excerpt;
	unsigned parts;
};

/* ---- what is attached ---- */

/* Only the last part of a path: a name is to be read, not followed. */
static char *plain_name(const char *name)
{
	const char *slash = strrchr(name, '/'), *backslash = strrchr(name, '\\');
	if (backslash != NULL && (slash == NULL || backslash > slash))
		slash = backslash;
	return clean_text(slash == NULL ? name : slash + 1, EXCERPT_NAME_COLUMNS);
}

static void attach(struct walk *walk, const char *name, GMimeObject *object)
{
	struct excerpt *excerpt = walk->excerpt;
	char *plain = name == NULL ? g_strdup("") : plain_name(name);
	if (plain[0] == '\0') {
		GMimeContentType *type = g_mime_object_get_content_type(object);
		char *text = type == NULL ? NULL : g_mime_content_type_get_mime_type(type);
		g_free(plain);
		plain = clean_text(text == NULL ? "?" : text, EXCERPT_NAME_COLUMNS);
		g_free(text);
	}
	if (excerpt->n_attachments < EXCERPT_NAMES)
		excerpt->names[excerpt->n_attachments] = plain;
	else
		g_free(plain);
	excerpt->n_attachments++;
}

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
	GMimeContentType *content = g_mime_object_get_content_type(object);
	return content != NULL && g_mime_content_type_is_type(content, type, subtype);
}

static bool says_attachment(GMimeObject *object)
{
	const char *disposition = g_mime_object_get_disposition(object);
	return disposition != NULL && g_ascii_strcasecmp(disposition, "attachment") == 0;
}

/* Parts that serve the message and are nothing to a reader. */
static bool serves(GMimeObject *object)
{
	return is_type(object, "application", "pgp-signature") ||
	    is_type(object, "application", "pkcs7-signature") ||
	    is_type(object, "application", "x-pkcs7-signature") ||
	    is_type(object, "message", "delivery-status") ||
	    (!says_attachment(object) &&
		(is_type(object, "text", "calendar") ||
		    (is_type(object, "image", "*") &&
			g_mime_object_get_content_id(object) != NULL)));
}

/* ---- the walk ---- */

static void walk_part(struct walk *walk, GMimePart *part)
{
	GMimeObject *object = GMIME_OBJECT(part);
	const char *name = g_mime_part_get_filename(part);
	bool plain = is_type(object, "text", "plain"), html = is_type(object, "text", "html");
	if (serves(object))
		return;
	if ((plain || html) && !says_attachment(object) && (name == NULL || walk->parts == 1)) {
		if (plain && walk->text == NULL)
			walk->text = part;
		else if (html && walk->html == NULL)
			walk->html = part;
		return;
	}
	if (says_attachment(object) || name != NULL || !is_type(object, "text", "*"))
		attach(walk, name, object);
}

static void walk_object(struct walk *walk, GMimeObject *object, unsigned depth)
{
	if (object == NULL || depth > DEPTH_MAX || walk->parts >= PARTS_MAX)
		return;
	walk->parts++;
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
		const char *name =
		    g_mime_object_get_content_disposition_parameter(object, "filename");
		/* A message that is nothing but another one. */
		if (depth == 0 && inner != NULL)
			walk_object(walk, g_mime_message_get_mime_part(inner), depth + 1);
		else
			attach(walk, name, object);
	} else if (GMIME_IS_MULTIPART(object)) {
		GMimeMultipart *multipart = GMIME_MULTIPART(object);
		if (is_type(object, "multipart", "encrypted"))
			return;
		int n = g_mime_multipart_get_count(multipart);
		for (int i = 0; i < n && walk->parts < PARTS_MAX; i++)
			walk_object(walk, g_mime_multipart_get_part(multipart, i), depth + 1);
	} else if (GMIME_IS_PART(object)) {
		walk_part(walk, GMIME_PART(object));
	}
}

/* ---- text ---- */

/* At most max bytes, without their transfer encoding. */
static GByteArray *decode(GMimePart *part, size_t max)
{
	GByteArray *bytes = g_byte_array_new();
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	if (content == NULL)
		return bytes;
	GMimeStream *stream = g_mime_data_wrapper_get_stream(content);
	GMimeStream *decoded = g_mime_stream_filter_new(stream);
	GMimeFilter *filter =
	    g_mime_filter_basic_new(g_mime_data_wrapper_get_encoding(content), FALSE);
	char buffer[8192];
	ssize_t n;
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(decoded), filter);
	g_mime_stream_reset(stream);
	while (bytes->len < max && (n = g_mime_stream_read(decoded, buffer, sizeof(buffer))) > 0)
		g_byte_array_append(bytes, (const guint8 *)buffer, (guint)n);
	g_object_unref(filter);
	g_object_unref(decoded);
	return bytes;
}

static const char *charset_of(GMimePart *part)
{
	return g_mime_content_type_get_parameter(
	    g_mime_object_get_content_type(GMIME_OBJECT(part)), "charset");
}

static char *snippet_of(GMimePart *part, size_t max,
    char *(*make)(const char *text, size_t len, const char *charset, size_t max_columns))
{
	GByteArray *bytes = decode(part, max);
	char *snippet = make(bytes->len == 0 ? "" : (const char *)bytes->data, bytes->len,
	    charset_of(part), EXCERPT_COLUMNS);
	g_byte_array_unref(bytes);
	return snippet;
}

static char *lines_of(
    GMimePart *part, size_t max, char *(*make)(const char *text, size_t len, const char *charset))
{
	GByteArray *bytes = decode(part, max);
	char *lines =
	    make(bytes->len == 0 ? "" : (const char *)bytes->data, bytes->len, charset_of(part));
	g_byte_array_unref(bytes);
	return lines;
}

/* The text form, unless it says nothing. */
static char *choose(const struct walk *walk)
{
	char *snippet = NULL;
	if (walk->text != NULL)
		snippet = snippet_of(walk->text, SNIPPET_TEXT_BYTES, snippet_from_text);
	if (walk->html != NULL && (snippet == NULL || snippet[0] == '\0')) {
		g_free(snippet);
		snippet = snippet_of(walk->html, SNIPPET_HTML_BYTES, snippet_from_html);
	}
	return snippet == NULL ? g_strdup("") : snippet;
}

static char *choose_lines(const struct walk *walk)
{
	bool text = walk->text != NULL;
	if (text && walk->html != NULL) {
		char *snippet = snippet_of(walk->text, SNIPPET_TEXT_BYTES, snippet_from_text);
		text = snippet[0] != '\0';
		g_free(snippet);
	}
	if (text)
		return lines_of(walk->text, SNIPPET_TEXT_BYTES, snippet_lines_of_text);
	return walk->html == NULL ? NULL
				  : lines_of(walk->html, SNIPPET_HTML_BYTES, snippet_lines_of_html);
}

/* NULL if it cannot be parsed; its parts stay in the file. */
static GMimeMessage *parse(int fd, uint64_t lead)
{
	g_mime_init();
	GMimeStream *stream = g_mime_stream_fs_new_with_bounds(dup(fd), (gint64)lead, -1);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

void excerpt_read(int fd, uint64_t lead, struct excerpt *excerpt_out)
{
	struct excerpt excerpt = {0};
	struct walk walk = {.excerpt = &excerpt};
	GMimeMessage *message = parse(fd, lead);
	if (message != NULL) {
		walk_object(&walk, g_mime_message_get_mime_part(message), 0);
		excerpt.snippet = choose(&walk);
		g_object_unref(message);
	} else {
		excerpt.snippet = g_strdup("");
	}
	*excerpt_out = excerpt;
}

char *excerpt_text(int fd, uint64_t lead)
{
	struct excerpt excerpt = {0};
	struct walk walk = {.excerpt = &excerpt};
	GMimeMessage *message = parse(fd, lead);
	char *lines = NULL;
	if (message != NULL) {
		walk_object(&walk, g_mime_message_get_mime_part(message), 0);
		lines = choose_lines(&walk);
		g_object_unref(message);
	}
	excerpt_clear(&excerpt);
	char *text = g_strndup(lines == NULL ? "" : lines, EXCERPT_TEXT_MAX);
	char *valid = g_utf8_make_valid(text, -1); /* the bound may have cut a character */
	g_free(text);
	g_free(lines);
	return valid;
}

void excerpt_clear(struct excerpt *excerpt)
{
	g_free(excerpt->snippet);
	for (size_t i = 0; i < EXCERPT_NAMES; i++)
		g_free(excerpt->names[i]);
	memset(excerpt, 0, sizeof(*excerpt));
}
