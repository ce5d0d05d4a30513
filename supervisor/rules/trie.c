/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rules/trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"

struct builder {
	struct trie_pool *pool;
	const struct intervals *v;
	size_t cursor; /* interval of the value being built */
};

static int pool_reserve(struct trie_pool *p, uint32_t runs)
{
	struct dae_trie_node *nodes;
	uint32_t want, *items;

	if (p->node_count == RULESET_NODES_MAX ||
	    p->run_count > RULESET_RUNS_MAX - runs)
		return -EOVERFLOW;
	if (p->node_count == p->node_capacity) {
		want = p->node_capacity ? p->node_capacity * 2 : 64;
		nodes = reallocarray(p->nodes, want, sizeof(*nodes));
		if (!nodes)
			return -ENOMEM;
		p->nodes = nodes;
		p->node_capacity = want;
	}
	if (p->run_capacity - p->run_count < runs) {
		want = MAX(p->run_capacity * 2, 4096U);
		items = reallocarray(p->runs, want, sizeof(*items));
		if (!items)
			return -ENOMEM;
		p->runs = items;
		p->run_capacity = want;
	}
	return 0;
}

/* A node with these children; its number to *ret. */
static int add_node(struct trie_pool *p, const uint32_t *child, uint32_t *ret)
{
	struct dae_trie_node n = { 0 };
	uint32_t i, in_word = 0, sum = 0;
	int r;

	r = pool_reserve(p, 256);
	if (r < 0)
		return r;
	n.base = p->run_count;
	for (i = 0; i < 256; i++) {
		if (i % 64 == 0) {
			sum += in_word;
			in_word = 0;
			n.cum[i / 64] = (uint8_t)sum;
		}
		if (i > 0 && child[i] == child[i - 1])
			continue;
		n.bits[i / 64] |= 1ULL << i % 64;
		in_word++;
		p->runs[p->run_count++] = child[i];
	}
	p->nodes[p->node_count] = n;
	*ret = DAE_ENTRY_CHILD | p->node_count++;
	return 0;
}

/* The entry for the values @start .. @start + 2^@bits - 1. */
static int build_entry(struct builder *b, sweep_value start, unsigned int bits,
		       uint32_t *ret)
{
	const struct intervals *v = b->v;
	sweep_value last = start + ((sweep_value)1 << bits) - 1;
	uint32_t child[256];
	unsigned int i;
	int r;

	while (b->cursor + 1 < v->count &&
	       v->items[b->cursor + 1].start <= start)
		b->cursor++;
	if (b->cursor + 1 == v->count || v->items[b->cursor + 1].start > last) {
		*ret = v->items[b->cursor].class_id;
		return 0;
	}
	if (bits < 8)
		return -EINVAL;
	for (i = 0; i < 256; i++) {
		r = build_entry(b, start + ((sweep_value)i << (bits - 8)),
				bits - 8, &child[i]);
		if (r < 0)
			return r;
	}
	return add_node(b->pool, child, ret);
}

int trie_build(struct trie_pool *pool, const struct intervals *v,
	       uint32_t *root)
{
	struct builder b = { .pool = pool, .v = v };
	size_t i;
	int r;

	for (i = 0; i < DAE_ROOT_SIZE; i++) {
		r = build_entry(&b, (sweep_value)i << 112, 112, &root[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

void trie_pool_clear(struct trie_pool *pool)
{
	free(pool->nodes);
	free(pool->runs);
	*pool = (struct trie_pool){ 0 };
}
