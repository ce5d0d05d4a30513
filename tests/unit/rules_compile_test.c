/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiler and the twin against rules as written. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/ruleset.h"
#include "supervisor/rules/rules.h"
#include "tests/bpf/rulegen.h"
#include "tests/unit/rules_case.h"

static void compare(enum rulegen_kind kind, size_t rules, uint64_t seed,
		    size_t packets)
{
	struct ruleset_verdict twin, oracle;
	struct rules_image img;
	struct ruleset_query q;
	struct ruleset set;
	struct rulegen g;
	size_t i, matched = 0;

	rulegen_make(&g, kind, rules, seed);
	rules_open(&g.routing, &img, &set);
	for (i = 0; i < packets; i++) {
		rulegen_query(&g, &q);
		rulegen_oracle(&g.routing, &q, &oracle);
		assert_int_equal(ruleset_eval(&set, &q, &twin), 0);
		rules_same(&twin, &oracle);
		matched += twin.rule != DAE_RULE_FALLBACK;
	}
	if (rules >= 10)
		assert_true(matched > packets / 10);
	rules_image_free(&img);
	rulegen_free(&g);
}

static void random_rules_agree(void **state DAE_UNUSED)
{
	static const size_t counts[] = {
		0, 1, 10, 63, 64, 65, 100, 1000, 1024
	};
	size_t i;
	uint64_t seed;

	for (i = 0; i < ARRAY_LEN(counts); i++)
		for (seed = 1; seed <= (counts[i] < 100 ? 12 : 2); seed++) {
			compare(RULEGEN_PORT, counts[i], seed, 2000);
			compare(RULEGEN_IP, counts[i], seed + 100, 2000);
			compare(RULEGEN_MIX, counts[i], seed + 200, 2000);
		}
}

static void dns_is_kept_unless_must(void **state DAE_UNUSED)
{
	struct rule_value dns[] = { rules_port(53, 53) };
	struct rule_cond c[] = { COND(RULE_DPORT, dns) };
	struct config_rule r[] = { RULE(c, GROUP_TO) };
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "8.8.8.8",
					      IPPROTO_UDP, 53);

	rules_expect(&routing, &q, 0, DAE_ACTION_GROUP, false, true);
	r[0].out.must = true;
	rules_expect(&routing, &q, 0, DAE_ACTION_GROUP, true, false);
}

static void must_rules_is_sticky(void **state DAE_UNUSED)
{
	struct rule_value a[] = { rules_net("10.0.0.1") },
			  dns[] = { rules_port(53, 53) };
	struct rule_value web[] = { rules_port(80, 80) };
	struct rule_cond from[] = { COND(RULE_SIP, a) };
	struct rule_cond c[] = { COND(RULE_DPORT, dns) };
	struct rule_cond n[] = { NOT(RULE_DPORT, web) };
	struct config_rule r[] = {
		RULE(from, { .action = RULE_MUST_RULES }),
		RULE(c, GROUP_TO),
	};
	struct config_rule r2[] = {
		RULE(from, { .action = RULE_MUST_RULES }),
		RULE(n, GROUP_TO),
	};
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct config_routing not_web = ROUTING(r2, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "8.8.8.8",
					      IPPROTO_TCP, 53);

	rules_expect(&routing, &q, 1, DAE_ACTION_GROUP, true, false);
	q = rules_packet("10.0.0.2", "8.8.8.8", IPPROTO_UDP, 53);
	rules_expect(&routing, &q, 1, DAE_ACTION_GROUP, false, true);
	routing.rule_count = 1;
	rules_expect(&routing, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, false,
		     true);
	q = rules_packet("10.0.0.1", "8.8.8.8", IPPROTO_TCP, 80);
	rules_expect(&not_web, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, true,
		     false);
}

