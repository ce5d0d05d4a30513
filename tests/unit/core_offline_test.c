/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/offline.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base.h"

#define S NS_PER_S
#define T0 (1000 * S)
#define NONE UINT32_MAX

static struct offline *make(uint32_t witnesses)
{
	struct offline *o;

	assert_int_equal(offline_new(&o, 100), 0);
	for (uint32_t i = 0; i < witnesses; i++)
		offline_set_witness(o, i, true, i == 0);
	return o;
}

static enum offline_judgement fails(struct offline *o, uint32_t target,
				    uint64_t started_ns, uint64_t now_ns)
{
	return offline_result(o, target, false, started_ns, now_ns);
}

static void test_believed_when_others_succeed(void **state)
{
	auto_offline struct offline *o = make(10);

	(void)state;
	assert_int_equal(offline_result(o, 1, true, T0, T0 + 50),
			 OFFLINE_APPLY);
	assert_int_equal(fails(o, 2, T0, T0 + 60), OFFLINE_APPLY);
	assert_int_equal(offline_state(o), ONLINE);
	assert_int_equal(offline_take_change(o), OFFLINE_NO_CHANGE);
	/* a success of long ago does not speak for now */
	assert_int_equal(fails(o, 2, T0, T0 + 10 * S), OFFLINE_HOLD);
}

static void test_single_dead_node(void **state)
{
	auto_offline struct offline *o = make(10);
	uint32_t w;

	(void)state;
	assert_int_equal(fails(o, 5, T0, T0 + 1), OFFLINE_HOLD);
	assert_int_equal(offline_take_change(o), OFFLINE_DOUBTED);
	w = offline_witness(o, T0 + 1);
	assert_int_equal(w, 0); /* the direct one first */
	assert_int_equal(offline_result(o, w, true, T0 + 1, T0 + 2),
			 OFFLINE_APPLY);
	assert_int_equal(offline_take_change(o), OFFLINE_CLEARED);
	assert_int_equal(offline_state(o), ONLINE);
}

static uint32_t ask_all(struct offline *o, uint64_t now_ns, uint32_t *ret)
{
	uint32_t n = 0, w;

	while ((w = offline_witness(o, now_ns)) != NONE)
		ret[n++] = w;
	return n;
}

static void test_uplink_gone(void **state)
{
	auto_offline struct offline *o = make(80);
	uint32_t asked[80], n;

	(void)state;
	fails(o, 5, T0, T0 + 5 * S);
	offline_take_change(o);
	n = ask_all(o, T0 + 5 * S, asked);
	assert_int_equal(n, OFFLINE_WITNESSES);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_not_equal(asked[i], 5);
		assert_int_equal(offline_state(o), OFFLINE_DOUBT);
		fails(o, asked[i], T0 + 5 * S, T0 + 8 * S);
	}
	assert_int_equal(offline_state(o), OFFLINE);
	assert_int_equal(offline_take_change(o), OFFLINE_WENT);
	assert_int_equal(fails(o, 9, T0 + 9 * S, T0 + 9 * S), OFFLINE_DROP);
}

static struct offline *make_offline(void)
{
	struct offline *o = make(80);

	offline_link(o, false, T0);
	assert_int_equal(offline_take_change(o), OFFLINE_WENT);
	return o;
}

static void test_return(void **state)
{
	auto_offline struct offline *o = make_offline();

	(void)state;
	/* sent before it went: says nothing about now */
	offline_result(o, 3, true, T0 - S, T0 + 1);
	assert_int_equal(offline_state(o), OFFLINE);
	offline_link(o, true, T0 + 600 * S);
	assert_int_equal(offline_state(o), OFFLINE); /* until one succeeds */
	assert_true(offline_next_ns(o) <= T0 + 600 * S);
	assert_int_not_equal(offline_witness(o, T0 + 600 * S), NONE);
	assert_int_equal(offline_witness(o, T0 + 600 * S), NONE);
	offline_result(o, 3, true, T0 + 600 * S, T0 + 601 * S);
	assert_int_equal(offline_take_change(o), OFFLINE_RETURNED);
	/* those sent before, and in the first moments, are asked again */
	assert_int_equal(fails(o, 4, T0 + 599 * S, T0 + 602 * S), OFFLINE_DROP);
	assert_int_equal(fails(o, 4, T0 + 602 * S, T0 + 602 * S), OFFLINE_DROP);
	assert_int_equal(fails(o, 4, T0 + 604 * S, T0 + 604 * S), OFFLINE_HOLD);
}

