/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outages and days, as the whole prober lives through them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_prober_world.h"

static void test_single_dead_node(void **state)
{
	static struct world w;
	uint32_t before, dead;
	uint64_t t;

	(void)state;
	world_start(&w, 3);
	world_run(&w, 120 * S, 10 * NS_PER_MS);
	before = group_selected(&w.p->groups[0], CHECK_TCP4);
	dead = (uint32_t)target_table_get(w.p->targets, before)->config_index;
	w.node_dead[dead] = true;
	t = w.now.mono_ns;
	while (world_node(&w, dead)->checks[CHECK_TCP4].health.verdict ==
	       VERDICT_UP)
		world_run(&w, 10 * NS_PER_MS, 10 * NS_PER_MS);
	/* one interval to ask, an instant to make sure of the uplink */
	assert_true(w.now.mono_ns - t < 34 * S);
	assert_int_not_equal(group_selected(&w.p->groups[0], CHECK_TCP4),
			     before);
	assert_int_equal(offline_state(w.p->offline), ONLINE);
	w.node_dead[dead] = false;
	world_run(&w, 120 * S, 20 * NS_PER_MS);
	assert_int_equal(world_node(&w, dead)->state, NODE_UP);
	world_expect_ledger(&w);
	world_stop(&w);
}

/* Ten minutes without uplink: @tells says whether the kernel notices. */
static void outage(bool tells)
{
	static struct world w;
	uint32_t selected;
	uint64_t changes, returned_ns;

	world_start(&w, 80);
	world_run(&w, 400 * S, 20 * NS_PER_MS);
	selected = group_selected(&w.p->groups[0], CHECK_TCP4);
	changes = w.changes;
	w.is_up = false;
	if (tells)
		prober_link(w.p, false, true, &w.now);
	world_run(&w, 600 * S, 20 * NS_PER_MS);
	assert_int_equal(offline_state(w.p->offline), OFFLINE);
	assert_int_equal(w.changes, changes);
	w.is_up = true;
	w.first_ok_ns = 0;
	w.most = 0;
	returned_ns = w.now.mono_ns;
	assert_int_equal(group_selected(&w.p->groups[0], CHECK_TCP4), selected);
	if (tells)
		prober_link(w.p, true, true, &w.now);
	world_run(&w, 2 * S, 5 * NS_PER_MS);
	assert_true(w.first_ok_ns && w.first_ok_ns - returned_ns < 2 * S);
	world_run(&w, 300 * S, 20 * NS_PER_MS);
	assert_int_equal(offline_state(w.p->offline), ONLINE);
	assert_true(w.most <= 32 + OFFLINE_WITNESSES + 4);
	assert_int_equal(group_selected(&w.p->groups[0], CHECK_TCP4), selected);
	for (uint32_t i = 0; i < 80; i++)
		assert_int_equal(world_node(&w, i)->state, NODE_UP);
	assert_int_equal(w.changes, changes); /* not one verdict moved */
	assert_int_equal(w.p->totals.results[OUTCOME_WORKER_LOST], 0);
	world_expect_ledger(&w);
	world_stop(&w);
}

/* 0 verdict changes and the same selection: the tolerance keeps latency noise
 * out of it. */
static void test_outage_noticed(void **state)
{
	(void)state;
	outage(true);
}

static void test_outage_silent(void **state)
{
	(void)state;
	outage(false);
}

static void test_dead_uplink_at_start(void **state)
{
	static struct world w;

	(void)state;
	world_start(&w, 20);
	w.is_up = false;
	prober_link(w.p, false, true, &w.now);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(world_node(&w, i)->state, NODE_UNKNOWN);
	w.is_up = true;
	prober_link(w.p, true, true, &w.now);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(world_node(&w, i)->state, NODE_UP);
	world_stop(&w);
}

