/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs, from a due time to the final result. */
#include "supervisor/core/prober.h"

#include <errno.h>
#include <string.h>

#include "supervisor/core/prober_private.h"

#define SUSPECT_TURNS 12 /* timeouts that a suspect may wait for its turn */
#define WAITING_ENOUGH 8 /* no more from the schedule while so many wait */

struct target_check *prober_check(const struct prober *p, uint32_t check,
				  uint64_t key)
{
	struct target_check *c = target_table_check(p->targets, check);

	return c && c->key == key ? c : NULL;
}

static struct target *target_of_job(const struct prober *p, const struct job *j)
{
	if (!prober_check(p, j->check, j->key))
		return NULL;
	return target_table_get(p->targets, j->check / TARGET_CHECKS);
}

static bool wants_solo(const struct prober *p, const struct target *t,
		       const struct prober_now *now)
{
	return t->is_quarantined ||
	       quarantine_wants_solo(p->quarantine, t->identity, now->mono_ns);
}

int prober_add_job(struct prober *p, uint32_t check, const struct job *flags,
		   const struct prober_now *now, struct job **ret)
{
	struct target_check *c = target_table_check(p->targets, check);
	struct target *t = target_table_get(p->targets, check / TARGET_CHECKS);
	struct job spec = *flags;
	int r;

	if (!c || !t)
		return -ENOENT;
	spec.check = check;
	spec.key = c->key;
	spec.stage = JOB_STAGE_PROBE;
	spec.is_solo = wants_solo(p, t, now);
	if (spec.due_ns == 0)
		spec.due_ns = now->mono_ns;
	spec.deadline_ns = now->mono_ns + p->job_timeout_ns;
	if (spec.is_witness)
		spec.deadline_ns = MIN(spec.deadline_ns,
				       now->mono_ns + PROBER_WITNESS_NS);
	r = job_table_add(p->jobs, &spec, ret);
	if (r == 0)
		t->in_flight++;
	return r;
}

static bool is_running(const struct prober *p, uint32_t check)
{
	const struct job *j;

	for (uint32_t i = 0; (j = job_table_at(p->jobs, i)); i++) {
		if (j->check == check)
			return true;
	}
	return false;
}

int prober_ask(struct prober *p, uint32_t check, uint64_t cookie,
	       const struct prober_now *now, struct job **ret)
{
	struct target *t = target_table_get(p->targets, check / TARGET_CHECKS);
	struct job flags = { .cookie = cookie };

	if (!t || t->is_unsupported || !target_table_check(p->targets, check))
		return -ENOENT;
	if (is_running(p, check))
		return -EBUSY;
	return prober_add_job(p, check, &flags, now, ret);
}

static bool solo_is_running(const struct prober *p)
{
	const struct job *j;

	for (uint32_t i = 0; (j = job_table_at(p->jobs, i)); i++) {
		if (j->is_solo && j->worker != JOB_NO_WORKER)
			return true;
	}
	return false;
}

/*
 * A suspect that waits for its turn alone does not spend its time by that: the
 * one before it may be silent for all of its own. Not for ever, though.
 */
static void hold_clock(const struct prober *p, struct job *j,
		       const struct prober_now *now)
{
	uint64_t latest_ns = j->due_ns + SUSPECT_TURNS * p->job_timeout_ns;
	uint64_t until_ns = MIN(now->mono_ns + p->job_timeout_ns, latest_ns);

	j->deadline_ns = MAX(j->deadline_ns, until_ns);
}

/*
 * The next waiting job after the one offered last: one that cannot be sent now
 * must not stand in the way of the others. Suspects go one by one.
 */
static struct job *next_waiting(struct prober *p, const struct prober_now *now)
{
	struct job *j = job_table_find(p->jobs, p->offered);
	struct job_stats stats;
	bool busy;

	job_table_stats(p->jobs, &stats);
	if (stats.waiting == 0)
		return NULL;
	if (j && !j->is_offered)
		j = NULL; /* taken: if it waits again, its turn is new too */
	busy = solo_is_running(p);
	do {
		j = job_table_waiting(p->jobs, j);
		if (j && j->is_solo)
			hold_clock(p, j, now);
	} while (j && j->is_solo && busy);
	p->offered = j ? j->id : 0;
	if (j)
		j->is_offered = true;
	return j;
}

/* A slot that cannot become a probe is counted, and over at once. */
static void refuse(struct prober *p, const struct schedule_item *item,
		   enum not_sent why, const struct prober_now *now)
{
	p->totals.not_sent[why]++;
	schedule_done(p->schedule, item->check, false, false, now->mono_ns);
}

