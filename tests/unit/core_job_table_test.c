/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/job_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define S NS_PER_S

static struct job *add(struct job_table *t, uint64_t due_ns)
{
	struct job spec = { .check = 3,
			    .key = 9,
			    .slot = 4,
			    .due_ns = due_ns,
			    .deadline_ns = due_ns + 10 * S };
	struct job *j;

	assert_int_equal(job_table_add(t, &spec, &j), 0);
	return j;
}

static void test_ids(void **state)
{
	auto_job_table struct job_table *t = NULL;
	struct job spec = { 0 }, *j, *other;
	uint32_t first;

	(void)state;
	assert_int_equal(job_table_new(&t, 0), -EINVAL);
	assert_int_equal(job_table_new(&t, JOB_TABLE_MAX + 1), -EINVAL);
	assert_int_equal(job_table_new(&t, 2), 0);
	j = add(t, 1);
	first = j->id;
	assert_int_not_equal(first, 0);
	add(t, 2);
	assert_int_equal(job_table_add(t, &spec, &other), -ENOSPC);
	assert_ptr_equal(job_table_find(t, first), j);
	job_finish(t, j);
	assert_null(job_table_find(t, first));
	assert_null(job_table_find(t, 0));
	assert_int_not_equal(add(t, 3)->id, first);
	assert_null(job_table_find(t, first)); /* the place, not the job */
}

/* Only the worker that has it, in the run that got it, may speak of a job. */
static void test_match(void **state)
{
	auto_job_table struct job_table *t = NULL;
	struct job_stats st;
	struct job *j;

	(void)state;
	assert_int_equal(job_table_new(&t, 4), 0);
	j = add(t, 1);
	assert_null(job_table_match(t, j->id, JOB_NO_WORKER, 0));
	job_assign(t, j, 2, 7, 5);
	assert_ptr_equal(job_table_match(t, j->id, 2, 7), j);
	assert_null(job_table_match(t, j->id, 2, 8));
	assert_null(job_table_match(t, j->id, 1, 7));
	assert_null(job_table_match(t, j->id + 1, 2, 7));
	assert_null(job_table_match(t, UINT32_MAX, 2, 7));
	job_table_stats(t, &st);
	assert_int_equal(st.stale, 5);
}

static void test_worker_lost(void **state)
{
	auto_job_table struct job_table *t = NULL;
	struct job *a, *b, *lost[1];
	struct job_stats st;

	(void)state;
	assert_int_equal(job_table_new(&t, 4), 0);
	a = add(t, 1);
	b = add(t, 2);
	job_assign(t, a, 0, 1, 5);
	job_assign(t, b, 0, 1, 5);
	assert_int_equal(job_table_worker_lost(t, 0, 2, true, lost, 1), 0);
	assert_int_equal(job_table_worker_lost(t, 0, 1, true, lost, 1), 2);
	job_table_stats(t, &st);
	assert_int_equal(st.waiting, 2);
	assert_ptr_equal(job_table_waiting(t, NULL), a); /* oldest first */
	assert_ptr_equal(job_table_waiting(t, a), b);
	assert_null(job_table_waiting(t, b));
	job_assign(t, a, 1, 1, 6);
	job_table_stats(t, &st);
	assert_int_equal(st.redispatched, 1);
}

static void test_attempts_end(void **state)
{
	auto_job_table struct job_table *t = NULL;
	struct job *j, *lost[1];

	(void)state;
	assert_int_equal(job_table_new(&t, 4), 0);
	j = add(t, 1);
	for (uint32_t i = 0; i < JOB_DEATHS; i++) {
		assert_false(job_is_exhausted(j, 2));
		job_assign(t, j, i, 1, 2);
		job_table_worker_lost(t, i, 1, true, lost, 1);
	}
	assert_true(job_is_exhausted(j, 2));
	assert_ptr_equal(job_table_expired(t, 2), j);
	j = add(t, 1); /* given back by one that did nothing wrong */
	for (uint32_t i = 0; i < 10; i++) {
		job_assign(t, j, i, 1, 2);
		job_unassign(t, j);
		job_unassign(t, j);
	}
	assert_false(job_is_exhausted(j, 2));
	assert_int_equal(j->attempts, 0);
}

static void test_deadlines(void **state)
{
	auto_job_table struct job_table *t = NULL;
	struct job *a, *b;

	(void)state;
	assert_int_equal(job_table_new(&t, 4), 0);
	assert_int_equal(job_table_next_ns(t), UINT64_MAX);
	assert_int_equal(job_table_worker_due_ns(t, 0, 1), 0);
	a = add(t, 0);
	b = add(t, 5 * S);
	assert_int_equal(job_table_next_ns(t), 10 * S);
	assert_null(job_table_expired(t, 10 * S - 1));
	assert_ptr_equal(job_table_expired(t, 10 * S), a);
	/* a worker is given a moment to say it */
	job_assign(t, a, 0, 1, 1);
	assert_null(job_table_expired(t, 11 * S));
	assert_ptr_equal(job_table_expired(t, 10 * S + JOB_SLACK_NS), a);
	job_assign(t, b, 0, 1, 1);
	assert_int_equal(job_table_worker_due_ns(t, 0, 1), 10 * S);
	job_finish(t, a);
	assert_int_equal(job_table_worker_due_ns(t, 0, 1), 15 * S);
	assert_int_equal(job_table_next_ns(t), 15 * S + JOB_SLACK_NS);
}

/* Whatever happens: added = finished + live, each live one is listed once. */
static void test_random_life(void **state)
{
	auto_job_table struct job_table *t = NULL;
	struct job *lost[64], *j;
	struct job_stats st;

	(void)state;
	assert_int_equal(job_table_new(&t, 64), 0);
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t h = hash_mix(i);
		uint32_t waiting = 0, n = 0;

		job_table_stats(t, &st);
		j = st.live ? job_table_at(t, (h >> 8) % st.live) : NULL;
		if (h % 5 < 2 && st.live < 64)
			add(t, h >> 40);
		else if (j && h % 5 == 2)
			job_assign(t, j, h >> 20 & 3, 1, i);
		else if (j && h % 5 == 3)
			job_finish(t, j);
		else
			job_table_worker_lost(t, h >> 20 & 3, 1, true, lost,
					      64);
		job_table_stats(t, &st);
		assert_int_equal(st.added, st.finished + st.live);
		for (; (j = job_table_at(t, n)); n++) {
			waiting += j->worker == JOB_NO_WORKER;
			assert_ptr_equal(job_table_find(t, j->id), j);
		}
		assert_int_equal(n, st.live);
		assert_int_equal(waiting, st.waiting);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_worker_lost),
		cmocka_unit_test(test_attempts_end),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
