/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A prober from a configuration, and from the one it replaces. */
#include <errno.h>
#include <string.h>

#include "supervisor/core/hash.h"
#include "supervisor/core/job_build.h"
#include "supervisor/core/prober_private.h"

struct build {
	struct prober *p;
	const struct config *c;
	const struct prober *old;
	const struct prober_now *now;
	uint32_t *node_targets;	  /* by index of config.nodes */
	uint64_t *node_intervals; /* 0: in no group, not scheduled */
	uint32_t checks;
};

static const struct target_table *old_targets(const struct build *b)
{
	return b->old ? b->old->targets : NULL;
}

static int add_target(struct build *b, const struct target_spec *spec,
		      struct target **ret)
{
	int r = target_table_add(b->p->targets, spec, old_targets(b), ret);

	/* a second of the same name and kind is the same target */
	if (r == -EEXIST) {
		*ret = target_table_find(b->p->targets, target_identity(spec));
		return 1;
	}
	return r;
}

static int add_check(struct build *b, struct target *t, enum check_class cls,
		     uint8_t family, struct health_policy policy,
		     uint64_t interval_ns)
{
	struct target_check spec = {
		.cls = (uint8_t)cls,
		.family = family,
		.policy = policy,
		.interval_ns = interval_ns,
	};
	int k = target_add_check(t, &spec, old_targets(b));

	if (k == -EEXIST)
		return 0;
	if (k < 0)
		return k;
	b->checks++;
	return 0;
}

/* No such check here is no error; a family without address is said below. */
static bool is_absent(int r)
{
	return r == -ENOENT || r == -EOPNOTSUPP || r == -EADDRNOTAVAIL;
}

static int add_node_checks(struct build *b, struct target *t,
			   const struct config_node *n, uint64_t interval_ns)
{
	auto_free struct job_plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return -ENOMEM;
	for (int k = 0; k < CHECK_NODE_COUNT; k++) {
		enum check_class cls = (enum check_class)k;

		r = job_build_node(plan, b->c, n, cls);
		if (r < 0 && r != -EADDRNOTAVAIL)
			continue;
		if (add_check(b, t, cls, (uint8_t)check_class_family(cls),
			      health_default_policy(cls), interval_ns) < 0)
			continue;
		if (r == -EADDRNOTAVAIL)
			t->checks[k].health.verdict = VERDICT_NOT_APPLICABLE;
	}
	return 0;
}

static int add_direct(struct build *b)
{
	static const struct config_node direct = {
		.name = (char *)"direct",
		.scheme = SCHEME_DIRECT,
	};
	struct target_spec spec = { .kind = TARGET_DIRECT, .name = "direct" };
	struct target *t;
	int r = add_target(b, &spec, &t);

	return r < 0 ? r
		     : add_node_checks(b, t, &direct,
				       b->c->global.check_interval_ns);
}

