/*
 * actions.h: how a reader answers: links that begin a mail (mailto, RFC 6068), and the plain words
 * that say the same. A link changes nothing by being followed: the mail it begins has to be sent.
 * Pure but for the language in use (words.h).
 */
#ifndef PULLYU_DIGEST_ACTIONS_H
#define PULLYU_DIGEST_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	ACTION_URI_MAX = 2000,  /* bytes: what mail clients and Windows pass on whole */
	ACTION_TOKEN_MAX = 700, /* bytes, the end included: the longest that pullyud makes */
	ACTION_OBJECT_COLUMNS = 40,
	ACTION_OBJECT_BYTES = 120,
	ACTION_LINES_MAX = 12,                /* of a form */
	ACTION_LINE_COLUMNS = ACTION_URI_MAX, /* what would be cut fits no link */
};

enum action {
	ACTION_ALLOW,
	ACTION_HOLD,
	ACTION_SEND,
	ACTION_ALL,
	ACTION_TIMES,
	ACTION_PAUSE,
	ACTION_HELP,
	ACTION_UNDO,
};

/* "Let through": of the link. Borrowed. */
const char *action_label(enum action action);
/* "Let through: news@shop.example", for who hears many links that are called alike; of ACTION_SEND
 * and n messages, more than one, "Send me this: 3 originals from news@shop.example". g_free. */
char *action_name(enum action action, const char *object, size_t n);

/* Whether text is a word of [A-Za-z0-9_-] of a token's length. */
bool action_is_token(const char *text);

/* "mailto:ADDRESS?subject=WORDS%20[pullyu%20TOKEN]&body=...", of unreserved characters, "%XX", and
 * the six of its own syntax alone (with "[" and "]" as %5B and %5D); g_free. NULL if token is NULL
 * or none. At most ACTION_URI_MAX bytes: what does not fit stays out, first the body, then object.
 * address: checked by fields_check. object: hostile; whom it is about; may be NULL. n: of how many
 * messages ACTION_SEND is. form: hostile lines that the mail begins with, may be NULL: of
 * ACTION_TIMES settings, of ACTION_PAUSE a date. */
char *action_uri(const char *address, enum action action, const char *token, const char *object,
    size_t n, const char *form);

/* What can be written instead, in the first line of an answer. */
enum action_word {
	WORD_RELEASE,
	WORD_RELEASE_ALL,
	WORD_ALLOW,
	WORD_HOLD,
	WORD_FORGET,
	WORD_PAUSE,
	WORD_RESUME,
	WORD_TIMES,
	WORD_LISTS,
	WORD_HELP,
	ACTION_WORDS,
};
/* "release 3 5", with the example that is given ("3 5", an address, a date, times); g_free. */
char *action_words(enum action_word word, const char *example);
/* They in the language's quotation marks; g_free. */
char *action_quoted(const char *words);
/* "sends these to you now". Borrowed. */
const char *action_meaning(enum action_word word);

#endif
