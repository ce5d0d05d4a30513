/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/crew.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define MB (1ULL << 20)

static const struct recycle_policy policy = {
	.max_probes = 1000,
	.drain_timeout_ns = 20 * NS_PER_S,
	.stuck_timeout_ns = 30 * NS_PER_S,
	.min_gap_ns = 2 * NS_PER_S,
};

/* Processes that behave: HELLO after 10 ms, an end 10 ms after an order. */
struct world {
	struct crew crew;
	uint64_t now_ns;
	uint64_t hello_ns[CREW_MAX], exit_ns[CREW_MAX];
	uint32_t min_ready, max_alive;
	uint32_t spawns, drains, kills;
};

static void make_world(struct world *w, uint32_t workers, uint32_t spares)
{
	struct recycle_limits l = {
		.workers = workers,
		.spares = spares,
		.rss_soft_bytes = 16 * MB,
		.rss_hard_bytes = 32 * MB,
	};

	memset(w, 0, sizeof(*w));
	w->now_ns = 1000 * NS_PER_S;
	assert_int_equal(crew_init(&w->crew, &l, &policy), 0);
}

static void act(struct world *w, uint32_t place, unsigned int actions)
{
	if (actions & SLOT_ACT_SPAWN) {
		w->hello_ns[place] = w->now_ns + 10 * NS_PER_MS;
		w->exit_ns[place] = 0;
		w->spawns++;
	}
	if (actions & (SLOT_ACT_DRAIN | SLOT_ACT_KILL)) {
		w->exit_ns[place] = w->now_ns + 10 * NS_PER_MS;
		w->hello_ns[place] = 0;
		w->drains += !!(actions & SLOT_ACT_DRAIN);
		w->kills += !!(actions & SLOT_ACT_KILL);
	}
}

static void send_event(struct world *w, uint32_t place, struct slot_input in)
{
	act(w, place, crew_event(&w->crew, place, &in, w->now_ns));
}

static void exit_place(struct world *w, uint32_t place)
{
	bool drains = w->crew.places[place].slot.state == SLOT_DRAINING;
	struct slot_input in = { .event = SLOT_EV_EXITED };

	if (!drains)
		in.exit = (struct slot_exit){ true, 9, false };
	w->exit_ns[place] = w->hello_ns[place] = 0;
	send_event(w, place, in);
}

static void step(struct world *w)
{
	struct crew_order orders[4];
	size_t n;

	w->now_ns += NS_PER_MS;
	for (uint32_t i = 0; i < w->crew.count; i++) {
		struct crew_place *p = &w->crew.places[i];

		if (w->hello_ns[i] && w->now_ns >= w->hello_ns[i]) {
			w->hello_ns[i] = 0;
			send_event(
				w, i,
				(struct slot_input){ .event = SLOT_EV_HELLO });
		}
		if (w->exit_ns[i] && w->now_ns >= w->exit_ns[i])
			exit_place(w, i);
		p->meter.heartbeat_ns = w->now_ns;
	}
	while ((n = crew_plan(&w->crew, w->now_ns, orders, ARRAY_LEN(orders))))
		for (size_t i = 0; i < n; i++)
			act(w, orders[i].place, orders[i].actions);
}

static uint32_t count_alive(const struct world *w)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->crew.count; i++)
		n += slot_is_alive(&w->crew.places[i].slot);
	return n;
}

static void run(struct world *w, unsigned int ms)
{
	w->min_ready = UINT32_MAX;
	w->max_alive = 0;
	for (unsigned int i = 0; i < ms; i++) {
		step(w);
		w->min_ready = MIN(w->min_ready,
				   crew_count_state(&w->crew, SLOT_READY));
		w->max_alive = MAX(w->max_alive, count_alive(w));
	}
}

static void test_start(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 3, 1);
	run(&w, 50);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 3);
	assert_int_equal(w.spawns, 3);
	assert_int_equal(w.max_alive, 3);
}

static void test_make_before_break(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 3, 1);
	run(&w, 50);
	w.crew.places[1].meter.probes = 1000;
	run(&w, 100);
	assert_int_equal(w.min_ready, 3); /* never fewer than wanted */
	assert_int_equal(w.max_alive, 4);
	assert_int_equal(w.spawns, 4);
	assert_int_equal(w.drains, 1);
	assert_int_equal(w.crew.places[1].slot.reason, RECYCLE_PROBES);
}

