/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handing a flow to a local transparent listener, which belongs to another
 * process: it is looked up by address for each SYN and each datagram. The mark
 * makes the routing rule deliver the packet locally; packets of an established
 * connection need nothing else, since the kernel finds their socket by itself.
 */
#pragma once

#include "bpf/group.bpf.h"

#define TCP_STATE_TIME_WAIT 6
#define TCP_STATE_LISTEN 10
#define HAND_OVER_TRIES 4

static __always_inline void assign_mark(struct __sk_buff *skb)
{
	skb->mark = (skb->mark & ~dae_cfg.mark_mask) | dae_cfg.mark;
}

/* The tuple of @p with destination @t (the flow's own if NULL); its size, 0 if
 * @t has no address of the family. */
static __always_inline __u32 assign_tuple(struct bpf_sock_tuple *tuple,
					  const struct packet *p,
					  const struct dae_target *t)
{
	__u16 sport = p->ports & 0xffff;
	__u16 dport = t ? t->port : p->ports >> 16;

	if (!p->is_v6) {
		if (t && !(t->families & 1))
			return 0;
		tuple->ipv4.saddr = p->src4;
		tuple->ipv4.daddr = t ? t->addr4 : p->dst4;
		tuple->ipv4.sport = sport;
		tuple->ipv4.dport = dport;
		return sizeof(tuple->ipv4);
	}
	if (t && !(t->families & 2))
		return 0;
	__builtin_memcpy(tuple->ipv6.saddr, p->src6, 16);
	if (t)
		__builtin_memcpy(tuple->ipv6.daddr, t->addr6, 16);
	else
		__builtin_memcpy(tuple->ipv6.daddr, p->dst6, 16);
	tuple->ipv6.sport = sport;
	tuple->ipv6.dport = dport;
	return sizeof(tuple->ipv6);
}

/* State of the TCP socket that has the flow's own addresses; 0: none. */
__noinline int assign_own_state(struct __sk_buff *skb, const struct packet *p)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	int state;

	if (!p)
		return 0;
	if (p->is_v6) {
		if (!assign_tuple(&tuple, p, NULL))
			return 0;
		sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6),
					BPF_F_CURRENT_NETNS, 0);
	} else {
		if (!assign_tuple(&tuple, p, NULL))
			return 0;
		sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4),
					BPF_F_CURRENT_NETNS, 0);
	}
	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state == TCP_STATE_LISTEN ? 0 : state;
}

static __always_inline struct bpf_sock *
assign_lookup(struct __sk_buff *skb, const struct packet *p,
	      struct bpf_sock_tuple *tuple, __u32 size)
{
	if (p->proto == IPPROTO_UDP)
		return bpf_sk_lookup_udp(skb, tuple, size, BPF_F_CURRENT_NETNS,
					 0);
	return bpf_sk_lookup_tcp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);
}

/* 0 if a listener of target @id has the packet now. */
__noinline int assign_listener(struct __sk_buff *skb, const struct packet *p,
			       __u32 id)
{
	const struct dae_target *t = table_at(&targets, id);
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u32 size;
	int r;

	if (!t || !p)
		return -1;
	size = assign_tuple(&tuple, p, t);
	if (size == sizeof(tuple.ipv4))
		sk = assign_lookup(skb, p, &tuple, sizeof(tuple.ipv4));
	else if (size == sizeof(tuple.ipv6))
		sk = assign_lookup(skb, p, &tuple, sizeof(tuple.ipv6));
	else
		return -1;
	if (!sk)
		return -1;
	r = bpf_sk_assign(skb, sk, 0);
	bpf_sk_release(sk);
	if (r)
		tally_add(DAE_COUNT_ASSIGN_FAILED);
	return r;
}

/*
 * Give a SYN or datagram to the candidate in @f, or, while none listens there,
 * to the next one alive; if nobody takes it, on_all_dead decides. On return @f
 * says what became of it. Whether that may go to the flow table: as the caller
 * knows of the candidate in @f (@may_keep), else by what took its place.
 */
__noinline bool assign_hand_over(struct __sk_buff *skb, const struct packet *p,
				 struct flow_hit *f, bool may_keep)
{
	__u32 group, class_id;
	__u64 tried = 0;
	int i, state;

	if (!p || !f)
		return false;
	if (p->proto == IPPROTO_TCP) {
		/* a retransmitted SYN belongs to the request it made */
		state = assign_own_state(skb, p);
		if (state && state != TCP_STATE_TIME_WAIT)
			return may_keep;
	}
	group = f->verdict >> 8 & 0xff;
	class_id = dae_class_of(p->proto == IPPROTO_UDP, p->is_v6);
	for (i = 0; i < HAND_OVER_TRIES; i++) {
		if (!assign_listener(skb, p,
				     f->verdict >> 16 & (DAE_TARGETS_MAX - 1)))
			return i ? group_may_stay(p, f) : may_keep;
		tried |= 1ULL << (f->verdict >> 26 & 63);
		if (i == HAND_OVER_TRIES - 1)
			tried = ~0ULL; /* enough: as if none were left */
		group_choose(f, group, class_id, tried);
		if (group_kind(f) != DAE_KIND_TPROXY)
			break;
	}
	if (group_kind(f) != DAE_KIND_DIRECT) {
		tally_add(DAE_COUNT_NO_LISTENER);
		group_set(f, DAE_KIND_BLOCK, 0);
	}
	return group_may_stay(p, f);
}
