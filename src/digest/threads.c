/*
 * threads.c: see threads.h. One table knows every Message-ID that was seen or referred to, and
 * every base subject; each is prefixed with its list.
 */
#include <config.h>

#include "digest/threads.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

struct threads {
	GHashTable *names;     /* own; key -> name; both own by strings */
	GStringChunk *strings; /* own */
	unsigned n;
};

struct threads *threads_new(void)
{
	struct threads *threads = g_new0(struct threads, 1);
	threads->names = g_hash_table_new(g_str_hash, g_str_equal);
	threads->strings = g_string_chunk_new(4096);
	return threads;
}

void threads_free(struct threads **threads)
{
	if (*threads == NULL)
		return;
	g_hash_table_unref((*threads)->names);
	g_string_chunk_free((*threads)->strings);
	g_free(*threads);
	*threads = NULL;
}

/* "re:", "Aw[2]:": its length in bytes, 0 if there is none. */
static size_t reply_prefix(const char *text)
{
	static const char *const words[] = {
	    "re", "aw", "sv", "antw", "vs", "rif", "ref", "fw", "fwd", "wg", "tr", "rv", "doorst"};
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		size_t len = strlen(words[i]);
		if (strncmp(text, words[i], len) != 0)
			continue;
		if (text[len] == '[')
			len += strcspn(text + len, "]") + (strchr(text + len, ']') != NULL);
		if (text[len] == ':')
			return len + 1;
	}
	return 0;
}

char *threads_base_subject(const char *subject)
{
	char *folded = g_utf8_casefold(subject, -1);
	const char *p = folded, *end;
	for (size_t n;; p += n) {
		p += strspn(p, " ");
		n = reply_prefix(p);
		if (n == 0 && *p == '[' && (end = strchr(p, ']')) != NULL &&
		    end[1] == ' ') /* a tag is no subject */
			n = (size_t)(end - p) + 1;
		if (n == 0)
			break;
	}
	char *base = g_strdup(p);
	g_free(folded);
	return base;
}

static char *key_new(const char *list, const char *kind, const char *text)
{
	return g_strdup_printf("%s\n%s%s", list, kind, text);
}

static const char *look(const struct threads *threads, const char *key)
{
	return g_hash_table_lookup(threads->names, key);
}

static void keep(struct threads *threads, const char *key, const char *name)
{
	if (look(threads, key) == NULL)
		g_hash_table_insert(
		    threads->names, g_string_chunk_insert(threads->strings, key), (gpointer)name);
}

const char *threads_add(
    struct threads *threads, const char *list, const struct origin *origin, const char *subject)
{
	const char *ids[3] = {NULL};
	char *keys[4] = {NULL};
	char *base = threads_base_subject(subject);
	const char *name = NULL;
	size_t n = 0;
	if (origin != NULL) {
		ids[0] = origin->parent;
		ids[1] = origin->thread;
		ids[2] = origin->message_id;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
		if (ids[i] != NULL && ids[i][0] != '\0')
			keys[n++] = key_new(list, "id ", ids[i]);
	if (base[0] != '\0')
		keys[n++] = key_new(list, "subject ", base);
	for (size_t i = 0; i < n && name == NULL; i++)
		name = look(threads, keys[i]);
	if (name == NULL) {
		char *fresh = g_strdup_printf("thread %08u", threads->n++);
		name = g_string_chunk_insert(threads->strings, fresh);
		g_free(fresh);
	}
	for (size_t i = 0; i < n; i++) {
		keep(threads, keys[i], name);
		g_free(keys[i]);
	}
	g_free(base);
	return name;
}
