/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>
#include <string.h>

#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_flows.h"

#define COUNT_MAX 1000000000

struct follow {
	const struct daectl *d;
	json_int_t lost;
};

static void print_one(const json_t *x)
{
	char src[OUT_TEXT], dst[OUT_TEXT], place[OUT_TEXT] = "fallback";
	const char *file = out_str(x, "file"), *slash = strrchr(file, '/');

	if (json_is_integer(json_object_get(x, "rule")))
		snprintf(place, sizeof(place), "%s:%lld",
			 slash ? slash + 1 : file,
			 (long long)out_int(x, "line"));
	out_print("%.12s %s %s %s -> %s  %s  %s%s%s%s%s",
		  strlen(out_str(x, "at")) > 11 ? out_str(x, "at") + 11 : "-",
		  out_str(x, "hook"), out_str(x, "proto"),
		  flows_endpoint(x, "src", "sport", src),
		  flows_endpoint(x, "dst", "dport", dst), place,
		  out_str(x, "verdict"), *out_str(x, "group") ? " " : "",
		  out_str(x, "group"), *out_str(x, "node") ? " " : "",
		  out_str(x, "node"));
}

static int on_page(void *ctx, json_t *env)
{
	struct follow *f = ctx;
	const json_t *data = json_object_get(env, "data"), *x;
	size_t i;

	f->lost = out_int(data, "lost");
	json_array_foreach(json_object_get(data, "decisions"), i, x) {
		if (out_is_json(f->d))
			out_line(x);
		else if (!f->d->is_quiet)
			print_one(x);
	}
	return out_finish(CTL_EXIT_OK);
}

int run_route_trace(struct daectl *d)
{
	int64_t count = daectl_number(d, OPT_NUMBER, COUNT_MAX, 0);
	int64_t for_ms = daectl_duration_ms(d, OPT_FOR, 0);
	struct follow f = { .d = d };
	json_t *args;
	int r;

	if (count < 0 || for_ms < 0)
		return CTL_EXIT_USAGE;
	args = json_pack("{s:I, s:b}", "count", (json_int_t)count, "follow", 1);
	if (for_ms)
		json_object_set_new(args, "for_ms", json_integer(for_ms));
	r = flows_add_filter(d, args);
	if (r != CTL_EXIT_OK) {
		json_decref(args);
		return r;
	}
	r = conn_stream(d, "route.trace", args, on_page, &f);
	if (f.lost)
		fprintf(stderr,
			"daectl: %lld more were not told, too many at "
			"once\n",
			(long long)f.lost);
	return r;
}
