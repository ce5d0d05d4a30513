/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets and maps of nftables: asked for one key at a time. */
#include <errno.h>
#include <string.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "common/base.h"
#include "supervisor/datapath/nft_rules.h"

#define ATTRS 32
#define ELEMENTS_MAX 1000000

struct query {
	const struct nft_key *key;
	enum nft_found found;
	bool is_interval;
	uint8_t start[64]; /* the greatest that is not above the key */
	bool has_start;
	unsigned int seen;
	struct nft_key data;
};

static int visit_set(const struct nlmsghdr *h, void *arg)
{
	const struct rtattr *tb[ATTRS + 1];
	struct query *q = arg;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET))
		return 0;
	netlink_index(h, sizeof(struct nfgenmsg), tb, ATTRS);
	q->is_interval = nft_u32(tb[NFTA_SET_FLAGS]) & NFT_SET_INTERVAL;
	/* fields of several words, each a range: not looked into */
	if (q->is_interval && nft_u32(tb[NFTA_SET_FLAGS]) & NFT_SET_CONCAT)
		q->found = NFT_FOUND_UNKNOWN;
	return 0;
}

static void take(struct query *q, const struct rtattr *element, bool is_end)
{
	const struct rtattr *data = netlink_inside(element, NFTA_SET_ELEM_DATA);
	size_t len = data ? RTA_PAYLOAD(data) : 0;

	q->found = is_end ? NFT_FOUND_NO : NFT_FOUND;
	q->data.len = MIN(len, sizeof(q->data.bytes));
	if (q->data.len)
		memcpy(q->data.bytes, RTA_DATA(data), q->data.len);
}

static void look_at(struct query *q, const struct rtattr *element)
{
	const struct rtattr *value = netlink_inside(
		netlink_inside(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	bool is_end = nft_u32(netlink_inside(element, NFTA_SET_ELEM_FLAGS)) &
		      NFT_SET_ELEM_INTERVAL_END;
	size_t len = value ? RTA_PAYLOAD(value) : 0;
	int order;

	if (!len || len > sizeof(q->start) || len > q->key->len)
		return;
	order = memcmp(RTA_DATA(value), q->key->bytes, len);
	if (!q->is_interval) {
		if (order == 0)
			take(q, element, false);
		return;
	}
	if (order > 0 ||
	    (q->has_start && memcmp(RTA_DATA(value), q->start, len) < 0))
		return;
	/* where one range ends another may begin */
	if (q->has_start && is_end &&
	    memcmp(RTA_DATA(value), q->start, len) == 0)
		return;
	memcpy(q->start, RTA_DATA(value), len);
	q->has_start = true;
	take(q, element, is_end);
}

static int visit_elements(const struct nlmsghdr *h, void *arg)
{
	const struct rtattr *tb[ATTRS + 1], *e;
	struct query *q = arg;
	int len;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
		return 0;
	netlink_index(h, sizeof(struct nfgenmsg), tb, ATTRS);
	if (!tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	e = RTA_DATA(tb[NFTA_SET_ELEM_LIST_ELEMENTS]);
	len = (int)RTA_PAYLOAD(tb[NFTA_SET_ELEM_LIST_ELEMENTS]);
	for (; RTA_OK(e, len); e = RTA_NEXT(e, len))
		look_at(q, e);
	q->seen += 1;
	return q->seen > ELEMENTS_MAX ? -E2BIG : 0;
}

static void *start(struct netlink_message *m, const struct nft_chain *c,
		   uint16_t type)
{
	struct nfgenmsg *g;

	g = netlink_start(m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0,
			  sizeof(*g));
	g->nfgen_family = c->family;
	return g;
}

enum nft_found nft_lookup(const struct nft_chain *chain, const char *set,
			  const struct nft_key *key, struct nft_key *ret_data)
{
	struct query q = { .key = key, .found = NFT_FOUND_NO };
	struct netlink_message m;
	int r;

	start(&m, chain, NFT_MSG_GETSET);
	netlink_put(&m, NFTA_SET_TABLE, chain->table, strlen(chain->table) + 1);
	netlink_put(&m, NFTA_SET_NAME, set, strlen(set) + 1);
	r = netlink_ask(NETLINK_NETFILTER, &m, visit_set, &q);
	if (r < 0 || q.found == NFT_FOUND_UNKNOWN)
		return NFT_FOUND_UNKNOWN;
	start(&m, chain, NFT_MSG_GETSETELEM);
	netlink_put(&m, NFTA_SET_ELEM_LIST_TABLE, chain->table,
		    strlen(chain->table) + 1);
	netlink_put(&m, NFTA_SET_ELEM_LIST_SET, set, strlen(set) + 1);
	r = netlink_dump(NETLINK_NETFILTER, &m, visit_elements, &q);
	if (r < 0)
		return NFT_FOUND_UNKNOWN;
	*ret_data = q.data;
	return q.found;
}
