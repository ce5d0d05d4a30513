/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rules/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

#define CHECKSUM_FROM (offsetof(struct ruleset_header, checksum) + 8)

struct piece {
	const void *data;
	uint32_t count;
};

struct tables *tables_new(void)
{
	return calloc(1, sizeof(struct tables));
}

void tables_free(struct tables **t)
{
	size_t i;

	if (!*t)
		return;
	for (i = 0; i < DAE_DIM_COUNT; i++)
		classes_clear(&(*t)->classes[i]);
	trie_pool_clear(&(*t)->pool);
	domains_clear(&(*t)->domains);
	free((*t)->pnames);
	free(*t);
	*t = NULL;
}

static void list_pieces(const struct tables *t, struct piece *p)
{
	p[RULESET_RULES] = (struct piece){ t->rules, DAE_RULE_SLOTS };
	p[RULESET_MUST_MASK] = (struct piece){ &t->must, 1 };
	p[RULESET_DST4] = (struct piece){ t->roots[0], DAE_ROOT_SIZE };
	p[RULESET_SRC4] = (struct piece){ t->roots[1], DAE_ROOT_SIZE };
	p[RULESET_DST6] = (struct piece){ t->roots[2], DAE_ROOT_SIZE };
	p[RULESET_SRC6] = (struct piece){ t->roots[3], DAE_ROOT_SIZE };
	p[RULESET_NODES] = (struct piece){ t->pool.nodes, t->pool.node_count };
	p[RULESET_RUNS] = (struct piece){ t->pool.runs, t->pool.run_count };
	p[RULESET_DPORT] = (struct piece){ t->dport, 2 * 65536 };
	p[RULESET_SPORT] = (struct piece){ t->sport, 65536 };
	p[RULESET_DSCP] = (struct piece){ t->dscp, 64 };
	p[RULESET_MAC] = (struct piece){ t->mac, DAE_MAC_SLOTS };
	p[RULESET_PNAME] = (struct piece){ t->pnames, t->pname_count };
	p[RULESET_DOMAINS] = (struct piece){ t->domains.items,
					     t->domains.count };
}

static void fill_header(const struct tables *t, struct ruleset_header *h)
{
	size_t i;
	uint32_t base = 0;

	h->magic = RULESET_MAGIC;
	h->version = RULESET_VERSION;
	h->mac_multiplier = t->mac_multiplier;
	h->rule_count = t->rule_count;
	h->word_count = MAX((t->rule_count + 63) / 64, 1U);
	h->mac_miss = t->mac_miss;
	h->pname_multiplier = t->pname_multiplier;
	h->pname_shift = t->pname_shift;
	h->pname_miss = t->pname_miss;
	h->domain_sets = t->domain_sets;
	h->used_dims = t->used_dims;
	for (i = 0; i < DAE_DIM_COUNT; i++) {
		h->class_base[i] = base;
		h->class_count[i] = t->classes[i].count;
		base += t->classes[i].count;
	}
	h->sections[RULESET_BITMAPS].count = base;
}

/* Offsets of all sections; the size of the whole, 0 if it is too large. */
static uint32_t lay_out(struct ruleset_header *h, const struct piece *p)
{
	uint64_t at = sizeof(*h);
	size_t i;

	for (i = 0; i < RULESET_SECTION_COUNT; i++) {
		if (i != RULESET_BITMAPS)
			h->sections[i].count = p[i].count;
		at = (at + 7) & ~7ULL;
		h->sections[i].offset = (uint32_t)at;
		at += (uint64_t)h->sections[i].count * ruleset_element_size(i);
	}
	return at > UINT32_MAX ? 0 : (uint32_t)at;
}

int tables_to_image(const struct tables *t, struct rules_image *ret)
{
	struct piece p[RULESET_SECTION_COUNT] = { 0 };
	struct ruleset_header h = { 0 };
	uint8_t *data;
	size_t i;

	list_pieces(t, p);
	fill_header(t, &h);
	h.size = lay_out(&h, p);
	if (!h.size)
		return -EOVERFLOW;
	data = calloc(1, h.size);
	if (!data)
		return -ENOMEM;
	for (i = 0; i < RULESET_SECTION_COUNT; i++)
		if (p[i].count)
			memcpy(data + h.sections[i].offset, p[i].data,
			       p[i].count * ruleset_element_size(i));
	for (i = 0; i < DAE_DIM_COUNT; i++)
		memcpy(data + h.sections[RULESET_BITMAPS].offset +
			       h.class_base[i] * sizeof(struct dae_bitmap),
		       t->classes[i].rows,
		       t->classes[i].count * sizeof(struct dae_bitmap));
	memcpy(data, &h, sizeof(h));
	h.checksum = ruleset_checksum(data + CHECKSUM_FROM,
				      h.size - CHECKSUM_FROM);
	memcpy(data, &h, sizeof(h));
	*ret = (struct rules_image){ .data = data, .len = h.size };
	return 0;
}

void rules_image_free(struct rules_image *img)
{
	free(img->data);
	*img = (struct rules_image){ 0 };
}
