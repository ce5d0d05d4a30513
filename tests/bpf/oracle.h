/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must become of a frame, from its bytes alone: read after RFC 791, 8200
 * and 4302 and IEEE 802.1Q without a line of the kernel program, decided by the
 * twin. The flow table is taken to be empty.
 */
#pragma once

#include "bpf/dae_maps.h"
#include "tests/bpf/rig.h"

enum oracle_shape {
	ORACLE_FLOW,
	ORACLE_OTHER,	    /* not IP, or neither TCP nor UDP */
	ORACLE_CUT,	    /* headers cut short, or wrong */
	ORACLE_TOO_MANY,    /* extension headers */
	ORACLE_FIRST,	    /* fragment, with the ports */
	ORACLE_FIRST_OTHER, /* of neither TCP nor UDP, IPv6 */
	ORACLE_LATER,
	ORACLE_SHAPES
};

struct oracle_facts {
	enum oracle_shape shape;
	struct ruleset_query q;
	uint8_t tcp_flags;
	unsigned int fragment_headers; /* IPv6 */
	bool is_for_others;	       /* by its destination on the link */
};

/* What the test made of the groups; the rest follows from the ids. */
struct oracle_world {
	const struct ruleset *rules;
	uint8_t mac[6];	 /* of the link that the frame comes in by */
	struct addr own; /* an address of the router's */
	/* A link without MAC addresses: what its driver says of the packet; 0: a
	 * test run, which takes bytes 12 and 13 for it. */
	unsigned int link_type;
};

struct oracle_outcome {
	struct rig_result r;
	uint64_t counts[DAE_COUNT_MAX];
	uint64_t direct, block;
	int group; /* that was asked, -1: none */
	int rule;  /* that decided a new flow, -1: none did */
};

/* Groups in turn: an uplink, nothing alive and blocked, nothing alive and
 * direct, a listener that is not there; the last one's is direct then. */
void oracle_groups(struct rig *r);
void oracle_read(const struct oracle_world *w, const uint8_t *b, size_t len,
		 bool has_mac, struct oracle_facts *ret);
void oracle_decide(const struct oracle_world *w, const struct oracle_facts *f,
		   struct oracle_outcome *ret);
