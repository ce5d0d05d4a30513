/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the facts of a packet to a rule, at a cost that does not depend on the
 * number of rules: a class per dimension, the tuple of classes looked up in the
 * memo, on a miss the classes' bitmaps ANDed. Twin: common/ruleset.c.
 */
#pragma once

#include "bpf/packet.bpf.h"
#include "bpf/tables.bpf.h"

#define RULE_INDEX 0x07ffU /* parts of a result */
#define RULE_IS_MUST 0x4000U
#define RULE_IS_VALID 0x8000U

#define MEMO_DOMAIN 16 /* first bits in k0 */
#define MEMO_SRC 32
#define MEMO_DPORT 48
#define MEMO_MAC 16 /* and in k1 */
#define MEMO_PNAME 32
#define MEMO_DSCP 42
#define MEMO_RESULT 48

#define PAIR_SRC 16
#define PAIR_DOMAIN 32
#define PAIR_VALID (1ULL << 48)
#define PAIR_LEARNED 49 /* bits of it that are sealed, too */

struct classes {
	__u32 id[DAE_DIM_COUNT];
};

static const __u8 classify_ctz_table[64] = {
	0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,
	62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5,
	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11,
	46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
};

/*
 * A memo's entry is written in parts, and a program of a process may be
 * interrupted between them by one that writes the same entry. So its key is
 * stored together with this, and the parts of two writers match no packet.
 */
static __always_inline __u64 classify_seal(__u64 value)
{
	return value * 0x9e3779b97f4a7c15ULL;
}

/* Number of trailing zeros by de Bruijn multiplication; @x is not 0. */
static __always_inline __u32 classify_ctz(__u64 x)
{
	__u64 n = classify_ctz_table[((x & -x) * 0x03f79d71b4cb0a89ULL) >> 58];

	/* the verifier reads no tables; compilers from clang 15 do, and would
	 * remove a plain mask */
	asm volatile("%0 &= 63" : "+r"(n));
	return n;
}

/* One step down the trie: the entry of child @i. */
static __always_inline __u32 classify_step(__u32 entry, __u32 i)
{
	struct dae_trie_node *node;
	struct run_chunk *chunk;
	__u32 run;

	node = table_at(&trie_nodes, entry & ~DAE_ENTRY_CHILD);
	if (!node)
		return 0;
	run = dae_trie_run(node, i);
	chunk = table_at(&trie_runs, run / DAE_RUN_CHUNK);
	return chunk ? chunk->run[run % DAE_RUN_CHUNK] : 0;
}

static __always_inline __u32 classify_addr4(const __u32 *root, __u32 addr)
{
	__u32 a = bpf_ntohl(addr);
	__u32 entry = root[table_index(a >> 16, 0xffff)];

	if (entry & DAE_ENTRY_CHILD)
		entry = classify_step(entry, a >> 8 & 0xff);
	if (entry & DAE_ENTRY_CHILD)
		entry = classify_step(entry, a & 0xff);
	return entry & (DAE_CLASSES_MAX - 1);
}

/*
 * The rest of an IPv6 lookup: up to 14 bytes below the root, or as it was for
 * the same address before: the tables of a generation never change.
 */
__noinline __u32 classify_deep6(__u32 entry, __u64 high, __u64 low)
{
	__u64 a = high, b = low;
	struct memo6 *memo;
	__u32 root = entry;
	int i;

	memo = table_at(&memos6,
			table_cpu() * DAE_MEMO6_SLOTS +
				((high ^ low ^ root) * 0x9e3779b97f4a7c15ULL >>
				 55));
	if (!memo)
		return 0;
	if (memo->low == b && (__u32)memo->found == root &&
	    (memo->high ^ classify_seal(memo->found)) == a)
		return memo->found >> 32;
	for (i = 0; i < 14; i++) {
		if (!(entry & DAE_ENTRY_CHILD))
			break;
		entry = classify_step(entry, high >> 56);
		high = high << 8 | low >> 56;
		low <<= 8;
	}
	memo->found = (__u64)entry << 32 | root;
	memo->high = a ^ classify_seal(memo->found);
	memo->low = b;
	return entry;
}

