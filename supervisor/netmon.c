/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/netmon.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/datapath/policy.h"

#define NETMON_SETTLE_MS 200
#define NETMON_BUF 16384
#define NETMON_DUMP_MAX 4096 /* messages of one dump we look at */

struct netmon {
	int fd;
	struct event *readable;
	struct event *settle;
	netmon_fn fn;
	void *ctx;
};

static int netmon_socket(uint32_t groups)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
				  .nl_groups = groups };
	int fd, r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int dump_request(int fd, uint16_t type, uint8_t family)
{
	struct {
		struct nlmsghdr nh;
		struct rtmsg rt;
	} req = { .nh = { .nlmsg_len = sizeof(req),
			  .nlmsg_type = type,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		  .rt = { .rtm_family = family } };
	struct timeval tv = { .tv_sec = 2 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	return send(fd, &req, sizeof(req), 0) < 0 ? -errno : 0;
}

/* FNV-1a over what a message says, so that any change shows. */
static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

static bool link_is_up(int ifindex)
{
	char name[IF_NAMESIZE];

	/* a dead link's routes carry RTNH_F_LINKDOWN; this catches removal */
	return if_indextoname((unsigned int)ifindex, name) != NULL;
}

static void route_message(const struct nlmsghdr *nh, struct netmon_state *st)
{
	const struct rtmsg *rt = NLMSG_DATA(nh);
	const struct rtattr *a = RTM_RTA(rt);
	int left = (int)RTM_PAYLOAD(nh);
	uint32_t oif = 0;

	if (rt->rtm_dst_len != 0 || rt->rtm_table != RT_TABLE_MAIN ||
	    rt->rtm_type != RTN_UNICAST ||
	    rt->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN))
		return;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof(oif))
			memcpy(&oif, RTA_DATA(a), sizeof(oif));
		if (a->rta_type == RTA_GATEWAY || a->rta_type == RTA_OIF)
			st->fingerprint = mix(st->fingerprint, RTA_DATA(a),
					      RTA_PAYLOAD(a));
	}
	if (oif && !link_is_up((int)oif))
		return;
	if (rt->rtm_family == AF_INET)
		st->has_default4 = true;
	else if (rt->rtm_family == AF_INET6)
		st->has_default6 = true;
}

static void addr_message(const struct nlmsghdr *nh, struct netmon_state *st)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(nh);
	const struct rtattr *a = IFA_RTA(ifa);
	int left = (int)IFA_PAYLOAD(nh);

	if (ifa->ifa_scope != RT_SCOPE_UNIVERSE)
		return;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFA_ADDRESS)
			st->fingerprint = mix(st->fingerprint, RTA_DATA(a),
					      RTA_PAYLOAD(a));
}

/* One dump, read to its end. */
static int dump_read(int fd, struct netmon_state *st)
{
	static char buf[NETMON_BUF] __attribute__((aligned(8)));

	for (unsigned int n = 0; n < NETMON_DUMP_MAX; n++) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *nh = (struct nlmsghdr *)buf;

		if (len < 0)
			return -errno;
		for (; NLMSG_OK(nh, len); nh = NLMSG_NEXT(nh, len)) {
			if (nh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nh->nlmsg_type == NLMSG_ERROR)
				return -EIO;
			if (nh->nlmsg_type == RTM_NEWROUTE)
				route_message(nh, st);
			else if (nh->nlmsg_type == RTM_NEWADDR)
				addr_message(nh, st);
		}
	}
	return -E2BIG;
}

int netmon_read(struct netmon_state *ret)
{
	static const struct {
		uint16_t type;
		uint8_t family;
	} dumps[] = {
		{ RTM_GETROUTE, AF_INET },
		{ RTM_GETROUTE, AF_INET6 },
		{ RTM_GETADDR, AF_UNSPEC },
	};
	struct netmon_state st = { .fingerprint = 0xcbf29ce484222325ULL };
	auto_fd int fd = netmon_socket(0);
	int r;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
		r = dump_request(fd, dumps[i].type, dumps[i].family);
		if (r == 0)
			r = dump_read(fd, &st);
		if (r < 0)
			return r;
	}
	*ret = st;
	return 0;
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct netmon *m = arg;
	struct netmon_state st;
	int r;

	(void)fd;
	(void)what;
	r = netmon_read(&st);
	if (r < 0) {
		log_err_r(r, "netmon: cannot read the routes");
		return;
	}
	m->fn(m->ctx, &st);
}

/*
 * Our policy routes are written anew with every look at the network, and the
 * kernel tells of each: were that news, there would be no end to it.
 */
static bool is_news(const char *buf, ssize_t len)
{
	const struct nlmsghdr *nh = (const struct nlmsghdr *)buf;
	const struct rtmsg *rt = NLMSG_DATA(nh);

	return !NLMSG_OK(nh, len) || nh->nlmsg_type != RTM_NEWROUTE ||
	       nh->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) ||
	       rt->rtm_protocol != POLICY_RT_PROTOCOL;
}

/* What changed is not looked at here: bursts are awaited, then all is read. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval settle = { .tv_usec = NETMON_SETTLE_MS *
							  1000 };
	struct netmon *m = arg;
	char buf[4096] __attribute__((aligned(8)));
	bool is_changed = false;
	ssize_t len;

	(void)what;
	while ((len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		is_changed |= is_news(buf, len);
	/* too much to be told of it all: something changed */
	is_changed |= len < 0 && errno == ENOBUFS;
	if (is_changed && !evtimer_pending(m->settle, NULL))
		evtimer_add(m->settle, &settle);
}

int netmon_new(struct netmon **ret, struct event_base *base, netmon_fn fn,
	       void *ctx)
{
	struct netmon *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->fn = fn;
	m->ctx = ctx;
	/* sysctls of interfaces are among what is told: the last one */
	m->fd = netmon_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
			      RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
			      RTMGRP_IPV6_ROUTE |
			      1U << (RTNLGRP_IPV4_NETCONF - 1));
	r = m->fd;
	if (r >= 0) {
		m->readable = event_new(base, m->fd, EV_READ | EV_PERSIST,
					on_readable, m);
		m->settle = evtimer_new(base, on_settled, m);
		r = m->readable && m->settle &&
				    event_add(m->readable, NULL) == 0
			    ? 0
			    : -ENOMEM;
	}
	if (r < 0) {
		netmon_free(&m);
		return r;
	}
	*ret = m;
	return 0;
}

void netmon_free(struct netmon **mp)
{
	struct netmon *m = TAKE_PTR(*mp);

	if (!m)
		return;
	if (m->readable)
		event_free(m->readable);
	if (m->settle)
		event_free(m->settle);
	fd_close_ptr(&m->fd);
	free(m);
}
