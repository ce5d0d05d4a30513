/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/group.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

#define MEMBERS 3
#define MS 1000

struct rig {
	struct target_table *targets;
	struct target *t[MEMBERS];
	struct group g;
	size_t changes;
	struct group_change last;
};

static void rig_init(struct rig *r, enum group_policy policy,
		     uint64_t tolerance_ns)
{
	struct group_member members[MEMBERS] = { { 0, 0 }, { 1, 0 }, { 2, 0 } };
	uint32_t map[MEMBERS];
	struct config_group c = { .name = (char *)"g",
				  .policy = policy,
				  .members = members,
				  .member_count = MEMBERS };

	memset(r, 0, sizeof(*r));
	assert_int_equal(target_table_new(&r->targets, MEMBERS), 0);
	for (int i = 0; i < MEMBERS; i++) {
		static const char *const names[] = { "a", "b", "c" };
		struct target_spec spec = { .name = names[i] };
		struct target_check tcp4 = { .cls = CHECK_TCP4, .family = 4 };

		assert_int_equal(
			target_table_add(r->targets, &spec, NULL, &r->t[i]), 0);
		assert_int_equal(target_add_check(r->t[i], &tcp4, NULL), 0);
		map[i] = r->t[i]->index;
	}
	assert_int_equal(group_init(&r->g, &c, map, tolerance_ns), 0);
}

static void rig_fini(struct rig *r)
{
	group_fini(&r->g);
	target_table_free(&r->targets);
}

/* Only tcp4 has a check in this rig: the other selections are guesses. */
static uint32_t choose(struct rig *r)
{
	struct group_change changes[GROUP_SELS];
	size_t n = group_evaluate(&r->g, r->targets, 5, changes);

	r->changes = 0;
	for (size_t i = 0; i < n; i++) {
		if (changes[i].sel == CHECK_TCP4) {
			r->changes++;
			r->last = changes[i];
		}
	}
	return r->g.sel[CHECK_TCP4].member;
}

static void sample(struct rig *r, int member, uint32_t us)
{
	struct health_policy p = { 1, 1 };
	struct result res = { .outcome = us ? OUTCOME_OK : OUTCOME_RESET };

	res.phase_us[PHASE_TOTAL] = us;
	health_apply(&r->t[member]->checks[0].health, &p, &res, 1);
}

static void test_min_and_tolerance(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN, 50 * NS_PER_MS);
	assert_int_equal(choose(&r), 0); /* all guesses: the first */
	assert_int_equal(r.last.reason, SELECT_FIRST);
	sample(&r, 1, 100 * MS);
	assert_int_equal(choose(&r), 1); /* measured beats unmeasured */
	sample(&r, 0, 60 * MS);
	assert_int_equal(choose(&r), 1); /* 40 ms is within tolerance */
	assert_int_equal(r.changes, 0);
	sample(&r, 0, 50 * MS);
	assert_int_equal(choose(&r), 0);
	assert_int_equal(r.last.reason, SELECT_LATENCY);
	/* faster than the tolerance itself: it does not vanish */
	sample(&r, 0, 20 * MS);
	sample(&r, 1, 5 * MS);
	assert_int_equal(choose(&r), 0);
	sample(&r, 0, 54 * MS);
	assert_int_equal(choose(&r), 0);
	sample(&r, 0, 56 * MS);
	assert_int_equal(choose(&r), 1);
	rig_fini(&r);
}

static void test_ties_keep(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN, 0);
	sample(&r, 1, 30 * MS);
	assert_int_equal(choose(&r), 1);
	sample(&r, 0, 30 * MS);
	assert_int_equal(choose(&r), 1);
	sample(&r, 0, 30 * MS - 1);
	assert_int_equal(choose(&r), 0);
	rig_fini(&r);
}

static void test_unmeasured_never_preferred(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN_MOVING_AVG, 0);
	sample(&r, 0, 10 * MS);
	sample(&r, 1, 500 * MS);
	assert_int_equal(choose(&r), 0);
	sample(&r, 0, 0); /* dies; c was never measured */
	assert_int_equal(choose(&r), 1);
	assert_int_equal(r.last.reason, SELECT_DOWN);
	sample(&r, 1, 0);
	assert_int_equal(choose(&r), 2); /* better than nothing */
	sample(&r, 2, 0);
	assert_int_equal(choose(&r), GROUP_NONE);
	assert_int_equal(r.last.reason, SELECT_LOST);
	rig_fini(&r);
}

