/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole at a glance. */
#include "supervisor/ctl/ctl_dispatch.h"

#include "common/base.h"
#include "common/ctl_proto.h"
#include "dae_build_id.h"
#include "supervisor/ctl/ctl_groups.h"
#include "supervisor/ctl/ctl_json.h"

struct tally {
	uint32_t total;
	uint32_t state[NODE_STATE_COUNT];
};

static void tally_targets(const struct ctl_view *v, struct tally *nodes,
			  struct tally *monitors)
{
	const struct target_table *tt = v->prober->targets;
	const struct target *t;
	struct tally *y;

	for (uint32_t i = 0; i < target_table_limit(tt); i++) {
		t = target_table_get(tt, i);
		if (!t || t->kind == TARGET_DIRECT)
			continue;
		y = t->kind == TARGET_NODE ? nodes : monitors;
		y->total++;
		y->state[t->state]++;
	}
}

static void tally_groups(const struct ctl_view *v, struct tally *groups)
{
	for (size_t i = 0; i < v->prober->group_count; i++) {
		groups->total++;
		groups->state[ctl_group_state(v, &v->prober->groups[i])]++;
	}
}

static json_t *tally_json(const struct tally *y)
{
	auto_json json_t *j = json_pack("{s:I}", "total", (json_int_t)y->total);

	for (unsigned int s = 0; j && s < NODE_STATE_COUNT; s++)
		if (json_object_set_new(j, node_state_name(s),
					json_integer(y->state[s])) < 0)
			return NULL;
	return json_incref(j);
}

static json_t *recycles_json(const struct totals *t)
{
	auto_json json_t *j = json_object();

	for (unsigned int i = RECYCLE_NONE + 1; j && i < RECYCLE_REASON_COUNT;
	     i++)
		if (json_object_set_new(
			    j, recycle_reason_name(i),
			    json_integer((json_int_t)t->recycles[i])) < 0)
			return NULL;
	return json_incref(j);
}

static json_t *workers_json(const struct ctl_view *v)
{
	const struct crew *c = v->crew;
	auto_json json_t *j = NULL;
	uint64_t sum = 0, max = 0, bytes;

	for (uint32_t i = 0; i < c->count; i++) {
		if (!slot_is_alive(&c->places[i].slot))
			continue;
		bytes = c->places[i].meter.anon_bytes;
		sum += bytes;
		max = MAX(max, bytes);
	}
	j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "want",
		      (json_int_t)c->want, "rss_bytes", (json_int_t)sum,
		      "rss_max_bytes", (json_int_t)max, "spawns",
		      (json_int_t)v->prober->totals.spawns, "crashes",
		      (json_int_t)v->prober->totals.crashes, "recycles",
		      recycles_json(&v->prober->totals));
	for (unsigned int s = 0; j && s < SLOT_STATE_COUNT; s++)
		if (json_object_set_new(j, slot_state_name(s),
					json_integer(crew_count_state(
						c, (enum slot_state)s))) < 0)
			return NULL;
	return json_incref(j);
}

static const char *offline_name(const struct ctl_view *v)
{
	switch (offline_state(v->prober->offline)) {
	case ONLINE:
		return "online";
	case OFFLINE_DOUBT:
		return "doubt";
	default:
		return "offline";
	}
}

static json_t *counters_json(const struct ctl_kernel *k)
{
	auto_json json_t *j = json_object();

	for (size_t i = 0; j && i < k->counter_count; i++)
		if (json_object_set_new(
			    j, k->counters[i].name,
			    json_integer((json_int_t)k->counters[i].value)) < 0)
			return NULL;
	return json_incref(j);
}

