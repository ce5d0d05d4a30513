/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments by which requests choose flows. */
#pragma once

#include "supervisor/ctl/ctl_dispatch.h"
#include "supervisor/ctl/ctl_flows.h"

/*
 * Unpack src, dst, port, proto, outbound and node, which all may be missing,
 * and the arguments of @fmt (an object, in json_unpack()'s format). Names point
 * into the arguments. 0 or -EINVAL with the error filled in.
 */
int ctl_filter_args(struct ctl_call *c, struct ctl_flow_filter *ret,
		    const char *fmt, ...);
