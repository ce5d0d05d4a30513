/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pool against workers that do all a worker can do wrong. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "pool_rig.h"

static const char *program;

static void good_workers_do_the_jobs(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, program, "good");
	rig_start(&r);
	rig_add(&r, 5000);
	assert_true(rig_run(&r, 20000));
	assert_true(rig_is_exact(&r));
	assert_int_equal(r.lost + r.unsent + r.exits, 0);
	for (uint32_t i = 0; i < r.count; i++)
		assert_int_equal(r.jobs[i].result.outcome, OUTCOME_OK);
	assert_true(rig_stop(&r));
}

/* Misbehaviour of each place's first worker: it goes, another does the jobs. */
static const struct {
	const char *mode;
	enum recycle_reason ended; /* RECYCLE_NONE: it may stay */
} once[] = {
	{ "wrongversion", RECYCLE_CRASH }, { "wrongbuild", RECYCLE_CRASH },
	{ "wronggen", RECYCLE_CRASH },	   { "wrongpid", RECYCLE_CRASH },
	{ "wrongrole", RECYCLE_CRASH },	   { "surplus", RECYCLE_CRASH },
	{ "manyfds", RECYCLE_CRASH },	   { "random", RECYCLE_CRASH },
	{ "flood", RECYCLE_CRASH },	   { "toolong", RECYCLE_CRASH },
	{ "tooshort", RECYCLE_CRASH },	   { "empty", RECYCLE_CRASH },
	{ "emptyfds", RECYCLE_CRASH },	   { "hello2", RECYCLE_CRASH },
	{ "drained", RECYCLE_CRASH },	   { "closed", RECYCLE_CRASH },
	{ "badoutcome", RECYCLE_CRASH },   { "baddetail", RECYCLE_CRASH },
	{ "noend", RECYCLE_CRASH },	   { "badaddrs", RECYCLE_CRASH },
	{ "addrs", RECYCLE_CRASH },	   { "crash", RECYCLE_CRASH },
	{ "crashstart", RECYCLE_CRASH },   { "half", RECYCLE_CRASH },
	{ "leave", RECYCLE_CRASH },	   { "nomem", RECYCLE_OOM },
	{ "busy", RECYCLE_STUCK },	   { "others", RECYCLE_NONE },
	{ "double", RECYCLE_NONE },
};

static void one_bad_worker(const char *mode, enum recycle_reason ended)
{
	struct rig r;
	char name[64];

	snprintf(name, sizeof(name), "once-%s", mode);
	rig_init(&r, program, name);
	rig_start(&r);
	rig_add(&r, 100);
	if (!rig_run(&r, 15000) || !rig_is_exact(&r))
		fail_msg("%s: %u of %u jobs ended", mode, r.done, r.count);
	for (uint32_t i = 0; i < r.count; i++)
		if (r.jobs[i].result.outcome != OUTCOME_OK &&
		    strcmp(mode, "others") != 0) /* some of those are its own */
			fail_msg("%s: job %u: %s after %u workers", mode, i,
				 outcome_name(r.jobs[i].result.outcome),
				 r.jobs[i].attempts);
	if (ended != RECYCLE_NONE && r.ended[ended] == 0)
		fail_msg("%s: no worker ended so", mode);
	if (ended == RECYCLE_NONE && r.exits)
		fail_msg("%s: a worker ended", mode);
	if (!rig_stop(&r))
		fail_msg("%s: descriptors or processes are left", mode);
}

static void bad_workers_are_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(once); i++)
		one_bad_worker(once[i].mode, once[i].ended);
}

/* With no good worker at all the jobs still end, as our failure. */
static void jobs_end_with_bad_workers_alone(void **state)
{
	static const char *const modes[] = { "always-crash", "always-half",
					     "always-badoutcome" };
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		rig_init(&r, program, modes[i]);
		rig_start(&r);
		rig_add(&r, 20);
		assert_true(rig_run(&r, 20000));
		assert_true(rig_is_exact(&r));
		assert_true(r.blamed > 0);
		assert_true(rig_stop(&r));
	}
}