static void test_drain_first_without_room(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 2, 0);
	run(&w, 50);
	w.crew.places[0].meter.probes = 1000;
	run(&w, 100);
	assert_int_equal(w.max_alive, 2); /* memory holds */
	assert_int_equal(w.min_ready, 1);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 2);
	assert_int_equal(w.spawns, 3);
}

static void test_recycle_all(void **state)
{
	struct world w;

	(void)state;
	for (uint32_t spares = 0; spares <= 2; spares++) {
		make_world(&w, 4, spares);
		run(&w, 50);
		assert_int_equal(crew_recycle(&w.crew, CREW_MAX, RECYCLE_ADMIN),
				 0);
		run(&w, 500);
		assert_int_equal(w.spawns, 8);
		assert_int_equal(w.drains, 4);
		assert_int_equal(w.kills, 0);
		assert_true(w.max_alive <= 4 + spares);
		assert_true(w.min_ready >= (spares ? 4 : 3));
	}
	assert_int_equal(crew_recycle(&w.crew, 63, RECYCLE_ADMIN), -ENOENT);
}

/* One soft limit after the other, min_gap between them. */
static void test_min_gap(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 2, 1);
	run(&w, 50);
	w.crew.places[0].meter.probes = 1000;
	w.crew.places[1].meter.probes = 1000;
	run(&w, 1000);
	assert_int_equal(w.drains, 1);
	run(&w, 1500);
	assert_int_equal(w.drains, 2);
}

static void test_hard_limit_kills_at_once(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 2, 1);
	run(&w, 50);
	w.crew.places[0].meter.base_bytes = MB;
	w.crew.places[0].meter.anon_bytes = 34 * MB;
	w.crew.last_recycle_ns = w.now_ns;
	run(&w, 60);
	assert_int_equal(w.kills, 1);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 2);
}

/* A worker that worked well is replaced within 50 ms of its death. */
static void test_crash_is_mended_soon(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 2, 1);
	run(&w, 11000);
	exit_place(&w, 0);
	run(&w, 20);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 2);
	exit_place(&w, 0); /* it ran for some ms only */
	run(&w, 50);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 2);
}

static void test_crash_loop_backs_off(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 1, 1);
	run(&w, 20);
	for (int i = 0; i < 10000; i++) {
		for (uint32_t k = 0; k < w.crew.count; k++) {
			if (w.crew.places[k].slot.state == SLOT_READY)
				exit_place(&w, k);
		}
		step(&w);
	}
	assert_in_range(w.spawns, 5, 15); /* 10 s: 20, 40, 80 ms … */
}

static void test_sandbox_failure_stays_down(void **state)
{
	struct world w;

	(void)state;
	make_world(&w, 1, 1);
	step(&w);
	send_event(&w, 0,
		   (struct slot_input){ .event = SLOT_EV_EXITED,
					.exit = { false, 72, false } });
	w.hello_ns[0] = 0;
	run(&w, 1000);
	assert_int_equal(w.crew.places[0].slot.state, SLOT_FAILED);
	assert_int_equal(w.spawns, 1);
	send_event(&w, 0, (struct slot_input){ .event = SLOT_EV_REVIVE });
	run(&w, 50);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 1);
}

static void test_resize(void **state)
{
	struct recycle_limits l = { .workers = 2,
				    .spares = 1,
				    .rss_hard_bytes = 8 * MB };
	struct world w;

	(void)state;
	make_world(&w, 4, 1);
	run(&w, 50);
	assert_int_equal(crew_resize(&w.crew, &l, &policy), 0);
	run(&w, 200);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 2);
	assert_int_equal(w.kills, 0);
	l.workers = 5;
	assert_int_equal(crew_resize(&w.crew, &l, &policy), 0);
	run(&w, 200);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 5);
	l.workers = CREW_MAX;
	assert_int_equal(crew_resize(&w.crew, &l, &policy), -EINVAL);
}

