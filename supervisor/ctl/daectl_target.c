/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_target.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/check.h"
#include "common/outcome.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/daectl_grid.h"

static const json_t *find_check(const json_t *t, const char *cls)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(t, "checks"), i, c)
		if (!strcmp(out_str(c, "class"), cls))
			return c;
	return NULL;
}

static bool is_class_used(const json_t *list, const char *cls)
{
	const json_t *t;
	size_t i;

	json_array_foreach(list, i, t)
		if (find_check(t, cls))
			return true;
	return false;
}

/* Does --class, --family let this class of nodes be a column? */
static bool is_class_wanted(const struct daectl *d, enum check_class c)
{
	const char *list = d->opt[OPT_CLASS], *family = d->opt[OPT_FAMILY];
	const char *name = check_class_name(c);
	size_t len;

	if (family && *family && check_class_family(c) != *family - '0')
		return false;
	if (!list)
		return true;
	for (; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (!strncmp(name, list, len) && strlen(name) - len <= 1)
			return true;
	}
	return false;
}

static void verdict_cell(struct grid *g, const json_t *check)
{
	const char *verdict = out_str(check, "verdict");
	char buf[OUT_TEXT];

	if (!check)
		grid_cell(g, COLOR_DIM, "-");
	else if (out_bool(check, "assumed") && out_bool(check, "applicable"))
		grid_cell(g, out_state_color(verdict), "%s", verdict);
	else if (!strcmp(verdict, "up"))
		grid_cell(g, COLOR_GOOD, "%s",
			  out_us(json_object_get(check, "rtt_us"), buf));
	else if (!strcmp(verdict, "down"))
		grid_cell(g, COLOR_BAD, "fail");
	else if (!strcmp(verdict, "not_applicable"))
		grid_cell(g, COLOR_DIM, "n/a");
	else
		grid_cell(g, COLOR_DIM, "?");
}

static int64_t worst_loss(const json_t *t)
{
	int64_t worst = 0;
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(t, "checks"), i, c)
		if (out_bool(c, "applicable"))
			worst = MAX(worst, out_int(c, "loss_percent"));
	return worst;
}

/* The newest failure, of a check that is not well now. */
static void error_text(const json_t *t, char *buf, size_t cap)
{
	const char *text, *detail;
	const json_t *c, *e;
	size_t i, used = 0;

	buf[0] = '\0';
	json_array_foreach(json_object_get(t, "checks"), i, c) {
		e = json_object_get(c, "last_error");
		if (!json_is_object(e) || used >= cap ||
		    out_int(c, "consecutive_fail") == 0)
			continue;
		text = out_str(e, "text");
		detail = out_str(e, "detail");
		if (!strcmp(text, detail))
			detail = "";
		used += (size_t)snprintf(buf + used, cap - used, "%s%s: %s%s%s",
					 used ? "; " : "", out_str(c, "class"),
					 text, *detail ? ": " : "", detail);
	}
}

static void list_row(struct grid *g, const json_t *env, const json_t *t,
		     const bool *columns)
{
	const char *state = out_str(t, "state"), *admin = out_str(t, "admin");
	char buf[OUT_TEXT], error[OUT_TEXT];

	grid_row(g);
	grid_cell(g, COLOR_NONE, "%s", out_str(t, "name"));
	grid_cell(g, out_state_color(state), "%s%s%s", state,
		  strcmp(admin, "auto") ? "/" : "",
		  strcmp(admin, "auto") ? admin : "");
	for (unsigned int c = 0; c < CHECK_NODE_COUNT; c++)
		if (columns[c])
			verdict_cell(g, find_check(t, check_class_name(c)));
	grid_cell(g, COLOR_NONE, "%lld%%", (long long)worst_loss(t));
	grid_cell(g, COLOR_NONE, "%s",
		  json_array_size(json_object_get(t, "selected_by")) ? "*"
								     : "");
	grid_cell(g, COLOR_NONE, "%s",
		  out_since(json_object_get(t, "since"),
			    json_object_get(env, "generated_at"), buf));
	error_text(t, error, sizeof(error));
	grid_cell(g, COLOR_NONE, "%s", error);
}

static const char *const class_titles[CHECK_NODE_COUNT] = {
	[CHECK_TCP4] = "TCP4", [CHECK_TCP6] = "TCP6",	[CHECK_UDP4] = "UDP4",
	[CHECK_UDP6] = "UDP6", [CHECK_QUIC4] = "QUIC4", [CHECK_QUIC6] = "QUIC6",
};

