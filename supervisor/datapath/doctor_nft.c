/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nftables: what listeners get arrives by the hooks prerouting and input, with
 * our mark on it. A chain there hurts that drops by its policy, or by a rule
 * without a condition. What conditions and other chains do to a packet is not
 * judged; where a chain sends everything to another one, that is said.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

#include "supervisor/datapath/doctor_report.h"
#include "supervisor/datapath/netlink.h"

#define ATTRS 32
#define CHAINS_MAX 64

enum fate { /* of a packet that no condition catches */
	    FATE_OPEN,
	    FATE_ACCEPT,
	    FATE_POLICY, /* no further rule is asked */
	    FATE_DROP,
	    FATE_ELSEWHERE, /* in another chain */
};

struct chain {
	char table[64], name[64];
	uint32_t hook, policy;
	uint8_t family;
	bool is_base;
	enum fate fate; /* by its rules, in their order */
};

struct chains {
	struct chain items[CHAINS_MAX];
	size_t count;
	bool is_cut; /* there were more */
};

static void copy_string(char *to, size_t cap, const struct rtattr *a)
{
	size_t len = a ? strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) : 0;

	len = MIN(len, cap - 1);
	if (len)
		memcpy(to, RTA_DATA(a), len);
	to[len] = '\0';
}

static void read_chain(const struct nlmsghdr *h, struct chain *c)
{
	const struct nfgenmsg *g = NLMSG_DATA(h);
	const struct rtattr *tb[ATTRS + 1], *hook;

	memset(c, 0, sizeof(*c));
	netlink_index(h, sizeof(*g), tb, ATTRS);
	copy_string(c->table, sizeof(c->table), tb[NFTA_CHAIN_TABLE]);
	copy_string(c->name, sizeof(c->name), tb[NFTA_CHAIN_NAME]);
	c->family = g->nfgen_family;
	hook = netlink_inside(tb[NFTA_CHAIN_HOOK], NFTA_HOOK_HOOKNUM);
	c->is_base = hook && tb[NFTA_CHAIN_POLICY];
	c->hook = ntohl(netlink_u32(hook));
	c->policy = ntohl(netlink_u32(tb[NFTA_CHAIN_POLICY]));
}

static bool is_of_ip(const struct nlmsghdr *h, uint16_t type)
{
	const struct nfgenmsg *g = NLMSG_DATA(h);

	return h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	       h->nlmsg_len >= NLMSG_LENGTH(sizeof(*g)) &&
	       (g->nfgen_family == NFPROTO_IPV4 ||
		g->nfgen_family == NFPROTO_IPV6 ||
		g->nfgen_family == NFPROTO_INET);
}

static int visit_chain(const struct nlmsghdr *h, void *arg)
{
	struct chains *all = arg;
	struct chain c;

	if (!is_of_ip(h, NFT_MSG_NEWCHAIN))
		return 0;
	read_chain(h, &c);
	if (!c.is_base ||
	    (c.hook != NF_INET_LOCAL_IN && c.hook != NF_INET_PRE_ROUTING))
		return 0;
	if (all->count == CHAINS_MAX)
		all->is_cut = true;
	else
		all->items[all->count++] = c;
	return 0;
}

static enum fate fate_of_verdict(const struct rtattr *immediate)
{
	const struct rtattr *data = netlink_inside(immediate,
						   NFTA_IMMEDIATE_DATA);
	const struct rtattr *v = netlink_inside(data, NFTA_DATA_VERDICT);
	const struct rtattr *code = netlink_inside(v, NFTA_VERDICT_CODE);

	if (!code)
		return FATE_OPEN; /* loads a register */
	switch ((int)ntohl(netlink_u32(code))) {
	case NF_DROP:
		return FATE_DROP;
	case NF_ACCEPT:
		return FATE_ACCEPT;
	case NFT_RETURN:
		return FATE_POLICY;
	case NFT_JUMP:
	case NFT_GOTO:
		return FATE_ELSEWHERE;
	default:
		return FATE_OPEN;
	}
}

/* What the rule does to every packet; FATE_OPEN if it has a condition. */
static enum fate fate_of_rule(const struct rtattr *expressions)
{
	const struct rtattr *e = RTA_DATA(expressions), *data;
	int len = (int)RTA_PAYLOAD(expressions);
	enum fate fate = FATE_OPEN;
	char name[32], target[32];