static struct job *next_scheduled(struct prober *p,
				  const struct prober_now *now)
{
	struct schedule_item item;

	while (schedule_pop(p->schedule, now->mono_ns, &item)) {
		struct target *t = target_table_get(p->targets,
						    item.check / TARGET_CHECKS);
		struct job flags = { .slot = item.slot, .due_ns = item.due_ns };
		struct job *j;

		if (!t) {
			refuse(p, &item, NOT_SENT_GONE, now);
			continue;
		}
		if (!target_is_probed(t)) {
			refuse(p, &item,
			       t->is_quarantined ? NOT_SENT_QUARANTINED
						 : NOT_SENT_ADMIN,
			       now);
			continue;
		}
		flags.due_ns = MAX(flags.due_ns, 1ULL);
		if (prober_add_job(p, item.check, &flags, now, &j) < 0) {
			refuse(p, &item, NOT_SENT_GONE, now);
			return NULL;
		}
		j->is_scheduled = true;
		j->is_offered = true;
		p->offered = j->id;
		return j;
	}
	return NULL;
}

struct job *prober_next_job(struct prober *p, const struct prober_now *now)
{
	struct job_stats stats;
	struct job *j;

	prober_do_due(p, now);
	j = next_waiting(p, now);
	if (j)
		return j;
	job_table_stats(p->jobs, &stats);
	if (stats.waiting >= WAITING_ENOUGH)
		return next_waiting(p, now);
	return next_scheduled(p, now);
}

static void count_result(struct prober *p, const struct job *j,
			 const struct result *r, const struct prober_now *now)
{
	struct totals *t = &p->totals;

	if (r->outcome < OUTCOME_COUNT)
		t->results[r->outcome]++;
	t->bytes_tx += r->bytes_tx;
	t->bytes_rx += r->bytes_rx;
	t->leaked_bytes += r->leaked_bytes;
	if (now->mono_ns > j->deadline_ns + JOB_SLACK_NS)
		t->late_results++;
}

static void account(struct prober *p, struct target *t, const struct result *r,
		    const struct prober_now *now)
{
	uint64_t bytes = (uint64_t)r->bytes_tx + r->bytes_rx;

	if (t->in_flight > 0)
		t->in_flight--;
	t->bytes_today += bytes;
	t->bytes_total += bytes;
	t->leaked_bytes += r->leaked_bytes;
	budget_add(&p->budget, bytes, now->wall_s);
}

static bool says_nothing(const struct result *r)
{
	return outcome_is_ours(r->outcome) || r->outcome == OUTCOME_BUSY ||
	       r->outcome == OUTCOME_NO_ADDRESS;
}

static int hold_result(struct prober *p, const struct job *j,
		       const struct result *r)
{
	if (p->held_count == PROBER_HELD_MAX)
		return -ENOSPC;
	if (p->held_count == p->held_cap) {
		size_t cap = p->held_cap ? p->held_cap * 2 : 16;
		struct prober_held *held = reallocarray(p->held, cap,
							sizeof(*held));

		if (!held)
			return -ENOMEM;
		p->held = held;
		p->held_cap = cap;
	}
	p->held[p->held_count++] = (struct prober_held){ j->check, j->key, *r };
	p->totals.held_results++;
	return 0;
}

/* Through the offline gate: applied, kept, or dropped and asked again. */
static enum health_effect judge(struct prober *p, const struct job *j,
				const struct result *r,
				const struct prober_now *now)
{
	uint64_t started_ns = j->sent_ns ? j->sent_ns
					 : j->deadline_ns - p->job_timeout_ns;
	enum offline_judgement o;

	if (says_nothing(r))
		return prober_apply(p, j->check, r, now);
	o = offline_result(p->offline, j->check / TARGET_CHECKS,
			   r->outcome == OUTCOME_OK, started_ns, now->mono_ns);
	if (o == OFFLINE_APPLY)
		return prober_apply(p, j->check, r, now);
	if (o == OFFLINE_HOLD && hold_result(p, j, r) == 0)
		return HEALTH_IGNORED;
	p->totals.dropped_results++;
	return HEALTH_IGNORED;
}

static void reschedule(struct prober *p, const struct job *j,
		       const struct target_check *c, bool dropped,
		       const struct prober_now *now)
{
	const struct health *h = &c->health;
	bool dead = h->verdict == VERDICT_DOWN ||
		    h->verdict == VERDICT_NOT_APPLICABLE;

	if (j->is_scheduled)
		schedule_done(p->schedule, j->check, dead,
			      health_is_wavering(h), now->mono_ns);
	if (dropped && offline_state(p->offline) == ONLINE)
		schedule_kick(p->schedule, j->check, PROBER_REASK_NS,
			      now->mono_ns);
}

