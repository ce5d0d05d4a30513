/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/schedule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define S NS_PER_S
#define T0 (100 * S)

static struct schedule_config config(uint32_t checks)
{
	return (struct schedule_config){
		.max_concurrent = 64,
		.max_checks = checks,
		.checks_per_target = 6,
		.seed = 42,
	};
}

static struct schedule *make(uint32_t checks)
{
	struct schedule_config cfg = config(checks);
	struct schedule *s;

	assert_int_equal(schedule_new(&s, &cfg), 0);
	return s;
}

/* Pop everything that is due in steps of @step_ns; each probe ends at once. */
static uint64_t run(struct schedule *s, uint64_t from_ns, uint64_t to_ns,
		    bool dead)
{
	struct schedule_item item;
	uint64_t n = 0;

	for (uint64_t t = from_ns; t < to_ns; t += 10 * NS_PER_MS) {
		while (schedule_pop(s, t, &item)) {
			n++;
			schedule_done(s, item.check, dead, false, t);
		}
	}
	return n;
}

static void test_arguments(void **state)
{
	auto_schedule struct schedule *s = make(12);
	struct schedule_config cfg = config(0);
	struct schedule *none;

	(void)state;
	assert_int_equal(schedule_new(&none, &cfg), -EINVAL);
	assert_int_equal(schedule_add(s, 12, 1, S, S, T0), -ERANGE);
	assert_int_equal(schedule_add(s, 0, 1, 0, S, T0), -EINVAL);
	assert_int_equal(schedule_add(s, 0, 1, S, S, T0), 0);
	assert_int_equal(schedule_add(s, 0, 1, S, S, T0), -EEXIST);
	assert_true(schedule_has(s, 0));
	schedule_remove(s, 0);
	schedule_remove(s, 0);
	assert_false(schedule_has(s, 0));
	assert_int_equal(schedule_due_ns(s, 0), UINT64_MAX);
	assert_int_equal(schedule_interval_ns(s, 0, true), 0);
}

static void test_rate_and_jitter(void **state)
{
	auto_schedule struct schedule *s = make(6);
	uint64_t last = 0, shortest = UINT64_MAX, longest = 0, n = 0;
	struct schedule_item item;

	(void)state;
	schedule_add(s, 0, 77, 30 * S, S, T0);
	for (uint64_t t = T0; t < T0 + 3600 * S; t += 10 * NS_PER_MS) {
		if (!schedule_pop(s, t, &item))
			continue;
		assert_int_equal(item.slot, n);
		assert_true(item.lag_ns < 10 * NS_PER_MS);
		schedule_done(s, 0, false, false, t);
		if (n++ > 1) {
			shortest = MIN(shortest, item.due_ns - last);
			longest = MAX(longest, item.due_ns - last);
		}
		last = item.due_ns;
	}
	assert_in_range(n, 115, 125);
	assert_true(shortest >= 27 * S && longest <= 33 * S);
	assert_true(longest - shortest > 2 * S);
}

/* First turns within the window, the second at phases over all the interval;
 * the same after a restart at another time. */
static void test_phase_spread(void **state)
{
	auto_schedule struct schedule *s = make(6000);
	auto_schedule struct schedule *again = make(6000);
	unsigned int seconds[40] = { 0 };
	struct schedule_item item;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		schedule_add(s, i * 6, hash_mix(i), 30 * S, 7 * S, T0);
		schedule_add(again, i * 6, hash_mix(i), 30 * S, 7 * S, 0);
		assert_int_equal(schedule_due_ns(s, i * 6) - T0,
				 schedule_due_ns(again, i * 6));
		assert_true(schedule_due_ns(s, i * 6) < T0 + 7 * S);
	}
	for (uint64_t t = T0; t < T0 + 7 * S; t += NS_PER_MS) {
		while (schedule_pop(s, t, &item)) {
			schedule_done(s, item.check, false, false, t);
			seconds[(schedule_due_ns(s, item.check) - T0) / S]++;
		}
	}
	for (int i = 8; i < 28; i++)
		assert_in_range(seconds[i], 10, 60); /* 27 on average */
}

