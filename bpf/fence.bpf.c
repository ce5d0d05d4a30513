/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second fence. A socket that was handed over belongs to the cgroup of its
 * creator, so these programs sit there and decide by who is using it now: a
 * process with the workers' uid may give an address (connect, sendmsg with a
 * name, MSG_FASTOPEN) only as the class of the socket's mark allows.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/fence_maps.h"

#define FENCE_DENY 0
#define FENCE_ALLOW 1

char dae_license[] SEC("license")
= "GPL";

const volatile __u32 fence_uid = 0xffffffff;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, DAE_FENCE_MARKS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} fence_marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, DAE_FENCE_NODES_MAX);
	__type(key, struct dae_fence_node);
	__type(value, __u32);
} fence_nodes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} fence_denials SEC(".maps");

static __always_inline int fence_decide(struct bpf_sock_addr *ctx,
					const struct dae_fence_node *node)
{
	struct bpf_sock *sk = ctx->sk;
	__u32 mark, zero = 0, *class_id;
	__u64 *denied;

	if ((__u32)bpf_get_current_uid_gid() != fence_uid)
		return FENCE_ALLOW;
	if (sk) {
		mark = sk->mark;
		class_id = bpf_map_lookup_elem(&fence_marks, &mark);
		if (class_id && *class_id == DAE_FENCE_LISTENER)
			return FENCE_ALLOW;
		if (class_id && *class_id == DAE_FENCE_RELAY &&
		    bpf_map_lookup_elem(&fence_nodes, node))
			return FENCE_ALLOW;
	}
	denied = bpf_map_lookup_elem(&fence_denials, &zero);
	if (denied)
		__sync_fetch_and_add(denied, 1);
	return FENCE_DENY;
}

static __always_inline int fence_4(struct bpf_sock_addr *ctx)
{
	struct dae_fence_node node = {};

	node.addr[2] = bpf_htonl(0xffff);
	node.addr[3] = ctx->user_ip4;
	node.port = ctx->user_port;
	return fence_decide(ctx, &node);
}

static __always_inline int fence_6(struct bpf_sock_addr *ctx)
{
	struct dae_fence_node node = {};

	node.addr[0] = ctx->user_ip6[0];
	node.addr[1] = ctx->user_ip6[1];
	node.addr[2] = ctx->user_ip6[2];
	node.addr[3] = ctx->user_ip6[3];
	node.port = ctx->user_port;
	return fence_decide(ctx, &node);
}

SEC("cgroup/connect4")
int dae_fence_c4(struct bpf_sock_addr *ctx)
{
	return fence_4(ctx);
}

SEC("cgroup/connect6")
int dae_fence_c6(struct bpf_sock_addr *ctx)
{
	return fence_6(ctx);
}

SEC("cgroup/sendmsg4")
int dae_fence_s4(struct bpf_sock_addr *ctx)
{
	return fence_4(ctx);
}

SEC("cgroup/sendmsg6")
int dae_fence_s6(struct bpf_sock_addr *ctx)
{
	return fence_6(ctx);
}
