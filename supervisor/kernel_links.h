/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces by name or glob, as they are now. */
#pragma once

#include "supervisor/config/config.h"
#include "supervisor/datapath/datapath.h"

struct kernel_links {
	uint32_t ifindex[DATAPATH_IFACES_MAX];
	size_t count;
	size_t left_out; /* match too, beyond DATAPATH_IFACES_MAX */
};

/* Those that match one of @patterns (fnmatch(3)), the oldest first; none yet is
 * 0 as well. The word auto stands for those that a default route leaves by. */
int kernel_links_find(struct kernel_links *ret,
		      const struct config_list *patterns);
