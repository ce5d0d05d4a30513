/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/rules_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/bpf/rulegen.h"

static const uint16_t ids[RULEGEN_GROUPS] = { 0, 1, 2, 3, 4, 5, 6, 7 };
const struct rules_options rules_case_options = { ids, RULEGEN_GROUPS };

void rules_open(const struct config_routing *routing, struct rules_image *img,
		struct ruleset *ret)
{
	struct rules_error err;

	assert_int_equal(rules_compile(routing, &rules_case_options, img, &err),
			 0);
	assert_int_equal(ruleset_open(img->data, img->len, ret), 0);
}

void rules_same(const struct ruleset_verdict *a,
		const struct ruleset_verdict *b)
{
	assert_int_equal(a->rule, b->rule);
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->group, b->group);
	assert_int_equal(a->must, b->must);
	assert_int_equal(a->is_dns, b->is_dns);
	assert_int_equal(a->has_mark, b->has_mark);
	assert_int_equal(a->mark, b->mark);
}

struct rule_value rules_port(uint16_t lo, uint16_t hi)
{
	return (struct rule_value){ .range = { lo, hi } };
}

struct rule_value rules_net(const char *text)
{
	struct rule_value v = { 0 };

	assert_int_equal(prefix_parse(text, &v.prefix), 0);
	return v;
}

struct ruleset_query rules_packet(const char *src, const char *dst,
				  uint8_t proto, uint16_t dport)
{
	struct ruleset_query q = { .l4proto = proto,
				   .dport = dport,
				   .sport = 19233 };

	assert_int_equal(addr_parse(src, &q.src), 0);
	assert_int_equal(addr_parse(dst, &q.dst), 0);
	return q;
}

void rules_expect(const struct config_routing *routing,
		  const struct ruleset_query *q, uint16_t rule,
		  enum dae_action action, bool must, bool is_dns)
{
	struct ruleset_verdict v, oracle;
	struct rules_image img;
	struct ruleset set;

	rules_open(routing, &img, &set);
	assert_int_equal(ruleset_eval(&set, q, &v), 0);
	assert_int_equal(v.rule, rule);
	assert_int_equal(v.action, action);
	assert_int_equal(v.must, must);
	assert_int_equal(v.is_dns, is_dns);
	rulegen_oracle(routing, q, &oracle);
	rules_same(&v, &oracle);
	rules_image_free(&img);
}
