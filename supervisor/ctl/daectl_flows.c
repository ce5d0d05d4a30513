/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_flows.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"
#include "supervisor/ctl/daectl_run.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 10000000

int flows_add_filter(const struct daectl *d, json_t *args)
{
	const char *outbound = d->opt[OPT_OUTBOUND];
	int64_t port = daectl_number(d, OPT_PORT, 65535, 0);
	auto_json json_t *more = NULL;

	if (port < 0)
		return CTL_EXIT_USAGE;
	if (outbound && d->opt[OPT_GROUP])
		return out_usage("--outbound or --group, not both");
	more = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:I}", "src",
			 d->opt[OPT_SRC], "dst", d->opt[OPT_DST], "proto",
			 d->opt[OPT_PROTO], "outbound",
			 outbound ? outbound : d->opt[OPT_GROUP], "node",
			 d->opt[OPT_NODE], "port", (json_int_t)port);
	if (!more || json_object_update(args, more) < 0)
		return out_usage("an argument is not valid text");
	return CTL_EXIT_OK;
}

const char *flows_endpoint(const json_t *o, const char *addr, const char *port,
			   char *buf)
{
	const char *a = out_str(o, addr);
	bool is_v6 = strchr(a, ':') != NULL;

	snprintf(buf, OUT_TEXT, "%s%s%s:%lld", is_v6 ? "[" : "", a,
		 is_v6 ? "]" : "", (long long)out_int(o, port));
	return buf;
}

enum out_color flows_color(const char *verdict)
{
	if (strcmp(verdict, "block") == 0)
		return COLOR_BAD;
	if (strcmp(verdict, "pass") == 0)
		return COLOR_DIM;
	return strcmp(verdict, "proxy") == 0 ? COLOR_GOOD : COLOR_NONE;
}

/* What the pages are joined to. */
struct joined {
	json_t *env; /* the first page's, with all flows */
	int64_t limit;
	json_int_t matched;
	bool is_full;
};

#define PAGE_ENOUGH (-1)

/* Take as many flows as are wanted; the cursor is that of the last one then. */
static void take_flows(struct joined *j, json_t *data, const json_t *page)
{
	json_t *to = json_object_get(data, "flows"), *f;
	json_int_t last = 0;
	size_t i;

	json_array_foreach(json_object_get(page, "flows"), i, f) {
		if ((int64_t)json_array_size(to) >= j->limit) {
			j->is_full = true;
			json_object_set_new(data, "cursor", json_integer(last));
			return;
		}
		last = out_int(f, "position");
		json_array_append(to, f);
	}
	json_object_set(data, "cursor", json_object_get(page, "cursor"));
	/* full to the brim: go on where the page ends */
	j->is_full = (int64_t)json_array_size(to) >= j->limit;
}

static int on_page(void *ctx, json_t *env)
{
	auto_json json_t *page = json_incref(json_object_get(env, "data"));
	struct joined *j = ctx;
	json_t *data;

	if (!j->env) {
		j->env = json_incref(env);
		json_object_set_new(env, "data",
				    json_pack("{s:[], s:I, s:n}", "flows",
					      "matched", (json_int_t)0,
					      "cursor"));
	}
	data = json_object_get(j->env, "data");
	j->matched += out_int(page, "matched");
	take_flows(j, data, page);
	return j->is_full ? PAGE_ENOUGH : CTL_EXIT_OK;
}

static void print_table(const struct daectl *d, const json_t *data)
{
	static const struct grid_column columns[] = {
		{ "PROTO", false, false },	{ "SOURCE", false, true },
		{ "DESTINATION", false, true }, { "VERDICT", false, false },
		{ "GROUP", false, false },	{ "NODE", false, false },
		{ "IDLE", true, false },
	};
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	const json_t *f;
	char buf[OUT_TEXT];
	const char *v;
	size_t i;

	json_array_foreach(json_object_get(data, "flows"), i, f) {
		v = out_str(f, "verdict");
		grid_row(g);
		grid_cell(g, COLOR_NONE, "%s", out_str(f, "proto"));
		grid_cell(g, COLOR_NONE, "%s",
			  flows_endpoint(f, "src", "sport", buf));
		grid_cell(g, COLOR_NONE, "%s",
			  flows_endpoint(f, "dst", "dport", buf));
		grid_cell(g, flows_color(v), "%s", v);
		grid_cell(g, COLOR_NONE, "%s",
			  *out_str(f, "group") ? out_str(f, "group") : "-");
		grid_cell(g, COLOR_NONE, "%s",
			  *out_str(f, "node") ? out_str(f, "node") : "-");
		grid_cell(g, COLOR_NONE, "%s",
			  out_span((uint64_t)out_int(f, "idle_us"), buf));
	}
	grid_print(&g);
}

static int print(struct daectl *d, const struct joined *j)
{
	const json_t *data = json_object_get(j->env, "data");

	if (out_is_json(d))
		return out_json(d, j->env);
	if (d->is_quiet)
		return CTL_EXIT_OK;
	if (daectl_has(d, OPT_COUNT_ONLY)) {
		out_print("%lld", (long long)j->matched);
		return CTL_EXIT_OK;
	}
	print_table(d, data);
	if (json_is_integer(json_object_get(data, "cursor")))
		fprintf(stderr, "daectl: there are more: --cursor=%lld\n",
			(long long)out_int(data, "cursor"));
	return CTL_EXIT_OK;
}

int run_flows(struct daectl *d)
{
	int64_t limit = daectl_number(d, OPT_LIMIT, LIMIT_MAX, LIMIT_DEFAULT);
	int64_t cursor = daectl_number(d, OPT_CURSOR, INT64_MAX, 0);
	struct joined j = { .limit = limit };
	auto_json json_t *args = json_object();
	int r;

	if (limit < 0 || cursor < 0)
		return CTL_EXIT_USAGE;
	if (limit == 0)
		return out_usage("--limit: at least 1");
	r = flows_add_filter(d, args);
	if (r != CTL_EXIT_OK)
		return r;
	json_object_set_new(args, "cursor", json_integer(cursor));
	if (daectl_has(d, OPT_COUNT_ONLY))
		json_object_set_new(args, "count", json_true());
	r = conn_stream(d, "flows", json_incref(args), on_page, &j);
	if (j.env)
		json_object_set_new(json_object_get(j.env, "data"), "matched",
				    json_integer(j.matched));
	if (r == CTL_EXIT_OK || r == PAGE_ENOUGH)
		r = print(d, &j);
	json_decref(j.env);
	return r;
}