static void conditions_are_joined(void **state DAE_UNUSED)
{
	struct rule_value udp[] = { { .number = IPPROTO_UDP } };
	struct rule_value https[] = { rules_port(443, 443) };
	struct rule_value ports[] = { rules_port(80, 80),
				      rules_port(443, 443) };
	struct rule_value ones[] = { rules_net("1.0.0.0/8") };
	struct rule_cond quic[] = { COND(RULE_L4PROTO, udp),
				    COND(RULE_DPORT, https) };
	struct rule_cond ones_not[] = { COND(RULE_DIP, ones),
					NOT(RULE_DPORT, ports) };
	struct config_rule r[] = { RULE(quic, { .action = RULE_BLOCK }) };
	struct config_rule r2[] = { RULE(ones_not, GROUP_TO) };
	struct config_routing routing = ROUTING(r, GROUP_TO);
	struct config_routing second = ROUTING(r2, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "1.1.1.1",
					      IPPROTO_TCP, 443);

	rules_expect(&routing, &q, DAE_RULE_FALLBACK, DAE_ACTION_GROUP, false,
		     false);
	rules_expect(&second, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, false,
		     false);
	q.l4proto = IPPROTO_UDP;
	rules_expect(&routing, &q, 0, DAE_ACTION_BLOCK, false, false);
	q.dport = 22;
	rules_expect(&second, &q, 0, DAE_ACTION_GROUP, false, false);
}

static void negation_comes_after_or(void **state DAE_UNUSED)
{
	struct rule_value nets[] = { rules_net("10.0.0.0/8"),
				     rules_net("192.168.0.0/16") };
	struct rule_cond c[] = { NOT(RULE_DIP, nets) };
	struct config_rule r[] = { RULE(c, GROUP_TO) };
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "192.168.1.1",
					      IPPROTO_TCP, 80);

	rules_expect(&routing, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, false,
		     false);
	q = rules_packet("10.0.0.1", "9.9.9.9", IPPROTO_TCP, 80);
	rules_expect(&routing, &q, 0, DAE_ACTION_GROUP, false, false);
	q = rules_packet("2001:db8::1", "2001:db8::2", IPPROTO_TCP, 80);
	rules_expect(&routing, &q, 0, DAE_ACTION_GROUP, false, false);
}

static void two_conditions_of_one_kind(void **state DAE_UNUSED)
{
	struct rule_value wide[] = { rules_net("10.0.0.0/8") };
	struct rule_value hole[] = { rules_net("10.1.0.0/16") };
	struct rule_cond c[] = { COND(RULE_DIP, wide), NOT(RULE_DIP, hole) };
	struct config_rule r[] = { RULE(c, GROUP_TO) };
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "10.1.2.3",
					      IPPROTO_TCP, 80);

	rules_expect(&routing, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, false,
		     false);
	q = rules_packet("10.0.0.1", "10.2.2.3", IPPROTO_TCP, 80);
	rules_expect(&routing, &q, 0, DAE_ACTION_GROUP, false, false);
}

static void unseen_functions(void **state DAE_UNUSED)
{
	char text[] = "curl";
	struct rule_value name[] = { { .text = text } };
	struct rule_value mac[] = { { .mac = { 2, 0, 0, 0, 0, 1 } } };
	struct rule_value geo[] = { { .key = RULE_KEY_GEOIP } };
	static const enum rule_fn fns[] = { RULE_DOMAIN, RULE_PNAME, RULE_DIP };
	struct rule_cond c[1], m[] = { COND(RULE_MAC, mac) };
	struct config_rule r[] = { RULE(c, GROUP_TO) };
	struct config_rule rm[] = { RULE(m, GROUP_TO) };
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct config_routing by_mac = ROUTING(rm, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "1.1.1.1",
					      IPPROTO_TCP, 80);
	size_t i;

	for (i = 0; i < ARRAY_LEN(fns); i++) {
		c[0] = (struct rule_cond)COND(fns[i], name);
		if (fns[i] == RULE_DIP)
			c[0].values = geo;
		rules_expect(&routing, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT,
			     false, false);
		c[0].negate = true;
		rules_expect(&routing, &q, 0, DAE_ACTION_GROUP, false, false);
	}
	/* a link without MAC addresses: neither "is" nor "is not" */
	rules_expect(&by_mac, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, false,
		     false);
	m[0].negate = true;
	rules_expect(&by_mac, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, false,
		     false);
	q.mac[0] = 4;
	rules_expect(&by_mac, &q, 0, DAE_ACTION_GROUP, false, false);
}

