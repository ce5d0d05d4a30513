/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/kernel_links.h"

#include <errno.h>
#include <fnmatch.h>
#include <net/if.h>

static bool matches(const char *name, const struct config_list *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], name, 0) == 0)
			return true;
	return false;
}

int kernel_links_find(struct kernel_links *ret,
		      const struct config_list *patterns)
{
	struct if_nameindex *all = if_nameindex();
	struct kernel_links l = { .count = 0 };

	if (!all)
		return -errno;
	for (size_t i = 0; all[i].if_index; i++) {
		if (!matches(all[i].if_name, patterns))
			continue;
		if (l.count == DATAPATH_IFACES_MAX)
			l.left_out++;
		else
			l.ifindex[l.count++] = all[i].if_index;
	}
	if_freenameindex(all);
	*ret = l;
	return 0;
}
