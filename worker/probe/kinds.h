/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ops of all kinds of probes, for probe_table.c and for each other. */
#pragma once

#include "worker/probe/probe.h"

extern const struct probe_ops probe_resolve_ops;   /* JOB_RESOLVE */
extern const struct probe_ops probe_http_ops;	   /* JOB_HTTP */
extern const struct probe_ops probe_dns_udp_ops;   /* JOB_DNS_UDP */
extern const struct probe_ops probe_dns_tcp_ops;   /* JOB_DNS_TCP */
extern const struct probe_ops probe_dns_https_ops; /* JOB_DNS_HTTPS */
extern const struct probe_ops probe_dns_h3_ops;	   /* JOB_DNS_H3 */
extern const struct probe_ops probe_dns_quic_ops;  /* JOB_DNS_QUIC */
extern const struct probe_ops probe_h3_ops;	   /* JOB_H3 */
extern const struct probe_ops probe_quic_ops;	   /* JOB_QUIC */
