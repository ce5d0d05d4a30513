/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry of the flow table: how it is read and written by many CPUs at once.
 * No helper of the kernel is called, so tests run it as it is in user space.
 *
 * Publishing: a writer claims an entry by exchanging its verdict for BUSY, so
 * that there is one writer; writes key and mark; then stores the new verdict
 * behind them, with the next sequence number. A reader reads the verdict, then key and
 * mark, then the verdict again: equal words mean that what lies between
 * belongs to them. The reader's order is held by address dependencies, which
 * cost two instructions, since programs have no load barrier before 6.15.
 */
#pragma once

#include <stdbool.h>

#include "bpf/dae_maps.h"

#define FLOW_INLINE static inline __attribute__((always_inline))

#define FLOW_WORDS4 2
#define FLOW_WORDS6 5

struct flow_key {
	__u64 w[FLOW_WORDS6];
};

struct flow_hit {
	__u64 verdict;
	__u32 mark;
	__u32 seen;
	__u64 hash; /* of the flow: 32 bits, the caller's before any lookup */
};

/* Two views of a way, so that one code serves both tables. */
struct flow_way {
	__u64 verdict;
	__u32 mark;
	__u32 seen;
	__u64 key[];
};

/* 0 that the CPU cannot know before it has @value. */
FLOW_INLINE __u64 flow_after(__u64 value)
{
#ifdef __bpf__
	asm volatile("%0 &= 0" : "+r"(value));
#else /* a test on a machine with loads in order */
	value = 0;
	asm volatile("" : "+r"(value) : : "memory");
#endif
	return value;
}

#define FLOW_READ(x) (*(const volatile __typeof__(x) *)&(x))

/* Whether @way holds @k, consistently, with one of the bits @any set in the
 * verdict; fills @hit if so. */
FLOW_INLINE bool flow_read_any(const struct flow_way *way,
			       const struct flow_key *k, int words,
			       struct flow_hit *hit, __u64 any)
{
	__u64 verdict = FLOW_READ(way->verdict), seen_words, diff = 0, w;
	const struct flow_way *in = (const void *)((const char *)way +
						   flow_after(verdict));
	__u32 mark = FLOW_READ(in->mark);
	int i;

	seen_words = mark;
	for (i = 0; i < words; i++) {
		w = FLOW_READ(in->key[i]);
		asm volatile("" : "+r"(w));
		seen_words ^= w;
		diff |= w ^ k->w[i];
	}
	if (diff || !(verdict & any))
		return false;
	in = (const void *)((const char *)way + flow_after(seen_words));
	if (FLOW_READ(in->verdict) != verdict)
		return false;
	hit->verdict = verdict;
	hit->mark = mark;
	hit->seen = way->seen;
	return true;
}

/* The last store of a writer: whoever sees it sees the ones before. */
FLOW_INLINE void flow_publish(__u64 *verdict, __u64 value)
{
#if defined(__TARGET_ARCH_x86) || defined(__x86_64__)
	asm volatile("" : : : "memory"); /* stores are seen in their order */
	*(volatile __u64 *)verdict = value;
#else
	__sync_lock_test_and_set(verdict, value);
#endif
}

FLOW_INLINE bool flow_read(const struct flow_way *way, const struct flow_key *k,
			   int words, struct flow_hit *hit)
{
	return flow_read_any(way, k, words, hit, DAE_FLOW_KIND);
}

/* Write an entry; false if another CPU is writing it. */
FLOW_INLINE bool flow_write(struct flow_way *way, const struct flow_key *k,
			    int words, const struct flow_hit *new)
{
	__u64 old = FLOW_READ(way->verdict), seq;
	int i;

	if (old & DAE_FLOW_BUSY ||
	    __sync_val_compare_and_swap(&way->verdict, old, DAE_FLOW_BUSY) !=
		    old)
		return false;
	for (i = 0; i < words; i++)
		*(volatile __u64 *)&way->key[i] = k->w[i];
	*(volatile __u32 *)&way->mark = new->mark;
	way->seen = new->seen;
	seq = ((old >> DAE_FLOW_SEQUENCE) + 1) << DAE_FLOW_SEQUENCE;
	flow_publish(&way->verdict, seq | new->verdict);
	return true;
}

#define FLOW_SAME(a, b) (!(((a) ^ (b)) << (64 - DAE_FLOW_SEQUENCE)))

/* Insert or renew in the set of @a and @b. false: not cached this time. */
FLOW_INLINE bool flow_insert(struct flow_way *a, struct flow_way *b,
			     const struct flow_key *k, int words,
			     const struct flow_hit *new)
{
	struct flow_way *way;
	const __u64 any = DAE_FLOW_KIND | DAE_FLOW_AGAIN;
	struct flow_hit old;

	if (flow_read_any(a, k, words, &old, any))
		way = a;
	else if (flow_read_any(b, k, words, &old, any))
		way = b;
	else
		return flow_write(new->seen - a->seen > new->seen - b->seen ? a
									    : b,
				  k, words, new);
	if (FLOW_SAME(old.verdict, new->verdict) && old.mark == new->mark) {
		way->seen = new->seen;
		return true;
	}
	return flow_write(way, k, words, new);
}
