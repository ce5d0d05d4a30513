/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow table walked from user space: what is shown, in which steps, and
 * what becomes of flows that are forgotten. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/clock.h"
#include "supervisor/datapath/flowtable.h"
#include "tests/bpf/rig.h"

enum { GROUP = 2, FIRST_PORT = 1000, FLOWS = 400 };

#define PATIENT_NS NS_PER_S

static const struct config_routing to_group = {
	.fallback = { .action = RULE_GROUP, .group = GROUP },
};
static const struct config_routing to_direct = {
	.fallback = { .action = RULE_DIRECT, .has_mark = true, .mark = 0x55 },
};

static int setup(void **state)
{
	static const uint16_t targets[] = { 10, 11 };
	struct rig *r = *state;

	rig_open(r, ATTACH_AUTO, 8192);
	rig_load(r, &to_group);
	rig_target_mark(r, 10, 10);
	rig_target_mark(r, 11, 11);
	rig_group(r, GROUP, targets, 2, DAE_DEAD_BLOCK);
	return 0;
}

static void send_one(struct rig *r, bool is_v6, uint8_t proto, uint16_t port)
{
	struct ruleset_query q;
	struct frame f;

	query_make(&q, is_v6 ? "2001:db8::10" : "192.168.0.1",
		   is_v6 ? "2606:4700::1111" : "1.1.1.1", proto, port);
	frame_make(&f, &q, proto == IPPROTO_TCP ? RIG_SYN : 0, true);
	assert_int_equal(rig_run(r, &f).verdict, RIG_PASS);
}

struct seen {
	size_t count, of_ports[FLOWS];
	struct datapath_flow last;
	enum flow_wish wish;
};

static enum flow_wish look(void *ctx, const struct datapath_flow *f)
{
	struct seen *s = ctx;

	s->count++;
	s->last = *f;
	if (f->dport >= FIRST_PORT && f->dport < FIRST_PORT + FLOWS)
		s->of_ports[f->dport - FIRST_PORT]++;
	return s->wish;
}

static void walk(struct rig *r, struct seen *s)
{
	uint64_t cursor = 0;

	memset(s->of_ports, 0, sizeof(s->of_ports));
	s->count = 0;
	assert_int_equal(
		datapath_walk_flows(r->d, &cursor, PATIENT_NS, look, s), 1);
}

static void shows_what_a_flow_is(void **state)
{
	static const struct {
		bool is_v6;
		uint8_t proto;
	} kinds[] = { { false, IPPROTO_TCP },
		      { false, IPPROTO_UDP },
		      { true, IPPROTO_TCP },
		      { true, IPPROTO_UDP } };
	struct seen s = { .wish = FLOW_KEEP };
	struct rig *r = *state;
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		setup(state);
		send_one(r, kinds[i].is_v6, kinds[i].proto, 443);
		walk(r, &s);
		assert_int_equal(s.count, 1);
		assert_string_equal(addr_format(&s.last.src, text),
				    kinds[i].is_v6 ? "2001:db8::10"
						   : "192.168.0.1");
		assert_string_equal(addr_format(&s.last.dst, text),
				    kinds[i].is_v6 ? "2606:4700::1111"
						   : "1.1.1.1");
		assert_int_equal(s.last.sport, 19233);
		assert_int_equal(s.last.dport, 443);
		assert_int_equal(s.last.l4proto, kinds[i].proto);
		assert_int_equal(s.last.kind, DAE_KIND_DIRECT);
		assert_true(s.last.has_group);
		assert_int_equal(s.last.group, GROUP);
		assert_int_equal(s.last.target, 10);
		assert_int_equal(s.last.mark, 10);
		assert_true(s.last.idle_ms < 2000);
	}
}

static void a_decision_without_a_group(void **state)
{
	struct seen s = { .wish = FLOW_KEEP };
	struct rig *r = *state;

	rig_load(r, &to_direct);
	send_one(r, false, IPPROTO_TCP, 80);
	walk(r, &s);
	assert_int_equal(s.count, 1);
	assert_false(s.last.has_group);
	assert_int_equal(s.last.kind, DAE_KIND_DIRECT);
	assert_int_equal(s.last.mark, 0x55);
}

