/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ABI between the kernel programs and the supervisor: shared maps that
 * outlive a generation of rules, and the constants of one generation. Both
 * sides include it. A change of any layout bumps DAE_MAP_ABI; pinned maps of
 * another ABI are not adopted.
 */
#pragma once

#include <linux/types.h>

#include "bpf/dae_config.h"
#include "bpf/dae_counters.h"
#include "bpf/dae_flows.h"
#include "bpf/dae_groups.h"
#include "bpf/dae_host.h"
#include "bpf/dae_trace.h"
#include "common/ruleset_format.h"

#define DAE_MAP_ABI 4

#define DAE_LOCAL_SLOTS 1024 /* hash of own addresses, twice in the map */
#define DAE_LOCAL_PROBES 8
#define DAE_MEMO_SLOTS 4096 /* to a CPU */
#define DAE_MEMO6_SLOTS 512 /* to a CPU */
#define DAE_PAIR_BITS 12
#define DAE_PAIR_SLOTS (1 << DAE_PAIR_BITS) /* to a CPU */

/* No heartbeat: what groups do. */
enum dae_loss {
	DAE_LOSS_KEEP,
	DAE_LOSS_DIRECT,
	DAE_LOSS_BLOCK,
};

/* What the supervisor and the kernel tell each other; a single entry. */
struct dae_control {
	__u32 abi;
	__u32 loss;	       /* enum dae_loss */
	__u64 beat_ns;	       /* CLOCK_MONOTONIC of the last heartbeat */
	__u64 loss_after_ns;   /* 0: never */
	__u64 checked_jiffies; /* kernel: when is_lost was last computed */
	__u32 is_lost;
	__u32 local_bank; /* half of the map of own addresses in use */
	__u64 seed[2];	  /* of the flow tables' hash */
};

/* An own address or broadcast address, IPv4 as ::ffff:a.b.c.d; free: 0. Or the
 * MAC address of a bridge, in the last six bytes behind DAE_LOCAL_IS_MAC. */
struct dae_local {
	__u64 a[2];
};
#define DAE_LOCAL_IS_MAC (~0ULL)

/* Where the search for an own address begins. */
static inline __attribute__((always_inline)) __u32 dae_local_slot(__u64 a0,
								  __u64 a1)
{
	return (__u32)(((a0 ^ a1) * 0x9e3779b97f4a7c15ULL) >> 54);
}

_Static_assert(sizeof(struct dae_control) == 56, "bump DAE_MAP_ABI");
