/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ingress of a LAN interface: each packet goes its flow's way. One source for
 * tcx and clsact, links with and without a MAC header.
 */
#include "bpf/decide.bpf.h"

#define TC_NEXT (-1) /* not ours to end: others' programs may look */
#define TC_DROP 2

char dae_license[] SEC("license")
= "GPL";

/* A packet's flow, where in the table it belongs, and what was found there or
 * decided. One for each packet: it travels through all functions, which keeps
 * the stack of the deepest call within bounds. */
struct flow_place {
	struct flow_key key;
	struct flow_hit hit;
	__u32 set;
	__u32 now;
};

static __always_inline void lan_place(struct flow_place *at,
				      const struct packet *p, __u32 ports,
				      __u32 proto, bool is_v6)
{
	const int words = is_v6 ? FLOW_WORDS6 : FLOW_WORDS4;

	if (is_v6)
		flow_key6(&at->key, p, ports, proto);
	else
		flow_key4(&at->key, p, ports, proto);
	at->hit.hash = flow_hash(&at->key, words, dae_cfg.seed[0],
				 dae_cfg.seed[1]);
	at->set = at->hit.hash & dae_cfg.flow_mask;
	at->now = bpf_jiffies64();
}

/* The first way of the flow's set, or NULL; the second lies behind it. */
static __always_inline struct flow_way *lan_ways(const struct flow_place *at,
						 bool is_v6)
{
	return is_v6 ? table_at(&flows6, at->set) : table_at(&flows4, at->set);
}

static __always_inline struct flow_way *lan_second(struct flow_way *first,
						   bool is_v6)
{
	return (void *)((char *)first + (is_v6 ? sizeof(struct dae_flow6)
					       : sizeof(struct dae_flow4)));
}

/* The set of a new flow is hardly ever in the cache: asked for at once, it comes
 * while the rules are looked at. */
static __always_inline void lan_touch(struct flow_way *way, bool is_v6)
{
	if (!way)
		return;
	(void)FLOW_READ(way->verdict);
	if (is_v6) /* lies in the next line */
		(void)FLOW_READ(lan_second(way, is_v6)->verdict);
}

/* The entry of the flow if @way or the one behind has it; @limit jiffies old at
 * most, 0: any. */
static __always_inline bool
lan_find(struct flow_place *at, struct flow_way *way, __u32 limit, bool is_v6)
{
	const int words = is_v6 ? FLOW_WORDS6 : FLOW_WORDS4;
	struct flow_hit *hit = &at->hit;

	if (!way)
		return false;
	if (!flow_read(way, &at->key, words, hit)) {
		way = lan_second(way, is_v6);
		if (!flow_read(way, &at->key, words, hit))
			return false;
	}
	if (limit && at->now - hit->seen > limit)
		return false;
	if (at->now - hit->seen > FLOW_REFRESH)
		way->seen = at->now;
	return true;
}

/* The same for a flow that is to be decided anew. */
static __always_inline bool lan_find_again(struct flow_place *at,
					   struct flow_way *way, bool is_v6)
{
	const int words = is_v6 ? FLOW_WORDS6 : FLOW_WORDS4;

	return way &&
	       (flow_read_any(way, &at->key, words, &at->hit, DAE_FLOW_AGAIN) ||
		flow_read_any(lan_second(way, is_v6), &at->key, words, &at->hit,
			      DAE_FLOW_AGAIN));
}

static __always_inline void lan_keep_flow(struct flow_place *at,
					  struct flow_way *way, bool is_v6)
{
	at->hit.seen = at->now;
	if (!way || !flow_insert(way, lan_second(way, is_v6), &at->key,
				 is_v6 ? FLOW_WORDS6 : FLOW_WORDS4, &at->hit))
		tally_add(DAE_COUNT_INSERT_LOST);
}

static __always_inline int lan_act(struct __sk_buff *skb,
				   const struct flow_hit *f)
{
	__u32 kind = group_kind(f);

	if (kind == DAE_KIND_TPROXY)
		assign_mark(skb);
	else if (kind == DAE_KIND_BLOCK)
		return TC_DROP;
	else if (f->mark)
		skb->mark = f->mark;
	return TC_NEXT;
}

/* Whether a cached datagram flow may stay with its candidate. */
static __always_inline bool lan_may_stay(const struct packet *p,
					 const struct flow_hit *f)
{
	if (!(f->verdict & DAE_FLOW_GROUP))
		return true;
	if (group_keeps(f->verdict,
			dae_class_of(p->proto == IPPROTO_UDP, p->is_v6)))
		return true;
	tally_add(DAE_COUNT_FLOW_MOVED);
	return false;
}

static __always_inline bool lan_is_syn(const struct packet *p)
{
	return p->proto == IPPROTO_TCP &&
	       (p->tcp_flags & TCP_SYN_ACK) == TCP_SYN_ONLY;
}

static __always_inline bool lan_needs_listener(const struct packet *p,
					       const struct flow_hit *f)
{
	return group_kind(f) == DAE_KIND_TPROXY &&
	       (p->proto == IPPROTO_UDP || lan_is_syn(p));
}

/* Fills at->hit: from the table, if the flow may keep what it has there, or by
 * a decision. Whether that is new and may go to the table. */
static __always_inline bool lan_decide(struct __sk_buff *skb,
				       const struct packet *p,
				       struct flow_place *at,
				       struct flow_way *way, bool is_v6)
{
	bool is_udp = p->proto == IPPROTO_UDP;

