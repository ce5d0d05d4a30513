/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part of the ABI of bpf/dae_maps.h: targets, and the groups that choose one.
 */
#pragma once

#include <linux/types.h>

#include "bpf/dae_flows.h"

#define DAE_GROUPS_MAX 256
#define DAE_TARGETS_MAX 1024
#define DAE_CANDIDATES_MAX 64

/* The four kinds of traffic a group keeps apart. */
enum dae_class {
	DAE_CLASS_TCP4,
	DAE_CLASS_TCP6,
	DAE_CLASS_UDP4,
	DAE_CLASS_UDP6,
	DAE_CLASS_COUNT
};

static inline __attribute__((always_inline)) __u32 dae_class_of(_Bool is_udp,
								_Bool is_v6)
{
	return (__u32)is_udp << 1 | (__u32)is_v6;
}

/* Key of the map of groups. */
static inline __attribute__((always_inline)) __u32 dae_group_key(__u32 group,
								 __u32 class_id)
{
	return group * DAE_CLASS_COUNT + class_id;
}

/* Where a flow goes; of a target and of a flow entry. */
enum dae_kind {
	DAE_KIND_NONE,
	DAE_KIND_DIRECT, /* as routed, with a mark if it is not 0 */
	DAE_KIND_BLOCK,
	DAE_KIND_TPROXY, /* a local transparent listener */
	DAE_KIND_PASS,	 /* not ours to touch: own addresses, DNS */
	DAE_KIND_COUNT
};

/* A group without a live candidate. */
enum dae_dead {
	DAE_DEAD_BLOCK,
	DAE_DEAD_DIRECT,
	DAE_DEAD_LAST, /* the candidate that was last in use */
};

/* How a listener learns where the host's own flow was going. */
enum dae_learns {
	DAE_LEARNS_PACKET,   /* transparent: the packet has it */
	DAE_LEARNS_REDIRECT, /* asks SO_ORIGINAL_DST; datagrams: not at all */
};

/* A node as the kernel sees it; index is its stable id. */
struct dae_target {
	__u32 mark;  /* DAE_KIND_DIRECT: policy route of an uplink */
	__u32 addr4; /* listener, network order */
	__u32 addr6[4];
	__u16 port;    /* network order */
	__u8 kind;     /* DAE_KIND_DIRECT, _BLOCK or _TPROXY */
	__u8 families; /* bit 0: addr4 is set, bit 1: addr6 */
	__u8 learns;   /* enum dae_learns */
	__u8 zero[3];  /* to a multiple of 8, as the map is mapped */
};

/* Candidates, in order of preference unless is_random; alive has bit i for targets[i]. */
struct dae_list {
	__u64 alive;
	__u16 count;
	__u16 last;	  /* for DAE_DEAD_LAST: index in targets */
	__u8 on_all_dead; /* enum dae_dead */
	__u8 is_random;	  /* any alive one, by the flow's hash, not the first */
	__u8 zero[2];
	__u16 targets[DAE_CANDIDATES_MAX];
};

/*
 * One group and class. A new list is written to the idle bank and taken by one
 * store to bank. A fail-over is one store to the choice, for the flows to come;
 * then the alive word of the bank in use says it to those that had a candidate.
 */
struct dae_group {
	__u64 bank; /* bit 0 says which; counts publications */
	struct dae_list lists[2];
};

/*
 * What a new flow of a group and class gets, of the map of choices: the low half
 * of a flow's verdict word, and the mark. 0: the list must be asked (any of
 * several, or none alive).
 */
static inline __attribute__((always_inline)) __u64
dae_choice(__u32 group, __u32 target, __u32 index, __u32 kind, __u32 mark)
{
	return dae_flow_group(group, target, index) | kind | (__u64)mark << 32;
}

_Static_assert(sizeof(struct dae_target) == 32, "bump DAE_MAP_ABI");
_Static_assert(sizeof(struct dae_list) == 144, "bump DAE_MAP_ABI");
_Static_assert(sizeof(struct dae_group) == 296, "bump DAE_MAP_ABI");