static void edges_of_values(void **state DAE_UNUSED)
{
	struct rule_value any4[] = { rules_net("0.0.0.0/0") };
	struct rule_value top[] = { rules_net("255.255.255.255"),
				    rules_net("ffff::/16"),
				    rules_port(65535, 65535) };
	struct rule_value reversed[] = { rules_port(90, 80) };
	struct rule_value last[] = { rules_port(65535, 65535) };
	struct rule_cond all[] = { COND(RULE_DIP, any4) };
	struct rule_cond high[] = {
		{ .fn = RULE_DIP, .values = top, .value_count = 2 }
	};
	struct rule_cond rev[] = { COND(RULE_DPORT, reversed) };
	struct rule_cond end[] = { COND(RULE_DPORT, last) };
	struct config_rule r[] = { RULE(rev, GROUP_TO), RULE(end, GROUP_TO),
				   RULE(high, GROUP_TO), RULE(all, GROUP_TO) };
	struct config_routing routing = ROUTING(r, DIRECT_TO);
	struct ruleset_query q = rules_packet("10.0.0.1", "0.0.0.0",
					      IPPROTO_TCP, 85);

	rules_expect(&routing, &q, 3, DAE_ACTION_GROUP, false, false);
	q = rules_packet("10.0.0.1", "255.255.255.255", IPPROTO_TCP, 85);
	rules_expect(&routing, &q, 2, DAE_ACTION_GROUP, false, false);
	q.dport = 65535;
	rules_expect(&routing, &q, 1, DAE_ACTION_GROUP, false, false);
	q = rules_packet("2001::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			 IPPROTO_TCP, 1);
	rules_expect(&routing, &q, 2, DAE_ACTION_GROUP, false, false);
	q = rules_packet("2001::1", "::", IPPROTO_TCP, 1);
	rules_expect(&routing, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT, false,
		     false);
}

static void limits_are_errors(void **state DAE_UNUSED)
{
	struct rules_error err;
	struct rules_image img = { 0 };
	struct rulegen g;
	struct config_rule bad = { .out = { .action = RULE_GROUP,
					    .group = RULEGEN_GROUPS },
				   .pos = { .line = 7, .column = 3 } };
	struct config_routing one = { .rules = &bad, .rule_count = 1 };

	rulegen_make(&g, RULEGEN_PORT, DAE_RULES_MAX + 1, 3);
	g.routing.rules[DAE_RULES_MAX].pos.line = 99;
	assert_int_equal(rules_compile(&g.routing, &rules_case_options, &img,
				       &err),
			 -E2BIG);
	assert_int_equal(err.pos.line, 99);
	rulegen_free(&g);
	assert_int_equal(rules_compile(&one, &rules_case_options, &img, &err),
			 -EINVAL);
	assert_int_equal(err.pos.line, 7);
	assert_null(img.data);
}

/* A list of any length is one rule. */
static void long_lists(void **state DAE_UNUSED)
{
	enum { COUNT = 20000 };
	struct rule_value *v = calloc(COUNT, sizeof(*v));
	struct rule_cond c = { .fn = RULE_DIP,
			       .values = v,
			       .value_count = COUNT };
	struct config_rule r = { .conds = &c,
				 .cond_count = 1,
				 .out = GROUP_TO };
	struct config_routing routing = { .rules = &r,
					  .rule_count = 1,
					  .fallback = DIRECT_TO };
	struct ruleset_verdict twin;
	struct rules_image img;
	struct ruleset set;
	struct ruleset_query q = rules_packet("10.0.0.1", "1.1.1.1",
					      IPPROTO_TCP, 80);
	size_t i;

	assert_non_null(v);
	for (i = 0; i < COUNT; i++) {
		v[i].prefix.addr = q.dst;
		v[i].prefix.addr.b[12] = (uint8_t)(20 + i / 7000);
		v[i].prefix.addr.b[13] = (uint8_t)(i % 7000 / 28);
		v[i].prefix.addr.b[14] = (uint8_t)(i % 28 * 9);
		v[i].prefix.addr.b[15] = (uint8_t)(i % 5 << 5);
		v[i].prefix.len = (uint8_t)(27 + i % 6);
	}
	rules_open(&routing, &img, &set);
	for (i = 0; i < COUNT; i++) {
		q.dst = v[i].prefix.addr;
		assert_int_equal(ruleset_eval(&set, &q, &twin), 0);
		assert_int_equal(twin.rule, 0);
		q.dst.b[14]++; /* between the multiples of 9 */
		assert_int_equal(ruleset_eval(&set, &q, &twin), 0);
		assert_int_equal(twin.rule, DAE_RULE_FALLBACK);
	}
	rules_image_free(&img);
	free(v);
}

static void many_macs(void **state DAE_UNUSED)
{
	enum { COUNT = 900 };
	struct rule_value *v = calloc(COUNT, sizeof(*v));
	struct rule_cond c = { .fn = RULE_MAC,
			       .values = v,
			       .value_count = COUNT };
	struct config_rule r = { .conds = &c,
				 .cond_count = 1,
				 .out = GROUP_TO };
	struct config_routing routing = { .rules = &r,
					  .rule_count = 1,
					  .fallback = DIRECT_TO };
	struct rulegen g = { .state = 5 };
	size_t i, k;

	assert_non_null(v);
	for (i = 0; i < COUNT; i++)
		for (k = 0; k < 6; k++)
			v[i].mac[k] = (uint8_t)rulegen_random(&g, 256);
	for (i = 0; i < COUNT; i += 100) {
		struct ruleset_query q = rules_packet("10.0.0.1", "1.1.1.1",
						      IPPROTO_TCP, 80);

		memcpy(q.mac, v[i].mac, 6);
		rules_expect(&routing, &q, 0, DAE_ACTION_GROUP, false, false);
		q.mac[3] ^= 0x55;
		rules_expect(&routing, &q, DAE_RULE_FALLBACK, DAE_ACTION_DIRECT,
			     false, false);
	}
	free(v);
}

static void ids_are_stable(void **state DAE_UNUSED)
{
	const char *const first[] = { "a", "b", "c" };
	const char *const second[] = { "c", "d", "a" };
	struct rules_id_map map = { 0 };
	uint16_t x[3], y[3], z[3];

	assert_int_equal(rules_id_assign(&map, first, 3, x), 0);
	assert_int_equal(rules_id_assign(&map, second, 3, y), 0);
	assert_int_equal(y[0], x[2]);
	assert_int_equal(y[2], x[0]);
	assert_int_not_equal(y[1], x[1]); /* b is not reused while free */
	assert_int_equal(rules_id_assign(&map, first, 3, z), 0);
	assert_memory_equal(x, z, sizeof(x));
	rules_id_map_clear(&map);
}

static void ids_run_out(void **state DAE_UNUSED)
{
	char text[RULESET_GROUPS_MAX + 1][8];
	const char *names[RULESET_GROUPS_MAX + 1];
	uint16_t got[RULESET_GROUPS_MAX];
	struct rules_id_map map = { 0 };
	const char *const one[] = { "new" };
	size_t i;

	for (i = 0; i <= RULESET_GROUPS_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "g%zu", i);
		names[i] = text[i];
	}
	assert_int_equal(rules_id_assign(&map, names, RULESET_GROUPS_MAX + 1,
					 got),
			 -E2BIG);
	assert_int_equal(rules_id_assign(&map, names, RULESET_GROUPS_MAX, got),
			 0);
	assert_int_equal(rules_id_assign(&map, names, 100, got), 0);
	/* all names known: the new one takes the longest unused */
	assert_int_equal(rules_id_assign(&map, one, 1, got), 0);
	assert_int_equal(got[0], 100);
	rules_id_map_clear(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules_agree),
		cmocka_unit_test(dns_is_kept_unless_must),
		cmocka_unit_test(must_rules_is_sticky),
		cmocka_unit_test(conditions_are_joined),
		cmocka_unit_test(negation_comes_after_or),
		cmocka_unit_test(two_conditions_of_one_kind),
		cmocka_unit_test(unseen_functions),
		cmocka_unit_test(edges_of_values),
		cmocka_unit_test(limits_are_errors),
		cmocka_unit_test(long_lists),
		cmocka_unit_test(many_macs),
		cmocka_unit_test(ids_are_stable),
		cmocka_unit_test(ids_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