static void test_policies_differ(void **state)
{
	static const struct {
		enum group_policy policy;
		uint32_t want;
	} rows[] = {
		{ POLICY_MIN, 0 },	      /* last: 10 against 20 */
		{ POLICY_MIN_AVG10, 1 },      /* 70 against 20 */
		{ POLICY_MIN_MOVING_AVG, 1 }, /* 47 against 20 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;

		rig_init(&r, rows[i].policy, 0);
		sample(&r, 0, 100 * MS);
		sample(&r, 0, 100 * MS);
		sample(&r, 0, 10 * MS);
		sample(&r, 1, 20 * MS);
		assert_int_equal(choose(&r), rows[i].want);
		rig_fini(&r);
	}
}

static void test_add_latency(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN, 0);
	r.g.members[1].add_latency_us = -500 * MS;
	sample(&r, 0, 10 * MS);
	sample(&r, 1, 400 * MS);
	assert_int_equal(choose(&r), 1);
	assert_int_equal(group_score_us(&r.g, 1, 0, r.targets), -100 * MS);
	rig_fini(&r);
}

/* Failing though not yet down makes it look slower. */
static void test_failures_weigh(void **state)
{
	struct health_policy udp = { 1, 3 };
	struct result bad = { .outcome = OUTCOME_RESPONSE_TIMEOUT };
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN, 0);
	sample(&r, 0, 10 * MS);
	sample(&r, 1, 15 * MS);
	assert_int_equal(choose(&r), 0);
	health_apply(&r.t[0]->checks[0].health, &udp, &bad, 1);
	assert_int_equal(group_score_us(&r.g, 0, 0, r.targets), 20 * MS);
	assert_int_equal(choose(&r), 1);
	rig_fini(&r);
}

static void test_fallback(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_FALLBACK, 0);
	sample(&r, 0, 900 * MS);
	sample(&r, 1, 1 * MS);
	assert_int_equal(choose(&r), 0); /* order, not speed */
	sample(&r, 0, 0);
	assert_int_equal(choose(&r), 1);
	sample(&r, 0, 900 * MS);
	assert_int_equal(choose(&r), 0);
	assert_int_equal(r.last.reason, SELECT_ORDER);
	rig_fini(&r);
}

static void test_sticky(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_STICKY, 0);
	sample(&r, 1, 1 * MS);
	assert_int_equal(choose(&r), 1); /* known before guessed */
	sample(&r, 0, 1 * MS);
	assert_int_equal(choose(&r), 1);
	sample(&r, 1, 0);
	assert_int_equal(choose(&r), 0);
	sample(&r, 1, 1 * MS);
	assert_int_equal(choose(&r), 0);
	rig_fini(&r);
}

static void test_fixed(void **state)
{
	struct group_candidates c;
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_FIXED, 0);
	r.g.fixed_index = 2;
	sample(&r, 2, 0);
	assert_int_equal(choose(&r), 2); /* dae: whatever its health */
	group_candidates(&r.g, 0, r.targets, &c);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.alive, 1);
	r.g.on_all_dead = ALL_DEAD_DIRECT; /* asked for: health counts */
	assert_int_equal(choose(&r), GROUP_NONE);
	group_candidates(&r.g, 0, r.targets, &c);
	assert_int_equal(c.alive, 0);
	assert_int_equal(c.dead, ALL_DEAD_DIRECT);
	r.g.fixed_index = 7;
	assert_int_equal(choose(&r), GROUP_NONE);
	rig_fini(&r);
}

static void test_candidates(void **state)
{
	struct group_candidates c;
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN, 0);
	choose(&r);
	group_candidates(&r.g, 0, r.targets, &c);
	assert_int_equal(c.alive, 7); /* cold start: all may be good */
	sample(&r, 2, 10 * MS);
	sample(&r, 1, 20 * MS);
	choose(&r);
	group_candidates(&r.g, 0, r.targets, &c);
	assert_int_equal(c.count, 3);
	assert_int_equal(c.targets[0], r.t[2]->index);
	assert_int_equal(c.targets[1], r.t[1]->index);
	assert_int_equal(c.alive, 3); /* no guesses while some are known */
	assert_false(c.is_random);
	rig_fini(&r);
}

static void test_on_all_dead(void **state)
{
	struct group_candidates c;
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN, 0);
	sample(&r, 1, 10 * MS);
	choose(&r);
	for (int i = 0; i < MEMBERS; i++)
		sample(&r, i, 0);
	choose(&r);
	group_candidates(&r.g, 0, r.targets, &c);
	assert_int_equal(c.alive, 0);
	assert_int_equal(c.dead, ALL_DEAD_BLOCK);
	r.g.on_all_dead = ALL_DEAD_LAST;
	group_candidates(&r.g, 0, r.targets, &c);
	assert_int_equal(c.count, 3);
	assert_int_equal(c.alive, 0);
	assert_int_equal(c.dead, ALL_DEAD_LAST);
	assert_int_equal(c.targets[c.last], r.t[1]->index);
	r.g.sel[0].last = GROUP_NONE; /* never was one */
	group_candidates(&r.g, 0, r.targets, &c);
	assert_int_equal(c.dead, ALL_DEAD_BLOCK);
	rig_fini(&r);
}

