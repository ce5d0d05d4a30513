/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/prober.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define S NS_PER_S
#define NODES_MAX 80
#define FLIGHTS 512
#define WALL 1800000000 /* a day of 2027, at 08:00 */

/* A probe under way in the only worker there is. */
struct flight {
	uint32_t job;
	uint64_t end_ns;
	struct result result;
};

struct world {
	struct config config;
	struct config_node nodes[NODES_MAX];
	struct group_member members[NODES_MAX];
	struct config_group group;
	char names[NODES_MAX][16];
	char *tcp_url[1], *udp_dns[1];
	struct prober *p;
	struct prober_now now;
	uint64_t start_ns;
	struct flight flights[FLIGHTS];
	size_t flying;
	const char *lan; /* a target that needs no uplink */
	bool is_up;	 /* the uplink */
	bool node_dead[NODES_MAX];
	uint32_t bytes[TARGET_CHECKS]; /* of one probe */
	uint64_t finals, changes, most, first_ok_ns;
	uint64_t ledger; /* jobs seen for the first time */
};

static void make_config(struct world *w, uint32_t nodes)
{
	struct config *c = &w->config;

	w->tcp_url[0] = (char *)"http://192.0.2.80";
	w->udp_dns[0] = (char *)"192.0.2.53:53";
	c->global.tcp_check_url = (struct config_list){ w->tcp_url, 1 };
	c->global.udp_check_dns = (struct config_list){ w->udp_dns, 1 };
	c->global.tcp_check_http_method = (char *)"HEAD";
	c->global.check_interval_ns = 30 * S;
	for (uint32_t i = 0; i < nodes; i++) {
		snprintf(w->names[i], sizeof(w->names[i]), "node%u", i);
		w->nodes[i] = (struct config_node){
			.name = w->names[i],
			.scheme = SCHEME_SOCKS5,
			.host = (char *)"198.51.100.1",
			.port = 1080,
			.identity = i + 1,
		};
		w->members[i].node = i;
	}
	w->group = (struct config_group){ .name = (char *)"proxy",
					  .policy = POLICY_MIN_MOVING_AVG,
					  .members = w->members,
					  .member_count = nodes,
					  .is_used = true,
					  .has_tolerance = true,
					  .check_tolerance_ns = 90 *
								NS_PER_MS };
	c->nodes = w->nodes;
	c->node_count = nodes;
	c->groups = &w->group;
	c->group_count = 1;
	c->supervisor.max_concurrent = 32;
	c->supervisor.probe_rate = 50;
	c->supervisor.adaptive = true;
	c->supervisor.probe_timeout_ns = 10 * S;
	c->supervisor.quarantine = (struct quarantine_policy){ 3, 600 * S,
							       3600 * S };
}

static void start(struct world *w, uint32_t nodes)
{
	memset(w, 0, sizeof(*w));
	make_config(w, nodes);
	w->now = (struct prober_now){ 1000 * S, WALL };
	w->start_ns = w->now.mono_ns;
	w->is_up = true;
	for (unsigned int k = 0; k < TARGET_CHECKS; k++)
		w->bytes[k] = 1000;
	assert_int_equal(prober_new(&w->p, &w->config, NULL, &w->now), 0);
}

static void stop(struct world *w)
{
	prober_free(&w->p);
}

/* What the network answers, and when. */
static struct flight answer(const struct world *w, const struct job *j)
{
	const struct target *t = target_table_get(w->p->targets,
						  j->check / TARGET_CHECKS);
	uint64_t h = hash_pair(j->id, j->check);
	struct flight f = { .job = j->id };
	bool dead = t->kind == TARGET_NODE && w->node_dead[t->config_index];

	f.result.job_id = j->id;
	if (t->checks[j->check % TARGET_CHECKS].family == 6) {
		f.end_ns = w->now.mono_ns;
		f.result.outcome = OUTCOME_NO_ADDRESS;
		return f;
	}
	f.result.bytes_tx = w->bytes[j->check % TARGET_CHECKS];
	if (!w->is_up && !(w->lan && strcmp(t->name, w->lan) == 0)) {
		f.end_ns = j->deadline_ns;
		f.result.outcome = OUTCOME_CONNECT_TIMEOUT;
	} else if (dead) {
		f.end_ns = w->now.mono_ns + NS_PER_MS;
		f.result.outcome = OUTCOME_REFUSED;
	} else {
		uint32_t us = 20000 + (uint32_t)(h % 60000);

		f.end_ns = w->now.mono_ns + us * NS_PER_US;
		f.result.phase_us[PHASE_TOTAL] = us;
	}
	return f;
}

