/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/ctl/ctl_json.h"

static bool is_monitor(const struct target *t)
{
	return t->kind == TARGET_MONITOR || t->kind == TARGET_UPSTREAM;
}

static json_t *foreign_json(uint8_t kind, uint64_t code)
{
	if (kind == FOREIGN_NONE)
		return json_null();
	return json_pack("{s:s, s:I}", "kind", foreign_name(kind), "code",
			 (json_int_t)code);
}

static json_t *phases_json(const struct health *h)
{
	auto_json json_t *j = json_object();

	for (unsigned int p = 0; j && p < PHASE_COUNT; p++)
		if (json_object_set_new(j, phase_name(p),
					ctl_json_int(h->phase_us[p],
						     h->phase_us[p])) < 0)
			return NULL;
	return json_incref(j);
}

static json_t *entry_json(const struct ctl_view *v,
			  const struct health_entry *e)
{
	return json_pack(
		"{s:o, s:s, s:s, s:s, s:o, s:o}", "at",
		ctl_json_mono(v, e->at_ns), "outcome", outcome_name(e->outcome),
		"text", outcome_text(e->outcome), "phase", phase_name(e->phase),
		"foreign", foreign_json(e->foreign_kind, e->foreign),
		"latency_us", ctl_json_int(e->latency_us, e->latency_us));
}

static json_t *last_error_json(const struct ctl_view *v, const struct health *h)
{
	json_t *j;

	if (h->last_error.at_ns == 0)
		return json_null();
	j = entry_json(v, &h->last_error);
	if (j &&
	    json_object_set_new(j, "detail",
				ctl_json_text(h->last_detail[0] ? h->last_detail
								: NULL)) < 0) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static json_t *history_json(const struct ctl_view *v, const struct health *h)
{
	auto_json json_t *list = json_array();
	const struct health_entry *e;

	for (unsigned int i = 0; list && i < HEALTH_HISTORY; i++) {
		e = health_history(h, i);
		if (!e)
			break;
		if (ctl_json_append(list, entry_json(v, e)) < 0)
			return NULL;
	}
	return json_incref(list);
}

static json_t *next_json(const struct ctl_view *v, uint32_t check)
{
	uint64_t due = schedule_due_ns(v->prober->schedule, check);

	if (due == UINT64_MAX)
		return json_null();
	return json_integer(
		due <= v->mono_ns
			? 0
			: (json_int_t)((due - v->mono_ns) / NS_PER_US));
}

static json_t *check_numbers(const struct health *h)
{
	uint32_t last = health_last_us(h), avg = health_avg10_us(h);
	uint32_t moving = health_moving_us(h);

	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I}",
			 "rtt_us", ctl_json_int(last, last), "avg10_us",
			 ctl_json_int(avg, avg), "ewma_us",
			 ctl_json_int(moving, moving), "loss_percent",
			 (json_int_t)health_loss_percent(h), "consecutive_ok",
			 (json_int_t)h->streak_ok, "consecutive_fail",
			 (json_int_t)h->streak_fail, "ok_total",
			 (json_int_t)h->ok_total, "fail_total",
			 (json_int_t)h->fail_total, "ours_total",
			 (json_int_t)h->ours_total, "bytes_each",
			 (json_int_t)h->bytes_each, "leaked_bytes",
			 (json_int_t)h->leaked_bytes);
}

static json_t *cert_json(const struct health *h)
{
	if (h->cert_not_after <= 0)
		return json_null();
	return ctl_json_wall((uint64_t)h->cert_not_after * NS_PER_S);
}

