/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section supervisor { } of the configuration, typed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "supervisor/config/config_routing.h"

enum run_mode { MODE_OBSERVE, MODE_ROUTE };
enum attach_mode { ATTACH_AUTO, ATTACH_TCX, ATTACH_CLSACT };
enum reload_flows { FLOWS_KEEP, FLOWS_RECLASSIFY };
enum loss_policy { LOSS_KEEP, LOSS_DIRECT, LOSS_BLOCK };

/* supervisor { recycle { … } }: see supervisor/core/recycle.h for meaning. */
struct recycle_policy {
	uint64_t rss_soft_bytes; /* 0: derived from memory_total */
	uint64_t rss_hard_bytes;
	uint64_t max_age_ns;
	uint64_t max_probes;
	uint32_t max_fds;
	uint64_t slope_ns; /* predicted time to rss_soft; 0: off */
	uint64_t drain_timeout_ns;
	uint64_t stuck_timeout_ns;
	uint32_t jitter_percent;
	uint64_t min_gap_ns;
};

struct quarantine_policy {
	uint32_t crashes;   /* 3 */
	uint64_t window_ns; /* 10 min */
	uint64_t hold_ns;   /* 1 h */
};

enum monitor_kind {
	MONITOR_HTTP,
	MONITOR_HTTPS,
	MONITOR_H3,
	MONITOR_QUIC,
	MONITOR_DNS_UDP,
	MONITOR_DNS_TCP,
	MONITOR_DOT,
	MONITOR_DOH,
	MONITOR_DOH3,
	MONITOR_DOQ,
	MONITOR_KIND_COUNT
};

struct config_monitor {
	char *name;
	enum monitor_kind kind;
	char *url; /* as written */
	char *host;
	uint16_t port;
	char *path;  /* "/" if none; DNS: "/dns-query" for DoH */
	char *qname; /* DNS question, from ?name= or a default */
	uint16_t qtype;
	uint8_t family; /* 0: both if the name has both, else 4 or 6 */
	uint16_t status_min, status_max; /* expect_status; 0: not said */
	char *expect_body;
	int expect_rcode; /* -1: NOERROR with an answer */
	char *expect_rdata;
	char *sni;
	char *iface;
	uint32_t mark;
	bool insecure;
	uint64_t interval_ns; /* 0: global check_interval */
	uint32_t rise, fall;
	struct config_pos pos;
};

struct config_supervisor {
	enum run_mode mode;
	enum attach_mode attach;
	enum loss_policy on_supervisor_loss;
	enum reload_flows reload_flows;
	uint32_t mark; /* bit(s) that send a packet to a local listener */
	uint32_t mark_mask;
	uint32_t so_mark; /* on our own sockets: never captured */
	uint32_t rule_priority;
	uint32_t route_table;
	uint64_t memory_total_bytes; /* 0: min(15 % of RAM, 256 MB) */
	uint32_t workers;	     /* 0: derived */
	uint32_t flow_entries;	     /* 0: derived from RAM */
	char *quic_check_url;	     /* NULL: no quic checks of nodes */
	char *ca_file;		     /* NULL: the system's bundle */
	char *cgroup;		     /* of the host's traffic; NULL: all */
	uint32_t max_concurrent;     /* probes in flight */
	uint32_t probe_rate;	     /* token bucket, probes a second */
	bool adaptive;
	uint64_t daily_bytes; /* of payload; 0: no budget */
	uint64_t probe_timeout_ns;
	/* on_all_dead of groups that do not say it; already copied into them */
	int on_all_dead; /* enum on_all_dead */
	struct recycle_policy recycle;
	struct quarantine_policy quarantine;
	struct config_monitor *monitors;
	size_t monitor_count;
};
