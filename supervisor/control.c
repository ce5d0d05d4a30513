/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/log.h"
#include "dae_build_id.h"
#include "supervisor/accounts.h"
#include "supervisor/asks.h"
#include "supervisor/confirm.h"
#include "supervisor/ctl/ctl_server.h"
#include "supervisor/datapath/counters.h"
#include "supervisor/flows.h"
#include "supervisor/learn_ask.h"
#include "supervisor/reload.h"
#include "supervisor/reload_diff.h"
#include "supervisor/route_ask.h"
#include "supervisor/rule_counts.h"
#include "supervisor/supervisor.h"
#include "supervisor/trace.h"

static_assert(DAE_COUNT_MAX <= CTL_COUNTERS_MAX, "room for all counters");

static void view_counters(const struct supervisor *s, const struct datapath *dp,
			  struct ctl_kernel *k)
{
	auto_free struct datapath_counters *c = malloc(sizeof(*c));

	if (!c || datapath_read_counters(dp, c) < 0)
		return;
	k->dns_passed = c->counts[DAE_COUNT_DNS_KEPT];
	k->flows_direct = c->direct;
	k->flows_block = c->block;
	for (size_t i = 0; i < s->config->group_count; i++)
		k->flows_group[i] = c->groups[kernel_group_id(s->kernel, i)];
	for (unsigned int i = 0; i < DAE_COUNT_MAX; i++)
		k->counters[k->counter_count++] = (struct ctl_counter){
			datapath_count_name(i), c->counts[i]
		};
}

static void view_kernel(struct supervisor *s, struct ctl_kernel *k)
{
	struct datapath *dp = kernel_datapath(s->kernel);
	struct datapath_status st;

	if (!dp)
		return;
	datapath_read_status(dp, &st);
	k->is_active = st.is_attached;
	k->attach = st.is_tcx ? "tcx" : "clsact";
	k->has_host = st.has_host;
	k->programs = st.is_attached; /* one generation of rules */
	k->links = st.interface_count;
	k->epoch = kernel_epoch(s->kernel);
	k->heartbeat_ns = kernel_last_beat_ns(s->kernel);
	k->flow_entries = st.flow_entries;
	view_counters(s, dp, k);
}

static void view_warnings(struct supervisor *s, struct ctl_view *v)
{
	static const char no_dns[] =
		"port 53 keeps its original destination: there is no DNS role";
	static const char unfed[] =
		"rules ask for names, and nothing has learned an address of "
		"any (see daectl route learn)";
	static const char gone_back[] =
		"the configuration on disk was not confirmed: what runs is the "
		"one before it";
	const char *all[] = {
		s->fence_warning[0] ? s->fence_warning : NULL,
		s->kernel_warning[0] ? s->kernel_warning : NULL,
		kernel_warning(s->kernel),
		s->limits.was_lowered
			? "memory_total does not hold what is configured: "
			  "limits were lowered"
			: NULL,
		v->kernel.dns_passed ? no_dns : NULL,
		v->confirm.has_gone_back ? gone_back : NULL,
		v->names.rules && !learned_count(v->names.learned).learned
			? unfed
			: NULL,
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i] && v->warning_count < CTL_WARNINGS_MAX)
			v->warnings[v->warning_count++] = all[i];
}

static void control_view(void *ctx, struct ctl_view *v)
{
	static pid_t pids[CREW_MAX];
	struct supervisor *s = ctx;

	*v = (struct ctl_view){
		.mono_ns = clock_mono_ns(),
		.wall_ns = clock_wall_ns(),
		.started_ns = s->started_ns,
		.loaded_ns = s->loaded_ns,
		.config_generation = s->config_generation,
		.version = DAE_VERSION,
		.config_path = s->opt.config,
		.config = s->config,
		.prober = s->prober,
		.crew = pool_crew(s->pool),
		.pids = pids,
	};
	for (uint32_t i = 0; i < CREW_MAX; i++) {
		struct pool_view p = { .pid = 0 };

		if (i < pool_count(s->pool))
			pool_view(s->pool, i, &p);
		pids[i] = p.pid;
	}
	v->confirm = (struct ctl_confirm){
		.is_pending = confirm_is_pending(s->confirm),
		.has_gone_back = confirm_has_gone_back(s->confirm),
	};
	if (v->confirm.is_pending)
		v->confirm.left_ms = confirm_left_ms(s->confirm);
	view_kernel(s, &v->kernel);
	learn_ask_view(s, &v->names);
	view_warnings(s, v);
}