static void test_pulses(void **state)
{
	auto_offline struct offline *o = make_offline();
	uint32_t n = 0, direct = 0, w;

	(void)state;
	offline_link(o, true, T0 + 10 * S);
	for (uint64_t t = T0 + 10 * S; t < T0 + 30 * S; t += NS_PER_MS) {
		w = offline_witness(o, t);
		n += w != NONE;
		direct += w == 0;
	}
	assert_in_range(n, 19, 21);
	assert_in_range(direct, 9, 12);
	offline_link(o, false, T0 + 30 * S);
	n = 0;
	for (uint64_t t = T0 + 31 * S; t < T0 + 61 * S; t += NS_PER_MS)
		n += offline_witness(o, t) != NONE;
	assert_in_range(n, 5, 7);
}

static void test_silence_of_witnesses(void **state)
{
	auto_offline struct offline *o = make(3);
	uint32_t asked[3];

	(void)state;
	fails(o, 1, T0, T0);
	assert_int_equal(ask_all(o, T0, asked), 2);
	offline_tick(o, T0 + OFFLINE_CONFIRM_NS - 1);
	assert_int_equal(offline_state(o), OFFLINE_DOUBT);
	offline_tick(o, offline_next_ns(o));
	assert_int_equal(offline_state(o), ONLINE); /* one voice alone */
	offline_take_change(o);
	fails(o, 1, T0 + 100 * S, T0 + 100 * S);
	ask_all(o, T0 + 100 * S, asked);
	fails(o, 2, T0 + 100 * S, T0 + 103 * S);
	offline_tick(o, T0 + 100 * S + OFFLINE_CONFIRM_NS);
	assert_int_equal(offline_state(o), OFFLINE);
	assert_int_equal(offline_since_ns(o),
			 T0 + 100 * S + OFFLINE_CONFIRM_NS);
}

static void test_nobody_else_to_ask(void **state)
{
	auto_offline struct offline *o = make(1);

	(void)state;
	assert_int_equal(fails(o, 0, T0, T0), OFFLINE_APPLY);
	assert_int_equal(offline_next_ns(o), UINT64_MAX);
	assert_int_equal(offline_witness(o, T0), NONE);
}

static void test_all_fail_before_anyone_is_asked(void **state)
{
	auto_offline struct offline *o = make(2);
	uint32_t asked[2];

	(void)state;
	fails(o, 0, T0, T0);
	fails(o, 1, T0, T0);
	assert_int_equal(ask_all(o, T0, asked), 0);
	assert_int_equal(offline_state(o), OFFLINE);
}

static void test_who_is_no_witness(void **state)
{
	auto_offline struct offline *o = make(10);

	(void)state;
	/* one that was not up before changes nothing by failing */
	assert_int_equal(fails(o, 50, T0, T0), OFFLINE_APPLY);
	offline_set_local(o, 1, true); /* on our side of the uplink */
	offline_set_witness(o, 1, true, false);
	assert_int_equal(fails(o, 1, T0, T0), OFFLINE_APPLY);
	fails(o, 2, T0, T0);
	offline_result(o, 1, true, T0, T0);
	assert_int_equal(offline_state(o), OFFLINE_DOUBT);
	assert_int_equal(fails(o, 50, T0, T0), OFFLINE_HOLD);
	offline_set_local(o, 1, false);
	offline_result(o, 1, true, T0, T0);
	assert_int_equal(offline_state(o), ONLINE);
	assert_int_equal(fails(o, 1000, T0, T0), OFFLINE_APPLY);
	offline_set_witness(o, 1000, true, true);
	offline_set_local(o, 1000, true);
}

static void test_inherit(void **state)
{
	auto_offline struct offline *o = make_offline();
	auto_offline struct offline *next = make(5);
	struct offline *none;

	(void)state;
	offline_inherit(next, o);
	assert_int_equal(offline_state(next), OFFLINE);
	assert_int_equal(offline_since_ns(next), T0);
	assert_int_equal(offline_new(&none, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_believed_when_others_succeed),
		cmocka_unit_test(test_single_dead_node),
		cmocka_unit_test(test_uplink_gone),
		cmocka_unit_test(test_return),
		cmocka_unit_test(test_pulses),
		cmocka_unit_test(test_silence_of_witnesses),
		cmocka_unit_test(test_nobody_else_to_ask),
		cmocka_unit_test(test_all_fail_before_anyone_is_asked),
		cmocka_unit_test(test_who_is_no_witness),
		cmocka_unit_test(test_inherit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