static json_t *check_json(const struct ctl_view *v, const struct target *t,
			  unsigned int k, bool deep)
{
	const struct target_check *c = &t->checks[k];
	const struct health *h = &c->health;
	uint32_t id = target_check_id(t->index, k);
	unsigned int verdict = target_verdict(t, k);
	/* only nodes have assumed ones: class is index */
	unsigned int cls = c->is_used ? c->cls : k;
	int family = c->is_used ? c->family : check_class_family(cls);
	auto_json json_t *j = NULL;
	auto_json json_t *numbers = check_numbers(h);

	j = json_pack("{s:s, s:i, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:I, "
		      "s:o}",
		      "class", check_class_name(cls), "family", family,
		      "verdict", verdict_name(verdict), "assumed", !c->is_used,
		      "applicable", verdict != VERDICT_NOT_APPLICABLE, "since",
		      ctl_json_mono(v, h->since_ns), "last_at",
		      ctl_json_mono(v, h->last_ns), "phases_us", phases_json(h),
		      "last_error", last_error_json(v, h), "next_probe_in_us",
		      next_json(v, id), "interval_us",
		      (json_int_t)(schedule_interval_ns(v->prober->schedule, id,
							true) /
				   NS_PER_US),
		      "cert_not_after", cert_json(h));
	if (!j || !numbers || json_object_update(j, numbers) < 0)
		return NULL;
	if (deep && json_object_set_new(j, "history", history_json(v, h)) < 0)
		return NULL;
	return json_incref(j);
}

static json_t *checks_json(const struct ctl_view *v, const struct target *t,
			   bool deep)
{
	auto_json json_t *list = json_array();

	for (unsigned int k = 0; list && k < TARGET_CHECKS; k++) {
		if (!t->checks[k].is_used && !t->assumed[k])
			continue;
		if (ctl_json_append(list, check_json(v, t, k, deep)) < 0)
			return NULL;
	}
	return json_incref(list);
}

static bool has_member(const struct group *g, uint32_t target)
{
	for (uint32_t i = 0; i < g->member_count; i++)
		if (g->members[i].target == target)
			return true;
	return false;
}

static bool is_selected(const struct group *g, uint32_t target)
{
	for (unsigned int s = 0; s < GROUP_SELS; s++)
		if (group_selected(g, s) == target)
			return true;
	return false;
}

/* Names of the groups that have the target, or that use it now. */
static json_t *groups_json(const struct ctl_view *v, uint32_t target,
			   bool selected)
{
	auto_json json_t *list = json_array();
	const struct group *g;

	for (size_t i = 0; list && i < v->prober->group_count; i++) {
		g = &v->prober->groups[i];
		if (!(selected ? is_selected(g, target)
			       : has_member(g, target)))
			continue;
		if (ctl_json_append(list, ctl_json_text(g->name)) < 0)
			return NULL;
	}
	return json_incref(list);
}

static json_t *quarantine_json(const struct ctl_view *v, const struct target *t)
{
	const struct quarantine *q = v->prober->quarantine;
	struct quarantine_view view;

	for (size_t i = 0; i < quarantine_count(q); i++) {
		quarantine_at(q, i, v->mono_ns, &view);
		if (view.key != t->identity)
			continue;
		return json_pack("{s:b, s:b, s:I, s:I, s:o}", "held",
				 view.is_held, "suspect", view.is_suspect,
				 "deaths", (json_int_t)view.deaths, "alone",
				 (json_int_t)view.alone, "until",
				 view.is_held ? ctl_json_mono(v, view.until_ns)
					      : json_null());
	}
	return json_null();
}

/* What the configuration says the target is: a scheme, never the secret. */
static const char *protocol_of(const struct ctl_view *v, const struct target *t)
{
	const struct config *c = v->config;
	size_t i = t->config_index;

	switch (t->kind) {
	case TARGET_NODE:
		if (i >= c->node_count)
			return NULL;
		return c->nodes[i].scheme_text
			       ? c->nodes[i].scheme_text
			       : node_scheme_name(c->nodes[i].scheme);
	case TARGET_DIRECT:
		return "direct";
	case TARGET_MONITOR:
		return i < c->supervisor.monitor_count
			       ? c->supervisor.monitors[i].url
			       : NULL;
	case TARGET_UPSTREAM:
		return i < c->dns.upstream_count ? c->dns.upstreams[i].url
						 : NULL;
	default:
		return NULL;
	}
}

static json_t *addrs_json(const struct target *t)
{
	auto_json json_t *list = json_array();
	char buf[ADDR_STRLEN];

	for (unsigned int f = 0; list && f < 2; f++)
		for (uint8_t i = 0; i < t->addrs[f].count; i++)
			if (ctl_json_append(list, json_string(addr_format(
							  &t->addrs[f].addrs[i],
							  buf))) < 0)
				return NULL;
	return json_incref(list);
}

