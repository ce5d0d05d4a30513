/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_out.h"

#define EVENTS_DEFAULT 50
#define EVENTS_MAX 100000

static void print_tsv(const json_t *e)
{
	static const char *const keys[] = { "at", "kind", "subject", "text" };
	char clean[OUT_TEXT];

	printf("%lld", (long long)out_int(e, "seq"));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		printf("\t%s",
		       out_clean(clean, sizeof(clean), out_str(e, keys[i])));
	putchar('\n');
}

static int print_page(void *ctx, json_t *env)
{
	const struct daectl *d = ctx;
	const json_t *e;
	size_t i;

	if (out_is_json(d)) {
		if (out_json(d, env) != CTL_EXIT_OK)
			return CTL_EXIT_FAILED;
		return out_finish(CTL_EXIT_OK);
	}
	json_array_foreach(json_object_get(env, "data"), i, e) {
		if (d->is_quiet)
			continue;
		if (d->format == FORMAT_TSV)
			print_tsv(e);
		else
			out_print("%s  %-13s %s%s%s", out_str(e, "at"),
				  out_str(e, "kind"), out_str(e, "subject"),
				  *out_str(e, "subject") ? ": " : "",
				  out_str(e, "text"));
	}
	return out_finish(CTL_EXIT_OK);
}

int run_events(struct daectl *d)
{
	int64_t n = daectl_number(d, OPT_NUMBER, EVENTS_MAX, EVENTS_DEFAULT);
	int64_t since = daectl_number(d, OPT_SINCE, INT64_MAX, -2);
	auto_json json_t *env = NULL;
	json_t *args;
	int r;

	if (n < 0 || since == -1)
		return CTL_EXIT_USAGE;
	args = json_pack("{s:I}", "count", (json_int_t)n);
	if (since >= 0)
		json_object_set_new(args, "since", json_integer(since));
	if (daectl_has(d, OPT_FOLLOW)) {
		json_object_set_new(args, "follow", json_true());
		/* a stream is one object a line, never one array */
		if (d->format == FORMAT_JSON || d->format == FORMAT_JSON_SHORT)
			d->format = FORMAT_NDJSON;
		return conn_stream(d, "events", args, print_page, d);
	}
	r = conn_ask(d, "events", args, &env);
	return r == CTL_EXIT_OK ? print_page(d, env) : r;
}
