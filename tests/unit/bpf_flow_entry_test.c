/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow table's publish protocol, as the kernel runs it, by threads that
 * fight for one set: a reader never gets another flow's mark or verdict.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/flow_entry.h"
#include "common/base.h"

#define THREADS 3
#define ROUNDS 3000000
#define FLOWS 4

static struct dae_set6 set;

struct racer {
	uint64_t seed;
	uint64_t hits, wrong, inserted;
};

/* Halves of two flows' keys make a third flow's. */
static void make_key(struct flow_key *k, uint32_t flow)
{
	int i;

	for (i = 0; i < FLOW_WORDS6; i++)
		k->w[i] = i < 3 ? flow & 1 : flow >> 1;
}

static struct flow_hit make_hit(uint32_t flow, uint32_t now)
{
	return (struct flow_hit){
		.verdict = DAE_KIND_DIRECT | dae_flow_group(flow, flow, flow),
		.mark = 0x5000 + flow,
		.seen = now,
	};
}

static void *race(void *arg)
{
	struct racer *me = arg;
	struct flow_way *a = (struct flow_way *)&set.way[0];
	struct flow_way *b = (struct flow_way *)&set.way[1];
	struct flow_hit hit, want;
	struct flow_key k;
	uint32_t i, flow;

	for (i = 0; i < ROUNDS; i++) {
		me->seed = me->seed * 6364136223846793005ULL + 1442695;
		flow = (uint32_t)(me->seed >> 40) % FLOWS;
		make_key(&k, flow);
		want = make_hit(flow, i);
		if (!flow_read(a, &k, FLOW_WORDS6, &hit) &&
		    !flow_read(b, &k, FLOW_WORDS6, &hit)) {
			me->inserted += flow_insert(a, b, &k, FLOW_WORDS6,
						    &want);
			continue;
		}
		me->hits++;
		me->wrong += hit.mark != want.mark ||
			     !FLOW_SAME(hit.verdict, want.verdict);
	}
	return NULL;
}

static void readers_get_their_own(void **state DAE_UNUSED)
{
	struct racer racers[THREADS] = { 0 };
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		racers[i].seed = (uint64_t)i * 7919 + 1;
		assert_int_equal(
			pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(racers[i].wrong, 0);
		assert_true(racers[i].hits > ROUNDS / 20);
		assert_true(racers[i].inserted > ROUNDS / 20);
	}
}

static void entries_are_replaced_by_age(void **state DAE_UNUSED)
{
	struct flow_way *a = (struct flow_way *)&set.way[0];
	struct flow_way *b = (struct flow_way *)&set.way[1];
	struct flow_hit h[3] = { make_hit(0, 10), make_hit(1, 20),
				 make_hit(2, 30) },
			got;
	struct flow_key k[3];
	int i;

	memset(&set, 0, sizeof(set));
	for (i = 0; i < 3; i++) {
		make_key(&k[i], (uint32_t)i);
		assert_true(flow_insert(a, b, &k[i], FLOW_WORDS6, &h[i]));
	}
	assert_false(flow_read(a, &k[0], FLOW_WORDS6, &got) ||
		     flow_read(b, &k[0], FLOW_WORDS6, &got));
	for (i = 1; i < 3; i++)
		assert_true(flow_read(a, &k[i], FLOW_WORDS6, &got) ||
			    flow_read(b, &k[i], FLOW_WORDS6, &got));
}

static void a_busy_entry_is_left_alone(void **state DAE_UNUSED)
{
	struct flow_way *a = (struct flow_way *)&set.way[0];
	struct flow_hit h = make_hit(0, 10), got;
	struct flow_key k;

	memset(&set, 0, sizeof(set));
	make_key(&k, 0);
	a->verdict = DAE_FLOW_BUSY;
	assert_false(flow_write(a, &k, FLOW_WORDS6, &h));
	assert_false(flow_read(a, &k, FLOW_WORDS6, &got));
	a->verdict = 0;
	assert_true(flow_write(a, &k, FLOW_WORDS6, &h));
	assert_true(flow_read(a, &k, FLOW_WORDS6, &got));
	assert_int_equal(got.mark, h.mark);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_entry_is_left_alone),
		cmocka_unit_test(entries_are_replaced_by_age),
		cmocka_unit_test(readers_get_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
