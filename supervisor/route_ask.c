/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/route_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_server.h"
#include "supervisor/datapath/ask.h"
#include "supervisor/matching.h"
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

static void on_sets(void *ctx, uint64_t token, int r,
		    const struct dae_bitmap *sets, const char *why)
{
	struct ctl_outcome later = { .ticket = token, .r = r };
	struct supervisor *s = ctx;

	if (r == 0)
		later.sets = sets;
	else
		snprintf(later.message, sizeof(later.message), "%.250s", why);
	ctl_server_resume(s->ctl, &later);
}

/* Whoever asked is answered when the sets of the name are known. */
int route_ask_sets(struct supervisor *s, const char *name,
		   struct ctl_outcome *res)
{
	int r = matching_ask(s->matching, name, on_sets, s, res->ticket);

	if (r == -EINVAL)
		snprintf(res->message, sizeof(res->message),
			 "'%.100s' is no domain name", name);
	return r < 0 ? r : -EINPROGRESS;
}

/* Both ways, unless the kernel cannot be asked the same. */
static void ask_both(struct supervisor *s, const struct ctl_route_query *q,
		     const struct ruleset_query *packet,
		     struct ctl_route_answer *ret, struct ctl_outcome *res)
{
	const struct ruleset *rules = kernel_rules(s->kernel);

	if (q->process && uses(rules, DAE_DIM_PNAME))
		snprintf(res->message, sizeof(res->message),
			 "forwarded packets have no process: user space alone "
			 "was asked");
	else if (q->domain && packet->domain_sets)
		snprintf(res->message, sizeof(res->message),
			 "the kernel knows what was learned of the address, "
			 "not this name: user space alone was asked");
	else
		ask_kernel(s, packet, ret, res);
}

int route_ask(void *ctx, const struct ctl_route_query *q,
	      struct ctl_route_answer *ret, struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	const struct ruleset *rules = kernel_rules(s->kernel);
	struct ruleset_query packet = q->packet;
	struct dae_bitmap learned;
	int r;

	ret->target = TARGET_NONE;
	if (!rules)
		return -ENOENT;
	if (q->domain && !packet.domain_sets && rules->h->domain_sets)
		return route_ask_sets(s, q->domain, res);
	if (q->process)
		memcpy(packet.pname, q->process,
		       strnlen(q->process, sizeof(packet.pname)));
	if (!q->domain && learned_sets(learn_table(kernel_learn(s->kernel)),
				       &packet.dst, &learned))
		packet.domain_sets = &learned;
	r = ruleset_eval(rules, &packet, &ret->verdict);
	if (r < 0)
		return r;
	name_group(s, &ret->verdict);
	if (ret->verdict.action == DAE_ACTION_GROUP &&
	    ret->verdict.group < s->prober->group_count)
		ret->target = group_selected(
			&s->prober->groups[ret->verdict.group],
			sel_of(&packet));
	ask_both(s, q, &packet, ret, res);
	return 0;
}
