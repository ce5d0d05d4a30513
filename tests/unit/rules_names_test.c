/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Process names, and names of destinations as sets. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "tests/unit/rules_case.h"

/* dae.md: bytes beyond 16 are cut, the rest is compared exactly. */
static void process_names(void **state DAE_UNUSED)
{
	char curl[] = "curl", longer[] = "exactly16lettersandmore";
	struct rule_value names[] = { { .text = curl }, { .text = longer } };
	struct rule_cond c[] = { COND(RULE_PNAME, names) };
	struct config_rule r[] = { RULE(c, GROUP_TO) };
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "1.1.1.1",
					      IPPROTO_TCP, 80);
	static const struct {
		const char name[DAE_PNAME_LEN + 1];
		bool want;
	} cases[] = {
		{ "curl", true },
		{ "", false },
		{ "curl2", false },
		{ "cur", false },
		{ "Curl", false },
		{ "exactly16letters", true },
		{ "exactly16letter", false },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		memcpy(q.pname, cases[i].name, sizeof(q.pname));
		c[0].negate = false;
		rules_expect(
			&routing, &q, cases[i].want ? 0 : DAE_RULE_FALLBACK,
			cases[i].want ? DAE_ACTION_GROUP : DAE_ACTION_DIRECT,
			false, false);
		c[0].negate = true;
		rules_expect(
			&routing, &q, cases[i].want ? DAE_RULE_FALLBACK : 0,
			cases[i].want ? DAE_ACTION_DIRECT : DAE_ACTION_GROUP,
			false, false);
	}
}

/* A list of any length is one rule, and one class. */
static void many_process_names(void **state DAE_UNUSED)
{
	enum { COUNT = 12000 };
	struct rule_value *v = calloc(COUNT, sizeof(*v));
	char(*text)[16] = calloc(COUNT, sizeof(*text));
	struct rule_cond c = { .fn = RULE_PNAME,
			       .values = v,
			       .value_count = COUNT };
	struct config_rule r = { .conds = &c,
				 .cond_count = 1,
				 .out = GROUP_TO };
	struct config_routing routing = { .rules = &r,
					  .rule_count = 1,
					  .fallback = DIRECT_TO };
	struct ruleset_query q = rules_packet("10.0.0.1", "1.1.1.1",
					      IPPROTO_TCP, 80);
	struct ruleset_verdict twin;
	struct rules_image img;
	struct ruleset set;
	size_t i;

	assert_non_null(v);
	assert_non_null(text);
	for (i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "proc-%zu", i);
		v[i].text = text[i];
	}
	rules_open(&routing, &img, &set);
	for (i = 0; i < COUNT; i++) {
		memcpy(q.pname, text[i], sizeof(q.pname));
		assert_int_equal(ruleset_eval(&set, &q, &twin), 0);
		assert_int_equal(twin.rule, 0);
		q.pname[15] = 'x';
		assert_int_equal(ruleset_eval(&set, &q, &twin), 0);
		assert_int_equal(twin.rule, DAE_RULE_FALLBACK);
	}
	rules_image_free(&img);
	free(text);
	free(v);
}

static void names_are_sets(void **state DAE_UNUSED)
{
	char a[] = "a.com", b[] = "b.com";
	struct rule_value first[] = { { .key = RULE_KEY_SUFFIX, .text = a } };
	struct rule_value full[] = { { .key = RULE_KEY_FULL, .text = a } };
	struct rule_value other[] = { { .key = RULE_KEY_SUFFIX, .text = a },
				      { .key = RULE_KEY_SUFFIX, .text = b } };
	struct rule_cond c0[] = { COND(RULE_DOMAIN, first) };
	struct rule_cond c1[] = { COND(RULE_DOMAIN, full),
				  NOT(RULE_DOMAIN, first) };
	struct rule_cond c2[] = { NOT(RULE_DOMAIN, other) };
	struct config_rule r[] = { RULE(c1, GROUP_TO), RULE(c0, GROUP_TO),
				   RULE(c2, GROUP_TO) };
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct rules_domain_sets sets;
	struct dae_bitmap hit = { { 0 } };
	struct ruleset_query q = rules_packet("10.0.0.1", "1.1.1.1",
					      IPPROTO_TCP, 80);
	struct rules_error err;
	struct ruleset_verdict v;
	struct rules_image img;
	struct ruleset set;
	static const struct {
		uint64_t sets;
		uint16_t rule;
	} cases[] = {
		{ 0, 2 },
		{ 1, 0 },
		{ 2, 1 },
		{ 3, 1 },
		{ 4, DAE_RULE_FALLBACK },
		{ 5, 0 },
		{ 6, 1 },
	};
	size_t i;

	assert_int_equal(rules_domain_sets(&routing, &sets, &err), 0);
	assert_int_equal(sets.count, 3);
	assert_int_equal(rules_domain_set_of(&sets, &c1[0]), 0);
	assert_int_equal(rules_domain_set_of(&sets, &c1[1]), 1);
	assert_int_equal(rules_domain_set_of(&sets, &c0[0]), 1);
	assert_int_equal(rules_domain_set_of(&sets, &c2[0]), 2);
	rules_domain_sets_clear(&sets);
	rules_open(&routing, &img, &set);
	assert_int_equal(ruleset_eval(&set, &q, &v), 0);
	assert_int_equal(v.rule, 2); /* not learned: in no set */
	q.domain_sets = &hit;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		hit.w[0] = cases[i].sets;
		hit.w[1] = ~0ULL; /* no such sets */
		assert_int_equal(ruleset_eval(&set, &q, &v), 0);
		assert_int_equal(v.rule, cases[i].rule);
	}
	rules_image_free(&img);
}

static void too_many_sets(void **state DAE_UNUSED)
{
	enum { COUNT = DAE_DOMAIN_SETS_MAX + 1 };
	struct rule_cond *c = calloc(COUNT, sizeof(*c));
	struct rule_value *v = calloc(COUNT, sizeof(*v));
	char(*text)[12] = calloc(COUNT, sizeof(*text));
	struct config_rule r = { .conds = c,
				 .cond_count = COUNT,
				 .out = GROUP_TO };
	struct config_routing routing = { .rules = &r, .rule_count = 1 };
	struct rules_image img = { 0 };
	struct rules_error err;
	size_t i;

	for (i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "%zu.com", i);
		v[i].text = text[i];
		c[i] = (struct rule_cond){ .fn = RULE_DOMAIN,
					   .values = &v[i],
					   .value_count = 1,
					   .pos = { .line = (uint32_t)i } };
	}
	assert_int_equal(rules_compile(&routing, &rules_case_options, &img,
				       &err),
			 -EDOM);
	assert_int_equal(err.pos.line, DAE_DOMAIN_SETS_MAX);
	r.cond_count = DAE_DOMAIN_SETS_MAX;
	assert_int_equal(
		rules_compile(&routing, &rules_case_options, &img, &err), 0);
	rules_image_free(&img);
	free(text);
	free(v);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_names),
		cmocka_unit_test(many_process_names),
		cmocka_unit_test(names_are_sets),
		cmocka_unit_test(too_many_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
