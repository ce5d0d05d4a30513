/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that were learned, as the control plane sees them. */
#pragma once

#include "supervisor/core/learned.h"

#define CTL_LEARN_TTL_S 300
#define CTL_LEARN_ADDRS_MAX 64

struct ctl_names {
	const struct learned *learned; /* NULL: none yet */
	uint32_t rules;		       /* that ask for names */
	/* of the kernel's table; room 0: it has none */
	uint64_t kernel_entries, kernel_room;
	uint64_t not_entered; /* addresses it had no room for */
};

struct ctl_learn_request {
	const char *name; /* folded */
	struct addr addrs[CTL_LEARN_ADDRS_MAX];
	size_t count;
	uint32_t ttl_s;
	const struct dae_bitmap *sets; /* NULL: to be found out */
};

struct ctl_learn_answer {
	uint32_t set_count; /* that the name is in */
};