/* A day of @nodes from 08:00 on; what it cost, by the calendar. */
static struct budget day(uint32_t nodes, uint32_t tcp, uint32_t udp,
			 uint64_t daily)
{
	static struct world w;
	struct budget b;

	world_start(&w, nodes);
	w.p->budget.daily_bytes = daily;
	w.bytes[CHECK_TCP4] = tcp;
	w.bytes[CHECK_UDP4] = udp;
	world_run(&w, 86400 * S, 100 * NS_PER_MS);
	b = w.p->budget;
	world_expect_ledger(&w);
	world_stop(&w);
	return b;
}

static void test_a_day_is_affordable(void **state)
{
	(void)state;
	/* a TLS request is some 5.5 kB, a QUIC handshake some 7 kB */
	assert_in_range(day(80, 5500, 200, 0).total_bytes, 100000000,
			300000000);
}

/* Only what a group would take for a selection is asked often about it. */
static void test_hot_by_selection(void **state)
{
	static struct world w;
	uint32_t often[TARGET_CHECKS] = { 0 };

	(void)state;
	world_start(&w, 40);
	world_run(&w, 900 * S, 100 * NS_PER_MS);
	for (uint32_t i = 0; i < 40; i++)
		for (unsigned int k = 0; k < TARGET_CHECKS; k++) {
			uint32_t id = target_check_id(world_node(&w, i)->index,
						      k);

			if (schedule_interval_ns(w.p->schedule, id, false) ==
			    30 * S)
				often[k]++;
		}
	assert_in_range(often[CHECK_TCP4], 1, 3);
	assert_in_range(often[CHECK_UDP4], 1, 3);
	world_stop(&w);
}

static void test_a_day_within_budget(void **state)
{
	struct budget b = day(40, 7000, 7000, 50000000);

	(void)state;
	/* the first evening may use all, the night and morning their share */
	assert_in_range(b.yesterday_bytes, 45000000, 50500000);
	assert_in_range(b.today_bytes, 12000000, 20000000);
	assert_int_equal(b.total_bytes, b.yesterday_bytes + b.today_bytes);
}

/* A resolver on our side of the uplink answers whatever happens to that, and
 * is not asked about it. */
static void test_local_upstream_is_no_witness(void **state)
{
	static struct config_upstream lan = {
		.name = (char *)"lan", .url = (char *)"udp://192.168.1.1:53"
	};
	static struct world w;
	struct target *t;

	(void)state;
	world_start(&w, 4);
	prober_free(&w.p);
	w.config.dns.upstreams = &lan;
	w.config.dns.upstream_count = 1;
	w.lan = "lan";
	assert_int_equal(prober_new(&w.p, &w.config, NULL, &w.now), 0);
	world_run(&w, 400 * S, 20 * NS_PER_MS);
	w.is_up = false;
	world_run(&w, 120 * S, 20 * NS_PER_MS);
	t = target_table_find_name(w.p->targets, TARGET_UPSTREAM, "lan");
	assert_int_equal(t->state, NODE_UP);
	assert_int_equal(offline_state(w.p->offline), OFFLINE);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(world_node(&w, i)->state, NODE_UP);
	world_stop(&w);
}

/* A link that flaps has everything asked again, but not each time. */
static void test_link_changes_are_damped(void **state)
{
	static struct world w;
	uint64_t before;

	(void)state;
	world_start(&w, 80);
	world_run(&w, 700 * S, 50 * NS_PER_MS);
	before = w.finals;
	for (int i = 0; i < 50; i++) {
		prober_link(w.p, true, true, &w.now);
		world_run(&w, S / 5, 50 * NS_PER_MS);
	}
	world_run(&w, 40 * S, 50 * NS_PER_MS);
	assert_in_range(w.finals - before, 81 * 4, 81 * 4 * 3);
	world_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_dead_node),
		cmocka_unit_test(test_outage_noticed),
		cmocka_unit_test(test_outage_silent),
		cmocka_unit_test(test_dead_uplink_at_start),
		cmocka_unit_test(test_a_day_is_affordable),
		cmocka_unit_test(test_hot_by_selection),
		cmocka_unit_test(test_a_day_within_budget),
		cmocka_unit_test(test_local_upstream_is_no_witness),
		cmocka_unit_test(test_link_changes_are_damped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
