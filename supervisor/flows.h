/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow table with the names that its numbers have. */
#pragma once

#include "supervisor/ctl/ctl.h"
#include "supervisor/datapath/flowtable.h"

struct supervisor;

/* One step of a walk may hold the loop for so long. */
#define FLOWS_STEP_NS (NS_PER_MS)

/* @f in words; pointers into the configuration in force. */
void flows_describe(const struct supervisor *s, const struct datapath_flow *f,
		    struct ctl_flow *ret);
/* ctl_ops.flows */
int flows_visit(void *ctx, uint64_t *cursor, ctl_flow_visitor visit, void *arg,
		struct ctl_outcome *res);
