/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a flow that the flow table does not know. */
#pragma once

#include "bpf/assign.bpf.h"
#include "bpf/trace.bpf.h"

#define PKT_HOST 0
#define PKT_OTHERHOST 3

static __always_inline bool decide_is_special4(__u32 dst)
{
	__u32 a = bpf_ntohl(dst);

	return a >= 0xe0000000U || a >> 24 == 127 || a >> 16 == 0xa9fe;
}

static __always_inline bool decide_is_special6(const __u64 *dst)
{
	__u32 a = bpf_be64_to_cpu(dst[0]) >> 48;

	return a >= 0xff00 || (a & 0xffc0) == 0xfe80;
}

static __always_inline bool decide_find_own(__u64 a0, __u64 a1)
{
	__u32 slot = dae_local_slot(a0, a1);
	__u32 half = FLOW_READ(table_control.local_bank) & 1;
	const struct dae_local *l;
	int i;

	for (i = 0; i < DAE_LOCAL_PROBES; i++) {
		l = &table_locals[table_index(half * DAE_LOCAL_SLOTS +
						      ((slot + i) &
						       (DAE_LOCAL_SLOTS - 1)),
					      2 * DAE_LOCAL_SLOTS - 1)];
		if (!(l->a[0] | l->a[1]))
			return false;
		if (l->a[0] == a0 && l->a[1] == a1)
			return true;
	}
	return false;
}

/* A port of a bridge sees what is for the bridge, whose MAC address is often
 * another one than the port's, as for another station. */
__noinline int decide_is_for_bridge(struct __sk_buff *skb)
{
	__u64 a[2] = { DAE_LOCAL_IS_MAC, 0 };

	if (bpf_skb_load_bytes(skb, 0, (__u8 *)&a[1] + 2, 6) < 0)
		return 0;
	return decide_find_own(a[0], a[1]);
}

/* Whether the packet is for the router itself or its link, or for another
 * station (a bridge port sees those): not to be routed, in any case. */
static __always_inline bool decide_is_local(struct __sk_buff *skb,
					    const struct packet *p, bool is_v6)
{
	if (p->has_mac && skb->pkt_type != PKT_HOST &&
	    (skb->pkt_type != PKT_OTHERHOST || !decide_is_for_bridge(skb)))
		return true;
	if (is_v6 ? decide_is_special6(p->dst6) : decide_is_special4(p->dst4))
		return true;
	return decide_find_own(
		is_v6 ? p->dst6[0] : 0,
		is_v6 ? p->dst6[1] : (__u64)p->dst4 << 32 | bpf_htonl(0xffff));
}

static __always_inline const struct dae_rule *decide_rule(__u32 result)
{
	__u32 index = result & RULE_INDEX;

	asm volatile("" : "+r"(index));
	if (index > DAE_RULE_FALLBACK)
		index = DAE_RULE_FALLBACK;
	return &table_rules[index];
}

static __always_inline bool
decide_is_dns(const struct packet *p, const struct dae_rule *rule, __u32 result)
{
	return p->ports >> 16 == bpf_htons(53) &&
	       !(result & RULE_IS_MUST || rule->flags & DAE_RULE_MUST);
}

/* A new flow, by the rule found. Whether the decision may be kept. */
static __always_inline bool
decide_by(const struct packet *p, struct flow_hit *f, __u32 result, bool is_v6)
{
	const struct dae_rule *rule = decide_rule(result);
	__u32 group = rule->group & (DAE_GROUPS_MAX - 1);

	tally_rule(result & RULE_INDEX);
	if (decide_is_dns(p, rule, result)) {
		tally_add(DAE_COUNT_DNS_KEPT);
		group_set(f, DAE_KIND_PASS, 0);
		return true;
	}
	switch (rule->action) {
	case DAE_ACTION_DIRECT:
		tally_add(DAE_TALLY_DIRECT);
		group_set(f, DAE_KIND_DIRECT, rule->mark);
		return true;
	case DAE_ACTION_GROUP:
		tally_add(DAE_TALLY_GROUPS + group);
		group_pick(f, group,
			   dae_class_of(p->proto == IPPROTO_UDP, is_v6));
		return group_may_stay(p, f);
	}
	tally_add(DAE_TALLY_BLOCK);
	group_set(f, DAE_KIND_BLOCK, 0);
	return p->proto == IPPROTO_UDP;
}

static __always_inline bool decide_new(const struct packet *p,
				       struct flow_hit *f, bool is_v6)
{
	const __u32 result = classify(p, is_v6);
	const bool may_stay = decide_by(p, f, result, is_v6);

	trace_decision(p, f, result);
	return may_stay;
}

