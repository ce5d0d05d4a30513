/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New decisions as they are told: which, what of them, how many. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/clock.h"
#include "supervisor/datapath/tap.h"
#include "tests/bpf/rig.h"

enum { GROUP = 2, NODE = 10, MARK_NODE = 0x300, MARK_PLAIN = 0x55 };

#define KEPT 4096

struct told {
	struct datapath_decision x[KEPT];
	size_t count;
};

static struct told told;
static struct rule_value values[2];
static struct rule_cond conds[2];
static struct config_rule rules[2];
static const struct config_routing routing = {
	.rules = rules,
	.rule_count = 2,
	.fallback = { .action = RULE_DIRECT,
		      .has_mark = true,
		      .mark = MARK_PLAIN },
};

/* Rule 0: to 10.0.0.0/8 by the group, rule 1: to port 25 not at all. */
static int setup(void **state)
{
	static const uint16_t nodes[] = { NODE };
	struct rig *r = *state;

	values[0] = (struct rule_value){ .key = RULE_KEY_LITERAL };
	assert_int_equal(prefix_parse("10.0.0.0/8", &values[0].prefix), 0);
	values[1] = (struct rule_value){ .range = { 25, 25 } };
	conds[0] = (struct rule_cond){ .fn = RULE_DIP,
				       .values = &values[0],
				       .value_count = 1 };
	conds[1] = (struct rule_cond){ .fn = RULE_DPORT,
				       .values = &values[1],
				       .value_count = 1 };
	rules[0] = (struct config_rule){
		.conds = &conds[0],
		.cond_count = 1,
		.out = { .action = RULE_GROUP, .group = GROUP },
	};
	rules[1] = (struct config_rule){ .conds = &conds[1],
					 .cond_count = 1,
					 .out = { .action = RULE_BLOCK } };
	rig_open(r, ATTACH_AUTO, 4096);
	rig_target_mark(r, NODE, MARK_NODE);
	rig_group(r, GROUP, nodes, 1, DAE_DEAD_BLOCK);
	rig_load(r, &routing);
	told.count = 0;
	return 0;
}

static void on_decision(void *ctx, const struct datapath_decision *x)
{
	struct told *t = ctx;

	assert_true(t->count < KEPT);
	t->x[t->count++] = *x;
}

static struct datapath_tap *
tap_begin(struct rig *r, struct datapath_tap_filter f, uint32_t allow)
{
	struct datapath_tap *t = NULL;

	if (!f.until_ns)
		f.until_ns = clock_mono_ns() + 60 * NS_PER_S;
	assert_int_equal(tap_open(&t, r->d, &f, on_decision, &told), 0);
	tap_allow(t, allow);
	return t;
}

static void send_one(struct rig *r, const char *src, const char *dst,
		     uint8_t proto, uint16_t dport)
{
	struct ruleset_query q;
	struct frame f;

	query_make(&q, src, dst, proto, dport);
	frame_make(&f, &q, proto == IPPROTO_TCP ? RIG_SYN : 0, true);
	rig_run(r, &f);
}

static void decisions_are_told(void **state)
{
	struct rig *r = *state;
	uint64_t began = clock_mono_ns();
	struct datapath_tap *t = tap_begin(r, (struct datapath_tap_filter){ 0 },
					   100);
	const struct datapath_decision *x = told.x;
	char text[ADDR_STRLEN];

	send_one(r, "192.168.0.1", "10.1.2.3", IPPROTO_TCP, 443);
	send_one(r, "192.168.0.1", "192.0.2.5", IPPROTO_UDP, 25);
	send_one(r, "2001:db8::1", "2001:db8:9::2", IPPROTO_TCP, 80);
	/* known already, not decided again */
	send_one(r, "192.168.0.1", "192.0.2.5", IPPROTO_UDP, 25);
	tap_read(t);
	assert_int_equal(told.count, 3);
	assert_string_equal(addr_format(&x[0].src, text), "192.168.0.1");
	assert_string_equal(addr_format(&x[0].dst, text), "10.1.2.3");
	assert_int_equal(x[0].sport, 19233);
	assert_int_equal(x[0].dport, 443);
	assert_int_equal(x[0].rule, 0);
	assert_true(x[0].has_group && !x[0].is_host);
	assert_int_equal(x[0].group, GROUP);
	assert_int_equal(x[0].target, NODE);
	assert_int_equal(x[0].kind, DAE_KIND_DIRECT);
	assert_int_equal(x[0].mark, MARK_NODE);
	assert_true(x[0].time_ns >= began && x[0].time_ns <= clock_mono_ns());
	assert_int_equal(x[1].rule, 1);
	assert_int_equal(x[1].l4proto, IPPROTO_UDP);
	assert_int_equal(x[1].kind, DAE_KIND_BLOCK);
	assert_string_equal(addr_format(&x[2].dst, text), "2001:db8:9::2");
	assert_int_equal(x[2].rule, DAE_RULE_FALLBACK);
	assert_false(x[2].has_group);
	assert_int_equal(x[2].mark, MARK_PLAIN);
	assert_int_equal(tap_lost(t), 0);
	tap_close(&t);
	send_one(r, "192.168.0.1", "10.1.2.4", IPPROTO_TCP, 443);
	t = tap_begin(r, (struct datapath_tap_filter){ 0 }, 100);
	tap_read(t);
	assert_int_equal(told.count, 3); /* nothing while it was off */
	tap_close(&t);
}

