/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing the rules and routes; policy_check.c looks before. */
#include "supervisor/datapath/policy.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>

#include "supervisor/datapath/error.h"
#include "supervisor/datapath/netlink.h"

static const uint8_t families[] = { AF_INET, AF_INET6 };

#define ENTRIES_MAX 1024
/* The metric of a table's last route: nothing else may come after it. */
#define GUARD_METRIC 0x7fffffffU

/* --- rules --- */

struct rule {
	uint32_t priority, mark, mask, table;
	uint32_t from_loopback; /* instead of a mark */
};

/* The loopback address and its size. */
static const void *loopback_of(uint8_t family, size_t *ret_size)
{
	static const uint8_t four[4] = { 127, 0, 0, 1 };
	static const uint8_t six[16] = { [15] = 1 };

	*ret_size = family == AF_INET ? sizeof(four) : sizeof(six);
	return family == AF_INET ? four : six;
}

static int rule_talk(uint16_t type, uint16_t flags, uint8_t family,
		     const struct rule *r)
{
	struct netlink_message m;
	struct fib_rule_hdr *h;
	uint8_t protocol = POLICY_RT_PROTOCOL;
	const void *source;
	size_t size;

	h = netlink_start(&m, type, flags, sizeof(*h));
	h->family = family;
	h->action = FR_ACT_TO_TBL;
	h->table = RT_TABLE_UNSPEC;
	netlink_put_u32(&m, FRA_PRIORITY, r->priority);
	if (r->from_loopback) {
		source = loopback_of(family, &size);
		h->src_len = (uint8_t)(size * 8);
		netlink_put(&m, FRA_SRC, source, size);
	} else {
		netlink_put_u32(&m, FRA_FWMARK, r->mark);
		netlink_put_u32(&m, FRA_FWMASK, r->mask);
	}
	netlink_put_u32(&m, FRA_TABLE, r->table);
	netlink_put(&m, FRA_PROTOCOL, &protocol, sizeof(protocol));
	return netlink_talk(NETLINK_ROUTE, &m);
}

struct rule_list {
	struct rule items[ENTRIES_MAX];
	size_t count;
};

static int visit_rule(const struct nlmsghdr *h, void *arg)
{
	const struct fib_rule_hdr *f = NLMSG_DATA(h);
	const struct rtattr *tb[FRA_MAX + 1];
	struct rule_list *l = arg;

	if (h->nlmsg_type != RTM_NEWRULE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*f)))
		return 0;
	netlink_index(h, sizeof(*f), tb, FRA_MAX);
	if (!tb[FRA_PROTOCOL] || RTA_PAYLOAD(tb[FRA_PROTOCOL]) < 1 ||
	    *(const uint8_t *)RTA_DATA(tb[FRA_PROTOCOL]) != POLICY_RT_PROTOCOL)
		return 0;
	if (l->count < ENTRIES_MAX)
		l->items[l->count++] = (struct rule){
			.priority = netlink_u32(tb[FRA_PRIORITY]),
			.mark = netlink_u32(tb[FRA_FWMARK]),
			.mask = netlink_u32(tb[FRA_FWMASK]),
			.table = netlink_u32(tb[FRA_TABLE]),
			.from_loopback = tb[FRA_SRC] != NULL,
		};
	return 0;
}

static int list_rules(uint8_t family, struct rule_list *ret)
{
	struct netlink_message m;
	struct fib_rule_hdr *h;

	ret->count = 0;
	h = netlink_start(&m, RTM_GETRULE, 0, sizeof(*h));
	h->family = family;
	return netlink_dump(NETLINK_ROUTE, &m, visit_rule, ret);
}

