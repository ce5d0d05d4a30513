/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts put together: what a due time, a result, a dead worker, a link
 * event and a tick do to targets, groups, schedule, jobs, quarantine, budget
 * and the offline gate. Still pure: the event loop owns clock and processes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/budget.h"
#include "supervisor/core/event.h"
#include "supervisor/core/group.h"
#include "supervisor/core/job_table.h"
#include "supervisor/core/offline.h"
#include "supervisor/core/quarantine.h"
#include "supervisor/core/schedule.h"
#include "supervisor/core/target.h"
#include "supervisor/core/totals.h"

struct prober_held;

struct prober {
	struct target_table *targets; /* all owned */
	struct schedule *schedule;
	struct job_table *jobs;
	struct quarantine *quarantine;
	struct offline *offline;
	struct event_ring *events;
	struct group *groups;
	size_t group_count;
	struct budget budget;
	struct totals totals;
	struct prober_held *held; /* results in doubt */
	size_t held_count, held_cap;
	uint64_t job_timeout_ns;	/* deadline of a job, all attempts */
	uint64_t groups_epoch;		/* counts evaluations */
	bool groups_dirty;		/* evaluate at the next call */
	bool stats_dirty;		/* only latencies moved: not at once */
	uint64_t groups_ns, stretch_ns; /* when last done */
	uint64_t kick_ns; /* the network's change last moved everything */
	bool wants_kick;
	uint32_t stretch;  /* permille */
	uint32_t offered;  /* job handed out last */
	struct job **lost; /* room for the jobs of one worker */
	uint64_t *lost_keys, *held_keys;
};

struct prober_now {
	uint64_t mono_ns;
	int64_t wall_s;
	uint16_t wall_rest_ms; /* below 1000: for the times of events */
};

/* A copy of the final word on a job, for daectl and the ledger. */
struct prober_final {
	struct job job;
	struct result result;
	enum health_effect effect;
};

/* From the configuration; on reload with the running one, which gives up its
 * health, jobs, counters and events and is to be freed. -ENOMEM, -EINVAL. */
int prober_new(struct prober **ret, const struct config *c, struct prober *old,
	       const struct prober_now *now);
/* The reload failed after all: @old, which is of @c, has its things again and
 * goes on; frees *p. Nothing but prober_update_groups() happened meanwhile. */
void prober_give_back(struct prober **p, struct prober *old,
		      const struct config *c);
/* Accepts NULL, sets *p to NULL. */
void prober_free(struct prober **p);
#define auto_prober __attribute__((cleanup(prober_free)))
/*
 * A job to send now, already in the table and waiting, or NULL. Waiting jobs
 * whose worker died come first. Call until NULL or until no worker is free.
 */
struct job *prober_next_job(struct prober *p, const struct prober_now *now);
/* Ask one check now, by hand, whatever its schedule. -ENOSPC, -ENOENT, -EBUSY. */
int prober_ask(struct prober *p, uint32_t check, uint64_t cookie,
	       const struct prober_now *now, struct job **ret);
/*
 * The final result of @j, which is gone afterwards. Failures of our own that
 * leave time are for the caller to retry before.
 */
void prober_finish(struct prober *p, struct job *j, const struct result *r,
		   const struct prober_now *now, struct prober_final *ret);
/* Like it, for an end that no worker reported: OUTCOME_WORKER_LOST and such. */
void prober_abort(struct prober *p, struct job *j, enum outcome why,
		  const struct prober_now *now, struct prober_final *ret);
/*
 * A worker is gone. @blame: its targets are suspects. Its jobs wait again;
 * exhausted ones come out of prober_next_expired().
 */
void prober_worker_lost(struct prober *p, uint32_t worker, uint32_t generation,
			bool blame, const struct prober_now *now);
/* A job that is out of time or attempts and has to be aborted, or NULL. */
struct job *prober_next_expired(struct prober *p, const struct prober_now *now);
/* From rtnetlink: a way out exists; @changed: routes or addresses moved, which
 * has everything asked again, once in a while however often it comes. */
void prober_link(struct prober *p, bool has_uplink, bool changed,
		 const struct prober_now *now);
/* Time went by: once a second, or when prober_next_ns() says. */
void prober_tick(struct prober *p, const struct prober_now *now);
/* Evaluate groups if anything moved; true if they are to be published. */
bool prober_update_groups(struct prober *p, const struct prober_now *now);
/* -ENOENT. */
int prober_set_admin(struct prober *p, uint32_t target, enum node_admin admin,
		     uint64_t until_ns, const struct prober_now *now);
/* What the kernel knows of a target without checks (a local listener): an enum
 * verdict for each of TARGET_CHECKS. -ENOENT. */
int prober_set_assumed(struct prober *p, uint32_t target,
		       const uint8_t *verdicts, const struct prober_now *now);
/* By command: in quarantine for the policy's time, and out of it. -ENOENT. */
int prober_hold(struct prober *p, uint32_t target,
		const struct prober_now *now);
int prober_release(struct prober *p, uint32_t target,
		   const struct prober_now *now);
uint64_t prober_next_ns(const struct prober *p, uint64_t now_ns);
