/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/counters.h"

#include <assert.h>

#include "common/base.h"

static const char *const count_names[] = {
	[DAE_COUNT_FLOW_MOVED] = "flow_moved",
	[DAE_COUNT_PASS_OTHER] = "pass_other",
	[DAE_COUNT_PASS_LOCAL] = "pass_local",
	[DAE_COUNT_DNS_KEPT] = "dns_kept",
	[DAE_COUNT_TRUNCATED] = "truncated",
	[DAE_COUNT_EXT_HEADERS] = "ext_headers",
	[DAE_COUNT_FRAG_UNKNOWN] = "frag_unknown",
	[DAE_COUNT_FRAG_PROXIED] = "frag_proxied",
	[DAE_COUNT_NO_LISTENER] = "no_listener",
	[DAE_COUNT_ASSIGN_FAILED] = "assign_failed",
	[DAE_COUNT_GROUP_DEAD] = "group_dead",
	[DAE_COUNT_SUPERVISOR_LOST] = "supervisor_lost",
	[DAE_COUNT_DECIDED_ANEW] = "decided_anew",
	[DAE_COUNT_INSERT_LOST] = "insert_lost",
	[DAE_COUNT_HOST_BOUND] = "host_bound",
	[DAE_COUNT_HOST_LATE] = "host_late",
	[DAE_COUNT_HOST_LOST] = "host_lost",
	[DAE_COUNT_GROUP_BUSY] = "group_busy",
};
static_assert(ARRAY_LEN(count_names) == DAE_COUNT_MAX, "name the new counter");

const char *datapath_count_name(unsigned int c)
{
	return c < DAE_COUNT_MAX ? count_names[c] : "?";
}
