/*
 * answer.h: what a user is told when he has commanded something by mail: a message of one sentence,
 * and how to undo what it tells. Runs in a worker. Not thread-safe.
 */
#ifndef PULLYU_DIGEST_ANSWER_H
#define PULLYU_DIGEST_ANSWER_H

#include <stdint.h>

#include "base/rc.h"

enum answer_kind {
	ANSWER_ALLOWED,
	ANSWER_HELD,
	ANSWER_FORGOTTEN,
	ANSWER_ALREADY,  /* nothing to change */
	ANSWER_SENT,     /* count originals are on their way */
	ANSWER_SENT_ALL, /* count of them: everything */
	ANSWER_NOTHING_HELD,
	ANSWER_GONE, /* originals are no longer kept */
	ANSWER_TIMES,
	ANSWER_PAUSED_HOLD,
	ANSWER_PAUSED_PASS,
	ANSWER_RESUMED,
	ANSWER_LISTS,
	ANSWER_UNDONE,
	ANSWER_UNDO_LATE, /* changed since */
	ANSWER_HELP,
	ANSWER_BAD,        /* not understood; reason or detail says why, and what would be right */
	ANSWER_IMPOSSIBLE, /* understood, but it cannot be done; as above */
	ANSWER_USED,
	ANSWER_EXPIRED,
	ANSWER_FORGED,
	ANSWER_UNKNOWN_DIGEST,
	ANSWER_TOO_MANY,
	ANSWER_FAILED, /* a fault of ours; try later */
	ANSWER_KINDS
};
/* "allowed", "undo_late"; borrowed. */
const char *answer_kind_name(enum answer_kind kind);
/* An enum answer_kind, or -1. */
int answer_kind_by_name(const char *name);

struct answer {
	enum answer_kind kind;
	const char *user;            /* header To */
	const char *from;            /* as a digest's */
	const char *message_id;      /* with angle brackets */
	const char *in_reply_to;     /* Message-ID of the command, hostile; or NULL */
	const char *references;      /* header field of the command, hostile; or NULL */
	const char *guard;           /* body of X-Pullyu-Digest */
	const char *host, *language; /* as a digest's */
	int64_t now;                 /* for Date */
	const char *command_address; /* where commands go, and Reply-To; NULL: no links */
	/* UTF-8, hostile; NULL or "": none. */
	const char *object; /* an entry of a list, or a date */
	const char *detail; /* what is wrong, in English, or the next times: lines of text */
	/* A code for what is wrong, and up to two values; it stands instead of detail. One that is
	 * not known, or lacks a value, counts as none.
	 *   no-number       there is no such number: the number asked for; how many there are
	 *   which-digest    numbers were said, but not of which digest
	 *   which-sender which-messages which-times which-day    none was said, or none understood
	 *   no-address      a sender's address is not known: the entry's number
	 *   day-past        a pause would be over: its day */
	const char *reason, *reason_1, *reason_2;
	/* Of originals; of a pause that holds: the days after which what waits comes all the same, 0
	 * if it ends before. */
	uint64_t count;
	const char *undo;          /* token; NULL: nothing to undo */
	const char *help_times;    /* token of the times form, for help; or NULL */
	const char *form;          /* its lines; or NULL */
	const char *pause_example; /* a day, "2027-01-05"; NULL or "": two weeks from now */
	const char
	    *lists; /* lines "allow news@shop.example", "hold ...", "known ann@x 2026-11-01" */
};

/* Writes an RFC 5322 message with CRLF lines to fd: a text and a page that say the same. Lines that
 * are more or longer than a screen can take are counted, or cut. RC_PERM: a value cannot stand in a
 * header; RC_TEMP: it could not be written. */
enum rc answer_compose(const struct answer *answer, int fd, struct err *err);

#endif
