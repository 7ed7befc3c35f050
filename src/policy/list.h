/*
 * list.h: the allow and hold lists and the participants file. One entry a line: "ann@example.org",
 * "@example.org" (that domain), "@.example.org" (that domain and all below it), "list:<List-Id>"
 * ("list:announce.example.org" too). '#' at the start of a line or after a blank starts a comment.
 * Upper and lower case are the same; domains may stand in U-labels or A-labels; lines may end in
 * CRLF. Tabs are blanks; other control characters and invisible ones are refused in an entry and
 * ignored in a comment. A line has at most 1,000 bytes.
 *
 * In allow and hold an entry may name classes: "news@shop.example: newsletter, notification" speaks
 * of mail of these classes only (policy.h says what becomes of the rest). Lines of one key unite; a
 * plain line wins over those that name classes. A List-Id that itself ends like this, as
 * "x:newsletter", stands in angle brackets.
 *
 * An immutable struct. Lookups take a time that does not depend on how many entries there are: a
 * hash table whose hash has a random key (siphash.h), so that nobody can fill it with collisions
 * who writes a file. At most LIST_ENTRIES_MAX different entries, LIST_FILE_MAX bytes. Thread-safe.
 */
#ifndef PULLYU_POLICY_LIST_H
#define PULLYU_POLICY_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ini.h"
#include "base/rc.h"
#include "classify/verdict.h"

enum { LIST_ENTRIES_MAX = 100000, LIST_FILE_MAX = 8 * 1024 * 1024, LIST_ENTRY_MAX = 500 };

/* Which file it is: what its lines may say. */
enum list_kind {
	LIST_NAMES, /* the participants: no classes */
	LIST_ALLOW,
	LIST_HOLD, /* the classes security, calendar and bounce are refused: nobody can hold them */
};

/* Sets of classes: bits 1 << enum class. All of them: a plain entry. */
enum { LIST_EVERY_CLASS = (1 << CLASS_COUNT) - 1 };

struct list;

struct list_match {
	const char *entry; /* as it stands in the file, NULL: none; lives as long as the list */
	unsigned classes;  /* of which it speaks */
};

/* From text (the file's content). Bad lines are problems and give RC_PERM; list_out is set only if
 * there are none. RC_TEMP: no random key. */
enum rc list_parse(enum list_kind kind, const char *file, const char *text, size_t len,
    ini_problem_fn *problem, void *ctx, struct list **list_out, struct err *err);
struct list *list_ref(struct list *list);
void list_free(struct list **list); /* drops one reference; nulls */
size_t list_count(const struct list *list);
/* The entry of that index, in the order of the file, as it stands there; lives as long as the
 * list. */
const char *list_entry(const struct list *list, size_t index);
size_t list_bytes(const struct list *list); /* memory that it takes; NULL: 0 */

/* The most exact entry that speaks of one of these classes; others are as if they were not there.
 * list may be NULL (nothing matches). addr is normalised; an address extension in it ("+...") is
 * also tried without. */
struct list_match list_match_addr(const struct list *list, const char *addr, unsigned classes);
struct list_match list_match_list_id(
    const struct list *list, const char *list_id, unsigned classes);

/* Normal form of one entry as a person types it, for the CLI: "news@shop.example: newsletter".
 * RC_PERM with what would be right. */
enum rc list_entry_normalise(
    enum list_kind kind, const char *in, char out[LIST_ENTRY_MAX], struct err *err);

enum list_change {
	LIST_ADD,      /* the entry counts from now on: takes the place of lines of its key that say
			* otherwise, a plain one of those with classes and the other way round */
	LIST_REMOVE,   /* a plain entry: all lines of its key. One with classes: these classes, from
			* the lines that name some; a plain line stays */
	LIST_OVERRULE, /* the same, but a plain line goes too: for the list that would win */
};

/* The text of a list after the change; comments, order and lines that are no entries are kept, and
 * CRLF where the list has it. text is NUL-terminated. *text_out is g_free'd by the caller;
 * *changed_out tells whether it differs. RC_PERM: no entry, or the list would be too large. */
enum rc list_edit(enum list_kind kind, const char *text, const char *entry, enum list_change change,
    char **text_out, bool *changed_out, struct err *err);

#endif
