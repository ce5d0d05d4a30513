/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of the classifier as the kernel program and its user-space twin read
 * them, and the arithmetic both share. Included by BPF programs: kernel UAPI
 * types only, no libc.
 */
#pragma once

#include <linux/types.h>

#define DAE_RULES_MAX 1024
#define DAE_RULE_FALLBACK 1024 /* index of the fallback in the rule table */
#define DAE_RULE_SLOTS 1025
#define DAE_BITMAP_WORDS 16
#define DAE_CLASSES_MAX 65536 /* of one dimension: an id fits 16 bits */
#define DAE_ROOT_SIZE 65536
#define DAE_MAC_BUCKETS 1024
#define DAE_MAC_WAYS 4 /* to a bucket */
#define DAE_MAC_SLOTS (DAE_MAC_BUCKETS * DAE_MAC_WAYS)
#define DAE_RUN_CHUNK 1024 /* trie runs to one map value */

/* One row of bitmaps per class; the order is that of the bitmap section. */
enum dae_dim {
	DAE_DIM_DST,
	DAE_DIM_SRC,
	DAE_DIM_DPORT, /* by l4proto */
	DAE_DIM_SPORT,
	DAE_DIM_DSCP,
	DAE_DIM_MAC,
	DAE_DIM_DOMAIN, /* one class, "not learnt", until names are learnt */
	DAE_DIM_PNAME,	/* one class, "forwarded traffic", on the LAN hook */
	DAE_DIM_COUNT
};

enum dae_action { /* of a rule */
		  DAE_ACTION_DIRECT,
		  DAE_ACTION_BLOCK,
		  DAE_ACTION_GROUP,
		  DAE_ACTION_MUST_RULES,
		  DAE_ACTION_COUNT
};

#define DAE_RULE_MUST 1
#define DAE_RULE_HAS_MARK 2

struct dae_rule {
	__u32 mark;
	__u16 group; /* stable id, for DAE_ACTION_GROUP */
	__u8 action; /* enum dae_action */
	__u8 flags;  /* DAE_RULE_* */
};

/* 256 children of a trie node as runs of equal entries: bit i is set where a
 * run starts, cum[w] counts the starts before word w, base is the first run. */
struct dae_trie_node {
	__u64 bits[4];
	__u32 base;
	__u8 cum[4];
};

#define DAE_ENTRY_CHILD 0x80000000U /* else the low bits are a class */

/* An entry of the hash of MAC addresses, whose multiplier was chosen so that no
 * bucket overflows; an empty one has used 0. */
struct dae_mac {
	__u64 mac;
	__u32 class_id;
	__u32 used;
};

struct dae_bitmap {
	__u64 w[DAE_BITMAP_WORDS];
};

_Static_assert(sizeof(struct dae_rule) == 8, "rule image: bump the version");
_Static_assert(sizeof(struct dae_trie_node) == 40, "bump the version");
_Static_assert(sizeof(struct dae_mac) == 16, "bump the version");
_Static_assert(sizeof(struct dae_bitmap) == 128, "bump the version");

static inline __attribute__((always_inline)) __u32 dae_popcount(__u64 x)
{
	x -= (x >> 1) & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (__u32)((x * 0x0101010101010101ULL) >> 56);
}

/* The run that holds child @i (0..255) of @n. */
static inline __attribute__((always_inline)) __u32
dae_trie_run(const struct dae_trie_node *n, __u32 i)
{
	__u32 w = (i >> 6) & 3;

	return n->base + n->cum[w] +
	       dae_popcount(n->bits[w] << (63 - (i & 63))) - 1;
}

/* A MAC address as a number: the bytes of the wire, first one lowest. */
static inline __attribute__((always_inline)) __u64 dae_mac_key(const __u8 *b)
{
	return (__u64)b[0] | (__u64)b[1] << 8 | (__u64)b[2] << 16 |
	       (__u64)b[3] << 24 | (__u64)b[4] << 32 | (__u64)b[5] << 40;
}

/* The first entry of the bucket of @mac. */
static inline __attribute__((always_inline)) __u32
dae_mac_slot(__u64 mac, __u64 multiplier)
{
	return (__u32)((mac * multiplier) >> 54) * DAE_MAC_WAYS;
}
