/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pool with test workers and a ledger of its jobs, for the pool's tests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/pool/pool.h"

#define RIG_JOBS_MAX 20000

struct rig_job {
	uint32_t id, place, generation, attempts, finals;
	bool is_out; /* a worker has it */
	struct result result;
};

struct rig {
	struct event_base *base;
	struct pool *pool;
	struct pool_config config;
	char dir[64], path[128];
	struct job_spec spec; /* of every job; the id is set */
	struct rig_job *jobs; /* RIG_JOBS_MAX; the id is the index plus one */
	uint32_t count, done, max_attempts;
	uint32_t ready, exits, crashes, failed, lost, blamed, unsent;
	uint32_t retired[RECYCLE_REASON_COUNT], ended[RECYCLE_REASON_COUNT];
	int fds_before;
};

/* Worker @name is "always-MODE", "once-MODE" or "good"; @program the binary of
 * evil_worker.c. The pool is made by rig_start(), after changes to config. */
void rig_init(struct rig *r, const char *program, const char *name);
void rig_start(struct rig *r);
/* Add @n jobs, to be sent as workers take them. */
void rig_add(struct rig *r, uint32_t n);
/* Run the loop for @ms, or until all jobs are done. True if they are. */
bool rig_run(struct rig *r, unsigned int ms);
/* Run until @counter reaches @want or @ms are over. */
bool rig_run_until(struct rig *r, const uint32_t *counter, uint32_t want,
		   unsigned int ms);
/* Stops everything; true if no descriptor and no process is left. */
bool rig_stop(struct rig *r);
/* True if every job has exactly one final record. */
bool rig_is_exact(const struct rig *r);