/* Monitors have one class in two families: a row for each check. */
static void monitor_rows(struct grid *g, const json_t *env, const json_t *t)
{
	const json_t *c, *e;
	char buf[OUT_TEXT];
	size_t i;

	json_array_foreach(json_object_get(t, "checks"), i, c) {
		e = json_object_get(c, "last_error");
		grid_row(g);
		grid_cell(g, COLOR_NONE, "%s", out_str(t, "name"));
		grid_cell(g, COLOR_NONE, "%s", out_str(c, "class"));
		grid_cell(g, COLOR_NONE, "%lld",
			  (long long)out_int(c, "family"));
		grid_cell(g, out_state_color(out_str(c, "verdict")), "%s",
			  !strcmp(out_str(c, "verdict"), "not_applicable")
				  ? "n/a"
				  : out_str(c, "verdict"));
		grid_cell(g, COLOR_NONE, "%s",
			  out_us(json_object_get(c, "rtt_us"), buf));
		grid_cell(g, COLOR_NONE, "%lld%%",
			  (long long)out_int(c, "loss_percent"));
		grid_cell(g, COLOR_NONE, "%s",
			  out_since(json_object_get(c, "since"),
				    json_object_get(env, "generated_at"), buf));
		grid_cell(g, COLOR_NONE, "%s",
			  out_int(c, "consecutive_fail") ? out_str(e, "text")
							 : "");
	}
}

static void print_monitors(const struct daectl *d, const json_t *env)
{
	static const struct grid_column columns[] = {
		{ "MONITOR", false, false }, { "CLASS", false, false },
		{ "IP", true, false },	     { "STATE", false, false },
		{ "RTT", true, false },	     { "LOSS", true, false },
		{ "SINCE", true, false },    { "LAST ERROR", false, true },
	};
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	const json_t *t;
	size_t i;

	json_array_foreach(json_object_get(env, "data"), i, t)
		monitor_rows(g, env, t);
	grid_print(&g);
}

void target_print_list(const struct daectl *d, const json_t *env, bool monitors)
{
	const json_t *list = json_object_get(env, "data"), *t;
	struct grid_column columns[GRID_COLUMNS_MAX];
	bool shown[CHECK_NODE_COUNT] = { false };
	struct grid *g;
	size_t n = 0, i;

	if (monitors) {
		print_monitors(d, env);
		return;
	}
	columns[n++] = (struct grid_column){ "NODE", false, false };
	columns[n++] = (struct grid_column){ "STATE", false, false };
	for (unsigned int c = 0; c < CHECK_NODE_COUNT; c++) {
		shown[c] = is_class_wanted(d, c) &&
			   is_class_used(list, check_class_name(c));
		if (shown[c])
			columns[n++] = (struct grid_column){ class_titles[c],
							     true, false };
	}
	columns[n++] = (struct grid_column){ "LOSS", true, false };
	columns[n++] = (struct grid_column){ "SEL", false, false };
	columns[n++] = (struct grid_column){ "SINCE", true, false };
	columns[n++] = (struct grid_column){ "LAST ERROR", false, true };
	g = grid_new(d, columns, n);
	json_array_foreach(list, i, t)
		list_row(g, env, t, shown);
	grid_print(&g);
}

void target_print_leaks(const struct daectl *d, const json_t *list)
{
	static const struct grid_column columns[] = {
		{ "NODE", false, false },  { "PROTOCOL", false, false },
		{ "CHECK", false, false }, { "LEAKED", true, false },
		{ "PROBES", true, false },
	};
	struct grid *g = grid_new(d, columns, ARRAY_LEN(columns));
	const json_t *t, *c;
	char buf[OUT_TEXT];
	size_t i, k;

	json_array_foreach(list, i, t) {
		json_array_foreach(json_object_get(t, "checks"), k, c) {
			if (out_int(c, "leaked_bytes") == 0)
				continue;
			grid_row(g);
			grid_cell(g, COLOR_NONE, "%s", out_str(t, "name"));
			grid_cell(g, COLOR_NONE, "%s", out_str(t, "protocol"));
			grid_cell(g, COLOR_NONE, "%s", out_str(c, "class"));
			grid_cell(g, COLOR_WARN, "%s",
				  out_bytes(json_object_get(c, "leaked_bytes"),
					    buf));
			grid_cell(g, COLOR_NONE, "%lld",
				  (long long)(out_int(c, "ok_total") +
					      out_int(c, "fail_total")));
		}
	}
	grid_print(&g);
}
