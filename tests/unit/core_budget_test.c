/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base.h"

#define DAY 86400
#define MORNING (20000LL * DAY)

static void test_days(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 1000);
	assert_true(budget_roll(&b, MORNING));
	assert_false(budget_roll(&b, MORNING + DAY - 1));
	budget_add(&b, 300, MORNING + 5);
	budget_add(&b, 200, MORNING + DAY); /* rolls by itself */
	assert_int_equal(b.yesterday_bytes, 300);
	assert_int_equal(b.today_bytes, 200);
	assert_int_equal(b.total_bytes, 500);
	/* a clock that was lost does not make a new day */
	assert_false(budget_roll(&b, 12345));
	assert_int_equal(b.today_bytes, 200);
}

static const struct {
	uint64_t daily, spent, per_day;
	int64_t second_of_day;
	uint32_t stretch;
} rows[] = {
	{ 0, 999, 999999, 0, 1000 },	 /* no limit */
	{ 1000, 0, 0, 0, 1000 },	 /* nothing known yet */
	{ 1000000, 0, 900000, 0, 1000 }, /* there is room */
	{ 1000000, 0, 2000000, 0, 2000 },
	{ 1000000, 500000, 1000000, DAY / 2, 1000 }, /* on its way */
	{ 1000000, 750000, 1000000, DAY / 2, 2000 },
	{ 1000000, 0, 2000000, DAY / 2, 1000 }, /* half a day is left */
	{ 1000000, 1000000, 1, 0, BUDGET_STRETCH_MAX },
	{ 1000000, 999999, UINT64_MAX, 0, BUDGET_STRETCH_MAX },
	/* no burst before midnight: the rest counts as an hour at least */
	{ 1000000, 900000, 4800000, DAY - 1, 2000 },
};

static void test_stretch(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct budget b;
		uint32_t s;

		budget_init(&b, rows[i].daily);
		budget_add(&b, rows[i].spent, MORNING);
		s = budget_stretch(&b, rows[i].per_day,
				   MORNING + rows[i].second_of_day);
		if (s + 1 < rows[i].stretch || s > rows[i].stretch + 1)
			fail_msg("row %zu gave %u", i, s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_stretch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