/* A flow that had no packet for a while says so. */
static void idle_time_passes(void **state)
{
	static const struct timespec pause = { .tv_nsec = 600 * 1000 * 1000 };
	struct seen s = { .wish = FLOW_KEEP };
	struct rig *r = *state;

	send_one(r, false, IPPROTO_TCP, 80);
	nanosleep(&pause, NULL);
	walk(r, &s);
	assert_true(s.last.idle_ms >= 500 && s.last.idle_ms < 3000);
}

static void send_many(struct rig *r)
{
	for (uint16_t i = 0; i < FLOWS; i++)
		send_one(r, i % 2, i % 3 ? IPPROTO_TCP : IPPROTO_UDP,
			 (uint16_t)(FIRST_PORT + i));
}

/* In steps of no time at all: each flow once, and an end. */
static void steps_visit_each_flow_once(void **state)
{
	struct seen s = { .wish = FLOW_KEEP };
	struct rig *r = *state;
	uint64_t cursor = 0, before, began, longest = 0;
	size_t steps = 0, missing = 0;
	int e;

	send_many(r);
	do {
		before = cursor;
		began = clock_mono_ns();
		e = datapath_walk_flows(r->d, &cursor, 0, look, &s);
		longest = MAX(longest, clock_mono_ns() - began);
		assert_true(e >= 0);
		assert_true(e == 1 || cursor > before);
		steps++;
	} while (e == 0);
	for (size_t i = 0; i < FLOWS; i++) {
		assert_true(s.of_ports[i] <= 1);
		missing += !s.of_ports[i];
	}
	/* two flows of a set may have put a third one out */
	assert_true(missing < FLOWS / 20);
	assert_true(steps > 10);
	print_message("%zu steps, the longest %lu us\n", steps,
		      (unsigned long)(longest / NS_PER_US));
}

/* The visitor ends a step, and the next one begins behind that flow. */
static void a_visitor_stops(void **state)
{
	struct seen s = { .wish = FLOW_STOP };
	struct rig *r = *state;
	uint64_t cursor = 0;
	size_t all;

	send_many(r);
	while (datapath_walk_flows(r->d, &cursor, PATIENT_NS, look, &s) == 0)
		assert_int_equal(s.last.position, cursor);
	all = s.count;
	s.wish = FLOW_KEEP;
	walk(r, &s);
	assert_int_equal(s.count, all);
}

static void forgotten_flows_are_decided_anew(void **state)
{
	struct seen s = { .wish = FLOW_FORGET };
	struct rig *r = *state;
	struct ruleset_query q;
	struct frame f;

	query_make(&q, "192.168.0.1", "1.1.1.1", IPPROTO_UDP, 80);
	frame_make(&f, &q, 0, true);
	assert_int_equal(rig_run(r, &f).mark, 10);
	rig_load(r, &to_direct);
	assert_int_equal(rig_run(r, &f).mark, 10); /* as remembered */
	walk(r, &s);
	assert_int_equal(s.count, 1);
	walk(r, &s);
	assert_int_equal(s.count, 0);
	assert_int_equal(rig_run(r, &f).mark, 0x55);
	walk(r, &s);
	assert_int_equal(s.count, 1);
}

/* --- decided anew --- */

enum { OTHER_GROUP = 3 };

static void send_flags(struct rig *r, uint8_t proto, uint8_t flags, int verdict,
		       uint32_t mark)
{
	struct rig_result got;
	struct ruleset_query q;
	struct frame f;

	query_make(&q, "192.168.0.1", "1.1.1.1", proto, 80);
	frame_make(&f, &q, flags, true);
	got = rig_run(r, &f);
	assert_int_equal(got.verdict, verdict);
	if (verdict == RIG_PASS)
		assert_int_equal(got.mark, mark);
}

static const struct config_routing to_block = {
	.fallback = { .action = RULE_BLOCK },
};
static const struct config_routing to_other = {
	.fallback = { .action = RULE_GROUP, .group = OTHER_GROUP },
};
static const struct config_routing to_plain = {
	.fallback = { .action = RULE_DIRECT },
};

