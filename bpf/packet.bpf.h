/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a frame to the facts the rules ask for. The common shape is read
 * directly; VLAN tags, IPv4 options, extension headers, fragments and headers
 * outside the linear part take the slow way.
 */
#pragma once

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/dae_maps.h"

#define TCP_FLAG_BYTE 13
#define TCP_SYN_ACK 0x12
#define TCP_SYN_ONLY 0x02
#define IPV4_MF 0x2000
#define IPV4_OFFSET 0x1fff
#define IPV6_MF 0x0001
#define IPV6_OFFSET 0xfff8
#define EXT_HEADERS_MAX 8

enum parse {
	PARSE_OK,
	PARSE_OTHER, /* not IP, or neither TCP nor UDP */
	PARSE_TRUNCATED,
	PARSE_EXT_HEADERS,
};

enum frag { FRAG_NONE, FRAG_FIRST, FRAG_LATER };

struct packet {
	__u64 src6[2], dst6[2];
	__u64 mac;
	__u64 pname[2]; /* of the sending process; 0: forwarded, or unknown */
	__u32 src4, dst4;
	__u32 ports; /* as on the wire, the source's first */
	__u32 frag_id;
	__u8 is_v6, proto, tcp_flags, dscp;
	__u8 frag; /* enum frag */
	__u8 has_mac;
	__u8 zero[2]; /* old verifiers refuse unwritten padding */
};

static __always_inline bool packet_is_l4(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

static __always_inline __u32 packet_l4_size(__u8 proto)
{
	return proto == IPPROTO_TCP ? 20 : 8;
}

static __always_inline void packet_set_ip6(struct packet *p,
					   const struct ipv6hdr *ip)
{
	const __u8 *b = (const __u8 *)ip;

	p->is_v6 = 1;
	p->dscp = (b[0] & 0xf) << 2 | b[1] >> 6;
	/* in words: the structure promises less alignment than there is */
	p->src6[0] = *(const __u64 *)(b + 8);
	p->src6[1] = *(const __u64 *)(b + 16);
	p->dst6[0] = *(const __u64 *)(b + 24);
	p->dst6[1] = *(const __u64 *)(b + 32);
}

static __always_inline void packet_set_ip4(struct packet *p,
					   const struct iphdr *ip)
{
	p->is_v6 = 0;
	p->dscp = ip->tos >> 2;
	p->src4 = ip->saddr;
	p->dst4 = ip->daddr;
}

/* Ports and flags at @off; @left: bytes the IP header says are there. */
static __always_inline int
packet_load_l4(struct __sk_buff *skb, struct packet *p, __u32 off, __u32 left)
{
	__u8 l4[sizeof(struct tcphdr)];

	if (p->proto == IPPROTO_TCP) {
		if (left < 20 || bpf_skb_load_bytes(skb, off, l4, 20))
			return PARSE_TRUNCATED;
		p->tcp_flags = l4[TCP_FLAG_BYTE];
	} else if (left < 8 || bpf_skb_load_bytes(skb, off, l4, 8)) {
		return PARSE_TRUNCATED;
	}
	__builtin_memcpy(&p->ports, l4, 4);
	return PARSE_OK;
}

static __always_inline int packet_slow4(struct __sk_buff *skb, struct packet *p,
					__u32 off)
{
	struct iphdr ip;
	__u32 len, head;
	__u16 frag;

	if (bpf_skb_load_bytes(skb, off, &ip, sizeof(ip)) || ip.version != 4 ||
	    ip.ihl < 5)
		return PARSE_TRUNCATED;
	packet_set_ip4(p, &ip);
	p->proto = ip.protocol;
	if (!packet_is_l4(p->proto))
		return PARSE_OTHER;
	frag = bpf_ntohs(ip.frag_off);
	p->frag_id = ip.id;
	if (frag & IPV4_OFFSET) {
		p->frag = FRAG_LATER;
		return PARSE_OK;
	}
	if (frag & IPV4_MF)
		p->frag = FRAG_FIRST;
	/* a length of 0: a jumbo segment of GRO, the buffer knows better */
	len = ip.tot_len ? bpf_ntohs(ip.tot_len) : skb->len - off;
	head = ip.ihl * 4;
	if (len < head)
		return PARSE_TRUNCATED;
	return packet_load_l4(skb, p, off + head, len - head);
}

/* Size of the extension header @type with length byte @len. 0: none of them. */
static __always_inline __u32 packet_ext_size(__u8 type, __u8 len)
{
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return ((__u32)len + 1) * 8;
	case IPPROTO_AH:
		return ((__u32)len + 2) * 4;
	case IPPROTO_FRAGMENT:
		return 8;
	}
	return 0;
}

