/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of the host's own flow when a socket is given an address. */
#pragma once

#include "bpf/decide.bpf.h"

#define HOST_SOL_IP 0
#define HOST_SOL_IPV6 41
#define HOST_IP_TOS 1
#define HOST_IPV6_TCLASS 67
#define HOST_SEARCH_STEPS 11 /* halvings of DAE_RANGES_MAX, and one */

const volatile struct dae_host_config host_cfg = {};

ARRAY_MAP(host, struct dae_host);
ARRAY_MAP(host_ranges, struct dae_range);

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dae_socket);
} host_sockets SEC(".maps");

/* The high halves of IPv4 are 0 all. */
static __always_inline bool host_is_before(const __u64 *a, __u64 hi, __u64 lo,
					   bool is_v6)
{
	return is_v6 ? a[0] < hi || (a[0] == hi && a[1] < lo) : a[1] < lo;
}

static __always_inline bool host_is_after(const __u64 *a, __u64 hi, __u64 lo,
					  bool is_v6)
{
	return is_v6 ? a[0] > hi || (a[0] == hi && a[1] > lo) : a[1] > lo;
}

/* Whether @hi:@lo leaves by a wan_interface and is not our own. */
static __always_inline bool host_goes_out(__u64 hi, __u64 lo, bool is_v6)
{
	const struct dae_host *h = table_at(&host, 0);
	const struct dae_range *r;
	__u32 bank, from = 0, to, mid;
	int i;

	if (!h)
		return false;
	bank = h->bank & 1;
	to = h->count[bank][is_v6];
	for (i = 0; i < HOST_SEARCH_STEPS; i++) {
		if (from >= to)
			return false;
		mid = (from + to) / 2;
		r = table_at(&host_ranges, dae_range_key(bank, is_v6, mid));
		if (!r)
			return false;
		if (host_is_after(r->first, hi, lo, is_v6))
			to = mid;
		else if (host_is_before(r->last, hi, lo, is_v6))
			from = mid + 1;
		else
			return true;
	}
	return false;
}

static __always_inline bool host_packet_goes_out(const struct packet *p,
						 bool is_v6)
{
	if (is_v6)
		return host_goes_out(bpf_be64_to_cpu(p->dst6[0]),
				     bpf_be64_to_cpu(p->dst6[1]), true);
	return host_goes_out(0, bpf_ntohl(p->dst4), false);
}

static __always_inline bool host_is_wan(__u32 ifindex)
{
	const struct dae_host *h = table_at(&host, 0);
	int i;

	if (!h)
		return false;
	for (i = 0; i < DAE_WAN_MAX; i++) {
		if (!h->wan[i])
			return false;
		if (h->wan[i] == ifindex)
			return true;
	}
	return false;
}

/* Whether some target listens at @port (host order). */
static __always_inline bool host_is_engine_port(__u32 port)
{
	const struct dae_host *h = table_at(&host, 0);

	return h && h->ports[port >> 6 & 1023] >> (port & 63) & 1;
}

static __always_inline void host_set_dscp(struct bpf_sock_addr *ctx,
					  struct packet *p, bool is_v6)
{
	int v = 0;

	if (!CLASSIFY_USES(DAE_DIM_DSCP))
		return;
	if (is_v6)
		bpf_getsockopt(ctx, HOST_SOL_IPV6, HOST_IPV6_TCLASS, &v,
			       sizeof(v));
	else
		bpf_getsockopt(ctx, HOST_SOL_IP, HOST_IP_TOS, &v, sizeof(v));
	p->dscp = v >> 2 & 63;
}

static __always_inline bool host_set_protocol(const struct bpf_sock_addr *ctx,
					      struct packet *p)
{
	p->proto = ctx->protocol == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	/* a subflow of MPTCP may say so */
	return ctx->protocol == IPPROTO_TCP || ctx->protocol == IPPROTO_UDP ||
	       ctx->protocol == IPPROTO_MPTCP;
}

static __always_inline void host_facts4(struct bpf_sock_addr *ctx,
					struct bpf_sock *sk, struct packet *p)
{
	p->dst4 = ctx->user_ip4;
	p->src4 = sk->src_ip4;
	p->ports = ctx->user_port << 16 | bpf_htons(sk->src_port);
}

/* An address of IPv4 given to an IPv6 socket is one of IPv4. */
static __always_inline void host_facts6(struct bpf_sock_addr *ctx,
					struct bpf_sock *sk, struct packet *p)
{
	__u32 a = FLOW_READ(ctx->user_ip6[0]), b = FLOW_READ(ctx->user_ip6[1]);
	__u32 c = FLOW_READ(ctx->user_ip6[2]), d = FLOW_READ(ctx->user_ip6[3]);

	p->ports = ctx->user_port << 16 | bpf_htons(sk->src_port);
	if (!(a | b) && c == bpf_htonl(0xffff)) {
		p->dst4 = d;
		p->src4 = sk->src_ip4;
		return;
	}
	p->is_v6 = 1;
	p->dst6[0] = a | (__u64)b << 32;
	p->dst6[1] = c | (__u64)d << 32;
	a = FLOW_READ(sk->src_ip6[0]);
	b = FLOW_READ(sk->src_ip6[1]);
	p->src6[0] = a | (__u64)b << 32;
	a = FLOW_READ(sk->src_ip6[2]);
	b = FLOW_READ(sk->src_ip6[3]);
	p->src6[1] = a | (__u64)b << 32;
}

static __always_inline bool host_has_source(const struct packet *p)
{
	return p->is_v6 ? p->src6[0] | p->src6[1] : p->src4;
}

static __always_inline void host_origin_of(const struct packet *p,
					   struct dae_origin *o)
{
	o->is_v6 = p->is_v6;
	o->port = p->ports >> 16;
	o->zero = 0;
	o->a[0] = p->is_v6 ? p->dst6[0] : 0;
	o->a[1] = p->is_v6 ? p->dst6[1]
			   : (__u64)p->dst4 << 32 | bpf_htonl(0xffff);
}
