/*
 * words.h: the words of which a command can be made, in English, Dutch, German and French. Pure;
 * thread-safe. A word may have several meanings: the place where it stands decides.
 */
#ifndef PULLYU_COMMAND_WORDS_H
#define PULLYU_COMMAND_WORDS_H

#include <stddef.h>

enum words_meaning {
	WORD_SEND = 1 << 0,
	WORD_ALLOW = 1 << 1,
	WORD_HOLD = 1 << 2,
	WORD_FORGET = 1 << 3,
	WORD_PAUSE = 1 << 4,
	WORD_RESUME = 1 << 5,
	WORD_TIMES = 1 << 6,
	WORD_LISTS = 1 << 7,
	WORD_HELP = 1 << 8,
	WORD_ALL = 1 << 9,     /* "release all" */
	WORD_UNTIL = 1 << 10,  /* "pause until" */
	WORD_PASS = 1 << 11,   /* "pause until 2027-01-05, deliver everything" */
	WORD_AND = 1 << 12,    /* "3 and 5" */
	WORD_PLEASE = 1 << 13, /* at the end; means nothing */
	WORD_NONE = 1 << 14,   /* "times none" */
};

/* words: folded (text_fold), NULL-terminated. How many of them, two at most, are one entry of the
 * table; its meanings. 0: none is; *meanings_out is 0 then. */
size_t words_find(char *const *words, unsigned *meanings_out);

/* "lundi" -> "Mon": as conf/times.h wants it. NULL for what is no weekday. word is folded. */
const char *words_weekday(const char *word);

#endif
