/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow table: a 2-way set-associative cache of decisions, shared by all
 * CPUs and by generations of rules. Losing an entry costs a new decision and
 * nothing else.
 *
 * Publishing: a writer claims an entry by exchanging its verdict for BUSY, so
 * that there is one writer; writes key and mark; then exchanges the new verdict
 * in, with the next sequence number. A reader reads the verdict, then key and
 * mark, then the verdict again: equal words mean that what lies between
 * belongs to them. The reader's order is held by address dependencies, which
 * cost two instructions, since programs have no load barrier before 6.15.
 */
#pragma once

#include "bpf/packet.bpf.h"
#include "bpf/dae_maps.h"

#define FLOW_WORDS4 2
#define FLOW_WORDS6 5
#define FLOW_FRAGMENT 0x100	/* beside the protocol: keyed by fragment id */
#define FLOW_REFRESH 64		/* jiffies between two stores to seen */

struct flow_key {
	__u64 w[FLOW_WORDS6];
};

struct flow_hit {
	__u64 verdict;
	__u32 mark;
	__u32 seen;
};

/* Two views of a way, so that one code serves both tables. */
struct flow_way {
	__u64 verdict;
	__u32 mark;
	__u32 seen;
	__u64 key[];
};

/* 0 that the CPU cannot know before it has @value. */
static __always_inline __u64 flow_after(__u64 value)
{
	asm volatile("%0 &= 0" : "+r"(value));
	return value;
}

#define FLOW_READ(x) (*(const volatile __typeof__(x) *)&(x))

static __always_inline void flow_key4(struct flow_key *k,
				      const struct packet *p, __u32 ports,
				      __u32 proto)
{
	k->w[0] = (__u64)p->dst4 << 32 | p->src4;
	k->w[1] = (__u64)proto << 32 | ports;
}

static __always_inline void flow_key6(struct flow_key *k,
				      const struct packet *p, __u32 ports,
				      __u32 proto)
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
	__u64 a = (k->w[0] ^ seed0) * 0x9e3779b97f4a7c15ULL;

	if (words == FLOW_WORDS6) {
		a = (a ^ a >> 31 ^ k->w[1]) * 0xc2b2ae3d27d4eb4fULL;
		a = (a ^ a >> 31 ^ k->w[2]) * 0x94d049bb133111ebULL;
		a = (a ^ a >> 29 ^ k->w[3]) * 0x9e3779b97f4a7c15ULL;
	}
	a = (a ^ a >> 29 ^ k->w[words - 1] ^ seed1) * 0xbf58476d1ce4e5b9ULL;
	return (__u32)(a >> 32);
}

/* Whether @way holds @k, consistently; fills @hit if so. */
static __always_inline bool flow_read(const struct flow_way *way,
				      const struct flow_key *k, int words,
				      struct flow_hit *hit)
{
	__u64 verdict = FLOW_READ(way->verdict), seen_words, diff = 0, w;
	const struct flow_way *in =
		(const void *)((const char *)way + flow_after(verdict));
	__u32 mark = FLOW_READ(in->mark);
	int i;

	seen_words = mark;
#pragma unroll
	for (i = 0; i < words; i++) {
		w = FLOW_READ(in->key[i]);
		asm volatile("" : "+r"(w));
		seen_words ^= w;
		diff |= w ^ k->w[i];
	}
	if (diff || !(verdict & DAE_FLOW_KIND))
		return false;
	in = (const void *)((const char *)way + flow_after(seen_words));
	if (FLOW_READ(in->verdict) != verdict)
		return false;
	hit->verdict = verdict;
	hit->mark = mark;
	hit->seen = way->seen;
	return true;
}

/* Write an entry; false if another CPU is writing it. */
static __always_inline bool flow_write(struct flow_way *way,
				       const struct flow_key *k, int words,
				       const struct flow_hit *new)
{
	__u64 old = FLOW_READ(way->verdict), seq;
	int i;

	if (old & DAE_FLOW_BUSY ||
	    __sync_val_compare_and_swap(&way->verdict, old, DAE_FLOW_BUSY) !=
		    old)
		return false;
#pragma unroll
	for (i = 0; i < words; i++)
		*(volatile __u64 *)&way->key[i] = k->w[i];
	*(volatile __u32 *)&way->mark = new->mark;
	way->seen = new->seen;
	seq = ((old >> DAE_FLOW_SEQUENCE) + 1) << DAE_FLOW_SEQUENCE;
	__sync_lock_test_and_set(&way->verdict, seq | new->verdict);
	return true;
}

#define FLOW_SAME(a, b) (!(((a) ^ (b)) << (64 - DAE_FLOW_SEQUENCE)))

/* Insert or renew in the set of @a and @b. false: not cached this time. */
static __always_inline bool flow_insert(struct flow_way *a, struct flow_way *b,
					const struct flow_key *k, int words,
					const struct flow_hit *new)
{
	struct flow_way *way;
	struct flow_hit old;

	if (flow_read(a, k, words, &old))
		way = a;
	else if (flow_read(b, k, words, &old))
		way = b;
	else
		return flow_write(new->seen - a->seen > new->seen - b->seen ?
				  a : b, k, words, new);
	if (FLOW_SAME(old.verdict, new->verdict) && old.mark == new->mark) {
		way->seen = new->seen;
		return true;
	}
	return flow_write(way, k, words, new);
}
