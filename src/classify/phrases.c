/*
 * phrases.c: see phrases.h. While phrases are added, the nodes are a trie whose children are linked
 * lists; compiling numbers them anew, the children of each side by side and sorted, and adds the
 * failure links of Aho and Corasick (1975). Phrases that begin with a word of spaced scripts are in
 * a trie of their own, which is walked from the beginnings of words alone: that is half the work.
 */
#include <config.h>

#include "classify/phrases.h"

#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "classify/fold.h"

enum { ROOT = 0, NONE = UINT32_MAX, NODES_MAX = 2000000 };

/* While phrases are added. */
struct node {
	uint32_t child, sibling; /* ROOT: none */
	uint32_t phrase;         /* first phrase that ends here, or NONE */
	unsigned char byte;
};

/* Once compiled. States are numbered breadth first: a state's children stand side by
 * side, and the states near the root, where nearly every step is, share a few cache lines. */
struct state {
	uint32_t children; /* the first one */
	uint32_t fail;     /* longest proper suffix that is a state */
	uint32_t ends;     /* the state itself if it ends a phrase, else dict; ROOT: none */
	uint32_t n_children;
	uint64_t present; /* a bit for each child's byte modulo 64: most steps lead nowhere */
};

struct end {
	uint32_t dict;   /* nearest state on the way of fail links that ends a phrase */
	uint32_t phrase; /* first phrase that ends here, or NONE */
};

struct phrase {
	size_t id;
	uint32_t next; /* another one with the same text, or NONE */
	uint16_t len;
	uint8_t kind;
	bool open_left, open_right; /* no bound there */
};

struct trie {
	GArray *nodes;        /* struct node; NULL once compiled */
	struct state *states; /* own */
	struct end *ends;     /* own; per state */
	unsigned char *bytes; /* own; per state: the byte that leads there */
	uint32_t first[256];  /* the root's children */
};

struct phrases {
	GArray *list;         /* struct phrase */
	struct trie at_words; /* phrases that can only begin where a word does: most */
	struct trie anywhere; /* the others */
};

static struct node *node_at(const struct trie *t, uint32_t i)
{
	return &g_array_index(t->nodes, struct node, i);
}

static uint32_t node_new(struct trie *t, unsigned char byte)
{
	struct node node = {.phrase = (uint32_t)NONE, .byte = byte};
	g_array_append_val(t->nodes, node);
	return t->nodes->len - 1;
}

static void trie_init(struct trie *t)
{
	t->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	node_new(t, 0);
}

static void trie_deinit(struct trie *t)
{
	if (t->nodes != NULL)
		g_array_free(t->nodes, TRUE);
	g_free(t->states);
	g_free(t->ends);
	g_free(t->bytes);
}

struct phrases *phrases_new(void)
{
	struct phrases *p = g_new0(struct phrases, 1);
	p->list = g_array_new(FALSE, FALSE, sizeof(struct phrase));
	trie_init(&p->at_words);
	trie_init(&p->anywhere);
	return p;
}

void phrases_free(struct phrases **phrases)
{
	if (*phrases == NULL)
		return;
	trie_deinit(&(*phrases)->at_words);
	trie_deinit(&(*phrases)->anywhere);
	g_array_free((*phrases)->list, TRUE);
	g_free(*phrases);
	*phrases = NULL;
}

static uint32_t child_get(struct trie *t, uint32_t parent, unsigned char byte)
{
	for (uint32_t i = node_at(t, parent)->child; i != ROOT; i = node_at(t, i)->sibling)
		if (node_at(t, i)->byte == byte)
			return i;
	uint32_t i = node_new(t, byte);
	node_at(t, i)->sibling = node_at(t, parent)->child;
	node_at(t, parent)->child = i;
	return i;
}

