/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workers, recycle and the policy of it. */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/text.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"

static const char *span_or_dash(const json_t *us, char *buf)
{
	if (!json_is_integer(us))
		return strcpy(buf, "-");
	return out_span((uint64_t)json_integer_value(us), buf);
}

static const char *number_or_dash(const json_t *n, char *buf)
{
	if (!json_is_integer(n))
		return strcpy(buf, "-");
	snprintf(buf, OUT_TEXT, "%lld", (long long)json_integer_value(n));
	return buf;
}

static void note_text(const json_t *w, char *buf, size_t cap)
{
	const json_t *e = json_object_get(w, "last_exit");

	buf[0] = '\0';
	if (out_bool(w, "leaving") || !strcmp(out_str(w, "state"), "draining"))
		snprintf(buf, cap, "leaving: %s", out_str(w, "reason"));
	else if (json_is_object(e))
		snprintf(buf, cap, "last one ended: %s %lld%s",
			 out_str(e, "kind"), (long long)out_int(e, "code"),
			 out_bool(e, "oom") ? ", out of memory" : "");
}

static void worker_row(struct grid *g, const json_t *w)
{
	char buf[OUT_TEXT];

	grid_row(g);
	grid_cell(g, COLOR_NONE, "%lld", (long long)out_int(w, "index"));
	grid_cell(g, COLOR_NONE, "%s",
		  number_or_dash(json_object_get(w, "pid"), buf));
	grid_cell(g, out_state_color(out_str(w, "state")), "%s",
		  out_str(w, "state"));
	grid_cell(g, COLOR_NONE, "%s", out_str(w, "duty"));
	grid_cell(g, COLOR_NONE, "%s",
		  out_bytes(json_object_get(w, "rss_bytes"), buf));
	grid_cell(g, COLOR_NONE, "%s",
		  out_bytes(json_object_get(w, "growth_bytes"), buf));
	grid_cell(g, COLOR_NONE, "%s",
		  out_bytes(json_object_get(w, "rss_soft_bytes"), buf));
	grid_cell(g, COLOR_NONE, "%s",
		  out_bytes(json_object_get(w, "rss_hard_bytes"), buf));
	out_bytes(json_object_get(w, "slope_bytes_per_s"), buf);
	grid_cell(g, COLOR_NONE, "%s%s", buf, strcmp(buf, "-") ? "/s" : "");
	grid_cell(g, COLOR_NONE, "%s",
		  span_or_dash(json_object_get(w, "age_us"), buf));
	grid_cell(g, COLOR_NONE, "%s",
		  number_or_dash(json_object_get(w, "probes"), buf));
	grid_cell(g, COLOR_NONE, "%lld", (long long)out_int(w, "in_flight"));
	grid_cell(g, COLOR_NONE, "%s",
		  span_or_dash(json_object_get(w, "heartbeat_age_us"), buf));
	grid_cell(g, COLOR_NONE, "%lld", (long long)out_int(w, "generation"));
	note_text(w, buf, sizeof(buf));
	grid_cell(g, COLOR_NONE, "%s", buf);
}

static void print_workers(const struct daectl *d, const json_t *list)
{
	static const struct grid_column columns[] = {
		{ "W", true, false },	      { "PID", true, false },
		{ "STATE", false, false },    { "DUTY", false, false },
		{ "RSS", true, false },	      { "GROWTH", true, false },
		{ "SOFT", true, false },      { "HARD", true, false },
		{ "SLOPE", true, false },     { "AGE", true, false },
		{ "PROBES", true, false },    { "BUSY", true, false },
		{ "HEARTBEAT", true, false }, { "GEN", true, false },
		{ "NOTE", false, true },
	};
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	const json_t *w;
	size_t i;

	if (json_is_object(list))
		worker_row(g, list);
	json_array_foreach(list, i, w)
		worker_row(g, w);
	grid_print(&g);
}

static int show(struct daectl *d, const char *cmd, json_t *args)
{
	auto_json json_t *env = NULL;
	int r = conn_ask(d, cmd, args, &env);

	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (!d->is_quiet)
		print_workers(d, json_object_get(env, "data"));
	return CTL_EXIT_OK;
}

int run_workers_list(struct daectl *d)
{
	return show(d, "workers.list", NULL);
}

static int parse_index(const char *text, json_int_t *ret)
{
	uint64_t v;

	if (text[0] == 'w' || text[0] == 'W')
		text++;
	if (text_parse_uint(text, 65535, &v) < 0)
		return out_usage("a worker's number, not '%s'", text);
	*ret = (json_int_t)v;
	return CTL_EXIT_OK;
}

int run_workers_show(struct daectl *d)
{
	json_int_t index = 0;
	int r = parse_index(d->args[0], &index);

	if (r != CTL_EXIT_OK)
		return r;
	return show(d, "workers.show", json_pack("{s:I}", "index", index));
}

int run_recycle(struct daectl *d)
{
	bool all = daectl_has(d, OPT_ALL);
	auto_json json_t *env = NULL;
	json_int_t index = -1;
	json_t *args;
	int r;

	if (all == (d->arg_count == 1))
		return out_usage("recycle: a worker's number, or --all");
	r = all ? CTL_EXIT_OK : parse_index(d->args[0], &index);
	if (r != CTL_EXIT_OK)
		return r;
	args = json_pack("{s:b}", "now", daectl_has(d, OPT_NOW));
	if (all)
		json_object_set_new(args, "all", json_true());
	else
		json_object_set_new(args, "index", json_integer(index));
	r = conn_ask(d, "recycle", args, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (!d->is_quiet)
		out_print("%s: being replaced%s",
			  all ? "all workers" : d->args[0],
			  daectl_has(d, OPT_NOW) ? " now" : "");
	return CTL_EXIT_OK;
}

/* KEY=VALUE words as an object; NULL with all said. */
static json_t *policy_args(struct daectl *d)
{
	json_t *args = json_object();
	char *eq;

	for (int i = 0; i < d->arg_count; i++) {
		eq = strchr(d->args[i], '=');
		if (!eq || eq == d->args[i]) {
			out_usage("KEY=VALUE, not '%s'", d->args[i]);
			json_decref(args);
			return NULL;
		}
		*eq = '\0';
		json_object_set_new(args, d->args[i], json_string(eq + 1));
	}
	return args;
}

int run_recycle_policy(struct daectl *d)
{
	auto_json json_t *env = NULL;
	json_t *args = policy_args(d), *value;
	const char *key;
	int r;

	if (!args)
		return CTL_EXIT_USAGE;
	r = conn_ask(d, d->arg_count ? "recycle.policy.set" : "recycle.policy",
		     args, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (d->is_quiet)
		return CTL_EXIT_OK;
	json_object_foreach(json_object_get(env, "data"), key, value)
		out_print("%s=%s", key, json_string_value(value));
	return CTL_EXIT_OK;
}