static int control_reload(void *ctx, const struct ctl_reload_request *q,
			  struct ctl_outcome *res)
{
	return reload(ctx, q, res);
}

static int control_recycle(void *ctx, uint32_t place, bool now,
			   struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	int r;

	(void)res;
	r = now ? pool_kill(s->pool, place, RECYCLE_ADMIN)
		: pool_recycle(s->pool, place, RECYCLE_ADMIN);
	if (r == -ENOENT && pool_revive(s->pool, place) == 0)
		r = 0;
	supervisor_wake(s);
	return r;
}

/* As a configuration with this policy would have it; what memory_total does not
 * hold is refused here, not lowered. */
static int control_set_policy(void *ctx, const struct recycle_policy *next,
			      struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct recycle_limits limits;
	struct recycle_policy policy;
	int r;

	r = supervisor_limits(s->config, next, &limits, &policy);
	if (r == 0 && (limits.rss_hard_bytes < next->rss_hard_bytes ||
		       limits.workers < s->limits.workers))
		r = -ENOSPC;
	if (r == 0)
		r = pool_resize(s->pool, &limits, &policy);
	if (r < 0) {
		snprintf(res->message, sizeof(res->message),
			 "this policy does not fit memory_total");
		return r;
	}
	s->limits = limits;
	s->policy = policy;
	supervisor_event(s, EVENT_ADMIN, "recycle policy", "changed");
	supervisor_wake(s);
	return 0;
}

static int control_probe(void *ctx, uint64_t ticket,
			 const struct ctl_probe_request *q,
			 struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	int r;

	(void)res;
	r = asks_start(s->asks, ticket, q);
	supervisor_wake(s);
	return r;
}

static int control_set_admin(void *ctx, uint32_t target, enum node_admin admin,
			     uint64_t for_ns, struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct prober_now now = supervisor_now();
	int r;

	(void)res;
	r = prober_set_admin(s->prober, target, admin,
			     for_ns ? now.mono_ns + for_ns : 0, &now);
	supervisor_wake(s);
	return r;
}

static int control_quarantine(void *ctx, uint32_t target, bool hold,
			      struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct prober_now now = supervisor_now();
	int r;

	(void)res;
	r = hold ? prober_hold(s->prober, target, &now)
		 : prober_release(s->prober, target, &now);
	supervisor_wake(s);
	return r;
}

static int control_select(void *ctx, size_t group, uint32_t target,
			  struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	int r;

	(void)res;
	if (group >= s->prober->group_count)
		return -ENOENT;
	r = group_select(&s->prober->groups[group], target);
	s->prober->groups_dirty = true;
	supervisor_wake(s);
	return r;
}

static const struct ctl_ops control_ops = {
	.view = control_view,
	.reload = control_reload,
	.recycle = control_recycle,
	.set_policy = control_set_policy,
	.probe = control_probe,
	.set_admin = control_set_admin,
	.quarantine = control_quarantine,
	.select = control_select,
	.route_test = route_ask,
	.rule_counts = rule_counts_read,
	.learn = learn_ask,
	.forget = learn_ask_forget,
	.flows = flows_visit,
	.trace = trace_step,
	.gone = trace_client_gone,
	.confirm = confirm_answer,
	.reload_diff = reload_diff_look,
};

int control_start(struct supervisor *s)
{
	char path[PATH_MAX];
	struct ctl_server_options o = { .path = path, .listen_fd = -1 };
	int n, r;

	n = snprintf(path, sizeof(path), "%s/control.sock", s->opt.runtime_dir);
	if (n < 0 || n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	o.group = accounts_group("_dae");
	o.admin = accounts_group("_dae-admin");
	r = ctl_server_new(&s->ctl, s->base, &o, &control_ops, s);
	return r < 0 ? log_err_r(r, "control: cannot open %s", path) : 0;
}
