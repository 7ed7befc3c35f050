/*
 * list.c: see list.h for the file's format. Entries are kept in their normal form, sorted by bytes;
 * an address, "@domain", "@.domain" and "list:id" cannot be mistaken for one another.
 */
#include <config.h>

#include "policy/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/addr.h"
#include "base/str.h"
#include "conf/problems.h"

enum { LINE_MAX_BYTES = 1000, PROBLEMS_MAX = 100 };

#define EXAMPLES "right would be ann@example.org, @example.org, @.example.org or list:NAME"

struct entry {
	const char *key;  /* normal form; foreign: of chunk */
	const char *text; /* as it stands in the file; foreign: of chunk, often the same as key */
};

struct list {
	int refs; /* atomic */
	GStringChunk *chunk;
	GArray *entries; /* struct entry, sorted by key, each key once */
	size_t bytes;
};

static enum rc normalise_list_id(const char *id, char out[LIST_ENTRY_MAX], struct err *err)
{
	size_t len = strlen(id);
	if (len >= 2 && id[0] == '<' && id[len - 1] == '>') {
		id++;
		len -= 2;
	}
	/* RFC 2919 section 2 limits it to 255 octets. What stands in the wild is not always a
	 * dot-atom, so anything goes that cannot be confused. */
	if (len == 0 || len > 255)
		return err_set(err, RC_PERM, "a List-Id has 1 to 255 bytes; " EXAMPLES);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)id[i] <= ' ' || id[i] == 0x7f || strchr("<>\"", id[i]) != NULL)
			return err_set(err, RC_PERM, "'%.60s' is no List-Id; " EXAMPLES, id);
	char *part = g_strndup(id, len);
	char *lower = g_utf8_strdown(part, -1);
	snprintf(out, LIST_ENTRY_MAX, "list:%s", lower);
	g_free(lower);
	g_free(part);
	return RC_OK;
}

static enum rc normalise_domain(const char *at, char out[LIST_ENTRY_MAX], struct err *err)
{
	char domain[ADDR_MAX];
	bool below = at[1] == '.';
	if (addr_domain_normalise(at + (below ? 2 : 1), domain, sizeof(domain), NULL) != RC_OK)
		return err_set(err, RC_PERM, "'%.60s' is no domain; " EXAMPLES, at);
	snprintf(out, LIST_ENTRY_MAX, "@%s%s", below ? "." : "", domain);
	return RC_OK;
}

enum rc list_entry_normalise(const char *in, char out[LIST_ENTRY_MAX], struct err *err)
{
	char copy[LIST_ENTRY_MAX], normal[ADDR_MAX];
	if (!g_utf8_validate(in, -1, NULL))
		return err_set(err, RC_PERM, "not UTF-8");
	if (!str_copy(copy, sizeof(copy), in))
		return err_set(err, RC_PERM, "longer than %d bytes", LIST_ENTRY_MAX - 1);
	char *s = str_trim(copy);
	if (g_ascii_strncasecmp(s, "list:", 5) == 0)
		return normalise_list_id(str_trim(s + 5), out, err);
	if (*s == '@')
		return normalise_domain(s, out, err);
	if (*s == '\0')
		return err_set(err, RC_PERM, "no entry; " EXAMPLES);
	if (g_str_has_prefix(s, "*@")) /* a valid address, and never what was meant */
		return err_set(err, RC_PERM, "'%.80s': a whole domain is written %.80s", s, s + 1);
	if (addr_normalise(s, NULL, normal, NULL) != RC_OK)
		return err_set(err, RC_PERM, "'%.80s' is no entry of a list; " EXAMPLES, s);
	str_copy(out, LIST_ENTRY_MAX, normal);
	return RC_OK;
}

/* Cuts the comment off a line and the blanks around the entry; "" if there is no entry. */
static char *line_entry(char *line)
{
	for (char *p = line; *p != '\0'; p++)
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			break;
		}
	return str_trim(line);
}

static void add_line(struct list *list, struct problems *problems, const char *file, int number,
    const char *bytes, size_t len)
{
	char line[LINE_MAX_BYTES + 1], key[LIST_ENTRY_MAX];
	struct err why;
	if (len > LINE_MAX_BYTES) {
		problems_add(problems, file, number, "line longer than %d bytes", LINE_MAX_BYTES);
		return;
	}
	if (memchr(bytes, '\0', len) != NULL || !g_utf8_validate(bytes, (gssize)len, NULL)) {
		problems_add(problems, file, number, "not UTF-8");
		return;
	}
	memcpy(line, bytes, len);
	line[len] = '\0';
	char *text = line_entry(line);
	if (*text == '\0')
		return;
	if (list_entry_normalise(text, key, &why) != RC_OK) {
		problems_add(problems, file, number, "%s", why.text);
		return;
	}
	struct entry entry = {.key = g_string_chunk_insert(list->chunk, key)};
	list->bytes += sizeof(entry) + strlen(key) + 1;
	if (strcmp(key, text) == 0) {
		entry.text = entry.key;
	} else {
		entry.text = g_string_chunk_insert(list->chunk, text);
		list->bytes += strlen(text) + 1;
	}
	g_array_append_val(list->entries, entry);
}