static void test_cap(void **state)
{
	auto_schedule struct schedule *s = make(600);
	struct schedule_item item;
	uint32_t n = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		schedule_add(s, i * 6, i, 30 * S, 1, T0);
	while (schedule_pop(s, T0 + S, &item))
		n++;
	assert_int_equal(n, 64);
	assert_int_equal(schedule_next_ns(s, T0 + S), UINT64_MAX);
	schedule_done(s, item.check, false, false, T0 + S);
	assert_true(schedule_next_ns(s, T0 + S) <= T0 + S);
	assert_true(schedule_pop(s, T0 + S, &item));
	assert_true(item.lag_ns > 0); /* waiting for a turn is counted */
	schedule_set_limits(s, 100, 0);
	assert_true(schedule_pop(s, T0 + S, &item));
}

static void test_token_bucket(void **state)
{
	auto_schedule struct schedule *s = make(6000);
	struct schedule_item item;
	uint64_t n = 0;

	(void)state;
	schedule_set_limits(s, 5000, 20);
	for (uint32_t i = 0; i < 1000; i++)
		schedule_add(s, i * 6, i, 300 * S, 1, T0);
	for (uint64_t t = T0; t < T0 + 10 * S; t += NS_PER_MS)
		while (schedule_pop(s, t, &item))
			n++;
	assert_in_range(n, 195, 206);
	while (schedule_pop(s, T0 + 10 * S, &item))
		n++;
	assert_true(schedule_next_ns(s, T0 + 10 * S) > T0 + 10 * S);
	assert_true(schedule_next_ns(s, T0 + 10 * S) < T0 + 11 * S);
}

static void test_target_gap(void **state)
{
	auto_schedule struct schedule *s = make(6);
	struct schedule_item item;
	uint64_t last = 0;

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		schedule_add(s, i, i, 30 * S, 1, T0);
	for (uint64_t t = T0; t < T0 + S; t += NS_PER_MS) {
		if (!schedule_pop(s, t, &item))
			continue;
		assert_true(last == 0 || t >= last + SCHEDULE_TARGET_GAP_NS);
		last = t;
	}
	assert_true(last != 0);
}

static void test_dead_ones_ever_more_rarely(void **state)
{
	auto_schedule struct schedule *s = make(6);
	uint64_t interval, before = 30 * S;
	struct schedule_item item;
	uint64_t t = T0;

	(void)state;
	schedule_add(s, 0, 5, 30 * S, 1, T0);
	for (int i = 0; i < 12; i++) {
		assert_true(schedule_pop(s, t, &item));
		schedule_done(s, 0, true, false, t);
		interval = schedule_interval_ns(s, 0, true);
		assert_int_equal(interval,
				 MIN(before / 2 * 3, SCHEDULE_DEAD_MAX_NS));
		before = interval;
		t = schedule_due_ns(s, 0);
	}
	assert_int_equal(before, SCHEDULE_DEAD_MAX_NS);
	schedule_kick_all(s, S, t - 300 * S); /* the link changed */
	assert_int_equal(schedule_interval_ns(s, 0, true), 30 * S);
	assert_true(schedule_due_ns(s, 0) < t - 299 * S);
	assert_true(schedule_pop(s, t, &item));
	schedule_done(s, 0, false, false, t);
	assert_int_equal(schedule_interval_ns(s, 0, true), 30 * S);
}

static void test_wavering_is_asked_sooner(void **state)
{
	auto_schedule struct schedule *s = make(6);
	struct schedule_item item;

	(void)state;
	schedule_add(s, 0, 5, 40 * S, 1, T0);
	run(s, T0, T0 + 200 * S, false);
	while (!schedule_pop(s, schedule_due_ns(s, 0), &item))
		;
	schedule_done(s, 0, false, true, item.due_ns);
	assert_int_equal(schedule_due_ns(s, 0), item.due_ns + 10 * S);
}