static json_t *kernel_json(const struct ctl_view *v)
{
	const struct ctl_kernel *k = &v->kernel;

	uint64_t groups = 0;

	for (size_t i = 0; i < v->config->group_count; i++)
		groups += k->flows_group[i];
	return json_pack(
		"{s:b, s:o, s:b, s:I, s:I, s:I, s:o, s:I, s:I, s:o, "
		"s:{s:I, s:I, s:I}}",
		"active", k->is_active, "attach", ctl_json_text(k->attach),
		"host", k->has_host, "programs", (json_int_t)k->programs,
		"links", (json_int_t)k->links, "epoch", (json_int_t)k->epoch,
		"heartbeat_age_us", ctl_json_age(v, k->heartbeat_ns),
		"flow_entries", (json_int_t)k->flow_entries, "dns_passed",
		(json_int_t)k->dns_passed, "counters", counters_json(k),
		"decided", "direct", (json_int_t)k->flows_direct, "block",
		(json_int_t)k->flows_block, "groups", (json_int_t)groups);
}

static json_t *budget_json(const struct budget *b)
{
	return json_pack("{s:o, s:I, s:I, s:I}", "daily_bytes",
			 ctl_json_int(b->daily_bytes, b->daily_bytes),
			 "today_bytes", (json_int_t)b->today_bytes,
			 "yesterday_bytes", (json_int_t)b->yesterday_bytes,
			 "total_bytes", (json_int_t)b->total_bytes);
}

/* Checks that are to be asked and have no verdict yet. */
static uint32_t count_unsettled(const struct ctl_view *v)
{
	const struct target_table *tt = v->prober->targets;
	const struct target *t;
	uint32_t n = 0;

	for (uint32_t i = 0; i < target_table_limit(tt); i++) {
		t = target_table_get(tt, i);
		for (unsigned int k = 0; t && k < TARGET_CHECKS; k++)
			n += t->checks[k].is_used && target_is_probed(t) &&
			     t->checks[k].health.verdict == VERDICT_UNKNOWN &&
			     schedule_has(v->prober->schedule,
					  target_check_id(i, k));
	}
	return n;
}

static json_t *checks_json(const struct ctl_view *v)
{
	const struct totals *t = &v->prober->totals;
	struct schedule_stats s;
	struct job_stats j;
	uint64_t lag;

	schedule_stats(v->prober->schedule, &s);
	job_table_stats(v->prober->jobs, &j);
	lag = s.popped ? s.lag_sum_ns / s.popped : 0;
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"unknown", (json_int_t)count_unsettled(v), "scheduled",
		(json_int_t)s.entries, "in_flight", (json_int_t)j.live,
		"started", (json_int_t)s.popped, "results",
		(json_int_t)totals_results(t), "ours",
		(json_int_t)totals_ours(t), "redispatched",
		(json_int_t)j.redispatched, "late", (json_int_t)t->late_results,
		"verdict_changes", (json_int_t)t->verdict_changes,
		"selection_changes", (json_int_t)t->selection_changes,
		"lag_avg_us", (json_int_t)(lag / NS_PER_US), "lag_max_us",
		(json_int_t)(s.lag_max_ns / NS_PER_US));
}

static json_t *warnings_json(const struct ctl_view *v)
{
	auto_json json_t *list = json_array();

	for (size_t i = 0; list && i < v->warning_count; i++)
		if (ctl_json_append(list, ctl_json_text(v->warnings[i])) < 0)
			return NULL;
	return json_incref(list);
}

/* One word for the exit status: what somebody on call wants to know. */
static const char *health_of(const struct ctl_view *v, const struct tally *n,
			     const struct tally *m, const struct tally *g)
{
	uint32_t up = n->state[NODE_UP] + n->state[NODE_DEGRADED] +
		      m->state[NODE_UP] + m->state[NODE_DEGRADED];
	uint32_t down = n->state[NODE_DOWN] + m->state[NODE_DOWN];
	uint32_t held = n->state[NODE_QUARANTINED] + m->state[NODE_QUARANTINED];

	if (crew_count_state(v->crew, SLOT_READY) == 0)
		return "down";
	if (down && !up)
		return "down";
	if (down || held || n->state[NODE_DEGRADED] ||
	    m->state[NODE_DEGRADED] || g->state[NODE_DOWN] ||
	    offline_state(v->prober->offline) == OFFLINE)
		return "degraded";
	return "ok";
}

