/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/probe_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/pool/route_query.h"

/* Probes are short: small buffers bound what a hostile peer can park. */
#define BUF_STREAM 32768
#define BUF_DGRAM 16384
#define BUF_QUIC 65536

static int set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int may_lead_to(const struct probe_socket *s)
{
	struct addr a;
	uint16_t port;
	bool is_own;
	int r;

	addr_from_sockaddr(&s->peer, &a, &port);
	if (a.family == 0 || port == 0)
		return -EINVAL;
	if (s->is_literal)
		return 0;
	if (addr_is_special(&a))
		return -EXDEV;
	r = route_query_is_own(&a, &is_own);
	if (r < 0)
		return r;
	return is_own ? -EXDEV : 0;
}

static int set_mtu(int fd, int family)
{
	if (family == AF_INET)
		return set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER,
			       IP_PMTUDISC_PROBE);
	return set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		       IPV6_PMTUDISC_PROBE);
}

static int tune(int fd, const struct probe_socket *s)
{
	bool is_stream = s->proto == IPPROTO_TCP;
	int size = is_stream ? BUF_STREAM : s->is_quic ? BUF_QUIC : BUF_DGRAM;
	int r;

	r = set_int(fd, SOL_SOCKET, SO_RCVBUF, size);
	if (r == 0)
		r = set_int(fd, SOL_SOCKET, SO_SNDBUF, size);
	if (r == 0 && is_stream)
		r = set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (r == 0 && s->is_quic)
		r = set_mtu(fd, s->peer.ss_family);
	return r;
}

static int mark_and_bind(int fd, const struct probe_socket *s)
{
	struct sockaddr_storage from;
	socklen_t len;
	int r;

	if (s->mark) {
		r = set_int(fd, SOL_SOCKET, SO_MARK, (int)s->mark);
		if (r < 0)
			return r;
	}
	if (s->iface && *s->iface &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s->iface,
		       (socklen_t)strlen(s->iface)) < 0)
		return -errno;
	if (s->source.family == 0)
		return 0;
	len = addr_to_sockaddr(&s->source, 0, &from);
	if (from.ss_family != s->peer.ss_family)
		return -EINVAL;
	r = set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (r < 0)
		return r;
	return bind(fd, (const struct sockaddr *)&from, len) < 0 ? -errno : 0;
}

static int start_connect(int fd, const struct sockaddr_storage *peer)
{
	socklen_t len = peer->ss_family == AF_INET
				? sizeof(struct sockaddr_in)
				: sizeof(struct sockaddr_in6);

	if (connect(fd, (const struct sockaddr *)peer, len) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}

int probe_socket_open(const struct probe_socket *s)
{
	int type = s->proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	auto_fd int fd = -1;
	int r;

	r = may_lead_to(s);
	if (r < 0)
		return r;
	fd = socket(s->peer.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    s->proto);
	if (fd < 0)
		return -errno;
	r = tune(fd, s);
	if (r == 0)
		r = mark_and_bind(fd, s);
	if (r == 0)
		r = start_connect(fd, &s->peer);
	return r < 0 ? r : TAKE_FD(fd);
}

/* A mapping only, by what is to blame. */
enum outcome probe_socket_outcome(int error)
{
	switch (error < 0 ? -error : error) {
	case ECONNREFUSED:
		return OUTCOME_REFUSED;
	case ECONNRESET:
		return OUTCOME_RESET;
	case ETIMEDOUT:
		return OUTCOME_CONNECT_TIMEOUT;
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case EXDEV: /* an address that its name should not have */
		return OUTCOME_UNREACHABLE;
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EAFNOSUPPORT:
	case ENODEV:
	case EACCES: /* a prohibit route */
	case EPERM:  /* a firewall's reject */
	case EINVAL: /* a blackhole route */
		return OUTCOME_LOCAL_ROUTE;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN: /* no free port */
		return OUTCOME_LOCAL_RESOURCE;
	default:
		return OUTCOME_INTERNAL;
	}
}
