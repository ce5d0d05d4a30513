/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's own traffic: decided when a socket is given an address, so that a
 * connected one costs nothing afterwards. A flow for a transparent engine gets
 * the mark of local delivery (or, sent by a socket without a connection, the
 * loopback address as its source) and keeps its destination all the way; one
 * for a listener that asks SO_ORIGINAL_DST is given the listener's address.
 */
#include "bpf/host_lo.bpf.h"

char dae_license[] SEC("license")
= "GPL";

#define HOST_SO_ORIGINAL_DST 80
#define HOST_AF_INET 2
#define HOST_AF_INET6 10

struct sockaddr4 {
	__u16 family, port;
	__u32 addr;
	__u64 zero;
};

struct sockaddr6 {
	__u16 family, port;
	__u32 flow, a[4], scope;
};

/* Where a connection that was given a listener's address was going, by the
 * address it comes from. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct dae_origin);
	__type(value, struct dae_origin);
} host_origins SEC(".maps");

/* Whether a socket of ours may be looked at at all. */
static __always_inline bool host_concerns(struct bpf_sock_addr *ctx,
					  struct bpf_sock *sk)
{
	if (bpf_get_netns_cookie(ctx) != host_cfg.netns)
		return false;
	return !host_cfg.so_mark ||
	       (sk->mark & host_cfg.so_mark) != host_cfg.so_mark;
}

/* Whether the flow in @p leaves by a wan_interface. */
static __always_inline bool host_is_ours(struct bpf_sock_addr *ctx,
					 const struct bpf_sock *sk,
					 struct packet *p, bool is_v6)
{
	if (!(p->ports >> 16)) /* who asks for its source does so */
		return false;
	if (is_v6 ? !host_packet_goes_out(p, true)
		  : !host_packet_goes_out(p, false))
		return false;
	if (sk->bound_dev_if && !host_is_wan(sk->bound_dev_if))
		return false;
	host_set_dscp(ctx, p, is_v6);
	return true;
}

/* Release a socket from its device, which has no way to where we send it. */
static __always_inline bool host_unbind(struct bpf_sock_addr *ctx,
					const struct bpf_sock *sk)
{
	int none = 0;

	if (!sk->bound_dev_if ||
	    !bpf_setsockopt(ctx, HOST_SOL_SOCKET, HOST_SO_BINDTOIFINDEX, &none,
			    sizeof(none)))
		return true;
	tally_add(DAE_COUNT_HOST_BOUND);
	return false;
}

/* --- connect --- */

/* To an engine. @s: what is remembered of the socket; @mark: the one it has. */
static __always_inline int host_capture(struct bpf_sock_addr *ctx,
					struct dae_socket *s, __u32 mark,
					const struct packet *p,
					const struct flow_hit *f, bool wide)
{
	const struct dae_target *t = host_target(f);

	if (!t || !s)
		return HOST_REFUSE;
	s->verdict = f->verdict;
	if (t->learns != DAE_LEARNS_REDIRECT) {
		s->flags &= ~DAE_SOCKET_MOVED;
		return host_mark(ctx, s, mark,
				 host_engine_mark(host_own_mark(s, mark)));
	}
	host_restore(ctx, s, mark);
	host_origin_of(p, &s->origin);
	s->flags |= DAE_SOCKET_MOVED;
	return host_readdress(ctx, p, t, wide);
}

