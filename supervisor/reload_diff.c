/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/reload_diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "common/base.h"
#include "supervisor/flows.h"
#include "supervisor/kernel_plan.h"
#include "supervisor/supervisor.h"

#define KEPT_S 60 /* since somebody last asked for it */
#define MOVES_MAX 64
#define UDP_LIVE_MS (120 * 1000U) /* as long as the kernel keeps it */
#define TCP_LIVE_MS (2 * 3600 * 1000U)

/* What of a flow's decision people see. */
struct way {
	enum dae_action action;
	size_t group; /* of the configuration it belongs to */
	bool is_dns, has_mark;
	uint32_t mark;
};

struct reload_diff {
	struct supervisor *s;
	struct event *timer;
	uint64_t id;
	struct config *next;
	struct kernel_plan *plan; /* of next */
	struct config_diff diff;
	uint64_t cursor, flows, changed;
	bool is_walked;
	char names[MOVES_MAX][2][CTL_OUTBOUND_MAX];
	struct ctl_flow_move moves[MOVES_MAX];
	size_t move_count;
};

static void diff_free(struct reload_diff **dp)
{
	struct reload_diff *d = TAKE_PTR(*dp);

	if (!d)
		return;
	if (d->timer)
		event_free(d->timer);
	config_diff_clear(&d->diff);
	kernel_plan_free(&d->plan);
	config_free(&d->next);
	free(d);
}

#define auto_diff __attribute__((cleanup(diff_free)))

void reload_diff_drop(struct supervisor *s)
{
	diff_free(&s->diff);
}

static void on_old(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		   void *arg)
{
	reload_diff_drop(arg);
}

static void keep(struct reload_diff *d)
{
	static const struct timeval kept = { .tv_sec = KEPT_S };

	evtimer_add(d->timer, &kept);
}

int reload_diff_make(struct supervisor *s, struct config **next,
		     struct kernel_plan **plan, struct ctl_outcome *res)
{
	auto_diff struct reload_diff *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->s = s;
	d->timer = evtimer_new(s->base, on_old, s);
	r = d->timer ? config_diff_make(&d->diff, s->config, *next) : -ENOMEM;
	if (r < 0)
		return r;
	d->next = TAKE_PTR(*next);
	d->plan = TAKE_PTR(*plan);
	kernel_plan_rest(d->plan);
	d->id = ++s->diff_count;
	d->is_walked = !kernel_datapath(s->kernel);
	reload_diff_drop(s);
	s->diff = TAKE_PTR(d);
	keep(s->diff);
	res->diff = s->diff->id;
	return 0;
}

/* Whether a packet with what the flow table knows says all that rules ask. */
static bool is_exact(const struct ruleset *r)
{
	const uint32_t hidden = 1U << DAE_DIM_MAC | 1U << DAE_DIM_DSCP |
				1U << DAE_DIM_DOMAIN | 1U << DAE_DIM_PNAME;

	return !(r->h->used_dims & hidden);
}

static void way_of(const struct ruleset_verdict *v, size_t group,
		   struct way *ret)
{
	*ret = (struct way){
		.action = v->action,
		.group = v->action == DAE_ACTION_GROUP ? group : 0,
		.is_dns = v->is_dns,
		.has_mark = v->has_mark,
		.mark = v->has_mark ? v->mark : 0,
	};
}

static void name_way(char *buf, const struct config *c, const struct way *w)
{
	const char *name = w->action == DAE_ACTION_BLOCK ? "block" : "direct";

	if (w->action == DAE_ACTION_GROUP)
		name = w->group < c->group_count ? c->groups[w->group].name
						 : "?";
	if (w->is_dns)
		name = "its own destination (DNS)";
	if (w->has_mark && !w->is_dns)
		snprintf(buf, CTL_OUTBOUND_MAX, "%.60s (mark 0x%x)", name,
			 w->mark);
	else
		snprintf(buf, CTL_OUTBOUND_MAX, "%.90s", name);
}

/* One more flow that would go from one way to another. */
static void count_move(struct reload_diff *d, const char *from, const char *to)
{
	size_t i = 0;

	while (i < d->move_count && (strcmp(d->names[i][0], from) != 0 ||
				     strcmp(d->names[i][1], to) != 0))
		i++;
	if (i == MOVES_MAX)
		i = MOVES_MAX - 1; /* the last place is for all the others */
	if (i == d->move_count) {
		bool is_last = i == MOVES_MAX - 1;

		snprintf(d->names[i][0], CTL_OUTBOUND_MAX, "%s",
			 is_last ? "others" : from);
		snprintf(d->names[i][1], CTL_OUTBOUND_MAX, "%s",
			 is_last ? "others" : to);
		d->moves[i] = (struct ctl_flow_move){ d->names[i][0],
						      d->names[i][1], 0 };
		d->move_count++;
	}
	d->moves[i].count++;
}

static size_t next_group(const struct reload_diff *d, uint16_t id)
{
	for (size_t i = 0; i < d->next->group_count; i++)
		if (d->plan->group_ids[i] == id)
			return i;
	return SIZE_MAX;
}

static bool is_live(const struct datapath_flow *f)
{
	return f->idle_ms <
	       (f->l4proto == IPPROTO_UDP ? UDP_LIVE_MS : TCP_LIVE_MS);
}

static enum flow_wish on_flow(void *ctx, const struct datapath_flow *f)
{
	struct reload_diff *d = ctx;
	const struct ruleset *rules = kernel_rules(d->s->kernel);
	struct ruleset_query q = { .src = f->src,
				   .dst = f->dst,
				   .sport = f->sport,
				   .dport = f->dport,
				   .l4proto = f->l4proto };
	char from[CTL_OUTBOUND_MAX], to[CTL_OUTBOUND_MAX];
	struct ruleset_verdict was, is;
	struct way a, b;

	/* what is not ours to touch is no matter of rules */
	if (f->kind == DAE_KIND_PASS || !is_live(f) ||
	    ruleset_eval(rules, &q, &was) < 0 ||
	    ruleset_eval(&d->plan->rules, &q, &is) < 0)
		return FLOW_KEEP;
	d->flows++;
	way_of(&was, kernel_group_of(d->s->kernel, was.group), &a);
	way_of(&is, next_group(d, is.group), &b);
	name_way(from, d->s->config, &a);
	name_way(to, d->next, &b);
	if (strcmp(from, to) != 0) {
		d->changed++;
		count_move(d, from, to);
	}
	return FLOW_KEEP;
}

static int walk(struct reload_diff *d)
{
	struct datapath *dp = kernel_datapath(d->s->kernel);
	int r;

	if (d->is_walked || !dp)
		return 1;
	r = datapath_walk_flows(dp, &d->cursor, FLOWS_STEP_NS, on_flow, d);
	d->is_walked = r == 1;
	return r;
}

int reload_diff_look(void *ctx, uint64_t id, bool step,
		     struct ctl_reload_diff *ret, struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct reload_diff *d = s->diff;
	int r;

	if (!d || d->id != id) {
		snprintf(res->message, sizeof(res->message),
			 "this difference is not known any more");
		return -ENOENT;
	}
	keep(d);
	r = step ? walk(d) : 1;
	*ret = (struct ctl_reload_diff){
		.diff = &d->diff,
		.moves = d->moves,
		.move_count = d->move_count,
		.flows = d->flows,
		.changed = d->changed,
		.has_flows = kernel_datapath(s->kernel) != NULL,
		.is_exact = is_exact(&d->plan->rules) &&
			    is_exact(kernel_rules(s->kernel)),
	};
	return r;
}