static __always_inline __u32 classify_addr6(const __u32 *root,
					    const __u64 *addr)
{
	__u64 high = bpf_be64_to_cpu(addr[0]), low = bpf_be64_to_cpu(addr[1]);
	__u32 entry = root[table_index(high >> 48, 0xffff)];

	if (entry & DAE_ENTRY_CHILD)
		entry = classify_deep6(entry, high << 16 | low >> 48,
				       low << 16);
	return entry & (DAE_CLASSES_MAX - 1);
}

static __always_inline __u32 classify_mac(__u64 mac)
{
	const struct dae_mac *m;
	int i;

	m = &table_mac[dae_mac_slot(mac, dae_cfg.mac_multiplier)];
#pragma unroll
	for (i = 0; i < DAE_MAC_WAYS; i++)
		if (m[i].mac == mac && m[i].used)
			return m[i].class_id;
	return dae_cfg.mac_miss;
}

static __always_inline __u32 classify_pname(const __u64 *name)
{
	__u32 slot = dae_pname_slot(name, dae_cfg.pname_multiplier,
				    dae_cfg.pname_shift);
	const struct dae_pname *n;
	int i;

#pragma unroll
	for (i = 0; i < DAE_PNAME_WAYS; i++) {
		n = table_at(&pnames, slot + i);
		if (n && n->used && n->name[0] == name[0] &&
		    n->name[1] == name[1])
			return n->class_id;
	}
	return dae_cfg.pname_miss;
}

/* The class of a learned address; most were never learned. Functions of their
 * own: two lines of entries are long, and rules without names need neither. */
__noinline __u32 classify_domain4(__u32 addr)
{
	__u64 hash = domain_hash4(addr, dae_cfg.seed);
	const struct domain_line4 *line;
	bool spilled = false;
	__u32 class_id;

	line = table_at(&domains4, domain_line(hash, dae_cfg.domain_mask4));
	if (!line)
		return dae_cfg.domain_miss;
	class_id = domain_find4(line, addr, &spilled);
	if (class_id != DOMAIN_NONE)
		return class_id;
	if (!spilled)
		return dae_cfg.domain_miss;
	line = table_at(&domains4,
			domain_other_line(hash, dae_cfg.domain_mask4));
	class_id = line ? domain_find4(line, addr, &spilled) : DOMAIN_NONE;
	return class_id != DOMAIN_NONE ? class_id : dae_cfg.domain_miss;
}

__noinline __u32 classify_domain6(__u64 high, __u64 low)
{
	const __u64 addr[2] = { high, low };
	__u64 hash = domain_hash6(addr, dae_cfg.seed);
	const struct domain_line6 *line;
	bool spilled = false;
	__u32 class_id;

	line = table_at(&domains6, domain_line(hash, dae_cfg.domain_mask6));
	if (!line)
		return dae_cfg.domain_miss;
	class_id = domain_find6(line, addr, &spilled);
	if (class_id != DOMAIN_NONE)
		return class_id;
	if (!spilled)
		return dae_cfg.domain_miss;
	line = table_at(&domains6,
			domain_other_line(hash, dae_cfg.domain_mask6));
	class_id = line ? domain_find6(line, addr, &spilled) : DOMAIN_NONE;
	return class_id != DOMAIN_NONE ? class_id : dae_cfg.domain_miss;
}

#define CLASSIFY_USES(dim) (dae_cfg.used_dims & 1U << (dim))

/* Classes of the addresses in one word, in the state @learned or a later one. */
static __always_inline __u64 classify_tries(const struct packet *p,
					    __u64 learned, bool is_v6)
{
	__u64 dst, src = 0, domain = dae_cfg.domain_miss;

	dst = is_v6 ? classify_addr6(table_dst6, p->dst6)
		    : classify_addr4(table_dst4, p->dst4);
	if (CLASSIFY_USES(DAE_DIM_SRC))
		src = is_v6 ? classify_addr6(table_src6, p->src6)
			    : classify_addr4(table_src4, p->src4);
	if (CLASSIFY_USES(DAE_DIM_DOMAIN))
		domain = (is_v6 ? classify_domain6(p->dst6[0] +
							   flow_after(learned),
						   p->dst6[1])
				: classify_domain4(p->dst4 +
						   flow_after(learned))) &
			 (DAE_CLASSES_MAX - 1);
	return PAIR_VALID | domain << PAIR_DOMAIN | src << PAIR_SRC | dst;
}

static __always_inline __u64 classify_learned(void)
{
	return CLASSIFY_USES(DAE_DIM_DOMAIN) ? FLOW_READ(table_learned) : 0;
}