static void a_silent_worker_is_given_up(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, program, "once-silent");
	rig_start(&r);
	rig_add(&r, 10);
	assert_true(rig_run(&r, 9000));
	assert_true(r.retired[RECYCLE_STUCK] > 0);
	assert_true(rig_is_exact(&r));
	assert_true(rig_stop(&r));
}

static void without_a_sandbox_it_stays_down(void **state)
{
	struct rig r;
	uint32_t exits;

	(void)state;
	rig_init(&r, program, "always-sandbox");
	rig_start(&r);
	assert_true(rig_run_until(&r, &r.failed, 2, 3000));
	rig_add(&r, 1);
	rig_run(&r, 500); /* the spare place may have been tried meanwhile */
	exits = r.exits;
	assert_false(rig_run(&r, 1500));
	assert_int_equal(r.exits, exits); /* nobody tried again */
	assert_int_equal(pool_revive(r.pool, 0), 0);
	assert_int_equal(pool_revive(r.pool, 0), -ENOENT);
	for (uint32_t i = 1; i < pool_count(r.pool); i++)
		pool_revive(r.pool, i);
	assert_true(rig_run_until(&r, &r.failed, exits + 1, 3000));
	assert_true(rig_stop(&r));
}

static void a_missing_program_harms_nobody(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, "/nonexistent", "good");
	rig_start(&r);
	rig_add(&r, 1);
	assert_false(rig_run(&r, 1000));
	assert_true(r.crashes > 1); /* with back-off, not in a tight loop */
	assert_true(r.crashes < 40);
	assert_true(rig_stop(&r));
}

/* With room for one more worker, and without: then one goes first. */
static void recycling_loses_nothing(void **state)
{
	struct rig r;

	(void)state;
	for (uint32_t spares = 0; spares < 2; spares++) {
		rig_init(&r, program, "always-slow");
		r.config.limits.spares = spares;
		rig_start(&r);
		for (int i = 0; i < 20; i++) {
			rig_add(&r, 200);
			rig_run(&r, 30);
			pool_recycle(r.pool, CREW_MAX, RECYCLE_ADMIN);
		}
		assert_true(rig_run(&r, 20000));
		assert_true(rig_is_exact(&r));
		assert_int_equal(r.lost, 0);
		assert_int_equal(r.crashes, 0);
		assert_true(r.retired[RECYCLE_ADMIN] >= 2);
		assert_true(rig_stop(&r));
	}
}

static void who_does_not_drain_is_killed(void **state)
{
	static const char *const modes[] = { "always-ignoredrain",
					     "always-crashdrain" };
	struct rig r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		rig_init(&r, program, modes[i]);
		rig_start(&r);
		assert_true(rig_run_until(&r, &r.ready, 2, 3000));
		rig_add(&r, 50);
		pool_recycle(r.pool, CREW_MAX, RECYCLE_ADMIN);
		assert_true(rig_run_until(&r, &r.exits, 2, 8000));
		assert_true(i || r.retired[RECYCLE_DRAIN_TIMEOUT] > 0);
		rig_add(&r, 50);
		assert_true(rig_run(&r, 5000));
		assert_true(rig_is_exact(&r));
		assert_true(rig_stop(&r));
	}
}

static void growth_is_seen_and_recycled(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, program, "always-hog");
	r.config.limits.rss_soft_bytes = 16 << 20;
	r.config.limits.rss_hard_bytes = 256 << 20;
	r.config.limits.workers = 1;
	rig_start(&r);
	for (int i = 0; i < 100 && !r.ended[RECYCLE_RSS_SOFT]; i++) {
		rig_add(&r, 1);
		rig_run(&r, 1000);
		rig_run_until(&r, &r.exits, 1, 50);
	}
	assert_true(r.retired[RECYCLE_RSS_SOFT] > 0);
	assert_true(rig_run(&r, 3000));
	assert_true(rig_is_exact(&r));
	assert_int_equal(r.lost, 0);
	assert_true(rig_stop(&r));
}

