/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "supervisor/core/hash.h"

#define REFUSED SLOT_ACT_REFUSED
#define LOST SLOT_ACT_LOST
#define BLAME SLOT_ACT_BLAME
#define KILL SLOT_ACT_KILL
#define CRASHED SLOT_ACT_CRASHED

static struct slot slot_at(enum slot_state state)
{
	struct slot s;

	slot_init(&s);
	s.state = state;
	s.generation = 7;
	s.spawned_ns = 100 * NS_PER_S;
	s.retry_ns = 200 * NS_PER_S;
	return s;
}

/* clang-format off */
static const struct {
	enum slot_state from;
	enum slot_event event;
	enum slot_state to;
	unsigned int actions;
} transitions[] = {
	{ SLOT_EMPTY,    SLOT_EV_SPAWN,        SLOT_STARTING, SLOT_ACT_SPAWN },
	{ SLOT_EMPTY,    SLOT_EV_HELLO,        SLOT_EMPTY,    REFUSED },
	{ SLOT_EMPTY,    SLOT_EV_KILL,         SLOT_EMPTY,    REFUSED },
	{ SLOT_EMPTY,    SLOT_EV_CLOSED,       SLOT_EMPTY,    REFUSED },
	{ SLOT_EMPTY,    SLOT_EV_EXITED,       SLOT_EMPTY,    REFUSED },
	{ SLOT_EMPTY,    SLOT_EV_RETIRE,       SLOT_EMPTY,    REFUSED },
	{ SLOT_STARTING, SLOT_EV_SPAWN,        SLOT_STARTING, REFUSED },
	{ SLOT_STARTING, SLOT_EV_HELLO,        SLOT_READY,    0 },
	{ SLOT_STARTING, SLOT_EV_SPAWN_FAILED, SLOT_BACKOFF,  0 },
	{ SLOT_STARTING, SLOT_EV_BAD_MESSAGE,  SLOT_KILLING,  KILL|LOST|BLAME },
	{ SLOT_STARTING, SLOT_EV_CLOSED,       SLOT_KILLING,  KILL },
	{ SLOT_STARTING, SLOT_EV_RETIRE,       SLOT_KILLING,  KILL|LOST },
	{ SLOT_READY,    SLOT_EV_HELLO,        SLOT_READY,    REFUSED },
	{ SLOT_READY,    SLOT_EV_SPAWN,        SLOT_READY,    REFUSED },
	{ SLOT_READY,    SLOT_EV_SPAWN_FAILED, SLOT_READY,    REFUSED },
	{ SLOT_READY,    SLOT_EV_RETIRE,       SLOT_DRAINING, SLOT_ACT_DRAIN },
	{ SLOT_READY,    SLOT_EV_BAD_MESSAGE,  SLOT_KILLING,  KILL|LOST|BLAME },
	{ SLOT_READY,    SLOT_EV_CLOSED,       SLOT_KILLING,  KILL },
	{ SLOT_READY,    SLOT_EV_TICK,         SLOT_READY,    0 },
	{ SLOT_DRAINING, SLOT_EV_CLOSED,       SLOT_DRAINING, 0 },
	{ SLOT_DRAINING, SLOT_EV_BAD_MESSAGE,  SLOT_KILLING,  KILL|LOST|BLAME },
	{ SLOT_DRAINING, SLOT_EV_RETIRE,       SLOT_DRAINING, REFUSED },
	{ SLOT_KILLING,  SLOT_EV_KILL,         SLOT_KILLING,  REFUSED },
	{ SLOT_KILLING,  SLOT_EV_BAD_MESSAGE,  SLOT_KILLING,  REFUSED },
	{ SLOT_KILLING,  SLOT_EV_CLOSED,       SLOT_KILLING,  0 },
	{ SLOT_BACKOFF,  SLOT_EV_SPAWN,        SLOT_BACKOFF,  REFUSED },
	{ SLOT_BACKOFF,  SLOT_EV_RETIRE,       SLOT_EMPTY,    0 },
	{ SLOT_FAILED,   SLOT_EV_SPAWN,        SLOT_FAILED,   REFUSED },
	{ SLOT_FAILED,   SLOT_EV_TICK,         SLOT_FAILED,   0 },
	{ SLOT_FAILED,   SLOT_EV_REVIVE,       SLOT_EMPTY,    0 },
	{ SLOT_READY,    SLOT_EV_REVIVE,       SLOT_READY,    REFUSED },
	{ SLOT_READY,    SLOT_EVENT_COUNT,     SLOT_READY,    REFUSED },
};

