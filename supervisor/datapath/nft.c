/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the rules of nftables. */
#include "supervisor/datapath/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "common/base.h"
#include "supervisor/datapath/nft_rules.h"

#define ATTRS 32
#define CHAINS_MAX 4096
#define RULES_MAX 65536
#define BYTES_MAX (16U << 20)

void nft_copy_string(char *to, size_t cap, const struct rtattr *a)
{
	size_t len = a ? strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) : 0;

	len = MIN(len, cap - 1);
	if (len)
		memcpy(to, RTA_DATA(a), len);
	to[len] = '\0';
}

uint32_t nft_u32(const struct rtattr *a)
{
	return ntohl(netlink_u32(a));
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

/* Room for @more after @count of @size bytes each; false: too many, or none. */
static bool make_room(void **list, size_t *room, size_t need, size_t size,
		      size_t max)
{
	size_t next = *room ? *room : 64;
	void *p;

	if (need <= *room)
		return true;
	if (need > max)
		return false;
	while (next < need)
		next *= 2;
	p = realloc(*list, next * size);
	if (!p)
		return false;
	*list = p;
	*room = next;
	return true;
}

static int visit_chain(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *g = NLMSG_DATA(h);
	const struct rtattr *tb[ATTRS + 1], *hook;
	struct nft_ruleset *n = arg;
	struct nft_chain *c;

	if (!is_of_ip(h, NFT_MSG_NEWCHAIN))
		return 0;
	if (!make_room((void **)&n->chains, &n->chain_room, n->chain_count + 1,
		       sizeof(*c), CHAINS_MAX)) {
		n->is_cut = true;
		return 0;
	}
	c = &n->chains[n->chain_count++];
	memset(c, 0, sizeof(*c));
	netlink_index(h, sizeof(*g), tb, ATTRS);
	nft_copy_string(c->table, sizeof(c->table), tb[NFTA_CHAIN_TABLE]);
	nft_copy_string(c->name, sizeof(c->name), tb[NFTA_CHAIN_NAME]);
	c->family = g->nfgen_family;
	hook = netlink_inside(tb[NFTA_CHAIN_HOOK], NFTA_HOOK_HOOKNUM);
	c->is_base = hook != NULL;
	c->hook = nft_u32(hook);
	c->priority = (int32_t)nft_u32(
		netlink_inside(tb[NFTA_CHAIN_HOOK], NFTA_HOOK_PRIORITY));
	c->policy = tb[NFTA_CHAIN_POLICY] ? nft_u32(tb[NFTA_CHAIN_POLICY])
					  : NF_ACCEPT;
	return 0;
}

const struct nft_chain *nft_find_chain(const struct nft_ruleset *n,
				       const struct nft_chain *beside,
				       const char *name)
{
	for (size_t i = 0; i < n->chain_count; i++)
		if (n->chains[i].family == beside->family &&
		    strcmp(n->chains[i].table, beside->table) == 0 &&
		    strcmp(n->chains[i].name, name) == 0)
			return &n->chains[i];
	return NULL;
}

bool nft_has_chain(const struct nft_ruleset *n, const char *name)
{
	for (size_t i = 0; i < n->chain_count; i++)
		if (strcmp(n->chains[i].name, name) == 0)
			return true;
	return false;
}

/* The rules of a chain come one after another, in their order. */
static struct nft_chain *chain_of(struct nft_ruleset *n,
				  const struct nft_chain *key)
{
	const struct nft_chain *c = nft_find_chain(n, key, key->name);

	return c ? &n->chains[c - n->chains] : NULL;
}

static int visit_rule(const struct nlmsghdr *h, void *arg)
{
	const struct nfgenmsg *g = NLMSG_DATA(h);
	const struct rtattr *tb[ATTRS + 1], *list;
	struct nft_ruleset *n = arg;
	struct nft_chain key, *c;
	size_t len;

	if (!is_of_ip(h, NFT_MSG_NEWRULE))
		return 0;
	netlink_index(h, sizeof(*g), tb, ATTRS);
	list = tb[NFTA_RULE_EXPRESSIONS];
	len = list ? RTA_PAYLOAD(list) : 0;
	key.family = g->nfgen_family;
	nft_copy_string(key.table, sizeof(key.table), tb[NFTA_RULE_TABLE]);
	nft_copy_string(key.name, sizeof(key.name), tb[NFTA_RULE_CHAIN]);
	c = chain_of(n, &key);
	if (!c)
		return 0;
	if (!make_room((void **)&n->rules, &n->rule_room, n->rule_count + 1,
		       sizeof(*n->rules), RULES_MAX) ||
	    !make_room((void **)&n->bytes, &n->byte_room,
		       n->byte_count + NLMSG_ALIGN(len), 1, BYTES_MAX)) {
		n->is_cut = true;
		return 0;
	}
	if (!c->count)
		c->first = (uint32_t)n->rule_count;
	/* another chain's rules between ours: a change while we read */
	if (c->first + c->count != n->rule_count) {
		n->is_cut = true;
		return 0;
	}
	c->count++;
	n->rules[n->rule_count++] = (struct nft_rule){
		.at = (uint32_t)n->byte_count, .len = (uint32_t)len
	};
	if (len)
		memcpy(n->bytes + n->byte_count, RTA_DATA(list), len);
	n->byte_count += NLMSG_ALIGN(len);
	return 0;
}

const struct rtattr *nft_expressions(const struct nft_ruleset *n,
				     const struct nft_rule *r, int *ret_len)
{
	*ret_len = (int)r->len;
	return (const struct rtattr *)(n->bytes + r->at);
}

static int dump(uint16_t type, netlink_visit *visit, void *arg)
{
	struct netlink_message m;

	netlink_start(&m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0,
		      sizeof(struct nfgenmsg));
	return netlink_dump(NETLINK_NETFILTER, &m, visit, arg);
}

int nft_read(struct nft_ruleset **ret)
{
	struct nft_ruleset *n = calloc(1, sizeof(*n));
	int r = n ? dump(NFT_MSG_GETCHAIN, visit_chain, n) : -ENOMEM;

	if (r == 0)
		r = dump(NFT_MSG_GETRULE, visit_rule, n);
	if (r < 0)
		nft_free(&n);
	*ret = n;
	return r;
}

void nft_free(struct nft_ruleset **np)
{
	struct nft_ruleset *n = TAKE_PTR(*np);

	if (!n)
		return;
	free(n->chains);
	free(n->rules);
	free(n->bytes);
	free(n);
}

bool nft_is_cut(const struct nft_ruleset *n)
{
	return n->is_cut;
}
