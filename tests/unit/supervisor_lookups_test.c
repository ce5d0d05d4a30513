/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/lookups.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/base.h"

static void test_one_for_a_job(void **state)
{
	struct lookups *l;
	struct lookup *w;

	(void)state;
	assert_int_equal(lookups_new(&l), 0);
	assert_null(lookups_find(l, 7));
	w = lookups_begin(l, 7, "a.example", 4, 0);
	assert_non_null(w);
	w->tries = 1;
	/* the same name goes on where it was, another one begins anew */
	assert_int_equal(lookups_begin(l, 7, "a.example", 4, 0)->tries, 1);
	assert_int_equal(lookups_begin(l, 7, "a.example", 6, 0)->tries, 0);
	assert_string_equal(lookups_begin(l, 7, "b.example", 6, 0)->host,
			    "b.example");
	assert_non_null(lookups_begin(l, 8, "b.example", 6, 0));
	lookups_drop(l, 7);
	assert_null(lookups_find(l, 7));
	assert_non_null(lookups_find(l, 8));
	lookups_drop(l, 7);
	lookups_free(&l);
	assert_null(l);
}

static bool is_even(void *ctx, uint32_t id)
{
	(void)ctx;
	return id % 2 == 0;
}

static void test_sweep(void **state)
{
	struct lookups *l;

	(void)state;
	assert_int_equal(lookups_new(&l), 0);
	for (uint32_t i = 1; i <= 6; i++)
		assert_non_null(lookups_begin(l, i, "x", 4, 0));
	lookups_sweep(l, is_even, NULL);
	for (uint32_t i = 1; i <= 6; i++)
		assert_int_equal(lookups_find(l, i) != NULL, i % 2 == 0);
	lookups_free(&l);
}

static const struct {
	enum outcome outcome;
	size_t servers;
	unsigned int asked; /* times in all, until it is final */
} again[] = {
	{ OUTCOME_OK, 4, 1 },
	{ OUTCOME_RESOLVE_NXDOMAIN, 4, 1 },
	{ OUTCOME_NO_ADDRESS, 4, 1 },
	{ OUTCOME_RESOLVE_TIMEOUT, 1, 1 },
	{ OUTCOME_RESOLVE_TIMEOUT, 3, 3 },
	{ OUTCOME_REFUSED, 2, 2 },
	{ OUTCOME_RESOLVE_ERROR, 2, 2 },
	{ OUTCOME_UNREACHABLE, 2, 2 },
	{ OUTCOME_DNS_TRUNCATED, 1, 2 }, /* once more, over TCP */
	{ OUTCOME_WORKER_LOST, 4, 1 },
};

static void test_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(again); i++) {
		struct lookup w = { .job_id = 1 };
		unsigned int asked = 1;

		while (lookup_again(&w, again[i].outcome, again[i].servers))
			asked++;
		assert_int_equal(asked, again[i].asked);
		assert_true(w.server < again[i].servers);
		assert_int_equal(w.is_tcp,
				 again[i].outcome == OUTCOME_DNS_TRUNCATED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_for_a_job),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