static void descriptors_are_counted(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, program, "once-fdhog");
	r.config.policy.max_fds = 100;
	rig_start(&r);
	rig_add(&r, 10);
	assert_true(rig_run(&r, 3000));
	assert_true(rig_run_until(&r, &r.retired[RECYCLE_FDS], 1, 4000));
	assert_true(rig_is_exact(&r));
	assert_true(rig_stop(&r));
}

/* The kernel's last word, where there are memory cgroups. */
static void a_burst_ends_in_the_cgroup(void **state)
{
	struct pool_view v;
	struct rig r;

	(void)state;
	rig_init(&r, program, "once-burst");
	r.config.cgroup = NULL;
	r.config.limits.rss_soft_bytes = 8 << 20;
	r.config.limits.rss_hard_bytes = 16 << 20;
	rig_start(&r);
	assert_true(rig_run_until(&r, &r.ready, 2, 3000));
	pool_view(r.pool, 0, &v);
	if (!v.has_memory_cgroup) {
		print_message("no memory cgroup to be had here\n");
		assert_true(rig_stop(&r));
		skip();
	}
	rig_add(&r, 50);
	assert_true(rig_run(&r, 10000));
	assert_true(rig_is_exact(&r));
	assert_true(r.ended[RECYCLE_OOM] > 0);
	assert_true(r.blamed > 0);
	assert_true(rig_stop(&r));
}

/* SIGKILL from outside at any moment, hundreds of jobs under way. */
static void killing_workers_loses_no_job(void **state)
{
	unsigned int kills = 0;
	struct pool_view v;
	struct rig r;

	(void)state;
	rig_init(&r, program, "always-slow");
	r.config.limits.workers = 4;
	r.max_attempts = UINT32_MAX;
	rig_start(&r);
	for (int i = 0; i < 150; i++) {
		rig_add(&r, 20);
		rig_run(&r, 5);
		pool_view(r.pool, (uint32_t)rand() % pool_count(r.pool), &v);
		if (v.pid && i % 4 == 0 && kill(v.pid, SIGKILL) == 0)
			kills++;
	}
	assert_true(rig_run(&r, 30000));
	assert_true(rig_is_exact(&r));
	assert_true(kills > 10);
	assert_true(r.lost > 0);
	assert_int_equal(r.blamed, 0); /* whoever kills from outside did it */
	for (uint32_t i = 0; i < r.count; i++)
		assert_int_equal(r.jobs[i].result.outcome, OUTCOME_OK);
	assert_true(rig_stop(&r));
}

static void a_worker_has_nothing_of_ours(void **state)
{
	char want[80];
	struct rig r;
	int extra = dup(2); /* not close-on-exec: must not get through */

	(void)state;
	rig_init(&r, program, "always-fds");
	rig_start(&r);
	rig_add(&r, 1);
	assert_true(rig_run(&r, 3000));
	assert_string_equal(r.jobs[0].result.detail, "0 1 2 3 ");
	assert_true(rig_stop(&r));
	rig_init(&r, program, "always-self");
	rig_start(&r);
	rig_add(&r, 1);
	assert_true(rig_run(&r, 3000));
	snprintf(want, sizeof(want),
		 "uid=%u,%u,%u caps=none core=0 files=512 root=no",
		 r.config.uid == (uid_t)-1 ? getuid() : r.config.uid,
		 r.config.uid == (uid_t)-1 ? getuid() : r.config.uid,
		 r.config.uid == (uid_t)-1 ? getuid() : r.config.uid);
	assert_string_equal(r.jobs[0].result.detail, want);
	assert_true(rig_stop(&r));
	close(extra);
}

static void sockets_lead_to_the_node_alone(void **state)
{
	struct rig r;
	char want[80];

	(void)state;
	rig_init(&r, program, "always-sockets");
	rig_start(&r);
	rig_add(&r, 1);
	assert_true(rig_run(&r, 3000));
	snprintf(want, sizeof(want),
		 "other=%d job=%d port0=%d tcp=%d own=1 any=1 third=%d",
		 -EACCES, -ESTALE, -EINVAL, -EACCES, -EDQUOT);
	assert_string_equal(r.jobs[0].result.detail, want);
	assert_true(rig_stop(&r));
}

