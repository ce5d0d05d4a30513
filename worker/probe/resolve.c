/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The addresses of a name, asked of one resolver by UDP or TCP. The question
 * and its transport are those of the DNS probes; only what a failure means
 * differs, for the resolver is not what is being probed.
 */
#include "common/base.h"
#include "worker/probe/kinds.h"

static const struct probe_ops *transport(const struct probe *p)
{
	return p->spec.proto == IPPROTO_TCP ? &probe_dns_tcp_ops
					    : &probe_dns_udp_ops;
}

/* Our own failures, and those that say more than "it failed", stay. */
static int rename_failure(struct probe *p, int r)
{
	switch (p->fail.outcome) {
	case OUTCOME_OK:
	case OUTCOME_RESOLVE_NXDOMAIN:
	case OUTCOME_NO_ADDRESS:
	case OUTCOME_DNS_TRUNCATED:
		return r;
	default:
		break;
	}
	if (!outcome_is_ours(p->fail.outcome))
		p->fail.outcome = OUTCOME_RESOLVE_ERROR;
	return r;
}

static int finish(struct probe *p, int r, uint64_t now_ns)
{
	if (r == PROBE_DONE)
		probe_phase(p, PHASE_RESOLVE, now_ns);
	return r < 0 ? rename_failure(p, r) : r;
}

static int resolve_start(struct probe *p, uint64_t now_ns)
{
	return finish(p, transport(p)->start(p, now_ns), now_ns);
}

static int resolve_ready(struct probe *p, int fd, short what, uint64_t now_ns)
{
	return finish(p, transport(p)->on_ready(p, fd, what, now_ns), now_ns);
}

static int resolve_expiry(struct probe *p, uint64_t now_ns)
{
	return finish(p, transport(p)->on_expiry(p, now_ns), now_ns);
}

static uint64_t resolve_expiry_ns(const struct probe *p)
{
	return transport(p)->expiry_ns ? transport(p)->expiry_ns(p)
				       : UINT64_MAX;
}

static enum outcome resolve_timeout(const struct probe *p DAE_UNUSED)
{
	return OUTCOME_RESOLVE_TIMEOUT;
}

static void resolve_stop(struct probe *p)
{
	transport(p)->stop(p);
}

const struct probe_ops probe_resolve_ops = {
	.name = "resolve",
	.start = resolve_start,
	.on_ready = resolve_ready,
	.on_expiry = resolve_expiry,
	.expiry_ns = resolve_expiry_ns,
	.timeout_outcome = resolve_timeout,
	.stop = resolve_stop,
};