/* Each of these tells of one of four flows. */
static const struct {
	const char *src, *dst;
	uint16_t port;
	uint8_t proto;
	const char *want;
} filters[] = {
	{ "192.168.0.0/24", NULL, 0, 0, "10.1.2.3" },
	{ NULL, "192.0.2.5/32", 0, 0, "192.0.2.5" },
	{ NULL, "2001:db8:9::/48", 0, 0, "2001:db8:9::2" },
	{ "::/0", NULL, 80, 0, "2001:db8:9::2" },
	{ NULL, "0.0.0.0/0", 443, 0, "10.1.2.3" },
	{ NULL, NULL, 0, IPPROTO_UDP, "192.0.2.5" },
	{ NULL, NULL, 8080, IPPROTO_TCP, "203.0.113.9" },
	{ "192.168.1.2", "203.0.113.0/24", 8080, IPPROTO_TCP, "203.0.113.9" },
};

static void filters_choose(void **state)
{
	struct rig *r = *state;
	struct datapath_tap *t;
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct datapath_tap_filter f = { .port = filters[i].port,
						 .l4proto = filters[i].proto };

		if (filters[i].src)
			assert_int_equal(prefix_parse(filters[i].src, &f.src),
					 0);
		if (filters[i].dst)
			assert_int_equal(prefix_parse(filters[i].dst, &f.dst),
					 0);
		setup(state);
		t = tap_begin(r, f, 100);
		send_one(r, "192.168.0.1", "10.1.2.3", IPPROTO_TCP, 443);
		send_one(r, "192.168.1.1", "192.0.2.5", IPPROTO_UDP, 25);
		send_one(r, "2001:db8::1", "2001:db8:9::2", IPPROTO_TCP, 80);
		send_one(r, "192.168.1.2", "203.0.113.9", IPPROTO_TCP, 8080);
		tap_read(t);
		tap_close(&t);
		if (told.count != 1)
			fail_msg("filter %zu: %zu told", i, told.count);
		assert_string_equal(addr_format(&told.x[0].dst, text),
				    filters[i].want);
	}
}

static void send_many(struct rig *r, unsigned int net, unsigned int n)
{
	char dst[ADDR_STRLEN];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(dst, sizeof(dst), "10.%u.%u.%u", net, i >> 8, i & 255);
		send_one(r, "192.168.0.1", dst, IPPROTO_TCP, 443);
	}
}

static void no_more_than_allowed(void **state)
{
	struct rig *r = *state;
	struct datapath_tap *t = tap_begin(r, (struct datapath_tap_filter){ 0 },
					   10);

	send_many(r, 1, 25);
	tap_read(t);
	assert_int_equal(told.count, 10);
	assert_int_equal(tap_lost(t), 15);
	tap_allow(t, 5);
	send_many(r, 2, 7);
	tap_read(t);
	assert_int_equal(told.count, 15);
	assert_int_equal(tap_lost(t), 17);
	tap_close(&t);
}

static void a_full_ring_is_counted(void **state)
{
	struct rig *r = *state;
	struct datapath_tap *t = tap_begin(r, (struct datapath_tap_filter){ 0 },
					   100000);

	send_many(r, 1, 2000);
	tap_read(t);
	assert_true(told.count > 100);
	assert_true(tap_lost(t) > 0);
	assert_int_equal(told.count + tap_lost(t), 2000);
	tap_close(&t);
}

static void time_out_turns_it_off(void **state)
{
	struct rig *r = *state;
	struct datapath_tap *t = tap_begin(
		r, (struct datapath_tap_filter){ .until_ns = clock_mono_ns() },
		100);

	send_many(r, 1, 5);
	tap_read(t);
	assert_int_equal(told.count, 0);
	assert_int_equal(tap_lost(t), 0);
	tap_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(decisions_are_told, setup),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test_setup(no_more_than_allowed, setup),
		cmocka_unit_test_setup(a_full_ring_is_counted, setup),
		cmocka_unit_test_setup(time_out_turns_it_off, setup),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
