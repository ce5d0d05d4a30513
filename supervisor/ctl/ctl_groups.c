/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_groups.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_target.h"

static const char *dead_name(enum on_all_dead d)
{
	static const char *const names[] = {
		[ALL_DEAD_UNSET] = "unset",
		[ALL_DEAD_BLOCK] = "block",
		[ALL_DEAD_DIRECT] = "direct",
		[ALL_DEAD_LAST] = "last",
	};

	return (unsigned int)d < ARRAY_LEN(names) ? names[d] : "?";
}

enum node_state ctl_group_state(const struct ctl_view *v, const struct group *g)
{
	const struct target *t;
	int best = 0, usable;

	for (uint32_t i = 0; i < g->member_count; i++) {
		t = target_table_get(v->prober->targets, g->members[i].target);
		for (unsigned int s = 0; t && s < GROUP_SELS; s++) {
			usable = target_usability(t, s);
			best = MAX(best, usable);
		}
	}
	if (best == 2)
		return NODE_UP;
	return best == 1 ? NODE_UNKNOWN : NODE_DOWN;
}

static json_t *scores_json(const struct ctl_view *v, const struct group *g,
			   uint32_t member)
{
	auto_json json_t *j = json_object();
	int64_t score;

	for (unsigned int s = 0; j && s < GROUP_SELS; s++) {
		score = group_score_us(g, member, s, v->prober->targets);
		if (json_object_set_new(j, check_class_name(s),
					score == INT64_MAX
						? json_null()
						: json_integer(score)) < 0)
			return NULL;
	}
	return json_incref(j);
}

static json_t *selected_for(const struct group *g, uint32_t target)
{
	auto_json json_t *list = json_array();

	for (unsigned int s = 0; list && s < GROUP_SELS; s++) {
		if (group_selected(g, s) != target)
			continue;
		if (ctl_json_append(list, json_string(check_class_name(s))) < 0)
			return NULL;
	}
	return json_incref(list);
}

static json_t *member_json(const struct ctl_view *v, const struct group *g,
			   uint32_t i)
{
	const struct group_slot *m = &g->members[i];
	const struct target *t;

	t = target_table_get(v->prober->targets, m->target);
	if (!t)
		return json_null();
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:I, s:o}", "id",
			 ctl_json_id(t->identity), "name",
			 ctl_json_text(t->name), "state",
			 node_state_name(t->state), "admin",
			 node_admin_name(t->admin), "selected_for",
			 selected_for(g, m->target), "add_latency_us",
			 (json_int_t)m->add_latency_us, "score_us",
			 scores_json(v, g, i));
}

/* One page of members from *@at on, which moves on. */
static json_t *members_json(const struct ctl_view *v, const struct group *g,
			    uint64_t *at)
{
	auto_json json_t *list = json_array();

	for (;
	     list && *at < g->member_count && json_array_size(list) < CTL_PAGE;
	     ++*at)
		if (ctl_json_append(list, member_json(v, g, (uint32_t)*at)) < 0)
			return NULL;
	return json_incref(list);
}

static json_t *selection_json(const struct ctl_view *v, const struct group *g)
{
	auto_json json_t *list = json_array();
	const struct group_sel *sel;
	json_t *one;

	for (unsigned int s = 0; list && s < GROUP_SELS; s++) {
		sel = &g->sel[s];
		one = json_pack(
			"{s:s, s:o, s:s, s:o, s:o}", "class",
			check_class_name(s), "node",
			ctl_target_name(v, group_selected(g, s)), "reason",
			select_reason_name(sel->reason), "since",
			ctl_json_mono(v, sel->since_ns), "score_us",
			sel->score_us == INT64_MAX || sel->member == GROUP_NONE
				? json_null()
				: json_integer(sel->score_us));
		if (ctl_json_append(list, one) < 0)
			return NULL;
	}
	return json_incref(list);
}

static json_t *manual_json(const struct ctl_view *v, const struct group *g)
{
	if (g->manual == GROUP_NONE || g->manual >= g->member_count)
		return json_null();
	return ctl_target_name(v, g->members[g->manual].target);
}

