/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random rule sets and packets for them, and a naive oracle that reads the
 * rules as written. Used by tests of the compiler, of the kernel program, and
 * by the classifier's benchmark. Deterministic for a seed.
 */
#pragma once

#include "common/ruleset.h"
#include "supervisor/config/config_routing.h"

enum rulegen_kind {
	RULEGEN_PORT, /* one range of ports each */
	RULEGEN_IP,   /* some prefixes each */
	RULEGEN_MIX,  /* every function, negation, lists, must, must_rules */
};

#define RULEGEN_GROUPS 8

/*
 * A value of domain() is a label "n<number>"; which set a condition has is kept
 * in range.lo of its first value, where neither compiler nor matcher looks.
 */
#define RULEGEN_LABELS 24

struct rulegen {
	struct config_routing routing;
	uint64_t state;
	struct dae_bitmap sets; /* of the last query, if it has any */
};

void rulegen_make(struct rulegen *g, enum rulegen_kind kind, size_t rules,
		  uint64_t seed);
void rulegen_free(struct rulegen *g);
uint32_t rulegen_random(struct rulegen *g, uint32_t below);
/* A packet that some rule was made for, as often as not; of a process and to an
 * address with a name, at times. */
void rulegen_query(struct rulegen *g, struct ruleset_query *ret);
/* The same without what the sender's process and names tell. */
void rulegen_query_lan(struct rulegen *g, struct ruleset_query *ret);
/* Group ids 0..RULEGEN_GROUPS-1 are the groups' indices. */
void rulegen_oracle(const struct config_routing *routing,
		    const struct ruleset_query *q, struct ruleset_verdict *ret);
