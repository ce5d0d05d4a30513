/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New decisions of the running generation, as they are made. */
#pragma once

#include "common/addr.h"
#include "supervisor/datapath/datapath.h"

struct datapath_tap;

struct datapath_tap_filter {
	struct prefix src, dst; /* addr.family 0: any */
	uint16_t port;		/* of the destination, 0: any */
	uint8_t l4proto;	/* 0: any */
	uint64_t until_ns;	/* monotonic: the kernel stops by itself then */
};

struct datapath_decision {
	uint64_t time_ns; /* monotonic */
	struct addr src, dst;
	uint16_t sport, dport, rule;
	uint8_t l4proto;
	bool is_host; /* of the host's own traffic */
	enum dae_kind kind;
	bool has_group;
	uint16_t group, target;
	uint32_t mark;
};

typedef void (*datapath_tap_visitor)(void *ctx,
				     const struct datapath_decision *x);

/* Begin to be told; @visit is called by tap_read(). 0 or -errno. */
int tap_open(struct datapath_tap **ret, struct datapath *d,
	     const struct datapath_tap_filter *f, datapath_tap_visitor visit,
	     void *ctx);
/* End it. Accepts NULL, sets *t to NULL. The generation may be gone already. */
void tap_close(struct datapath_tap **t);
/* Readable when there is something to read. */
int tap_fd(const struct datapath_tap *t);
int tap_read(struct datapath_tap *t);
/* Allow @n more; to be called once a second. */
void tap_allow(struct datapath_tap *t, uint32_t n);
/* How many were not told. */
uint64_t tap_lost(const struct datapath_tap *t);
