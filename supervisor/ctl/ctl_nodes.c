/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about nodes and monitors. */
#include "supervisor/ctl/ctl_dispatch.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_target.h"

int ctl_cmd_nodes_list(struct ctl_call *c)
{
	int r = ctl_args(c, "{}");

	return r < 0 ? r : ctl_target_page(c, "dae.nodes/1", false);
}

int ctl_cmd_monitors_list(struct ctl_call *c)
{
	int r = ctl_args(c, "{}");

	return r < 0 ? r : ctl_target_page(c, "dae.monitors/1", true);
}

static int show(struct ctl_call *c, const char *schema, bool monitors)
{
	const struct target *t;
	const char *name;
	int r;

	r = ctl_args(c, "{s:s}", "name", &name);
	if (r < 0)
		return r;
	t = ctl_target_find(c, name, monitors);
	if (!t)
		return -ENOENT;
	return ctl_done(c, schema, ctl_target_json(c->view, t, true));
}

int ctl_cmd_nodes_show(struct ctl_call *c)
{
	return show(c, "dae.node/1", false);
}

int ctl_cmd_monitors_show(struct ctl_call *c)
{
	return show(c, "dae.monitor/1", true);
}

static int parse_admin(struct ctl_call *c, const char *name)
{
	for (int a = 0; a < NODE_ADMIN_COUNT; a++)
		if (!strcmp(node_admin_name((unsigned int)a), name))
			return a;
	return ctl_fail(c, -EINVAL, NULL, "no such admin state: '%s'", name);
}

int ctl_cmd_nodes_admin(struct ctl_call *c)
{
	struct ctl_outcome o = { 0 };
	const struct target *t;
	const char *name, *state;
	json_int_t for_ms = 0;
	int r, admin;

	r = ctl_args(c, "{s:s, s:s, s?I}", "name", &name, "state", &state,
		     "for_ms", &for_ms);
	if (r < 0)
		return r;
	admin = parse_admin(c, state);
	if (admin < 0)
		return admin;
	if (for_ms < 0 || for_ms > 366LL * 86400 * 1000)
		return ctl_fail(c, -EINVAL, NULL, "for_ms is out of range");
	t = ctl_target_find(c, name, false);
	if (!t)
		return -ENOENT;
	o.r = c->ops->set_admin(c->ctx, t->index, (enum node_admin)admin,
				(uint64_t)for_ms * NS_PER_MS, &o);
	return o.r < 0 ? ctl_fail_outcome(c, &o, "set state")
		       : ctl_done_plain(c);
}

/* Nodes and monitors alike can be held. */
static int quarantine(struct ctl_call *c, bool hold)
{
	struct ctl_outcome o = { 0 };
	const struct target *t;
	const char *name;
	int r;

	r = ctl_args(c, "{s:s}", "name", &name);
	if (r < 0)
		return r;
	t = ctl_target_find(c, name, false);
	if (!t)
		t = ctl_target_find(c, name, true);
	if (!t)
		return -ENOENT;
	o.r = c->ops->quarantine(c->ctx, t->index, hold, &o);
	return o.r < 0 ? ctl_fail_outcome(c, &o, hold ? "hold" : "release")
		       : ctl_done_plain(c);
}

int ctl_cmd_nodes_quarantine(struct ctl_call *c)
{
	return quarantine(c, true);
}

int ctl_cmd_nodes_release(struct ctl_call *c)
{
	return quarantine(c, false);
}
