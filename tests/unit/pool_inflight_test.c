/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/inflight.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_job_belongs_to_one_worker(void **state)
{
	struct inflight spec = { .id = 5, .place = 1, .generation = 7 };
	struct inflight_table *t = NULL;

	(void)state;
	assert_int_equal(inflight_new(&t), 0);
	strcpy(spec.iface, "eth0");
	assert_int_equal(inflight_add(t, &spec), 0);
	assert_int_equal(inflight_add(t, &spec), -EEXIST);
	assert_non_null(inflight_match(t, 5, 1, 7));
	assert_null(inflight_match(t, 5, 1, 6)); /* its predecessor */
	assert_null(inflight_match(t, 5, 2, 7));
	assert_null(inflight_match(t, 6, 1, 7));
	memset(spec.iface, 'x', 4); /* the table has its own copy */
	assert_string_equal(inflight_find(t, 5)->socket.iface, "eth0");
	inflight_remove(t, inflight_find(t, 5));
	assert_null(inflight_find(t, 5));
	inflight_free(&t);
	assert_null(t);
	inflight_free(&t);
}

static void a_place_is_emptied_at_once(void **state)
{
	struct inflight_table *t = NULL;
	struct inflight spec;

	(void)state;
	assert_int_equal(inflight_new(&t), 0);
	assert_int_equal(inflight_due_ns(t, 0), 0);
	for (uint32_t id = 1; id <= 5000; id++) {
		spec = (struct inflight){ .id = id,
					  .place = id % 2,
					  .generation = 1,
					  .deadline_ns = 10000 - id };
		assert_int_equal(inflight_add(t, &spec), 0);
	}
	assert_int_equal(inflight_due_ns(t, 0), 5000);
	assert_int_equal(inflight_due_ns(t, 1), 5001);
	assert_int_equal(inflight_drop_place(t, 0), 2500);
	assert_int_equal(inflight_drop_place(t, 0), 0);
	assert_int_equal(inflight_due_ns(t, 0), 0);
	assert_null(inflight_find(t, 2));
	assert_non_null(inflight_find(t, 3));
	inflight_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_belongs_to_one_worker),
		cmocka_unit_test(a_place_is_emptied_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