static const struct {
	enum slot_state from;
	struct slot_exit exit;
	enum slot_state to;
	unsigned int actions;
	enum recycle_reason reason;
} exits[] = {
	{ SLOT_DRAINING, { false, 0, false }, SLOT_EMPTY, LOST, RECYCLE_NONE },
	{ SLOT_READY, { false, 0, false },
	  SLOT_BACKOFF, CRASHED|LOST, RECYCLE_CRASH },
	{ SLOT_READY, { false, WORKER_EXIT_INTERNAL, false },
	  SLOT_BACKOFF, CRASHED|LOST|BLAME, RECYCLE_CRASH },
	{ SLOT_READY, { false, WORKER_EXIT_NOMEM, false },
	  SLOT_BACKOFF, CRASHED|LOST|BLAME, RECYCLE_OOM },
	{ SLOT_READY, { true, 11, false },
	  SLOT_BACKOFF, CRASHED|LOST|BLAME, RECYCLE_CRASH },
	{ SLOT_READY, { true, 9, false },	/* the administrator's */
	  SLOT_BACKOFF, CRASHED|LOST, RECYCLE_CRASH },
	{ SLOT_READY, { true, 9, true },	/* the kernel's */
	  SLOT_BACKOFF, CRASHED|LOST|BLAME, RECYCLE_OOM },
	{ SLOT_DRAINING, { true, 11, false },
	  SLOT_BACKOFF, CRASHED|LOST|BLAME, RECYCLE_CRASH },
	{ SLOT_STARTING, { false, WORKER_EXIT_SANDBOX, false },
	  SLOT_FAILED, CRASHED|LOST|SLOT_ACT_FAILED, RECYCLE_CRASH },
	{ SLOT_STARTING, { false, WORKER_EXIT_PROTOCOL, false },
	  SLOT_BACKOFF, CRASHED|LOST|BLAME, RECYCLE_CRASH },
};
/* clang-format on */

static void test_transitions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(transitions); i++) {
		struct slot s = slot_at(transitions[i].from);
		struct slot_input in = { .event = transitions[i].event };
		unsigned int a = slot_step(&s, &in, 101 * NS_PER_S);

		if (s.state != transitions[i].to || a != transitions[i].actions)
			fail_msg("row %zu: %s on %s gave %s, %#x", i,
				 slot_event_name(in.event),
				 slot_state_name(transitions[i].from),
				 slot_state_name(s.state), a);
	}
}

static void test_exits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
		struct slot s = slot_at(exits[i].from);
		struct slot_input in = { .event = SLOT_EV_EXITED,
					 .exit = exits[i].exit };
		unsigned int a = slot_step(&s, &in, 101 * NS_PER_S);

		if (s.state != exits[i].to || a != exits[i].actions ||
		    s.reason != exits[i].reason)
			fail_msg("row %zu gave %s, %#x, %s", i,
				 slot_state_name(s.state), a,
				 recycle_reason_name(s.reason));
	}
}

static void test_killed_says_lost_once(void **state)
{
	struct slot s = slot_at(SLOT_READY);
	struct slot_input in = { .event = SLOT_EV_KILL,
				 .reason = RECYCLE_RSS_HARD };

	(void)state;
	assert_int_equal(slot_step(&s, &in, 101 * NS_PER_S),
			 KILL | LOST | BLAME);
	in = (struct slot_input){ .event = SLOT_EV_EXITED,
				  .exit = { true, 9, false } };
	assert_int_equal(slot_step(&s, &in, 102 * NS_PER_S), 0);
	assert_int_equal(s.state, SLOT_BACKOFF);
	assert_int_equal(s.reason, RECYCLE_RSS_HARD);
	assert_int_equal(s.crashes, 0);
}

static void test_orders_blame_nobody(void **state)
{
	static const enum recycle_reason reasons[] = { RECYCLE_ADMIN,
						       RECYCLE_RELOAD,
						       RECYCLE_DRAIN_TIMEOUT };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		struct slot s = slot_at(SLOT_READY);
		struct slot_input in = { .event = SLOT_EV_KILL,
					 .reason = reasons[i] };

		s.backoff_ms = 640;
		assert_int_equal(slot_step(&s, &in, 101 * NS_PER_S),
				 KILL | LOST);
		/* and the next one need not wait for what this did not do */
		in = (struct slot_input){ .event = SLOT_EV_EXITED,
					  .exit = { true, 9, false } };
		assert_int_equal(slot_step(&s, &in, 102 * NS_PER_S), 0);
		assert_int_equal(s.state, SLOT_EMPTY);
		assert_int_equal(s.backoff_ms, 0);
		assert_int_equal(s.reason, reasons[i]);
	}
}

static void test_closed_then_status(void **state)
{
	struct slot s = slot_at(SLOT_READY);
	struct slot_input in = { .event = SLOT_EV_CLOSED };

	(void)state;
	slot_step(&s, &in, 101 * NS_PER_S);
	in = (struct slot_input){ .event = SLOT_EV_EXITED,
				  .exit = { true, 11, false } };
	assert_int_equal(slot_step(&s, &in, 101 * NS_PER_S),
			 CRASHED | LOST | BLAME);
}

