/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fence's programs and their loader share. */
#pragma once

#include <linux/types.h>

#define DAE_FENCE_MARKS_MAX 256
#define DAE_FENCE_NODES_MAX 65536

enum dae_fence_class { /* by the socket's mark; unknown marks are a probe's */
		       DAE_FENCE_PROBE,
		       DAE_FENCE_RELAY,
		       DAE_FENCE_LISTENER,
};

struct dae_fence_node {
	__u32 addr[4]; /* network order, IPv4 as ::ffff:a.b.c.d */
	__u32 port;    /* network order, as the kernel's user_port */
};

_Static_assert(sizeof(struct dae_fence_node) == 20, "fence ABI changed");