static void test_pick_spreads(void **state)
{
	struct world w;
	int a, b;

	(void)state;
	make_world(&w, 2, 1);
	assert_int_equal(crew_pick(&w.crew, false), -EAGAIN);
	run(&w, 50);
	a = crew_pick(&w.crew, false);
	crew_job_sent(&w.crew, (uint32_t)a, false);
	b = crew_pick(&w.crew, false);
	assert_true(a >= 0 && b >= 0 && a != b);
	crew_job_done(&w.crew, (uint32_t)a);
	crew_job_done(&w.crew, (uint32_t)a); /* never below none */
	assert_int_equal(w.crew.places[a].in_flight, 0);
	assert_int_equal(crew_pick(&w.crew, false), a);
}

static void test_solo_has_its_own_worker(void **state)
{
	struct world w;
	int solo;

	(void)state;
	make_world(&w, 2, 1);
	run(&w, 50);
	w.crew.want_solo = true;
	run(&w, 50);
	assert_int_equal(w.max_alive, 3);
	solo = crew_pick(&w.crew, true);
	assert_true(solo >= 0);
	assert_int_equal(w.crew.places[solo].duty, CREW_SOLO);
	crew_job_sent(&w.crew, (uint32_t)solo, true);
	assert_int_equal(crew_pick(&w.crew, true), -EAGAIN);
	assert_int_not_equal(crew_pick(&w.crew, false), solo);
	crew_job_done(&w.crew, (uint32_t)solo);
	w.crew.want_solo = false;
	run(&w, 100);
	assert_int_equal(crew_count_state(&w.crew, SLOT_READY), 2);
}

/* With no room for one more, a suspect waits for an idle worker, which is kept
 * from filling up, and has it to itself. */
static void test_solo_shares_time_without_room(void **state)
{
	struct world w;
	int a, solo;

	(void)state;
	make_world(&w, 1, 0);
	run(&w, 50);
	w.crew.want_solo = true;
	run(&w, 50);
	a = crew_pick(&w.crew, false);
	crew_job_sent(&w.crew, (uint32_t)a, false);
	assert_int_equal(crew_pick(&w.crew, true), -EAGAIN);
	assert_int_equal(crew_pick(&w.crew, false), -EAGAIN);
	crew_job_done(&w.crew, (uint32_t)a);
	solo = crew_pick(&w.crew, true);
	assert_int_equal(solo, a);
	crew_job_sent(&w.crew, (uint32_t)solo, true);
	assert_int_equal(crew_pick(&w.crew, false), -EAGAIN);
	crew_job_done(&w.crew, (uint32_t)solo);
	assert_int_equal(crew_pick(&w.crew, false), a);
}

/* Whatever happens, the bound on processes holds and calm brings all back. */
static void test_random_life(void **state)
{
	(void)state;
	for (uint64_t run_no = 0; run_no < 20; run_no++) {
		uint32_t workers = 1 + run_no % 5, spares = run_no % 3;
		struct world w;

		make_world(&w, workers, spares);
		for (uint64_t i = 0; i < 3000; i++) {
			uint64_t h = hash_pair(run_no, i);
			uint32_t k = h % w.crew.count;

			step(&w);
			assert_true(count_alive(&w) <= workers + spares);
			w.crew.want_solo = h >> 8 & 1;
			if (h % 97 == 0 &&
			    slot_is_alive(&w.crew.places[k].slot))
				exit_place(&w, k);
			if (h % 89 == 0)
				crew_recycle(&w.crew, k, RECYCLE_ADMIN);
			if (h % 83 == 0)
				w.crew.places[k].meter.probes = 1000;
		}
		w.crew.want_solo = false;
		run(&w, 130000);
		assert_int_equal(crew_count_state(&w.crew, SLOT_READY),
				 workers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_make_before_break),
		cmocka_unit_test(test_drain_first_without_room),
		cmocka_unit_test(test_recycle_all),
		cmocka_unit_test(test_min_gap),
		cmocka_unit_test(test_hard_limit_kills_at_once),
		cmocka_unit_test(test_crash_is_mended_soon),
		cmocka_unit_test(test_crash_loop_backs_off),
		cmocka_unit_test(test_sandbox_failure_stays_down),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_pick_spreads),
		cmocka_unit_test(test_solo_has_its_own_worker),
		cmocka_unit_test(test_solo_shares_time_without_room),
		cmocka_unit_test(test_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
