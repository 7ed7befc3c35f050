/*
 * digest.h: composes the message for a slot. Runs in a worker: what it reads is hostile. The text
 * of entries comes from the index (already decoded and bounded); the originals are only copied,
 * unless a form needs their content.
 */
#ifndef PULLYU_DIGEST_DIGEST_H
#define PULLYU_DIGEST_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

struct digest_entry {
	const char *id; /* the message's name in the store, for open_original and for errors */
	uint64_t lead;  /* bytes of our trace fields to leave out */
	uint64_t size;  /* bytes of the original */
	const char *from_name, *from_addr, *subject; /* UTF-8, hostile, may be "" */
	const char *list_id;
	const char *class_name;
	const char *why; /* plain words */
	int64_t received;
	/* Tokens of links (words of [A-Za-z0-9_-]) by which the reader answers; NULL: no such link.
	 * Those of an entry's newest message count. */
	const char *allow, *hold, *send;
	/* What allow and hold are about: an entry of a list (an address, "list:" and a
	 * List-Id); NULL or "": from_addr. */
	const char *object;
};

struct digest {
	/* Opens the file of an original for reading, trace fields and all; digest_compose closes
	 * it. At most one is open at a time. An IMAP server may rename files at any moment, hence
	 * no paths. RC_NOTFOUND: it is gone; then composing fails with that and names the id. */
	enum rc (*open_original)(void *ctx, const char *id, int *fd_out, struct err *err);
	void *ctx;
	const char *user;            /* header To */
	const char *from, *reply_to; /* header fields; reply_to may be NULL */
	const char *message_id;      /* with angle brackets; stable for a slot */
	const char *guard;           /* body of X-Pullyu-Digest */
	const char *host;            /* for List-Id: digest.HOST */
	int64_t slot, now;           /* the slot's instant, and the time for Date */
	const char *timezone;        /* of the user */
	const char *language;
	bool attach;              /* originals inside; otherwise they are sent on their own */
	bool originals_in_folder; /* with !attach: say that they are in the folder, not the inbox */
	/* What is wrong with the user's settings and lists, in English; NULL-terminated; may be
	 * NULL. */
	const char *const *notices;
	const char *const
	    *authserv_ids;     /* trusted Authentication-Results; NULL-terminated; or NULL */
	const char *templates; /* directory of the admin's template and style; or NULL */
	unsigned part, parts;  /* this digest is part 1..parts of its slot; 0 or 1: whole */
	/* Told what was wrong with the admin's template, for the log; may be NULL. */
	void (*problem)(void *ctx, const char *text);
	/* Called once an entry when a message is written, in the order of the summary: what its
	 * number, from 1, stands for. An entry may be several messages. May be NULL. */
	void (*numbered)(void *ctx, unsigned number, const char *const *ids, size_t n);
	const char *command_address; /* where answers go; NULL: none are taken, and nothing in the
					digest asks for them */
	struct {
		const char *all, *times, *pause, *help; /* tokens; NULL: no such link */
	} foot;
	const char *form;          /* UTF-8 lines "times = ...", to be changed; "" or NULL: none */
	const char *pause_example; /* a date, "2027-01-05"; or NULL */
	/* Senders of whom nothing was released for eight weeks: addresses, NULL-terminated, three
	 * are told; or NULL. */
	const char *const *quiet;
	struct digest_entry *entries;
	size_t n_entries;
};

/* The message, or one form of its summary alone: UTF-8 with LF lines, no header. */
enum digest_form { DIGEST_MESSAGE, DIGEST_TEXT, DIGEST_HTML };

/* Writes an RFC 5322 message with CRLF lines to fd. RC_NOTFOUND: an original is gone (err names its
 * id): nothing of it may be counted as delivered, so the caller makes a new list and calls again.
 */
enum rc digest_compose(const struct digest *digest, enum digest_form form, int fd, struct err *err);

/* The fallback when a worker died: text/plain summary and the originals, written without any MIME
 * or XML library and without looking into the originals. */
enum rc digest_compose_plain(const struct digest *digest, int fd, struct err *err);

#endif
