/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/netlink.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>

#include "common/base.h"

#define RECEIVE_SIZE 65536

void *netlink_start(struct netlink_message *m, uint16_t type, uint16_t flags,
		    size_t len)
{
	memset(m, 0, sizeof(*m));
	m->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	m->h.nlmsg_type = type;
	m->h.nlmsg_flags = NLM_F_REQUEST | flags;
	m->h.nlmsg_seq = 1;
	return NLMSG_DATA(&m->h);
}

void netlink_put(struct netlink_message *m, uint16_t type, const void *data,
		 size_t len)
{
	size_t at = NLMSG_ALIGN(m->h.nlmsg_len);
	struct rtattr *a = (struct rtattr *)(m->bytes + at);

	assert(at + RTA_SPACE(len) <= sizeof(m->bytes));
	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	m->h.nlmsg_len = (uint32_t)(at + RTA_SPACE(len));
}

void netlink_put_u32(struct netlink_message *m, uint16_t type, uint32_t value)
{
	netlink_put(m, type, &value, sizeof(value));
}

static int open_and_send(int protocol, struct netlink_message *m)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	if (send(fd, &m->h, m->h.nlmsg_len, 0) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* The code of an error or acknowledgement. */
static int error_of(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);

	return h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EBADMSG : e->error;
}

/* 1: the answer has ended. */
static int visit_all(const uint8_t *buf, size_t len, netlink_visit *visit,
		     void *arg)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	int r;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			r = error_of(h);
			return r < 0 ? r : 1;
		}
		r = visit ? visit(h, arg) : 0;
		if (r != 0)
			return r < 0 ? r : -ECANCELED;
	}
	return 0;
}

static int receive(int fd, netlink_visit *visit, void *arg)
{
	auto_free uint8_t *buf = malloc(RECEIVE_SIZE);
	ssize_t n;
	int r = 0;

	if (!buf)
		return -ENOMEM;
	while (r == 0) {
		n = recv(fd, buf, RECEIVE_SIZE, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		r = visit_all(buf, (size_t)n, visit, arg);
	}
	return r < 0 ? r : 0;
}

static int converse(int protocol, struct netlink_message *m, uint16_t flags,
		    netlink_visit *visit, void *arg)
{
	int fd, r;

	m->h.nlmsg_flags |= flags;
	fd = open_and_send(protocol, m);
	if (fd < 0)
		return fd;
	r = receive(fd, visit, arg);
	close(fd);
	return r;
}

int netlink_talk(int protocol, struct netlink_message *m)
{
	return converse(protocol, m, NLM_F_ACK, NULL, NULL);
}

int netlink_ask(int protocol, struct netlink_message *m, netlink_visit *visit,
		void *arg)
{
	return converse(protocol, m, NLM_F_ACK, visit, arg);
}

int netlink_dump(int protocol, struct netlink_message *m, netlink_visit *visit,
		 void *arg)
{
	return converse(protocol, m, NLM_F_DUMP, visit, arg);
}

void netlink_index(const struct nlmsghdr *h, size_t skip,
		   const struct rtattr **tb, uint16_t max)
{
	const uint8_t *data = NLMSG_DATA(h);
	const struct rtattr *a;
	size_t len;
	uint16_t type;

	memset(tb, 0, sizeof(*tb) * (max + 1U));
	if (h->nlmsg_len < NLMSG_LENGTH(skip))
		return;
	a = (const struct rtattr *)(data + NLMSG_ALIGN(skip));
	len = h->nlmsg_len - MIN(h->nlmsg_len, (uint32_t)NLMSG_SPACE(skip));
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		type = a->rta_type & NLA_TYPE_MASK;
		if (type <= max)
			tb[type] = a;
	}
}

const struct rtattr *netlink_inside(const struct rtattr *nest, uint16_t type)
{
	const struct rtattr *a = nest ? RTA_DATA(nest) : NULL;
	int len = nest ? (int)RTA_PAYLOAD(nest) : 0;

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

uint32_t netlink_u32(const struct rtattr *a)
{
	uint32_t v = 0;

	if (a && RTA_PAYLOAD(a) >= sizeof(v))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

struct wanted_filter {
	uint32_t handle, priority;
	const char *prefix;
	int found;
};

static bool has_name(const struct rtattr *options, const char *prefix)
{
	const struct rtattr *a = RTA_DATA(options);
	size_t len = RTA_PAYLOAD(options), n = strlen(prefix);

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if ((a->rta_type & NLA_TYPE_MASK) == TCA_BPF_NAME)
			return RTA_PAYLOAD(a) > n &&
			       memcmp(RTA_DATA(a), prefix, n) == 0;
	return false;
}

static int visit_filter(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *tc = NLMSG_DATA(h);
	const struct rtattr *tb[TCA_MAX + 1];
	struct wanted_filter *w = arg;

	if (h->nlmsg_type != RTM_NEWTFILTER ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*tc)) ||
	    tc->tcm_handle != w->handle || tc->tcm_info >> 16 != w->priority)
		return 0;
	netlink_index(h, sizeof(*tc), tb, TCA_MAX);
	w->found = tb[TCA_OPTIONS] && has_name(tb[TCA_OPTIONS], w->prefix)
			   ? 1
			   : -EEXIST;
	return 0;
}

int netlink_find_filter(uint32_t ifindex, uint32_t handle, uint32_t priority,
			const char *prefix)
{
	struct wanted_filter w = { .handle = handle,
				   .priority = priority,
				   .prefix = prefix };
	struct netlink_message m;
	struct tcmsg *tc;
	int r;

	tc = netlink_start(&m, RTM_GETTFILTER, 0, sizeof(*tc));
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
	r = netlink_dump(NETLINK_ROUTE, &m, visit_filter, &w);
	if (r == -EINVAL || r == -ENOENT || r == -ENODEV)
		return 0; /* no such qdisc */
	return r < 0 ? r : w.found;
}

static int note_filter(const struct nlmsghdr *h, void *arg)
{
	bool *found = arg;

	if (h->nlmsg_type == RTM_NEWTFILTER)
		*found = true;
	return 0;
}

int netlink_has_filters(uint32_t ifindex)
{
	static const uint32_t parents[] = {
		TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
	};
	struct netlink_message m;
	struct tcmsg *tc;
	bool found = false;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(parents); i++) {
		tc = netlink_start(&m, RTM_GETTFILTER, 0, sizeof(*tc));
		tc->tcm_ifindex = (int)ifindex;
		tc->tcm_parent = parents[i];
		r = netlink_dump(NETLINK_ROUTE, &m, note_filter, &found);
		if (r < 0)
			return r;
	}
	return found;
}
