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

struct engine {
	struct addr listener; /* as configured; unspecified: any address */
	uint16_t port;
	bool is_listening; /* written by engines_look() */
};

/* Look for all of them at once. 0 or -errno, then nothing was written. */
int engines_look(struct engine *engines, size_t count);

struct supervisor;

/* Look, and tell the prober. */
void engines_update(struct supervisor *s);
