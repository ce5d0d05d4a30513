/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which way a packet would go, and how often each rule decided. */
#pragma once

#include "supervisor/ctl/ctl.h"

/* ctl_ops.route_test: by the tables in user space and by the kernel's. */
int route_ask(void *ctx, const struct ctl_route_query *q,
	      struct ctl_route_answer *ret, struct ctl_outcome *res);
struct supervisor;
/* Find out which sets @name is in: -EINPROGRESS, whoever asked is answered when
 * they are known and in the outcome; or -errno. */
int route_ask_sets(struct supervisor *s, const char *name,
		   struct ctl_outcome *res);