static __always_inline int packet_slow6(struct __sk_buff *skb, struct packet *p,
					__u32 off)
{
	struct ipv6hdr ip __attribute__((aligned(8)));
	__u8 ext[8];
	__u32 left, size;
	__u16 frag;
	int i;

	if (bpf_skb_load_bytes(skb, off, &ip, sizeof(ip)) || ip.version != 6)
		return PARSE_TRUNCATED;
	packet_set_ip6(p, &ip);
	p->proto = ip.nexthdr;
	off += sizeof(ip);
	left = ip.payload_len ? bpf_ntohs(ip.payload_len) : skb->len - off;
	for (i = 0; i <= EXT_HEADERS_MAX; i++) {
		if (packet_is_l4(p->proto))
			return packet_load_l4(skb, p, off, left);
		if (!packet_ext_size(p->proto, 0))
			return PARSE_OTHER;
		if (bpf_skb_load_bytes(skb, off, ext, sizeof(ext)))
			return PARSE_TRUNCATED;
		size = packet_ext_size(p->proto, ext[1]);
		if (size > left)
			return PARSE_TRUNCATED;
		if (p->proto == IPPROTO_FRAGMENT) {
			__builtin_memcpy(&frag, ext + 2, 2);
			frag = bpf_ntohs(frag);
			__builtin_memcpy(&p->frag_id, ext + 4, 4);
			if (frag & IPV6_OFFSET) {
				p->frag = FRAG_LATER;
				return PARSE_OK;
			}
			if (frag & IPV6_MF)
				p->frag = FRAG_FIRST;
		}
		p->proto = ext[0];
		off += size;
		left -= size;
	}
	return PARSE_EXT_HEADERS;
}

/* Global, like every function of this program that is not inlined: the
 * verifier then looks at it once, for all arguments, which keeps old kernels in
 * reach. */
__noinline int packet_parse_slow(struct __sk_buff *skb, struct packet *p,
				 bool has_mac)
{
	__u16 proto = skb->protocol;
	struct ethhdr eth;
	__u16 tag[2];
	__u32 off = 0;
	int i;

	if (!p)
		return PARSE_TRUNCATED;
	if (has_mac) {
		if (bpf_skb_load_bytes(skb, 0, &eth, sizeof(eth)))
			return PARSE_OTHER;
		p->mac = dae_mac_key(eth.h_source);
		proto = eth.h_proto;
		off = sizeof(eth);
		for (i = 0; i < 2; i++) {
			if (proto != bpf_htons(ETH_P_8021Q) &&
			    proto != bpf_htons(ETH_P_8021AD))
				break;
			if (bpf_skb_load_bytes(skb, off, tag, sizeof(tag)))
				return PARSE_OTHER;
			proto = tag[1];
			off += sizeof(tag);
		}
	}
	if (proto == bpf_htons(ETH_P_IP))
		return packet_slow4(skb, p, off);
	if (proto == bpf_htons(ETH_P_IPV6))
		return packet_slow6(skb, p, off);
	return PARSE_OTHER;
}

/* Reads ports (and flags) of a header that lies at @l4; false: not linear. */
static __always_inline bool packet_fast_l4(struct packet *p, const __u8 *l4,
					   const void *end)
{
	if (p->proto == IPPROTO_TCP) {
		if ((const void *)(l4 + 20) > end)
			return false;
		p->tcp_flags = l4[TCP_FLAG_BYTE];
	} else if ((const void *)(l4 + 8) > end) {
		return false;
	}
	p->ports = *(const __u32 *)l4;
	return true;
}

static __always_inline bool
packet_fast4(struct packet *p, const struct iphdr *ip, const void *end)
{
	if ((const void *)(ip + 1) > end || *(const __u8 *)ip != 0x45 ||
	    (ip->frag_off & bpf_htons(IPV4_MF | IPV4_OFFSET)))
		return false;
	packet_set_ip4(p, ip);
	p->proto = ip->protocol;
	return packet_is_l4(p->proto) &&
	       bpf_ntohs(ip->tot_len) >= 20 + packet_l4_size(p->proto) &&
	       packet_fast_l4(p, (const __u8 *)(ip + 1), end);
}

static __always_inline bool
packet_fast6(struct packet *p, const struct ipv6hdr *ip, const void *end)
{
	if ((const void *)(ip + 1) > end || ip->version != 6)
		return false;
	packet_set_ip6(p, ip);
	p->proto = ip->nexthdr;
	return packet_is_l4(p->proto) &&
	       bpf_ntohs(ip->payload_len) >= packet_l4_size(p->proto) &&
	       packet_fast_l4(p, (const __u8 *)(ip + 1), end);
}

/* Fills @p, which is zeroed. The packet is left as it is. enum parse. */
static __always_inline int packet_parse(struct __sk_buff *skb, struct packet *p,
					bool has_mac)
{
	const void *data = (const void *)(long)skb->data;
	const void *end = (const void *)(long)skb->data_end;
	const __u16 *eth = data; /* struct ethhdr, read in words */
	const void *ip = data;
	__u16 proto;

	p->has_mac = has_mac;
	if (has_mac) {
		ip = data + sizeof(struct ethhdr);
		if (ip > end)
			return packet_parse_slow(skb, p, has_mac);
		proto = eth[6];
		p->mac = *(const __u32 *)(eth + 3) | (__u64)eth[5] << 32;
	} else {
		proto = skb->protocol;
	}
	if (proto == bpf_htons(ETH_P_IP) && packet_fast4(p, ip, end))
		return PARSE_OK;
	if (proto == bpf_htons(ETH_P_IPV6) && packet_fast6(p, ip, end))
		return PARSE_OK;
	return packet_parse_slow(skb, p, has_mac);
}