static void settle(struct prober *p, struct job *j, const struct result *r,
		   const struct prober_now *now, struct prober_final *ret)
{
	struct target *t = target_of_job(p, j);
	uint64_t dropped = p->totals.dropped_results;

	*ret = (struct prober_final){ *j, *r, HEALTH_IGNORED };
	count_result(p, j, r, now);
	job_finish(p->jobs, j);
	if (!t)
		return; /* a reload took the check away meanwhile */
	account(p, t, r, now);
	if (!ret->job.is_trial)
		ret->effect = judge(p, &ret->job, r, now);
	reschedule(p, &ret->job, &t->checks[ret->job.check % TARGET_CHECKS],
		   p->totals.dropped_results != dropped, now);
	prober_follow_gate(p, now);
}

static bool is_timeout(unsigned int outcome)
{
	return outcome == OUTCOME_RESOLVE_TIMEOUT ||
	       outcome == OUTCOME_CONNECT_TIMEOUT ||
	       outcome == OUTCOME_TLS_TIMEOUT ||
	       outcome == OUTCOME_QUIC_TIMEOUT ||
	       outcome == OUTCOME_RESPONSE_TIMEOUT;
}

/* It waited for a worker for most of its time: what was left is no measure. */
static bool was_hurried(const struct prober *p, const struct job *j)
{
	uint64_t whole_ns = p->job_timeout_ns;

	if (j->is_witness)
		whole_ns = MIN(whole_ns, PROBER_WITNESS_NS);
	return j->sent_ns && j->sent_ns + whole_ns / 2 > j->deadline_ns;
}

void prober_finish(struct prober *p, struct job *j, const struct result *r,
		   const struct prober_now *now, struct prober_final *ret)
{
	struct target *t = target_of_job(p, j);
	struct result said = *r;

	if (t && j->worker != JOB_NO_WORKER)
		quarantine_clean(p->quarantine, t->identity, now->mono_ns);
	if (is_timeout(r->outcome) && was_hurried(p, j))
		said.outcome = OUTCOME_WORKER_LOST;
	settle(p, j, &said, now, ret);
}

void prober_abort(struct prober *p, struct job *j, enum outcome why,
		  const struct prober_now *now, struct prober_final *ret)
{
	struct result r = { .outcome = (uint16_t)why, .phase = PHASE_RESOLVE };

	settle(p, j, &r, now, ret);
}

static void quarantine_target(struct prober *p, uint64_t identity,
			      const struct prober_now *now)
{
	struct target *t = target_table_find(p->targets, identity);

	if (!t)
		return;
	prober_event(p, EVENT_QUARANTINE, now, t,
		     "held: its probes ended too many workers");
	prober_refresh(p, t, now);
	p->groups_dirty = true;
}

void prober_worker_lost(struct prober *p, uint32_t worker, uint32_t generation,
			bool blame, const struct prober_now *now)
{
	size_t n = job_table_worker_lost(p->jobs, worker, generation, blame,
					 p->lost, PROBER_JOBS_MAX);
	size_t suspects = 0;
	int held = 0;

	for (size_t i = 0; i < n; i++) {
		struct target *t = target_of_job(p, p->lost[i]);

		/* names are asked of resolvers: no target is behind that */
		if (t && p->lost[i]->stage == JOB_STAGE_PROBE)
			p->lost_keys[suspects++] = t->identity;
	}
	if (blame && suspects)
		held = quarantine_worker_died(p->quarantine, p->lost_keys,
					      suspects, now->mono_ns,
					      p->held_keys);
	for (int i = 0; i < held; i++)
		quarantine_target(p, p->held_keys[i], now);
	for (size_t i = 0; i < n; i++) {
		struct target *t = target_of_job(p, p->lost[i]);

		p->lost[i]->is_solo = t && wants_solo(p, t, now);
	}
}

/* Waiting for a worker, and nobody wants it to have one any more. */
static bool is_unwanted(const struct prober *p, const struct job *j)
{
	const struct target *t = target_of_job(p, j);

	if (!t)
		return true;
	return j->cookie == 0 && !target_is_probed(t);
}

struct job *prober_next_expired(struct prober *p, const struct prober_now *now)
{
	struct job *j = job_table_expired(p->jobs, now->mono_ns);

	if (j)
		return j;
	while ((j = job_table_waiting(p->jobs, j))) {
		if (is_unwanted(p, j))
			return j;
	}
	return NULL;
}

static uint64_t groups_next_ns(const struct prober *p)
{
	return p->groups_dirty || p->stats_dirty ? p->groups_ns + NS_PER_S / 2
						 : UINT64_MAX;
}

uint64_t prober_next_ns(const struct prober *p, uint64_t now_ns)
{
	uint64_t next[] = {
		schedule_next_ns(p->schedule, now_ns),
		job_table_next_ns(p->jobs),
		offline_next_ns(p->offline),
		quarantine_next_ns(p->quarantine),
		groups_next_ns(p),
	};
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_LEN(next); i++)
		first = MIN(first, next[i]);
	return first;
}
