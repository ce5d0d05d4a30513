/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/engines.h"

#define DIAG_BUF 16384
#define DIAG_READS_MAX 1024

/* A socket that may be somebody's listener. */
struct heard {
	struct addr at;
	uint16_t port;
	uint8_t protocol;
	bool is_v6only;
};

struct look {
	struct engine *engines;
	size_t count;
	uint8_t protocol; /* asked for at the moment */
};

/* Sockets that take what is sent to them: listening, or not connected. */
static int ask_sockets(int fd, uint8_t family, uint8_t protocol)
{
	struct {
		struct nlmsghdr nh;
		struct inet_diag_req_v2 req;
	} m = { .nh = { .nlmsg_len = sizeof(m),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.req = { .sdiag_family = family,
			 .sdiag_protocol = protocol,
			 .idiag_states = protocol == IPPROTO_TCP
						 ? 1U << TCP_LISTEN
						 : 1U << TCP_CLOSE } };

	return send(fd, &m, sizeof(m), 0) < 0 ? -errno : 0;
}

static void addr_of(const struct inet_diag_msg *d, struct addr *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	ret->family = d->idiag_family == AF_INET6 ? 6 : 4;
	if (ret->family == 6) {
		memcpy(ret->b, d->id.idiag_src, 16);
		if (memcmp(ret->b, mapped, sizeof(mapped)) == 0)
			ret->family = 4;
		return;
	}
	memcpy(ret->b, mapped, sizeof(mapped));
	memcpy(ret->b + 12, d->id.idiag_src, 4);
}

static bool read_v6only(const struct nlmsghdr *nh)
{
	const struct inet_diag_msg *d = NLMSG_DATA(nh);
	const struct rtattr *a = (const struct rtattr *)(d + 1);
	int len = (int)(nh->nlmsg_len - NLMSG_LENGTH(sizeof(*d)));

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type == INET_DIAG_SKV6ONLY && RTA_PAYLOAD(a) >= 1)
			return *(const uint8_t *)RTA_DATA(a);
	}
	return false;
}

/* Whether the kernel would find @h for a flow of @family that @e is to get. */
static bool would_take(const struct heard *h, const struct engine *e,
		       unsigned int family)
{
	static const struct addr loopback[] = {
		{ .family = 4,
		  .b = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } },
		{ .family = 6, .b = { [15] = 1 } },
	};
	const struct addr *want = &e->listener;

	if (addr_is_unspecified(want))
		want = &loopback[family == 6];
	if (want->family != family || h->port != e->port)
		return false;
	if (!addr_is_unspecified(&h->at))
		return addr_equal(&h->at, want);
	return h->at.family == family || (h->at.family == 6 && !h->is_v6only);
}

static enum check_class class_of(uint8_t protocol, unsigned int family)
{
	if (protocol == IPPROTO_UDP)
		return family == 6 ? CHECK_UDP6 : CHECK_UDP4;
	return family == 6 ? CHECK_TCP6 : CHECK_TCP4;
}

static void note_socket(const struct nlmsghdr *nh, const struct look *l)
{
	const struct inet_diag_msg *d = NLMSG_DATA(nh);
	struct heard h = { .port = ntohs(d->id.idiag_sport),
			   .protocol = l->protocol,
			   .is_v6only = read_v6only(nh) };

	addr_of(d, &h.at);
	for (size_t i = 0; i < l->count; i++) {
		struct engine *e = &l->engines[i];

		for (unsigned int family = 4; family <= 6; family += 2)
			if (would_take(&h, e, family))
				e->verdicts[class_of(h.protocol, family)] =
					VERDICT_UP;
	}
}

/* The end of a dump carries its error. */
static int read_end(const struct nlmsghdr *nh)
{
	int r = 0;

	if (nh->nlmsg_type == NLMSG_ERROR)
		return -EOPNOTSUPP;
	if (nh->nlmsg_len >= NLMSG_LENGTH(sizeof(r)))
		memcpy(&r, NLMSG_DATA(nh), sizeof(r));
	return MIN(r, 0);
}

static int read_sockets(int fd, const struct look *l)
{
	char buf[DIAG_BUF] __attribute__((aligned(8)));

	for (unsigned int n = 0; n < DIAG_READS_MAX; n++) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *nh = (struct nlmsghdr *)buf;

		if (len < 0)
			return -errno;
		for (; NLMSG_OK(nh, len); nh = NLMSG_NEXT(nh, len)) {
			if (nh->nlmsg_type == NLMSG_DONE ||
			    nh->nlmsg_type == NLMSG_ERROR)
				return read_end(nh);
			if (nh->nlmsg_len >=
			    NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
				note_socket(nh, l);
		}
	}
	return -E2BIG;
}

/* @v for each class of @protocol that the engine's address has. */
static void assume(const struct look *l, enum verdict v)
{
	for (size_t i = 0; i < l->count; i++) {
		struct engine *e = &l->engines[i];

		for (unsigned int family = 4; family <= 6; family += 2) {
			bool has = e->listener.family == family ||
				   addr_is_unspecified(&e->listener);

			e->verdicts[class_of(l->protocol, family)] =
				(uint8_t)(has ? v : VERDICT_NOT_APPLICABLE);
		}
	}
}

static int look_for(int fd, const struct look *l)
{
	int r;

	assume(l, VERDICT_DOWN);
	r = ask_sockets(fd, AF_INET, l->protocol);
	if (r == 0)
		r = read_sockets(fd, l);
	if (r == 0)
		r = ask_sockets(fd, AF_INET6, l->protocol);
	if (r == 0)
		r = read_sockets(fd, l);
	return r;
}

int engines_look(struct engine *engines, size_t count)
{
	struct look l = { engines, count, IPPROTO_TCP };
	struct timeval tv = { .tv_sec = 1 };
	auto_fd int fd = -1;
	int r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	r = look_for(fd, &l);
	if (r < 0)
		return r;
	l.protocol = IPPROTO_UDP;
	r = look_for(fd, &l);
	if (r < 0) /* a kernel without udp_diag */
		assume(&l, VERDICT_UNKNOWN);
	return 0;
}
