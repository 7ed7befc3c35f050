/*
 * outline.c: see outline.h.
 *
 * Entries are sorted by class, then by the address of the sender, then by time; a group is a run
 * of entries with the same class and address. The groups of a class are then sorted by what a
 * reader looks for: the name.
 */
#include <config.h>

#include "digest/outline.h"

#include <stdlib.h>
#include <string.h>

#include "digest/clean.h"

/* In columns. The subject fills about three lines of the text form. */
enum { SUBJECT_MAX = 200, NAME_MAX_COLUMNS = 80, ADDR_MAX_COLUMNS = 320, WHY_MAX = 300 };
enum { NOTICE_MAX = 600, LIST_MAX = 120 };

/* One entry while it is sorted. */
struct item {
	const struct digest_entry *entry; /* foreign */
	const char *key;                  /* what makes the sender: address, or name */
	const char *sort;                 /* the group's heading, case-folded */
	const char *name, *addr;          /* cleaned; "" if none */
	int rank;                         /* of the class */
	size_t index;                     /* as the caller had it: breaks ties */
};

static const char *own(struct outline *outline, char *text)
{
	const char *kept = g_string_chunk_insert(outline->text, text);
	g_free(text);
	return kept;
}

static const char *own_clean(struct outline *outline, const char *text, size_t max_columns)
{
	return own(outline, clean_text(text, max_columns));
}

static const char *own_fill(struct outline *outline, const char *phrase, const char *a)
{
	return own(outline, words_fill(phrase, a, NULL, NULL));
}

static int class_rank(const char *name)
{
	static const struct {
		const char *name;
		int rank;
	} ranks[] = {
	    {"notification", WORDS_NOTIFICATION},
	    {"newsletter", WORDS_NEWSLETTER},
	    {"discussion", WORDS_DISCUSSION},
	    {"transactional", WORDS_TRANSACTIONAL},
	};
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(ranks); i++)
		if (strcmp(ranks[i].name, name) == 0)
			return ranks[i].rank;
	return WORDS_OTHER;
}

static int by_time(const struct item *a, const struct item *b)
{
	if (a->entry->received != b->entry->received)
		return a->entry->received < b->entry->received ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int by_sender(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	int order = strcmp(a->key, b->key);
	return order != 0 ? order : by_time(a, b);
}

static int by_heading(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	int order = strcmp(a->sort, b->sort);
	if (order == 0)
		order = strcmp(a->key, b->key);
	return order != 0 ? order : by_time(a, b);
}

static bool same_group(const struct item *a, const struct item *b)
{
	return a->rank == b->rank && strcmp(a->key, b->key) == 0;
}

static size_t group_end(const struct item *items, size_t n, size_t first)
{
	size_t end = first + 1;
	while (end < n && same_group(&items[first], &items[end]))
		end++;
	return end;
}

/* The one name that all messages of a group give; NULL if they give none, or several. */
static const char *group_name(const struct item *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(items[i].name, items[0].name) != 0)
			return NULL;
	/* A name that repeats the address says nothing. */
	return items[0].name[0] != '\0' && strcmp(items[0].name, items[0].addr) != 0 ? items[0].name
										     : NULL;
}

static struct item *items_sorted(const struct digest *digest, struct outline *outline)
{
	size_t n = digest->n_entries;
	struct item *items = g_new0(struct item, MAX(n, 1));
	for (size_t i = 0; i < n; i++) {
		struct item *item = &items[i];
		item->entry = &digest->entries[i];
		item->index = i;
		item->rank = class_rank(item->entry->class_name);
		item->name = own_clean(outline, item->entry->from_name, NAME_MAX_COLUMNS);
		item->addr = own_clean(outline, item->entry->from_addr, ADDR_MAX_COLUMNS);
		item->key = own(
		    outline, g_utf8_casefold(item->addr[0] != '\0' ? item->addr : item->name, -1));
	}
	qsort(items, n, sizeof(*items), by_sender);
	for (size_t first = 0, end; first < n; first = end) {
		end = group_end(items, n, first);
		const char *name = group_name(&items[first], end - first);
		const char *sort =
		    own(outline, g_utf8_casefold(name != NULL ? name : items[first].addr, -1));
		for (size_t i = first; i < end; i++)
			items[i].sort = sort;
	}
	qsort(items, n, sizeof(*items), by_heading);
	return items;
}

static GDateTime *local_time(int64_t when, GTimeZone *zone)
{
	GDateTime *utc = g_date_time_new_from_unix_utc(when);
	GDateTime *local = utc == NULL ? NULL : g_date_time_to_timezone(utc, zone);
	if (utc != NULL)
		g_date_time_unref(utc);
	return local;
}

struct times {
	GTimeZone *zone;  /* own */
	const char *name; /* of the zone */
	GDateTime *slot;  /* own; NULL if out of range */
};

static void times_begin(struct times *times, const struct digest *digest)
{
	times->zone =
	    digest->timezone == NULL ? NULL : g_time_zone_new_identifier(digest->timezone);
	times->name = times->zone != NULL ? digest->timezone : "UTC";
	if (times->zone == NULL)
		times->zone = g_time_zone_new_utc();
	times->slot = local_time(digest->slot, times->zone);
}

static void times_end(struct times *times)
{
	if (times->slot != NULL)
		g_date_time_unref(times->slot);
	g_time_zone_unref(times->zone);
}

