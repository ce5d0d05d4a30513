/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches the kernel's links, addresses and routes (rtnetlink(7)) and says,
 * a moment after they stopped changing, whether there is a way out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct netmon;

struct netmon_state {
	bool has_default4; /* a default route in the main table, link up */
	bool has_default6;
	uint64_t fingerprint; /* changes with any address or default route */
};

typedef void (*netmon_fn)(void *ctx, const struct netmon_state *state);

/*
 * Subscribe and call @fn (from the loop, never from here) after each change, at
 * most once in NETMON_SETTLE_MS. 0 or -errno; *ret is written on success.
 */
int netmon_new(struct netmon **ret, struct event_base *base, netmon_fn fn,
	       void *ctx);
/* What is so at this moment; asks the kernel. 0 or -errno. */
int netmon_read(struct netmon_state *ret);
/* Accepts NULL, sets *m to NULL. */
void netmon_free(struct netmon **m);
