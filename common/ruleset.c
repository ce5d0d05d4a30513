/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/ruleset.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"

#define CHECKSUM_FROM (offsetof(struct ruleset_header, checksum) + 8)
#define MEMO_PNAME_MAX 1024 /* the memo's key has 10 bits for it */

static const uint16_t element_sizes[] = {
	[RULESET_RULES] = sizeof(struct dae_rule),
	[RULESET_MUST_MASK] = sizeof(struct dae_bitmap),
	[RULESET_DST4] = 4,
	[RULESET_SRC4] = 4,
	[RULESET_DST6] = 4,
	[RULESET_SRC6] = 4,
	[RULESET_NODES] = sizeof(struct dae_trie_node),
	[RULESET_RUNS] = 4,
	[RULESET_DPORT] = 2,
	[RULESET_SPORT] = 2,
	[RULESET_DSCP] = 2,
	[RULESET_MAC] = sizeof(struct dae_mac),
	[RULESET_PNAME] = sizeof(struct dae_pname),
	[RULESET_DOMAINS] = sizeof(struct dae_domain),
	[RULESET_BITMAPS] = sizeof(struct dae_bitmap),
};
_Static_assert(ARRAY_LEN(element_sizes) == RULESET_SECTION_COUNT,
	       "size the new section");

/* Elements a section must have; 0: any number up to its maximum. */
static const uint32_t exact_counts[RULESET_SECTION_COUNT] = {
	[RULESET_RULES] = DAE_RULE_SLOTS,
	[RULESET_MUST_MASK] = 1,
	[RULESET_DST4] = DAE_ROOT_SIZE,
	[RULESET_SRC4] = DAE_ROOT_SIZE,
	[RULESET_DST6] = DAE_ROOT_SIZE,
	[RULESET_SRC6] = DAE_ROOT_SIZE,
	[RULESET_DPORT] = 2 * 65536,
	[RULESET_SPORT] = 65536,
	[RULESET_DSCP] = 64,
	[RULESET_MAC] = DAE_MAC_SLOTS,
};

static const uint32_t max_counts[RULESET_SECTION_COUNT] = {
	[RULESET_NODES] = RULESET_NODES_MAX,
	[RULESET_RUNS] = RULESET_RUNS_MAX,
	[RULESET_PNAME] = DAE_PNAME_WAYS << (64 - DAE_PNAME_SHIFT_MIN),
	[RULESET_DOMAINS] = RULESET_DOMAINS_MAX,
	[RULESET_BITMAPS] = DAE_DIM_COUNT * DAE_CLASSES_MAX,
};

size_t ruleset_element_size(enum ruleset_section s)
{
	return element_sizes[s];
}

uint64_t ruleset_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0x6a09e667f3bcc908ULL ^ len, w;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	for (; len > 0; p++, len--)
		h = (h ^ *p) * 0xbf58476d1ce4e5b9ULL;
	return h ^ h >> 29;
}

const void *ruleset_section(const struct ruleset *r, enum ruleset_section s,
			    uint32_t *ret_count)
{
	if (ret_count)
		*ret_count = r->h->sections[s].count;
	return r->base + r->h->sections[s].offset;
}

static int check_sections(const struct ruleset_header *h)
{
	const struct ruleset_span *s;
	size_t i;

	for (i = 0; i < RULESET_SECTION_COUNT; i++) {
		s = &h->sections[i];
		if (exact_counts[i] ? s->count != exact_counts[i]
				    : s->count > max_counts[i])
			return -EINVAL;
		if (s->offset % 8 || s->offset < sizeof(*h) ||
		    s->offset > h->size ||
		    (h->size - s->offset) / element_sizes[i] < s->count)
			return -EINVAL;
	}
	return 0;
}

static int check_header(const struct ruleset_header *h)
{
	uint32_t total = h->sections[RULESET_BITMAPS].count;
	uint32_t next = 0;
	size_t i;

	if (h->rule_count > DAE_RULES_MAX || h->word_count < 1 ||
	    h->word_count > DAE_BITMAP_WORDS ||
	    h->word_count * 64 < h->rule_count)
		return -EINVAL;
	for (i = 0; i < DAE_DIM_COUNT; i++) {
		if (h->class_base[i] != next || h->class_count[i] < 1 ||
		    h->class_count[i] > DAE_CLASSES_MAX)
			return -EINVAL;
		next += h->class_count[i];
	}
	if (next != total || h->class_count[DAE_DIM_PNAME] > MEMO_PNAME_MAX ||
	    h->mac_miss >= h->class_count[DAE_DIM_MAC] ||
	    h->domain_miss >= h->class_count[DAE_DIM_DOMAIN] ||
	    h->pname_miss >= h->class_count[DAE_DIM_PNAME])
		return -EINVAL;
	return 0;
}

