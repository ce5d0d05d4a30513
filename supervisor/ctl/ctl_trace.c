/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_trace.h"

#include <errno.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_dispatch.h"
#include "supervisor/ctl/ctl_filter.h"
#include "supervisor/ctl/ctl_json.h"

#define FOR_MAX_MS 86400000

static json_t *decision_json(const struct ctl_view *v,
			     const struct ctl_decision *x)
{
	const struct config *c = v->config;
	const struct ctl_flow *f = &x->flow;
	bool is_rule = x->rule < c->routing.rule_count;
	const struct config_pos *pos = is_rule ? &c->routing.rules[x->rule].pos
					       : &c->routing.fallback.pos;
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];

	return json_pack(
		"{s:o, s:s, s:s, s:s, s:i, s:s, s:i, s:o, s:o, s:o, s:s, s:o, "
		"s:o, s:o}",
		"at", ctl_json_mono(v, x->mono_ns), "hook",
		x->is_host ? "host" : "lan", "proto",
		f->l4proto == IPPROTO_UDP ? "udp" : "tcp", "src",
		addr_format(&f->src, src), "sport", (int)f->sport, "dst",
		addr_format(&f->dst, dst), "dport", (int)f->dport, "rule",
		ctl_json_int(is_rule, x->rule), "file",
		ctl_json_text(pos->line && pos->file < c->file_count
				      ? c->files[pos->file].path
				      : NULL),
		"line", ctl_json_int(pos->line, pos->line), "verdict",
		f->verdict, "group", ctl_json_text(f->group), "node",
		ctl_json_text(f->node), "mark", ctl_json_int(f->mark, f->mark));
}

static int read_request(struct ctl_call *c, struct ctl_trace_request *q)
{
	struct ctl_flow_filter want;
	json_int_t count = 0, for_ms = FOR_MAX_MS;
	int follow, r;

	r = ctl_filter_args(c, &want, "{s?I, s?I, s?b}", "count", &count,
			    "for_ms", &for_ms, "follow", &follow);
	if (r < 0)
		return r;
	if (count < 0 || for_ms < 1 || for_ms > FOR_MAX_MS)
		return ctl_fail(c, -EINVAL, NULL, "count or time out of range");
	if (want.outbound || want.node)
		return ctl_fail(c, -EINVAL, NULL,
				"the kernel knows addresses, ports and "
				"protocols, no outbounds");
	*q = (struct ctl_trace_request){ .src = want.src,
					 .dst = want.dst,
					 .port = want.port,
					 .l4proto = want.l4proto,
					 .count = (uint64_t)count,
					 .for_ms = (uint64_t)for_ms };
	return 0;
}

int ctl_cmd_route_trace(struct ctl_call *c)
{
	static struct ctl_trace_page page;
	auto_json json_t *list = json_array();
	struct ctl_trace_request q;
	struct ctl_outcome o = { 0 };
	int r = c->cursor ? 0 : read_request(c, &q);

	if (r < 0)
		return r;
	o.r = c->ops->trace(c->ctx, c->ticket, c->cursor ? NULL : &q, &page,
			    &o);
	if (o.r < 0)
		return ctl_fail_outcome(c, &o, "trace");
	c->cursor = 1;
	for (size_t i = 0; list && i < page.count; i++)
		if (ctl_json_append(list,
				    decision_json(c->view, &page.items[i])) < 0)
			return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	c->more = !page.is_over;
	c->is_follow = c->more && !page.has_more;
	return ctl_done(c, "dae.route-trace/1",
			json_pack("{s:O, s:I}", "decisions", list, "lost",
				  (json_int_t)page.lost));
}
