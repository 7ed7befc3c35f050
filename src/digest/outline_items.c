/*
 * outline_items.c: see outline_items.h.
 */
#include <config.h>

#include "digest/outline_items.h"

#include <stdlib.h>
#include <string.h>

#include "digest/clean.h"
#include "digest/keep.h"
#include "digest/threads.h"

/* In columns. The subject fills about three lines of the text form. */
enum { SUBJECT_MAX = 200, NAME_MAX_COLUMNS = 80, ADDR_MAX_COLUMNS = 320, LIST_MAX = 120 };

static const char *keep_clean(GStringChunk *chunk, const char *text, size_t max_columns)
{
	return keep(chunk, clean_text(text, max_columns));
}

static const char *keep_folded(GStringChunk *chunk, const char *text)
{
	return keep(chunk, g_utf8_casefold(text, -1));
}

static enum item_section section_of(const char *class_name)
{
	static const struct {
		const char *class_name;
		enum item_section section;
	} rows[] = {
	    {"notification", SECTION_NOTIFICATIONS},
	    {"newsletter", SECTION_NEWSLETTERS},
	    {"discussion", SECTION_LISTS},
	    {"transactional", SECTION_TRANSACTIONS},
	};
	for (size_t i = 0; class_name != NULL && i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].class_name, class_name) == 0)
			return rows[i].section;
	return SECTION_OTHERS;
}

static const char *domain_of(const char *addr)
{
	const char *at = strrchr(addr, '@');
	return at == NULL ? addr : at + 1;
}

static void item_fill(GStringChunk *text, struct item *item)
{
	const struct digest_entry *message = item->message;
	const char *list = keep_clean(text, message->list_id, LIST_MAX);
	item->section = section_of(message->class_name);
	item->name = keep_clean(text, message->from_name, NAME_MAX_COLUMNS);
	item->addr = keep_clean(text, message->from_addr, ADDR_MAX_COLUMNS);
	item->subject = keep_clean(text, message->subject, SUBJECT_MAX);
	item->group = item->section == SECTION_NOTIFICATIONS ? domain_of(item->addr)
	    : item->section == SECTION_LISTS                 ? list
							     : "";
	item->group_sort = keep_folded(text, item->group);
	item->sort = keep_folded(text, item->name[0] != '\0' ? item->name : item->addr);
	item->sender = keep_folded(text, item->addr[0] != '\0' ? item->addr : item->name);
	item->fold = item->sender;
	/* One address can speak for many lists, each of which is one thing to its reader. */
	if (item->section == SECTION_NOTIFICATIONS && list[0] != '\0')
		item->fold = keep(text, g_strdup_printf("%s %s", item->sender, list));
	/* Who only claims to be that sender is not put among his messages. */
	if (item->origin != NULL && item->origin->unverified)
		item->fold = keep(text, g_strdup_printf("%s\n", item->fold));
}

/* Of messages on a list, the thread makes the entry, not who happened to write. */
static void fold_threads(GStringChunk *text, struct item *items, size_t n)
{
	struct threads *threads = threads_new();
	for (size_t i = 0; i < n; i++) { /* in the order of time */
		struct item *item = &items[i];
		if (item->section != SECTION_LISTS)
			continue;
		const char *thread =
		    threads_add(threads, item->group_sort, item->origin, item->subject);
		item->fold = keep(text, g_strdup(thread));
		item->sort = item->fold;
	}
	threads_free(&threads);
}

static int by_time(const struct item *a, const struct item *b)
{
	if (a->message->received != b->message->received)
		return a->message->received < b->message->received ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int oldest_first(const void *left, const void *right)
{
	return by_time(left, right);
}

/* Newest first within a fold, and copies behind all others: an entry begins with none. A list's
 * threads stand in the order in which they began. */
static int by_place(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	int order = strcmp(a->group_sort, b->group_sort);
	if (order == 0)
		order = strcmp(a->sort, b->sort);
	if (order == 0)
		order = strcmp(a->fold, b->fold);
	if (order == 0)
		order = a->copy - b->copy;
	return order != 0 ? order : by_time(b, a);
}

/* The senders of one fold may give several names; the newest one sorts for all of them. */
static void unify_names(struct item *items, size_t n)
{
	GHashTable *newest = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = n; i-- > 0;) { /* items stand oldest first */
		const char *sort = g_hash_table_lookup(newest, items[i].fold);
		if (sort == NULL)
			g_hash_table_insert(
			    newest, (gpointer)items[i].fold, (gpointer)items[i].sort);
		else
			items[i].sort = sort;
	}
	g_hash_table_unref(newest);
}

/* The same Message-ID by two ways: the second counts nowhere and stands with the first, whatever
 * list or class it came by. Who writes another's Message-ID into a message of his own does not make
 * that other one vanish: sender, authentication and subject must be the same, too, but for a list's
 * tag. */
static void mark_copies(struct item *items, size_t n)
{
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < n; i++) {
		struct item *item = &items[i];
		if (item->origin == NULL || item->origin->message_id[0] == '\0')
			continue;
		char *base = threads_base_subject(item->subject);
		char *key = g_strdup_printf("%s\n%s\n%d\n%s", item->origin->message_id,
		    item->sender, item->origin->unverified, base);
		item->first = g_hash_table_lookup(seen, key);
		if (item->first == NULL)
			g_hash_table_insert(seen, key, item);
		else
			g_free(key);
		g_free(base);
	}
	g_hash_table_unref(seen);
}

/* After this, an item's keys are its own: sorting moves what first points to. */
static void place_copies(struct item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct item *first = items[i].first;
		if (first == NULL)
			continue;
		items[i].copy = true;
		items[i].first = NULL;
		items[i].section = first->section;
		items[i].group = first->group;
		items[i].group_sort = first->group_sort;
		items[i].sort = first->sort;
		items[i].fold = first->fold;
	}
}

struct item *items_new(
    const struct digest *digest, const struct outline_details *details, GStringChunk *text)
{
	size_t n = digest->n_entries;
	struct item *items = g_new0(struct item, MAX(n, 1));
	for (size_t i = 0; i < n; i++) {
		items[i].message = &digest->entries[i];
		items[i].index = i;
		if (details != NULL && details->origins != NULL)
			items[i].origin = &details->origins[i];
		if (details != NULL && details->excerpts != NULL)
			items[i].excerpt = &details->excerpts[i];
		item_fill(text, &items[i]);
	}
	qsort(items, n, sizeof(*items), oldest_first);
	mark_copies(items, n);
	fold_threads(text, items, n);
	unify_names(items, n);
	place_copies(items, n);
	qsort(items, n, sizeof(*items), by_place);
	return items;
}

bool items_same_group(const struct item *a, const struct item *b)
{
	return a->section == b->section && strcmp(a->group_sort, b->group_sort) == 0;
}

size_t items_fold_end(const struct item *items, size_t n, size_t first)
{
	size_t end = first + 1;
	while (end < n && items_same_group(&items[first], &items[end]) &&
	    strcmp(items[first].fold, items[end].fold) == 0)
		end++;
	return end;
}
