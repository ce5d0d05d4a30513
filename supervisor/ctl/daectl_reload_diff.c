/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a dry run found, fetched piece by piece and shown. */
#include "supervisor/ctl/daectl_reload.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"

/* Of an answer that grows, the last one counts. */
static int keep_last(void *ctx, json_t *env)
{
	json_t **data = ctx;

	json_decref(*data);
	*data = json_incref(json_object_get(env, "data"));
	return CTL_EXIT_OK;
}

int reload_diff_fetch(const struct daectl *d, json_t *data)
{
	json_int_t id = out_int(data, "diff_id");
	auto_json json_t *env = NULL, *flows = NULL;
	int r;

	r = conn_ask(d, "reload.diff", json_pack("{s:I}", "id", id), &env);
	if (r == CTL_EXIT_OK)
		r = conn_stream(d, "reload.flows", json_pack("{s:I}", "id", id),
				keep_last, &flows);
	if (r != CTL_EXIT_OK)
		return r;
	json_object_set(data, "diff", json_object_get(env, "data"));
	json_object_set(data, "flows", flows);
	return CTL_EXIT_OK;
}

static enum out_color color_of(const char *how)
{
	if (strcmp(how, "added") == 0)
		return COLOR_GOOD;
	return strcmp(how, "removed") == 0 ? COLOR_BAD : COLOR_WARN;
}

/* The file's name without its folders: there is little room. */
static const char *place_of(const json_t *e, char *buf)
{
	const char *file = out_str(e, "file"), *slash = strrchr(file, '/');

	if (!*file)
		return "-";
	snprintf(buf, OUT_TEXT, "%s:%lld", slash ? slash + 1 : file,
		 (long long)out_int(e, "line"));
	return buf;
}

static void print_entries(const struct daectl *d, const json_t *list)
{
	static const struct grid_column columns[] = {
		{ "CHANGE", false, false }, { "WHAT", false, false },
		{ "WHERE", false, false },  { "NAME", false, true },
		{ "DETAIL", false, true },
	};
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	char place[OUT_TEXT];
	const json_t *e;
	const char *how;
	size_t i;

	json_array_foreach(list, i, e) {
		how = out_str(e, "how");
		grid_row(g);
		grid_cell(g, color_of(how), "%s", how);
		grid_cell(g, COLOR_NONE, "%s", out_str(e, "what"));
		grid_cell(g, COLOR_NONE, "%s", place_of(e, place));
		grid_cell(g, COLOR_NONE, "%s", out_str(e, "name"));
		grid_cell(g, COLOR_NONE, "%s", out_str(e, "detail"));
	}
	grid_print(&g);
}

static void print_flows(const json_t *flows)
{
	const json_t *m;
	size_t i;

	if (!out_bool(flows, "routing")) {
		out_print("flows: none, nothing of routing is in the kernel");
		return;
	}
	out_print("flows: %lld of %lld would go another way%s",
		  (long long)out_int(flows, "changed"),
		  (long long)out_int(flows, "flows"),
		  out_bool(flows, "exact")
			  ? ""
			  : " (as far as addresses and ports tell)");
	json_array_foreach(json_object_get(flows, "moves"), i, m)
		out_print("  %8lld  %s -> %s", (long long)out_int(m, "count"),
			  out_str(m, "from"), out_str(m, "to"));
}

void reload_diff_print(const struct daectl *d, const json_t *data)
{
	const json_t *list = json_object_get(data, "diff");

	if (json_array_size(list) == 0)
		out_print("what runs is what the file says");
	else
		print_entries(d, list);
	print_flows(json_object_get(data, "flows"));
}