static int add_nodes(struct build *b)
{
	for (size_t i = 0; i < b->c->node_count; i++) {
		const struct config_node *n = &b->c->nodes[i];
		uint64_t interval_ns = b->node_intervals[i];
		struct target_spec spec = {
			.kind = TARGET_NODE,
			.name = n->name,
			.identity = n->identity,
			.config_index = i,
			.is_unsupported = n->scheme == SCHEME_UNSUPPORTED,
		};
		struct target *t;
		int r = add_target(b, &spec, &t);

		if (r < 0)
			return r;
		b->node_targets[i] = t->index;
		if (r == 1 || spec.is_unsupported)
			continue;
		r = add_node_checks(b, t, n,
				    interval_ns
					    ? interval_ns
					    : b->c->global.check_interval_ns);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Private addresses are mostly reached without the uplink. */
static bool is_private(const struct addr *a)
{
	const uint8_t *q = a->b + 12;

	if (a->family == 6)
		return (a->b[0] & 0xfe) == 0xfc || addr_is_special(a);
	return a->family == 4 &&
	       (q[0] == 10 || (q[0] == 172 && (q[1] & 0xf0) == 16) ||
		(q[0] == 192 && q[1] == 168) || addr_is_special(a));
}

static int add_upstream_checks(struct build *b, struct target *t,
			       const struct config_upstream *u)
{
	auto_free struct job_plan *plan = calloc(1, sizeof(*plan));
	enum check_class classes[2];
	int n = job_build_upstream_classes(u, classes), r;

	if (!plan)
		return -ENOMEM;
	for (int i = 0; i < 2 * n; i++) {
		enum check_class cls = classes[i / 2];
		uint8_t family = i % 2 ? 6 : 4;

		r = job_build_upstream(plan, u, cls, family);
		if (is_absent(r))
			continue;
		r = add_check(b, t, cls, family, health_default_policy(cls),
			      b->c->global.check_interval_ns);
		if (r < 0)
			return r;
		if (is_private(&plan->peer.addr))
			offline_set_local(b->p->offline, t->index, true);
	}
	return 0;
}

static int add_upstreams(struct build *b)
{
	for (size_t i = 0; i < b->c->dns.upstream_count; i++) {
		const struct config_upstream *u = &b->c->dns.upstreams[i];
		struct target_spec spec = {
			.kind = TARGET_UPSTREAM,
			.name = u->name,
			.identity = hash_bytes(0, u->url, strlen(u->url)),
			.config_index = i,
		};
		struct target *t;
		int r = add_target(b, &spec, &t);

		if (r == 0)
			r = add_upstream_checks(b, t, u);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	return s ? hash_bytes(h + 1, s, strlen(s)) : hash_pair(h, 1);
}

static uint64_t monitor_identity(const struct config_monitor *m)
{
	uint64_t h = hash_text(hash_text(0, m->url), m->qname);

	h = hash_text(hash_text(h, m->sni), m->iface);
	return hash_pair(h, (uint64_t)m->mark << 16 | m->qtype);
}

static int add_monitor_checks(struct build *b, struct target *t,
			      const struct config_monitor *m)
{
	auto_free struct job_plan *plan = calloc(1, sizeof(*plan));
	struct health_policy policy = { (uint16_t)MIN(m->rise, 1000U),
					(uint16_t)MIN(m->fall, 1000U) };
	int r;

	if (!plan)
		return -ENOMEM;
	for (uint8_t family = 4; family <= 6; family += 2) {
		if (m->family && m->family != family)
			continue;
		if (is_absent(job_build_monitor(plan, m, family)))
			continue;
		r = add_check(b, t, job_build_monitor_class(m->kind), family,
			      policy,
			      m->interval_ns ? m->interval_ns
					     : b->c->global.check_interval_ns);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_monitors(struct build *b)
{
	const struct config_supervisor *s = &b->c->supervisor;

	for (size_t i = 0; i < s->monitor_count; i++) {
		struct target_spec spec = {
			.kind = TARGET_MONITOR,
			.name = s->monitors[i].name,
			.identity = monitor_identity(&s->monitors[i]),
			.config_index = i,
		};
		struct target *t;
		int r = add_target(b, &spec, &t);

		if (r == 0)
			r = add_monitor_checks(b, t, &s->monitors[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Members of groups are probed as often as the most eager of their groups asks;
 * without any group every node is probed. */
static void find_intervals(struct build *b)
{
	uint64_t global = b->c->global.check_interval_ns;

	for (size_t i = 0; i < b->c->node_count; i++)
		b->node_intervals[i] = b->c->group_count ? 0 : global;
	for (size_t g = 0; g < b->c->group_count; g++) {
		const struct config_group *cg = &b->c->groups[g];
		uint64_t ns = cg->check_interval_ns ? cg->check_interval_ns
						    : global;

		for (size_t i = 0; i < cg->member_count; i++) {
			uint64_t *n = &b->node_intervals[cg->members[i].node];

			*n = *n ? MIN(*n, ns) : ns;
		}
	}
}

static int add_groups(struct build *b)
{
	struct prober *p = b->p;

	p->groups = calloc(MAX(b->c->group_count, 1UL), sizeof(*p->groups));
	if (!p->groups)
		return -ENOMEM;
	for (size_t i = 0; i < b->c->group_count; i++) {
		const struct config_group *cg = &b->c->groups[i];
		uint64_t tolerance_ns =
			cg->has_tolerance ? cg->check_tolerance_ns
					  : b->c->global.check_tolerance_ns;
		int r = group_init(&p->groups[i], cg, b->node_targets,
				   tolerance_ns);

		if (r < 0)
			return r;
		p->group_count++;
		for (size_t k = 0; b->old && k < b->old->group_count; k++) {
			if (strcmp(b->old->groups[k].name, p->groups[i].name) ==
			    0)
				group_inherit(&p->groups[i], &b->old->groups[k],
					      p->targets);
		}
	}
	return 0;
}

static bool is_scheduled(const struct build *b, const struct target *t)
{
	if (t->is_unsupported)
		return false;
	return t->kind != TARGET_NODE || b->node_intervals[t->config_index];
}

static int fill_schedule(struct build *b)
{
	struct prober *p = b->p;
	uint32_t limit = target_table_limit(p->targets);
	uint64_t spread_ns;
	int r;

	spread_ns = schedule_spread_ns(b->checks,
				       b->c->global.check_interval_ns);
	for (uint32_t i = 0; i < limit; i++) {
		struct target *t = target_table_get(p->targets, i);

		for (unsigned int k = 0; t && k < TARGET_CHECKS; k++) {
			uint32_t id = target_check_id(i, k);

			if (!t->checks[k].is_used || !is_scheduled(b, t))
				continue;
			r = schedule_add(p->schedule, id, t->checks[k].key,
					 t->checks[k].interval_ns, spread_ns,
					 b->now->mono_ns);
			if (r < 0)
				return r;
			if (t->kind != TARGET_NODE)
				schedule_set_hot(p->schedule, id, true,
						 b->now->mono_ns);
		}
	}
	return 0;
}

static int make_tables(struct build *b, size_t targets)
{
	const struct config_supervisor *cs = &b->c->supervisor;
	struct prober *p = b->p;
	struct schedule_config cfg = {
		.max_concurrent = MAX(MIN(cs->max_concurrent,
					  (uint32_t)PROBER_JOBS_MAX / 2),
				      1U),
		.rate = cs->probe_rate,
		.adaptive = cs->adaptive,
		.max_checks = (uint32_t)targets * TARGET_CHECKS,
		.checks_per_target = TARGET_CHECKS,
		.seed = b->now->mono_ns,
	};
	int r;

	r = target_table_new(&p->targets, targets);
	if (r == 0)
		r = schedule_new(&p->schedule, &cfg);
	if (r == 0)
		r = offline_new(&p->offline, (uint32_t)targets);
	if (r == 0 && !b->old)
		r = job_table_new(&p->jobs, PROBER_JOBS_MAX);
	if (r == 0 && !b->old)
		r = event_ring_new(&p->events, PROBER_EVENTS);
	if (r == 0 && !b->old)
		r = quarantine_new(&p->quarantine, &cs->quarantine);
	if (r < 0)
		return r;
	p->lost = calloc(PROBER_JOBS_MAX, sizeof(struct job *));
	p->lost_keys = calloc(PROBER_JOBS_MAX, sizeof(uint64_t));
	p->held_keys = calloc(PROBER_JOBS_MAX, sizeof(uint64_t));
	return p->lost && p->lost_keys && p->held_keys ? 0 : -ENOMEM;
}

static int fill(struct build *b)
{
	int r = add_direct(b);

	if (r == 0)
		r = add_nodes(b);
	if (r == 0)
		r = add_upstreams(b);
	if (r == 0)
		r = add_monitors(b);
	if (r == 0)
		r = add_groups(b);
	if (r == 0)
		r = fill_schedule(b);
	return r;
}

/* From here on nothing can fail: what lives on moves over. */
static void take_over(struct build *b, struct prober *old)
{
	struct prober *p = b->p;

	p->jobs = TAKE_PTR(old->jobs);
	p->events = TAKE_PTR(old->events);
	p->quarantine = TAKE_PTR(old->quarantine);
	quarantine_set_policy(p->quarantine, &b->c->supervisor.quarantine);
	p->totals = old->totals;
	p->groups_epoch = old->groups_epoch;
	p->budget = old->budget;
	p->stretch = old->stretch;
	schedule_inherit(p->schedule, old->schedule);
	offline_inherit(p->offline, old->offline);
	schedule_pause(p->schedule, offline_state(p->offline) == OFFLINE,
		       b->now->mono_ns);
}

static void finish(struct build *b)
{
	struct prober *p = b->p;
	uint32_t limit = target_table_limit(p->targets);

	p->budget.daily_bytes = b->c->supervisor.daily_bytes;
	p->job_timeout_ns = b->c->supervisor.probe_timeout_ns
				    ? b->c->supervisor.probe_timeout_ns
				    : 10 * NS_PER_S;
	for (uint32_t i = 0; i < limit; i++) {
		struct target *t = target_table_get(p->targets, i);

		if (t)
			prober_refresh(p, t, b->now);
	}
	p->groups_dirty = true;
}

int prober_new(struct prober **ret, const struct config *c, struct prober *old,
	       const struct prober_now *now)
{
	auto_prober struct prober *p = calloc(1, sizeof(*p));
	auto_free uint32_t *node_targets = calloc(c->node_count + 1,
						  sizeof(uint32_t));
	auto_free uint64_t *intervals = calloc(c->node_count + 1,
					       sizeof(uint64_t));
	struct build b = { p, c, old, now, node_targets, intervals, 0 };
	size_t n = 1 + c->node_count + c->dns.upstream_count +
		   c->supervisor.monitor_count;
	int r;

	if (!p || !node_targets || !intervals)
		return -ENOMEM;
	p->stretch = 1000;
	budget_init(&p->budget, c->supervisor.daily_bytes);
	find_intervals(&b);
	r = make_tables(&b, n + (old ? target_table_limit(old->targets) : 0));
	if (r == 0)
		r = fill(&b);
	if (r < 0)
		return r;
	if (old)
		take_over(&b, old);
	finish(&b);
	*ret = TAKE_PTR(p);
	return 0;
}

void prober_give_back(struct prober **pp, struct prober *old,
		      const struct config *c)
{
	struct prober *p = *pp;

	old->jobs = TAKE_PTR(p->jobs);
	old->events = TAKE_PTR(p->events);
	old->quarantine = TAKE_PTR(p->quarantine);
	quarantine_set_policy(old->quarantine, &c->supervisor.quarantine);
	prober_free(pp);
}

void prober_free(struct prober **pp)
{
	struct prober *p = *pp;

	if (!p)
		return;
	target_table_free(&p->targets);
	schedule_free(&p->schedule);
	job_table_free(&p->jobs);
	quarantine_free(&p->quarantine);
	offline_free(&p->offline);
	event_ring_free(&p->events);
	for (size_t i = 0; i < p->group_count; i++)
		group_fini(&p->groups[i]);
	free(p->groups);
	free(p->held);
	free(p->lost);
	free(p->lost_keys);
	free(p->held_keys);
	free(p);
	*pp = NULL;
}