static __always_inline int host_connect(struct bpf_sock_addr *ctx,
					struct bpf_sock *sk, struct packet *p,
					bool wide)
{
	/* known to the compiler for IPv4, whose code has no part of IPv6 */
	const bool is_v6 = wide && p->is_v6;
	__u32 kind = DAE_KIND_PASS, mark = sk->mark;
	struct dae_socket *s = NULL;
	struct flow_hit f = {};

	/* a socket that was given an address before */
	if (mark || sk->dst_port)
		s = host_socket(sk);
	if (s)
		s->flags &= DAE_SOCKET_MARKED;
	if (host_is_ours(ctx, sk, p, is_v6)) {
		host_decide(ctx, p, &f, is_v6);
		kind = group_kind(&f);
	}
	if (kind == DAE_KIND_TPROXY && host_unbind(ctx, sk)) {
		s = s ?: host_socket_make(sk);
		return host_capture(ctx, s, mark, p, &f, wide);
	}
	if (kind == DAE_KIND_DIRECT && f.mark &&
	    f.mark != host_own_mark(s, mark) && host_unbind(ctx, sk)) {
		s = s ?: host_socket_make(sk);
		return s && host_mark(ctx, s, mark, f.mark);
	}
	host_restore(ctx, s, mark);
	return kind == DAE_KIND_BLOCK ? HOST_REFUSE : HOST_ALLOW;
}

SEC("cgroup/connect4")
int dae_host_c4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};

	if (!sk || !host_concerns(ctx, sk) || !host_set_protocol(ctx, &p))
		return HOST_ALLOW;
	host_facts4(ctx, sk, &p);
	return host_connect(ctx, sk, &p, false);
}

SEC("cgroup/connect6")
int dae_host_c6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};

	if (!sk || !host_concerns(ctx, sk) || !host_set_protocol(ctx, &p))
		return HOST_ALLOW;
	host_facts6(ctx, sk, &p);
	return host_connect(ctx, sk, &p, true);
}

/* --- datagrams of sockets that are not connected --- */

/* The socket's mark is read before we are asked: this datagram would still go
 * by the old one. It is refused, the next one goes the right way. */
static __always_inline int host_send_marked(struct bpf_sock_addr *ctx,
					    struct bpf_sock *sk, __u32 mark)
{
	struct dae_socket *s;

	if (mark == sk->mark)
		return HOST_ALLOW;
	s = host_socket_make(sk);
	if (s)
		host_mark(ctx, s, sk->mark, mark);
	tally_add(DAE_COUNT_HOST_LATE);
	return HOST_REFUSE;
}

/* Whether a datagram's source is ours to choose. */
static __always_inline bool host_is_free(const struct bpf_sock *sk,
					 bool has_source)
{
	if (!has_source && !sk->bound_dev_if)
		return true;
	tally_add(DAE_COUNT_HOST_BOUND);
	return false;
}

/* The way of an unconnected datagram; 0 if it is none of ours. */
__noinline int host_resolve(struct bpf_sock_addr *ctx, struct packet *p,
			    struct host_place *at)
{
	if (!p || !at)
		return 0;
	host_place(at, p);
	if (host_find(at, p->is_v6) && host_may_stay(p, &at->hit))
		return 1;
	if (host_decide(ctx, p, &at->hit, p->is_v6))
		host_keep(at, p->is_v6);
	return 1;
}

static __always_inline void host_remember(struct bpf_sock *sk,
					  const struct packet *p,
					  const struct flow_hit *f, __u32 flag)
{
	struct dae_socket *s = host_socket_make(sk);

	if (!s)
		return;
	s->verdict = f->verdict;
	s->flags |= flag;
	host_origin_of(p, &s->origin);
}

/* Whether the socket was given this very address by connect(), which has
 * decided: an IPv6 socket asks here all the same for a mapped one. */
static __always_inline bool host_is_connected(const struct bpf_sock *sk,
					      const struct packet *p)
{
	return sk->dst_port == p->ports >> 16 &&
	       (p->is_v6 || sk->dst_ip4 == p->dst4) &&
	       (!p->is_v6 ||
		((FLOW_READ(sk->dst_ip6[0]) | (__u64)FLOW_READ(sk->dst_ip6[1])
						      << 32) == p->dst6[0] &&
		 (FLOW_READ(sk->dst_ip6[2]) | (__u64)FLOW_READ(sk->dst_ip6[3])
						      << 32) == p->dst6[1]));
}

#define HOST_TO_LO 2 /* allow, with the loopback address as the source */