static json_t *target_counters(const struct ctl_view *v, const struct target *t)
{
	return json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:o}", "supported",
			 !t->is_unsupported, "hot", t->is_hot, "in_flight",
			 (json_int_t)t->in_flight, "bytes_today",
			 (json_int_t)t->bytes_today, "bytes_total",
			 (json_int_t)t->bytes_total, "leaked_bytes",
			 (json_int_t)t->leaked_bytes, "quarantine",
			 quarantine_json(v, t));
}

json_t *ctl_target_json(const struct ctl_view *v, const struct target *t,
			bool deep)
{
	auto_json json_t *counters = target_counters(v, t);
	auto_json json_t *j = NULL;

	j = json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:o, "
		      "s:o}",
		      "id", ctl_json_id(t->identity), "name",
		      ctl_json_text(t->name), "kind", target_kind_name(t->kind),
		      "protocol", ctl_json_text(protocol_of(v, t)), "groups",
		      groups_json(v, t->index, false), "selected_by",
		      groups_json(v, t->index, true), "state",
		      node_state_name(t->state), "admin",
		      node_admin_name(t->admin), "admin_until",
		      ctl_json_mono(v, t->admin_until_ns), "since",
		      ctl_json_mono(v, t->state_since_ns), "checks",
		      checks_json(v, t, deep));
	if (!j || !counters || json_object_update(j, counters) < 0)
		return NULL;
	if (deep && json_object_set_new(j, "addresses", addrs_json(t)) < 0)
		return NULL;
	return json_incref(j);
}

json_t *ctl_target_name(const struct ctl_view *v, uint32_t index)
{
	const struct target *t = NULL;

	if (index != TARGET_NONE)
		t = target_table_get(v->prober->targets, index);
	return ctl_json_text(t ? t->name : NULL);
}

/* People type what they were shown, which is the cleaned name. */
static bool is_called(const struct target *t, const char *name)
{
	char clean[TARGET_NAME_MAX * 3], id[17];

	if (strcmp(t->name, name) == 0)
		return true;
	text_clean(clean, sizeof(clean), t->name, strlen(t->name));
	snprintf(id, sizeof(id), "%016" PRIx64, t->identity);
	return strcmp(clean, name) == 0 || strcmp(id, name) == 0;
}

static const char *suggest(const struct ctl_view *v, const char *name,
			   bool monitors)
{
	const struct target_table *tt = v->prober->targets;
	const struct target *t;
	unsigned int best = 3, d;
	const char *ret = NULL;

	for (uint32_t i = 0; i < target_table_limit(tt); i++) {
		t = target_table_get(tt, i);
		if (!t || is_monitor(t) != monitors)
			continue;
		d = text_distance(t->name, name);
		if (d < best) {
			best = d;
			ret = t->name;
		}
	}
	return ret;
}

const struct target *ctl_target_find(struct ctl_call *c, const char *name,
				     bool monitors)
{
	const struct target_table *tt = c->view->prober->targets;
	const char *what = monitors ? "monitor" : "node", *near;
	char hint[CTL_TEXT_MAX];
	const struct target *t;

	for (uint32_t i = 0; i < target_table_limit(tt); i++) {
		t = target_table_get(tt, i);
		if (t && is_monitor(t) == monitors && is_called(t, name))
			return t;
	}
	near = suggest(c->view, name, monitors);
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	else
		snprintf(hint, sizeof(hint), "'daectl %ss' lists them", what);
	ctl_fail(c, -ENOENT, hint, "no %s is called '%s'", what, name);
	return NULL;
}

int ctl_target_page(struct ctl_call *c, const char *schema, bool monitors)
{
	const struct target_table *tt = c->view->prober->targets;
	uint32_t limit = target_table_limit(tt), i;
	auto_json json_t *list = json_array();
	const struct target *t;

	for (i = (uint32_t)c->cursor;
	     list && i < limit && json_array_size(list) < CTL_TARGET_PAGE;
	     i++) {
		t = target_table_get(tt, i);
		if (!t || is_monitor(t) != monitors)
			continue;
		if (ctl_json_append(list, ctl_target_json(c->view, t, false)) <
		    0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	}
	c->cursor = i;
	c->more = i < limit;
	return ctl_done(c, schema, json_incref(list));
}
