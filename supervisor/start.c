/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/start.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/compile/check.h"
#include "supervisor/compiling.h"
#include "supervisor/engines.h"
#include "supervisor/flow_sweep.h"
#include "supervisor/kernel_plan.h"
#include "supervisor/notify.h"
#include "supervisor/reload.h"
#include "supervisor/supervisor.h"

static void give_up(struct supervisor *s, int r)
{
	s->start_error = r;
	event_base_loopexit(s->base, NULL);
}

static void ready(struct supervisor *s)
{
	s->is_ready = true;
	log_info("supervisor: ready (config=%s mode=%s workers=%u)",
		 s->opt.config,
		 s->config->supervisor.mode == MODE_ROUTE ? "route" : "observe",
		 s->limits.workers);
	notify_send("READY=1");
	kernel_beat(s->kernel, clock_mono_ns());
	engines_update(s);
	flow_sweep_start(s->sweep, false);
	supervisor_wake(s);
	malloc_trim(0);
	if (s->reload_again) {
		s->reload_again = false;
		reload_by_signal(s);
	}
}

static int apply(struct supervisor *s, struct kernel_plan **plan,
		 struct launch_result *res)
{
	struct prober_now now = supervisor_now();
	struct kernel_error err = { .text = "" };
	int r;

	r = kernel_plan_take(*plan, res);
	if (r < 0)
		return log_err_r(r, "start: the compiled rules are not sound");
	prober_update_groups(s->prober, &now);
	r = kernel_apply(s->kernel, s->config, plan, s->prober, &err);
	if (r < 0)
		log_error("start: %s", err.text);
	return r;
}

static void on_compiled(void *arg, int r, struct launch_result *res,
			const struct task_error *e)
{
	auto_diags struct config_diags diags = { .count = 0 };
	struct supervisor *s = arg;
	struct kernel_plan *plan = TAKE_PTR(s->first_plan);

	compile_tell_warnings(s->config, &res->report, &diags);
	if (r < 0)
		compile_tell_error(s->config, e, &diags);
	reload_log_diags(&diags);
	if (r == 0)
		r = apply(s, &plan, res);
	kernel_plan_free(&plan);
	if (r < 0)
		give_up(s, r);
	else
		ready(s);
}

int start_begin(struct supervisor *s)
{
	const struct config *c = s->config;
	auto_diags struct config_diags diags = { .count = 0 };
	struct kernel_error err = { .text = "" };
	struct task_error e = { .text = "" };
	struct task_request q = { .routing = &c->routing,
				  .group_count = c->group_count };
	int r;

	r = kernel_plan_new(s->kernel, c, &s->first_plan, &err);
	if (r < 0) {
		log_error("start: %s", err.text);
		return r;
	}
	q.group_ids = s->first_plan->group_ids;
	r = compiling_start(s->compiling, &q, on_compiled, s, &e);
	if (r < 0) {
		compile_tell_error(c, &e, &diags);
		reload_log_diags(&diags);
	}
	return r;
}
