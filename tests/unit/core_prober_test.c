/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/prober.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_prober_world.h"

static void test_all_come_up(void **state)
{
	static struct world w;

	(void)state;
	world_start(&w, 80);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 80; i++) {
		assert_int_equal(world_node(&w, i)->state, NODE_UP);
		assert_int_equal(
			world_node(&w, i)->checks[CHECK_TCP4].health.verdict,
			VERDICT_UP);
		assert_int_equal(
			world_node(&w, i)->checks[CHECK_TCP6].health.verdict,
			VERDICT_NOT_APPLICABLE);
	}
	assert_int_not_equal(group_selected(&w.p->groups[0], CHECK_TCP4),
			     TARGET_NONE);
	assert_true(w.most <= 32);
	world_expect_ledger(&w);
	world_stop(&w);
}

static void test_worker_lost_redispatches(void **state)
{
	static struct world w;
	struct job_stats st;

	(void)state;
	world_start(&w, 20);
	for (int i = 0; i < 50; i++) {
		world_run(&w, S, 20 * NS_PER_MS);
		w.flying = 0; /* kill -9: nobody is to blame */
		prober_worker_lost(w.p, 0, 1, false, &w.now);
	}
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	job_table_stats(w.p->jobs, &st);
	assert_true(st.redispatched > 0);
	assert_int_equal(w.p->totals.results[OUTCOME_WORKER_LOST], 0);
	assert_int_equal(w.p->totals.late_results, 0);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(world_node(&w, i)->state, NODE_UP);
	world_expect_ledger(&w);
	world_stop(&w);
}

/* What had no worker for most of its time is not judged by the rest. */
static void test_hurried_timeout_is_ours(void **state)
{
	const struct result late = { .outcome = OUTCOME_RESPONSE_TIMEOUT,
				     .phase = PHASE_FIRST_BYTE };
	struct prober_final final;
	static struct world w;
	struct job *j;

	(void)state;
	for (int hurried = 0; hurried < 2; hurried++) {
		world_start(&w, 2);
		while (!(j = prober_next_job(w.p, &w.now)))
			w.now.mono_ns += 10 * NS_PER_MS;
		if (hurried)
			w.now.mono_ns = j->deadline_ns - S;
		job_assign(w.p->jobs, j, 0, 1, w.now.mono_ns);
		w.now.mono_ns = j->deadline_ns;
		prober_finish(w.p, j, &late, &w.now, &final);
		assert_int_equal(final.result.outcome,
				 hurried ? OUTCOME_WORKER_LOST
					 : OUTCOME_RESPONSE_TIMEOUT);
		world_stop(&w);
	}
}

/* Every worker that probes node 3 dies. The others in flight beside it do not
 * suffer: three deaths, and it is held. */
static void test_culprit_is_held(void **state)
{
	static struct world w;
	unsigned int deaths = 0;

	(void)state;
	world_start(&w, 20);
	for (int i = 0; i < 60000 && !world_node(&w, 3)->is_quarantined; i++) {
		bool kills = false;

		world_run(&w, 10 * NS_PER_MS, 10 * NS_PER_MS);
		for (size_t k = 0; k < w.flying; k++) {
			const struct job *j = job_table_find(w.p->jobs,
							     w.flights[k].job);

			kills |= j && j->check / TARGET_CHECKS ==
					      world_node(&w, 3)->index;
		}
		if (!kills)
			continue;
		/* a solo job runs in a worker of its own */
		if (job_table_at(w.p->jobs, 0)) {
			deaths++;
			w.flying = 0;
			prober_worker_lost(w.p, 0, 1, true, &w.now);
		}
	}
	assert_true(world_node(&w, 3)->is_quarantined);
	assert_int_equal(world_node(&w, 3)->state, NODE_QUARANTINED);
	assert_in_range(deaths, 3, 40);
	world_run(&w, 100 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 20; i++) {
		if (i != 3)
			assert_int_equal(world_node(&w, i)->state, NODE_UP);
	}
	assert_int_equal(prober_release(w.p, world_node(&w, 3)->index, &w.now),
			 0);
	assert_false(world_node(&w, 3)->is_quarantined);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(world_node(&w, 3)->state, NODE_UP);
	world_expect_ledger(&w);
	world_stop(&w);
}