static void test_no_hello(void **state)
{
	struct slot s;
	struct slot_input in = { .event = SLOT_EV_SPAWN };

	(void)state;
	slot_init(&s);
	slot_step(&s, &in, NS_PER_S);
	assert_int_equal(slot_next_ns(&s), NS_PER_S + SLOT_HELLO_TIMEOUT_NS);
	in.event = SLOT_EV_TICK;
	assert_int_equal(slot_step(&s, &in, slot_next_ns(&s) - 1), 0);
	assert_int_equal(slot_step(&s, &in, slot_next_ns(&s)), KILL);
	assert_int_equal(s.reason, RECYCLE_STUCK);
}

static void test_backoff(void **state)
{
	uint64_t ms = 0;

	(void)state;
	assert_int_equal(slot_backoff_next_ms(0, 5), SLOT_BACKOFF_FIRST_MS);
	for (int i = 0; i < 40; i++) {
		uint64_t next = slot_backoff_next_ms(ms, 5);

		assert_true(next >= ms);
		ms = next;
	}
	assert_int_equal(ms, SLOT_BACKOFF_MAX_MS);
	assert_int_equal(slot_backoff_next_ms(ms, SLOT_HEALTHY_MS), 0);
}

static void test_spawn_waits_for_backoff(void **state)
{
	struct slot s = slot_at(SLOT_BACKOFF);
	struct slot_input in = { .event = SLOT_EV_SPAWN };

	(void)state;
	assert_int_equal(slot_step(&s, &in, s.retry_ns - 1), REFUSED);
	assert_int_equal(slot_step(&s, &in, s.retry_ns), SLOT_ACT_SPAWN);
	assert_int_equal(s.generation, 8);
	s.state = SLOT_EMPTY;
	s.generation = UINT32_MAX;
	slot_step(&s, &in, 1);
	assert_int_equal(s.generation, 1);
}

/* What must hold whatever comes in whatever order. */
static void check_step(const struct slot *before, const struct slot *s,
		       unsigned int a, unsigned int *processes,
		       unsigned int *losses)
{
	assert_true(s->state < SLOT_STATE_COUNT);
	if (a & SLOT_ACT_REFUSED)
		assert_memory_equal(before, s, sizeof(*s));
	if (a & SLOT_ACT_SPAWN) {
		assert_int_equal(*processes, 0);
		*processes = 1;
		*losses = 0;
		assert_true(s->generation != before->generation);
	}
	if (a & SLOT_ACT_LOST)
		assert_int_equal(++*losses, 1);
	if (a & SLOT_ACT_BLAME)
		assert_true(a & SLOT_ACT_LOST);
	if (a & SLOT_ACT_KILL)
		assert_int_equal(s->state, SLOT_KILLING);
	assert_true(slot_is_alive(s) == (*processes == 1));
}

static void test_random_sequences(void **state)
{
	static const int codes[] = { 0, 9, 11, 70, 71, 72, 73 };

	(void)state;
	for (uint64_t run = 0; run < 200; run++) {
		unsigned int processes = 0, losses = 0;
		uint64_t now_ns = NS_PER_S;
		struct slot s;

		slot_init(&s);
		for (uint64_t step = 0; step < 300; step++) {
			uint64_t h = hash_pair(run, step);
			struct slot before = s;
			struct slot_input in = {
				.event = h % SLOT_EVENT_COUNT,
				.reason = h >> 8 & 1 ? RECYCLE_AGE
						     : RECYCLE_STUCK,
				.exit = { h >> 16 & 1,
					  codes[(h >> 20) % ARRAY_LEN(codes)],
					  h >> 32 & 1 },
			};
			unsigned int a;

			now_ns += (h >> 40) % (3 * NS_PER_S);
			/* these two only come of a process */
			if (in.event == SLOT_EV_SPAWN_FAILED && processes &&
			    s.state == SLOT_STARTING)
				processes = 0;
			if (in.event == SLOT_EV_EXITED)
				processes = 0;
			a = slot_step(&s, &in, now_ns);
			check_step(&before, &s, a, &processes, &losses);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SLOT_EVENT_COUNT; i++)
		assert_string_not_equal(slot_event_name(i), "?");
	assert_string_equal(slot_event_name(SLOT_EVENT_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transitions),
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_killed_says_lost_once),
		cmocka_unit_test(test_orders_blame_nobody),
		cmocka_unit_test(test_closed_then_status),
		cmocka_unit_test(test_no_hello),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_spawn_waits_for_backoff),
		cmocka_unit_test(test_random_sequences),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