static void a_suspect_runs_alone(void **state)
{
	struct job_spec spec = { .deadline_ms = 5000,
				 .kind = JOB_DNS_UDP,
				 .nfds = 1,
				 .proto = IPPROTO_UDP };
	struct pool_job job = { .spec = &spec,
				.is_literal = true,
				.is_solo = true };
	struct sockaddr_in *in = (void *)&spec.peer;
	struct pool_sent first, sent;
	struct rig r;

	(void)state;
	in->sin_family = AF_INET;
	in->sin_port = 9;
	in->sin_addr.s_addr = 0x0100007f;
	rig_init(&r, program, "good");
	rig_start(&r);
	pool_want_solo(r.pool, true);
	assert_true(rig_run_until(&r, &r.ready, 3, 3000));
	r.count = 2; /* the ledger's first two are sent by hand */
	r.jobs[0].is_out = r.jobs[1].is_out = true;
	spec.id = 1;
	assert_int_equal(pool_dispatch(r.pool, &job, &first), 0);
	r.jobs[0].place = first.place;
	r.jobs[0].generation = first.generation;
	spec.id = 2;
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), -EAGAIN);
	spec.id = 1;
	job.is_solo = false;
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), -EEXIST);
	spec.id = 2;
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), 0);
	assert_true(sent.place != first.place);
	assert_int_equal(pool_cancel(r.pool, 2), 0);
	assert_int_equal(pool_cancel(r.pool, 2), -ENOENT);
	assert_true(rig_run_until(&r, &r.done, 1, 3000));
	rig_run(&r, 300); /* the cancelled one must not be heard of */
	assert_int_equal(r.done, 1);
	assert_true(rig_stop(&r));
}

static void bad_addresses_are_the_jobs_result(void **state)
{
	struct job_spec spec = { .id = 1,
				 .deadline_ms = 5000,
				 .kind = JOB_DNS_UDP,
				 .nfds = 1,
				 .proto = IPPROTO_UDP };
	struct pool_job job = { .spec = &spec };
	struct sockaddr_in *in = (void *)&spec.peer;
	struct pool_sent sent;
	struct rig r;

	(void)state;
	in->sin_family = AF_INET;
	in->sin_port = 9;
	in->sin_addr.s_addr = 0x0100007f; /* loopback, not from our files */
	rig_init(&r, program, "good");
	rig_start(&r);
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), -EAGAIN);
	assert_true(rig_run_until(&r, &r.ready, 2, 3000));
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), -ECOMM);
	assert_int_equal(sent.outcome, OUTCOME_UNREACHABLE);
	assert_int_equal(sent.error, EXDEV);
	job.is_literal = true;
	job.iface = "no-such-device";
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), -ECOMM);
	assert_int_equal(sent.outcome, OUTCOME_LOCAL_ROUTE);
	job.iface = "a-name-too-long-for-a-device";
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), -EINVAL);
	job.iface = NULL;
	spec.kind = JOB_KIND_COUNT;
	assert_int_equal(pool_dispatch(r.pool, &job, &sent), -EINVAL);
	assert_true(rig_stop(&r));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_workers_do_the_jobs),
		cmocka_unit_test(bad_workers_are_replaced),
		cmocka_unit_test(jobs_end_with_bad_workers_alone),
		cmocka_unit_test(a_silent_worker_is_given_up),
		cmocka_unit_test(without_a_sandbox_it_stays_down),
		cmocka_unit_test(a_missing_program_harms_nobody),
		cmocka_unit_test(recycling_loses_nothing),
		cmocka_unit_test(who_does_not_drain_is_killed),
		cmocka_unit_test(growth_is_seen_and_recycled),
		cmocka_unit_test(descriptors_are_counted),
		cmocka_unit_test(a_burst_ends_in_the_cgroup),
		cmocka_unit_test(killing_workers_loses_no_job),
		cmocka_unit_test(a_worker_has_nothing_of_ours),
		cmocka_unit_test(sockets_lead_to_the_node_alone),
		cmocka_unit_test(a_suspect_runs_alone),
		cmocka_unit_test(bad_addresses_are_the_jobs_result),
	};

	if (argc < 2)
		return 2;
	program = argv[1];
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
