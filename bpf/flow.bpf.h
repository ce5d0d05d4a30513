/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow table: a 2-way set-associative cache of decisions, shared by all
 * CPUs and by generations of rules. Losing an entry costs a new decision and
 * nothing else.
 */
#pragma once

#include "bpf/flow_entry.h"
#include "bpf/packet.bpf.h"

#define FLOW_FRAGMENT 0x100 /* beside the protocol: keyed by fragment id */
#define FLOW_REFRESH 64	    /* jiffies between two stores to seen */

static __always_inline void
flow_key4(struct flow_key *k, const struct packet *p, __u32 ports, __u32 proto)
{
	k->w[0] = (__u64)p->dst4 << 32 | p->src4;
	k->w[1] = (__u64)proto << 32 | ports;
}

static __always_inline void
flow_key6(struct flow_key *k, const struct packet *p, __u32 ports, __u32 proto)
{
	k->w[0] = p->src6[0];
	k->w[1] = p->src6[1];
	k->w[2] = p->dst6[0];
	k->w[3] = p->dst6[1];
	k->w[4] = (__u64)proto << 32 | ports;
}

static __always_inline __u32 flow_hash(const struct flow_key *k, int words,
				       __u64 seed0, __u64 seed1)
{
	__u64 a = (k->w[0] ^ seed0) * 0x9e3779b97f4a7c15ULL, b = 0;

	if (words == FLOW_WORDS6) { /* two chains, which the CPU joins last */
		b = (k->w[2] ^ seed1) * 0xc2b2ae3d27d4eb4fULL;
		a = (a ^ a >> 31 ^ k->w[1]) * 0x94d049bb133111ebULL;
		b = (b ^ b >> 29 ^ k->w[3]) * 0x9e3779b97f4a7c15ULL;
		b ^= b >> 31;
	}
	a = (a ^ a >> 29 ^ b ^ k->w[words - 1] ^ seed1) * 0xbf58476d1ce4e5b9ULL;
	return (__u32)(a >> 32);
}
