/*
 * read.h: what a command mail says: the token of a link, or plain words in English, Dutch, German
 * or French. Pure; thread-safe.
 *
 * A link's mail has "[pullyu TOKEN]" behind the words of its subject; "pullyu TOKEN" as a line of
 * its own will do, for clients that drop subjects. With a token of COMMAND_TIMES the text may set
 * settings, "key = value" or "key: value" a line; with one of COMMAND_PAUSE it says
 * "until = 2027-01-05" and perhaps "pass = yes". Such lines count also where they are quoted, but
 * then less than the same key unquoted.
 *
 * Plain words are the first line of the text that says something. They begin with the verb, and all
 * of the line must be understood:
 *	release 3 5 | release 3-5 | release all | allow 2 | allow news@shop.example
 *	hold @shop.example | forget list:news.shop.example | times Mon-Fri 08:00 17:30
 *	pause until 2027-01-05 [deliver everything] | resume | times | lists | help
 */
#ifndef PULLYU_COMMAND_READ_H
#define PULLYU_COMMAND_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"
#include "command/token.h"

enum {
	COMMAND_NUMBERS_MAX = 50,
	COMMAND_NUMBER_LARGEST = 9999,
	COMMAND_FORM_MAX = 12,
	COMMAND_VALUE_MAX = 1000,
};

struct command {
	enum command_verb verb; /* with a token: what it claims, unchecked; else what is said */
	char token[COMMAND_TOKEN_MAX];         /* "": plain words */
	unsigned numbers[COMMAND_NUMBERS_MAX]; /* release 3 5: as said, none twice */
	size_t n_numbers;
	char entry[COMMAND_OBJECT_MAX]; /* of a list, as typed; "": none */
	int32_t until;                  /* pause until: a day (conf/dates.h); 0: not said */
	bool pass;                      /* a pause in which nothing is held */
	struct command_form {
		char key[32], value[COMMAND_VALUE_MAX]; /* UTF-8 without control characters */
	} form[COMMAND_FORM_MAX];
	size_t n_form;
};

/* RC_OK; RC_NOTFOUND: no command is said (a vacation notice, a chat); RC_PERM: one is said but
 * wrong, err says what would be right, with an example. subject (1,000 bytes at most) and text
 * (16 kB) are UTF-8, decoded, hostile. keys: NULL-terminated names of settings that a form may set.
 * today: a pause must end after it. */
enum rc command_read(const char *subject, const char *text, const char *const *keys, int32_t today,
    struct command *command_out, struct err *err);

#endif
