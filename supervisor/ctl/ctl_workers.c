/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about workers and when they are replaced. */
#include "supervisor/ctl/ctl_dispatch.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_policy.h"

static json_t *exit_json(const struct slot *s)
{
	if (s->crashes == 0)
		return json_null();
	return json_pack("{s:s, s:i, s:b}", "kind",
			 s->last_exit.is_signal ? "signal" : "exit", "code",
			 s->last_exit.code, "oom", s->last_exit.was_oom);
}

static json_t *meter_json(const struct ctl_view *v, const struct crew_place *p)
{
	const struct recycle_meter *m = &p->meter;
	const struct recycle_policy *policy = &v->crew->policy;
	bool alive = slot_is_alive(&p->slot);

	return json_pack("{s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
			 "rss_bytes", ctl_json_int(alive, m->anon_bytes),
			 "growth_bytes",
			 ctl_json_int(alive, recycle_growth_bytes(m)),
			 "rss_soft_bytes", (json_int_t)policy->rss_soft_bytes,
			 "rss_hard_bytes", (json_int_t)policy->rss_hard_bytes,
			 "slope_bytes_per_s",
			 ctl_json_int(alive, recycle_slope_bps(m)), "probes",
			 ctl_json_int(alive, m->probes), "fds",
			 ctl_json_int(alive && m->fds, m->fds), "age_us",
			 ctl_json_age(v, alive ? p->slot.spawned_ns : 0),
			 "heartbeat_age_us",
			 ctl_json_age(v, alive ? m->heartbeat_ns : 0));
}

static json_t *worker_json(const struct ctl_view *v, uint32_t i)
{
	const struct crew_place *p = &v->crew->places[i];
	const struct slot *s = &p->slot;
	auto_json json_t *meter = meter_json(v, p);
	auto_json json_t *j = NULL;
	pid_t pid = v->pids ? v->pids[i] : 0;

	j = json_pack("{s:I, s:o, s:s, s:s, s:I, s:I, s:b, s:s, s:I, s:o, "
		      "s:o, s:o}",
		      "index", (json_int_t)i, "pid",
		      ctl_json_int(pid > 0, (uint64_t)pid), "state",
		      slot_state_name(s->state), "duty",
		      p->duty == CREW_SOLO ? "solo" : "pool", "generation",
		      (json_int_t)s->generation, "in_flight",
		      (json_int_t)p->in_flight, "leaving", p->is_leaving,
		      "reason",
		      recycle_reason_name(p->is_leaving ? p->leave_reason
							: s->reason),
		      "crashes", (json_int_t)s->crashes, "last_exit",
		      exit_json(s), "since", ctl_json_mono(v, s->since_ns),
		      "retry_at",
		      s->state == SLOT_BACKOFF ? ctl_json_mono(v, s->retry_ns)
					       : json_null());
	if (!j || !meter || json_object_update(j, meter) < 0)
		return NULL;
	return json_incref(j);
}

int ctl_cmd_workers_list(struct ctl_call *c)
{
	auto_json json_t *list = json_array();
	int r;

	r = ctl_args(c, "{}");
	if (r < 0)
		return r;
	for (uint32_t i = 0; list && i < c->view->crew->count; i++) {
		/* a place that is not needed is nothing to see */
		if (c->view->crew->places[i].slot.state == SLOT_EMPTY)
			continue;
		if (ctl_json_append(list, worker_json(c->view, i)) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	}
	return ctl_done(c, "dae.workers/1", json_incref(list));
}

static int check_index(struct ctl_call *c, json_int_t index)
{
	const struct crew *crew = c->view->crew;

	if (index >= 0 && index < (json_int_t)crew->count &&
	    crew->places[index].slot.generation != 0)
		return 0;
	return ctl_fail(c, -ENOENT, "'daectl workers' lists them",
			"no worker has the number %lld", (long long)index);
}

int ctl_cmd_workers_show(struct ctl_call *c)
{
	json_int_t index;
	int r;

	r = ctl_args(c, "{s:I}", "index", &index);
	if (r == 0)
		r = check_index(c, index);
	if (r < 0)
		return r;
	return ctl_done(c, "dae.worker/1",
			worker_json(c->view, (uint32_t)index));
}

int ctl_cmd_recycle(struct ctl_call *c)
{
	struct ctl_outcome o = { 0 };
	json_int_t index = -1;
	int all = 0, now = 0, r;

	r = ctl_args(c, "{s?I, s?b, s?b}", "index", &index, "all", &all, "now",
		     &now);
	if (r < 0)
		return r;
	if (all == (index >= 0))
		return ctl_fail(c, -EINVAL, NULL,
				"either a worker's number, or all of them");
	r = all ? 0 : check_index(c, index);
	if (r < 0)
		return r;
	o.r = c->ops->recycle(c->ctx, all ? CREW_MAX : (uint32_t)index, now,
			      &o);
	return o.r < 0 ? ctl_fail_outcome(c, &o, "recycle") : ctl_done_plain(c);
}

static json_t *policy_json(const struct recycle_policy *p)
{
	auto_json json_t *j = json_object();
	char buf[CTL_POLICY_TEXT];

	for (size_t i = 0; j && ctl_policy_key(i); i++)
		if (json_object_set_new(
			    j, ctl_policy_key(i),
			    json_string(ctl_policy_format(p, i, buf))) < 0)
			return NULL;
	return json_incref(j);
}

int ctl_cmd_policy_get(struct ctl_call *c)
{
	int r = ctl_args(c, "{}");

	if (r < 0)
		return r;
	return ctl_done(c, "dae.recycle-policy/1",
			policy_json(&c->view->crew->policy));
}

static int set_one(struct ctl_call *c, struct recycle_policy *p,
		   const char *key, json_t *value)
{
	const char *text = json_string_value(value);
	int r;

	if (!text)
		return ctl_fail(c, -EINVAL, NULL, "%s: not a string", key);
	r = ctl_policy_set(p, key, text);
	if (r == -ENOENT)
		return ctl_fail(c, -EINVAL,
				"'daectl recycle policy' shows the keys",
				"the policy has no key '%s'", key);
	if (r < 0)
		return ctl_fail(c, -EINVAL, NULL, "%s: %s: '%s'", key,
				r == -ERANGE ? "out of range" : "no such value",
				text);
	return 0;
}

int ctl_cmd_policy_set(struct ctl_call *c)
{
	struct recycle_policy next = c->view->crew->policy;
	struct ctl_outcome o = { 0 };
	char why[CTL_TEXT_MAX];
	json_t *value;
	const char *key;
	int r;

	json_object_foreach(c->args, key, value) {
		r = set_one(c, &next, key, value);
		if (r < 0)
			return r;
	}
	r = ctl_policy_check(&next, why, sizeof(why));
	if (r < 0)
		return ctl_fail(c, r, NULL, "%s", why);
	o.r = c->ops->set_policy(c->ctx, &next, &o);
	if (o.r < 0)
		return ctl_fail_outcome(c, &o, "recycle policy");
	return ctl_done(c, "dae.recycle-policy/1", policy_json(&next));
}
