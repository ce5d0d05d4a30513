/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/local.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base.h"
#include "supervisor/datapath/netlink.h"

#define MAC_SIZE 6

/* Insert into the idle half; linear probing as the programs do. */
static int insert(struct dae_local *half, const struct dae_local *a)
{
	uint32_t at = dae_local_slot(a->a[0], a->a[1]), i;
	struct dae_local *l;

	for (i = 0; i < DAE_LOCAL_PROBES; i++) {
		l = &half[(at + i) & (DAE_LOCAL_SLOTS - 1)];
		if (l->a[0] == a->a[0] && l->a[1] == a->a[1])
			return 0;
		if (!(l->a[0] | l->a[1])) {
			*l = *a;
			return 0;
		}
	}
	return -E2BIG;
}

/* Single addresses of the local table: own, broadcast, anycast. */
static int visit_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	struct dae_local l = { 0 };
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };
	size_t size;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)))
		return 0;
	size = rt->rtm_family == AF_INET ? 4 : 16;
	netlink_index(h, sizeof(*rt), tb, RTA_MAX);
	if ((tb[RTA_TABLE] ? netlink_u32(tb[RTA_TABLE]) : rt->rtm_table) !=
	    RT_TABLE_LOCAL)
		return 0;
	if ((rt->rtm_type != RTN_LOCAL && rt->rtm_type != RTN_BROADCAST &&
	     rt->rtm_type != RTN_ANYCAST) ||
	    rt->rtm_dst_len != size * 8 || !tb[RTA_DST] ||
	    RTA_PAYLOAD(tb[RTA_DST]) != size)
		return 0;
	memcpy(bytes + 16 - size, RTA_DATA(tb[RTA_DST]), size);
	memcpy(l.a, bytes, sizeof(bytes));
	return insert(arg, &l);
}

static int read_family(struct dae_local *half, uint8_t family)
{
	struct netlink_message m;
	struct rtmsg *rt;

	rt = netlink_start(&m, RTM_GETROUTE, 0, sizeof(*rt));
	rt->rtm_family = family;
	rt->rtm_table = RT_TABLE_LOCAL;
	return netlink_dump(NETLINK_ROUTE, &m, visit_route, half);
}

/* A bridge: frames for it reach its ports as if for another station. */
static int visit_link(const struct nlmsghdr *h, void *arg)
{
	const struct rtattr *tb[IFLA_MAX + 1], *kind;
	struct dae_local l = { .a = { DAE_LOCAL_IS_MAC } };

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
		return 0;
	netlink_index(h, sizeof(struct ifinfomsg), tb, IFLA_MAX);
	if (!tb[IFLA_LINKINFO] || !tb[IFLA_ADDRESS] ||
	    RTA_PAYLOAD(tb[IFLA_ADDRESS]) != MAC_SIZE)
		return 0;
	kind = netlink_inside(tb[IFLA_LINKINFO], IFLA_INFO_KIND);
	if (!kind || RTA_PAYLOAD(kind) < sizeof("bridge") ||
	    memcmp(RTA_DATA(kind), "bridge", sizeof("bridge")) != 0)
		return 0;
	memcpy((uint8_t *)&l.a[1] + 2, RTA_DATA(tb[IFLA_ADDRESS]), MAC_SIZE);
	return insert(arg, &l);
}

static int read_bridges(struct dae_local *half)
{
	struct netlink_message m;

	netlink_start(&m, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	return netlink_dump(NETLINK_ROUTE, &m, visit_link, half);
}

int local_refresh(struct maps *m)
{
	struct dae_control *c = maps_control(m);
	uint32_t idle = !(c->local_bank & 1);
	struct dae_local *half = m->mem[MAP_LOCALS];
	int r;

	half += idle * DAE_LOCAL_SLOTS;
	memset(half, 0, DAE_LOCAL_SLOTS * sizeof(*half));
	r = read_family(half, AF_INET);
	if (r == 0)
		r = read_family(half, AF_INET6);
	if (r == 0)
		r = read_bridges(half);
	if (r < 0)
		return r;
	__atomic_store_n(&c->local_bank, idle, __ATOMIC_RELEASE);
	return 0;
}
