/*
 * phrases.c: see phrases.h. While phrases are added, the nodes are a trie whose children are linked
 * lists; compiling lays the children of each node side by side, sorted, and adds the failure links.
 */
#include <config.h>

#include "classify/phrases.h"

#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "classify/fold.h"

enum { ROOT = 0, NONE = UINT32_MAX, NODES_MAX = 2000000 };

struct node {
	uint32_t child, sibling; /* of the trie; ROOT: none */
	uint32_t edges, n_edges; /* children in the array of edges, once compiled */
	uint32_t fail;           /* longest proper suffix that is a node */
	uint32_t dict;           /* nearest node on the way of fail links that ends a phrase */
	uint32_t ends;           /* the node itself if it ends a phrase, else dict; ROOT: none */
	uint32_t phrase;         /* first phrase that ends here, or NONE */
	unsigned char byte;
};

struct edge {
	unsigned char byte;
	uint32_t to;
};

struct phrase {
	size_t id;
	uint32_t next; /* another one with the same text, or NONE */
	uint16_t len;
	uint8_t kind;
	bool open_left, open_right; /* no bound there */
};

struct phrases {
	GArray *nodes;       /* struct node */
	GArray *list;        /* struct phrase */
	struct edge *edges;  /* own */
	uint32_t first[256]; /* the root's children */
};

static struct node *node_at(const struct phrases *p, uint32_t i)
{
	return &g_array_index(p->nodes, struct node, i);
}

static uint32_t node_new(struct phrases *p, unsigned char byte)
{
	struct node node = {.phrase = (uint32_t)NONE, .byte = byte};
	g_array_append_val(p->nodes, node);
	return p->nodes->len - 1;
}

struct phrases *phrases_new(void)
{
	struct phrases *p = g_new0(struct phrases, 1);
	p->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	p->list = g_array_new(FALSE, FALSE, sizeof(struct phrase));
	node_new(p, 0);
	return p;
}

void phrases_free(struct phrases **phrases)
{
	if (*phrases == NULL)
		return;
	g_array_free((*phrases)->nodes, TRUE);
	g_array_free((*phrases)->list, TRUE);
	g_free((*phrases)->edges);
	g_free(*phrases);
	*phrases = NULL;
}

static uint32_t child_get(struct phrases *p, uint32_t parent, unsigned char byte)
{
	for (uint32_t i = node_at(p, parent)->child; i != ROOT; i = node_at(p, i)->sibling)
		if (node_at(p, i)->byte == byte)
			return i;
	uint32_t i = node_new(p, byte);
	node_at(p, i)->sibling = node_at(p, parent)->child;
	node_at(p, parent)->child = i;
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
	if (len > PHRASE_BYTES_MAX || p->nodes->len > NODES_MAX)
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
	uint32_t at = ROOT;
	for (size_t i = 0; i < len; i++)
		at = child_get(p, at, (unsigned char)s[i]);
	row.len = (uint16_t)len;
	row.next = node_at(p, at)->phrase;
	node_at(p, at)->phrase = p->list->len;
	g_array_append_val(p->list, row);
	return true;
}

static uint32_t step(const struct phrases *p, uint32_t at, unsigned char byte)
{
	if (at == ROOT)
		return p->first[byte];
	const struct node *node = node_at(p, at);
	const struct edge *edges = p->edges + node->edges;
	for (uint32_t i = 0; i < node->n_edges; i++)
		if (edges[i].byte >= byte)
			return edges[i].byte == byte ? edges[i].to : ROOT;
	return ROOT;
}

static int edge_compare(const void *a, const void *b)
{
	return (int)((const struct edge *)a)->byte - (int)((const struct edge *)b)->byte;
}

static void edges_lay(struct phrases *p)
{
	uint32_t n = 0;
	p->edges = g_new(struct edge, p->nodes->len);
	for (uint32_t i = 0; i < p->nodes->len; i++) {
		struct node *node = node_at(p, i);
		node->edges = n;
		for (uint32_t c = node->child; c != ROOT; c = node_at(p, c)->sibling)
			p->edges[n++] = (struct edge){node_at(p, c)->byte, c};
		node->n_edges = n - node->edges;
		qsort(p->edges + node->edges, node->n_edges, sizeof(struct edge), edge_compare);
	}
	for (uint32_t c = node_at(p, ROOT)->child; c != ROOT; c = node_at(p, c)->sibling)
		p->first[node_at(p, c)->byte] = c;
}

void phrases_compile(struct phrases *p)
{
	edges_lay(p);
	/* Breadth first, so that a node's failure link is known before its children's. */
	uint32_t *queue = g_new(uint32_t, p->nodes->len);
	size_t head = 0, tail = 0;
	queue[tail++] = ROOT;
	while (head < tail) {
		uint32_t at = queue[head++];
		const struct node *node = node_at(p, at);
		for (uint32_t i = 0; i < node->n_edges; i++) {
			const struct edge *edge = &p->edges[node->edges + i];
			struct node *child = node_at(p, edge->to);
			uint32_t fail = node->fail, to = ROOT;
			if (at != ROOT)
				while ((to = step(p, fail, edge->byte)) == ROOT && fail != ROOT)
					fail = node_at(p, fail)->fail;
			child->fail = to;
			child->dict =
			    node_at(p, to)->phrase != (uint32_t)NONE ? to : node_at(p, to)->dict;
			child->ends = child->phrase != (uint32_t)NONE ? edge->to : child->dict;
			queue[tail++] = edge->to;
		}
	}
	g_free(queue);
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

void phrases_scan(
    const struct phrases *p, const char *text, size_t len, phrases_found_fn *fn, void *ctx)
{
	const struct node *nodes = node_at(p, ROOT);
	uint32_t at = ROOT;
	for (size_t i = 0; i < len; i++) {
		uint32_t to;
		while ((to = step(p, at, (unsigned char)text[i])) == ROOT && at != ROOT)
			at = nodes[at].fail;
		at = to;
		for (uint32_t end = nodes[at].ends; end != ROOT; end = nodes[end].dict) {
			for (uint32_t k = nodes[end].phrase; k != (uint32_t)NONE;) {
				const struct phrase *row =
				    &g_array_index(p->list, struct phrase, k);
				size_t start = i + 1 - row->len;
				if (bounds_hold(row, text, len, start))
					fn(ctx, row->id, start, row->len);
				k = row->next;
			}
		}
	}
}
