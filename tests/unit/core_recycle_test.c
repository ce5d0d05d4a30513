/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/recycle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define MB (1ULL << 20)
#define NOW (1000 * NS_PER_S)

static const struct recycle_policy policy = {
	.rss_soft_bytes = 16 * MB,
	.rss_hard_bytes = 32 * MB,
	.max_age_ns = 600 * NS_PER_S,
	.max_probes = 1000,
	.max_fds = 200,
	.slope_ns = 300 * NS_PER_S,
	.drain_timeout_ns = 20 * NS_PER_S,
	.stuck_timeout_ns = 10 * NS_PER_S,
	.min_gap_ns = 5 * NS_PER_S,
};

static struct recycle_meter healthy(void)
{
	return (struct recycle_meter){
		.ready_ns = NOW - 100 * NS_PER_S,
		.base_bytes = 2 * MB,
		.anon_bytes = 3 * MB,
		.heartbeat_ns = NOW - NS_PER_S,
	};
}

static void expect(struct recycle_meter m, uint64_t last_ns,
		   enum recycle_step step, enum recycle_reason reason)
{
	struct recycle_verdict v = recycle_decide(&policy, &m, last_ns, NOW);

	assert_int_equal(v.step, step);
	assert_int_equal(v.reason, reason);
}

static void test_keep(void **state)
{
	struct recycle_meter fresh = { .anon_bytes = 20 * MB };

	(void)state;
	expect(healthy(), 0, RECYCLE_KEEP, RECYCLE_NONE);
	expect(fresh, 0, RECYCLE_KEEP, RECYCLE_NONE);
}

static void test_soft(void **state)
{
	struct recycle_meter m = healthy();

	(void)state;
	m.anon_bytes = 18 * MB - 1; /* growth just below the limit */
	m.fds = 199;
	m.probes = 999;
	expect(m, 0, RECYCLE_KEEP, RECYCLE_NONE);
	m.anon_bytes = 18 * MB;
	expect(m, 0, RECYCLE_DRAIN, RECYCLE_RSS_SOFT);
	m = healthy();
	m.fds = 200;
	expect(m, 0, RECYCLE_DRAIN, RECYCLE_FDS);
	m = healthy();
	m.probes = 1000;
	expect(m, 0, RECYCLE_DRAIN, RECYCLE_PROBES);
	m = healthy();
	m.ready_ns = NOW - 600 * NS_PER_S;
	expect(m, 0, RECYCLE_DRAIN, RECYCLE_AGE);
}

static void test_hard(void **state)
{
	struct recycle_meter m = healthy();

	(void)state;
	m.anon_bytes = 34 * MB;
	expect(m, NOW, RECYCLE_KILL, RECYCLE_RSS_HARD);
	m = healthy();
	m.heartbeat_ns = NOW - 11 * NS_PER_S;
	expect(m, NOW, RECYCLE_KILL, RECYCLE_STUCK);
	m = healthy();
	m.overdue_ns = NOW - 11 * NS_PER_S;
	expect(m, NOW, RECYCLE_KILL, RECYCLE_STUCK);
	m.overdue_ns = NOW - 9 * NS_PER_S;
	expect(m, NOW, RECYCLE_KEEP, RECYCLE_NONE);
	m = healthy();
	m.draining_ns = NOW - 20 * NS_PER_S;
	expect(m, NOW, RECYCLE_KILL, RECYCLE_DRAIN_TIMEOUT);
}

static void test_draining_is_left_alone(void **state)
{
	struct recycle_meter m = healthy();

	(void)state;
	m.anon_bytes = 20 * MB;
	m.draining_ns = NOW - NS_PER_S;
	expect(m, 0, RECYCLE_KEEP, RECYCLE_NONE);
}

static void test_min_gap(void **state)
{
	struct recycle_meter m = healthy();

	(void)state;
	m.anon_bytes = 20 * MB;
	expect(m, NOW - 4 * NS_PER_S, RECYCLE_KEEP, RECYCLE_NONE);
	expect(m, NOW - 5 * NS_PER_S, RECYCLE_DRAIN, RECYCLE_RSS_SOFT);
}

/* Jitter lowers the limits of age and probes, each worker its own way. */
static void test_jitter(void **state)
{
	struct recycle_policy p = policy;
	unsigned int drained = 0;

	(void)state;
	p.jitter_percent = 20;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct recycle_meter m = healthy();

		m.seed = hash_mix(seed);
		m.probes = 900; /* 10 % below */
		drained += recycle_decide(&p, &m, 0, NOW).step == RECYCLE_DRAIN;
		m.probes = 799;
		assert_int_equal(recycle_decide(&p, &m, 0, NOW).step,
				 RECYCLE_KEEP);
		m.probes = 1000;
		assert_int_equal(recycle_decide(&p, &m, 0, NOW).step,
				 RECYCLE_DRAIN);
	}
	assert_in_range(drained, 400, 600);
}