/* Make the rules of ours be exactly @want. */
static int sync_rules(uint8_t family, const struct rule *want, size_t count)
{
	static struct rule_list have;
	bool found[ENTRIES_MAX] = { false };
	size_t i, k;
	int r;

	r = list_rules(family, &have);
	if (r < 0)
		return r;
	for (i = 0; i < have.count; i++) {
		for (k = 0; k < count; k++)
			if (!found[k] && memcmp(&have.items[i], &want[k],
						sizeof(*want)) == 0)
				break;
		if (k < count) {
			found[k] = true;
			continue;
		}
		r = rule_talk(RTM_DELRULE, 0, family, &have.items[i]);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	for (k = 0; k < count; k++) {
		if (found[k])
			continue;
		r = rule_talk(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, family,
			      &want[k]);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* --- routes --- */

struct route {
	uint32_t table, oif, metric;
	uint8_t type;
	bool has_source; /* the loopback address */
	struct addr gateway;
};

static int route_talk(uint16_t type, uint16_t flags, uint8_t family,
		      const struct route *r)
{
	struct netlink_message m;
	struct rtmsg *rt;
	bool has_gateway = r->gateway.family != 0;
	const void *source;
	size_t size;

	rt = netlink_start(&m, type, flags, sizeof(*rt));
	rt->rtm_family = family;
	rt->rtm_table = RT_TABLE_UNSPEC;
	rt->rtm_protocol = POLICY_RT_PROTOCOL;
	rt->rtm_type = r->type;
	rt->rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : /* any */
				r->type == RTN_LOCAL ? RT_SCOPE_HOST
			: r->type == RTN_UNICAST && !has_gateway
				? RT_SCOPE_LINK
				: RT_SCOPE_UNIVERSE;
	netlink_put_u32(&m, RTA_TABLE, r->table);
	if (r->metric)
		netlink_put_u32(&m, RTA_PRIORITY, r->metric);
	/* of the host's own sockets, which would take the destination's */
	if (type == RTM_NEWROUTE && r->has_source) {
		source = loopback_of(family, &size);
		netlink_put(&m, RTA_PREFSRC, source, size);
	}
	if (r->oif)
		netlink_put_u32(&m, RTA_OIF, r->oif);
	if (has_gateway && family == AF_INET)
		netlink_put(&m, RTA_GATEWAY, r->gateway.b + 12, 4);
	else if (has_gateway)
		netlink_put(&m, RTA_GATEWAY, r->gateway.b, 16);
	return netlink_talk(NETLINK_ROUTE, &m);
}

struct route_list {
	struct route items[ENTRIES_MAX];
	size_t count;
	uint8_t family;
};

static int visit_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *tb[RTA_MAX + 1];
	struct route_list *l = arg;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) ||
	    rt->rtm_family != l->family ||
	    rt->rtm_protocol != POLICY_RT_PROTOCOL)
		return 0;
	netlink_index(h, sizeof(*rt), tb, RTA_MAX);
	if (l->count < ENTRIES_MAX)
		l->items[l->count++] = (struct route){
			.table = tb[RTA_TABLE] ? netlink_u32(tb[RTA_TABLE])
					       : rt->rtm_table,
			.oif = netlink_u32(tb[RTA_OIF]),
			.metric = netlink_u32(tb[RTA_PRIORITY]),
			.type = rt->rtm_type,
		};
	return 0;
}

static int list_routes(uint8_t family, struct route_list *ret)
{
	struct netlink_message m;
	struct rtmsg *rt;

	ret->count = 0;
	ret->family = family;
	rt = netlink_start(&m, RTM_GETROUTE, 0, sizeof(*rt));
	rt->rtm_family = family;
	return netlink_dump(NETLINK_ROUTE, &m, visit_route, ret);
}

/* Routes of ours in tables that are not wanted. @want may be NULL. */
static int drop_routes(uint8_t family, const struct route *want, size_t count)
{
	static struct route_list have;
	size_t i, k;
	int r;

	r = list_routes(family, &have);
	for (i = 0; r == 0 && i < have.count; i++) {
		for (k = 0; k < count; k++)
			if (want[k].table == have.items[i].table)
				break;
		if (k < count)
			continue;
		r = route_talk(RTM_DELROUTE, 0, family, &have.items[i]);
		if (r == -ESRCH || r == -ENOENT)
			r = 0;
	}
	return r;
}

/* --- both --- */

#define UPLINKS_MAX 256

struct plan {
	struct rule rules[UPLINKS_MAX + 2];
	size_t rule_count;
	struct route routes[2 * UPLINKS_MAX + 1];
	size_t route_count;
};

/* Whatever becomes of the uplink, marked packets do not fall through to the
 * main table and leave elsewhere. */
