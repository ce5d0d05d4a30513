/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/flows.h"

#include <errno.h>
#include <stdio.h>

#include "common/base.h"
#include "supervisor/supervisor.h"

static const char *kind_word(enum dae_kind kind)
{
	switch (kind) {
	case DAE_KIND_DIRECT:
		return "direct";
	case DAE_KIND_BLOCK:
		return "block";
	case DAE_KIND_TPROXY:
		return "proxy";
	default:
		return "pass";
	}
}

void flows_describe(const struct supervisor *s, const struct datapath_flow *f,
		    struct ctl_flow *ret)
{
	size_t group = SIZE_MAX, node = SIZE_MAX;

	if (f->has_group) {
		group = kernel_group_of(s->kernel, f->group);
		node = kernel_node_of(s->kernel, f->target);
	}
	*ret = (struct ctl_flow){
		.position = f->position,
		.src = f->src,
		.dst = f->dst,
		.sport = f->sport,
		.dport = f->dport,
		.l4proto = f->l4proto,
		.verdict = f->is_undecided ? "undecided" : kind_word(f->kind),
		.group = group < s->config->group_count
				 ? s->config->groups[group].name
				 : NULL,
		.node = node < s->config->node_count
				? s->config->nodes[node].name
				: NULL,
		.mark = f->mark,
		.idle_ms = f->idle_ms,
	};
}

struct visit {
	const struct supervisor *s;
	ctl_flow_visitor visit;
	void *arg;
};

static enum flow_wish on_flow(void *ctx, const struct datapath_flow *f)
{
	const struct visit *v = ctx;
	struct ctl_flow c;

	flows_describe(v->s, f, &c);
	return v->visit(v->arg, &c) ? FLOW_KEEP : FLOW_STOP;
}

int flows_visit(void *ctx, uint64_t *cursor, ctl_flow_visitor visit, void *arg,
		struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct datapath *dp = kernel_datapath(s->kernel);
	struct visit v = { s, visit, arg };

	if (!dp) {
		snprintf(res->message, sizeof(res->message),
			 "nothing of routing is in the kernel");
		snprintf(res->hint, sizeof(res->hint),
			 "supervisor { mode: route } puts the rules in force");
		return -EOPNOTSUPP;
	}
	return datapath_walk_flows(dp, cursor, FLOWS_STEP_NS, on_flow, &v);
}
