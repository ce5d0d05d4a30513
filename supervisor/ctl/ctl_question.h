/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What route test asks, and what it is answered. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/ruleset.h"

struct ctl_route_query {
	struct ruleset_query packet;
	const char *domain, *process; /* NULL: not known */
};

struct ctl_route_answer {
	struct ruleset_verdict verdict; /* of the user-space twin */
	bool has_kernel;		/* the programs ran it, too */
	struct ruleset_verdict kernel;
	uint32_t target; /* what the group would use now, TARGET_NONE */
};
