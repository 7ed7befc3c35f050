/*
 * list.h: the allow and hold lists and the participants file. One entry a line: "ann@example.org",
 * "@example.org" (that domain), "@.example.org" (that domain and all below it), "list:<List-Id>"
 * ("list:announce.example.org" too). '#' at the start of a line or after a blank starts a comment.
 * Upper and lower case are the same. An immutable struct; lookups are binary searches, because a
 * hash table could be filled with collisions by whoever writes the file. At most LIST_ENTRIES_MAX
 * entries, LIST_FILE_MAX bytes. Thread-safe.
 */
#ifndef PULLYU_POLICY_LIST_H
#define PULLYU_POLICY_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ini.h"
#include "base/rc.h"

enum { LIST_ENTRIES_MAX = 100000, LIST_FILE_MAX = 8 * 1024 * 1024, LIST_ENTRY_MAX = 400 };

struct list;

/* From text (the file's content). Bad lines are problems and give RC_PERM; list_out is set only if
 * there are none. */
enum rc list_parse(const char *file, const char *text, size_t len, ini_problem_fn *problem,
    void *ctx, struct list **list_out, struct err *err);
struct list *list_ref(struct list *list);
void list_free(struct list **list); /* drops one reference; nulls */
size_t list_count(const struct list *list);
size_t list_bytes(const struct list *list); /* memory that it takes; NULL: 0 */

/* The entry as it stands in the file, or NULL; lives as long as the list. list may be NULL
 * (nothing matches). addr is normalised; an address extension in it ("+...") is also tried
 * without. The most exact entry is returned. */
const char *list_match_addr(const struct list *list, const char *addr);
const char *list_match_list_id(const struct list *list, const char *list_id);

/* Normal form of one entry as a person types it, for the CLI. RC_PERM with what would be right. */
enum rc list_entry_normalise(const char *in, char out[LIST_ENTRY_MAX], struct err *err);

/* The text of a list with the entry added (unless there) or removed; comments, order and lines that
 * are no entries are kept. text is NUL-terminated. *text_out is g_free'd by the caller;
 * *changed_out tells whether it differs. RC_PERM: no entry, or the list would be too large. */
enum rc list_edit(const char *text, const char *entry, bool add, char **text_out, bool *changed_out,
    struct err *err);

#endif
