/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of learned addresses: destination to class in the dimension of
 * names. One writer, the supervisor, through a mapping; readers are programs on
 * all CPUs. No helper of the kernel is called, so tests run it in user space.
 *
 * An address lies in its line or, if that was full, in its other line, and a
 * bit of the line says that some do; entries move there, never back, and the
 * readers' order is first line, bit, other line. An IPv4 entry is one word, so a store
 * publishes it. An IPv6 entry has a state before its address: the writer makes
 * it invalid, writes the address, makes it valid with the next sequence number;
 * a reader reads the state, the address, the state again, ordered by address
 * dependencies as in bpf/flow_entry.h.
 */
#pragma once

#include "bpf/flow_entry.h"

#define DOMAIN_WAYS4 8
#define DOMAIN_WAYS6 5
#define DOMAIN_SPILLED (1ULL << 63) /* some are in the other line */
#define DOMAIN_VALID (1ULL << 32)   /* of an IPv6 state */
#define DOMAIN_SEQUENCE 33
#define DOMAIN_NONE (~0U) /* not in the line */

/* class << 32 | address in network order; free: address 0. The first one's top
 * bit is DOMAIN_SPILLED. */
struct domain_line4 {
	__u64 e[DOMAIN_WAYS4];
};

struct domain_entry6 {
	__u64 state; /* sequence, DOMAIN_VALID, class */
	__u64 addr[2];
};

struct domain_line6 {
	__u64 spilled; /* 0 or DOMAIN_SPILLED */
	struct domain_entry6 e[DOMAIN_WAYS6];
};

_Static_assert(sizeof(struct domain_line4) == 64, "a line of the cache");
_Static_assert(sizeof(struct domain_line6) == 128, "two lines");

FLOW_INLINE __u64 domain_hash4(__u32 addr, const volatile __u64 *seed)
{
	__u64 a = (addr ^ seed[0]) * 0x9e3779b97f4a7c15ULL;

	return (a ^ a >> 32 ^ seed[1]) * 0xbf58476d1ce4e5b9ULL;
}

FLOW_INLINE __u64 domain_hash6(const __u64 *addr, const volatile __u64 *seed)
{
	__u64 a = (addr[0] ^ seed[0]) * 0x9e3779b97f4a7c15ULL;

	a = (a ^ a >> 31 ^ addr[1]) * 0xc2b2ae3d27d4eb4fULL;
	a = (a ^ a >> 32 ^ seed[1]) * 0xbf58476d1ce4e5b9ULL;
	return (a ^ a >> 31) * 0x94d049bb133111ebULL;
}

FLOW_INLINE __u32 domain_line(__u64 hash, __u32 mask)
{
	return (__u32)(hash >> 32) & mask;
}

FLOW_INLINE __u32 domain_other_line(__u64 hash, __u32 mask)
{
	__u64 a = (hash ^ hash >> 29) * 0x9e3779b97f4a7c15ULL;

	return ((__u32)(hash >> 32) ^ ((__u32)(a >> 32) | 1)) & mask;
}

/* The class of @addr, or DOMAIN_NONE, and then whether the other line is to be
 * looked at. */
FLOW_INLINE __u32 domain_find4(const struct domain_line4 *line, __u32 addr,
			       bool *ret_spilled)
{
	__u64 e, all = 0;
	int i;

#pragma GCC unroll 8
	for (i = 0; i < DOMAIN_WAYS4; i++) {
		e = FLOW_READ(line->e[i]);
		if ((__u32)e == addr)
			return e >> 32 & 0xffff;
		all ^= e;
	}
	line = (const void *)((const char *)line + flow_after(all));
	*ret_spilled = FLOW_READ(line->e[0]) & DOMAIN_SPILLED;
	return DOMAIN_NONE;
}

FLOW_INLINE __u32 domain_read6(const struct domain_entry6 *at,
			       const __u64 *addr)
{
	__u64 state = FLOW_READ(at->state), a0, a1;
	const struct domain_entry6 *in;

	in = (const void *)((const char *)at + flow_after(state));
	a0 = FLOW_READ(in->addr[0]);
	a1 = FLOW_READ(in->addr[1]);
	if (a0 != addr[0] || a1 != addr[1] || !(state & DOMAIN_VALID))
		return DOMAIN_NONE;
	in = (const void *)((const char *)at + flow_after(a0 ^ a1));
	if (FLOW_READ(in->state) != state)
		return DOMAIN_NONE;
	return state & 0xffff;
}

FLOW_INLINE __u32 domain_find6(const struct domain_line6 *line,
			       const __u64 *addr, bool *ret_spilled)
{
	__u64 all = 0;
	__u32 class_id;
	int i;

#pragma GCC unroll 5
	for (i = 0; i < DOMAIN_WAYS6; i++) {
		class_id = domain_read6(&line->e[i], addr);
		if (class_id != DOMAIN_NONE)
			return class_id;
		all ^= FLOW_READ(line->e[i].state);
	}
	line = (const void *)((const char *)line + flow_after(all));
	*ret_spilled = FLOW_READ(line->spilled);
	return DOMAIN_NONE;
}
