/*
 * list.c: see list.h for the file's format. All strings stand in one block, the entries in an
 * array, and a hash table with open addressing (linear probing, at most half full) leads from a key
 * to its entry.
 */
#include <config.h>

#include "policy/list.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <glib.h>

#include "base/addr.h"
#include "base/siphash.h"
#include "conf/problems.h"
#include "policy/list_line.h"

enum { PROBLEMS_MAX = 100, SLOTS_MIN = 8 };

struct entry {
	uint32_t key, text; /* offsets in strings: the normal form; as it stands in the file */
	unsigned classes;
};

struct slot {
	uint32_t hash;
	uint32_t entry; /* its index plus 1; 0: none */
};

struct list {
	int refs; /* atomic */
	char *strings;
	size_t n_strings; /* bytes */
	struct entry *entries;
	size_t n_entries;
	struct slot *slots;
	size_t n_slots; /* a power of two */
};

/* While a list is read. */
struct reading {
	struct list *list;
	GString *strings; /* own */
	GArray *entries;  /* own */
};

static unsigned char hash_key[SIPHASH_KEY_BYTES];
static bool hash_key_there;

static void make_hash_key(void)
{
	hash_key_there = getrandom(hash_key, sizeof(hash_key), 0) == (ssize_t)sizeof(hash_key);
}

static uint32_t hash_of(const char *key)
{
	return (uint32_t)siphash(hash_key, key, strlen(key));
}

/* ---- the table ---- */

/* Where the key is, or the empty slot where it would be. */
static struct slot *find_slot(const struct list *list, const char *key, uint32_t hash)
{
	size_t mask = list->n_slots - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct slot *slot = &list->slots[i];
		if (slot->entry == 0 ||
		    (slot->hash == hash &&
			strcmp(list->strings + list->entries[slot->entry - 1].key, key) == 0))
			return slot;
	}
}

static void grow(struct list *list)
{
	struct slot *old = list->slots;
	size_t n_old = list->n_slots;
	list->n_slots = n_old == 0 ? SLOTS_MIN : n_old * 2;
	list->slots = g_new0(struct slot, list->n_slots);
	for (size_t i = 0; i < n_old; i++) {
		size_t at = old[i].hash & (list->n_slots - 1);
		if (old[i].entry == 0)
			continue;
		while (list->slots[at].entry != 0)
			at = (at + 1) & (list->n_slots - 1);
		list->slots[at] = old[i];
	}
	g_free(old);
}

/* ---- reading ---- */

static uint32_t add_string(struct reading *r, const char *text, size_t len)
{
	uint32_t at = (uint32_t)r->strings->len;
	g_string_append_len(r->strings, text, (gssize)len);
	g_string_append_c(r->strings, '\0');
	r->list->strings = r->strings->str;
	return at;
}

/* A second line of the same key. */
static void unite(
    struct reading *r, struct entry *entry, const char *text, const struct list_line *line)
{
	char classes[LIST_CLASSES_MAX];
	unsigned both = entry->classes | line->classes;
	if (both == entry->classes)
		return;
	/* At most once for each class, so that lines of one key do not pile up. */
	entry->classes = both;
	list_classes_format(both, classes);
	GString *whole =
	    g_string_new_len(text + line->start, (gssize)(line->key_end - line->start));
	g_string_append(whole, classes);
	entry->text = add_string(r, whole->str, whole->len);
	g_string_free(whole, TRUE);
}

static void add_entry(struct reading *r, const char *text, const struct list_line *line)
{
	struct list *list = r->list;
	uint32_t hash = hash_of(line->key);
	if ((list->n_entries + 1) * 2 > list->n_slots)
		grow(list);
	struct slot *slot = find_slot(list, line->key, hash);
	if (slot->entry != 0) {
		unite(r, &list->entries[slot->entry - 1], text, line);
		return;
	}
	size_t len = line->end - line->start;
	struct entry entry = {.classes = line->classes};
	entry.key = entry.text = add_string(r, line->key, strlen(line->key));
	if (strlen(line->key) != len || memcmp(line->key, text + line->start, len) != 0)
		entry.text = add_string(r, text + line->start, len);
	g_array_append_val(r->entries, entry);
	list->entries = (struct entry *)(void *)r->entries->data;
	list->n_entries = r->entries->len;
	*slot = (struct slot){.hash = hash, .entry = r->entries->len};
}

static void read_lines(struct reading *r, enum list_kind kind, const char *file, const char *data,
    const char *end, struct problems *problems)
{
	struct list_line line;
	struct err why;
	for (int number = 1; data < end; number++) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const char *stop = newline == NULL ? end : newline;
		if (list_line_read(kind, data, (size_t)(stop - data), &line, &why) != RC_OK)
			problems_add(problems, file, number, "%s", why.text);
		else if (line.key[0] != '\0')
			add_entry(r, data, &line);
		data = newline == NULL ? end : newline + 1;
		if (r->list->n_entries > LIST_ENTRIES_MAX) {
			problems_add(
			    problems, file, number, "more than %d entries", LIST_ENTRIES_MAX);
			return;
		}
		if (problems->n >= PROBLEMS_MAX) {
			problems_add(problems, file, number,
			    "too many problems: the rest was not looked at");
			return;
		}
	}
}

