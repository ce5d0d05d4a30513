/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives each run another source port, or a destination and ports out of a pool,
 * then runs the program under test, so that every run is a flow of its own. */
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PORT4 34 /* of the source: Ethernet, then IP without options */
#define PORT6 54
#define DST4 30
#define POOL 4096
#define LAST4 29 /* last bytes of the source addresses */
#define LAST6 37

char dae_license[] SEC("license")
= "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

__u32 vary_count;

SEC("tcx/ingress")
int vary(struct __sk_buff *skb)
{
	__u8 *data = (__u8 *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 n = vary_count++;

	if ((void *)(data + PORT6 + 2) > end)
		return 2;
	if (*(__u16 *)(data + 12) == bpf_htons(ETH_P_IP)) {
		*(__u16 *)(data + PORT4) = n;
		data[LAST4] = n >> 16;
	} else {
		*(__u16 *)(data + PORT6) = n;
		data[LAST6] = n >> 16;
	}
	bpf_tail_call(skb, &next, 0);
	return 2;
}

struct {
	__u32 dst;
	__u16 sport, dport; /* of the wire's order, all */
} vary_pool[POOL];

/* IPv4 alone. */
SEC("tcx/ingress")
int vary_all(struct __sk_buff *skb)
{
	__u8 *data = (__u8 *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 n = vary_count++ & (POOL - 1);

	if ((void *)(data + PORT4 + 4) > end)
		return 2;
	*(__u16 *)(data + DST4) = vary_pool[n].dst;
	*(__u16 *)(data + DST4 + 2) = vary_pool[n].dst >> 16;
	*(__u16 *)(data + PORT4) = vary_pool[n].sport;
	*(__u16 *)(data + PORT4 + 2) = vary_pool[n].dport;
	bpf_tail_call(skb, &next, 0);
	return 2;
}

SEC("tcx/ingress")
int nothing(struct __sk_buff *skb)
{
	return skb->len == 0;
}
