/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes asked for by hand, with what answers them replaced by a notebook. */
#include "supervisor/asks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "supervisor/ctl/ctl_server.h"
#include "supervisor/supervisor.h"
#include "tests/unit/core_prober_world.h"

static struct world w;
static struct supervisor s;
static uint64_t done_ticket;
static size_t done_count;
static unsigned int done;

struct prober_now supervisor_now(void)
{
	return w.now;
}

void ctl_server_probe_done(struct ctl_server *server, uint64_t ticket,
			   const struct ctl_probe_answer *answers, size_t count)
{
	(void)server;
	(void)answers;
	done_ticket = ticket;
	done_count = count;
	done++;
}

static int start(void **state)
{
	(void)state;
	world_start(&w, 2);
	world_run(&w, 100 * S, 20 * NS_PER_MS);
	done = 0;
	s.prober = w.p;
	return asks_new(&s.asks, &s);
}

static int stop(void **state)
{
	(void)state;
	asks_free(&s.asks);
	world_stop(&w);
	return 0;
}

static struct job *job_of(uint32_t check)
{
	struct job *j;

	for (uint32_t i = 0; (j = job_table_at(w.p->jobs, i)); i++)
		if (j->check == check)
			return j;
	return NULL;
}

static void end_job(uint32_t check)
{
	struct result ok = { .outcome = OUTCOME_OK };
	struct prober_final f;
	struct job *j = job_of(check);

	assert_non_null(j);
	prober_finish(w.p, j, &ok, &w.now, &f);
	asks_final(s.asks, &f);
}

static void test_rounds(void **state)
{
	struct ctl_probe_request q = { .checks = 1, .count = 3 };
	uint32_t check;

	(void)state;
	q.target = world_node(&w, 0)->index;
	check = target_check_id(q.target, 0);
	assert_int_equal(asks_start(s.asks, 42, &q), 0);
	assert_null(job_of(check));
	asks_begin(s.asks);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(done, 0);
		asks_begin(s.asks); /* nothing to begin: one is under way */
		end_job(check);
	}
	assert_null(job_of(check));
	assert_int_equal(done, 1);
	assert_int_equal(done_ticket, 42);
	assert_int_equal(done_count, 3);
}

/* The client is told after the request was taken in, never within. */
static void test_what_cannot_be_asked(void **state)
{
	struct ctl_probe_request q = { .checks = 1, .count = 2 };
	uint32_t check;

	(void)state;
	q.target = world_node(&w, 0)->index;
	check = target_check_id(q.target, 0);
	assert_int_equal(asks_start(s.asks, 1, &q), 0);
	asks_begin(s.asks);
	assert_int_equal(asks_start(s.asks, 2, &q), 0); /* the same check */
	q.target = 999;					/* gone by a reload */
	assert_int_equal(asks_start(s.asks, 3, &q), 0);
	assert_int_equal(done, 0);
	asks_begin(s.asks);
	assert_int_equal(done, 2);
	assert_int_equal(done_count, 2);
	end_job(check);
	end_job(check);
	assert_int_equal(done, 3);
	assert_int_equal(done_ticket, 1);
}

static void test_too_much(void **state)
{
	struct ctl_probe_request q = { .checks = 0xff, .count = 16 };

	(void)state;
	assert_int_equal(asks_start(s.asks, 1, &q), -E2BIG);
	q.checks = 0;
	assert_int_equal(asks_start(s.asks, 1, &q), -E2BIG);
	q = (struct ctl_probe_request){ .checks = 1, .count = 1 };
	for (int i = 0; i < 32; i++)
		assert_int_equal(asks_start(s.asks, 1, &q), 0);
	assert_int_equal(asks_start(s.asks, 1, &q), -EBUSY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rounds, start, stop),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_asked,
						start, stop),
		cmocka_unit_test_setup_teardown(test_too_much, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
