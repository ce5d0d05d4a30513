/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/engines.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/supervisor.h"

#define DIAG_BUF 16384
#define DIAG_READS_MAX 1024

static int ask_listeners(int fd, uint8_t family)
{
	struct {
		struct nlmsghdr nh;
		struct inet_diag_req_v2 req;
	} m = { .nh = { .nlmsg_len = sizeof(m),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.req = { .sdiag_family = family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = 1U << TCP_LISTEN } };

	return send(fd, &m, sizeof(m), 0) < 0 ? -errno : 0;
}

static void addr_of(const struct inet_diag_msg *d, struct addr *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	ret->family = d->idiag_family == AF_INET6 ? 6 : 4;
	if (ret->family == 6) {
		memcpy(ret->b, d->id.idiag_src, 16);
		return;
	}
	memcpy(ret->b, mapped, sizeof(mapped));
	memcpy(ret->b + 12, d->id.idiag_src, 4);
}

static void note_listener(const struct inet_diag_msg *d, struct engine *engines,
			  size_t count)
{
	uint16_t port = ntohs(d->id.idiag_sport);
	struct addr at;

	addr_of(d, &at);
	for (size_t i = 0; i < count; i++) {
		struct engine *e = &engines[i];

		if (e->port == port && (addr_equal(&e->listener, &at) ||
					addr_is_unspecified(&e->listener) ||
					addr_is_unspecified(&at)))
			e->is_listening = true;
	}
}

static int read_listeners(int fd, struct engine *engines, size_t count)
{
	char buf[DIAG_BUF] __attribute__((aligned(8)));

	for (unsigned int n = 0; n < DIAG_READS_MAX; n++) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *nh = (struct nlmsghdr *)buf;

		if (len < 0)
			return -errno;
		for (; NLMSG_OK(nh, len); nh = NLMSG_NEXT(nh, len)) {
			if (nh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nh->nlmsg_type == NLMSG_ERROR)
				return -EOPNOTSUPP;
			if (nh->nlmsg_len >=
			    NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
				note_listener(NLMSG_DATA(nh), engines, count);
		}
	}
	return -E2BIG;
}

int engines_look(struct engine *engines, size_t count)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct timeval tv = { .tv_sec = 1 };
	auto_fd int fd = -1;
	int r = 0;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	for (size_t i = 0; i < count; i++)
		engines[i].is_listening = false;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(families); i++) {
		r = ask_listeners(fd, families[i]);
		if (r == 0)
			r = read_listeners(fd, engines, count);
	}
	return r;
}

static size_t engines_of(const struct prober *p, const struct config *c,
			 struct engine *ret, uint32_t *ret_targets)
{
	uint32_t limit = target_table_limit(p->targets);
	size_t n = 0;

	for (uint32_t i = 0; i < limit; i++) {
		const struct target *t = target_table_get(p->targets, i);
		const struct config_node *node;

		if (!t || t->kind != TARGET_NODE)
			continue;
		node = &c->nodes[t->config_index];
		if (node->scheme != SCHEME_TPROXY ||
		    addr_parse(node->host, &ret[n].listener) < 0)
			continue;
		ret[n].port = node->port;
		ret_targets[n++] = i;
	}
	return n;
}

void engines_update(struct supervisor *s)
{
	struct prober_now now = supervisor_now();
	size_t max = s->config->node_count, n;
	auto_free struct engine *engines = calloc(max + 1, sizeof(*engines));
	auto_free uint32_t *targets = calloc(max + 1, sizeof(*targets));
	int r;

	if (!engines || !targets)
		return;
	n = engines_of(s->prober, s->config, engines, targets);
	if (!n)
		return;
	r = engines_look(engines, n);
	if (r < 0) {
		log_debug("engines: cannot ask the kernel: %s", strerror(-r));
		return;
	}
	for (size_t i = 0; i < n; i++)
		prober_set_assumed(s->prober, targets[i],
				   engines[i].is_listening ? VERDICT_UP
							   : VERDICT_DOWN,
				   &now);
}