/* The same for two hosts that have talked before, with one look. */
static __always_inline __u64 classify_pair4(const struct packet *p)
{
	__u64 key = (__u64)p->dst4 << 32, learned = classify_learned(), found;
	struct pair4 *m;

	if (CLASSIFY_USES(DAE_DIM_SRC))
		key |= p->src4;
	m = table_at(&pairs4, table_cpu() * DAE_PAIR_SLOTS +
				      (key * 0x9e3779b97f4a7c15ULL >>
				       (64 - DAE_PAIR_BITS)));
	if (!m)
		return PAIR_VALID;
	found = m->found;
	if (found && m->learned == learned &&
	    (m->key ^ classify_seal(found ^ learned << PAIR_LEARNED)) == key)
		return found;
	found = classify_tries(p, learned, false);
	m->found = found;
	m->learned = learned;
	m->key = key ^ classify_seal(found ^ learned << PAIR_LEARNED);
	return found;
}

static __always_inline __u64 classify_pair6(const struct packet *p)
{
	__u64 s0 = 0, s1 = 0, learned = classify_learned(), sum, found;
	struct pair6 *m;

	if (CLASSIFY_USES(DAE_DIM_SRC)) {
		s0 = p->src6[0];
		s1 = p->src6[1];
	}
	sum = s0 * 0x9e3779b97f4a7c15ULL + s1 * 0xc2b2ae3d27d4eb4fULL +
	      p->dst6[0] * 0x94d049bb133111ebULL +
	      p->dst6[1] * 0xbf58476d1ce4e5b9ULL;
	m = table_at(&pairs6, table_cpu() * DAE_PAIR_SLOTS +
				      (sum >> (64 - DAE_PAIR_BITS)));
	if (!m)
		return PAIR_VALID;
	found = m->found;
	if (found && m->learned == learned &&
	    (m->sum ^ classify_seal(found ^ learned << PAIR_LEARNED)) == sum &&
	    m->dst[0] == p->dst6[0] && m->dst[1] == p->dst6[1] &&
	    m->src[0] == s0 && m->src[1] == s1)
		return found;
	found = classify_tries(p, learned, true);
	m->found = found;
	m->learned = learned;
	m->sum = sum ^ classify_seal(found ^ learned << PAIR_LEARNED);
	m->dst[0] = p->dst6[0];
	m->dst[1] = p->dst6[1];
	m->src[0] = s0;
	m->src[1] = s1;
	return found;
}

static __always_inline void classify_facts(const struct packet *p,
					   struct classes *c, bool is_v6)
{
	__u64 pair = is_v6 ? classify_pair6(p) : classify_pair4(p);
	__u32 udp = p->proto == IPPROTO_UDP;

	c->id[DAE_DIM_DST] = pair & 0xffff;
	c->id[DAE_DIM_SRC] = pair >> PAIR_SRC & 0xffff;
	c->id[DAE_DIM_DPORT] =
		table_dport[udp << 16 |
			    table_index(bpf_ntohs(p->ports >> 16), 0xffff)];
	if (CLASSIFY_USES(DAE_DIM_SPORT))
		c->id[DAE_DIM_SPORT] = table_sport[table_index(
			bpf_ntohs(p->ports & 0xffff), 0xffff)];
	if (CLASSIFY_USES(DAE_DIM_DSCP))
		c->id[DAE_DIM_DSCP] = table_dscp[p->dscp & 63];
	if (CLASSIFY_USES(DAE_DIM_MAC))
		c->id[DAE_DIM_MAC] = classify_mac(p->mac);
	c->id[DAE_DIM_PNAME] = dae_cfg.pname_miss;
	if (CLASSIFY_USES(DAE_DIM_PNAME) && dae_cfg.is_host)
		c->id[DAE_DIM_PNAME] = classify_pname(p->pname);
	c->id[DAE_DIM_DOMAIN] = pair >> PAIR_DOMAIN & 0xffff;
}

/* AND the bitmaps of the classes in a memo's key, which fits registers, unlike
 * struct classes; the first rule that is no must_rules. */
