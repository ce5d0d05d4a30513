/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/probe/kinds.h"

#include <assert.h>

#include "common/base.h"

static const struct probe_ops *const kinds[] = {
	[JOB_RESOLVE] = &probe_resolve_ops,
	[JOB_HTTP] = &probe_http_ops,
	[JOB_DNS_UDP] = &probe_dns_udp_ops,
	[JOB_DNS_TCP] = &probe_dns_tcp_ops,
	[JOB_DNS_HTTPS] = &probe_dns_https_ops,
	[JOB_DNS_H3] = &probe_dns_h3_ops,
	[JOB_DNS_QUIC] = &probe_dns_quic_ops,
	[JOB_H3] = &probe_h3_ops,
	[JOB_QUIC] = &probe_quic_ops,
};
static_assert(ARRAY_LEN(kinds) == JOB_KIND_COUNT, "a row for the new kind");

const struct probe_ops *probe_ops_for(enum job_kind kind)
{
	return (unsigned int)kind < JOB_KIND_COUNT ? kinds[kind] : NULL;
}
