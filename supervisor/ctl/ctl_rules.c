/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules in force, with what each has decided. */
#include "supervisor/ctl/ctl_dispatch.h"

#include <errno.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/ctl/ctl_json.h"

static json_t *rule_json(const struct config *c, size_t i, uint64_t flows)
{
	const struct config_routing *r = &c->routing;
	bool is_rule = i < r->rule_count;
	const struct config_rule *rule = is_rule ? &r->rules[i] : NULL;
	const struct rule_outbound *out = is_rule ? &rule->out : &r->fallback;
	const struct config_pos *pos = is_rule ? &rule->pos : &out->pos;
	char outbound[CTL_OUTBOUND_MAX];

	config_outbound_format(c, out, outbound, sizeof(outbound));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "index",
			 ctl_json_int(is_rule, i), "text",
			 ctl_json_text(is_rule ? rule->text : "fallback"),
			 "outbound", ctl_json_text(outbound), "file",
			 ctl_json_text(pos->line && pos->file < c->file_count
					       ? c->files[pos->file].path
					       : NULL),
			 "line", ctl_json_int(pos->line, pos->line), "flows",
			 (json_int_t)flows);
}

int ctl_cmd_route_rules(struct ctl_call *c)
{
	static uint64_t flows[DAE_RULE_SLOTS];
	const struct config *conf = c->view->config;
	size_t count = conf->routing.rule_count + 1;
	auto_json json_t *list = json_array();
	struct ctl_outcome o = { 0 };
	bool is_rule;
	int r;

	r = ctl_args(c, "{}");
	if (r < 0)
		return r;
	o.r = c->ops->rule_counts(c->ctx, flows, DAE_RULE_SLOTS, &o);
	if (o.r < 0)
		return ctl_fail_outcome(c, &o, "rules");
	for (; list && c->cursor < count && json_array_size(list) < CTL_PAGE;
	     c->cursor++) {
		is_rule = c->cursor < count - 1;
		if (ctl_json_append(
			    list,
			    rule_json(conf, c->cursor,
				      flows[is_rule ? c->cursor
						    : DAE_RULE_FALLBACK])) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	}
	c->more = c->cursor < count;
	return ctl_done(c, "dae.route-rules/1", json_incref(list));
}
