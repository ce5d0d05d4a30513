/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodes and monitors: lists, filters, what may be done to one. */
#include "supervisor/ctl/daectl_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_conn.h"
#include "supervisor/ctl/daectl_grid.h"
#include "supervisor/ctl/daectl_target.h"

static bool list_has(const char *list, const char *word)
{
	size_t len;

	for (; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (strlen(word) == len && !strncmp(list, word, len))
			return true;
	}
	return false;
}

static bool array_has(const json_t *array, const char *word)
{
	const json_t *one;
	size_t i;

	json_array_foreach(array, i, one)
		if (!strcmp(json_string_value(one), word))
			return true;
	return false;
}

static bool is_wanted(const struct daectl *d, const json_t *t)
{
	if (daectl_has(d, OPT_STATE) &&
	    !list_has(d->opt[OPT_STATE], out_str(t, "state")))
		return false;
	if (daectl_has(d, OPT_GROUP) &&
	    !array_has(json_object_get(t, "groups"), d->opt[OPT_GROUP]))
		return false;
	return !daectl_has(d, OPT_LEAKS) || out_int(t, "leaked_bytes") > 0;
}

/* The best round trip of a target, or the end of the list. */
static int64_t best_rtt(const json_t *t)
{
	const json_t *c, *us;
	int64_t best = INT64_MAX;
	size_t i;

	json_array_foreach(json_object_get(t, "checks"), i, c) {
		us = json_object_get(c, "rtt_us");
		if (json_is_integer(us) && !strcmp(out_str(c, "verdict"), "up"))
			best = MIN(best, (int64_t)json_integer_value(us));
	}
	return best;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(out_str(*(json_t *const *)a, "name"),
		      out_str(*(json_t *const *)b, "name"));
}

static int by_state(const void *a, const void *b)
{
	int r = strcmp(out_str(*(json_t *const *)a, "state"),
		       out_str(*(json_t *const *)b, "state"));

	return r ? r : by_name(a, b);
}

static int by_rtt(const void *a, const void *b)
{
	int64_t x = best_rtt(*(json_t *const *)a);
	int64_t y = best_rtt(*(json_t *const *)b);

	return x < y ? -1 : x > y ? 1 : by_name(a, b);
}

static int by_leak(const void *a, const void *b)
{
	int64_t x = out_int(*(json_t *const *)a, "leaked_bytes");
	int64_t y = out_int(*(json_t *const *)b, "leaked_bytes");

	return x > y ? -1 : x < y ? 1 : by_name(a, b);
}

static int pick_order(const struct daectl *d,
		      int (**ret)(const void *, const void *))
{
	const char *key = d->opt[OPT_SORT];

	*ret = daectl_has(d, OPT_LEAKS) ? by_leak : NULL;
	if (!key)
		return CTL_EXIT_OK;
	*ret = !strcmp(key, "name")    ? by_name
	       : !strcmp(key, "rtt")   ? by_rtt
	       : !strcmp(key, "state") ? by_state
				       : NULL;
	return *ret ? CTL_EXIT_OK
		    : out_usage("--sort: name, rtt or state, not '%s'", key);
}

/* Keep what is wanted, in the order that was asked for. */
static int select_rows(const struct daectl *d, json_t *env)
{
	json_t *data = json_object_get(env, "data"), *one, *kept;
	int (*order)(const void *, const void *) = NULL;
	auto_free json_t **rows = NULL;
	size_t i, n = 0;
	int r;

	r = pick_order(d, &order);
	if (r != CTL_EXIT_OK)
		return r;
	rows = calloc(json_array_size(data) + 1, sizeof(*rows));
	kept = json_array();
	if (!rows || !kept)
		return CTL_EXIT_FAILED;
	json_array_foreach(data, i, one)
		if (is_wanted(d, one))
			rows[n++] = one;
	if (order)
		qsort(rows, n, sizeof(*rows), order);
	for (i = 0; i < n; i++)
		json_array_append(kept, rows[i]);
	json_object_set_new(env, "data", kept);
	return CTL_EXIT_OK;
}

static const char *worst_state(const json_t *data)
{
	const char *worst = "up", *state;
	const json_t *t;
	size_t i;

	json_array_foreach(data, i, t) {
		state = out_str(t, "state");
		if (!strcmp(state, "down") || !strcmp(state, "quarantined"))
			return "down";
		if (!strcmp(state, "degraded"))
			worst = state;
	}
	return worst;
}

static int list(struct daectl *d, const char *cmd, bool monitors)
{
	auto_json json_t *env = NULL;
	int r;

	r = conn_ask(d, cmd, NULL, &env);
	if (r == CTL_EXIT_OK)
		r = select_rows(d, env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		r = out_json(d, env);
	else if (daectl_has(d, OPT_LEAKS))
		target_print_leaks(d, json_object_get(env, "data"));
	else if (!d->is_quiet)
		target_print_list(d, env, monitors);
	return r != CTL_EXIT_OK
		       ? r
		       : run_exit_status(
				 d, worst_state(json_object_get(env, "data")));
}

int run_nodes_list(struct daectl *d)
{
	return list(d, "nodes.list", false);
}

int run_monitors_list(struct daectl *d)
{
	return list(d, "monitors.list", true);
}

static int show(struct daectl *d, const char *cmd)
{
	auto_json json_t *env = NULL;
	int r;

	r = conn_ask(d, cmd, json_pack("{s:s}", "name", d->args[0]), &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		r = out_json(d, env);
	else if (!d->is_quiet)
		target_print_one(d, env);
	return r != CTL_EXIT_OK
		       ? r
		       : run_exit_status(d,
					 out_str(json_object_get(env, "data"),
						 "state"));
}

int run_nodes_show(struct daectl *d)
{
	return show(d, "nodes.show");
}

int run_monitors_show(struct daectl *d)
{
	return show(d, "monitors.show");
}

static int change(struct daectl *d, const char *cmd, json_t *args,
		  const char *said)
{
	auto_json json_t *env = NULL;
	int r;

	r = conn_ask(d, cmd, args, &env);
	if (r != CTL_EXIT_OK)
		return r;
	if (out_is_json(d))
		return out_json(d, env);
	if (!d->is_quiet)
		out_print("%s: %s", d->args[0], said);
	return CTL_EXIT_OK;
}

static int set_admin(struct daectl *d, const char *state)
{
	int64_t for_ms = daectl_duration_ms(d, OPT_FOR, 0);

	if (for_ms < 0)
		return CTL_EXIT_USAGE;
	return change(d, "nodes.admin",
		      json_pack("{s:s, s:s, s:I}", "name", d->args[0], "state",
				state, "for_ms", (json_int_t)for_ms),
		      state);
}

int run_nodes_drain(struct daectl *d)
{
	return set_admin(d, "drain");
}

int run_nodes_maint(struct daectl *d)
{
	return set_admin(d, "maint");
}

int run_nodes_up(struct daectl *d)
{
	return set_admin(d, "forced_up");
}

int run_nodes_auto(struct daectl *d)
{
	return set_admin(d, "auto");
}

int run_nodes_quarantine(struct daectl *d)
{
	return change(d, "nodes.quarantine",
		      json_pack("{s:s}", "name", d->args[0]), "quarantined");
}

int run_nodes_release(struct daectl *d)
{
	return change(d, "nodes.release",
		      json_pack("{s:s}", "name", d->args[0]), "released");
}
