/*
 * actions.c: see actions.h. The words by which commands begin are those of src/command/words.c,
 * which must know every one that stands here or in a catalogue.
 */
#include <config.h>

#include "digest/actions.h"

#include <string.h>

#include <glib.h>

#include "digest/clean.h"
#include "digest/words.h"

const char *action_label(enum action action)
{
	switch (action) {
	case ACTION_ALLOW:
		return _("Let through");
	case ACTION_HOLD:
		return _("Always hold");
	case ACTION_SEND:
		return _("Send me this");
	case ACTION_ALL:
		return _("Send me everything now");
	case ACTION_TIMES:
		return _("My times");
	case ACTION_PAUSE:
		return _("Pause");
	case ACTION_HELP:
		return _("Help");
	case ACTION_UNDO:
		break;
	}
	return _("Undo");
}

/* A phrase of a number and a sender, from words_count; g_free. */
static char *with_sender(char *phrase, const char *sender)
{
	char *words = words_fill(phrase, NULL, sender, NULL, NULL);
	g_free(phrase);
	return words;
}

static char *send_words(const char *object, size_t n)
{
	if (n < 2)
		return words_fill(_("Send me the original from {1}"), object, NULL, NULL, NULL);
	/* Translators: {2} is a sender. */
	return with_sender(words_count("Send me the {1} original from {2}",
			       "Send me the {1} originals from {2}", n),
	    object);
}

/* The name begins with the words that are seen, for who speaks them (WCAG 2.5.3). */
char *action_name(enum action action, const char *object, size_t n)
{
	char *about = action != ACTION_SEND || n < 2
	    ? g_strdup(object)
	    : with_sender(
		  words_count("{1} original from {2}", "{1} originals from {2}", n), object);
	/* Translators: a link's words, and whom it is about. */
	char *name = words_fill(_("{1}: {2}"), action_label(action), about, NULL, NULL);
	g_free(about);
	return name;
}

bool action_is_token(const char *text)
{
	size_t n = 0;
	while (g_ascii_isalnum(text[n]) || text[n] == '-' || text[n] == '_')
		n++;
	return n > 0 && n < ACTION_TOKEN_MAX && text[n] == '\0';
}

/* ---- links ---- */

/* All but unreserved characters (RFC 3986 section 2.3). */
static void put_encoded(GString *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (g_ascii_isalnum(*p) || strchr("-._~", *p) != NULL)
			g_string_append_c(out, (char)*p);
		else
			g_string_append_printf(out, "%%%02X", *p);
	}
}

/* The last "@" divides an address, and stands as it is. */
static void put_address(GString *out, const char *address)
{
	const char *at = strrchr(address, '@');
	char *local = g_strndup(address, at == NULL ? strlen(address) : (gsize)(at - address));
	put_encoded(out, local);
	if (at != NULL) {
		g_string_append_c(out, '@');
		put_encoded(out, at + 1);
	}
	g_free(local);
}

/* Brackets in it could be taken for those around the token. */
static char *clean_object(const char *object)
{
	char *text = clean_text(object, ACTION_OBJECT_COLUMNS);
	size_t len = strlen(text);
	while (len > ACTION_OBJECT_BYTES)
		len = (size_t)(g_utf8_prev_char(text + len) - text);
	text[len] = '\0';
	return g_strdelimit(g_strdelimit(text, "[", '('), "]", ')');
}

/* What the mail is called, for the reader: the token behind it is for us. */
static char *subject_words(enum action action, const char *object, size_t n)
{
	if (object == NULL || object[0] == '\0')
		return g_strdup(action_label(action));
	if (action == ACTION_ALLOW)
		return words_fill(_("Let {1} through"), object, NULL, NULL, NULL);
	if (action == ACTION_HOLD)
		return words_fill(_("Always hold {1}"), object, NULL, NULL, NULL);
	if (action == ACTION_SEND)
		return send_words(object, n);
	return action_name(action, object, 1);
}

