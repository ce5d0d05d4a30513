/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/route_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/datapath/ask.h"
#include "supervisor/supervisor.h"

/* The class of selection that a packet belongs to. */
static unsigned int sel_of(const struct ruleset_query *q)
{
	bool is_v6 = q->dst.family == 6;

	if (q->l4proto == IPPROTO_UDP)
		return is_v6 ? CHECK_UDP6 : CHECK_UDP4;
	return is_v6 ? CHECK_TCP6 : CHECK_TCP4;
}

/* Groups are shown by their place in the configuration. */
static void name_group(const struct supervisor *s, struct ruleset_verdict *v)
{
	size_t group;

	if (v->action != DAE_ACTION_GROUP)
		return;
	group = kernel_group_of(s->kernel, v->group);
	v->group = group < s->config->group_count ? (uint16_t)group
						  : UINT16_MAX;
}

static void ask_kernel(struct supervisor *s, const struct ruleset_query *q,
		       struct ctl_route_answer *ret, struct ctl_outcome *res)
{
	struct datapath *dp = kernel_datapath(s->kernel);
	int r = dp ? datapath_ask(dp, q, &ret->kernel) : -ENOENT;

	ret->has_kernel = r == 0;
	if (r == 0)
		name_group(s, &ret->kernel);
	else if (dp)
		snprintf(res->message, sizeof(res->message),
			 "the kernel does not answer: %s", strerror(-r));
}

static bool uses(const struct ruleset *rules, enum dae_dim dim)
{
	return rules->h->used_dims & 1U << dim;
}

int route_ask(void *ctx, const struct ctl_route_query *q,
	      struct ctl_route_answer *ret, struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	const struct ruleset *rules = kernel_rules(s->kernel);
	struct ruleset_query packet = q->packet;
	int r;

	ret->target = TARGET_NONE;
	if (!rules)
		return -ENOENT;
	if (q->process)
		snprintf(packet.pname, sizeof(packet.pname), "%s", q->process);
	r = ruleset_eval(rules, &packet, &ret->verdict);
	if (r < 0)
		return r;
	name_group(s, &ret->verdict);
	if (ret->verdict.action == DAE_ACTION_GROUP &&
	    ret->verdict.group < s->prober->group_count)
		ret->target = group_selected(
			&s->prober->groups[ret->verdict.group],
			sel_of(&packet));
	if (q->process && uses(rules, DAE_DIM_PNAME))
		snprintf(res->message, sizeof(res->message),
			 "forwarded packets have no process: user space alone "
			 "was asked");
	else
		ask_kernel(s, &packet, ret, res);
	return 0;
}
