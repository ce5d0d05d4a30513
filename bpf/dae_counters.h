/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part of the ABI of bpf/dae_maps.h: what the programs count.
 */
#pragma once

#include <linux/types.h>

/* Per-CPU counters, one map entry each. */
enum dae_count {
	DAE_COUNT_FLOW_MOVED,	   /* UDP flow moved off a dead target */
	DAE_COUNT_PASS_OTHER,	   /* not IP, or neither TCP nor UDP */
	DAE_COUNT_PASS_LOCAL,	   /* to the router itself */
	DAE_COUNT_DNS_KEPT,	   /* port 53 without must */
	DAE_COUNT_TRUNCATED,	   /* dropped: headers cut short */
	DAE_COUNT_EXT_HEADERS,	   /* dropped: more than 8 */
	DAE_COUNT_FRAG_UNKNOWN,	   /* dropped: first fragment not seen */
	DAE_COUNT_FRAG_PROXIED,	   /* dropped: cannot be handed over */
	DAE_COUNT_NO_LISTENER,	   /* dropped: no candidate listens */
	DAE_COUNT_ASSIGN_FAILED,   /* the kernel refused; next candidate */
	DAE_COUNT_GROUP_DEAD,	   /* on_all_dead applied */
	DAE_COUNT_SUPERVISOR_LOST, /* loss policy applied */
	DAE_COUNT_DECIDED_ANEW,	   /* after a reload, as reload_flows says */
	DAE_COUNT_INSERT_LOST,	   /* flow not cached: entry was busy */
	DAE_COUNT_HOST_BOUND,	   /* passed: bound socket, cannot be turned */
	DAE_COUNT_HOST_LATE,	   /* refused: the mark comes with the next */
	DAE_COUNT_HOST_LOST,	   /* dropped: to an engine that is no more */
	DAE_COUNT_GROUP_BUSY,	   /* dropped: list changed at every look */
	DAE_COUNT_MAX
};
_Static_assert(DAE_COUNT_MAX <= 30, "counters: events reach the decisions");

/* One CPU's part of the shared map of counters: events, then decisions on new
 * flows. Rules are counted in a map of their generation, DAE_RULE_STRIDE. */
#define DAE_TALLY_DIRECT 30
#define DAE_TALLY_BLOCK 31
#define DAE_TALLY_GROUPS 32
#define DAE_TALLY_STRIDE 512
#define DAE_RULE_STRIDE 2048