/* One line of explanation, without "=" or ":", which would make it one of the form. */
static const char *explanation(enum action action, bool has_form)
{
	if (action == ACTION_TIMES && has_form)
		return _("Change below what you want to change, then send this message.");
	if (action == ACTION_PAUSE && has_form)
		return _(
		    "Change the day if you like, then send this message. Mail waits until then; "
		    "write yes behind pass to have all of it at once instead.");
	return _("Send this message as it is.");
}

/* Lines end in CRLF (RFC 6068 section 5). */
static char *body_text(enum action action, const char *form)
{
	bool has_form = form != NULL && form[0] != '\0';
	GString *body = g_string_new(explanation(action, has_form));
	const char *before = "\r\n\r\n";
	char **lines = g_strsplit(has_form ? form : "", "\n", ACTION_LINES_MAX + 1);
	for (size_t i = 0; lines[i] != NULL && i < ACTION_LINES_MAX; i++) {
		char *line = clean_text(lines[i], ACTION_LINE_COLUMNS);
		if (line[0] != '\0') {
			g_string_append_printf(body, "%s%s", before, line);
			before = "\r\n";
		}
		g_free(line);
	}
	g_strfreev(lines);
	return g_string_free(body, FALSE);
}

static GString *uri_of(const char *address, const char *words, const char *token, const char *body)
{
	GString *uri = g_string_new("mailto:");
	put_address(uri, address);
	g_string_append(uri, "?subject=");
	put_encoded(uri, words);
	put_encoded(uri, " [pullyu ");
	put_encoded(uri, token);
	put_encoded(uri, "]");
	if (body != NULL) {
		g_string_append(uri, "&body=");
		put_encoded(uri, body);
	}
	return uri;
}

char *action_uri(const char *address, enum action action, const char *token, const char *object,
    size_t n, const char *form)
{
	if (address == NULL || token == NULL || !action_is_token(token))
		return NULL;
	char *about = clean_object(object), *words = subject_words(action, about, n);
	char *dated = action == ACTION_PAUSE && form != NULL && form[0] != '\0'
	    ? g_strdup_printf("until = %s\npass = no", form)
	    : g_strdup(form);
	char *body = body_text(action, dated);
	const struct {
		const char *words, *body;
	} tries[] = {{words, body}, {words, NULL}, {action_label(action), NULL}};
	GString *uri = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(tries) && uri == NULL; i++) {
		uri = uri_of(address, tries[i].words, token, tries[i].body);
		if (uri->len > ACTION_URI_MAX) {
			g_string_free(uri, TRUE);
			uri = NULL;
		}
	}
	g_free(body);
	g_free(dated);
	g_free(words);
	g_free(about);
	return uri == NULL ? NULL : g_string_free(uri, FALSE);
}

/* ---- words ---- */

/* Translators: the words before {1} must be known to src/command/words.c. */
static const struct {
	const char *words, *meaning;
} rows[ACTION_WORDS] = {
    [WORD_RELEASE] = {N_("release {1}"), N_("sends these to you now")},
    [WORD_RELEASE_ALL] = {N_("release all"), N_("sends you now all that is held")},
    [WORD_ALLOW] = {N_("allow {1}"), N_("lets this sender through from now on")},
    [WORD_HOLD] = {N_("hold {1}"), N_("always holds this sender")},
    [WORD_FORGET] = {N_("forget {1}"), N_("takes this sender off your lists")},
    [WORD_PAUSE] = {N_("pause until {1}"), N_("no digest before that day")},
    [WORD_RESUME] = {N_("resume"), N_("ends the pause")},
    [WORD_TIMES] = {N_("times {1}"), N_("changes when your digests come")},
    [WORD_LISTS] = {N_("lists"), N_("shows who is let through and who is held")},
    [WORD_HELP] = {N_("help"), N_("shows all that can be said")},
};

char *action_words(enum action_word word, const char *example)
{
	return words_fill(_(rows[word].words), example, NULL, NULL, NULL);
}

char *action_quoted(const char *words)
{
	/* Translators: quotation marks. */
	return words_fill(_("“{1}”"), words, NULL, NULL, NULL);
}

const char *action_meaning(enum action_word word)
{
	return _(rows[word].meaning);
}
