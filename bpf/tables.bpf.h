/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps. Sections are tables of one size, read without a call; what has a size
 * of its own is an array whose lookup the kernel inlines. The first group
 * belongs to one generation, the second is pinned and shared by all.
 */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/dae_maps.h"
#include "bpf/domain_entry.h"

/* --- of a generation --- */
const volatile struct dae_config dae_cfg = {};

__u32 table_dst4[DAE_ROOT_SIZE] SEC(".bss.dst4");
__u32 table_src4[DAE_ROOT_SIZE] SEC(".bss.src4");
__u32 table_dst6[DAE_ROOT_SIZE] SEC(".bss.dst6");
__u32 table_src6[DAE_ROOT_SIZE] SEC(".bss.src6");
__u16 table_dport[2 * 65536] SEC(".bss.dport");
__u16 table_sport[65536] SEC(".bss.sport");
__u16 table_dscp[64] SEC(".bss.dscp");
struct dae_mac table_mac[DAE_MAC_SLOTS] SEC(".bss.mac");
struct dae_rule table_rules[DAE_RULE_SLOTS] SEC(".bss.rules");
struct dae_bitmap table_must SEC(".bss.must");
/* Counts the changes of the tables of learned addresses, after each one. */
__u64 table_learned SEC(".bss.learned");

struct run_chunk {
	__u32 run[DAE_RUN_CHUNK];
};

/*
 * Memos, private to a CPU: what was found in the tables, which never change but
 * for the learned addresses: what rests on those holds for one state of
 * table_learned. An entry's key is sealed: classify_seal().
 */
struct memo { /* decisions by the tuple of classes */
	__u64 k0, k1;
};

struct pair4 { /* classes of two hosts' addresses */
	__u64 key, found, learned;
};

struct pair6 {
	__u64 src[2], dst[2], sum, found, learned;
};

struct memo6 {		 /* of an IPv6 address far down its trie */
	__u64 high, low; /* what of it is below the root */
	__u64 found;	 /* its entry at the root, which says which trie, and
			  * the one it led to */
};

#define ARRAY_MAP(name, type_)                                                 \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_ARRAY);                              \
		__uint(map_flags, BPF_F_MMAPABLE);                             \
		__uint(max_entries, 1);                                        \
		__type(key, __u32);                                            \
		__type(value, type_);                                          \
	} name SEC(".maps")

ARRAY_MAP(trie_nodes, struct dae_trie_node);
ARRAY_MAP(trie_runs, struct run_chunk);
ARRAY_MAP(bitmaps, struct dae_bitmap);
ARRAY_MAP(pnames, struct dae_pname);
ARRAY_MAP(domains4, struct domain_line4);
ARRAY_MAP(domains6, struct domain_line6);
ARRAY_MAP(memos, struct memo);
ARRAY_MAP(memos6, struct memo6);
ARRAY_MAP(pairs4, struct pair4);
ARRAY_MAP(pairs6, struct pair6);
ARRAY_MAP(rule_tally, __u64);

/* --- shared, sections among them: what has one size needs no lookup --- */
struct dae_control table_control SEC(".bss.control");
__u64 table_choices[DAE_GROUPS_MAX * DAE_CLASS_COUNT] SEC(".bss.choices");
struct dae_local table_locals[2 * DAE_LOCAL_SLOTS] SEC(".bss.locals");
ARRAY_MAP(flows4, struct dae_set4);
ARRAY_MAP(flows6, struct dae_set6);
ARRAY_MAP(groups, struct dae_group);
ARRAY_MAP(targets, struct dae_target);
ARRAY_MAP(tally, __u64);

/*
 * @i within @mask, in a way the compiler cannot remove: verifiers before 6.6 do
 * not know that a swap of 16 bits leaves 16 bits, and forget the bounds of what
 * a 32-bit OR put together. @mask is a constant.
 */
static __always_inline __u64 table_index(__u64 i, const __u32 mask)
{
	asm volatile("%0 &= %1" : "+r"(i) : "i"(mask));
	return i;
}

static __always_inline void *table_at(void *map, __u32 i)
{
	return bpf_map_lookup_elem(map, &i);
}

static __always_inline __u32 table_cpu(void)
{
	return bpf_get_smp_processor_id() & dae_cfg.cpu_mask;
}

/* Only packets are counted without being interrupted by others that are. */
static __always_inline void table_count(__u64 *n)
{
	if (!n)
		return;
	if (dae_cfg.is_host)
		__sync_fetch_and_add(n, 1);
	else
		*n += 1;
}

/* Count an event (enum dae_count) or a decision (DAE_TALLY_*). */
static __always_inline void tally_add(__u32 what)
{
	table_count(table_at(&tally, table_cpu() * DAE_TALLY_STRIDE + what));
}

static __always_inline void tally_rule(__u32 rule)
{
	table_count(
		table_at(&rule_tally, table_cpu() * DAE_RULE_STRIDE + rule));
}
