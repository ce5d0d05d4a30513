/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own traffic: which interfaces it leaves by, and whose it is. */
#pragma once

#include "supervisor/config/config.h"
#include "supervisor/datapath/datapath.h"

/* Whether the configuration routes it at all. */
bool kernel_host_is_wanted(const struct config *c);
/* The cgroup whose processes are the host: as configured, else all, which is
 * the mount point of cgroup v2; NULL without one. Valid until the next call. */
const char *kernel_host_cgroup(const struct config_supervisor *s);
/* Tell the datapath of the interfaces and routes as they are now. */
int kernel_host_tell(struct datapath *dp, const struct config *c);
