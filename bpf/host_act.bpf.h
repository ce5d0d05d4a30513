/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to a socket so that its flow goes the way decided: a mark, which
 * the routing rules turn into an uplink or into lo, or another destination.
 */
#pragma once

#include "bpf/host_exempt.bpf.h"

#define HOST_SOL_SOCKET 1
#define HOST_SO_MARK 36
#define HOST_SO_BINDTOIFINDEX 62

#define HOST_REFUSE 0 /* EPERM to the caller */
#define HOST_ALLOW 1

static __always_inline struct dae_socket *host_socket(struct bpf_sock *sk)
{
	return bpf_sk_storage_get(&host_sockets, sk, NULL, 0);
}

static __always_inline struct dae_socket *host_socket_make(struct bpf_sock *sk)
{
	return bpf_sk_storage_get(&host_sockets, sk, NULL,
				  BPF_SK_STORAGE_GET_F_CREATE);
}

/* Give the socket, which has the mark @now, another one. */
static __always_inline bool host_set_mark(struct bpf_sock_addr *ctx, __u32 now,
					  __u32 mark)
{
	int v = mark;

	return now == mark || !bpf_setsockopt(ctx, HOST_SOL_SOCKET,
					      HOST_SO_MARK, &v, sizeof(v));
}

/* Give it a mark of ours, and remember its own. */
static __always_inline bool host_mark(struct bpf_sock_addr *ctx,
				      struct dae_socket *s, __u32 now,
				      __u32 mark)
{
	if (!(s->flags & DAE_SOCKET_MARKED)) {
		s->old_mark = now;
		s->flags |= DAE_SOCKET_MARKED;
	}
	return host_set_mark(ctx, now, mark);
}

/* The socket's mark as the application gave it; @s may be NULL. */
static __always_inline __u32 host_own_mark(const struct dae_socket *s,
					   __u32 now)
{
	return s && s->flags & DAE_SOCKET_MARKED ? s->old_mark : now;
}

/* A socket that goes its own way again, perhaps after another one. */
static __always_inline void host_restore(struct bpf_sock_addr *ctx,
					 struct dae_socket *s, __u32 now)
{
	if (!s || !(s->flags & DAE_SOCKET_MARKED))
		return;
	host_set_mark(ctx, now, s->old_mark);
	s->flags &= ~DAE_SOCKET_MARKED;
}

/* The mark of a socket whose flow an engine gets. */
static __always_inline __u32 host_engine_mark(__u32 own)
{
	return (own & ~dae_cfg.mark_mask) | dae_cfg.mark;
}

static __always_inline const struct dae_target *
host_target(const struct flow_hit *f)
{
	return table_at(&targets, f->verdict >> 16 & (DAE_TARGETS_MAX - 1));
}

/* Send the flow to the listener of @t instead; false if it has no address of
 * the family. @wide: the address given is IPv6, perhaps a mapped one. */
static __always_inline bool host_readdress(struct bpf_sock_addr *ctx,
					   const struct packet *p,
					   const struct dae_target *t,
					   bool wide)
{
	if (p->is_v6 ? !(t->families & 2) : !(t->families & 1))
		return false;
	if (!wide) {
		ctx->user_ip4 = t->addr4;
	} else if (p->is_v6) {
		ctx->user_ip6[0] = t->addr6[0];
		ctx->user_ip6[1] = t->addr6[1];
		ctx->user_ip6[2] = t->addr6[2];
		ctx->user_ip6[3] = t->addr6[3];
	} else {
		ctx->user_ip6[0] = 0;
		ctx->user_ip6[1] = 0;
		ctx->user_ip6[2] = bpf_htonl(0xffff);
		ctx->user_ip6[3] = t->addr4;
	}
	ctx->user_port = t->port;
	return true;
}

/* Whether somebody listens at target @id for the flow. */
__noinline int host_listens(struct bpf_sock_addr *ctx, const struct packet *p,
			    __u32 id)
{
	const struct dae_target *t = table_at(&targets, id);
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u32 size;

	if (!t || !p)
		return 0;
	size = assign_tuple(&tuple, p, t);
	if (size != sizeof(tuple.ipv4) && size != sizeof(tuple.ipv6))
		return 0;
	size = p->is_v6 ? sizeof(tuple.ipv6) : sizeof(tuple.ipv4);
	if (p->proto == IPPROTO_UDP)
		sk = bpf_sk_lookup_udp(ctx, &tuple, size, BPF_F_CURRENT_NETNS,
				       0);
	else
		sk = bpf_sk_lookup_tcp(ctx, &tuple, size, BPF_F_CURRENT_NETNS,
				       0);
	if (!sk)
		return 0;
	bpf_sk_release(sk);
	return 1;
}

/* With nobody else to take the flow there is nothing to ask for. */
static __always_inline bool host_has_choice(const struct packet *p,
					    const struct flow_hit *f)
{
	const struct dae_group *g;
	const struct dae_list *l;

	g = table_at(
		&groups,
		dae_group_key(f->verdict >> 8 & 0xff,
			      dae_class_of(p->proto == IPPROTO_UDP, p->is_v6)));
	if (!g)
		return false;
	l = group_list(g, FLOW_READ(g->bank));
	return l->count > 1 || l->on_all_dead != DAE_DEAD_BLOCK;
}

/* The first candidate from the one in @f on that listens, as the flow cannot
 * be given to another one later; if none does, on_all_dead decides. */
__noinline int host_choose(struct bpf_sock_addr *ctx, const struct packet *p,
			   struct flow_hit *f)
{
	__u64 tried = 0;
	int i;

	if (!p || !f)
		return 0;
	for (i = 0; i < HAND_OVER_TRIES; i++) {
		if (group_kind(f) != DAE_KIND_TPROXY ||
		    host_listens(ctx, p,
				 f->verdict >> 16 & (DAE_TARGETS_MAX - 1)))
			return 0;
		tried |= 1ULL << (f->verdict >> 26 & 63);
		if (i == HAND_OVER_TRIES - 1)
			tried = ~0ULL; /* enough: as if none were left */
		group_choose(f, f->verdict >> 8 & 0xff,
			     dae_class_of(p->proto == IPPROTO_UDP, p->is_v6),
			     tried);
	}
	if (group_kind(f) == DAE_KIND_TPROXY) {
		tally_add(DAE_COUNT_NO_LISTENER);
		group_set(f, DAE_KIND_BLOCK, 0);
	}
	return 0;
}

/*
 * The rules' word on a flow of ours. Plain direct is most of all and done with;
 * only what would be changed is worth asking who sends it. Whether it may be
 * kept.
 */
static __always_inline bool host_decide(struct bpf_sock_addr *ctx,
					struct packet *p, struct flow_hit *f,
					bool is_v6)
{
	const struct dae_rule *rule;
	bool may_stay;
	__u32 result;

	if (CLASSIFY_USES(DAE_DIM_PNAME))
		host_set_name(p);
	result = is_v6 ? classify(p, true) : classify(p, false);
	rule = decide_rule(result);
	if ((rule->action != DAE_ACTION_DIRECT || rule->mark) &&
	    host_is_exempt()) {
		group_set(f, DAE_KIND_PASS, 0);
		return false;
	}
	if (rule->action == DAE_ACTION_GROUP && !f->hash)
		f->hash = bpf_get_prandom_u32(); /* no port is known yet */
	may_stay = decide_by(p, f, result, is_v6);
	if (group_kind(f) == DAE_KIND_TPROXY && host_has_choice(p, f))
		host_choose(ctx, p, f);
	trace_decision(p, f, result);
	return may_stay;
}