/* Scripts that write words without spaces between them. */
static bool is_unspaced(gunichar c)
{
	return (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) ||
	    (c >= 0x1100 && c <= 0x11ff) || (c >= 0x1780 && c <= 0x17ff) ||
	    (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7ff) ||
	    (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff66 && c <= 0xff9f) ||
	    (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_word(gunichar c)
{
	return g_unichar_isalnum(c) && !is_unspaced(c);
}

bool phrases_add(struct phrases *p, const char *phrase, enum phrase_kind kind, size_t id)
{
	char text[FOLD_MAX + 1];
	size_t len = strlen(phrase);
	struct phrase row = {.id = id, .kind = (uint8_t)kind};
	if (len > PHRASE_BYTES_MAX || p->at_words.nodes->len + p->anywhere.nodes->len > NODES_MAX)
		return false;
	len = fold(phrase, text);
	const char *s = text;
	if (kind == PHRASE_WORDS) {
		row.open_left = len > 0 && s[0] == '*';
		s += row.open_left;
		len -= row.open_left;
		row.open_right = len > 0 && s[len - 1] == '*';
		len -= row.open_right;
		if (len == 0)
			return false;
		/* A bound can only stand where the phrase itself begins or ends with a word. */
		const char *last = g_utf8_find_prev_char(s, s + len);
		row.open_left = row.open_left || !is_word(g_utf8_get_char(s));
		row.open_right = row.open_right || !is_word(g_utf8_get_char(last));
	}
	if (len == 0 || len > PHRASE_BYTES_MAX)
		return false;
	/* A whole value or a domain's end may begin with anything, but then stands at the beginning
	 * or behind a dot. */
	struct trie *t = row.open_left ? &p->anywhere : &p->at_words;
	uint32_t at = ROOT;
	for (size_t i = 0; i < len; i++)
		at = child_get(t, at, (unsigned char)s[i]);
	row.len = (uint16_t)len;
	row.next = node_at(t, at)->phrase;
	node_at(t, at)->phrase = p->list->len;
	g_array_append_val(p->list, row);
	return true;
}

static inline uint32_t step(const struct trie *t, uint32_t at, unsigned char byte)
{
	if (at == ROOT)
		return t->first[byte];
	const struct state *state = &t->states[at];
	if ((state->present >> byte % 64 & 1) == 0)
		return ROOT;
	const unsigned char *bytes = t->bytes + state->children;
	for (uint32_t i = 0; i < state->n_children; i++)
		if (bytes[i] >= byte)
			return bytes[i] == byte ? state->children + i : ROOT;
	return ROOT;
}

struct child {
	uint32_t node;
	unsigned char byte;
};

static int child_compare(const void *a, const void *b)
{
	return (int)((const struct child *)a)->byte - (int)((const struct child *)b)->byte;
}

/* Numbers the nodes breadth first, children in the order of their bytes. */
static void states_lay(struct trie *t)
{
	uint32_t n = t->nodes->len, *order = g_new(uint32_t, n), laid = 1;
	t->states = g_new0(struct state, n);
	t->ends = g_new0(struct end, n);
	t->bytes = g_new0(unsigned char, n);
	order[0] = ROOT;
	for (uint32_t at = 0; at < n; at++) {
		struct child children[256];
		uint32_t k = 0;
		const struct node *node = node_at(t, order[at]);
		for (uint32_t c = node->child; c != ROOT; c = node_at(t, c)->sibling)
			children[k++] = (struct child){c, node_at(t, c)->byte};
		qsort(children, k, sizeof(children[0]), child_compare);
		t->states[at] = (struct state){.children = laid, .n_children = k};
		t->ends[at].phrase = node->phrase;
		for (uint32_t i = 0; i < k; i++) {
			if (at == ROOT)
				t->first[children[i].byte] = laid;
			t->states[at].present |= UINT64_C(1) << children[i].byte % 64;
			t->bytes[laid] = children[i].byte;
			order[laid++] = children[i].node;
		}
	}
	g_free(order);
}

static void trie_compile(struct trie *t)
{
	uint32_t n = t->nodes->len;
	states_lay(t);
	/* In the order of their numbers, so that a state's failure link is known before its
	 * children's. */
	for (uint32_t at = 0; at < n; at++) {
		const struct state *state = &t->states[at];
		for (uint32_t i = 0; i < state->n_children; i++) {
			uint32_t child = state->children + i, fail = state->fail, to = ROOT;
			if (at != ROOT)
				while (
				    (to = step(t, fail, t->bytes[child])) == ROOT && fail != ROOT)
					fail = t->states[fail].fail;
			struct end *end = &t->ends[child];
			t->states[child].fail = to;
			end->dict = t->ends[to].phrase != (uint32_t)NONE ? to : t->ends[to].dict;
			t->states[child].ends = end->phrase != (uint32_t)NONE ? child : end->dict;
		}
	}
	g_array_free(t->nodes, TRUE);
	t->nodes = NULL;
}

void phrases_compile(struct phrases *p)
{
	trie_compile(&p->at_words);
	trie_compile(&p->anywhere);
}

static bool bounds_hold(const struct phrase *row, const char *text, size_t len, size_t at)
{
	const char *left = text + at, *right = left + row->len;
	switch ((enum phrase_kind)row->kind) {
	case PHRASE_WHOLE:
		return at == 0 && row->len == len;
	case PHRASE_DOMAIN:
		return (at == 0 || strchr(".@ ", left[-1]) != NULL) &&
		    (*right == '\0' || *right == ' ');
	case PHRASE_WORDS:
		break;
	}
	if (!row->open_left && at > 0 &&
	    is_word(g_utf8_get_char(g_utf8_find_prev_char(text, left))))
		return false;
	return row->open_right || *right == '\0' || !is_word(g_utf8_get_char(right));
}

struct scan {
	const struct phrases *phrases;
	const char *text;
	size_t len;
	phrases_found_fn *fn;
	void *ctx;
};

/* The phrases of list k that end before text[end]. */
static void report(const struct scan *scan, uint32_t k, size_t end)
{
	while (k != (uint32_t)NONE) {
		const struct phrase *row = &g_array_index(scan->phrases->list, struct phrase, k);
		size_t start = end - row->len;
		if (bounds_hold(row, scan->text, scan->len, start))
			scan->fn(scan->ctx, row->id, start, row->len);
		k = row->next;
	}
}

static void scan_from(const struct scan *scan, size_t start)
{
	const struct trie *t = &scan->phrases->at_words;
	uint32_t at = ROOT;
	for (size_t i = start; i < scan->len; i++) {
		at = step(t, at, (unsigned char)scan->text[i]);
		if (at == ROOT)
			return;
		if (t->states[at].ends == at)
			report(scan, t->ends[at].phrase, i + 1);
	}
}

/* From each place where a word may begin: behind ASCII that is no letter or digit, and at each
 * character of other scripts behind another of them, for bounds_hold to look at closely. */
static void scan_words(const struct scan *scan)
{
	bool inside = false;
	if (scan->phrases->at_words.states[ROOT].n_children == 0)
		return;
	for (size_t i = 0; i < scan->len; i++) {
		unsigned char c = (unsigned char)scan->text[i];
		bool continues = (c & 0xc0) == 0x80;
		if (!inside && !continues)
			scan_from(scan, i);
		inside = c < 0x80 && g_ascii_isalnum(c);
	}
}

static void scan_anywhere(const struct scan *scan)
{
	const struct trie *t = &scan->phrases->anywhere;
	uint32_t at = ROOT;
	if (t->states[ROOT].n_children == 0)
		return;
	for (size_t i = 0; i < scan->len; i++) {
		uint32_t to;
		while ((to = step(t, at, (unsigned char)scan->text[i])) == ROOT && at != ROOT)
			at = t->states[at].fail;
		at = to;
		for (uint32_t end = t->states[at].ends; end != ROOT; end = t->ends[end].dict)
			report(scan, t->ends[end].phrase, i + 1);
	}
}

void phrases_scan(
    const struct phrases *p, const char *text, size_t len, phrases_found_fn *fn, void *ctx)
{
	struct scan scan = {p, text, len, fn, ctx};
	scan_words(&scan);
	scan_anywhere(&scan);
}