static __always_inline int host_send(struct bpf_sock_addr *ctx,
				     struct bpf_sock *sk, struct packet *p,
				     bool has_source, bool wide)
{
	const struct dae_target *t;
	struct host_place at = {};

	has_source |= host_has_source(p);
	if (host_is_connected(sk, p) || !host_is_ours(ctx, sk, p, wide))
		return HOST_ALLOW;
	if (!host_has_source(p))
		host_set_loopback(p);
	host_resolve(ctx, p, &at);
	switch (group_kind(&at.hit)) {
	case DAE_KIND_BLOCK:
		return HOST_REFUSE;
	case DAE_KIND_DIRECT:
		return at.hit.mark ? host_send_marked(ctx, sk, at.hit.mark)
				   : HOST_ALLOW;
	case DAE_KIND_TPROXY:
		t = host_target(&at.hit);
		if (!t)
			return HOST_REFUSE;
		if (t->learns == DAE_LEARNS_REDIRECT) {
			host_remember(sk, p, &at.hit, DAE_SOCKET_MOVED);
			return host_readdress(ctx, p, t, wide);
		}
		if (!host_is_free(sk, has_source))
			return HOST_ALLOW;
		host_remember(sk, p, &at.hit, DAE_SOCKET_PROXIED);
		return HOST_TO_LO;
	}
	return HOST_ALLOW;
}

SEC("cgroup/sendmsg4")
int dae_host_s4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};
	int r;

	if (!sk || !host_concerns(ctx, sk) || !host_set_protocol(ctx, &p))
		return HOST_ALLOW;
	host_facts4(ctx, sk, &p);
	r = host_send(ctx, sk, &p, ctx->msg_src_ip4, false);
	if (r == HOST_TO_LO)
		ctx->msg_src_ip4 = bpf_htonl(0x7f000001);
	return !!r;
}

SEC("cgroup/sendmsg6")
int dae_host_s6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};
	bool has_source;
	int r;

	if (!sk || !host_concerns(ctx, sk) || !host_set_protocol(ctx, &p))
		return HOST_ALLOW;
	host_facts6(ctx, sk, &p);
	if (!p.is_v6)
		return HOST_ALLOW; /* the hook for IPv4 is asked as well */
	has_source = ctx->msg_src_ip6[0] | ctx->msg_src_ip6[1] |
		     ctx->msg_src_ip6[2] | ctx->msg_src_ip6[3];
	r = host_send(ctx, sk, &p, has_source, true);
	if (r == HOST_TO_LO) {
		ctx->msg_src_ip6[0] = 0;
		ctx->msg_src_ip6[1] = 0;
		ctx->msg_src_ip6[2] = 0;
		ctx->msg_src_ip6[3] = bpf_htonl(1);
	}
	return !!r;
}

/* --- answers, and who may see what --- */

/* Whether the address the hook was given is the listener's that this socket was
 * given instead of another one; @p has it as its destination. */
static __always_inline bool host_is_moved(const struct dae_socket *s,
					  const struct packet *p)
{
	const struct dae_target *t;
	struct flow_hit f = {};

	if (!(s->flags & DAE_SOCKET_MOVED))
		return false;
	f.verdict = s->verdict;
	t = host_target(&f);
	if (!t || t->port != p->ports >> 16)
		return false;
	if (!p->is_v6)
		return t->addr4 == p->dst4;
	return (t->addr6[0] | (__u64)t->addr6[1] << 32) == p->dst6[0] &&
	       (t->addr6[2] | (__u64)t->addr6[3] << 32) == p->dst6[1];
}

static __always_inline void host_tell(struct bpf_sock_addr *ctx,
				      const struct dae_origin *o, bool wide)
{
	ctx->user_port = o->port;
	if (!wide) {
		ctx->user_ip4 = o->a[1] >> 32;
		return;
	}
	ctx->user_ip6[0] = (__u32)o->a[0];
	ctx->user_ip6[1] = o->a[0] >> 32;
	ctx->user_ip6[2] = (__u32)o->a[1];
	ctx->user_ip6[3] = o->a[1] >> 32;
}

