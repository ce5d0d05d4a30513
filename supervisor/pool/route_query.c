/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/route_query.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "common/base.h"
#include "common/fd.h"

struct query {
	struct nlmsghdr hdr;
	struct rtmsg rt;
	struct rtattr dst;
	uint8_t addr[16];
};

static void fill(struct query *q, const struct addr *a)
{
	size_t len = a->family == 4 ? 4 : 16;

	memset(q, 0, sizeof(*q));
	q->hdr.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(q->rt)) +
				      RTA_SPACE(len));
	q->hdr.nlmsg_type = RTM_GETROUTE;
	q->hdr.nlmsg_flags = NLM_F_REQUEST;
	q->rt.rtm_family = a->family == 4 ? AF_INET : AF_INET6;
	q->rt.rtm_dst_len = (unsigned char)(len * 8);
	q->dst.rta_type = RTA_DST;
	q->dst.rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(q->addr, a->b + 16 - len, len);
}

/* The kernel answers within the call: no waiting, nothing else arrives. */
int route_query_is_own(const struct addr *a, bool *ret)
{
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
				NETLINK_ROUTE);
	union {
		struct nlmsghdr hdr;
		uint8_t b[4096];
	} answer;
	const struct rtmsg *rt;
	struct query q;
	ssize_t n;

	if (fd < 0)
		return -errno;
	fill(&q, a);
	if (send(fd, &q, q.hdr.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&answer.hdr, (size_t)n))
		return -EIO;
	*ret = false; /* an error means no route: not ours in any case */
	if (answer.hdr.nlmsg_type == RTM_NEWROUTE &&
	    answer.hdr.nlmsg_len >= NLMSG_LENGTH(sizeof(*rt))) {
		rt = NLMSG_DATA(&answer.hdr);
		*ret = rt->rtm_type == RTN_LOCAL ||
		       rt->rtm_type == RTN_BROADCAST ||
		       rt->rtm_type == RTN_ANYCAST;
	}
	return 0;
}
