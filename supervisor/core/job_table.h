/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that have been scheduled and have no final result yet. A worker's word
 * about a job counts only if slot and generation match. Every job added is
 * finished exactly once, whatever happens to the workers on its way.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_TABLE_MAX 65536
#define JOB_NO_WORKER UINT32_MAX
#define JOB_DEATHS 3		   /* workers that may die of one job */
#define JOB_SLACK_NS 2000000000ULL /* for a worker to say it in time */

enum job_stage { JOB_STAGE_RESOLVE, JOB_STAGE_PROBE };

struct job {
	uint32_t id;	/* never 0; not reused for a long time */
	uint32_t check; /* see target_check_id() */
	uint64_t key;	/* of the check: it may be gone after a reload */
	uint64_t slot;	/* of the schedule */
	uint64_t due_ns;
	uint64_t sent_ns;     /* to the worker it has now, or 0 */
	uint64_t deadline_ns; /* what workers are told */
	uint32_t worker;      /* place, JOB_NO_WORKER: waits to be sent */
	uint32_t generation;
	uint8_t attempts;  /* workers it was given to */
	uint8_t deaths;	   /* of them, those that it may have killed */
	uint8_t stage;	   /* enum job_stage */
	bool is_solo;	   /* with nothing else in its worker */
	bool is_witness;   /* asked for by the offline gate */
	bool is_scheduled; /* schedule_done() is owed */
	bool is_offered;   /* and nobody took it since */
	bool is_trial;	   /* asked for by hand, judges nobody */
	uint64_t cookie;   /* of who asked for it by hand; 0: schedule */
};

struct job_stats {
	uint64_t added, finished, redispatched, stale;
	uint32_t live, waiting;
};

struct job_table;

/* For at most @max jobs at once. -EINVAL, -ENOMEM. */
int job_table_new(struct job_table **ret, uint32_t max);
/* Accepts NULL, sets *t to NULL. */
void job_table_free(struct job_table **t);
#define auto_job_table __attribute__((cleanup(job_table_free)))
/* Takes check, key, slot, due, deadline and flags of @spec. -ENOSPC. */
int job_table_add(struct job_table *t, const struct job *spec,
		  struct job **ret);
struct job *job_table_find(const struct job_table *t, uint32_t id);
/* The job a worker speaks of, or NULL (counted): not its job any more. */
struct job *job_table_match(struct job_table *t, uint32_t id, uint32_t worker,
			    uint32_t generation);
/* It goes to a worker now; counts an attempt. */
void job_assign(struct job_table *t, struct job *j, uint32_t worker,
		uint32_t generation, uint64_t now_ns);
/* Back from a worker that did nothing wrong: waits, no attempt counted. */
void job_unassign(struct job_table *t, struct job *j);
/*
 * The worker is gone: its jobs wait again. Writes at most @max of them to @ret
 * and returns how many it had. @blame: one of them may have killed it. Those
 * that are over by that (job_is_exhausted()) are for the caller to finish.
 */
size_t job_table_worker_lost(struct job_table *t, uint32_t worker,
			     uint32_t generation, bool blame, struct job **ret,
			     size_t max);
/* Waiting past its deadline or after JOB_DEATHS, or with a worker that is
 * silent past the deadline and JOB_SLACK_NS. */
bool job_is_exhausted(const struct job *j, uint64_t now_ns);
/* Some exhausted job, or NULL. */
struct job *job_table_expired(const struct job_table *t, uint64_t now_ns);
/* The waiting job that has waited longest after @after (NULL: first). */
struct job *job_table_waiting(const struct job_table *t,
			      const struct job *after);
/* When the next one is exhausted by time, UINT64_MAX if empty. */
uint64_t job_table_next_ns(const struct job_table *t);
/* Earliest deadline of what this worker has, 0 if nothing. */
uint64_t job_table_worker_due_ns(const struct job_table *t, uint32_t worker,
				 uint32_t generation);
/* The final result is in: the job is gone. */
void job_finish(struct job_table *t, struct job *j);
/* @i-th live job for i below stats.live; for lists. */
struct job *job_table_at(const struct job_table *t, uint32_t i);
void job_table_stats(const struct job_table *t, struct job_stats *ret);
