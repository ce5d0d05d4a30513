/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/kernel_links.h"

#include <errno.h>
#include <fnmatch.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/datapath/netlink.h"

/* Interfaces of default routes. */
struct defaults {
	uint32_t ifindex[DATAPATH_IFACES_MAX];
	size_t count;
};

static bool has_default(const struct defaults *d, uint32_t ifindex)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->ifindex[i] == ifindex)
			return true;
	return false;
}

static bool matches(const struct if_nameindex *i,
		    const struct config_list *patterns,
		    const struct defaults *d)
{
	for (size_t k = 0; k < patterns->count; k++) {
		if (strcmp(patterns->items[k], "auto") == 0
			    ? has_default(d, i->if_index)
			    : fnmatch(patterns->items[k], i->if_name, 0) == 0)
			return true;
	}
	return false;
}

static void add_default(struct defaults *d, uint32_t ifindex)
{
	if (ifindex && !has_default(d, ifindex) &&
	    d->count < DATAPATH_IFACES_MAX)
		d->ifindex[d->count++] = ifindex;
}

static int visit_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	const struct rtnexthop *hop;
	int left;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) || rt->rtm_dst_len != 0 ||
	    rt->rtm_table != RT_TABLE_MAIN || rt->rtm_type != RTN_UNICAST)
		return 0;
	netlink_index(h, sizeof(*rt), tb, RTA_MAX);
	add_default(arg, netlink_u32(tb[RTA_OIF]));
	if (!tb[RTA_MULTIPATH])
		return 0;
	left = (int)RTA_PAYLOAD(tb[RTA_MULTIPATH]);
	for (hop = RTA_DATA(tb[RTA_MULTIPATH]); RTNH_OK(hop, left);
	     left -= (int)NLMSG_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		add_default(arg, (uint32_t)hop->rtnh_ifindex);
	return 0;
}

static int find_defaults(struct defaults *d, const struct config_list *patterns)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	bool is_wanted = false;
	struct netlink_message m;
	struct rtmsg *rt;
	int r = 0;

	for (size_t i = 0; i < patterns->count; i++)
		is_wanted |= strcmp(patterns->items[i], "auto") == 0;
	for (size_t i = 0; is_wanted && r == 0 && i < sizeof(families); i++) {
		rt = netlink_start(&m, RTM_GETROUTE, 0, sizeof(*rt));
		rt->rtm_family = families[i];
		r = netlink_dump(NETLINK_ROUTE, &m, visit_route, d);
	}
	return r;
}

int kernel_links_find(struct kernel_links *ret,
		      const struct config_list *patterns)
{
	struct kernel_links l = { .count = 0 };
	struct defaults d = { .count = 0 };
	struct if_nameindex *all;
	int r = find_defaults(&d, patterns);

	if (r < 0)
		return r;
	all = if_nameindex();
	if (!all)
		return -errno;
	for (size_t i = 0; all[i].if_index; i++) {
		if (!matches(&all[i], patterns, &d))
			continue;
		if (l.count == DATAPATH_IFACES_MAX)
			l.left_out++;
		else
			l.ifindex[l.count++] = all[i].if_index;
	}
	if_freenameindex(all);
	*ret = l;
	return 0;
}
