/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether others use what policy.c is about to use. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>

#include "supervisor/datapath/error.h"
#include "supervisor/datapath/netlink.h"
#include "supervisor/datapath/policy.h"

struct check {
	const struct policy_local *local;
	const struct policy_uplink *uplinks;
	size_t count;
	struct datapath_error *err;
	int family; /* 4 or 6, for the message */
};

struct found { /* somebody else's rule */
	uint32_t priority, mark, mask, table;
	bool has_mark;
};

static int collide(const struct check *c, const struct found *f,
		   const char *what)
{
	char mark[48] = "";

	if (f->has_mark)
		snprintf(mark, sizeof(mark), "fwmark 0x%x/0x%x ", f->mark,
			 f->mask);
	return error_text(c->err, -EEXIST,
			  "%s is in use by the IPv%d rule %u: %slookup %u",
			  what, c->family, f->priority, mark, f->table);
}

static int check_local(const struct check *c, const struct found *f)
{
	const struct policy_local *l = c->local;

	if (f->priority == l->priority)
		return collide(c, f, "our rule priority");
	if (f->table == l->table)
		return collide(c, f, "our routing table");
	if (f->has_mark && f->mask & l->mark_mask)
		return collide(c, f, "a bit of our mark");
	return 0;
}

static uint32_t mask_of(const struct policy_uplink *u)
{
	return u->mask ? u->mask : ~0U;
}

/* There is a mark that both match. */
static bool are_alike(const struct policy_uplink *a,
		      const struct policy_uplink *b)
{
	return !((a->mark ^ b->mark) & mask_of(a) & mask_of(b));
}

static int check_uplink(const struct check *c, const struct policy_uplink *u,
			const struct found *f)
{
	if (f->priority == u->priority)
		return collide(c, f, "the rule priority of an uplink");
	if (f->table == u->table)
		return collide(c, f, "the routing table of an uplink");
	if (f->has_mark && !((u->mark ^ f->mark) & f->mask & mask_of(u)))
		return collide(c, f, "the mark of an uplink");
	return 0;
}

static int visit_rule(const struct nlmsghdr *h, void *arg)
{
	const struct fib_rule_hdr *hdr = NLMSG_DATA(h);
	const struct rtattr *tb[FRA_MAX + 1];
	const struct check *c = arg;
	struct found f;
	size_t i;
	int r;

	if (h->nlmsg_type != RTM_NEWRULE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*hdr)))
		return 0;
	netlink_index(h, sizeof(*hdr), tb, FRA_MAX);
	if (tb[FRA_PROTOCOL] && RTA_PAYLOAD(tb[FRA_PROTOCOL]) >= 1 &&
	    *(const uint8_t *)RTA_DATA(tb[FRA_PROTOCOL]) == POLICY_RT_PROTOCOL)
		return 0;
	f = (struct found){
		.priority = netlink_u32(tb[FRA_PRIORITY]),
		.mark = netlink_u32(tb[FRA_FWMARK]),
		.mask = tb[FRA_FWMASK] ? netlink_u32(tb[FRA_FWMASK]) : ~0U,
		.table = tb[FRA_TABLE] ? netlink_u32(tb[FRA_TABLE])
				       : hdr->table,
		.has_mark = netlink_u32(tb[FRA_FWMARK]) != 0,
	};
	r = check_local(c, &f);
	for (i = 0; r == 0 && i < c->count; i++)
		r = check_uplink(c, &c->uplinks[i], &f);
	return r;
}

static bool is_ours(const struct check *c, uint32_t table)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->uplinks[i].table == table)
			return true;
	return c->local->table == table;
}

static int visit_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	const struct check *c = arg;
	uint32_t table;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) ||
	    rt->rtm_protocol == POLICY_RT_PROTOCOL)
		return 0;
	netlink_index(h, sizeof(*rt), tb, RTA_MAX);
	table = tb[RTA_TABLE] ? netlink_u32(tb[RTA_TABLE]) : rt->rtm_table;
	if (!is_ours(c, table))
		return 0;
	return error_text(c->err, -EEXIST,
			  "routing table %u is in use: it has "
			  "an IPv%d route to another %s (protocol %u)",
			  table, c->family, rt->rtm_dst_len ? "net" : "default",
			  rt->rtm_protocol);
}

/* Marks of our own must not meet either. */
static int check_own(const struct check *c)
{
	const struct policy_local *l = c->local;
	size_t i, k;

	for (i = 0; i < c->count; i++) {
		if (!c->uplinks[i].mark ||
		    (c->uplinks[i].mark & l->mark_mask) == l->mark)
			return error_text(c->err, -EEXIST,
					  "the mark 0x%x of "
					  "an uplink meets our mark 0x%x/0x%x",
					  c->uplinks[i].mark, l->mark,
					  l->mark_mask);
		for (k = 0; k < i; k++)
			if (are_alike(&c->uplinks[i], &c->uplinks[k]) &&
			    c->uplinks[i].table != c->uplinks[k].table)
				return error_text(c->err, -EEXIST,
						  "two uplinks have the mark "
						  "0x%x",
						  c->uplinks[i].mark);
	}
	return 0;
}

static int check_family(struct check *c, uint8_t family)
{
	struct netlink_message m;
	struct fib_rule_hdr *h;
	struct rtmsg *rt;
	int r;

	c->family = family == AF_INET ? 4 : 6;
	h = netlink_start(&m, RTM_GETRULE, 0, sizeof(*h));
	h->family = family;
	r = netlink_dump(NETLINK_ROUTE, &m, visit_rule, c);
	if (r < 0)
		return r;
	rt = netlink_start(&m, RTM_GETROUTE, 0, sizeof(*rt));
	rt->rtm_family = family;
	return netlink_dump(NETLINK_ROUTE, &m, visit_route, c);
}

int policy_check(const struct policy_local *local,
		 const struct policy_uplink *uplinks, size_t count,
		 struct datapath_error *ret_err)
{
	struct check c = { .local = local,
			   .uplinks = uplinks,
			   .count = count,
			   .err = ret_err };
	int r;

	r = check_own(&c);
	if (r == 0)
		r = check_family(&c, AF_INET);
	if (r == 0)
		r = check_family(&c, AF_INET6);
	/* a collision has its text already */
	if (r < 0 && r != -EEXIST)
		return error_set(ret_err, r, "reading rules and routes");
	return r;
}

struct way_out {
	uint32_t ifindex;
	bool is_same;
};

static int visit_default(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	struct way_out *w = arg;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) || rt->rtm_dst_len ||
	    rt->rtm_table != RT_TABLE_MAIN)
		return 0;
	netlink_index(h, sizeof(*rt), tb, RTA_MAX);
	w->is_same |= netlink_u32(tb[RTA_OIF]) == w->ifindex;
	return 0;
}

bool policy_is_way_out(uint32_t ifindex)
{
	struct way_out w = { .ifindex = ifindex };
	struct netlink_message m;
	struct rtmsg *rt;

	rt = netlink_start(&m, RTM_GETROUTE, 0, sizeof(*rt));
	rt->rtm_family = AF_INET;
	return netlink_dump(NETLINK_ROUTE, &m, visit_default, &w) == 0 &&
	       w.is_same;
}
