/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow table as user space sees it: walked in short steps, so that no loop
 * stands still for it, however large it is. The entries are shared with the
 * programs that run; each one is read, and changed, as they do it themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "supervisor/datapath/datapath.h"

struct datapath_flow {
	uint64_t position; /* in the table; a cursor for what comes after */
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t l4proto;
	enum dae_kind kind;
	bool is_undecided; /* kind is what it was: the next packet decides */
	bool has_group;
	uint16_t group, target; /* the kernel's numbers, if has_group */
	uint32_t mark;
	uint64_t idle_ms; /* since its last packet, to a quarter of a second */
};

/* What the visitor wants of a flow. */
enum flow_wish {
	FLOW_KEEP,
	FLOW_FORGET, /* decided anew, as if it had not been seen */
	FLOW_AGAIN,  /* decided anew, but what it was is known then: a group's
		      * flow may stay with its node */
	FLOW_STOP,   /* keep it, end the walk behind it */
};

typedef enum flow_wish (*datapath_flow_visitor)(void *ctx,
						const struct datapath_flow *f);

/*
 * Visit the flows from *cursor (0: the first) on for about @budget_ns. 0: go on
 * later with *cursor as it is then; 1: all have been visited; or -errno.
 * Fragments' entries are not shown.
 */
int datapath_walk_flows(struct datapath *d, uint64_t *cursor,
			uint64_t budget_ns, datapath_flow_visitor visit,
			void *ctx);