__noinline __u32 classify_bitmaps(__u64 k0, __u64 k1)
{
	const __u32 id[DAE_DIM_COUNT] = {
		[DAE_DIM_DST] = k0 & 0xffff,
		[DAE_DIM_DOMAIN] = k0 >> MEMO_DOMAIN & 0xffff,
		[DAE_DIM_SRC] = k0 >> MEMO_SRC & 0xffff,
		[DAE_DIM_DPORT] = k0 >> MEMO_DPORT,
		[DAE_DIM_SPORT] = k1 & 0xffff,
		[DAE_DIM_MAC] = k1 >> MEMO_MAC & 0xffff,
		[DAE_DIM_PNAME] = k1 >> MEMO_PNAME & 0x3ff,
		[DAE_DIM_DSCP] = k1 >> MEMO_DSCP & 0x3f,
	};
	const struct dae_bitmap *rows[DAE_DIM_COUNT];
	__u32 must = 0, bit;
	__u64 w, m;
	int i, d;

#pragma unroll
	for (d = 0; d < DAE_DIM_COUNT; d++) {
		rows[d] = table_at(&bitmaps, dae_cfg.class_base[d] + id[d]);
		if (!rows[d])
			return RULE_IS_VALID | DAE_RULE_FALLBACK;
	}
#pragma unroll
	for (i = 0; i < DAE_BITMAP_WORDS; i++) {
		if ((__u32)i >= dae_cfg.word_count)
			break;
		w = rows[DAE_DIM_DST]->w[i] & rows[DAE_DIM_DPORT]->w[i];
		if (CLASSIFY_USES(DAE_DIM_SRC))
			w &= rows[DAE_DIM_SRC]->w[i];
		if (CLASSIFY_USES(DAE_DIM_SPORT))
			w &= rows[DAE_DIM_SPORT]->w[i];
		if (CLASSIFY_USES(DAE_DIM_DSCP))
			w &= rows[DAE_DIM_DSCP]->w[i];
		if (CLASSIFY_USES(DAE_DIM_MAC))
			w &= rows[DAE_DIM_MAC]->w[i];
		if (CLASSIFY_USES(DAE_DIM_PNAME))
			w &= rows[DAE_DIM_PNAME]->w[i];
		if (CLASSIFY_USES(DAE_DIM_DOMAIN))
			w &= rows[DAE_DIM_DOMAIN]->w[i];
		m = w & table_must.w[i];
		w &= ~m;
		if (w) {
			bit = classify_ctz(w);
			if (m & ((w & -w) - 1))
				must = RULE_IS_MUST;
			return RULE_IS_VALID | must | ((__u32)i * 64 + bit);
		}
		if (m)
			must = RULE_IS_MUST;
	}
	return RULE_IS_VALID | must | DAE_RULE_FALLBACK;
}

/* RULE_INDEX (at most DAE_RULE_FALLBACK) and RULE_IS_MUST. */
static __always_inline __u32 classify(const struct packet *p, bool is_v6)
{
	struct classes c = {};
	struct memo *memo;
	__u64 k0, k1, found;
	__u32 slot, result;

	classify_facts(p, &c, is_v6);
	k0 = (__u64)c.id[DAE_DIM_DST] |
	     (__u64)c.id[DAE_DIM_DOMAIN] << MEMO_DOMAIN |
	     (__u64)c.id[DAE_DIM_SRC] << MEMO_SRC |
	     (__u64)c.id[DAE_DIM_DPORT] << MEMO_DPORT;
	k1 = (__u64)c.id[DAE_DIM_SPORT] | (__u64)c.id[DAE_DIM_MAC] << MEMO_MAC |
	     (__u64)c.id[DAE_DIM_PNAME] << MEMO_PNAME |
	     (__u64)c.id[DAE_DIM_DSCP] << MEMO_DSCP;
	slot = ((k0 ^ k1 << 20 ^ k1 >> 44) * 0x9e3779b97f4a7c15ULL) >> 52;
	memo = table_at(&memos, table_cpu() * DAE_MEMO_SLOTS + slot);
	if (!memo)
		return DAE_RULE_FALLBACK;
	found = memo->k1;
	result = found >> MEMO_RESULT;
	if (result && !((found ^ k1) << (64 - MEMO_RESULT)) &&
	    (memo->k0 ^ classify_seal(found)) == k0)
		return result;
	result = classify_bitmaps(k0, k1);
	found = k1 | (__u64)result << MEMO_RESULT;
	memo->k1 = found;
	memo->k0 = k0 ^ classify_seal(found);
	return result;
}
