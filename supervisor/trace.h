/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "route trace": one client at a time is told of new decisions. */
#pragma once

#include "supervisor/ctl/ctl.h"

struct supervisor;
struct trace;

/* ctl_ops.trace */
int trace_step(void *ctx, uint64_t ticket, const struct ctl_trace_request *q,
	       struct ctl_trace_page *ret, struct ctl_outcome *res);
/* ctl_ops.gone: the client has left. */
void trace_client_gone(void *ctx, uint64_t ticket);
/* Other rules are in force: go on with those. */
void trace_follow_reload(struct supervisor *s);
void trace_end(struct supervisor *s);