static void test_held_is_released_by_time(void **state)
{
	static struct world w;

	(void)state;
	world_start(&w, 3);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(prober_hold(w.p, world_node(&w, 1)->index, &w.now), 0);
	assert_int_equal(world_node(&w, 1)->state, NODE_QUARANTINED);
	world_run(&w, 3500 * S, 100 * NS_PER_MS);
	assert_int_equal(world_node(&w, 1)->state, NODE_QUARANTINED);
	world_run(&w, 200 * S, 100 * NS_PER_MS);
	assert_int_equal(world_node(&w, 1)->state, NODE_UP);
	assert_int_equal(prober_hold(w.p, 999, &w.now), -ENOENT);
	assert_int_equal(prober_release(w.p, 999, &w.now), -ENOENT);
	world_stop(&w);
}

static void test_reload_keeps_what_stays(void **state)
{
	static struct world w;
	uint32_t selected, index, live;
	struct job_stats st;
	struct prober *next;
	uint64_t seq;

	(void)state;
	world_start(&w, 20);
	world_run(&w, 100 * S, 20 * NS_PER_MS);
	selected = group_selected(&w.p->groups[0], CHECK_TCP4);
	index = world_node(&w, 19)->index;
	seq = event_last_seq(w.p->events);
	job_table_stats(w.p->jobs, &st);
	live = st.live;
	w.config.node_count = 19; /* node19 goes, node0 becomes another */
	w.group.member_count = 19;
	w.nodes[0].identity = 777;
	assert_int_equal(prober_new(&next, &w.config, w.p, &w.now), 0);
	prober_free(&w.p);
	w.p = next;
	prober_update_groups(w.p, &w.now);
	assert_null(
		target_table_find_name(w.p->targets, TARGET_NODE, "node19"));
	assert_int_equal(world_node(&w, 5)->state, NODE_UP);
	assert_int_equal(world_node(&w, 0)->state, NODE_UNKNOWN);
	assert_int_not_equal(world_node(&w, 0)->index, index);
	if (selected != index && selected != 1)
		assert_int_equal(group_selected(&w.p->groups[0], CHECK_TCP4),
				 selected);
	assert_true(event_last_seq(w.p->events) >= seq);
	job_table_stats(w.p->jobs, &st);
	assert_int_equal(st.live, live);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(world_node(&w, 0)->state, NODE_UP);
	world_expect_ledger(&w);
	world_stop(&w);
}

/* What the next one took, the running one has again. */
static void test_reload_given_back(void **state)
{
	static struct world w;
	struct job_stats before, after;
	uint32_t selected, nodes;
	struct prober *next;

	(void)state;
	world_start(&w, 20);
	world_run(&w, 100 * S, 20 * NS_PER_MS);
	job_table_stats(w.p->jobs, &before);
	selected = group_selected(&w.p->groups[0], CHECK_TCP4);
	nodes = target_table_count(w.p->targets);
	w.config.node_count = w.group.member_count = 1;
	assert_int_equal(prober_new(&next, &w.config, w.p, &w.now), 0);
	prober_update_groups(next, &w.now);
	w.config.node_count = w.group.member_count = 20;
	prober_give_back(&next, w.p, &w.config);
	assert_null(next);
	job_table_stats(w.p->jobs, &after);
	assert_int_equal(after.live, before.live);
	assert_int_equal(target_table_count(w.p->targets), nodes);
	assert_int_equal(group_selected(&w.p->groups[0], CHECK_TCP4), selected);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(world_node(&w, i)->state, NODE_UP);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	world_expect_ledger(&w);
	world_stop(&w);
}

