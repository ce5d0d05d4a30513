/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From routes to the ranges of addresses that leave by some of them. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/dae_host.h"

/* The addresses under a prefix: @a is its first, a number, the high half first;
 * IPv4 in the low half. */
struct host_route {
	uint64_t a[2];
	uint8_t length;
	bool is_v6;
	bool leaves; /* by an interface that counts */
	uint32_t metric;
};

/*
 * Ranges of the addresses of one family whose longest prefix in @routes leaves;
 * of several with the same prefix the smallest metric counts. @routes is
 * sorted in place. How many, or -E2BIG when there are more than @max.
 */
int host_ranges_make(struct host_route *routes, size_t count,
		     struct dae_range *ret, size_t max);