	if (lan_is_syn(p))
		lan_touch(way, is_v6);
	else if (lan_find(at, way, is_udp ? dae_cfg.udp_jiffies : 0, is_v6) &&
		 !(is_udp && !lan_may_stay(p, &at->hit)))
		return false;
	else if (dae_cfg.reclassify && lan_find_again(at, way, is_v6))
		return decide_again(skb, p, &at->hit);
	return decide(skb, p, &at->hit, is_v6);
}

/* @at belongs to the caller, so that both families share its stack. */
static __always_inline int lan_flow(struct __sk_buff *skb,
				    const struct packet *p,
				    struct flow_place *at, bool is_v6)
{
	struct flow_way *way;
	bool is_new;

	lan_place(at, p, p->ports, p->proto, is_v6);
	way = lan_ways(at, is_v6);
	is_new = lan_decide(skb, p, at, way, is_v6);
	if (lan_needs_listener(p, &at->hit))
		is_new = assign_hand_over(skb, p, &at->hit, is_new);
	if (is_new)
		lan_keep_flow(at, way, is_v6);
	return lan_act(skb, &at->hit);
}

/* What came first of a fragmented packet. */
static __always_inline void lan_first(struct __sk_buff *skb,
				      const struct packet *p,
				      struct flow_place *at, bool is_v6)
{
	struct flow_way *way = lan_ways(at, is_v6);
	bool is_new = lan_decide(skb, p, at, way, is_v6);

	if (lan_needs_listener(p, &at->hit)) {
		tally_add(DAE_COUNT_FRAG_PROXIED);
		group_set(&at->hit, DAE_KIND_BLOCK, 0);
	} else if (is_new) {
		lan_keep_flow(at, way, is_v6);
	}
}

__noinline int lan_first4(struct __sk_buff *skb, const struct packet *p,
			  struct flow_place *at)
{
	if (p && at)
		lan_first(skb, p, at, false);
	return 0;
}

__noinline int lan_first6(struct __sk_buff *skb, const struct packet *p,
			  struct flow_place *at)
{
	if (p && at)
		lan_first(skb, p, at, true);
	return 0;
}

/*
 * The first fragment is decided like a whole packet and remembered for the
 * others. What a listener should get cannot be handed over in pieces (the
 * assignment does not survive reassembly): dropped and counted, but for TCP in
 * mid-connection, which the kernel reassembles and finds by itself. A later
 * fragment whose first one is unknown is dropped: it could belong to anybody.
 */
static __always_inline int lan_frag(struct __sk_buff *skb,
				    const struct packet *p,
				    struct flow_place *at, bool is_v6)
{
	struct flow_way *way;

	/* the key of all fragments of the datagram, which have no ports */
	lan_place(at, p, p->frag_id, FLOW_FRAGMENT | (is_v6 ? 0 : p->proto),
		  is_v6);
	way = lan_ways(at, is_v6);
	if (p->frag == FRAG_FIRST) {
		at->hit.verdict &= ~DAE_FLOW_GROUP;
		lan_keep_flow(at, way, is_v6);
	} else if (!lan_find(at, way, dae_cfg.frag_jiffies, is_v6)) {
		tally_add(DAE_COUNT_FRAG_UNKNOWN);
		return TC_DROP;
	}
	return lan_act(skb, &at->hit);
}

__noinline int lan_frag4(struct __sk_buff *skb, const struct packet *p,
			 struct flow_place *at)
{
	return p && at ? lan_frag(skb, p, at, false) : TC_DROP;
}

__noinline int lan_frag6(struct __sk_buff *skb, const struct packet *p,
			 struct flow_place *at)
{
	return p && at ? lan_frag(skb, p, at, true) : TC_DROP;
}

/* The whole way of a fragment. The first one is decided here and not in
 * lan_frag(), whose stack would come on top of the decision's. */
static __always_inline int lan_fragment(struct __sk_buff *skb,
					const struct packet *p,
					struct flow_place *at, bool is_v6)
{
	if (p->frag == FRAG_FIRST && !packet_is_l4(p->proto)) {
		group_set(&at->hit, DAE_KIND_PASS, 0);
	} else if (p->frag == FRAG_FIRST) {
		lan_place(at, p, p->ports, p->proto, is_v6);
		if (is_v6)
			lan_first6(skb, p, at);
		else
			lan_first4(skb, p, at);
	}
	return is_v6 ? lan_frag6(skb, p, at) : lan_frag4(skb, p, at);
}

/* A packet that has no ports to decide by. */
static __always_inline int lan_unparsed(struct __sk_buff *skb,
					const struct packet *p,
					struct flow_place *at, int why)
{
	if (why == PARSE_OTHER) {
		if (p->frag == FRAG_FIRST && p->is_v6)
			return lan_fragment(skb, p, at, true);
		tally_add(DAE_COUNT_PASS_OTHER);
		return TC_NEXT;
	}
	tally_add(why == PARSE_TRUNCATED ? DAE_COUNT_TRUNCATED
					 : DAE_COUNT_EXT_HEADERS);
	return TC_DROP;
}

static __always_inline int lan_ingress(struct __sk_buff *skb, bool has_mac)
{
	struct flow_place at = {};
	struct packet p = {};
	int r;

	r = packet_parse(skb, &p, has_mac);
	if (r)
		return lan_unparsed(skb, &p, &at, r);
	if (p.frag)
		return p.is_v6 ? lan_fragment(skb, &p, &at, true)
			       : lan_fragment(skb, &p, &at, false);
	return p.is_v6 ? lan_flow(skb, &p, &at, true)
		       : lan_flow(skb, &p, &at, false);
}

SEC("tcx/ingress")
int dae_lan_l2(struct __sk_buff *skb)
{
	return lan_ingress(skb, true);
}

SEC("tcx/ingress")
int dae_lan_l3(struct __sk_buff *skb)
{
	return lan_ingress(skb, false);
}