static void grow(struct recycle_meter *m, uint64_t bytes_per_s, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		recycle_meter_read(m,
				   m->base_bytes + 5 * MB + i * 5 * bytes_per_s,
				   NOW - (n - 1 - i) * 5 * NS_PER_S);
}

static void test_slope(void **state)
{
	struct recycle_meter m = healthy();

	(void)state;
	grow(&m, 50000, 11);
	assert_int_equal(recycle_slope_bps(&m), 0); /* too little is known */
	m = healthy();
	grow(&m, 50000, 30); /* more than the ring holds */
	assert_in_range(recycle_slope_bps(&m), 49900, 50100);
	expect(m, 0, RECYCLE_DRAIN, RECYCLE_SLOPE);
	m = healthy();
	grow(&m, 10000, 24); /* 16 min to the limit */
	expect(m, 0, RECYCLE_KEEP, RECYCLE_NONE);
	m = healthy();
	grow(&m, 0, 24);
	assert_int_equal(recycle_slope_bps(&m), 0);
	expect(m, 0, RECYCLE_KEEP, RECYCLE_NONE);
}

static void test_meter(void **state)
{
	struct recycle_meter m = { 0 };

	(void)state;
	recycle_meter_read(&m, 9 * MB, NOW); /* before HELLO */
	assert_int_equal(m.base_bytes, 0);
	m.ready_ns = NOW;
	recycle_meter_read(&m, 3 * MB, NOW + 1);
	assert_int_equal(m.base_bytes, 3 * MB);
	recycle_meter_read(&m, 2 * MB, NOW + 2);
	assert_int_equal(recycle_growth_bytes(&m), 0);
	assert_int_equal(m.sample_count, 1); /* one each few seconds */
}

static void check_limits(const struct recycle_machine *m,
			 const struct recycle_limits *l)
{
	uint64_t each = l->rss_hard_bytes + RECYCLE_BASE_BYTES;

	assert_true(l->workers >= 1);
	assert_true(l->spares <= 2);
	assert_true((l->workers + l->spares) * each <= l->memory_total_bytes);
	assert_true(l->rss_soft_bytes > 0);
	assert_true(l->rss_soft_bytes <= l->rss_hard_bytes);
	assert_true(l->data_bytes > l->rss_hard_bytes);
	assert_int_equal(l->flow_entries & (l->flow_entries - 1), 0);
	if (m->memory_total_bytes == 0)
		assert_true(l->memory_total_bytes <= 256 * MB &&
			    l->memory_total_bytes * 100 <= m->ram_bytes * 15);
}

static void test_derive_property(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t h = hash_mix(i), g = hash_mix(h);
		struct recycle_machine m = {
			.ram_bytes = (32 + h % 65536) * MB,
			.cpus = 1 + (h >> 20) % 64,
			.memory_total_bytes = (h >> 32) % 4 ? 0
							    : h % (512 * MB),
			.workers = g % 3 ? 0 : 1 + g % 40,
			.rss_hard_bytes = g >> 8 & 3 ? 0 : (1 + g % 200) * MB,
			.rss_soft_bytes = g >> 10 & 3 ? 0 : (1 + g % 200) * MB,
			.flow_entries = g >> 12 & 1 ? 0 : 1 + g % 4000000,
		};
		struct recycle_limits l;
		int r = recycle_derive(&m, &l);

		if (r == -ENOSPC)
			continue;
		assert_int_equal(r, 0);
		check_limits(&m, &l);
	}
}

static void test_derive_examples(void **state)
{
	struct recycle_machine m = { .ram_bytes = 512 * MB, .cpus = 2 };
	struct recycle_limits l;

	(void)state;
	assert_int_equal(recycle_derive(&m, &l), 0);
	assert_int_equal(l.workers, 2);
	assert_int_equal(l.spares, 2);
	assert_int_equal(l.flow_entries, 65536);
	m.memory_total_bytes = 20 * MB; /* two fit, a third does not */
	m.rss_hard_bytes = 5 * MB;
	assert_int_equal(recycle_derive(&m, &l), 0);
	assert_int_equal(l.workers + l.spares, 2);
	m.workers = 8;
	assert_int_equal(recycle_derive(&m, &l), 0);
	assert_true(l.was_lowered);
	m.workers = UINT32_MAX;
	assert_int_equal(recycle_derive(&m, &l), 0);
	assert_int_equal(l.workers + l.spares, 2);
	m.memory_total_bytes = 5 * MB;
	assert_int_equal(recycle_derive(&m, &l), -ENOSPC);
	m.ram_bytes = 0;
	assert_int_equal(recycle_derive(&m, &l), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_soft),
		cmocka_unit_test(test_hard),
		cmocka_unit_test(test_draining_is_left_alone),
		cmocka_unit_test(test_min_gap),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_meter),
		cmocka_unit_test(test_derive_property),
		cmocka_unit_test(test_derive_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
