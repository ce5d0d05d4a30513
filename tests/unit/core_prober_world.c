/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/core_prober_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/core/hash.h"

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

void world_start(struct world *w, uint32_t nodes)
{
	memset(w, 0, sizeof(*w));
	make_config(w, nodes);
	w->now = (struct prober_now){ 1000 * S, WALL, 0 };
	w->start_ns = w->now.mono_ns;
	w->is_up = true;
	for (unsigned int k = 0; k < TARGET_CHECKS; k++)
		w->bytes[k] = 1000;
	assert_int_equal(prober_new(&w->p, &w->config, NULL, &w->now), 0);
}

void world_stop(struct world *w)
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

/* As many steps as an event loop would sleep, at least one. */
static uint64_t sleep_ns(const struct world *w, uint64_t until, uint64_t step)
{
	until = MIN(until, prober_next_ns(w->p, w->now.mono_ns));
	for (size_t i = 0; i < w->flying; i++)
		until = MIN(until, w->flights[i].end_ns);
	if (until < w->now.mono_ns + step)
		return step;
	return (until - w->now.mono_ns) / step * step;
}

void world_run(struct world *w, uint64_t for_ns, uint64_t step_ns)
{
	uint64_t end = w->now.mono_ns + for_ns, tick = w->now.mono_ns;

	while (w->now.mono_ns < end) {
		w->now.mono_ns += sleep_ns(w, MIN(tick, end), step_ns);
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
		/* an event loop can sleep now: nothing is left that is due */
		assert_true(prober_next_ns(w->p, w->now.mono_ns) >
			    w->now.mono_ns);
	}
}

struct target *world_node(const struct world *w, uint32_t i)
{
	return target_table_find_name(w->p->targets, TARGET_NODE, w->names[i]);
}

void world_expect_ledger(const struct world *w)
{
	struct job_stats st;

	job_table_stats(w->p->jobs, &st);
	assert_int_equal(st.added, st.finished + st.live);
	assert_int_equal(st.added, w->ledger);
	assert_int_equal(st.finished, w->finals);
}
