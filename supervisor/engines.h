/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local engines behind tproxy:// nodes: is anybody listening there? Asked of
 * the kernel's socket table (sock_diag(7)), so that no engine sees a
 * connection that is none. Whether traffic gets through an engine is not said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "supervisor/core/target.h"

struct engine {
	struct addr listener; /* as configured; unspecified: any address */
	uint16_t port;
	/* by check class, enum verdict: written by engines_look() */
	uint8_t verdicts[TARGET_CHECKS];
};

/*
 * Look for all of them at once: where the kernel would find somebody for a flow
 * of tcp4 tcp6 udp4 udp6. Not applicable: the address is of the other family.
 * 0 or -errno, then the verdicts are worth nothing.
 */
int engines_look(struct engine *engines, size_t count);

struct supervisor;

/* Look, and tell the prober. */
void engines_update(struct supervisor *s);