static json_t *config_json(const struct ctl_view *v)
{
	return json_pack(
		"{s:o, s:I, s:o, s:s, s:o, s:b}", "path",
		ctl_json_text(v->config_path), "generation",
		(json_int_t)v->config_generation, "loaded_at",
		ctl_json_mono(v, v->loaded_ns), "mode",
		v->config->supervisor.mode == MODE_ROUTE ? "route" : "observe",
		"goes_back_in_us",
		ctl_json_int(v->confirm.is_pending, v->confirm.left_ms * 1000),
		"has_gone_back", v->confirm.has_gone_back);
}

int ctl_cmd_status(struct ctl_call *c)
{
	const struct ctl_view *v = c->view;
	struct tally nodes = { 0 }, monitors = { 0 }, groups = { 0 };
	json_t *j;
	int r;

	r = ctl_args(c, "{}");
	if (r < 0)
		return r;
	tally_targets(v, &nodes, &monitors);
	tally_groups(v, &groups);
	j = json_pack("{s:s, s:o, s:o, s:o, s:o, s:{s:s, s:o, s:o}, s:o, s:o, "
		      "s:o, s:o, s:o, s:o, s:o}",
		      "health", health_of(v, &nodes, &monitors, &groups),
		      "version", ctl_json_text(v->version), "started_at",
		      ctl_json_mono(v, v->started_ns), "uptime_us",
		      ctl_json_age(v, v->started_ns), "config", config_json(v),
		      "uplink", "state", offline_name(v), "since",
		      ctl_json_mono(v, offline_since_ns(v->prober->offline)),
		      "interface", ctl_json_text(v->uplink), "nodes",
		      tally_json(&nodes), "monitors", tally_json(&monitors),
		      "groups", tally_json(&groups), "workers", workers_json(v),
		      "kernel", kernel_json(v), "checks", checks_json(v),
		      "budget", budget_json(&v->prober->budget));
	if (j &&
	    (json_object_set_new(j, "names", ctl_names_json(&v->names)) < 0 ||
	     json_object_set_new(j, "warnings", warnings_json(v)) < 0)) {
		json_decref(j);
		j = NULL;
	}
	return ctl_done(c, "dae.status/1", j);
}

int ctl_cmd_version(struct ctl_call *c)
{
	int r = ctl_args(c, "{}");

	if (r < 0)
		return r;
	return ctl_done(c, "dae.version/1",
			json_pack("{s:o, s:I, s:i}", "version",
				  ctl_json_text(c->view->version), "build_id",
				  (json_int_t)DAE_BUILD_ID, "protocol",
				  CTL_PROTO_VERSION));
}

static json_t *names_json(const struct config_list *l)
{
	auto_json json_t *list = json_array();

	for (size_t i = 0; list && i < l->count; i++)
		if (ctl_json_append(list, ctl_json_text(l->items[i])) < 0)
			return NULL;
	return json_incref(list);
}

static const char *attach_name(enum attach_mode m)
{
	return m == ATTACH_TCX ? "tcx" : m == ATTACH_CLSACT ? "clsact" : "auto";
}

/* What the client's local checks must know of the configuration in force. */
int ctl_cmd_doctor(struct ctl_call *c)
{
	const struct config *cfg = c->view->config;
	const struct config_supervisor *s = &cfg->supervisor;
	int r = ctl_args(c, "{}");

	if (r < 0)
		return r;
	return ctl_done(
		c, "dae.doctor-facts/1",
		json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, "
			  "s:o}",
			  "config", ctl_json_text(c->view->config_path), "mode",
			  s->mode == MODE_ROUTE ? "route" : "observe", "attach",
			  attach_name(s->attach), "mark", (json_int_t)s->mark,
			  "mark_mask", (json_int_t)s->mark_mask, "so_mark",
			  (json_int_t)s->so_mark, "rule_priority",
			  (json_int_t)s->rule_priority, "route_table",
			  (json_int_t)s->route_table, "lan_interface",
			  names_json(&cfg->global.lan_interface),
			  "wan_interface",
			  names_json(&cfg->global.wan_interface), "kernel",
			  kernel_json(c->view)));
}
