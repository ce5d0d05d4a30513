/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A DNS question by UDP, asked again while its answer does not come. */
#include <stdlib.h>

#include "common/base.h"
#include "worker/probe/dns_check.h"
#include "worker/probe/kinds.h"
#include "worker/probe/path.h"

#define RESEND_NS (3 * NS_PER_S)
#define DATAGRAMS_MAX 32 /* looked at in one turn */

struct dns_udp {
	struct path *path;
	bool is_up;
	struct dns_question q;
	uint8_t query[DNS_QUERY_MAX];
	size_t query_len;
	uint64_t resend_ns;
};

static int send_query(struct probe *p, struct dns_udp *d, uint64_t now_ns)
{
	int r = dgram_send(path_dgram(d->path), d->query, d->query_len);

	d->resend_ns = now_ns + RESEND_NS;
	/* A full socket loses it like the network could: it is sent again. */
	if (r < 0 && path_dgram_error(d->path, r) != -EAGAIN)
		return -EPROTO;
	return probe_watch(p, path_io(d->path), EV_READ);
}

static int bring_up(struct probe *p, struct dns_udp *d, uint64_t now_ns)
{
	int r = path_step(d->path, now_ns);

	if (r < 0)
		return r == -EAGAIN ? PROBE_GOING : r;
	d->is_up = true;
	return send_query(p, d, now_ns);
}

static int dns_udp_start(struct probe *p, uint64_t now_ns)
{
	struct dns_udp *d = calloc(1, sizeof(*d));
	ssize_t n;
	int r;

	p->priv = d;
	if (!d)
		return -ENOMEM;
	d->resend_ns = UINT64_MAX;
	n = dns_check_ask(p, &d->q, false, d->query);
	if (n < 0)
		return (int)n;
	d->query_len = (size_t)n;
	r = path_new_dgram(&d->path, p);
	return r < 0 ? r : bring_up(p, d, now_ns);
}

/* What is not our answer may be anybody's: it is passed over. */
static int take_answers(struct probe *p, struct dns_udp *d, uint64_t now_ns)
{
	uint8_t buf[DNS_UDP_MAX];
	ssize_t n;
	int i, r;

	for (i = 0; i < DATAGRAMS_MAX; i++) {
		n = dgram_recv(path_dgram(d->path), buf, sizeof(buf));
		if (n < 0)
			return path_dgram_error(d->path, (int)n) == -EAGAIN
				       ? PROBE_GOING
				       : -EPROTO;
		r = dns_check_answer(p, &d->q, buf, (size_t)n);
		if (r == PROBE_GOING)
			continue;
		probe_phase(p, PHASE_FIRST_BYTE, now_ns);
		return r;
	}
	return PROBE_GOING;
}

static int dns_udp_ready(struct probe *p, int fd DAE_UNUSED,
			 short what DAE_UNUSED, uint64_t now_ns)
{
	struct dns_udp *d = p->priv;

	return d->is_up ? take_answers(p, d, now_ns) : bring_up(p, d, now_ns);
}

static int dns_udp_expiry(struct probe *p, uint64_t now_ns)
{
	return send_query(p, p->priv, now_ns);
}

static uint64_t dns_udp_expiry_ns(const struct probe *p)
{
	const struct dns_udp *d = p->priv;

	return d->resend_ns;
}

static enum outcome dns_udp_timeout(const struct probe *p)
{
	const struct dns_udp *d = p->priv;

	return path_timeout_outcome(d->path);
}

static void dns_udp_stop(struct probe *p)
{
	struct dns_udp *d = TAKE_PTR(p->priv);

	if (!d)
		return;
	path_free(&d->path);
	free(d);
}

const struct probe_ops probe_dns_udp_ops = {
	.name = "dns_udp",
	.start = dns_udp_start,
	.on_ready = dns_udp_ready,
	.on_expiry = dns_udp_expiry,
	.expiry_ns = dns_udp_expiry_ns,
	.timeout_outcome = dns_udp_timeout,
	.stop = dns_udp_stop,
};
