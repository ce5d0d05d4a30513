/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_run.h"

#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"

static void print(const struct daectl *d, const json_t *list)
{
	static const struct grid_column columns[] = {
		{ "RULE", true, false },   { "FLOWS", true, false },
		{ "WHERE", false, false }, { "OUTBOUND", false, false },
		{ "TEXT", false, true },
	};
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	const char *file, *slash;
	const json_t *e;
	size_t i;

	json_array_foreach(list, i, e) {
		file = out_str(e, "file");
		slash = strrchr(file, '/');
		grid_row(g);
		if (json_is_integer(json_object_get(e, "index")))
			grid_cell(g, COLOR_NONE, "%lld",
				  (long long)out_int(e, "index"));
		else
			grid_cell(g, COLOR_NONE, "-");
		grid_cell(g, COLOR_NONE, "%lld",
			  (long long)out_int(e, "flows"));
		grid_cell(g, COLOR_NONE, "%s:%lld", slash ? slash + 1 : file,
			  (long long)out_int(e, "line"));
		grid_cell(g, COLOR_NONE, "%s", out_str(e, "outbound"));
		grid_cell(g, COLOR_NONE, "%s", out_str(e, "text"));
	}
	grid_print(&g);
}

int run_route_rules(struct daectl *d)
{
	auto_json json_t *env = NULL;
	int r;

	r = conn_ask(d, "route.rules", NULL, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (!d->is_quiet)
		print(d, json_object_get(env, "data"));
	return CTL_EXIT_OK;
}