static void test_adaptive(void **state)
{
	struct schedule_config cfg = config(12);
	auto_schedule struct schedule *s = NULL;

	(void)state;
	cfg.adaptive = true;
	schedule_new(&s, &cfg);
	schedule_add(s, 0, 1, 30 * S, S, T0);
	schedule_add(s, 6, 2, 30 * S, S, T0);
	schedule_set_hot(s, 0, true, T0);
	assert_int_equal(schedule_interval_ns(s, 0, true), 30 * S);
	assert_int_equal(schedule_interval_ns(s, 6, true), 300 * S);
	run(s, T0, T0 + 400 * S, false);
	/* raised to full rate at once, not at the end of a slow turn */
	schedule_set_hot(s, 6, true, T0 + 400 * S);
	assert_true(schedule_due_ns(s, 6) <= T0 + 430 * S);
	schedule_set_stretch(s, 2500);
	assert_int_equal(schedule_interval_ns(s, 0, true), 75 * S);
	assert_int_equal(schedule_interval_ns(s, 0, false), 30 * S);
}

static uint64_t slots_accounted(const struct schedule *s)
{
	struct schedule_stats st;
	uint64_t n;

	schedule_stats(s, &st);
	n = st.popped;
	for (int i = 0; i < SKIP_COUNT; i++)
		n += st.skipped[i];
	return n;
}

/* Slots handed out and slots skipped are all there are: the number of one that
 * comes out says exactly how many went before it. */
static void test_no_slot_just_goes(void **state)
{
	auto_schedule struct schedule *s = make(6);
	struct schedule_stats st;
	struct schedule_item item;
	uint64_t t = T0, before, out = 0;

	(void)state;
	schedule_add(s, 0, 5, 10 * S, 1, T0);
	for (uint64_t i = 0; i < 500; i++) {
		uint64_t h = hash_mix(i);

		t += h % (40 * S); /* often late by whole turns */
		before = slots_accounted(s);
		if (schedule_pop(s, t, &item)) {
			out++;
			assert_true(item.slot >= before);
			assert_true(item.slot < slots_accounted(s));
			if (h >> 40 & 1)
				schedule_done(s, 0, h >> 41 & 1, h >> 42 & 1,
					      t);
		}
		if (h >> 43 & 1)
			schedule_done(s, 0, false, false, t);
	}
	schedule_stats(s, &st);
	assert_int_equal(st.popped, out);
	assert_true(st.skipped[SKIP_IN_FLIGHT] > 0);
	assert_true(st.skipped[SKIP_LATE] > 0);
}

static void test_pause(void **state)
{
	auto_schedule struct schedule *s = make(12);
	struct schedule_stats st;
	struct schedule_item item;

	(void)state;
	schedule_add(s, 0, 5, 10 * S, 1, T0);
	schedule_add(s, 6, 6, 10 * S, 1, T0);
	schedule_pause(s, true, T0);
	assert_false(schedule_pop(s, T0 + 50 * S, &item));
	assert_int_equal(schedule_next_ns(s, T0 + 50 * S), UINT64_MAX);
	schedule_kick(s, 6, 0, T0 + 50 * S);
	assert_true(schedule_pop(s, T0 + 50 * S, &item));
	assert_int_equal(item.check, 6);
	schedule_done(s, 6, false, false, T0 + 50 * S);
	assert_false(schedule_pop(s, T0 + 51 * S, &item));
	schedule_pause(s, false, T0 + 100 * S);
	schedule_stats(s, &st);
	assert_in_range(st.skipped[SKIP_OFFLINE], 10, 25);
	assert_true(schedule_due_ns(s, 0) > T0 + 100 * S);
	schedule_kick_all(s, 2 * S, T0 + 100 * S);
	assert_true(schedule_due_ns(s, 0) < T0 + 102 * S);
}

static void test_kicks(void **state)
{
	auto_schedule struct schedule *s = make(6);
	struct schedule_item item;

	(void)state;
	schedule_add(s, 0, 5, 100 * S, 50 * S, T0);
	schedule_kick(s, 0, 0, T0 + 1);
	assert_true(schedule_pop(s, T0 + 1, &item));
	schedule_kick(s, 0, 0, T0 + 1); /* in flight already */
	schedule_done(s, 0, false, false, T0 + 2);
	schedule_kick(s, 0, 0, T0 + S); /* too soon after the last */
	assert_false(schedule_pop(s, T0 + S, &item));
	schedule_kick(s, 0, 0, T0 + 3 * S);
	assert_true(schedule_pop(s, T0 + 3 * S, &item));
}

