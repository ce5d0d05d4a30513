/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows, and packets of them, as the control plane shows them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

#define CTL_OUTBOUND_MAX 96 /* the name of an outbound, with its mark */

/* Borrowed for the time of one call. */
struct ctl_flow {
	uint64_t position; /* in the table, a cursor for what comes behind */
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t l4proto;
	const char *verdict; /* "direct", "block", "proxy", "pass" */
	const char *group;   /* NULL: by no group, or by one that went */
	const char *node;    /* NULL: likewise */
	uint32_t mark;	     /* 0: none */
	uint64_t idle_ms;
};

/* Whether to go on. */
typedef bool (*ctl_flow_visitor)(void *arg, const struct ctl_flow *f);

/* What is to be shown; zero: everything. */
struct ctl_flow_filter {
	struct prefix src, dst; /* addr.family 0: any */
	uint16_t port;		/* of the destination, 0: any */
	uint8_t l4proto;	/* 0: any */
	const char *outbound;	/* a verdict or a group's name */
	const char *node;
};

/* So many flows would go another way after a reload. */
struct ctl_flow_move {
	const char *from, *to;
	uint64_t count;
};

bool ctl_flow_matches(const struct ctl_flow_filter *want,
		      const struct ctl_flow *f);
