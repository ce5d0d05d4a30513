/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route learn, learned, forget. */
#include <stdio.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"
#include "supervisor/ctl/daectl_out.h"
#include "supervisor/ctl/daectl_run.h"

static const char *plural(long long n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

int run_route_learn(struct daectl *d)
{
	int64_t ttl_ms = daectl_duration_ms(d, OPT_TTL, 300000);
	auto_json json_t *env = NULL, *addrs = json_array();
	const json_t *data;
	json_t *args;
	long long sets;
	int r;

	if (ttl_ms < 0)
		return CTL_EXIT_USAGE;
	for (int i = 1; i < d->arg_count; i++)
		json_array_append_new(addrs, json_string(d->args[i]));
	args = json_pack("{s:s, s:O, s:I}", "name", d->args[0], "addresses",
			 addrs, "ttl_s", (json_int_t)(ttl_ms / 1000));
	if (!args || json_array_size(addrs) != (size_t)d->arg_count - 1) {
		json_decref(args);
		return out_usage("an argument is not valid text");
	}
	r = conn_ask(d, "route.learn", args, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	data = json_object_get(env, "data");
	sets = out_int(data, "sets");
	if (!d->is_quiet)
		out_print("%s is in %lld %s of names that rules ask for",
			  out_str(data, "name"), sets,
			  plural(sets, "list", "lists"));
	return CTL_EXIT_OK;
}

int run_route_forget(struct daectl *d)
{
	auto_json json_t *env = NULL;
	long long pairs;
	int r;

	r = conn_ask(d, "route.forget", json_pack("{s:s}", "what", d->args[0]),
		     &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	pairs = out_int(json_object_get(env, "data"), "pairs");
	if (!d->is_quiet)
		out_print("forgot %lld %s of a name and an address", pairs,
			  plural(pairs, "pair", "pairs"));
	return CTL_EXIT_OK;
}

int run_route_learned(struct daectl *d)
{
	static const struct grid_column columns[] = {
		{ "NAME", false, true },
		{ "ADDRESS", false, true },
		{ "LISTS", true, false },
		{ "EXPIRES", true, false },
	};
	auto_json json_t *env = NULL;
	const json_t *p;
	char buf[OUT_TEXT];
	struct grid *g;
	size_t i;
	int r;

	r = conn_ask(d, "route.learned", NULL, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (d->is_quiet)
		return CTL_EXIT_OK;
	g = grid_new(d, columns, ARRAY_LEN(columns));
	json_array_foreach(json_object_get(env, "data"), i, p) {
		grid_row(g);
		grid_cell(g, COLOR_NONE, "%s", out_str(p, "name"));
		grid_cell(g, COLOR_NONE, "%s", out_str(p, "address"));
		grid_cell(g, COLOR_NONE, "%lld", (long long)out_int(p, "sets"));
		grid_cell(g, COLOR_NONE, "%s",
			  out_span((uint64_t)out_int(p, "expires_in_us"), buf));
	}
	grid_print(&g);
	return CTL_EXIT_OK;
}