/* Each entry of a table is a class below @classes or, where @nodes is not 0, a
 * node below it. */
static int check_entries(const uint32_t *e, uint32_t count, uint32_t classes,
			 uint32_t nodes)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (e[i] & DAE_ENTRY_CHILD) {
			if ((e[i] & ~DAE_ENTRY_CHILD) >= nodes)
				return -EINVAL;
		} else if (e[i] >= classes) {
			return -EINVAL;
		}
	}
	return 0;
}

static int check_small(const uint16_t *e, uint32_t count, uint32_t classes)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (e[i] >= classes)
			return -EINVAL;
	return 0;
}

/* Runs of all nodes lie inside, and counts agree with bits. */
static int check_nodes(const struct dae_trie_node *n, uint32_t count,
		       uint32_t runs)
{
	uint32_t i, w, sum;

	for (i = 0; i < count; i++) {
		if (!(n[i].bits[0] & 1))
			return -EINVAL;
		for (w = 0, sum = 0; w < 4; w++) {
			if (n[i].cum[w] != sum)
				return -EINVAL;
			sum += dae_popcount(n[i].bits[w]);
			if (w < 3 && sum > UINT8_MAX)
				return -EINVAL;
		}
		if (n[i].base > runs || runs - n[i].base < sum)
			return -EINVAL;
	}
	return 0;
}

static int check_tries(const struct ruleset *r)
{
	const struct ruleset_header *h = r->h;
	uint32_t nodes, runs, dst = h->class_count[DAE_DIM_DST];
	uint32_t src = h->class_count[DAE_DIM_SRC];
	const void *node, *run;

	node = ruleset_section(r, RULESET_NODES, &nodes);
	run = ruleset_section(r, RULESET_RUNS, &runs);
	/* nodes are shared by all tries: the larger bound for runs, and every
	 * class found is checked against its dimension on use */
	if (check_nodes(node, nodes, runs) < 0 ||
	    check_entries(run, runs, MAX(dst, src), nodes) < 0)
		return -EINVAL;
	if (check_entries(ruleset_section(r, RULESET_DST4, NULL), DAE_ROOT_SIZE,
			  dst, nodes) < 0 ||
	    check_entries(ruleset_section(r, RULESET_DST6, NULL), DAE_ROOT_SIZE,
			  dst, nodes) < 0 ||
	    check_entries(ruleset_section(r, RULESET_SRC4, NULL), DAE_ROOT_SIZE,
			  src, nodes) < 0 ||
	    check_entries(ruleset_section(r, RULESET_SRC6, NULL), DAE_ROOT_SIZE,
			  src, nodes) < 0)
		return -EINVAL;
	return 0;
}

static int check_mac(const struct ruleset *r)
{
	const struct dae_mac *m = ruleset_section(r, RULESET_MAC, NULL);
	uint32_t i;

	for (i = 0; i < DAE_MAC_SLOTS; i++)
		if (m[i].used > 1 || m[i].mac >> 48 ||
		    m[i].class_id >= r->h->class_count[DAE_DIM_MAC])
			return -EINVAL;
	return 0;
}

static int check_pnames(const struct ruleset *r)
{
	const struct ruleset_header *h = r->h;
	const struct dae_pname *p;
	uint32_t i, count;

	p = ruleset_section(r, RULESET_PNAME, &count);
	if (h->pname_shift < DAE_PNAME_SHIFT_MIN ||
	    h->pname_shift > DAE_PNAME_SHIFT_MAX ||
	    count != (uint32_t)DAE_PNAME_WAYS << (64 - h->pname_shift))
		return -EINVAL;
	for (i = 0; i < count; i++)
		if (p[i].used > 1 ||
		    p[i].class_id >= h->class_count[DAE_DIM_PNAME])
			return -EINVAL;
	return 0;
}

/* Conditions name sets and rules that exist; the one class is what an address
 * without a name gets. */