/* A flow that began outside: what is sent back goes as it always did. */
__noinline int host_note_inbound(struct packet *p, struct host_place *at)
{
	if (!p || !at)
		return 0;
	if (!host_has_source(p))
		host_set_loopback(p);
	host_place(at, p);
	if (host_find(at, p->is_v6))
		return 0;
	group_set(&at->hit, DAE_KIND_PASS, 0);
	host_keep(at, p->is_v6);
	return 0;
}

static __always_inline int host_receive(struct bpf_sock_addr *ctx,
					struct bpf_sock *sk, struct packet *p,
					bool wide)
{
	struct host_place at = {};
	struct dae_socket *s = host_socket(sk);

	if (s && host_is_moved(s, p)) {
		host_tell(ctx, &s->origin, wide);
		return HOST_ALLOW;
	}
	if (sk->dst_port)
		return HOST_ALLOW;
	if (host_is_engine_port(sk->src_port))
		host_exempt_current();
	/* who has sent to an engine gets its answers that way, even late */
	if (s && s->flags & DAE_SOCKET_PROXIED)
		return HOST_ALLOW;
	if (p->is_v6 ? host_packet_goes_out(p, true)
		     : host_packet_goes_out(p, false))
		host_note_inbound(p, &at);
	return HOST_ALLOW;
}

SEC("cgroup/recvmsg4")
int dae_host_r4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = { .proto = IPPROTO_UDP };

	if (!sk || !host_concerns(ctx, sk))
		return HOST_ALLOW;
	host_facts4(ctx, sk, &p);
	return host_receive(ctx, sk, &p, false);
}

SEC("cgroup/recvmsg6")
int dae_host_r6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = { .proto = IPPROTO_UDP };

	if (!sk || !host_concerns(ctx, sk))
		return HOST_ALLOW;
	host_facts6(ctx, sk, &p);
	return host_receive(ctx, sk, &p, true);
}

/* The application asks whom it talks to. */
static __always_inline int host_peer(struct bpf_sock_addr *ctx,
				     struct bpf_sock *sk,
				     const struct packet *p, bool wide)
{
	const struct dae_socket *s = host_socket(sk);

	if (s && host_is_moved(s, p))
		host_tell(ctx, &s->origin, wide);
	return HOST_ALLOW;
}

SEC("cgroup/getpeername4")
int dae_host_p4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};

	if (!sk)
		return HOST_ALLOW;
	host_facts4(ctx, sk, &p);
	return host_peer(ctx, sk, &p, false);
}

SEC("cgroup/getpeername6")
int dae_host_p6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};

	if (!sk)
		return HOST_ALLOW;
	host_facts6(ctx, sk, &p);
	return host_peer(ctx, sk, &p, true);
}

/* --- the listener asks where a connection was going --- */

static __always_inline void host_key_of_peer(const struct bpf_sock *sk,
					     struct dae_origin *key)
{
	__u32 a = FLOW_READ(sk->dst_ip6[0]), b = FLOW_READ(sk->dst_ip6[1]);
	__u32 c = FLOW_READ(sk->dst_ip6[2]), d = FLOW_READ(sk->dst_ip6[3]);

	key->port = sk->dst_port;
	if (sk->family != HOST_AF_INET6) {
		a = b = 0;
		c = bpf_htonl(0xffff);
		d = sk->dst_ip4;
	}
	key->a[0] = a | (__u64)b << 32;
	key->a[1] = c | (__u64)d << 32;
}

static __always_inline const struct dae_origin *
host_origin(const struct bpf_sock *sk)
{
	struct dae_origin key = {};

	if (!sk->dst_port || !host_is_engine_port(sk->src_port))
		return NULL;
	host_key_of_peer(sk, &key);
	return bpf_map_lookup_elem(&host_origins, &key);
}

