/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/keywords.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

/* A tree of characters; children of a node are a list in byte order. */
struct twig {
	uint32_t child, sibling; /* 0: none */
	uint32_t node;		 /* its number, breadth first */
	uint16_t class_id;
	uint8_t byte;
};

struct tree {
	struct twig *twigs; /* the first is the root */
	uint32_t count, capacity;
};

static int add_twig(struct tree *t, uint8_t byte, uint32_t sibling,
		    uint32_t *ret)
{
	struct twig *p;

	if (t->count == NAMESET_NODES_MAX)
		return -EOVERFLOW;
	if (t->count == t->capacity) {
		p = reallocarray(t->twigs, t->capacity ? t->capacity * 2 : 256,
				 sizeof(*p));
		if (!p)
			return -ENOMEM;
		t->twigs = p;
		t->capacity = t->capacity ? t->capacity * 2 : 256;
	}
	t->twigs[t->count] = (struct twig){ .byte = byte, .sibling = sibling };
	*ret = t->count++;
	return 0;
}

/* The child of @at over @byte, made where it belongs if it is new. */
static int step(struct tree *t, uint32_t at, uint8_t byte, uint32_t *ret)
{
	uint32_t before = 0, next = t->twigs[at].child;
	int r;

	while (next && t->twigs[next].byte < byte) {
		before = next;
		next = t->twigs[next].sibling;
	}
	if (next && t->twigs[next].byte == byte) {
		*ret = next;
		return 0;
	}
	r = add_twig(t, byte, next, ret);
	if (r < 0)
		return r;
	if (before)
		t->twigs[before].sibling = *ret;
	else
		t->twigs[at].child = *ret;
	return 0;
}

static int add_word(struct tree *t, const char *word, size_t len,
		    uint16_t class_id)
{
	uint32_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++)
		r = step(t, at, (uint8_t)word[i], &at);
	if (r == 0)
		t->twigs[at].class_id = class_id;
	return r;
}

/* Where the automaton goes from @node over @byte; 0 if it falls to the root. */
static uint32_t follow(const struct keywords *k, uint32_t node, uint8_t byte)
{
	const struct nameset_node *n = &k->nodes[node];

	for (uint32_t i = n->first; i < n->first + n->edge_count; i++)
		if (k->edges[i] >> 24 == byte)
			return k->edges[i] & 0xffffff;
	return 0;
}

/* The longest proper suffix of what leads over @byte from @parent. */
static uint32_t fail_of(const struct keywords *k, uint32_t parent, uint8_t byte)
{
	uint32_t at = parent, next = 0;

	while (at && !next) {
		at = k->nodes[at].fail;
		next = follow(k, at, byte);
	}
	return next;
}

static int join(struct classes *c, uint16_t a, uint16_t b, uint16_t *ret)
{
	struct dae_bitmap bits = c->rows[a];
	uint32_t id;
	int r;

	for (size_t w = 0; w < DAE_BITMAP_WORDS; w++)
		bits.w[w] |= c->rows[b].w[w];
	r = classes_intern(c, &bits, &id);
	*ret = (uint16_t)id;
	return r;
}

/* Number the children of a node whose own number is known. @order: twigs by
 * number. */
static int place_children(struct keywords *k, struct tree *t, uint32_t *order,
			  uint32_t node, struct classes *classes)
{
	struct nameset_node *n = &k->nodes[node], *m;
	uint32_t i;
	int r = 0;

	n->first = k->edge_count;
	for (i = t->twigs[order[node]].child; i; i = t->twigs[i].sibling) {
		order[k->node_count] = i;
		k->edges[k->edge_count++] = (uint32_t)t->twigs[i].byte << 24 |
					    k->node_count++;
		n->edge_count++;
	}
	/* failure looks at edges of shallower nodes: all are there */
	for (i = n->first; r == 0 && i < k->edge_count; i++) {
		m = &k->nodes[k->edges[i] & 0xffffff];
		m->depth = (uint8_t)(n->depth + 1);
		m->fail = fail_of(k, node, (uint8_t)(k->edges[i] >> 24));
		r = join(classes, k->nodes[m->fail].out,
			 t->twigs[order[k->edges[i] & 0xffffff]].class_id,
			 &m->out);
	}
	return r;
}

int keywords_build(struct keywords *k, const struct words *w,
		   const struct word_table *words, struct classes *classes)
{
	auto_free uint32_t *order = NULL;
	struct tree t = { 0 };
	const char *word;
	uint32_t at;
	size_t len;
	int r;

	r = add_twig(&t, 0, 0, &at);
	for (uint32_t i = 0; r == 0 && i < words->slot_count; i++) {
		if (!words->slots[i].text)
			continue;
		word = words_at(w, words->slots[i].text, &len);
		r = add_word(&t, word, len, words->slots[i].self);
	}
	order = calloc(t.count + 1, sizeof(*order));
	k->nodes = calloc(t.count + 1, sizeof(*k->nodes));
	k->edges = calloc(t.count + 1, sizeof(*k->edges));
	if (r == 0 && (!order || !k->nodes || !k->edges))
		r = -ENOMEM;
	k->node_count = 1;
	for (at = 0; r == 0 && at < t.count; at++)
		r = place_children(k, &t, order, at, classes);
	free(t.twigs);
	return r;
}

void keywords_clear(struct keywords *k)
{
	free(k->nodes);
	free(k->edges);
	*k = (struct keywords){ 0 };
}