static struct route guard_route(const struct policy_uplink *u)
{
	return (struct route){ .table = u->table,
			       .type = RTN_UNREACHABLE,
			       .metric = GUARD_METRIC };
}

/* There is a way out in this family, as far as is known before asking. */
static bool has_way(const struct policy_uplink *u, uint8_t family)
{
	uint8_t ours = family == AF_INET ? 4 : 6;

	return u->ifindex && (!u->gateway.family || u->gateway.family == ours);
}

static uint32_t mask_of(const struct policy_uplink *u)
{
	return u->mask ? u->mask : ~0U;
}

static void make_plan(struct plan *p, const struct policy_local *local,
		      const struct policy_uplink *uplinks, size_t count,
		      uint8_t family)
{
	size_t i;

	p->rule_count = p->route_count = 1;
	p->rules[0] = (struct rule){ local->priority, local->mark,
				     local->mark_mask, local->table, 0 };
	/* from loopback to elsewhere: the host's datagrams to an engine */
	if (local->for_host)
		p->rules[p->rule_count++] = (struct rule){ local->priority, 0,
							   0, local->table, 1 };
	p->routes[0] = (struct route){ .table = local->table,
				       .oif = if_nametoindex("lo"),
				       .type = RTN_LOCAL,
				       .has_source = local->for_host };
	for (i = 0; i < count; i++) {
		const struct policy_uplink *u = &uplinks[i];

		p->rules[p->rule_count++] = (struct rule){ u->priority, u->mark,
							   mask_of(u), u->table,
							   0 };
		p->routes[p->route_count++] = guard_route(u);
		if (has_way(u, family))
			p->routes[p->route_count++] = (struct route){
				.table = u->table,
				.oif = u->ifindex,
				.type = RTN_UNICAST,
				.gateway = u->gateway,
			};
	}
}

static int make_route(uint8_t family, const struct route *route)
{
	struct route plain = *route;
	int r = route_talk(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, family,
			   route);

	/* lo has no address while it is down */
	if (r != -EINVAL || !route->has_source)
		return r;
	plain.has_source = false;
	return route_talk(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, family,
			  &plain);
}

/* A link that is down or gone: its guard answers until it is back. */
static bool is_no_way(const struct route *r, int error)
{
	return r->type == RTN_UNICAST &&
	       (error == -ENETUNREACH || error == -ENETDOWN ||
		error == -EHOSTUNREACH || error == -ENODEV);
}

static int apply_plan(const struct plan *p, uint8_t family)
{
	size_t i;
	int r;

	for (i = 0; i < p->route_count; i++) {
		r = make_route(family, &p->routes[i]);
		if (r < 0 && !is_no_way(&p->routes[i], r))
			return r;
	}
	r = sync_rules(family, p->rules, p->rule_count);
	return r < 0 ? r : drop_routes(family, p->routes, p->route_count);
}

/* A kernel without IPv6 has nothing to route. */
static bool is_absent(uint8_t family, int r)
{
	return family == AF_INET6 &&
	       (r == -EAFNOSUPPORT || r == -EOPNOTSUPP || r == -EACCES);
}

int policy_apply(const struct policy_local *local,
		 const struct policy_uplink *uplinks, size_t count,
		 struct datapath_error *ret_err)
{
	static struct plan plan;
	size_t i;
	int r;

	if (count > UPLINKS_MAX)
		return error_set(ret_err, -E2BIG, "uplinks");
	for (i = 0; i < sizeof(families); i++) {
		make_plan(&plan, local, uplinks, count, families[i]);
		r = apply_plan(&plan, families[i]);
		if (r < 0 && !is_absent(families[i], r))
			return error_set(ret_err, r, "policy routes (IPv%d)",
					 families[i] == AF_INET ? 4 : 6);
	}
	return 0;
}

int policy_remove(void)
{
	int first = 0, r;
	size_t i;

	for (i = 0; i < sizeof(families); i++) {
		r = sync_rules(families[i], NULL, 0);
		if (r == 0)
			r = drop_routes(families[i], NULL, 0);
		if (r < 0 && !is_absent(families[i], r) && first == 0)
			first = r;
	}
	return first;
}