static int check_domains(const struct ruleset *r)
{
	const struct ruleset_header *h = r->h;
	const struct ruleset_domains d = ruleset_domains(r);
	const struct dae_bitmap none = { { 0 } }, *rows;
	const struct dae_domain *c = d.items;
	struct dae_bitmap miss;
	uint32_t i;

	if (h->domain_sets > DAE_DOMAIN_SETS_MAX ||
	    h->class_count[DAE_DIM_DOMAIN] != 1)
		return -EINVAL;
	for (i = 0; i < d.count; i++)
		if (c[i].set >= h->domain_sets || c[i].rule >= h->rule_count ||
		    c[i].negate > 1 ||
		    c[i].zero[0] | c[i].zero[1] | c[i].zero[2])
			return -EINVAL;
	ruleset_domain_rules(&d, &none, &miss);
	rows = ruleset_section(r, RULESET_BITMAPS, NULL);
	rows += h->class_base[DAE_DIM_DOMAIN];
	return memcmp(rows, &miss, sizeof(miss)) == 0 ? 0 : -EINVAL;
}

static int check_rules(const struct ruleset *r)
{
	const struct dae_rule *rule = ruleset_section(r, RULESET_RULES, NULL);
	const struct dae_bitmap *must;
	uint32_t i, is_must;

	must = ruleset_section(r, RULESET_MUST_MASK, NULL);
	for (i = 0; i < DAE_RULE_SLOTS; i++) {
		if (rule[i].action >= DAE_ACTION_COUNT ||
		    rule[i].group >= RULESET_GROUPS_MAX ||
		    rule[i].flags & ~(DAE_RULE_MUST | DAE_RULE_HAS_MARK))
			return -EINVAL;
		is_must = rule[i].action == DAE_ACTION_MUST_RULES;
		if (i == DAE_RULE_FALLBACK
			    ? is_must
			    : (must->w[i / 64] >> i % 64 & 1) != is_must)
			return -EINVAL;
	}
	return 0;
}

/* What the kernel does not look at tells no rules apart. */
static int check_unused(const struct ruleset *r)
{
	const struct dae_bitmap *rows = ruleset_section(r, RULESET_BITMAPS,
							NULL);
	uint32_t i, w, count = r->h->rule_count;
	uint64_t all;

	for (i = 0; i < DAE_DIM_COUNT; i++) {
		if (r->h->used_dims >> i & 1)
			continue;
		if (i == DAE_DIM_DST || i == DAE_DIM_DPORT ||
		    r->h->class_count[i] != 1)
			return -EINVAL;
		for (w = 0; w < DAE_BITMAP_WORDS; w++) {
			all = ruleset_word_of(count, w);
			if (rows[r->h->class_base[i]].w[w] != all)
				return -EINVAL;
		}
	}
	return r->h->used_dims >> DAE_DIM_COUNT ? -EINVAL : 0;
}

/* No bit beyond the rules: an index found is a rule's. */
static int check_bitmaps(const struct ruleset *r)
{
	const struct dae_bitmap *b;
	uint32_t count, i, w;
	uint64_t beyond[DAE_BITMAP_WORDS];

	for (w = 0; w < DAE_BITMAP_WORDS; w++)
		beyond[w] = ~ruleset_word_of(r->h->rule_count, w);
	b = ruleset_section(r, RULESET_BITMAPS, &count);
	for (i = 0; i < count; i++)
		for (w = 0; w < DAE_BITMAP_WORDS; w++)
			if (b[i].w[w] & beyond[w])
				return -EINVAL;
	return 0;
}

int ruleset_open(const void *data, size_t len, struct ruleset *ret)
{
	struct ruleset r = { .base = data, .h = data };
	const struct ruleset_header *h = data;
	const uint32_t *counts;

	if ((uintptr_t)data % 8 || len < sizeof(*h) || len > UINT32_MAX ||
	    h->magic != RULESET_MAGIC || h->size != len)
		return -EINVAL;
	if (h->version != RULESET_VERSION)
		return -EPROTO;
	if (h->checksum !=
	    ruleset_checksum(r.base + CHECKSUM_FROM, len - CHECKSUM_FROM))
		return -EBADMSG;
	if (check_sections(h) < 0 || check_header(h) < 0 ||
	    check_tries(&r) < 0 || check_mac(&r) < 0 || check_rules(&r) < 0 ||
	    check_bitmaps(&r) < 0 || check_unused(&r) < 0 ||
	    check_pnames(&r) < 0 || check_domains(&r) < 0)
		return -EINVAL;
	counts = h->class_count;
	if (check_small(ruleset_section(&r, RULESET_DPORT, NULL), 2 * 65536,
			counts[DAE_DIM_DPORT]) < 0 ||
	    check_small(ruleset_section(&r, RULESET_SPORT, NULL), 65536,
			counts[DAE_DIM_SPORT]) < 0 ||
	    check_small(ruleset_section(&r, RULESET_DSCP, NULL), 64,
			counts[DAE_DIM_DSCP]) < 0)
		return -EINVAL;
	*ret = r;
	return 0;
}