static void test_admin(void **state)
{
	static const uint8_t up[TARGET_CHECKS] = { VERDICT_UP };
	static struct world w;
	uint32_t i;

	(void)state;
	world_start(&w, 3);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	i = group_selected(&w.p->groups[0], CHECK_TCP4);
	assert_int_equal(prober_set_admin(w.p, i, ADMIN_MAINT, 0, &w.now), 0);
	assert_true(prober_update_groups(w.p, &w.now));
	assert_false(prober_update_groups(w.p, &w.now));
	assert_int_not_equal(group_selected(&w.p->groups[0], CHECK_TCP4), i);
	assert_int_equal(schedule_due_ns(w.p->schedule,
					 target_check_id(i, CHECK_TCP4)),
			 UINT64_MAX);
	assert_int_equal(prober_set_admin(w.p, 999, ADMIN_AUTO, 0, &w.now),
			 -ENOENT);
	assert_int_equal(prober_set_assumed(w.p, 999, up, &w.now), -ENOENT);
	assert_int_equal(prober_set_assumed(w.p, i, up, &w.now), 0);
	assert_int_equal(prober_set_assumed(w.p, i, up, &w.now), 0);
	world_stop(&w);
}

static void test_ask_by_hand(void **state)
{
	static struct world w;
	struct job *j, *again;

	(void)state;
	world_start(&w, 1);
	assert_int_equal(prober_ask(w.p, 99999, 7, &w.now, &j), -ENOENT);
	assert_int_equal(
		prober_ask(w.p, target_check_id(world_node(&w, 0)->index, 0), 7,
			   &w.now, &j),
		0);
	assert_int_equal(j->cookie, 7);
	assert_int_equal(prober_ask(w.p, j->check, 8, &w.now, &again), -EBUSY);
	assert_ptr_equal(prober_next_job(w.p, &w.now), j);
	assert_true(prober_next_ns(w.p, w.now.mono_ns) <= j->deadline_ns);
	world_stop(&w);
}

/* A trial is shown to who asked and judges nobody; committed, it counts. */
static void test_trial(void **state)
{
	static struct world w;
	struct result bad = { .outcome = OUTCOME_REFUSED };
	struct prober_final f;
	struct target *t;
	struct job *j;
	uint32_t check;

	(void)state;
	world_start(&w, 2);
	world_run(&w, 100 * S, 20 * NS_PER_MS);
	t = world_node(&w, 0);
	check = target_check_id(t->index, 0);
	assert_int_equal(t->checks[0].health.verdict, VERDICT_UP);
	for (int trial = 1; trial >= 0; trial--) {
		uint64_t fails = t->checks[0].health.fail_total;

		assert_int_equal(prober_ask(w.p, check, 7, &w.now, &j), 0);
		j->is_trial = trial;
		prober_finish(w.p, j, &bad, &w.now, &f);
		assert_int_equal(f.result.outcome, OUTCOME_REFUSED);
		world_run(&w, 15 * S, 20 * NS_PER_MS);
		assert_int_equal(t->checks[0].health.fail_total - fails,
				 trial ? 0 : 1);
	}
	world_stop(&w);
}

/* Latencies alone do not make groups work at every result. */
static void test_groups_are_not_evaluated_for_each_sample(void **state)
{
	static struct world w;
	uint64_t before;

	(void)state;
	world_start(&w, 80);
	world_run(&w, 400 * S, 20 * NS_PER_MS);
	before = w.p->groups_epoch;
	world_run(&w, 100 * S, 20 * NS_PER_MS);
	assert_true(w.p->groups_epoch - before <= 200);
	world_stop(&w);
}

