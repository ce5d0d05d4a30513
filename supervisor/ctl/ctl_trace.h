/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New decisions, as "route trace" asks for them and is told. */
#pragma once

#include "supervisor/ctl/ctl_flows.h"

#define CTL_TRACE_PAGE 64

struct ctl_trace_request {
	struct prefix src, dst; /* addr.family 0: any */
	uint16_t port;
	uint8_t l4proto;
	uint64_t count;	 /* 0: without end */
	uint64_t for_ms; /* how long at most */
};

struct ctl_decision {
	struct ctl_flow flow;
	uint64_t mono_ns;
	uint16_t rule; /* index, DAE_RULE_FALLBACK: none */
	bool is_host;  /* of the host's own traffic */
};

struct ctl_trace_page {
	struct ctl_decision items[CTL_TRACE_PAGE];
	size_t count;
	uint64_t lost; /* since the beginning */
	bool has_more, is_over;
};