SEC("sockops")
int dae_host_ops(struct bpf_sock_ops *ctx)
{
	struct dae_origin key = {};
	struct dae_socket *s;
	struct bpf_sock *sk;

	if (ctx->op != BPF_SOCK_OPS_TCP_CONNECT_CB)
		return 1;
	sk = ctx->sk;
	if (!sk)
		return 1;
	s = host_socket(sk);
	if (!s || !(s->flags & DAE_SOCKET_MOVED))
		return 1;
	key.port = bpf_htons(ctx->local_port);
	if (s->origin.is_v6) {
		key.a[0] = FLOW_READ(ctx->local_ip6[0]) |
			   (__u64)FLOW_READ(ctx->local_ip6[1]) << 32;
		key.a[1] = FLOW_READ(ctx->local_ip6[2]) |
			   (__u64)FLOW_READ(ctx->local_ip6[3]) << 32;
	} else {
		key.a[1] = bpf_htonl(0xffff) | (__u64)ctx->local_ip4 << 32;
	}
	bpf_map_update_elem(&host_origins, &key, &s->origin, BPF_ANY);
	return 1;
}

/* Who asks for the local address of a socket that has somebody else's is a
 * transparent proxy. */
static __always_inline int host_own_name(struct bpf_sock_addr *ctx,
					 struct bpf_sock *sk, bool is_foreign,
					 bool wide)
{
	const struct dae_origin *o;

	if (is_foreign || host_is_engine_port(sk->src_port))
		host_exempt_current();
	o = host_origin(sk);
	if (o)
		host_tell(ctx, o, wide);
	return HOST_ALLOW;
}

SEC("cgroup/getsockname4")
int dae_host_n4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};

	if (!sk || !host_concerns(ctx, sk))
		return HOST_ALLOW;
	host_facts4(ctx, sk, &p);
	return host_own_name(ctx, sk, host_packet_goes_out(&p, false), false);
}

SEC("cgroup/getsockname6")
int dae_host_n6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct packet p = {};
	bool is_foreign;

	if (!sk || !host_concerns(ctx, sk))
		return HOST_ALLOW;
	host_facts6(ctx, sk, &p);
	is_foreign = p.is_v6 ? host_packet_goes_out(&p, true)
			     : host_packet_goes_out(&p, false);
	return host_own_name(ctx, sk, is_foreign, true);
}

static __always_inline int host_answer(struct bpf_sockopt *ctx,
				       const struct dae_origin *o)
{
	__u8 *v = ctx->optval;
	struct sockaddr4 *in = (void *)v;
	struct sockaddr6 *in6 = (void *)v;

	if (!o->is_v6 && ctx->level == HOST_SOL_IP) {
		if ((void *)(in + 1) > ctx->optval_end)
			return 1;
		in->family = HOST_AF_INET;
		in->port = o->port;
		in->addr = o->a[1] >> 32;
		in->zero = 0;
		ctx->optlen = sizeof(*in);
	} else if (o->is_v6 && ctx->level == HOST_SOL_IPV6) {
		if ((void *)(in6 + 1) > ctx->optval_end)
			return 1;
		in6->family = HOST_AF_INET6;
		in6->port = o->port;
		in6->flow = 0;
		in6->a[0] = (__u32)o->a[0];
		in6->a[1] = o->a[0] >> 32;
		in6->a[2] = (__u32)o->a[1];
		in6->a[3] = o->a[1] >> 32;
		in6->scope = 0;
		ctx->optlen = sizeof(*in6);
	} else {
		return 1;
	}
	ctx->retval = 0;
	return 1;
}

SEC("cgroup/getsockopt")
int dae_host_opt(struct bpf_sockopt *ctx)
{
	const struct dae_origin *o;
	struct bpf_sock *sk;

	if (ctx->optname != HOST_SO_ORIGINAL_DST ||
	    (ctx->level != HOST_SOL_IP && ctx->level != HOST_SOL_IPV6))
		return 1;
	sk = ctx->sk;
	if (!sk || !host_is_engine_port(sk->src_port))
		return 1;
	host_exempt_current();
	o = host_origin(sk);
	return o ? host_answer(ctx, o) : 1;
}

SEC("tcx/ingress")
int dae_lan_lo(struct __sk_buff *skb)
{
	return lo_ingress(skb);
}