static void test_random(void **state)
{
	struct group_candidates c;
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_RANDOM, 0);
	sample(&r, 0, 10 * MS);
	sample(&r, 1, 10 * MS);
	sample(&r, 2, 0);
	choose(&r);
	group_candidates(&r.g, 0, r.targets, &c);
	assert_true(c.is_random);
	assert_int_equal(c.alive, 3);
	rig_fini(&r);
}

static void test_admin_and_manual(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, POLICY_MIN, 0);
	for (int i = 0; i < MEMBERS; i++)
		sample(&r, i, (uint32_t)(i + 1) * 10 * MS);
	assert_int_equal(choose(&r), 0);
	r.t[0]->admin = ADMIN_DRAIN;
	assert_int_equal(choose(&r), 1);
	assert_int_equal(r.last.reason, SELECT_ADMIN);
	assert_int_equal(group_select(&r.g, 999), -ENOENT);
	assert_int_equal(group_select(&r.g, r.t[2]->index), 0);
	assert_int_equal(choose(&r), 2);
	assert_int_equal(r.last.reason, SELECT_MANUAL);
	sample(&r, 2, 0); /* even by hand: not a dead one */
	assert_int_equal(choose(&r), 1);
	assert_int_equal(group_select(&r.g, TARGET_NONE), 0);
	r.t[0]->admin = ADMIN_AUTO;
	assert_int_equal(choose(&r), 0);
	rig_fini(&r);
}

static void test_inherit(void **state)
{
	struct rig r, next;

	(void)state;
	rig_init(&r, POLICY_STICKY, 0);
	rig_init(&next, POLICY_STICKY, 0);
	for (int i = 0; i < MEMBERS; i++) {
		sample(&r, i, 10 * MS);
		sample(&next, i, 10 * MS);
	}
	group_select(&r.g, r.t[2]->index);
	choose(&r);
	group_inherit(&next.g, &r.g, next.targets);
	group_select(&next.g, TARGET_NONE);
	assert_int_equal(choose(&next), 2);
	assert_int_equal(next.changes, 0);
	rig_fini(&r);
	rig_fini(&next);
}

/* More members than the kernel takes: the best are among them. */
static void test_large_group(void **state)
{
	static struct group_member members[500];
	static uint32_t map[500];
	auto_target_table struct target_table *targets = NULL;
	struct config_group c = { .name = (char *)"g",
				  .policy = POLICY_MIN,
				  .members = members,
				  .member_count = 500 };
	struct health_policy p = { 1, 1 };
	struct result res = { .outcome = OUTCOME_OK };
	struct group_change changes[GROUP_SELS];
	struct group_candidates out;
	struct group g;

	(void)state;
	assert_int_equal(target_table_new(&targets, 500), 0);
	for (uint32_t i = 0; i < 500; i++) {
		struct target_check tcp4 = { .cls = CHECK_TCP4, .family = 4 };
		struct target_spec spec = { .name = "n", .identity = i };
		struct target *t;

		assert_int_equal(target_table_add(targets, &spec, NULL, &t), 0);
		target_add_check(t, &tcp4, NULL);
		res.phase_us[PHASE_TOTAL] = 1000 - i;
		health_apply(&t->checks[0].health, &p, &res, 1);
		members[i].node = i;
		map[i] = t->index;
	}
	assert_int_equal(group_init(&g, &c, map, 0), 0);
	group_evaluate(&g, targets, 1, changes);
	group_candidates(&g, 0, targets, &out);
	assert_int_equal(out.count, GROUP_CANDIDATES);
	assert_int_equal(out.alive, UINT64_MAX);
	for (uint32_t i = 0; i < out.count; i++)
		assert_int_equal(out.targets[i], 499 - i);
	g.on_all_dead = ALL_DEAD_LAST;
	g.sel[0].last = 3; /* ranks last, and yet has a place */
	group_candidates(&g, 0, targets, &out);
	assert_int_equal(out.dead, ALL_DEAD_LAST);
	assert_int_equal(out.targets[out.last], map[3]);
	assert_false(out.alive >> out.last & 1);
	group_fini(&g);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SELECT_REASON_COUNT; i++)
		assert_string_not_equal(select_reason_name(i), "?");
	assert_string_equal(select_reason_name(SELECT_REASON_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_min_and_tolerance),
		cmocka_unit_test(test_ties_keep),
		cmocka_unit_test(test_unmeasured_never_preferred),
		cmocka_unit_test(test_policies_differ),
		cmocka_unit_test(test_add_latency),
		cmocka_unit_test(test_failures_weigh),
		cmocka_unit_test(test_fallback),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_on_all_dead),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_admin_and_manual),
		cmocka_unit_test(test_inherit),
		cmocka_unit_test(test_large_group),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