/* The list takes what was read, and not a byte more than that. */
static void take_over(struct reading *r)
{
	struct list *list = r->list;
	list->n_strings = r->strings->len;
	list->strings = g_realloc(g_string_free(r->strings, FALSE), MAX(list->n_strings, 1));
	list->entries = g_renew(
	    struct entry, (struct entry *)(void *)g_array_free(r->entries, FALSE), list->n_entries);
}

enum rc list_parse(enum list_kind kind, const char *file, const char *text, size_t len,
    ini_problem_fn *problem, void *ctx, struct list **list_out, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct problems problems = {.fn = problem, .ctx = ctx};
	const char *data = text;
	pthread_once(&once, make_hash_key);
	if (!hash_key_there)
		return err_set(err, RC_TEMP, "%s: the system gives no random bytes", file);
	struct list *list = g_new0(struct list, 1);
	list->refs = 1;
	grow(list);
	struct reading r = {
	    .list = list,
	    .strings = g_string_new(NULL),
	    .entries = g_array_new(FALSE, FALSE, sizeof(struct entry)),
	};
	if (len > LIST_FILE_MAX) {
		problems_add(&problems, file, 0, "larger than %d bytes", LIST_FILE_MAX);
	} else {
		if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
			problems_add(&problems, file, 1,
			    "starts with a byte order mark: save it as UTF-8 without one");
			data += 3;
		}
		read_lines(&r, kind, file, data, text + len, &problems);
	}
	take_over(&r);
	enum rc rc = problems_result(&problems, err);
	if (rc == RC_OK)
		*list_out = list;
	else
		list_free(&list);
	return rc;
}

struct list *list_ref(struct list *list)
{
	g_atomic_int_inc(&list->refs);
	return list;
}

void list_free(struct list **list)
{
	struct list *l = *list;
	*list = NULL;
	if (l == NULL || !g_atomic_int_dec_and_test(&l->refs))
		return;
	g_free(l->strings);
	g_free(l->entries);
	g_free(l->slots);
	g_free(l);
}

size_t list_count(const struct list *list)
{
	return list == NULL ? 0 : list->n_entries;
}

const char *list_entry(const struct list *list, size_t index)
{
	return list->strings + list->entries[index].text;
}

size_t list_bytes(const struct list *list)
{
	if (list == NULL)
		return 0;
	return sizeof(*list) + list->n_strings + list->n_entries * sizeof(struct entry) +
	    list->n_slots * sizeof(struct slot);
}

/* ---- looking up ---- */

static struct list_match lookup(const struct list *list, const char *key, unsigned classes)
{
	const struct slot *slot = find_slot(list, key, hash_of(key));
	if (slot->entry == 0)
		return (struct list_match){0};
	const struct entry *e = &list->entries[slot->entry - 1];
	if ((e->classes & classes) == 0)
		return (struct list_match){0};
	return (struct list_match){.entry = list->strings + e->text, .classes = e->classes};
}

static struct list_match lookup_domain(
    const struct list *list, const char *domain, unsigned classes)
{
	char key[ADDR_MAX + 2];
	struct list_match found = {0};
	if (*domain == '\0' || strlen(domain) >= ADDR_MAX)
		return found;
	snprintf(key, sizeof(key), "@%s", domain);
	found = lookup(list, key, classes);
	for (const char *p = domain; found.entry == NULL && p != NULL; p = strchr(p, '.')) {
		p += *p == '.';
		snprintf(key, sizeof(key), "@.%s", p);
		found = lookup(list, key, classes);
	}
	return found;
}

struct list_match list_match_addr(const struct list *list, const char *addr, unsigned classes)
{
	char key[ADDR_MAX];
	struct list_match found = {0};
	if (list == NULL || list->n_entries == 0 || *addr == '\0')
		return found;
	/* The address may have kept its case ([users] keep_case); entries have none. */
	if (list_key_of_addr(addr, true, key, NULL) != RC_OK)
		return found;
	found = lookup(list, key, classes);
	if (found.entry == NULL && list_key_of_addr(addr, false, key, NULL) == RC_OK)
		found = lookup(list, key, classes);
	if (found.entry == NULL)
		found = lookup_domain(list, addr_domain(key), classes);
	return found;
}

struct list_match list_match_list_id(const struct list *list, const char *list_id, unsigned classes)
{
	char key[LIST_KEY_MAX];
	if (list == NULL || list->n_entries == 0 || *list_id == '\0')
		return (struct list_match){0};
	if (list_key_of_list_id(list_id, key, NULL) != RC_OK)
		return (struct list_match){0};
	return lookup(list, key, classes);
}
