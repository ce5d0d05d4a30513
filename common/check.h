/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vocabulary of checks and states: one list of each enum, used by
 * messages, JSON, metrics and text alike. Names are the contract of daectl's
 * JSON; values are the contract of the saved state, so add only at the end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One question about a target. The first six are asked of nodes, the others of
 * DNS upstreams and monitors, where the family is a field of its own. */
enum check_class {
	CHECK_TCP4,
	CHECK_TCP6,
	CHECK_UDP4,
	CHECK_UDP6,
	CHECK_QUIC4,
	CHECK_QUIC6,
	CHECK_UDP,
	CHECK_TCP,
	CHECK_TLS,
	CHECK_HTTPS,
	CHECK_H3,
	CHECK_QUIC,
	CHECK_CLASS_COUNT
};

#define CHECK_NODE_COUNT 6 /* tcp4 .. quic6 */

enum verdict {
	VERDICT_UNKNOWN,
	VERDICT_UP,
	VERDICT_DOWN,
	VERDICT_NOT_APPLICABLE,
	VERDICT_COUNT
};

enum node_state {
	NODE_UNKNOWN,
	NODE_UP,
	NODE_DEGRADED,
	NODE_DOWN,
	NODE_QUARANTINED,
	NODE_EXPIRED,
	NODE_EXHAUSTED,
	NODE_UNSUPPORTED,
	NODE_STATE_COUNT
};

enum node_admin {
	ADMIN_AUTO,
	ADMIN_DRAIN,
	ADMIN_MAINT,
	ADMIN_FORCED_UP,
	NODE_ADMIN_COUNT
};

enum recycle_reason {
	RECYCLE_NONE,
	RECYCLE_RSS_SOFT,
	RECYCLE_RSS_HARD,
	RECYCLE_OOM,
	RECYCLE_AGE,
	RECYCLE_PROBES,
	RECYCLE_FDS,
	RECYCLE_SLOPE,
	RECYCLE_STUCK,
	RECYCLE_DRAIN_TIMEOUT,
	RECYCLE_CRASH,
	RECYCLE_RELOAD,
	RECYCLE_ADMIN,
	RECYCLE_REASON_COUNT
};

/* Names as in JSON; "?" for a value out of range. */
const char *check_class_name(unsigned int c);
const char *verdict_name(unsigned int v);
const char *node_state_name(unsigned int s);
const char *node_admin_name(unsigned int a);
const char *recycle_reason_name(unsigned int r);

/* The class spelt @name, or -ENOENT. */
int check_class_parse(const char *name);
/* 4 or 6 for the classes of nodes, 0 for the others. */
int check_class_family(enum check_class c);
