/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ingress of lo: what the host sends to an engine arrives here, with its own
 * destination, and is handed over as a packet from the LAN is. All else passes
 * after one look.
 */
#pragma once

#include "bpf/host_act.bpf.h"
#include "bpf/host_flow.bpf.h"

#define LO_NEXT (-1)
#define LO_DROP 2

/* From the loopback address to one that is not loopback. */
static __always_inline bool lo_is_sent_here(const struct __sk_buff *skb)
{
	const void *data = (const void *)(long)skb->data;
	const void *end = (const void *)(long)skb->data_end;
	const struct ethhdr *eth = data;
	const struct iphdr *ip4 = (const void *)(eth + 1);
	const struct ipv6hdr *ip6 = (const void *)(eth + 1);
	const __u32 *a, *b;

	if ((const void *)(ip4 + 1) > end)
		return false;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return ip4->saddr == bpf_htonl(0x7f000001) &&
		       (ip4->daddr & bpf_htonl(0xff000000)) !=
			       bpf_htonl(0x7f000000);
	if ((const void *)(ip6 + 1) > end ||
	    eth->h_proto != bpf_htons(ETH_P_IPV6))
		return false;
	a = ip6->saddr.in6_u.u6_addr32;
	b = ip6->daddr.in6_u.u6_addr32;
	if (a[0] | a[1] | a[2] | (a[3] ^ bpf_htonl(1)))
		return false;
	return b[0] | b[1] | b[2] | (b[3] ^ bpf_htonl(1));
}

/* What was decided when the sender's socket was given its address. */
__noinline int lo_ask_sender(struct __sk_buff *skb, const struct packet *p,
			     struct flow_hit *f)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk;
	struct dae_socket *s;
	__u32 size;
	int found = 0;

	if (!p || !f)
		return 0;
	if (p->is_v6) {
		__builtin_memcpy(t.ipv6.saddr, p->dst6, 16);
		__builtin_memcpy(t.ipv6.daddr, p->src6, 16);
		t.ipv6.sport = p->ports >> 16;
		t.ipv6.dport = p->ports & 0xffff;
	} else {
		t.ipv4.saddr = p->dst4;
		t.ipv4.daddr = p->src4;
		t.ipv4.sport = p->ports >> 16;
		t.ipv4.dport = p->ports & 0xffff;
	}
	size = p->is_v6 ? sizeof(t.ipv6) : sizeof(t.ipv4);
	sk = assign_lookup(skb, p, &t, size);
	if (!sk)
		return 0;
	s = bpf_sk_storage_get(&host_sockets, sk, NULL, 0);
	if (s && s->flags & (DAE_SOCKET_MARKED | DAE_SOCKET_PROXIED)) {
		f->verdict = s->verdict;
		f->mark = 0;
		found = 1;
	}
	bpf_sk_release(sk);
	return found;
}

/* Fills @at->hit with the way of the flow; whether that is to be kept. */
static __always_inline bool
lo_resolve(struct __sk_buff *skb, const struct packet *p, struct host_place *at)
{
	bool is_udp = p->proto == IPPROTO_UDP;

	if (is_udp && host_find(at, p->is_v6) && host_may_stay(p, &at->hit))
		return false;
	if (lo_ask_sender(skb, p, &at->hit) &&
	    (!is_udp || host_may_stay(p, &at->hit)))
		return is_udp;
	if (p->is_v6)
		return decide_new(p, &at->hit, true) && is_udp;
	return decide_new(p, &at->hit, false) && is_udp;
}

__noinline int lo_take(struct __sk_buff *skb, const struct packet *p,
		       struct host_place *at)
{
	bool keep;

	if (!p || !at)
		return LO_NEXT;
	keep = lo_resolve(skb, p, at);
	if (group_kind(&at->hit) == DAE_KIND_TPROXY)
		keep = assign_hand_over(skb, p, &at->hit, keep);
	if (group_kind(&at->hit) != DAE_KIND_TPROXY) {
		tally_add(DAE_COUNT_HOST_LOST);
		return LO_DROP;
	}
	if (keep && p->proto == IPPROTO_UDP)
		host_keep(at, p->is_v6);
	return LO_NEXT;
}

static __always_inline int lo_ingress(struct __sk_buff *skb)
{
	struct host_place at = {};
	struct packet p = {};

	if ((skb->mark & dae_cfg.mark_mask) != dae_cfg.mark &&
	    !lo_is_sent_here(skb))
		return LO_NEXT;
	if (packet_parse(skb, &p, true))
		return LO_NEXT;
	if (p.proto == IPPROTO_TCP &&
	    (p.tcp_flags & TCP_SYN_ACK) != TCP_SYN_ONLY)
		return LO_NEXT; /* the kernel knows its socket */
	if (!host_packet_goes_out(&p, p.is_v6))
		return LO_NEXT;
	host_place(&at, &p);
	return lo_take(skb, &p, &at);
}
