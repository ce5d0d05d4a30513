/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's answer to "route test" is the twin's, and leaves no trace. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/ask.h"
#include "supervisor/datapath/flowtable.h"
#include "tests/bpf/rig.h"

#define PACKETS 2000

static void answers_agree(void **state)
{
	struct ruleset_verdict want, got;
	struct rig *r = *state;
	struct ruleset_query q;
	struct rulegen g;
	size_t i, with_mark = 0;

	rig_open(r, ATTACH_AUTO, 1024);
	for (uint64_t seed = 1; seed <= 3; seed++) {
		rulegen_make(&g, RULEGEN_MIX, 300, seed);
		rig_load(r, &g.routing);
		for (i = 0; i < PACKETS; i++) {
			rulegen_query(&g, &q);
			/* a link's packets have no process */
			memset(q.pname, 0, sizeof(q.pname));
			assert_int_equal(datapath_domain_set(r->d, &q.dst,
							     q.domain_sets),
					 0);
			assert_int_equal(ruleset_eval(&r->rules, &q, &want), 0);
			assert_int_equal(datapath_ask(r->d, &q, &got), 0);
			assert_int_equal(got.rule, want.rule);
			assert_int_equal(got.action, want.action);
			assert_int_equal(got.must, want.must);
			assert_int_equal(got.is_dns, want.is_dns);
			assert_int_equal(got.has_mark, want.has_mark);
			if (want.action == DAE_ACTION_GROUP)
				assert_int_equal(got.group, want.group);
			if (want.has_mark)
				assert_int_equal(got.mark, want.mark);
			with_mark += want.has_mark;
		}
		rulegen_free(&g);
	}
	assert_true(with_mark > 0);
}

static enum flow_wish count_one(void *ctx,
				const struct datapath_flow *f DAE_UNUSED)
{
	++*(size_t *)ctx;
	return FLOW_KEEP;
}

static void nothing_is_counted(void **state)
{
	static struct datapath_counters before, after;
	struct ruleset_verdict v;
	struct rig *r = *state;
	struct ruleset_query q;
	struct rulegen g;
	size_t flows = 0;
	uint64_t cursor = 0;

	rig_open(r, ATTACH_AUTO, 1024);
	rulegen_make(&g, RULEGEN_MIX, 100, 9);
	rig_load(r, &g.routing);
	assert_int_equal(datapath_read_counters(r->d, &before), 0);
	for (int i = 0; i < 100; i++) {
		rulegen_query(&g, &q);
		assert_int_equal(datapath_ask(r->d, &q, &v), 0);
	}
	assert_int_equal(datapath_read_counters(r->d, &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(datapath_walk_flows(r->d, &cursor, NS_PER_S, count_one,
					     &flows),
			 1);
	assert_int_equal(flows, 0);
	rulegen_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_agree),
		cmocka_unit_test(nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
