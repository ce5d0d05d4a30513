/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smallest flow table under far more flows than it holds, and rule sets as
 * large as they get: each packet is decided as the twin says, or counted. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/rules/rules.h"
#include "tests/bpf/oracle.h"

#define FLOWS 20000U
#define LIST 100000U

static void compare(const struct oracle_world *w, const struct rig *r,
		    const struct frame *f)
{
	struct oracle_outcome want;
	struct oracle_facts facts;
	struct rig_result got = rig_run(r, f);

	oracle_read(w, f->b, f->len, true, &facts);
	oracle_decide(w, &facts, &want);
	assert_int_equal(got.verdict, want.r.verdict);
	if (got.verdict == RIG_PASS)
		assert_int_equal(got.mark, want.r.mark);
}

/* The nth of flows that differ in one bit or another. */
static void make_nth(struct frame *f, uint32_t n)
{
	struct ruleset_query q;
	bool is_v6 = n & 1;

	query_make(&q, is_v6 ? "2001:db8::1" : "10.0.0.1",
		   is_v6 ? "2001:db8:1::1" : "1.1.1.1",
		   n & 2 ? IPPROTO_UDP : IPPROTO_TCP,
		   (uint16_t)(1 + n * 7 % 6000));
	q.src.b[14] = (uint8_t)(n >> 8);
	q.src.b[15] = (uint8_t)n;
	frame_make(f, &q, RIG_SYN, true);
}

static void smallest_table(void **state)
{
	struct datapath_status status;
	struct oracle_world w = { 0 };
	struct rig *r = *state;
	struct rulegen g;
	struct frame f;
	uint32_t n;
	int again;

	rig_open(r, ATTACH_AUTO, 1);
	datapath_read_status(r->d, &status);
	assert_in_range(status.flow_entries, 1, FLOWS / 50);
	oracle_groups(r);
	rulegen_make(&g, RULEGEN_MIX, 100, 5);
	rig_load(r, &g.routing);
	w.rules = &r->rules;
	for (again = 0; again < 2; again++)
		for (n = 0; n < FLOWS; n++) {
			make_nth(&f, n);
			compare(&w, r, &f);
			compare(&w, r, &f);
		}
	assert_int_equal(rig_count(r, DAE_COUNT_INSERT_LOST), 0);
	rulegen_free(&g);
}

/* Whatever is asked for, a table has a size that there can be. */
static void table_sizes(void **state)
{
	static const uint32_t asked[] = { 1, 255, 257, 100000, 65536 };
	struct datapath_status status;
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(asked); i++) {
		rig_open(r, ATTACH_AUTO, asked[i]);
		datapath_read_status(r->d, &status);
		assert_true(status.flow_entries >= MIN(asked[i], 256U));
		assert_int_equal(
			status.flow_entries & (status.flow_entries - 1), 0);
	}
}

static int compile(const struct config_routing *routing,
		   struct rules_error *ret_err)
{
	const struct rules_options opt = { 0 };
	struct rules_image img = { 0 };
	int r = rules_compile(routing, &opt, &img, ret_err);

	if (r == 0)
		rules_image_free(&img);
	return r;
}

/* As many rules as there may be: the last one decides; one more is too many. */
static void most_rules(void **state)
{
	static struct rule_value values[DAE_RULES_MAX + 1];
	static struct rule_cond conds[DAE_RULES_MAX + 1];
	static struct config_rule rules[DAE_RULES_MAX + 1];
	struct config_routing routing = { .rules = rules,
					  .rule_count = DAE_RULES_MAX };
	struct rules_error err = { 0 };
	struct oracle_world w = { 0 };
	struct rig *r = *state;
	struct ruleset_query q;
	struct frame f;
	uint32_t i;

	for (i = 0; i <= DAE_RULES_MAX; i++) {
		values[i].range.lo = values[i].range.hi = (uint16_t)(1000 + i);
		conds[i] = (struct rule_cond){ .fn = RULE_DPORT,
					       .values = &values[i],
					       .value_count = 1 };
		rules[i] = (struct config_rule){
			.conds = &conds[i],
			.cond_count = 1,
			.out = { .has_mark = true, .mark = 1 + i },
			.pos = { .line = 7 + i },
		};
	}
	rig_open(r, ATTACH_AUTO, 1024);
	rig_load(r, &routing);
	w.rules = &r->rules;
	for (i = 0; i <= DAE_RULES_MAX; i++) {
		query_make(&q, "10.0.0.1", "1.1.1.1", IPPROTO_UDP,
			   (uint16_t)(1000 + i));
		frame_make(&f, &q, 0, true);
		compare(&w, r, &f);
		assert_int_equal(rig_run(r, &f).mark,
				 i < DAE_RULES_MAX ? 1 + i : 0);
	}
	routing.rule_count++;
	assert_int_equal(compile(&routing, &err), -E2BIG);
	assert_int_equal(err.pos.line, 7 + DAE_RULES_MAX);
	assert_non_null(strstr(err.text, "1024"));
}

/* One rule with a list of addresses that are each on their own. */
static void longest_list(void **state)
{
	struct rule_value *values = calloc(LIST, sizeof(*values));
	struct rule_cond cond = { .fn = RULE_DIP,
				  .values = values,
				  .value_count = LIST };
	struct config_rule rule = { .conds = &cond,
				    .cond_count = 1,
				    .out = { .action = RULE_BLOCK } };
	struct config_routing routing = { .rules = &rule, .rule_count = 1 };
	struct oracle_world w = { 0 };
	struct rig *r = *state;
	struct ruleset_query q;
	struct frame f;
	uint32_t i, a;

	assert_non_null(values);
	query_make(&q, "10.0.0.1", "0.0.0.0", IPPROTO_UDP, 80);
	for (i = 0; i < LIST; i++) {
		a = 0x14000000 + i * 2;
		values[i].prefix = (struct prefix){ q.dst, 32 };
		values[i].prefix.addr.b[12] = (uint8_t)(a >> 24);
		values[i].prefix.addr.b[13] = (uint8_t)(a >> 16);
		values[i].prefix.addr.b[14] = (uint8_t)(a >> 8);
		values[i].prefix.addr.b[15] = (uint8_t)a;
	}
	rig_open(r, ATTACH_AUTO, 1024);
	rig_load(r, &routing);
	w.rules = &r->rules;
	for (i = 0; i < LIST; i += 97) {
		q.dst = values[i].prefix.addr;
		frame_make(&f, &q, 0, true);
		compare(&w, r, &f);
		assert_int_equal(rig_run(r, &f).verdict, RIG_DROP);
		q.dst.b[15] |= 1; /* between two of them */
		frame_make(&f, &q, 0, true);
		compare(&w, r, &f);
		assert_int_equal(rig_run(r, &f).verdict, RIG_PASS);
	}
	free(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_table),
		cmocka_unit_test(table_sizes),
		cmocka_unit_test(most_rules),
		cmocka_unit_test(longest_list),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
