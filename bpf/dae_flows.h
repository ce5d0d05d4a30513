/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part of the ABI of bpf/dae_maps.h: the entries of the flow tables.
 */
#pragma once

#include <linux/types.h>

/* Flow entries. verdict is read first and last: see bpf/flow.bpf.h. */
struct dae_flow4 {
	__u64 verdict;
	__u32 mark;
	__u32 seen;   /* jiffies */
	__u64 key[2]; /* source|destination, ports|protocol */
};

struct dae_flow6 {
	__u64 verdict;
	__u32 mark;
	__u32 seen;
	__u64 key[5];
	__u64 zero;
};

struct dae_set4 {
	struct dae_flow4 way[2];
};

struct dae_set6 {
	struct dae_flow6 way[2];
};

/*
 * The verdict word, from the top: sequence 16, free 12, the kind before AGAIN 4,
 * index in the list 6, target 10, group 8, state and kind 8. Kind 0: free, or
 * BUSY: being written, or AGAIN: to be decided anew.
 */
#define DAE_FLOW_BUSY 0x80ULL
#define DAE_FLOW_GROUP 0x40ULL /* group, target and index are set */
#define DAE_FLOW_KIND 0x0fULL
#define DAE_FLOW_AGAIN                                                         \
	0x20ULL /* kind is 0: who looks for a verdict finds none */
#define DAE_FLOW_WAS 32
#define DAE_FLOW_SEQUENCE 48

static inline __attribute__((always_inline)) __u64
dae_flow_group(__u32 group, __u32 target, __u32 index)
{
	return DAE_FLOW_GROUP | (__u64)group << 8 | (__u64)target << 16 |
	       (__u64)index << 26;
}

_Static_assert(sizeof(struct dae_set4) == 64, "bump DAE_MAP_ABI");
_Static_assert(sizeof(struct dae_set6) == 128, "bump DAE_MAP_ABI");