static void land(struct world *w, size_t i)
{
	struct job *j = job_table_match(w->p->jobs, w->flights[i].job, 0, 1);
	struct prober_final final;

	if (j) {
		prober_finish(w->p, j, &w->flights[i].result, &w->now, &final);
		w->finals++;
		w->changes += final.effect == HEALTH_CHANGED;
		if (final.result.outcome == OUTCOME_OK && !w->first_ok_ns)
			w->first_ok_ns = w->now.mono_ns;
	}
	w->flights[i] = w->flights[--w->flying];
}

static void send_jobs(struct world *w)
{
	struct job *j;

	while (w->flying < FLIGHTS && (j = prober_next_job(w->p, &w->now))) {
		w->ledger += j->attempts == 0;
		job_assign(w->p->jobs, j, 0, 1, w->now.mono_ns);
		w->flights[w->flying++] = answer(w, j);
		w->most = MAX(w->most, w->flying);
	}
}

static void abort_expired(struct world *w)
{
	struct prober_final final;
	struct job *j;

	while ((j = prober_next_expired(w->p, &w->now))) {
		prober_abort(w->p, j, OUTCOME_WORKER_LOST, &w->now, &final);
		w->finals++;
	}
}

static void run(struct world *w, uint64_t for_ns, uint64_t step_ns)
{
	uint64_t end = w->now.mono_ns + for_ns, tick = w->now.mono_ns;

	while (w->now.mono_ns < end) {
		w->now.mono_ns += step_ns;
		w->now.wall_s = WALL +
				(int64_t)((w->now.mono_ns - w->start_ns) / S);
		for (size_t i = 0; i < w->flying;) {
			if (w->flights[i].end_ns <= w->now.mono_ns)
				land(w, i);
			else
				i++;
		}
		if (w->now.mono_ns >= tick) {
			prober_tick(w->p, &w->now);
			tick += S;
		}
		abort_expired(w);
		send_jobs(w);
		prober_update_groups(w->p, &w->now);
	}
}

static struct target *node(const struct world *w, uint32_t i)
{
	return target_table_find_name(w->p->targets, TARGET_NODE, w->names[i]);
}

static void expect_ledger(const struct world *w)
{
	struct job_stats st;

	job_table_stats(w->p->jobs, &st);
	assert_int_equal(st.added, st.finished + st.live);
	assert_int_equal(st.added, w->ledger);
	assert_int_equal(st.finished, w->finals);
}

static void test_all_come_up(void **state)
{
	static struct world w;

	(void)state;
	start(&w, 80);
	run(&w, 60 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 80; i++) {
		assert_int_equal(node(&w, i)->state, NODE_UP);
		assert_int_equal(node(&w, i)->checks[CHECK_TCP4].health.verdict,
				 VERDICT_UP);
		assert_int_equal(node(&w, i)->checks[CHECK_TCP6].health.verdict,
				 VERDICT_NOT_APPLICABLE);
	}
	assert_int_not_equal(group_selected(&w.p->groups[0], CHECK_TCP4),
			     TARGET_NONE);
	assert_true(w.most <= 32);
	expect_ledger(&w);
	stop(&w);
}

static void test_single_dead_node(void **state)
{
	static struct world w;
	uint32_t before, dead;
	uint64_t t;

	(void)state;
	start(&w, 3);
	run(&w, 120 * S, 10 * NS_PER_MS);
	before = group_selected(&w.p->groups[0], CHECK_TCP4);
	dead = (uint32_t)target_table_get(w.p->targets, before)->config_index;
	w.node_dead[dead] = true;
	t = w.now.mono_ns;
	while (node(&w, dead)->checks[CHECK_TCP4].health.verdict == VERDICT_UP)
		run(&w, 10 * NS_PER_MS, 10 * NS_PER_MS);
	/* one interval to ask, an instant to make sure of the uplink */
	assert_true(w.now.mono_ns - t < 34 * S);
	assert_int_not_equal(group_selected(&w.p->groups[0], CHECK_TCP4),
			     before);
	assert_int_equal(offline_state(w.p->offline), ONLINE);
	w.node_dead[dead] = false;
	run(&w, 120 * S, 20 * NS_PER_MS);
	assert_int_equal(node(&w, dead)->state, NODE_UP);
	expect_ledger(&w);
	stop(&w);
}

