/*
 * outline_items.h: the messages of a digest in the order of its summary: sorted, grouped and
 * folded. For outline.c. Pure; not thread-safe.
 *
 * Each message becomes an item with three keys: its section (of the class), its group in there (a
 * service, a list, or none) and its fold (a sender or a thread). Items are sorted by these keys and
 * by time; a run of equal keys is one entry, a run of equal groups one group. How often somebody
 * writes changes a number, not a place: groups and senders stand in the order of their names.
 */
#ifndef PULLYU_DIGEST_OUTLINE_ITEMS_H
#define PULLYU_DIGEST_OUTLINE_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include "digest/outline.h"

enum item_section {
	SECTION_NOTIFICATIONS,
	SECTION_NEWSLETTERS,
	SECTION_LISTS,
	SECTION_TRANSACTIONS,
	SECTION_OTHERS,
};

/* One message. Strings are in the chunk that items_new was given. */
struct item {
	const struct digest_entry *message; /* foreign */
	const struct origin *origin;        /* foreign; or NULL */
	const struct excerpt *excerpt;      /* foreign; or NULL */
	const char *name, *addr, *subject;  /* cleaned; "" if none */
	const char *group;                  /* heading, "" if none */
	const char *group_sort, *sort;      /* case-folded: of the group, of the sender */
	const char *sender;                 /* case-folded address, or name */
	const char *fold;                   /* what makes the entry: a sender, or a thread */
	enum item_section section;
	size_t index; /* as the caller had it: breaks ties */
	const struct item
	    *first; /* while sorting; the same message that came by another way before */
	bool copy;  /* it has a first, and is counted there */
};

/* One an entry of digest, sorted; g_free. An entry of the summary begins with its newest message
 * and with no copy. details may be NULL. */
struct item *items_new(
    const struct digest *digest, const struct outline_details *details, GStringChunk *text);

bool items_same_group(const struct item *a, const struct item *b);
/* The end of the entry that begins with items[first]. */
size_t items_fold_end(const struct item *items, size_t n, size_t first);

#endif
