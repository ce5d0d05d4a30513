/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"

/* One name if all classes use the same node, else each with its class. */
static const char *selection_text(const json_t *selection, char *buf)
{
	const char *first = NULL, *node;
	bool same = true;
	const json_t *s;
	size_t i, used = 0;

	json_array_foreach(selection, i, s) {
		node = out_str(s, "node");
		if (!*node)
			continue;
		same &= !first || !strcmp(first, node);
		first = first ? first : node;
	}
	if (!first)
		return "-";
	if (same)
		return first;
	json_array_foreach(selection, i, s) {
		node = out_str(s, "node");
		if (*node && used < OUT_TEXT)
			used += (size_t)snprintf(buf + used, OUT_TEXT - used,
						 "%s%s=%s", used ? " " : "",
						 out_str(s, "class"), node);
	}
	return buf;
}

/* Why, and since when: of the newest choice. */
static const json_t *newest(const json_t *selection)
{
	const json_t *s, *best = NULL;
	size_t i;

	json_array_foreach(selection, i, s) {
		if (!*out_str(s, "node"))
			continue;
		if (!best ||
		    strcmp(out_str(s, "since"), out_str(best, "since")) > 0)
			best = s;
	}
	return best;
}

static void print_groups(const struct daectl *d, const json_t *env)
{
	static const struct grid_column columns[] = {
		{ "GROUP", false, false },    { "STATE", false, false },
		{ "POLICY", false, false },   { "NODES", true, false },
		{ "SELECTED", false, false }, { "WHY", false, false },
		{ "SINCE", true, false },     { "ALL DEAD", false, false },
		{ "USED", false, false },     { "FLOWS", true, false },
	};
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	const json_t *one, *sel, *last;
	char buf[OUT_TEXT];
	size_t i;

	json_array_foreach(json_object_get(env, "data"), i, one) {
		sel = json_object_get(one, "selection");
		last = newest(sel);
		grid_row(g);
		grid_cell(g, COLOR_NONE, "%s", out_str(one, "name"));
		grid_cell(g, out_state_color(out_str(one, "state")), "%s",
			  out_str(one, "state"));
		grid_cell(g, COLOR_NONE, "%s", out_str(one, "policy"));
		grid_cell(g, COLOR_NONE, "%lld",
			  (long long)out_int(one, "member_count"));
		grid_cell(g, COLOR_NONE, "%s", selection_text(sel, buf));
		grid_cell(g, COLOR_NONE, "%s", out_str(last, "reason"));
		grid_cell(g, COLOR_NONE, "%s",
			  out_since(json_object_get(last, "since"),
				    json_object_get(env, "generated_at"), buf));
		grid_cell(g, COLOR_NONE, "%s", out_str(one, "on_all_dead"));
		grid_cell(g, COLOR_NONE, "%s",
			  out_bool(one, "used") ? "yes" : "no");
		grid_cell(g, COLOR_NONE, "%lld",
			  (long long)out_int(one, "flows"));
	}
	grid_print(&g);
}

int run_groups_list(struct daectl *d)
{
	auto_json json_t *env = NULL;
	int r;

	r = conn_ask(d, "groups.list", NULL, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (!d->is_quiet)
		print_groups(d, env);
	return CTL_EXIT_OK;
}

static void print_members(const struct daectl *d, const json_t *group)
{
	static const struct grid_column columns[] = {
		{ "NODE", false, false }, { "STATE", false, false },
		{ "TCP4", true, false },  { "TCP6", true, false },
		{ "UDP4", true, false },  { "UDP6", true, false },
		{ "ADDED", true, false }, { "SELECTED FOR", false, false },
	};
	static const char *const classes[] = { "tcp4", "tcp6", "udp4", "udp6" };
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	const json_t *m, *score;
	char buf[OUT_TEXT];
	size_t i;

	json_array_foreach(json_object_get(group, "members"), i, m) {
		score = json_object_get(m, "score_us");
		grid_row(g);
		grid_cell(g, COLOR_NONE, "%s", out_str(m, "name"));
		grid_cell(g, out_state_color(out_str(m, "state")), "%s",
			  out_str(m, "state"));
		for (size_t c = 0; c < ARRAY_LEN(classes); c++)
			grid_cell(g, COLOR_NONE, "%s",
				  out_us(json_object_get(score, classes[c]),
					 buf));
		grid_cell(g, COLOR_NONE, "%lldms",
			  (long long)out_int(m, "add_latency_us") / 1000);
		grid_cell(g, COLOR_NONE, "%s",
			  out_join(json_object_get(m, "selected_for"), " ",
				   buf));
	}
	grid_print(&g);
}

int run_groups_show(struct daectl *d)
{
	auto_json json_t *env = NULL;
	const json_t *g;
	int r;

	r = conn_ask(d, "groups.show", json_pack("{s:s}", "name", d->args[0]),
		     &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	g = json_object_get(env, "data");
	if (d->format == FORMAT_TEXT && !d->is_quiet)
		out_print("%s   %s, policy %s, tolerance %lldms, when all are "
			  "dead: %s%s%s",
			  out_str(g, "name"), out_str(g, "state"),
			  out_str(g, "policy"),
			  (long long)out_int(g, "tolerance_us") / 1000,
			  out_str(g, "on_all_dead"),
			  *out_str(g, "manual") ? ", by hand: " : "",
			  out_str(g, "manual"));
	if (!d->is_quiet)
		print_members(d, g);
	return run_exit_status(d, out_str(g, "state"));
}

static int change(struct daectl *d, const char *cmd, json_t *args)
{
	auto_json json_t *env = NULL;
	int r = conn_ask(d, cmd, args, &env);

	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (!d->is_quiet)
		out_print("%s: %s", d->args[0],
			  d->arg_count > 1 ? d->args[1] : "by policy");
	return CTL_EXIT_OK;
}

int run_groups_select(struct daectl *d)
{
	return change(d, "groups.select",
		      json_pack("{s:s, s:s}", "name", d->args[0], "node",
				d->args[1]));
}

int run_groups_auto(struct daectl *d)
{
	return change(d, "groups.auto", json_pack("{s:s}", "name", d->args[0]));
}