/* @at: where the members begin, NULL without them. */
static json_t *group_json(const struct ctl_view *v, const struct group *g,
			  uint64_t *at)
{
	auto_json json_t *j = NULL;

	j = json_pack("{s:o, s:s, s:s, s:s, s:b, s:I, s:o, s:I, s:I, s:o, s:I}",
		      "name", ctl_json_text(g->name), "policy",
		      group_policy_name(g->policy), "state",
		      node_state_name(ctl_group_state(v, g)), "on_all_dead",
		      dead_name(g->on_all_dead), "used", g->is_used,
		      "member_count", (json_int_t)g->member_count, "manual",
		      manual_json(v, g), "tolerance_us",
		      (json_int_t)g->tolerance_us, "epoch",
		      (json_int_t)g->epoch, "selection", selection_json(v, g),
		      "flows",
		      (json_int_t)v->kernel.flows_group[g - v->prober->groups]);
	if (j && at &&
	    json_object_set_new(j, "members", members_json(v, g, at)) < 0)
		return NULL;
	return json_incref(j);
}

int ctl_cmd_groups_list(struct ctl_call *c)
{
	const struct prober *p = c->view->prober;
	auto_json json_t *list = json_array();
	size_t i;
	int r;

	r = ctl_args(c, "{}");
	if (r < 0)
		return r;
	for (i = c->cursor;
	     list && i < p->group_count && json_array_size(list) < CTL_PAGE;
	     i++)
		if (ctl_json_append(list, group_json(c->view, &p->groups[i],
						     NULL)) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	c->cursor = i;
	c->more = i < p->group_count;
	return ctl_done(c, "dae.groups/1", json_incref(list));
}

/* The index of the group called @name, or -ENOENT with the error filled in. */
static ssize_t find(struct ctl_call *c, const char *name)
{
	const struct prober *p = c->view->prober;
	char clean[TARGET_NAME_MAX * 3];
	const char *g;

	for (size_t i = 0; i < p->group_count; i++) {
		g = p->groups[i].name;
		text_clean(clean, sizeof(clean), g, strlen(g));
		if (strcmp(g, name) == 0 || strcmp(clean, name) == 0)
			return (ssize_t)i;
	}
	return ctl_fail(c, -ENOENT, "'daectl groups' lists them",
			"no group is called '%s'", name);
}

int ctl_cmd_groups_show(struct ctl_call *c)
{
	const struct group *g;
	const char *name;
	json_t *j;
	ssize_t i;
	int r;

	r = ctl_args(c, "{s:s}", "name", &name);
	if (r < 0)
		return r;
	i = find(c, name);
	if (i < 0)
		return (int)i;
	g = &c->view->prober->groups[i];
	j = group_json(c->view, g, &c->cursor);
	c->more = c->cursor < g->member_count;
	return ctl_done(c, "dae.group/1", j);
}

static int do_select(struct ctl_call *c, ssize_t group, uint32_t target)
{
	struct ctl_outcome o = { 0 };

	o.r = c->ops->select(c->ctx, (size_t)group, target, &o);
	return o.r < 0 ? ctl_fail_outcome(c, &o, "select") : ctl_done_plain(c);
}

int ctl_cmd_groups_select(struct ctl_call *c)
{
	const char *name, *node;
	const struct target *t;
	ssize_t i;
	int r;

	r = ctl_args(c, "{s:s, s:s}", "name", &name, "node", &node);
	if (r < 0)
		return r;
	i = find(c, name);
	if (i < 0)
		return (int)i;
	t = ctl_target_find(c, node, false);
	if (!t)
		return -ENOENT;
	return do_select(c, i, t->index);
}

int ctl_cmd_groups_auto(struct ctl_call *c)
{
	const char *name;
	ssize_t i;
	int r;

	r = ctl_args(c, "{s:s}", "name", &name);
	if (r < 0)
		return r;
	i = find(c, name);
	if (i < 0)
		return (int)i;
	return do_select(c, i, TARGET_NONE);
}
