/*
 * list_line.h: one line of a list, for those who work on its text. Thread-safe.
 */
#ifndef PULLYU_POLICY_LIST_LINE_H
#define PULLYU_POLICY_LIST_LINE_H

#include "base/addr.h"
#include "policy/list.h"

enum { LIST_KEY_MAX = ADDR_MAX + 8 };

/* Keys are normal forms: an address, "@domain", "@.domain" or "list:id" cannot be mistaken for one
 * another. */
struct list_line {
	char key[LIST_KEY_MAX]; /* "": nothing but a comment */
	unsigned classes;       /* LIST_EVERY_CLASS if the line names none */
	/* Offsets in the line: the entry, and where its key ends. */
	size_t start, key_end, end;
};

/* bytes: the line without its newline. RC_PERM with what is wrong. */
enum rc list_line_read(enum list_kind kind, const char *bytes, size_t len,
    struct list_line *line_out, struct err *err);

/* The normal form of an address, and of a List-Id with or without its angle brackets. */
enum rc list_key_of_addr(const char *addr, bool extension, char out[ADDR_MAX], struct err *err);
enum rc list_key_of_list_id(const char *id, char out[LIST_KEY_MAX], struct err *err);

enum { LIST_CLASSES_MAX = 120 };
/* ": newsletter, notification", or "" for every class. */
void list_classes_format(unsigned classes, char out[LIST_CLASSES_MAX]);

#endif