/* A connection in mid-stream, which has no socket here, by @rule. What would go
 * to a listener cannot: handed one packet, it answers with a reset, and so the
 * client begins anew. Whether to remember it. */
static __always_inline bool decide_move(struct __sk_buff *skb,
					const struct packet *p,
					struct flow_hit *f,
					const struct dae_rule *rule)
{
	if (rule->action == DAE_ACTION_DIRECT)
		group_set(f, DAE_KIND_DIRECT, rule->mark);
	else if (rule->action == DAE_ACTION_GROUP)
		group_choose(f, rule->group & (DAE_GROUPS_MAX - 1),
			     dae_class_of(false, p->is_v6), 0);
	else
		group_set(f, DAE_KIND_BLOCK, 0);
	if (group_kind(f) != DAE_KIND_TPROXY)
		return true;
	assign_listener(skb, p, f->verdict >> 16 & (DAE_TARGETS_MAX - 1));
	return false; /* the next packet, if one comes, is answered, too */
}

/* A flow of which the supervisor wants another decision, other rules being in
 * force. It stays with its node if its group is the same. Whether to remember
 * what is in @f then. */
__noinline int decide_again(struct __sk_buff *skb, const struct packet *p,
			    struct flow_hit *f)
{
	const struct dae_rule *rule;
	__u32 result, class_id;
	bool may_stay;
	__u64 old;

	if (!p || !f)
		return 0;
	old = f->verdict & ((1ULL << DAE_FLOW_SEQUENCE) - 1);
	class_id = dae_class_of(p->proto == IPPROTO_UDP, p->is_v6);
	result = classify(p, p->is_v6);
	rule = decide_rule(result);
	tally_add(DAE_COUNT_DECIDED_ANEW);
	if (old & DAE_FLOW_GROUP && rule->action == DAE_ACTION_GROUP &&
	    (old >> 8 & 0xff) == rule->group &&
	    !decide_is_dns(p, rule, result) && group_keeps(old, class_id)) {
		f->verdict = (old & ((1ULL << DAE_FLOW_WAS) - 1) &
			      ~DAE_FLOW_AGAIN) |
			     (old >> DAE_FLOW_WAS & DAE_FLOW_KIND);
		return 1;
	}
	may_stay = true;
	if (p->proto == IPPROTO_UDP)
		may_stay = decide_by(p, f, result, p->is_v6);
	else if (!decide_is_dns(p, rule, result))
		may_stay = decide_move(skb, p, f, rule);
	else
		group_set(f, DAE_KIND_PASS, 0);
	trace_decision(p, f, result);
	return may_stay;
}

/*
 * A TCP packet in the middle of a connection that the table has forgotten or
 * never saw. The kernel's sockets know the proxied ones. Others that we may
 * have let through keep the way the rules give them, if that needs no socket;
 * whatever began before us goes on untouched.
 */
__noinline int decide_continue(struct __sk_buff *skb, const struct packet *p,
			       struct flow_hit *f)
{
	const struct dae_rule *rule;
	__u32 result;

	if (!p || !f)
		return 0;
	if (assign_own_state(skb, p)) {
		group_set(f, DAE_KIND_TPROXY, 0);
		return 0;
	}
	result = classify(p, p->is_v6);
	rule = decide_rule(result);
	group_set(f, DAE_KIND_PASS, 0);
	if (decide_is_dns(p, rule, result))
		return 0;
	if (rule->action == DAE_ACTION_DIRECT)
		group_set(f, DAE_KIND_DIRECT, rule->mark);
	if (rule->action != DAE_ACTION_GROUP)
		return 0;
	group_choose(f, rule->group & (DAE_GROUPS_MAX - 1),
		     dae_class_of(false, p->is_v6), 0);
	if (group_kind(f) != DAE_KIND_DIRECT)
		group_set(f, DAE_KIND_PASS, 0);
	return 0;
}

/* Fills @f; whether it may go to the flow table. */
static __always_inline bool decide(struct __sk_buff *skb,
				   const struct packet *p, struct flow_hit *f,
				   bool is_v6)
{
	__u32 flags = p->tcp_flags & TCP_SYN_ACK;

	if (decide_is_local(skb, p, is_v6)) {
		tally_add(DAE_COUNT_PASS_LOCAL);
		group_set(f, DAE_KIND_PASS, 0);
		return true;
	}
	if (p->proto == IPPROTO_UDP || flags == TCP_SYN_ONLY)
		return decide_new(p, f, is_v6);
	if (flags == TCP_SYN_ACK) /* the answer to a flow from outside */
		group_set(f, DAE_KIND_PASS, 0);
	else
		decide_continue(skb, p, f);
	return true;
}
