/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs for the host's traffic must know of routes and targets. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base.h"
#include "supervisor/datapath/host.h"
#include "supervisor/datapath/host_ranges.h"
#include "supervisor/datapath/netlink.h"

#define ROUTES_MAX (1U << 18)

/* Never routed by rules, whatever the tables say: this network, loopback, link
 * local, multicast, reserved. */
static const struct host_route special[] = {
	{ .a = { 0, 0 }, .length = 8 },
	{ .a = { 0, 0x7f000000 }, .length = 8 },
	{ .a = { 0, 0xa9fe0000 }, .length = 16 },
	{ .a = { 0, 0xe0000000 }, .length = 3 },
	{ .a = { 0, 0 }, .length = 127, .is_v6 = true },
	{ .a = { 0xfe80000000000000, 0 }, .length = 10, .is_v6 = true },
	{ .a = { 0xff00000000000000, 0 }, .length = 8, .is_v6 = true },
};

struct routes {
	struct host_route *items;
	size_t count, size;
	const uint32_t *wan;
	size_t wan_count;
	bool is_v6;
};

static int add(struct routes *l, const struct host_route *r)
{
	struct host_route *more;
	size_t size;

	if (l->count == l->size) {
		size = l->size ? 2 * l->size : 64;
		if (size > ROUTES_MAX)
			return -E2BIG;
		more = realloc(l->items, size * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->items = more;
		l->size = size;
	}
	l->items[l->count++] = *r;
	return 0;
}

static uint64_t mask_of(const struct host_route *r, int half)
{
	unsigned int bits = r->is_v6 ? r->length : r->length + 96U;

	bits = half == 0 ? MIN(bits, 64U) : bits > 64 ? bits - 64 : 0;
	return bits ? ~0ULL << (64 - bits) : 0;
}

static bool is_special(const struct host_route *r)
{
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		const struct host_route *s = &special[i];

		if (s->is_v6 == r->is_v6 && s->length <= r->length &&
		    (r->a[0] & mask_of(s, 0)) == s->a[0] &&
		    (r->a[1] & mask_of(s, 1)) == s->a[1])
			return true;
	}
	return false;
}

static bool is_wan(const struct routes *l, uint32_t ifindex)
{
	for (size_t i = 0; i < l->wan_count; i++)
		if (l->wan[i] == ifindex)
			return true;
	return false;
}

/* By one of its next hops. */
static bool leaves_by(const struct routes *l, const struct rtattr *hops)
{
	const struct rtnexthop *h = RTA_DATA(hops);
	int left = (int)RTA_PAYLOAD(hops);

	for (; RTNH_OK(h, left); h = RTNH_NEXT(h)) {
		if (is_wan(l, (uint32_t)h->rtnh_ifindex))
			return true;
		left -= (int)NLMSG_ALIGN(h->rtnh_len);
	}
	return false;
}

static int set_prefix(struct host_route *r, const struct rtmsg *rt,
		      const struct rtattr *dst)
{
	uint32_t small = 0;
	size_t size = r->is_v6 ? sizeof(r->a) : sizeof(small);

	if (rt->rtm_dst_len > size * 8)
		return -EBADMSG;
	r->length = rt->rtm_dst_len;
	if (!dst)
		return 0;
	if (RTA_PAYLOAD(dst) < size)
		return -EBADMSG;
	if (r->is_v6) {
		memcpy(r->a, RTA_DATA(dst), size);
		r->a[0] = be64toh(r->a[0]);
		r->a[1] = be64toh(r->a[1]);
	} else {
		memcpy(&small, RTA_DATA(dst), size);
		r->a[1] = ntohl(small);
	}
	return 0;
}

static int visit_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	struct routes *l = arg;
	struct host_route r = { .is_v6 = l->is_v6 };
	uint32_t table;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) ||
	    rt->rtm_family != (l->is_v6 ? AF_INET6 : AF_INET) ||
	    rt->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD))
		return 0;
	netlink_index(h, sizeof(*rt), tb, RTA_MAX);
	table = tb[RTA_TABLE] ? netlink_u32(tb[RTA_TABLE]) : rt->rtm_table;
	if (table != RT_TABLE_MAIN && table != RT_TABLE_DEFAULT &&
	    table != RT_TABLE_LOCAL)
		return 0;
	if (set_prefix(&r, rt, tb[RTA_DST]) < 0 || is_special(&r))
		return 0;
	/* our own come before all others of the same prefix */
	if (table != RT_TABLE_LOCAL) {
		r.metric = 1 + netlink_u32(tb[RTA_PRIORITY]);
		r.leaves = rt->rtm_type == RTN_UNICAST &&
			   (tb[RTA_MULTIPATH]
				    ? leaves_by(l, tb[RTA_MULTIPATH])
				    : is_wan(l, netlink_u32(tb[RTA_OIF])));
	}
	return add(l, &r);
}

static int read_routes(struct routes *l)
{
	struct netlink_message m;
	struct rtmsg *rt;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < ARRAY_LEN(special); i++)
		if (special[i].is_v6 == l->is_v6)
			r = add(l, &special[i]);
	if (r < 0)
		return r;
	rt = netlink_start(&m, RTM_GETROUTE, 0, sizeof(*rt));
	rt->rtm_family = l->is_v6 ? AF_INET6 : AF_INET;
	return netlink_dump(NETLINK_ROUTE, &m, visit_route, l);
}

static int publish_family(struct maps *m, struct routes *l, uint32_t idle)
{
	struct dae_host *h = m->mem[MAP_HOST];
	struct dae_range *to = m->mem[MAP_HOST_RANGES];
	int r;

	l->count = 0;
	r = read_routes(l);
	if (r == 0)
		r = host_ranges_make(l->items, l->count,
				     to + dae_range_key(idle, l->is_v6, 0),
				     DAE_RANGES_MAX);
	if (r < 0)
		return r;
	h->count[idle][l->is_v6] = (uint32_t)r;
	return 0;
}

void host_publish_ports(struct maps *m)
{
	const struct dae_target *t = m->mem[MAP_TARGETS];
	struct dae_host *h = m->mem[MAP_HOST];
	uint64_t ports[ARRAY_LEN(h->ports)] = { 0 };
	uint16_t port;
	size_t i;

	for (i = 0; i < DAE_TARGETS_MAX; i++) {
		port = ntohs(t[i].port);
		if (t[i].kind == DAE_KIND_TPROXY)
			ports[port / 64] |= 1ULL << port % 64;
	}
	memcpy(h->ports, ports, sizeof(ports));
}

int host_publish(struct maps *m, const uint32_t *wan, size_t count)
{
	struct dae_host *h = m->mem[MAP_HOST];
	struct routes l = { .wan = wan, .wan_count = count };
	uint32_t idle = !(h->bank & 1);
	int r;

	if (count > DAE_WAN_MAX)
		return -E2BIG;
	r = publish_family(m, &l, idle);
	l.is_v6 = true;
	if (r == 0)
		r = publish_family(m, &l, idle);
	free(l.items);
	if (r < 0)
		return r;
	memset(h->wan, 0, sizeof(h->wan));
	memcpy(h->wan, wan, count * sizeof(*wan));
	__atomic_store_n(&h->bank, idle, __ATOMIC_RELEASE);
	return 0;
}