static int by_key(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void sort_and_unite(GArray *entries)
{
	guint kept = 0;
	g_array_sort(entries, by_key); /* a merge sort: no input makes it slow */
	for (guint i = 0; i < entries->len; i++) {
		struct entry *e = &g_array_index(entries, struct entry, i);
		if (kept == 0 || by_key(&g_array_index(entries, struct entry, kept - 1), e) != 0)
			g_array_index(entries, struct entry, kept++) = *e;
	}
	g_array_set_size(entries, kept);
}

enum rc list_parse(const char *file, const char *text, size_t len, ini_problem_fn *problem,
    void *ctx, struct list **list_out, struct err *err)
{
	struct problems problems = {.fn = problem, .ctx = ctx};
	const char *data = text, *end = text + len;
	struct list *list = g_new0(struct list, 1);
	list->refs = 1;
	list->chunk = g_string_chunk_new(len < 4096 ? 256 : 65536);
	list->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	list->bytes = sizeof(*list) + 256;
	if (len > LIST_FILE_MAX) {
		problems_add(&problems, file, 0, "larger than %d bytes", LIST_FILE_MAX);
		data = end;
	} else if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		problems_add(&problems, file, 1,
		    "starts with a byte order mark: save it as UTF-8 without one");
		data += 3;
	}
	for (int number = 1; data < end; number++) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const char *stop = newline == NULL ? end : newline;
		add_line(list, &problems, file, number, data, (size_t)(stop - data));
		data = newline == NULL ? end : newline + 1;
		if (list->entries->len > LIST_ENTRIES_MAX) {
			problems_add(
			    &problems, file, number, "more than %d entries", LIST_ENTRIES_MAX);
			break;
		}
		if (problems.n >= PROBLEMS_MAX) {
			problems_add(&problems, file, number,
			    "too many problems: the rest was not looked at");
			break;
		}
	}
	enum rc rc = problems_result(&problems, err);
	if (rc == RC_OK) {
		sort_and_unite(list->entries);
		*list_out = list;
	} else {
		list_free(&list);
	}
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
	g_array_free(l->entries, TRUE);
	g_string_chunk_free(l->chunk);
	g_free(l);
}

size_t list_count(const struct list *list)
{
	return list == NULL ? 0 : list->entries->len;
}

size_t list_bytes(const struct list *list)
{
	return list == NULL ? 0 : list->bytes;
}

static const char *lookup(const struct list *list, const char *key)
{
	struct entry wanted = {.key = key};
	guint at;
	if (!g_array_binary_search(list->entries, &wanted, by_key, &at))
		return NULL;
	return g_array_index(list->entries, struct entry, at).text;
}

static const char *lookup_domain(const struct list *list, const char *domain)
{
	char key[ADDR_MAX + 2];
	const char *found;
	if (*domain == '\0' || strlen(domain) >= ADDR_MAX)
		return NULL;
	snprintf(key, sizeof(key), "@%s", domain);
	found = lookup(list, key);
	for (const char *p = domain; found == NULL && p != NULL; p = strchr(p, '.')) {
		p += *p == '.';
		snprintf(key, sizeof(key), "@.%s", p);
		found = lookup(list, key);
	}
	return found;
}

const char *list_match_addr(const struct list *list, const char *addr)
{
	char lower[ADDR_MAX];
	if (list == NULL || list->entries->len == 0 || *addr == '\0')
		return NULL;
	/* The address may have kept its case ([users] keep_case); entries have none. */
	if (addr_normalise(addr, NULL, lower, NULL) != RC_OK)
		return NULL;
	const char *found = lookup(list, lower);
	if (found == NULL &&
	    addr_normalise(lower, &(struct addr_opts){.delimiters = "+"}, lower, NULL) == RC_OK)
		found = lookup(list, lower);
	if (found == NULL)
		found = lookup_domain(list, addr_domain(lower));
	return found;
}

const char *list_match_list_id(const struct list *list, const char *list_id)
{
	char key[LIST_ENTRY_MAX];
	if (list == NULL || list->entries->len == 0 || *list_id == '\0')
		return NULL;
	if (normalise_list_id(list_id, key, NULL) != RC_OK)
		return NULL;
	return lookup(list, key);
}

enum rc list_edit(const char *text, const char *entry, bool add, char **text_out, bool *changed_out,
    struct err *err)
{
	char wanted[LIST_ENTRY_MAX], key[LIST_ENTRY_MAX];
	bool there = false;
	enum rc rc = list_entry_normalise(entry, wanted, err);
	if (rc != RC_OK)
		return rc;
	GString *out = g_string_new(NULL);
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		size_t whole = len + (line[len] == '\n');
		char *copy = g_strndup(line, len);
		bool same = list_entry_normalise(line_entry(copy), key, NULL) == RC_OK &&
		    strcmp(key, wanted) == 0;
		there = there || same;
		if (!same || add)
			g_string_append_len(out, line, (gssize)whole);
		g_free(copy);
		line += whole;
	}
	if (add && !there) {
		if (out->len > 0 && out->str[out->len - 1] != '\n')
			g_string_append_c(out, '\n');
		g_string_append_printf(out, "%s\n", wanted);
	}
	if (out->len > LIST_FILE_MAX) {
		g_string_free(out, TRUE);
		return err_set(
		    err, RC_PERM, "the list would be larger than %d bytes", LIST_FILE_MAX);
	}
	*changed_out = add != there;
	*text_out = g_string_free(out, FALSE);
	return RC_OK;
}
