/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows of sockets that are not connected: each datagram asks, so decisions are
 * kept in the flow table of all. A socket without a source of its own sends
 * what an engine gets from the loopback address, which routing sends to lo.
 */
#pragma once

#include "bpf/decide.bpf.h"

struct host_place {
	struct flow_key key;
	struct flow_hit hit;
	__u32 set;
	__u32 now;
};

static __always_inline void host_place(struct host_place *at,
				       const struct packet *p)
{
	const __u32 ports = p->ports, proto = p->proto;

	if (p->is_v6) {
		flow_key6(&at->key, p, ports, proto);
		at->hit.hash = flow_hash(&at->key, FLOW_WORDS6, dae_cfg.seed[0],
					 dae_cfg.seed[1]);
	} else {
		flow_key4(&at->key, p, ports, proto);
		at->hit.hash = flow_hash(&at->key, FLOW_WORDS4, dae_cfg.seed[0],
					 dae_cfg.seed[1]);
	}
	at->set = at->hit.hash & dae_cfg.flow_mask;
	at->now = bpf_jiffies64();
}

static __always_inline bool host_find_in(struct flow_way *way,
					 struct host_place *at, int words)
{
	struct flow_hit *hit = &at->hit;

	if (!flow_read(way, &at->key, words, hit) ||
	    at->now - hit->seen > dae_cfg.udp_jiffies)
		return false;
	if (at->now - hit->seen > FLOW_REFRESH)
		way->seen = at->now;
	return true;
}

__noinline int host_find(struct host_place *at, __u32 is_v6)
{
	struct dae_set4 *set4;
	struct dae_set6 *set6;

	if (!at)
		return 0;
	if (is_v6) {
		set6 = table_at(&flows6, at->set);
		return set6 && (host_find_in((struct flow_way *)&set6->way[0],
					     at, FLOW_WORDS6) ||
				host_find_in((struct flow_way *)&set6->way[1],
					     at, FLOW_WORDS6));
	}
	set4 = table_at(&flows4, at->set);
	return set4 && (host_find_in((struct flow_way *)&set4->way[0], at,
				     FLOW_WORDS4) ||
			host_find_in((struct flow_way *)&set4->way[1], at,
				     FLOW_WORDS4));
}

__noinline int host_keep(struct host_place *at, __u32 is_v6)
{
	struct dae_set4 *set4;
	struct dae_set6 *set6;
	bool kept = false;

	if (!at)
		return 0;
	at->hit.seen = at->now;
	if (is_v6) {
		set6 = table_at(&flows6, at->set);
		kept = set6 && flow_insert((struct flow_way *)&set6->way[0],
					   (struct flow_way *)&set6->way[1],
					   &at->key, FLOW_WORDS6, &at->hit);
	} else {
		set4 = table_at(&flows4, at->set);
		kept = set4 && flow_insert((struct flow_way *)&set4->way[0],
					   (struct flow_way *)&set4->way[1],
					   &at->key, FLOW_WORDS4, &at->hit);
	}
	if (!kept)
		tally_add(DAE_COUNT_INSERT_LOST);
	return 0;
}

/* Whether a kept datagram flow may stay with its candidate. */
static __always_inline bool host_may_stay(const struct packet *p,
					  const struct flow_hit *f)
{
	if (!(f->verdict & DAE_FLOW_GROUP) ||
	    group_keeps(f->verdict, dae_class_of(true, p->is_v6)))
		return true;
	tally_add(DAE_COUNT_FLOW_MOVED);
	return false;
}

/* The source that sends a datagram to lo. */
static __always_inline void host_set_loopback(struct packet *p)
{
	if (p->is_v6)
		p->src6[1] = bpf_cpu_to_be64(1);
	else
		p->src4 = bpf_htonl(0x7f000001);
}
