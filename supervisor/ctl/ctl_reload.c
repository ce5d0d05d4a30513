/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reload, its difference and its confirmation. */
#include "supervisor/ctl/ctl_dispatch.h"

#include <errno.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_diag.h"
#include "supervisor/ctl/ctl_json.h"

#define CONFIRM_MAX_MS 86400000

int ctl_cmd_reload(struct ctl_call *c)
{
	struct ctl_outcome first = { .ticket = c->ticket };
	struct ctl_outcome *o = c->later ? c->later : &first;
	struct ctl_reload_request q = { .confirm_ms = 0 };
	json_int_t confirm_ms = 0;
	int dry_run = 0, r;
	json_t *j;

	r = ctl_args(c, "{s?b, s?I}", "dry_run", &dry_run, "confirm_ms",
		     &confirm_ms);
	if (r < 0)
		return r;
	if (confirm_ms < 0 || confirm_ms > CONFIRM_MAX_MS)
		return ctl_fail(c, -EINVAL, NULL,
				"a confirmation is waited for at most a day");
	q.dry_run = dry_run;
	q.confirm_ms = (uint64_t)confirm_ms;
	if (!c->later)
		o->r = c->ops->reload(c->ctx, &q, o);
	if (o->r == -EINPROGRESS) {
		c->is_pending = true;
		return 0;
	}
	if (o->r < 0)
		return ctl_fail_outcome(c, o, "reload");
	j = json_pack("{s:s, s:o, s:o, s:o, s:n, s:n}", "result",
		      dry_run ? "checked" : "reloaded", "message",
		      ctl_json_text(o->message[0] ? o->message : NULL),
		      "diagnostics", ctl_diag_json(&o->diags), "diff_id",
		      ctl_json_int(o->diff, o->diff), "diff", "flows");
	config_diags_clear(&o->diags);
	return ctl_done(c, "dae.reload/1", j);
}

int ctl_cmd_confirm(struct ctl_call *c)
{
	struct ctl_outcome first = { .ticket = c->ticket };
	struct ctl_outcome *o = c->later ? c->later : &first;
	int revert = 0, r;

	r = ctl_args(c, "{s?b}", "revert", &revert);
	if (r < 0)
		return r;
	if (!c->later)
		o->r = c->ops->confirm(c->ctx, revert, o);
	if (o->r == -EINPROGRESS) {
		c->is_pending = true;
		return 0;
	}
	if (o->r < 0)
		return ctl_fail_outcome(c, o, "confirm");
	config_diags_clear(&o->diags);
	return ctl_done(c, "dae.result/1",
			json_pack("{s:s}", "result",
				  revert ? "reverted" : "confirmed"));
}

/* The difference of a dry run; @step: walk for its flows. */
static int look(struct ctl_call *c, bool step, struct ctl_reload_diff *ret)
{
	struct ctl_outcome o = { 0 };
	json_int_t id;
	int r;

	r = ctl_args(c, "{s:I}", "id", &id);
	if (r < 0)
		return r;
	o.r = c->ops->reload_diff(c->ctx, (uint64_t)id, step, ret, &o);
	return o.r < 0 ? ctl_fail_outcome(c, &o, "reload") : o.r;
}

static json_t *entry_json(const struct diff_entry *e)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "what",
			 diff_what_name(e->what), "how", diff_how_name(e->how),
			 "name", ctl_json_text(e->name), "detail",
			 ctl_json_text(e->detail), "file",
			 ctl_json_text(e->file), "line",
			 ctl_json_int(e->line, e->line));
}

int ctl_cmd_reload_diff(struct ctl_call *c)
{
	auto_json json_t *list = json_array();
	struct ctl_reload_diff d;
	int r = look(c, false, &d);

	if (r < 0)
		return r;
	for (; list && c->cursor < d.diff->count &&
	       json_array_size(list) < CTL_PAGE;
	     c->cursor++)
		if (ctl_json_append(
			    list, entry_json(&d.diff->entries[c->cursor])) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	c->more = c->cursor < d.diff->count;
	return ctl_done(c, "dae.reload-diff/1", json_incref(list));
}

int ctl_cmd_reload_flows(struct ctl_call *c)
{
	auto_json json_t *list = json_array();
	struct ctl_reload_diff d;
	int r = look(c, true, &d);

	if (r < 0)
		return r;
	c->more = r == 0;
	for (size_t i = 0; list && i < d.move_count; i++)
		if (ctl_json_append(
			    list,
			    json_pack("{s:o, s:o, s:I}", "from",
				      ctl_json_text(d.moves[i].from), "to",
				      ctl_json_text(d.moves[i].to), "count",
				      (json_int_t)d.moves[i].count)) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	return ctl_done(c, "dae.reload-flows/1",
			json_pack("{s:b, s:I, s:I, s:b, s:O}", "routing",
				  d.has_flows, "flows", (json_int_t)d.flows,
				  "changed", (json_int_t)d.changed, "exact",
				  d.is_exact, "moves", list));
}
