/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/quarantine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define S NS_PER_S
#define T0 (5000 * S)
#define CULPRIT 1
#define INNOCENT 2

static const struct quarantine_policy policy = {
	.crashes = 3,
	.window_ns = 600 * S,
	.hold_ns = 3600 * S,
};

static struct quarantine *make(void)
{
	struct quarantine *q;

	assert_int_equal(quarantine_new(&q, &policy), 0);
	return q;
}

static int die_alone(struct quarantine *q, uint64_t key, uint64_t now_ns)
{
	uint64_t held[1];

	return quarantine_worker_died(q, &key, 1, now_ns, held);
}

static int die_together(struct quarantine *q, uint64_t now_ns)
{
	static const uint64_t both[] = { CULPRIT, INNOCENT, CULPRIT };
	uint64_t held[3];

	return quarantine_worker_died(q, both, 3, now_ns, held);
}

static void test_three_deaths_hold(void **state)
{
	auto_quarantine struct quarantine *q = make();

	(void)state;
	assert_int_equal(die_alone(q, CULPRIT, T0), 0);
	assert_int_equal(die_alone(q, CULPRIT, T0 + 100 * S), 0);
	assert_false(quarantine_is_held(q, CULPRIT, T0 + 100 * S));
	assert_int_equal(die_alone(q, CULPRIT, T0 + 200 * S), 1);
	assert_true(quarantine_is_held(q, CULPRIT, T0 + 200 * S));
	assert_int_equal(quarantine_next_ns(q), T0 + 3800 * S);
	assert_int_equal(quarantine_hold_ns(q), 3600 * S);
}

static void test_old_deaths_do_not_count(void **state)
{
	auto_quarantine struct quarantine *q = make();

	(void)state;
	die_alone(q, CULPRIT, T0);
	die_alone(q, CULPRIT, T0 + 300 * S);
	assert_int_equal(die_alone(q, CULPRIT, T0 + 600 * S), 0);
	assert_int_equal(die_alone(q, CULPRIT, T0 + 899 * S), 1);
}

static void test_innocent_is_cleared(void **state)
{
	auto_quarantine struct quarantine *q = make();

	(void)state;
	assert_int_equal(die_together(q, T0), 0);
	assert_true(quarantine_wants_solo(q, CULPRIT, T0));
	assert_true(quarantine_wants_solo(q, INNOCENT, T0));
	assert_true(quarantine_has_suspects(q, T0));
	assert_true(quarantine_clean(q, INNOCENT, T0 + S));
	assert_false(quarantine_wants_solo(q, INNOCENT, T0 + S));
	die_alone(q, CULPRIT, T0 + 2 * S);
	assert_int_equal(die_alone(q, CULPRIT, T0 + 3 * S), 1);
	assert_false(quarantine_is_held(q, INNOCENT, T0 + 3 * S));
	assert_true(quarantine_is_held(q, CULPRIT, T0 + 3 * S));
	assert_false(quarantine_has_suspects(q, T0 + 3 * S));
}

/* Dying in company alone never proves anything. */
static void test_company_never_holds(void **state)
{
	auto_quarantine struct quarantine *q = make();

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(die_together(q, T0 + i * S), 0);
	assert_true(quarantine_wants_solo(q, INNOCENT, T0 + 10 * S));
	/* clean now and then does not get one who is often near back at once */
	assert_false(quarantine_clean(q, INNOCENT, T0 + 11 * S));
	assert_true(quarantine_wants_solo(q, INNOCENT, T0 + 11 * S));
	assert_false(quarantine_wants_solo(q, INNOCENT, T0 + 700 * S));
}

/* The culprit that kills only now and then, always beside the innocent. */
static void test_now_and_then(void **state)
{
	auto_quarantine struct quarantine *q = make();
	unsigned int held_after = 0;
	uint64_t t = T0;

	(void)state;
	for (unsigned int i = 0; i < 100 && !held_after; i++, t += 30 * S) {
		bool kills = hash_mix(i) % 3 == 0;

		if (!kills) {
			quarantine_clean(q, CULPRIT, t);
			quarantine_clean(q, INNOCENT, t);
		} else if (quarantine_wants_solo(q, CULPRIT, t)) {
			die_alone(q, CULPRIT, t);
			quarantine_clean(q, INNOCENT, t);
		} else {
			die_together(q, t);
		}
		assert_false(quarantine_is_held(q, INNOCENT, t));
		if (quarantine_is_held(q, CULPRIT, t))
			held_after = i;
	}
	assert_in_range(held_after, 1, 60);
}

static void test_release_by_time(void **state)
{
	auto_quarantine struct quarantine *q = make();
	uint64_t key;

	(void)state;
	for (int i = 0; i < 3; i++)
		die_alone(q, CULPRIT, T0);
	assert_false(quarantine_next_released(q, T0 + 3599 * S, &key));
	assert_false(quarantine_is_held(q, CULPRIT, T0 + 3600 * S));
	assert_true(quarantine_next_released(q, T0 + 3600 * S, &key));
	assert_int_equal(key, CULPRIT);
	assert_false(quarantine_next_released(q, T0 + 3600 * S, &key));
	/* on probation: alone until it has shown that it can */
	assert_true(quarantine_wants_solo(q, CULPRIT, T0 + 9000 * S));
	assert_true(quarantine_clean(q, CULPRIT, T0 + 9000 * S));
	assert_int_equal(quarantine_count(q), 0);
}

static void test_by_command(void **state)
{
	auto_quarantine struct quarantine *q = make();
	struct quarantine_view v;

	(void)state;
	assert_int_equal(quarantine_release(q, CULPRIT), -ENOENT);
	assert_int_equal(quarantine_hold(q, CULPRIT, T0 + S), 0);
	assert_true(quarantine_is_held(q, CULPRIT, T0));
	assert_false(quarantine_clean(q, CULPRIT, T0));
	quarantine_at(q, 0, T0, &v);
	assert_true(v.is_held);
	assert_int_equal(v.key, CULPRIT);
	assert_int_equal(v.deaths, 0);
	assert_int_equal(quarantine_release(q, CULPRIT), 0);
	assert_false(quarantine_is_held(q, CULPRIT, T0));
	assert_int_equal(quarantine_next_ns(q), UINT64_MAX);
}

static void test_bounded(void **state)
{
	auto_quarantine struct quarantine *q = make();

	(void)state;
	for (int i = 0; i < 3; i++)
		die_alone(q, CULPRIT, T0);
	for (uint64_t k = 10; k < 10 + 3 * QUARANTINE_MAX; k++)
		assert_int_equal(die_alone(q, k, T0 + k), 0);
	assert_int_equal(quarantine_count(q), QUARANTINE_MAX);
	assert_true(quarantine_is_held(q, CULPRIT, T0 + S));
}

static void test_policy_off(void **state)
{
	auto_quarantine struct quarantine *q = make();
	struct quarantine_policy off = policy;

	(void)state;
	off.crashes = 0;
	quarantine_set_policy(q, &off);
	for (int i = 0; i < 20; i++)
		assert_int_equal(die_alone(q, CULPRIT, T0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_deaths_hold),
		cmocka_unit_test(test_old_deaths_do_not_count),
		cmocka_unit_test(test_innocent_is_cleared),
		cmocka_unit_test(test_company_never_holds),
		cmocka_unit_test(test_now_and_then),
		cmocka_unit_test(test_release_by_time),
		cmocka_unit_test(test_by_command),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_policy_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
