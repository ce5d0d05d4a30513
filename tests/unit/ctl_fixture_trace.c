/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>

#include "common/base.h"
#include "tests/unit/ctl_fixture.h"

void ctl_fixture_decisions(struct ctl_trace_page *ret)
{
	*ret = (struct ctl_trace_page){ .count = 2, .lost = 3 };
	ret->items[0] = (struct ctl_decision){
		.flow = { .sport = 40000,
			  .dport = 443,
			  .l4proto = IPPROTO_TCP,
			  .verdict = "proxy",
			  .group = "proxy",
			  .node = "hk-01" },
		.rule = 0,
	};
	ret->items[1] = (struct ctl_decision){
		.flow = { .dport = 53,
			  .l4proto = IPPROTO_UDP,
			  .verdict = "direct",
			  .mark = 7 },
		.rule = DAE_RULE_FALLBACK,
		.is_host = true,
	};
	addr_parse("192.168.1.20", &ret->items[0].flow.src);
	addr_parse("203.0.113.7", &ret->items[0].flow.dst);
	addr_parse("::", &ret->items[1].flow.src);
	addr_parse("2001:db8:ffff::53", &ret->items[1].flow.dst);
	for (size_t i = 0; i < ret->count; i++)
		ret->items[i].mono_ns = 5 * NS_PER_S + i;
}
