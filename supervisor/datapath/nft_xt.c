/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions of iptables: their structures inside of nftables' expressions. */
#include <arpa/inet.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "common/base.h"
#include "supervisor/datapath/nft_vm.h"

#define CT_STATE_NEW XT_CONNTRACK_STATE_BIT(IP_CT_NEW)
#define TCP_SYN 0x02

struct info {
	const void *data;
	size_t len;
	uint32_t revision;
};

static enum nft_step yes_if(bool condition)
{
	return condition ? NFT_STEP_ON : NFT_STEP_NO;
}

static enum nft_step on_mark(const struct nft_vm *v, const struct info *i)
{
	struct xt_mark_mtinfo1 m;

	if (i->revision != 1 || i->len < sizeof(m))
		return NFT_STEP_UNKNOWN;
	memcpy(&m, i->data, sizeof(m));
	return yes_if(((v->packet->mark & m.mask) == m.mark) != m.invert);
}

static enum nft_step on_conntrack(const struct nft_vm *v, const struct info *i)
{
	struct xt_conntrack_mtinfo3 m;
	bool has;

	(void)v;
	if (i->revision != 3 || i->len < sizeof(m))
		return NFT_STEP_UNKNOWN;
	memcpy(&m, i->data, sizeof(m));
	if (m.match_flags & XT_CONNTRACK_STATE) {
		has = m.state_mask & CT_STATE_NEW;
		if (has == (bool)(m.invert_flags & XT_CONNTRACK_STATE))
			return NFT_STEP_NO;
	}
	return m.match_flags & ~XT_CONNTRACK_STATE ? NFT_STEP_UNKNOWN
						   : NFT_STEP_ON;
}

/* Neither end is an address of the router's. */
static enum nft_step on_addrtype(const struct nft_vm *v, const struct info *i)
{
	struct xt_addrtype_info_v1 m;
	bool source, dest;

	(void)v;
	if (i->revision != 1 || i->len < sizeof(m))
		return NFT_STEP_UNKNOWN;
	memcpy(&m, i->data, sizeof(m));
	source = !m.source ||
		 (bool)(m.source & XT_ADDRTYPE_UNICAST) !=
			 (bool)(m.flags & XT_ADDRTYPE_INVERT_SOURCE);
	dest = !m.dest || (bool)(m.dest & XT_ADDRTYPE_UNICAST) !=
				  (bool)(m.flags & XT_ADDRTYPE_INVERT_DEST);
	return yes_if(source && dest);
}

static bool is_within(const struct nft_vm *v, size_t which,
		      const uint16_t range[2], bool is_not)
{
	uint16_t port;

	memcpy(&port, v->packet->transport + 2 * which, 2);
	port = ntohs(port);
	return (port >= range[0] && port <= range[1]) != is_not;
}

static enum nft_step on_tcp(const struct nft_vm *v, const struct info *i)
{
	struct xt_tcp m;

	if (i->len < sizeof(m))
		return NFT_STEP_UNKNOWN;
	memcpy(&m, i->data, sizeof(m));
	if (m.option)
		return NFT_STEP_UNKNOWN;
	return yes_if(v->packet->proto == IPPROTO_TCP &&
		      is_within(v, 0, m.spts, m.invflags & XT_TCP_INV_SRCPT) &&
		      is_within(v, 1, m.dpts, m.invflags & XT_TCP_INV_DSTPT) &&
		      ((TCP_SYN & m.flg_mask) == m.flg_cmp) !=
			      (bool)(m.invflags & XT_TCP_INV_FLAGS));
}

static enum nft_step on_udp(const struct nft_vm *v, const struct info *i)
{
	struct xt_udp m;

	if (i->len < sizeof(m))
		return NFT_STEP_UNKNOWN;
	memcpy(&m, i->data, sizeof(m));
	return yes_if(v->packet->proto == IPPROTO_UDP &&
		      is_within(v, 0, m.spts, m.invflags & XT_UDP_INV_SRCPT) &&
		      is_within(v, 1, m.dpts, m.invflags & XT_UDP_INV_DSTPT));
}

static enum nft_step on_comment(const struct nft_vm *v, const struct info *i)
{
	(void)v;
	(void)i;
	return NFT_STEP_ON;
}

static const struct {
	const char *name;
	enum nft_step (*run)(const struct nft_vm *v, const struct info *i);
} matches[] = {
	{ "mark", on_mark }, { "conntrack", on_conntrack },
	{ "tcp", on_tcp },   { "addrtype", on_addrtype },
	{ "udp", on_udp },   { "comment", on_comment },
};

enum nft_step nft_xt_match(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *info = netlink_inside(e, NFTA_MATCH_INFO);
	struct info i = { .revision = nft_u32(
				  netlink_inside(e, NFTA_MATCH_REV)) };
	char name[32];

	nft_copy_string(name, sizeof(name), netlink_inside(e, NFTA_MATCH_NAME));
	if (!info)
		return NFT_STEP_UNKNOWN;
	i.data = RTA_DATA(info);
	i.len = RTA_PAYLOAD(info);
	for (size_t k = 0; k < ARRAY_LEN(matches); k++)
		if (strcmp(name, matches[k].name) == 0)
			return matches[k].run(v, &i);
	return NFT_STEP_UNKNOWN;
}

enum nft_step nft_xt_target(struct nft_vm *v, const struct rtattr *e)
{
	static const char *const elsewhere[] = { "DNAT", "REDIRECT", "TPROXY",
						 "NETMAP" };
	char name[32];

	nft_copy_string(name, sizeof(name),
			netlink_inside(e, NFTA_TARGET_NAME));
	if (strcmp(name, "REJECT") == 0) {
		v->verdict = NF_DROP;
		return NFT_STEP_VERDICT;
	}
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		if (strcmp(name, elsewhere[i]) != 0)
			continue;
		/* judged where it goes then, not by us */
		v->verdict = NF_ACCEPT;
		return NFT_STEP_VERDICT;
	}
	return NFT_STEP_ON;
}