static void entry_fill(struct outline *outline, struct outline_entry *entry,
    const struct item *item, const struct times *times, bool tell_name)
{
	const struct words *words = outline->words;
	const struct digest_entry *source = item->entry;
	GDateTime *when = local_time(source->received, times->zone);
	const char *why = own_clean(outline, source->why, WHY_MAX);
	const char *list = own_clean(outline, source->list_id, LIST_MAX);
	entry->source = source;
	entry->subject = own_clean(outline, source->subject, SUBJECT_MAX);
	if (entry->subject[0] == '\0')
		entry->subject = words->no_subject;
	entry->when = own(outline, words_time(words, when, times->slot));
	entry->size = own(outline, words_size(words, source->size));
	if (why[0] != '\0')
		entry->why = own_fill(outline, words->why, why);
	if (tell_name && item->name[0] != '\0')
		entry->from = own_fill(outline, words->from, item->name);
	if (item->rank == WORDS_DISCUSSION && list[0] != '\0')
		entry->list = own_fill(outline, words->list, list);
	if (when != NULL)
		g_date_time_unref(when);
}

static void group(struct outline *outline, const struct item *items, const struct times *times)
{
	struct outline_class *class = NULL;
	struct outline_sender *sender = outline->senders;
	size_t n = outline->n_entries;
	int rank = -1;
	for (size_t first = 0, end; first < n; first = end, sender++) {
		end = group_end(items, n, first);
		if (items[first].rank != rank) {
			rank = items[first].rank;
			class = &outline->classes[outline->n_classes++];
			class->heading = outline->words->classes[rank];
			class->senders = sender;
		}
		class->n++;
		class->n_entries += end - first;
		sender->name = group_name(&items[first], end - first);
		sender->addr =
		    items[first].addr[0] != '\0' ? items[first].addr : outline->words->no_sender;
		sender->entries = &outline->entries[first];
		sender->n = end - first;
		for (size_t i = first; i < end; i++)
			entry_fill(outline, &outline->entries[i], &items[i], times,
			    sender->name == NULL && items[i].name[0] != '\0' &&
				strcmp(items[i].name, items[i].addr) != 0);
	}
}

static size_t count_senders(const struct item *items, size_t n)
{
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < n; i++)
		g_hash_table_add(seen, (gpointer)items[i].key);
	size_t count = g_hash_table_size(seen);
	g_hash_table_unref(seen);
	return count;
}

static void headings(struct outline *outline, const struct digest *digest,
    const struct times *times, size_t n_senders)
{
	const struct words *words = outline->words;
	char *messages = words_count(words->messages_one, words->messages_many, outline->n_entries);
	char *senders = words_count(words->senders_one, words->senders_many, n_senders);
	char *shortly = words_slot_short(words, times->slot);
	char *fully = words_slot_long(words, times->slot);
	char *user = clean_text(digest->user, ADDR_MAX_COLUMNS);
	outline->subject = own(outline, words_fill(words->subject, messages, senders, shortly));
	outline->headline = own(outline, words_fill(words->headline, messages, senders, NULL));
	outline->slot = own(outline, g_strdup_printf("%s (%s)", fully, times->name));
	outline->closing = digest->attach ? words->closing_attached
	    : digest->originals_in_folder ? words->closing_folder
					  : words->closing_inbox;
	outline->waits = own_fill(outline, words->closing_waits, user);
	g_free(messages);
	g_free(senders);
	g_free(shortly);
	g_free(fully);
	g_free(user);
}

static void notices(struct outline *outline, const char *const *texts)
{
	size_t n = 0;
	for (; texts != NULL && *texts != NULL; texts++) {
		const char *text = own_clean(outline, *texts, NOTICE_MAX);
		if (text[0] != '\0' && n++ < OUTLINE_NOTICES_MAX)
			outline->notices[outline->n_notices++] = text;
	}
	if (n > OUTLINE_NOTICES_MAX) {
		char *more = g_strdup_printf("%zu", n - OUTLINE_NOTICES_MAX);
		outline->notices[outline->n_notices++] =
		    own_fill(outline, outline->words->notices_more, more);
		g_free(more);
	}
}

enum rc outline_new(const struct digest *digest, struct outline **outline_out, struct err *err)
{
	if (digest->n_entries > OUTLINE_ENTRIES_MAX)
		return err_set(err, RC_PERM, "a digest of %zu messages: at most %d",
		    digest->n_entries, OUTLINE_ENTRIES_MAX);
	struct outline *outline = g_new0(struct outline, 1);
	struct times times;
	outline->words = words_for(digest->language);
	outline->text = g_string_chunk_new(4096);
	outline->n_entries = digest->n_entries;
	outline->entries = g_new0(struct outline_entry, MAX(digest->n_entries, 1));
	outline->senders = g_new0(struct outline_sender, MAX(digest->n_entries, 1));
	times_begin(&times, digest);
	struct item *items = items_sorted(digest, outline);
	group(outline, items, &times);
	headings(outline, digest, &times, count_senders(items, outline->n_entries));
	notices(outline, digest->notices);
	times_end(&times);
	g_free(items);
	*outline_out = outline;
	return RC_OK;
}

void outline_free(struct outline **outline)
{
	if (*outline == NULL)
		return;
	g_string_chunk_free((*outline)->text);
	g_free((*outline)->entries);
	g_free((*outline)->senders);
	g_free(*outline);
	*outline = NULL;
}
