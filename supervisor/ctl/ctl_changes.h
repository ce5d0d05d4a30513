/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reloads as the control plane asks for them and shows them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/config_diff.h"
#include "supervisor/ctl/ctl_flows.h"

struct ctl_reload_request {
	bool dry_run;	     /* parse, check and compile, swap nothing */
	uint64_t confirm_ms; /* go back after, unless confirmed; 0: stay */
};

/* Of "reload --confirm". */
struct ctl_confirm {
	bool is_pending, has_gone_back;
	uint64_t left_ms;
};

/* What a dry run found; borrowed. */
struct ctl_reload_diff {
	const struct config_diff *diff;
	const struct ctl_flow_move *moves;
	size_t move_count;
	uint64_t flows, changed; /* live ones looked at so far */
	bool has_flows;		 /* mode route */
	bool is_exact; /* no rule asks what the flow table does not know */
};
