/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/kernel_host.h"

#include <string.h>

#include "supervisor/datapath/datapath_host.h"
#include "supervisor/kernel_links.h"
#include "supervisor/own_cgroup.h"

bool kernel_host_is_wanted(const struct config *c)
{
	return c->global.wan_interface.count > 0;
}

const char *kernel_host_cgroup(const struct config_supervisor *s)
{
	static char mount[PATH_MAX];

	if (s->cgroup)
		return s->cgroup;
	return own_cgroup_mount(mount) < 0 ? NULL : mount;
}

int kernel_host_tell(struct datapath *dp, const struct config *c)
{
	struct kernel_links links = { .count = 0 };
	int r = 0;

	if (kernel_host_is_wanted(c))
		r = kernel_links_find(&links, &c->global.wan_interface);
	if (r == 0)
		r = datapath_set_host(dp, kernel_host_is_wanted(c),
				      links.ifindex, links.count);
	return r;
}