static void test_upstreams_and_monitors(void **state)
{
	static struct config_upstream upstreams[] = {
		{ .name = (char *)"lan",
		  .url = (char *)"udp://192.168.1.1:53" },
		{ .name = (char *)"far",
		  .url = (char *)"tcp+udp://198.51.100.53:53" },
	};
	static struct config_monitor monitors[] = {
		{ .name = (char *)"web",
		  .kind = MONITOR_H3,
		  .url = (char *)"h3://example.com/",
		  .host = (char *)"example.com",
		  .port = 443,
		  .path = (char *)"/",
		  .status_min = 200,
		  .status_max = 399,
		  .expect_rcode = -1,
		  .interval_ns = 5 * S,
		  .rise = 2,
		  .fall = 4 },
		{ .name = (char *)"web4",
		  .kind = MONITOR_QUIC,
		  .url = (char *)"quic://example.com/",
		  .host = (char *)"example.com",
		  .port = 443,
		  .path = (char *)"/",
		  .expect_rcode = -1,
		  .family = 4 },
	};
	static struct world w;
	struct prober *next;
	struct target *t;

	(void)state;
	world_start(&w, 2);
	w.config.dns.upstreams = upstreams;
	w.config.dns.upstream_count = 2;
	w.config.supervisor.monitors = monitors;
	w.config.supervisor.monitor_count = 2;
	assert_int_equal(prober_new(&next, &w.config, w.p, &w.now), 0);
	prober_free(&w.p);
	w.p = next;
	t = target_table_find_name(w.p->targets, TARGET_UPSTREAM, "lan");
	assert_true(t->checks[0].is_used);
	assert_int_equal(t->checks[0].cls, CHECK_UDP);
	assert_int_equal(t->checks[0].family, 4); /* a literal has one */
	assert_false(t->checks[1].is_used);
	t = target_table_find_name(w.p->targets, TARGET_UPSTREAM, "far");
	assert_true(t->checks[0].is_used && t->checks[1].is_used);
	assert_int_not_equal(t->checks[0].cls, t->checks[1].cls);
	t = target_table_find_name(w.p->targets, TARGET_MONITOR, "web");
	assert_true(t->checks[0].is_used && t->checks[1].is_used);
	assert_int_equal(t->checks[0].cls, CHECK_H3);
	assert_int_equal(t->checks[1].family, 6);
	assert_int_equal(t->checks[0].policy.fall, 4);
	assert_int_equal(schedule_interval_ns(w.p->schedule,
					      target_check_id(t->index, 0),
					      true),
			 5 * S);
	t = target_table_find_name(w.p->targets, TARGET_MONITOR, "web4");
	assert_true(t->checks[0].is_used && !t->checks[1].is_used);
	world_run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(t->state, NODE_UP);
	world_stop(&w);
}

/* A node in no group of a configuration with groups is shown, not probed. */
static void test_node_without_group(void **state)
{
	static struct world w;
	uint32_t id;

	(void)state;
	world_start(&w, 3);
	w.group.member_count = 2;
	prober_free(&w.p);
	assert_int_equal(prober_new(&w.p, &w.config, NULL, &w.now), 0);
	id = target_check_id(world_node(&w, 2)->index, CHECK_TCP4);
	assert_int_equal(schedule_due_ns(w.p->schedule, id), UINT64_MAX);
	w.config.group_count = 0;
	prober_free(&w.p);
	assert_int_equal(prober_new(&w.p, &w.config, NULL, &w.now), 0);
	assert_int_not_equal(schedule_due_ns(w.p->schedule, id), UINT64_MAX);
	world_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_come_up),
		cmocka_unit_test(test_worker_lost_redispatches),
		cmocka_unit_test(test_hurried_timeout_is_ours),
		cmocka_unit_test(test_culprit_is_held),
		cmocka_unit_test(test_held_is_released_by_time),
		cmocka_unit_test(test_reload_keeps_what_stays),
		cmocka_unit_test(test_reload_given_back),
		cmocka_unit_test(test_admin),
		cmocka_unit_test(test_ask_by_hand),
		cmocka_unit_test(test_trial),
		cmocka_unit_test(test_groups_are_not_evaluated_for_each_sample),
		cmocka_unit_test(test_upstreams_and_monitors),
		cmocka_unit_test(test_node_without_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
