/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs in the kernel, as status shows it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ruleset.h"

#define CTL_COUNTERS_MAX 32

struct ctl_counter {
	const char *name;
	uint64_t value;
};

/* The datapath as status shows it. */
struct ctl_kernel {
	bool is_active;	    /* mode route, and attached */
	const char *attach; /* "tcx", "clsact"; NULL: not attached */
	bool has_host;	    /* the host's own traffic is routed, too */
	uint32_t programs, links;
	uint64_t epoch;	       /* of the published group state */
	uint64_t heartbeat_ns; /* mono time of the last one, 0: never */
	uint64_t flow_entries; /* of each family */
	uint64_t dns_passed;   /* port 53 left with its own destination */
	uint64_t flows_direct, flows_block;	  /* decided so */
	uint64_t flows_group[RULESET_GROUPS_MAX]; /* by config.groups */
	struct ctl_counter counters[CTL_COUNTERS_MAX];
	size_t counter_count;
};
