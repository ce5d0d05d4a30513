/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A prober with up to 80 nodes, and a network beneath it that a test turns on
 * and off. Time is the test's own: a day takes seconds.
 */
#pragma once

#include "common/base.h"
#include "supervisor/core/prober.h"

#define S NS_PER_S
#define NODES_MAX 80
#define FLIGHTS 512
#define WALL 1800000000 /* a day of 2027, at 08:00 */

/* A probe under way in the only worker there is. */
struct flight {
	uint32_t job;
	uint64_t end_ns;
	struct result result;
};

struct world {
	struct config config;
	struct config_node nodes[NODES_MAX];
	struct group_member members[NODES_MAX];
	struct config_group group;
	char names[NODES_MAX][16];
	char *tcp_url[1], *udp_dns[1];
	struct prober *p;
	struct prober_now now;
	uint64_t start_ns;
	struct flight flights[FLIGHTS];
	size_t flying;
	const char *lan; /* a target that needs no uplink */
	bool is_up;	 /* the uplink */
	bool node_dead[NODES_MAX];
	uint32_t bytes[TARGET_CHECKS]; /* of one probe */
	uint64_t finals, changes, most, first_ok_ns;
	uint64_t ledger; /* jobs seen for the first time */
};

/* Nodes that all work, one group of all of them, an uplink that is up. */
void world_start(struct world *w, uint32_t nodes);
void world_stop(struct world *w);
/* Let @for_ns pass in steps of @step_ns. */
void world_run(struct world *w, uint64_t for_ns, uint64_t step_ns);
struct target *world_node(const struct world *w, uint32_t i);
/* Every job that was made has exactly one final result, or is under way. */
void world_expect_ledger(const struct world *w);