/* Rules in force, those after a reload, and where the flow's next packet goes
 * then. Group 2 prefers the node with mark 10, group 3 is an engine. */
static const struct {
	const struct config_routing *before, *after;
	uint8_t proto;
	int verdict;
	uint32_t mark;
} reclassified[] = {
	{ &to_direct, &to_plain, IPPROTO_TCP, RIG_PASS, 0 },
	{ &to_direct, &to_block, IPPROTO_TCP, RIG_DROP, 0 },
	{ &to_direct, &to_group, IPPROTO_TCP, RIG_PASS, 10 },
	/* to an engine in mid-stream: delivered here, where it is reset */
	{ &to_direct, &to_other, IPPROTO_TCP, RIG_PASS, RIG_MARK },
	{ &to_group, &to_direct, IPPROTO_TCP, RIG_PASS, 0x55 },
	{ &to_group, &to_group, IPPROTO_TCP, RIG_PASS, 11 },
	{ &to_direct, &to_plain, IPPROTO_UDP, RIG_PASS, 0 },
	{ &to_direct, &to_block, IPPROTO_UDP, RIG_DROP, 0 },
	{ &to_direct, &to_group, IPPROTO_UDP, RIG_PASS, 10 },
	{ &to_block, &to_direct, IPPROTO_UDP, RIG_PASS, 0x55 },
	{ &to_group, &to_block, IPPROTO_UDP, RIG_DROP, 0 },
	{ &to_group, &to_group, IPPROTO_UDP, RIG_PASS, 11 },
};

static void reclassified_flows_go_by_new_rules(void **state)
{
	struct seen s = { .wish = FLOW_AGAIN };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(reclassified); i++) {
		uint8_t proto = reclassified[i].proto;
		bool is_same = reclassified[i].before == reclassified[i].after;
		uint8_t syn = proto == IPPROTO_TCP ? RIG_SYN : 0;
		uint8_t ack = proto == IPPROTO_TCP ? RIG_ACK : 0;
		static const uint16_t engine[] = { 12 };
		struct ruleset_query q;
		struct frame f;

		setup(state);
		datapath_set_reclassify(r->d, true);
		rig_target_tproxy(r, 12, "127.0.0.1", 9);
		rig_group(r, OTHER_GROUP, engine, 1, DAE_DEAD_BLOCK);
		rig_load(r, reclassified[i].before);
		/* decided while only the second node was alive */
		for (int c = 0; is_same && c < DAE_CLASS_COUNT; c++)
			datapath_set_alive(r->d, GROUP, (enum dae_class)c, 2);
		query_make(&q, "192.168.0.1", "1.1.1.1", proto, 80);
		frame_make(&f, &q, syn, true);
		rig_run(r, &f);
		for (int c = 0; is_same && c < DAE_CLASS_COUNT; c++)
			datapath_set_alive(r->d, GROUP, (enum dae_class)c, 3);
		rig_load(r, reclassified[i].after);
		walk(r, &s);
		assert_int_equal(s.count, 1);
		/* twice: the second time it is remembered, or asked again */
		for (int k = 0; k < 2; k++)
			send_flags(r, proto, ack, reclassified[i].verdict,
				   reclassified[i].mark);
		assert_true(rig_count(r, DAE_COUNT_DECIDED_ANEW) >= 1);
		if (reclassified[i].mark != RIG_MARK)
			assert_int_equal(rig_count(r, DAE_COUNT_DECIDED_ANEW),
					 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(shows_what_a_flow_is, setup),
		cmocka_unit_test_setup(a_decision_without_a_group, setup),
		cmocka_unit_test_setup(idle_time_passes, setup),
		cmocka_unit_test_setup(steps_visit_each_flow_once, setup),
		cmocka_unit_test_setup(a_visitor_stops, setup),
		cmocka_unit_test_setup(forgotten_flows_are_decided_anew, setup),
		cmocka_unit_test(reclassified_flows_go_by_new_rules),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
