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
#define DAE_PNAME_LEN 16   /* bytes of a process name that count */
#define DAE_PNAME_WAYS 4
#define DAE_PNAME_SHIFT_MIN 48	 /* 65536 buckets */
#define DAE_PNAME_SHIFT_MAX 60	 /* 16 */
#define DAE_DOMAIN_CLASSES 4096	 /* that learned addresses may have */
#define DAE_DOMAIN_SETS_MAX 1024 /* lists of names; a dae_bitmap of them */

/* One row of bitmaps per class; the order is that of the bitmap section. */
enum dae_dim {
	DAE_DIM_DST,
	DAE_DIM_SRC,
	DAE_DIM_DPORT, /* by l4proto */
	DAE_DIM_SPORT,
	DAE_DIM_DSCP,
	DAE_DIM_MAC,
	DAE_DIM_PNAME,	/* one class, "forwarded traffic", on the LAN hook */
	DAE_DIM_DOMAIN, /* the last one: grows as addresses are learned */
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

/* An entry of the hash of process names, in the manner of dae_mac. */
struct dae_pname {
	__u64 name[2]; /* 16 bytes, zeroes behind a shorter one */
	__u32 class_id;
	__u32 used;
};

/* A condition on the destination's name: @rule wants it in the set, or not. */
struct dae_domain {
	__u16 set;
	__u16 rule;
	__u8 negate;
	__u8 zero[3];
};

struct dae_bitmap {
	__u64 w[DAE_BITMAP_WORDS];
};

_Static_assert(sizeof(struct dae_rule) == 8, "rule image: bump the version");
_Static_assert(sizeof(struct dae_trie_node) == 40, "bump the version");
_Static_assert(sizeof(struct dae_mac) == 16, "bump the version");
_Static_assert(sizeof(struct dae_pname) == 24, "bump the version");
_Static_assert(sizeof(struct dae_domain) == 8, "bump the version");
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

/* The first entry of the bucket of a process name; there are 2^(64 - shift). */
static inline __attribute__((always_inline)) __u32
dae_pname_slot(const __u64 *name, __u64 multiplier, __u32 shift)
{
	__u64 a = (name[0] ^ multiplier) * 0x9e3779b97f4a7c15ULL;

	a = (a ^ a >> 32 ^ name[1]) * multiplier;
	return (__u32)((a ^ a << 29) >> shift) * DAE_PNAME_WAYS;
}
