/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/host_ranges.h"

#define RANDOM_SETS 300
#define RANDOM_ROUTES 40
#define RANDOM_ASKED 400

static struct host_route four(uint32_t a, uint8_t length, bool leaves)
{
	return (struct host_route){ .a = { 0, a },
				    .length = length,
				    .leaves = leaves };
}

static void want(const struct dae_range *r, uint64_t first, uint64_t last)
{
	assert_int_equal(r->first[0], 0);
	assert_int_equal(r->first[1], first);
	assert_int_equal(r->last[0], 0);
	assert_int_equal(r->last[1], last);
}

static void nothing_leaves(void **state DAE_UNUSED)
{
	struct host_route r[] = { four(0, 0, false),
				  four(0x0a000000, 8, false) };
	struct dae_range out[4];

	assert_int_equal(host_ranges_make(r, 0, out, 4), 0);
	assert_int_equal(host_ranges_make(r, 2, out, 4), 0);
}

/* A default route, a network of the LAN in it, a host of it reached outside. */
static void the_longest_prefix_counts(void **state DAE_UNUSED)
{
	struct host_route r[] = {
		four(0x0a010203, 32, true),
		four(0, 0, true),
		four(0x0a010000, 16, false),
	};
	struct dae_range out[4];

	assert_int_equal(host_ranges_make(r, 3, out, 4), 3);
	want(&out[0], 0, 0x0a00ffff);
	want(&out[1], 0x0a010203, 0x0a010203);
	want(&out[2], 0x0a020000, 0xffffffff);
	assert_int_equal(host_ranges_make(r, 3, out, 2), -E2BIG);
}

static void the_smallest_metric_counts(void **state DAE_UNUSED)
{
	struct host_route r[] = { four(0, 0, false), four(0, 0, true) };
	struct dae_range out[2];

	r[0].metric = 20;
	r[1].metric = 10;
	assert_int_equal(host_ranges_make(r, 2, out, 2), 1);
	want(&out[0], 0, 0xffffffff);
	r[0].metric = 10;
	r[1].metric = 10;
	r[0].leaves = r[1].leaves = false;
	assert_int_equal(host_ranges_make(r, 2, out, 2), 0);
}

/* What meets is one range, up to the last address there is. */
static void neighbours_are_one(void **state DAE_UNUSED)
{
	struct host_route r[] = {
		{ .a = { 0x8000000000000000, 0 },
		  .length = 1,
		  .is_v6 = true,
		  .leaves = true },
		{ .a = { 0, 0 }, .length = 1, .is_v6 = true, .leaves = true },
	};
	struct dae_range out[2];

	assert_int_equal(host_ranges_make(r, 2, out, 2), 1);
	assert_int_equal(out[0].first[0] | out[0].first[1], 0);
	assert_int_equal(out[0].last[0], UINT64_MAX);
	assert_int_equal(out[0].last[1], UINT64_MAX);
}

static bool by_routes(const struct host_route *r, size_t count, uint32_t a)
{
	const struct host_route *best = NULL;
	uint64_t mask;
	size_t i;

	for (i = 0; i < count; i++) {
		mask = 0xffffffffULL << (32 - r[i].length) & 0xffffffff;
		if ((a & mask) != r[i].a[1])
			continue;
		if (!best || r[i].length > best->length ||
		    (r[i].length == best->length && r[i].metric < best->metric))
			best = &r[i];
	}
	return best && best->leaves;
}

static bool by_ranges(const struct dae_range *r, int count, uint32_t a)
{
	int i;

	for (i = 0; i < count; i++)
		if (a >= r[i].first[1] && a <= r[i].last[1])
			return true;
	return false;
}

/* Against looking the longest prefix up, for addresses near and far. */
static void ranges_say_what_routes_say(void **state DAE_UNUSED)
{
	struct host_route r[RANDOM_ROUTES];
	struct dae_range out[2 * RANDOM_ROUTES];
	uint32_t a;
	int set, n, i;

	srand(1);
	for (set = 0; set < RANDOM_SETS; set++) {
		for (i = 0; i < RANDOM_ROUTES; i++) {
			uint8_t length = (uint8_t)(rand() % 33);

			/* in a small space, so that they meet */
			a = (uint32_t)(rand() % 4) << 30 |
			    (uint32_t)(rand() % 4096);
			a &= (uint32_t)(0xffffffffULL << (32 - length));
			r[i] = four(a, length, rand() % 2);
			r[i].metric = (uint32_t)i + 1; /* all differ */
		}
		n = host_ranges_make(r, RANDOM_ROUTES, out, ARRAY_LEN(out));
		assert_true(n >= 0);
		for (i = 1; i < n; i++)
			assert_true(out[i].first[1] > out[i - 1].last[1] + 1);
		for (i = 0; i < RANDOM_ASKED; i++) {
			a = i % 2 ? (uint32_t)rand() << 1
				  : (uint32_t)(rand() % 4) << 30 |
					    (uint32_t)(rand() % 5000);
			assert_int_equal(by_ranges(out, n, a),
					 by_routes(r, RANDOM_ROUTES, a));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_leaves),
		cmocka_unit_test(the_longest_prefix_counts),
		cmocka_unit_test(the_smallest_metric_counts),
		cmocka_unit_test(neighbours_are_one),
		cmocka_unit_test(ranges_say_what_routes_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
