/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Group state: the first candidate alive, or any; what happens without one. */
#pragma once

#include "bpf/classify.bpf.h"
#include "bpf/flow.bpf.h"

static __always_inline void group_set(struct flow_hit *f, __u64 verdict,
				      __u32 mark)
{
	f->verdict = verdict;
	f->mark = mark;
}

static __always_inline __u32 group_kind(const struct flow_hit *f)
{
	return f->verdict & DAE_FLOW_KIND;
}

#define GROUP_LOOKS 4

static __always_inline const struct dae_list *
group_list(const struct dae_group *g, __u64 bank)
{
	return bank & 1 ? &g->lists[1] : &g->lists[0];
}

/*
 * Whether the list read after @bank was in use to the end: the supervisor writes
 * to the one that is not, so two publications in a row overtake a reader. @read
 * is made of all that was read of it, which holds the order.
 */
static __always_inline bool group_was_whole(const struct dae_group *g,
					    __u64 bank, __u64 read)
{
	const struct dae_group *in = (const void *)((const char *)g +
						    flow_after(read));

	return FLOW_READ(in->bank) == bank;
}

/* Whether the supervisor's heart has stopped; asks the clock once a jiffy. */
static __always_inline bool group_is_lost(void)
{
	struct dae_control *c = &table_control;
	__u64 now = bpf_jiffies64();
	__s64 since;

	if (!c->loss_after_ns)
		return false;
	if (c->checked_jiffies != now) {
		c->checked_jiffies = now;
		since = bpf_ktime_get_ns() - FLOW_READ(c->beat_ns);
		/* a beat may be newer than our reading of the clock */
		c->is_lost = since > 0 && (__u64)since > c->loss_after_ns;
	}
	return c->is_lost;
}

static __always_inline void group_take(struct flow_hit *f, __u32 group,
				       const struct dae_list *list, __u32 index)
{
	const struct dae_target *t;
	__u32 id;

	id = list->targets[index & (DAE_CANDIDATES_MAX - 1)] &
	     (DAE_TARGETS_MAX - 1);
	t = table_at(&targets, id);
	if (t)
		group_set(f,
			  (t->kind & DAE_FLOW_KIND) |
				  dae_flow_group(group, id, index),
			  t->mark);
}

/* No candidate is alive, or none of the living listens. */
static __always_inline void group_without(struct flow_hit *f, __u32 group,
					  const struct dae_list *list,
					  __u64 tried)
{
	if (list->on_all_dead == DAE_DEAD_DIRECT)
		group_set(f, DAE_KIND_DIRECT, 0);
	else if (list->on_all_dead == DAE_DEAD_LAST && list->count &&
		 !(tried >> (list->last & (DAE_CANDIDATES_MAX - 1)) & 1))
		group_take(f, group, list, list->last);
}

/*
 * One of the set bits of @alive by the flow's hash, so that each packet of a
 * flow that is asked about finds the same. The flow table takes the hash's low
 * bits; this the high ones.
 */
__noinline __u32 group_any(__u64 alive, __u64 hash)
{
	__u32 n = (hash & 0xffffffff) * dae_popcount(alive) >> 32, i;

	for (i = 0; i < DAE_CANDIDATES_MAX - 1; i++) {
		if (i == n)
			break;
		alive &= alive - 1;
	}
	return classify_ctz(alive);
}

/* One look at @list; returns the candidates that were left. */
static __always_inline __u64 group_look(struct flow_hit *f, __u32 group,
					const struct dae_list *list,
					__u64 tried)
{
	__u64 alive = FLOW_READ(list->alive) & ~tried;

	group_set(f, DAE_KIND_BLOCK, 0);
	if (alive)
		group_take(f, group, list,
			   list->is_random ? group_any(alive, f->hash)
					   : classify_ctz(alive));
	else
		group_without(f, group, list, tried);
	return alive;
}

/* Choose for a flow of @class_id among the candidates not in @tried. */
__noinline int group_choose(struct flow_hit *f, __u32 group, __u32 class_id,
			    __u64 tried)
{
	struct dae_group *g = table_at(&groups, dae_group_key(group, class_id));
	const struct dae_control *c = &table_control;
	__u64 bank, left;
	int i;

	if (!f)
		return 0;
	group_set(f, DAE_KIND_BLOCK, 0);
	if (!g)
		return 0;
	if (group_is_lost() && c->loss != DAE_LOSS_KEEP) {
		tally_add(DAE_COUNT_SUPERVISOR_LOST);
		if (c->loss == DAE_LOSS_DIRECT)
			group_set(f, DAE_KIND_DIRECT, 0);
		return 0;
	}
	for (i = 0; i < GROUP_LOOKS; i++) {
		bank = FLOW_READ(g->bank);
		left = group_look(f, group, group_list(g, bank), tried);
		if (!group_was_whole(g, bank, f->verdict ^ left))
			continue;
		if (!left)
			tally_add(DAE_COUNT_GROUP_DEAD);
		return 0;
	}
	tally_add(DAE_COUNT_GROUP_BUSY);
	group_set(f, DAE_KIND_BLOCK, 0);
	return 0;
}

/* For a new flow: the choice the supervisor has made, if there is one and its
 * heart beats. */
static __always_inline void group_pick(struct flow_hit *f, __u32 group,
				       __u32 class_id)
{
	__u64 choice = FLOW_READ(table_choices[table_index(
		dae_group_key(group, class_id),
		DAE_GROUPS_MAX * DAE_CLASS_COUNT - 1)]);

	if (choice && !group_is_lost())
		group_set(f, (__u32)choice, choice >> 32);
	else
		group_choose(f, group, class_id, 0);
}

/*
 * What a group said for want of a candidate: datagrams ask again until it has
 * one. A connection cannot change its way; if it has none, it asks by the next
 * SYN.
 */
static __always_inline bool group_may_stay(const struct packet *p,
					   const struct flow_hit *f)
{
	if (p->proto == IPPROTO_UDP)
		return f->verdict & DAE_FLOW_GROUP;
	return group_kind(f) != DAE_KIND_BLOCK;
}

/* Where in @list candidate @id is, as a mask: @index, or elsewhere after a
 * reorder. */
static __always_inline __u64 group_find(const struct dae_list *list, __u32 id,
					__u32 index)
{
	int i;

	if (list->targets[index] == id)
		return 1ULL << index;
	for (i = 0; i < DAE_CANDIDATES_MAX; i++)
		if (list->targets[i] == id && i < list->count)
			return 1ULL << i;
	return 0;
}

/* Whether the flow's candidate may keep it. */
__noinline bool group_keeps(__u64 verdict, __u32 class_id)
{
	struct dae_group *g = table_at(
		&groups, dae_group_key(verdict >> 8 & 0xff, class_id));
	const struct dae_list *list;
	__u64 bank, alive, at;
	int i;

	if (!g)
		return false;
	for (i = 0; i < GROUP_LOOKS; i++) {
		bank = FLOW_READ(g->bank);
		list = group_list(g, bank);
		alive = FLOW_READ(list->alive);
		if (!alive && list->on_all_dead == DAE_DEAD_LAST)
			alive = 1ULL << (list->last & (DAE_CANDIDATES_MAX - 1));
		at = group_find(list, verdict >> 16 & (DAE_TARGETS_MAX - 1),
				verdict >> 26 & (DAE_CANDIDATES_MAX - 1));
		if (group_was_whole(g, bank, alive ^ at))
			return alive & at;
	}
	return false; /* to be decided anew */
}