	for (; fate == FATE_OPEN && RTA_OK(e, len); e = RTA_NEXT(e, len)) {
		copy_string(name, sizeof(name),
			    netlink_inside(e, NFTA_EXPR_NAME));
		data = netlink_inside(e, NFTA_EXPR_DATA);
		copy_string(target, sizeof(target),
			    netlink_inside(data, NFTA_TARGET_NAME));
		if (strcmp(name, "counter") == 0 || strcmp(name, "log") == 0)
			continue;
		if (strcmp(name, "reject") == 0)
			return FATE_DROP;
		if (strcmp(name, "target") == 0) /* of iptables */
			return strcmp(target, "REJECT") == 0 ? FATE_DROP
							     : FATE_OPEN;
		if (strcmp(name, "immediate") != 0)
			return FATE_OPEN;
		fate = fate_of_verdict(data);
	}
	return fate;
}

/* Rules come in the order in which they are asked: the first that decides
 * for every packet is the last that counts. */
static int visit_rule(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *g = NLMSG_DATA(h);
	const struct rtattr *tb[ATTRS + 1];
	struct chains *all = arg;
	char table[64], name[64];
	size_t i;

	if (!is_of_ip(h, NFT_MSG_NEWRULE))
		return 0;
	netlink_index(h, sizeof(*g), tb, ATTRS);
	if (!tb[NFTA_RULE_EXPRESSIONS])
		return 0;
	copy_string(table, sizeof(table), tb[NFTA_RULE_TABLE]);
	copy_string(name, sizeof(name), tb[NFTA_RULE_CHAIN]);
	for (i = 0; i < all->count; i++) {
		struct chain *c = &all->items[i];

		if (c->family == g->nfgen_family &&
		    strcmp(c->table, table) == 0 &&
		    strcmp(c->name, name) == 0 &&
		    (c->fate == FATE_OPEN || c->fate == FATE_ELSEWHERE)) {
			enum fate fate = fate_of_rule(
				tb[NFTA_RULE_EXPRESSIONS]);

			c->fate = fate == FATE_OPEN ? c->fate : fate;
		}
	}
	return 0;
}

static int dump(uint16_t type, netlink_visit *visit, struct chains *all)
{
	struct netlink_message m;

	netlink_start(&m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0,
		      sizeof(struct nfgenmsg));
	return netlink_dump(NETLINK_NETFILTER, &m, visit, all);
}

static void judge(struct report *r, const struct chain *c)
{
	const char *how = c->fate == FATE_DROP ? "by a rule without condition"
					       : "by policy";

	if (c->fate == FATE_DROP ||
	    (c->policy == NF_DROP && c->fate != FATE_ACCEPT))
		report_add(r, FINDING_WARN, "nftables",
			   "chain %.40s of table %.40s drops %s what no rule "
			   "before accepts: let it accept packets with our "
			   "mark (meta mark and MASK == MARK accept)",
			   c->name, c->table, how);
	else if (c->fate == FATE_ELSEWHERE)
		report_add(r, FINDING_WARN, "nftables",
			   "chain %.40s of table %.40s sends all packets to "
			   "other chains, which are not followed: see that "
			   "they accept packets with our mark",
			   c->name, c->table);
}

void doctor_nftables(struct report *r)
{
	auto_free struct chains *all = calloc(1, sizeof(*all));
	size_t before = r->count, i;
	int e = all ? dump(NFT_MSG_GETCHAIN, visit_chain, all) : -ENOMEM;

	if (e == 0)
		e = dump(NFT_MSG_GETRULE, visit_rule, all);
	if (e == -EINVAL || e == -EPROTONOSUPPORT || e == -EOPNOTSUPP) {
		report_add(r, FINDING_OK, "nftables",
			   "not in this kernel, no input chain can drop");
		return;
	}
	if (e < 0) {
		report_add(r, FINDING_WARN, "nftables", "could not be read: %s",
			   strerror(-e));
		return;
	}
	for (i = 0; i < all->count; i++)
		judge(r, &all->items[i]);
	if (all->is_cut)
		report_add(r, FINDING_WARN, "nftables",
			   "more than %d chains: the others were not looked at",
			   CHAINS_MAX);
	else if (r->count == before)
		report_add(r, FINDING_OK, "nftables",
			   "no input chain drops by policy or without a "
			   "condition (rules with one are not judged)");
}
