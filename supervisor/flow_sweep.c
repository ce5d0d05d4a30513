/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/flow_sweep.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/log.h"
#include "supervisor/flows.h"
#include "supervisor/supervisor.h"

#define PAUSE_US 1000 /* between two steps: others get their turn */

struct flow_sweep {
	struct supervisor *s;
	struct event *timer;
	uint64_t cursor;
	bool reclassify;
};

/* Only what needs no socket of ours, or has none yet: a connection through a
 * listener stays with it. */
static bool can_move(const struct datapath_flow *f)
{
	if (f->kind == DAE_KIND_PASS)
		return false;
	return f->l4proto == IPPROTO_UDP || f->kind == DAE_KIND_DIRECT;
}

static enum flow_wish on_flow(void *ctx, const struct datapath_flow *f)
{
	const struct flow_sweep *w = ctx;

	if (f->has_group &&
	    (kernel_group_of(w->s->kernel, f->group) == SIZE_MAX ||
	     kernel_node_of(w->s->kernel, f->target) == SIZE_MAX))
		return FLOW_FORGET;
	return w->reclassify && can_move(f) ? FLOW_AGAIN : FLOW_KEEP;
}

static void on_step(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		    void *arg)
{
	static const struct timeval pause = { .tv_usec = PAUSE_US };
	struct flow_sweep *w = arg;
	struct datapath *dp = kernel_datapath(w->s->kernel);
	int r;

	if (!dp)
		return;
	r = datapath_walk_flows(dp, &w->cursor, FLOWS_STEP_NS, on_flow, w);
	if (r < 0)
		log_err_r(r, "flows: the table cannot be walked");
	else if (r == 0)
		evtimer_add(w->timer, &pause);
}

int flow_sweep_new(struct flow_sweep **ret, struct supervisor *s)
{
	struct flow_sweep *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->s = s;
	w->timer = evtimer_new(s->base, on_step, w);
	if (!w->timer) {
		flow_sweep_free(&w);
		return -ENOMEM;
	}
	*ret = w;
	return 0;
}

void flow_sweep_free(struct flow_sweep **wp)
{
	struct flow_sweep *w = TAKE_PTR(*wp);

	if (!w)
		return;
	if (w->timer)
		event_free(w->timer);
	free(w);
}

void flow_sweep_start(struct flow_sweep *w, bool has_other_rules)
{
	static const struct timeval now = { 0 };

	w->cursor = 0;
	w->reclassify = has_other_rules &&
			w->s->config->supervisor.reload_flows ==
				FLOWS_RECLASSIFY;
	evtimer_add(w->timer, &now);
}
