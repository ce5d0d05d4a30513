/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a group is doing, for status and lists alike. */
#pragma once

#include "supervisor/ctl/ctl_dispatch.h"

/* Up: some member may carry something; unknown: nobody was measured yet. */
enum node_state ctl_group_state(const struct ctl_view *v,
				const struct group *g);