/* Ten minutes without uplink: @tells says whether the kernel notices. */
static void outage(bool tells)
{
	static struct world w;
	uint32_t selected;
	uint64_t changes, returned_ns;

	start(&w, 80);
	run(&w, 400 * S, 20 * NS_PER_MS);
	selected = group_selected(&w.p->groups[0], CHECK_TCP4);
	changes = w.changes;
	w.is_up = false;
	if (tells)
		prober_link(w.p, false, true, &w.now);
	run(&w, 600 * S, 20 * NS_PER_MS);
	assert_int_equal(offline_state(w.p->offline), OFFLINE);
	assert_int_equal(w.changes, changes);
	w.is_up = true;
	w.first_ok_ns = 0;
	w.most = 0;
	returned_ns = w.now.mono_ns;
	assert_int_equal(group_selected(&w.p->groups[0], CHECK_TCP4), selected);
	if (tells)
		prober_link(w.p, true, true, &w.now);
	run(&w, 2 * S, 5 * NS_PER_MS);
	assert_true(w.first_ok_ns && w.first_ok_ns - returned_ns < 2 * S);
	run(&w, 300 * S, 20 * NS_PER_MS);
	assert_int_equal(offline_state(w.p->offline), ONLINE);
	assert_true(w.most <= 32 + OFFLINE_WITNESSES + 4);
	assert_int_equal(group_selected(&w.p->groups[0], CHECK_TCP4), selected);
	for (uint32_t i = 0; i < 80; i++)
		assert_int_equal(node(&w, i)->state, NODE_UP);
	assert_int_equal(w.changes, changes); /* not one verdict moved */
	assert_int_equal(w.p->totals.results[OUTCOME_WORKER_LOST], 0);
	expect_ledger(&w);
	stop(&w);
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
	start(&w, 20);
	w.is_up = false;
	prober_link(w.p, false, true, &w.now);
	run(&w, 60 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(node(&w, i)->state, NODE_UNKNOWN);
	w.is_up = true;
	prober_link(w.p, true, true, &w.now);
	run(&w, 60 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(node(&w, i)->state, NODE_UP);
	stop(&w);
}

/* A day of @nodes from 08:00 on; what it cost, by the calendar. */
static struct budget day(uint32_t nodes, uint32_t tcp, uint32_t udp,
			 uint64_t daily)
{
	static struct world w;
	struct budget b;

	start(&w, nodes);
	w.p->budget.daily_bytes = daily;
	w.bytes[CHECK_TCP4] = tcp;
	w.bytes[CHECK_UDP4] = udp;
	run(&w, 86400 * S, 100 * NS_PER_MS);
	b = w.p->budget;
	expect_ledger(&w);
	stop(&w);
	return b;
}

static void test_a_day_is_affordable(void **state)
{
	(void)state;
	/* a TLS request is some 5.5 kB, a QUIC handshake some 7 kB */
	assert_in_range(day(80, 5500, 200, 0).total_bytes, 100000000,
			300000000);
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

static void test_worker_lost_redispatches(void **state)
{
	static struct world w;
	struct job_stats st;

	(void)state;
	start(&w, 20);
	for (int i = 0; i < 50; i++) {
		run(&w, S, 20 * NS_PER_MS);
		w.flying = 0; /* kill -9: nobody is to blame */
		prober_worker_lost(w.p, 0, 1, false, &w.now);
	}
	run(&w, 60 * S, 20 * NS_PER_MS);
	job_table_stats(w.p->jobs, &st);
	assert_true(st.redispatched > 0);
	assert_int_equal(w.p->totals.results[OUTCOME_WORKER_LOST], 0);
	assert_int_equal(w.p->totals.late_results, 0);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(node(&w, i)->state, NODE_UP);
	expect_ledger(&w);
	stop(&w);
}

/* Every worker that probes node 3 dies. The others in flight beside it do not
 * suffer: three deaths, and it is held. */
static void test_culprit_is_held(void **state)
{
	static struct world w;
	unsigned int deaths = 0;

	(void)state;
	start(&w, 20);
	for (int i = 0; i < 60000 && !node(&w, 3)->is_quarantined; i++) {
		bool kills = false;

		run(&w, 10 * NS_PER_MS, 10 * NS_PER_MS);
		for (size_t k = 0; k < w.flying; k++) {
			const struct job *j = job_table_find(w.p->jobs,
							     w.flights[k].job);

			kills |= j &&
				 j->check / TARGET_CHECKS == node(&w, 3)->index;
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
	assert_true(node(&w, 3)->is_quarantined);
	assert_int_equal(node(&w, 3)->state, NODE_QUARANTINED);
	assert_in_range(deaths, 3, 40);
	run(&w, 100 * S, 20 * NS_PER_MS);
	for (uint32_t i = 0; i < 20; i++) {
		if (i != 3)
			assert_int_equal(node(&w, i)->state, NODE_UP);
	}
	assert_int_equal(prober_release(w.p, node(&w, 3)->index, &w.now), 0);
	assert_false(node(&w, 3)->is_quarantined);
	run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(node(&w, 3)->state, NODE_UP);
	expect_ledger(&w);
	stop(&w);
}

static void test_held_is_released_by_time(void **state)
{
	static struct world w;

	(void)state;
	start(&w, 3);
	run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(prober_hold(w.p, node(&w, 1)->index, &w.now), 0);
	assert_int_equal(node(&w, 1)->state, NODE_QUARANTINED);
	run(&w, 3500 * S, 100 * NS_PER_MS);
	assert_int_equal(node(&w, 1)->state, NODE_QUARANTINED);
	run(&w, 200 * S, 100 * NS_PER_MS);
	assert_int_equal(node(&w, 1)->state, NODE_UP);
	assert_int_equal(prober_hold(w.p, 999, &w.now), -ENOENT);
	assert_int_equal(prober_release(w.p, 999, &w.now), -ENOENT);
	stop(&w);
}

static void test_reload_keeps_what_stays(void **state)
{
	static struct world w;
	uint32_t selected, index, live;
	struct job_stats st;
	struct prober *next;
	uint64_t seq;

	(void)state;
	start(&w, 20);
	run(&w, 100 * S, 20 * NS_PER_MS);
	selected = group_selected(&w.p->groups[0], CHECK_TCP4);
	index = node(&w, 19)->index;
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
	assert_int_equal(node(&w, 5)->state, NODE_UP);
	assert_int_equal(node(&w, 0)->state, NODE_UNKNOWN);
	assert_int_not_equal(node(&w, 0)->index, index);
	if (selected != index && selected != 1)
		assert_int_equal(group_selected(&w.p->groups[0], CHECK_TCP4),
				 selected);
	assert_true(event_last_seq(w.p->events) >= seq);
	job_table_stats(w.p->jobs, &st);
	assert_int_equal(st.live, live);
	run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(node(&w, 0)->state, NODE_UP);
	expect_ledger(&w);
	stop(&w);
}

static void test_admin(void **state)
{
	static struct world w;
	uint32_t i;

	(void)state;
	start(&w, 3);
	run(&w, 60 * S, 20 * NS_PER_MS);
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
	assert_int_equal(prober_set_assumed(w.p, 999, VERDICT_UP, &w.now),
			 -ENOENT);
	assert_int_equal(prober_set_assumed(w.p, i, VERDICT_UP, &w.now), 0);
	assert_int_equal(prober_set_assumed(w.p, i, VERDICT_UP, &w.now), 0);
	stop(&w);
}

static void test_ask_by_hand(void **state)
{
	static struct world w;
	struct job *j, *again;

	(void)state;
	start(&w, 1);
	assert_int_equal(prober_ask(w.p, 99999, 7, &w.now, &j), -ENOENT);
	assert_int_equal(prober_ask(w.p, target_check_id(node(&w, 0)->index, 0),
				    7, &w.now, &j),
			 0);
	assert_int_equal(j->cookie, 7);
	assert_int_equal(prober_ask(w.p, j->check, 8, &w.now, &again), -EBUSY);
	assert_ptr_equal(prober_next_job(w.p, &w.now), j);
	assert_true(prober_next_ns(w.p, w.now.mono_ns) <= j->deadline_ns);
	stop(&w);
}

/* Latencies alone do not make groups work at every result. */
static void test_groups_are_not_evaluated_for_each_sample(void **state)
{
	static struct world w;
	uint64_t before;

	(void)state;
	start(&w, 80);
	run(&w, 400 * S, 20 * NS_PER_MS);
	before = w.p->groups_epoch;
	run(&w, 100 * S, 20 * NS_PER_MS);
	assert_true(w.p->groups_epoch - before <= 200);
	stop(&w);
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
	start(&w, 2);
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
	run(&w, 60 * S, 20 * NS_PER_MS);
	assert_int_equal(t->state, NODE_UP);
	stop(&w);
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
	start(&w, 4);
	prober_free(&w.p);
	w.config.dns.upstreams = &lan;
	w.config.dns.upstream_count = 1;
	w.lan = "lan";
	assert_int_equal(prober_new(&w.p, &w.config, NULL, &w.now), 0);
	run(&w, 400 * S, 20 * NS_PER_MS);
	w.is_up = false;
	run(&w, 120 * S, 20 * NS_PER_MS);
	t = target_table_find_name(w.p->targets, TARGET_UPSTREAM, "lan");
	assert_int_equal(t->state, NODE_UP);
	assert_int_equal(offline_state(w.p->offline), OFFLINE);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(node(&w, i)->state, NODE_UP);
	stop(&w);
}

/* A node in no group of a configuration with groups is shown, not probed. */
static void test_node_without_group(void **state)
{
	static struct world w;
	uint32_t id;

	(void)state;
	start(&w, 3);
	w.group.member_count = 2;
	prober_free(&w.p);
	assert_int_equal(prober_new(&w.p, &w.config, NULL, &w.now), 0);
	id = target_check_id(node(&w, 2)->index, CHECK_TCP4);
	assert_int_equal(schedule_due_ns(w.p->schedule, id), UINT64_MAX);
	w.config.group_count = 0;
	prober_free(&w.p);
	assert_int_equal(prober_new(&w.p, &w.config, NULL, &w.now), 0);
	assert_int_not_equal(schedule_due_ns(w.p->schedule, id), UINT64_MAX);
	stop(&w);
}

/* A link that flaps has everything asked again, but not each time. */
static void test_link_changes_are_damped(void **state)
{
	static struct world w;
	uint64_t before;

	(void)state;
	start(&w, 80);
	run(&w, 700 * S, 50 * NS_PER_MS);
	before = w.finals;
	for (int i = 0; i < 50; i++) {
		prober_link(w.p, true, true, &w.now);
		run(&w, S / 5, 50 * NS_PER_MS);
	}
	run(&w, 40 * S, 50 * NS_PER_MS);
	assert_in_range(w.finals - before, 81 * 4, 81 * 4 * 3);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_come_up),
		cmocka_unit_test(test_single_dead_node),
		cmocka_unit_test(test_outage_noticed),
		cmocka_unit_test(test_outage_silent),
		cmocka_unit_test(test_dead_uplink_at_start),
		cmocka_unit_test(test_a_day_is_affordable),
		cmocka_unit_test(test_a_day_within_budget),
		cmocka_unit_test(test_worker_lost_redispatches),
		cmocka_unit_test(test_culprit_is_held),
		cmocka_unit_test(test_held_is_released_by_time),
		cmocka_unit_test(test_reload_keeps_what_stays),
		cmocka_unit_test(test_admin),
		cmocka_unit_test(test_ask_by_hand),
		cmocka_unit_test(test_groups_are_not_evaluated_for_each_sample),
		cmocka_unit_test(test_upstreams_and_monitors),
		cmocka_unit_test(test_local_upstream_is_no_witness),
		cmocka_unit_test(test_node_without_group),
		cmocka_unit_test(test_link_changes_are_damped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
