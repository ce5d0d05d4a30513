/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/job_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base.h"

#define ID_INDEX_BITS 16
#define ID_INDEX_MASK ((1U << ID_INDEX_BITS) - 1)

static_assert(JOB_TABLE_MAX == 1U << ID_INDEX_BITS, "an id holds an index");

struct job_table {
	struct job *jobs;   /* id 0: free */
	uint16_t *turns;    /* upper half of the next id of each place */
	uint32_t *live;	    /* indexes in use, dense */
	uint32_t *live_pos; /* where in live each index is */
	uint32_t *unused;   /* a stack of free indexes */
	uint32_t max, live_count, waiting;
	struct job_stats stats;
};

int job_table_new(struct job_table **ret, uint32_t max)
{
	auto_job_table struct job_table *t = NULL;

	if (max == 0 || max > JOB_TABLE_MAX)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->max = max;
	t->jobs = calloc(max, sizeof(*t->jobs));
	t->turns = calloc(max, sizeof(*t->turns));
	t->live = calloc(max, sizeof(*t->live));
	t->live_pos = calloc(max, sizeof(*t->live_pos));
	t->unused = calloc(max, sizeof(*t->unused));
	if (!t->jobs || !t->turns || !t->live || !t->live_pos || !t->unused)
		return -ENOMEM;
	for (uint32_t i = 0; i < max; i++)
		t->unused[i] = max - 1 - i;
	*ret = TAKE_PTR(t);
	return 0;
}

void job_table_free(struct job_table **t)
{
	if (!*t)
		return;
	free((*t)->jobs);
	free((*t)->turns);
	free((*t)->live);
	free((*t)->live_pos);
	free((*t)->unused);
	free(*t);
	*t = NULL;
}

int job_table_add(struct job_table *t, const struct job *spec, struct job **ret)
{
	struct job *j;
	uint32_t i;

	if (t->live_count == t->max)
		return -ENOSPC;
	i = t->unused[t->max - t->live_count - 1];
	t->turns[i] = t->turns[i] == UINT16_MAX ? 1 : t->turns[i] + 1;
	t->live[t->live_count] = i;
	t->live_pos[i] = t->live_count++;
	j = &t->jobs[i];
	*j = *spec;
	j->id = (uint32_t)t->turns[i] << ID_INDEX_BITS | i;
	j->worker = JOB_NO_WORKER;
	j->generation = 0;
	j->attempts = 0;
	j->deaths = 0;
	j->sent_ns = 0;
	t->waiting++;
	t->stats.added++;
	*ret = j;
	return 0;
}

struct job *job_table_find(const struct job_table *t, uint32_t id)
{
	uint32_t i = id & ID_INDEX_MASK;

	return id && i < t->max && t->jobs[i].id == id ? &t->jobs[i] : NULL;
}

struct job *job_table_match(struct job_table *t, uint32_t id, uint32_t worker,
			    uint32_t generation)
{
	struct job *j = job_table_find(t, id);

	if (j && j->worker != JOB_NO_WORKER && j->worker == worker &&
	    j->generation == generation)
		return j;
	t->stats.stale++;
	return NULL;
}

void job_assign(struct job_table *t, struct job *j, uint32_t worker,
		uint32_t generation, uint64_t now_ns)
{
	if (j->worker == JOB_NO_WORKER)
		t->waiting--;
	t->stats.redispatched += j->attempts > 0;
	j->worker = worker;
	j->generation = generation;
	j->sent_ns = now_ns;
	if (j->attempts < UINT8_MAX)
		j->attempts++;
}

void job_unassign(struct job_table *t, struct job *j)
{
	if (j->worker == JOB_NO_WORKER)
		return;
	t->waiting++;
	j->worker = JOB_NO_WORKER;
	j->sent_ns = 0;
	if (j->attempts > 0)
		j->attempts--;
}

size_t job_table_worker_lost(struct job_table *t, uint32_t worker,
			     uint32_t generation, bool blame, struct job **ret,
			     size_t max)
{
	size_t n = 0;

	for (uint32_t i = 0; i < t->live_count; i++) {
		struct job *j = &t->jobs[t->live[i]];

		if (j->worker != worker || j->generation != generation)
			continue;
		j->worker = JOB_NO_WORKER;
		j->sent_ns = 0;
		j->deaths += blame;
		t->waiting++;
		if (n < max)
			ret[n] = j;
		n++;
	}
	return n;
}

static uint64_t limit_ns(const struct job *j)
{
	return j->worker == JOB_NO_WORKER ? j->deadline_ns
					  : j->deadline_ns + JOB_SLACK_NS;
}

bool job_is_exhausted(const struct job *j, uint64_t now_ns)
{
	if (now_ns >= limit_ns(j))
		return true;
	return j->worker == JOB_NO_WORKER && j->deaths >= JOB_DEATHS;
}

struct job *job_table_expired(const struct job_table *t, uint64_t now_ns)
{
	for (uint32_t i = 0; i < t->live_count; i++) {
		struct job *j = &t->jobs[t->live[i]];

		if (job_is_exhausted(j, now_ns))
			return j;
	}
	return NULL;
}

/* A strict order in time that never has two equal. */
static bool is_older(const struct job *a, const struct job *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->id < b->id;
}

struct job *job_table_waiting(const struct job_table *t,
			      const struct job *after)
{
	struct job *best = NULL;

	if (t->waiting == 0)
		return NULL;
	for (uint32_t i = 0; i < t->live_count; i++) {
		struct job *j = &t->jobs[t->live[i]];

		if (j->worker != JOB_NO_WORKER ||
		    (after && !is_older(after, j)))
			continue;
		if (!best || is_older(j, best))
			best = j;
	}
	return best;
}

uint64_t job_table_next_ns(const struct job_table *t)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < t->live_count; i++) {
		uint64_t at = limit_ns(&t->jobs[t->live[i]]);

		next = MIN(next, at);
	}
	return next;
}

uint64_t job_table_worker_due_ns(const struct job_table *t, uint32_t worker,
				 uint32_t generation)
{
	uint64_t due = 0;

	for (uint32_t i = 0; i < t->live_count; i++) {
		const struct job *j = &t->jobs[t->live[i]];

		if (j->worker == worker && j->generation == generation &&
		    (due == 0 || j->deadline_ns < due))
			due = j->deadline_ns;
	}
	return due;
}

void job_finish(struct job_table *t, struct job *j)
{
	uint32_t i = (uint32_t)(j - t->jobs), pos = t->live_pos[i], last;

	if (j->id == 0)
		return;
	if (j->worker == JOB_NO_WORKER)
		t->waiting--;
	j->id = 0;
	last = t->live[--t->live_count];
	t->live[pos] = last;
	t->live_pos[last] = pos;
	t->unused[t->max - t->live_count - 1] = i;
	t->stats.finished++;
}

struct job *job_table_at(const struct job_table *t, uint32_t i)
{
	return i < t->live_count ? &t->jobs[t->live[i]] : NULL;
}

void job_table_stats(const struct job_table *t, struct job_stats *ret)
{
	*ret = t->stats;
	ret->live = t->live_count;
	ret->waiting = t->waiting;
}
