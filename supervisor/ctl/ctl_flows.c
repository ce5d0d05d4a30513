/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow table, a page at a time. Each page is a short walk; the client's
 * socket takes one page before the next is made, so that the loop turns.
 */
#include "supervisor/ctl/ctl_flows.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/ctl/ctl_dispatch.h"
#include "supervisor/ctl/ctl_json.h"
#include "supervisor/ctl/ctl_filter.h"

static bool in_prefix(const struct prefix *p, const struct addr *a)
{
	return !p->addr.family || prefix_contains(p, a);
}

bool ctl_flow_matches(const struct ctl_flow_filter *want,
		      const struct ctl_flow *f)
{
	if (want->l4proto && f->l4proto != want->l4proto)
		return false;
	if (want->port && f->dport != want->port)
		return false;
	if (want->outbound && strcmp(f->verdict, want->outbound) != 0 &&
	    (!f->group || strcmp(f->group, want->outbound) != 0))
		return false;
	if (want->node && (!f->node || strcmp(f->node, want->node) != 0))
		return false;
	return in_prefix(&want->src, &f->src) && in_prefix(&want->dst, &f->dst);
}

struct page {
	struct ctl_flow_filter want;
	json_t *list; /* NULL: only count */
	size_t limit;
	uint64_t matched;
	bool has_failed;
};

static json_t *flow_json(const struct ctl_flow *f)
{
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];

	return json_pack("{s:I, s:s, s:s, s:i, s:s, s:i, s:s, s:o, s:o, s:o, "
			 "s:I}",
			 "position", (json_int_t)f->position, "proto",
			 f->l4proto == IPPROTO_UDP ? "udp" : "tcp", "src",
			 addr_format(&f->src, src), "sport", (int)f->sport,
			 "dst", addr_format(&f->dst, dst), "dport",
			 (int)f->dport, "verdict", f->verdict, "group",
			 ctl_json_text(f->group), "node",
			 ctl_json_text(f->node), "mark",
			 ctl_json_int(f->mark, f->mark), "idle_us",
			 (json_int_t)(f->idle_ms * 1000));
}

static bool on_flow(void *arg, const struct ctl_flow *f)
{
	struct page *p = arg;

	if (!ctl_flow_matches(&p->want, f))
		return true;
	p->matched++;
	if (!p->list)
		return true;
	if (ctl_json_append(p->list, flow_json(f)) < 0)
		p->has_failed = true;
	return !p->has_failed && json_array_size(p->list) < p->limit;
}

int ctl_cmd_flows(struct ctl_call *c)
{
	struct page p = { .limit = CTL_PAGE };
	struct ctl_outcome o = { 0 };
	auto_json json_t *list = json_array();
	json_int_t cursor = 0, limit = CTL_PAGE;
	int count = 0, r;

	r = ctl_filter_args(c, &p.want, "{s?I, s?I, s?b}", "cursor", &cursor,
			    "limit", &limit, "count", &count);
	if (r < 0)
		return r;
	if (cursor < 0 || limit < 1)
		return ctl_fail(c, -EINVAL, NULL, "bad cursor or limit");
	p.limit = (size_t)MIN(limit, (json_int_t)CTL_PAGE);
	p.list = count ? NULL : list;
	if (c->cursor == 0)
		c->cursor = (uint64_t)cursor;
	o.r = c->ops->flows(c->ctx, &c->cursor, on_flow, &p, &o);
	if (o.r < 0)
		return ctl_fail_outcome(c, &o, "flows");
	if (p.has_failed)
		return ctl_fail(c, -ENOMEM, NULL, "out of memory");
	c->more = o.r == 0;
	return ctl_done(c, "dae.flows/1",
			json_pack("{s:O, s:I, s:o}", "flows", list, "matched",
				  (json_int_t)p.matched, "cursor",
				  ctl_json_int(c->more, c->cursor)));
}
