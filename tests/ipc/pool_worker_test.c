/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pool and the real worker together, sandboxed, on loopback sockets. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/fd.h"
#include "pool_rig.h"

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"

static const char *program;
static char *ca;
static ssize_t ca_len;

static void start_real(struct rig *r)
{
	const struct recycle_machine m = { .ram_bytes = 1ULL << 30, .cpus = 2 };

	rig_init(r, program, "dae-worker");
	close(r->config.ca_fd);
	r->config.ca_fd = fd_sealed_memfd("ca", ca, (size_t)ca_len);
	assert_int_equal(recycle_derive(&m, &r->config.limits), 0);
	r->spec.via = JOB_VIA_DIRECT;
	r->spec.qtype = 1;
	r->spec.str[JOB_STR_QNAME] = "example.org";
	r->config.policy.drain_timeout_ns = 5 * NS_PER_S;
	r->config.policy.stuck_timeout_ns = 5 * NS_PER_S;
	rig_start(r);
	if (!rig_run_until(r, &r->ready, r->config.limits.workers, 5000))
		fail_msg("no worker: %u exits, %u failed", r->exits, r->failed);
}

/* Port 9 of loopback is closed: every job ends with the kernel's refusal. */
static void a_real_worker_reports(void **state)
{
	struct pool_view v;
	struct rig r;

	(void)state;
	start_real(&r);
	pool_view(r.pool, 0, &v);
	assert_int_equal(v.hello.seccomp, 1);
	rig_add(&r, 1000);
	assert_true(rig_run(&r, 20000));
	assert_true(rig_is_exact(&r));
	assert_int_equal(r.lost + r.exits, 0);
	for (uint32_t i = 0; i < r.count; i++)
		assert_string_equal(outcome_name(r.jobs[i].result.outcome),
				    "refused");
	assert_true(rig_stop(&r));
}

static void real_workers_drain_without_loss(void **state)
{
	struct rig r;

	(void)state;
	start_real(&r);
	for (int i = 0; i < 30; i++) {
		rig_add(&r, 100);
		rig_run_until(&r, &r.done, r.count - 50, 1000);
		pool_recycle(r.pool, CREW_MAX, RECYCLE_ADMIN);
	}
	assert_true(rig_run(&r, 20000));
	assert_true(rig_is_exact(&r));
	assert_int_equal(r.lost, 0);
	assert_int_equal(r.crashes, 0);
	assert_true(r.retired[RECYCLE_ADMIN] > 1);
	for (uint32_t i = 0; i < r.count; i++)
		assert_int_equal(r.jobs[i].result.outcome, OUTCOME_REFUSED);
	assert_true(rig_stop(&r));
}

static void killed_real_workers_lose_nothing(void **state)
{
	struct pool_view v;
	struct rig r;

	(void)state;
	start_real(&r);
	r.max_attempts = UINT32_MAX;
	for (int i = 0; i < 40; i++) {
		rig_add(&r, 50);
		rig_run(&r, 10);
		pool_view(r.pool, (uint32_t)i % pool_count(r.pool), &v);
		if (v.pid)
			kill(v.pid, SIGKILL);
	}
	assert_true(rig_run(&r, 30000));
	assert_true(rig_is_exact(&r));
	assert_true(r.crashes > 5);
	for (uint32_t i = 0; i < r.count; i++)
		assert_int_equal(r.jobs[i].result.outcome, OUTCOME_REFUSED);
	assert_true(rig_stop(&r));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_worker_reports),
		cmocka_unit_test(real_workers_drain_without_loss),
		cmocka_unit_test(killed_real_workers_lose_nothing),
	};

	if (argc < 2)
		return 2;
	program = argv[1];
	ca_len = fd_read_file(CA_FILE, 1 << 20, &ca);
	if (ca_len < 0) {
		puts("skipped: needs " CA_FILE);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
