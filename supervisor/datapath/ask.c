/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the running tables about a packet, without one. */
#include "supervisor/datapath/ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/ask.h"
#include "bpf/ask.skel.h"
#include "supervisor/datapath/error.h"
#include "supervisor/datapath/internal.h"

#define FRAME_MAX (ETH_HLEN + 40 + 20)

/* All maps are those of the generation: the same tables, not a copy. */
static int share_maps(struct bpf_object *obj, const struct bpf_object *with)
{
	struct bpf_map *map, *other;
	const char *name, *dot;
	int r;

	bpf_object__for_each_map(map, obj) {
		/* sections are known by theirs: behind the object's name */
		name = bpf_map__name(map);
		dot = strchr(name, '.');
		other = bpf_object__find_map_by_name(with, dot ? dot : name);
		if (!other)
			return -ENOENT;
		r = bpf_map__reuse_fd(map, bpf_map__fd(other));
		if (r < 0)
			return r;
	}
	return 0;
}

int ask_load(const struct bpf_object *generation)
{
	struct ask_bpf *skel = ask_bpf__open();
	int r;

	if (!skel)
		return -errno;
	r = share_maps(skel->obj, generation);
	if (r == 0)
		r = ask_bpf__load(skel);
	if (r == 0) {
		r = fcntl(bpf_program__fd(skel->progs.dae_ask), F_DUPFD_CLOEXEC,
			  0);
		r = r < 0 ? -errno : r;
	}
	ask_bpf__destroy(skel);
	return r;
}

static size_t put_ip(uint8_t *b, const struct ruleset_query *q)
{
	struct iphdr ip4 = { .version = 4,
			     .ihl = 5,
			     .tos = (uint8_t)(q->dscp << 2),
			     .tot_len = htons(40),
			     .ttl = 64,
			     .protocol = q->l4proto };
	struct ip6_hdr ip6 = { .ip6_flow = htonl(6U << 28 | (uint32_t)q->dscp
								    << 22),
			       .ip6_plen = htons(20),
			       .ip6_nxt = q->l4proto,
			       .ip6_hlim = 64 };

	if (q->dst.family == 4) {
		memcpy(&ip4.saddr, q->src.b + 12, 4);
		memcpy(&ip4.daddr, q->dst.b + 12, 4);
		memcpy(b, &ip4, sizeof(ip4));
		return sizeof(ip4);
	}
	memcpy(&ip6.ip6_src, q->src.b, 16);
	memcpy(&ip6.ip6_dst, q->dst.b, 16);
	memcpy(b, &ip6, sizeof(ip6));
	return sizeof(ip6);
}

/* A SYN or a datagram of @q; its length. */
static size_t make_frame(uint8_t *b, const struct ruleset_query *q)
{
	struct ethhdr eth = {
		.h_proto = htons(q->dst.family == 4 ? ETH_P_IP : ETH_P_IPV6)
	};
	struct tcphdr tcp = { .source = htons(q->sport),
			      .dest = htons(q->dport),
			      .doff = 5,
			      .syn = 1 };
	struct udphdr udp = { .source = htons(q->sport),
			      .dest = htons(q->dport),
			      .len = htons(20) };
	size_t at = sizeof(eth);

	memset(b, 0, FRAME_MAX);
	memcpy(eth.h_source, q->mac, sizeof(eth.h_source));
	memcpy(b, &eth, sizeof(eth));
	at += put_ip(b + at, q);
	if (q->l4proto == IPPROTO_TCP)
		memcpy(b + at, &tcp, sizeof(tcp));
	else
		memcpy(b + at, &udp, sizeof(udp));
	return at + sizeof(tcp);
}

static void read_answer(uint32_t a, uint32_t mark, struct ruleset_verdict *ret)
{
	*ret = (struct ruleset_verdict){
		.rule = (uint16_t)(a & ASK_RULE),
		.action = (enum dae_action)(a >> ASK_ACTION & 3),
		.group = (uint16_t)(a >> ASK_GROUP & 0xff),
		.must = a & ASK_MUST,
		.is_dns = a & ASK_DNS,
		.has_mark = a & ASK_HAS_MARK,
	};
	ret->mark = ret->has_mark ? mark : 0;
}

int datapath_ask(struct datapath *d, const struct ruleset_query *q,
		 struct ruleset_verdict *ret)
{
	uint8_t frame[FRAME_MAX], out[FRAME_MAX + 64];
	struct __sk_buff skb = { 0 }, skb_out = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb), .ctx_out = &skb_out,
		    .ctx_size_out = sizeof(skb_out), .repeat = 1);
	int fd = datapath_ask_fd(d), r;

	if (fd < 0)
		return fd;
	o.data_size_in = (uint32_t)make_frame(frame, q);
	memcpy(skb.cb, q->pname, sizeof(q->pname));
	r = bpf_prog_test_run_opts(fd, &o);
	if (r < 0)
		return r;
	if (!(o.retval & ASK_VALID))
		return -EINVAL;
	read_answer(o.retval, skb_out.mark, ret);
	return 0;
}