static void test_hold(void **state)
{
	auto_schedule struct schedule *s = make(6);
	struct schedule_item item;
	struct schedule_stats st;

	(void)state;
	schedule_add(s, 0, 5, 10 * S, 1, T0);
	schedule_hold(s, 0, true, T0);
	schedule_kick(s, 0, 0, T0);
	schedule_kick_all(s, S, T0);
	assert_false(schedule_pop(s, T0 + 500 * S, &item));
	assert_int_equal(schedule_due_ns(s, 0), UINT64_MAX);
	schedule_hold(s, 0, false, T0 + 500 * S);
	assert_true(schedule_pop(s, T0 + 501 * S, &item));
	assert_int_equal(item.slot, 0);
	schedule_hold(s, 0, true, T0 + 501 * S); /* with a probe in flight */
	schedule_done(s, 0, false, false, T0 + 502 * S);
	schedule_stats(s, &st);
	assert_int_equal(st.in_flight, 0);
	assert_false(schedule_pop(s, T0 + 600 * S, &item));
}

static void test_inherit(void **state)
{
	auto_schedule struct schedule *old = make(24);
	auto_schedule struct schedule *s = make(18);
	struct schedule_item item;
	struct schedule_stats st;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		schedule_add(old, i * 6, 10 + i, 100 * S, 50 * S, T0);
	run(old, T0, T0 + 300 * S, false);
	while (!schedule_pop(old, schedule_due_ns(old, 0), &item))
		schedule_done(old, item.check, false, false, T0 + 400 * S);
	schedule_add(s, 0, 10, 100 * S, S, T0 + 300 * S);
	schedule_add(s, 6, 99, 100 * S, S, T0 + 300 * S); /* another check */
	schedule_add(s, 12, 12, 100 * S, S, T0 + 300 * S);
	schedule_inherit(s, old);
	assert_int_equal(schedule_due_ns(s, 12), schedule_due_ns(old, 12));
	assert_true(schedule_due_ns(s, 6) < T0 + 301 * S);
	schedule_stats(s, &st);
	assert_int_equal(st.in_flight, item.check == 0);
	schedule_done(s, 0, false, false, T0 + 400 * S);
	schedule_stats(s, &st);
	assert_int_equal(st.in_flight, 0);
}

static void test_spread_window(void **state)
{
	(void)state;
	assert_int_equal(schedule_spread_ns(1, 30 * S), S);
	assert_int_equal(schedule_spread_ns(100, 30 * S), 5 * S);
	assert_int_equal(schedule_spread_ns(1000, 30 * S), 75 * S / 10);
}

/* 10,000 targets x 4 checks at 30 s: ten minutes, nothing missed. */
static void test_forty_thousand(void **state)
{
	struct schedule_config cfg = config(60000);
	auto_schedule struct schedule *s = NULL;
	struct schedule_stats st;
	uint64_t n;

	(void)state;
	cfg.max_concurrent = 10000;
	schedule_new(&s, &cfg);
	for (uint32_t i = 0; i < 10000; i++)
		for (uint32_t k = 0; k < 4; k++)
			schedule_add(s, i * 6 + k, hash_pair(i, k), 30 * S,
				     schedule_spread_ns(40000, 30 * S), T0);
	n = run(s, T0, T0 + 600 * S, false);
	schedule_stats(s, &st);
	assert_int_equal(st.entries, 40000);
	assert_in_range(n, 40000 * 19, 40000 * 22);
	assert_int_equal(st.skipped[SKIP_LATE], 0);
	assert_int_equal(st.skipped[SKIP_IN_FLIGHT], 0);
	assert_true(st.lag_max_ns < S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_rate_and_jitter),
		cmocka_unit_test(test_phase_spread),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_token_bucket),
		cmocka_unit_test(test_target_gap),
		cmocka_unit_test(test_dead_ones_ever_more_rarely),
		cmocka_unit_test(test_wavering_is_asked_sooner),
		cmocka_unit_test(test_adaptive),
		cmocka_unit_test(test_no_slot_just_goes),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_kicks),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_inherit),
		cmocka_unit_test(test_spread_window),
		cmocka_unit_test(test_forty_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
