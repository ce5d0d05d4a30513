/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/memacct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/types.h>

static void blocks_are_counted_and_given_back(void **state)
{
	struct memacct m = { 0 };
	void *a, *b;

	(void)state;
	a = memacct_alloc(&m, 100);
	assert_non_null(a);
	assert_true(m.live >= 100);
	b = memacct_calloc(&m, 10, 100);
	assert_true(m.live >= 1100);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(((char *)b)[i], 0);
	memacct_free(b);
	assert_true(m.live >= 100 && m.live < 1100);
	assert_true(m.peak >= 1100);
	memacct_free(a);
	memacct_free(NULL);
	assert_int_equal(m.live, 0);
	assert_int_equal(memacct_close(&m), 0);
}

static void a_block_keeps_its_bytes_and_account_when_moved(void **state)
{
	struct memacct m = { 0 }, other = { 0 };
	char *p;

	(void)state;
	p = memacct_realloc(&m, NULL, 10);
	memcpy(p, "0123456789", 10);
	p = memacct_realloc(&other, p, 100000);
	assert_memory_equal(p, "0123456789", 10);
	assert_true(m.live >= 100000);
	assert_int_equal(other.live, 0);
	p = memacct_realloc(&other, p, 5);
	assert_true(m.live < 100000);
	memacct_free(p);
	assert_int_equal(memacct_close(&m), 0);
	assert_int_equal(memacct_close(&other), 0);
}

static void going_over_the_limit_is_noted_for_good(void **state)
{
	struct memacct m = { .limit = 1000 };
	void *a, *b;

	(void)state;
	a = memacct_alloc(&m, 600);
	assert_false(m.over_limit);
	b = memacct_alloc(&m, 600);
	assert_non_null(b);
	assert_true(m.over_limit);
	memacct_free(b);
	memacct_free(a);
	assert_true(m.over_limit);
	m.over_limit = 0;
	a = memacct_realloc(&m, memacct_alloc(&m, 10), 3000);
	assert_true(m.over_limit);
	memacct_free(a);
	assert_int_equal(memacct_close(&m), 0);
}

static void sizes_do_not_wrap(void **state)
{
	struct memacct m = { 0 };

	(void)state;
	assert_null(memacct_calloc(&m, SIZE_MAX / 2, 3));
	assert_null(memacct_alloc(&m, SIZE_MAX - 4));
	assert_int_equal(memacct_close(&m), 0);
}

static void a_leak_is_told_and_its_late_end_harms_nobody(void **state)
{
	struct memacct m = { 0 };
	void *a = memacct_alloc(&m, 300), *b = memacct_alloc(&m, 300);

	(void)state;
	assert_true(memacct_close(&m) >= 600);
	assert_int_equal(m.live, 0);
	memset(&m, 0xaa, sizeof(m)); /* the owner is gone */
	a = memacct_realloc(NULL, a, 5000);
	memacct_free(a);
	memacct_free(b);
}

static void wolfssl_is_paid_for_by_who_entered(void **state)
{
	struct memacct m = { 0 }, n = { 0 };
	void *a, *b, *c;

	(void)state;
	assert_int_equal(memacct_init(), 0);
	assert_null(memacct_enter(&m));
	a = XMALLOC(100, NULL, DYNAMIC_TYPE_TMP_BUFFER);
	assert_ptr_equal(memacct_enter(&n), &m);
	b = XMALLOC(200, NULL, DYNAMIC_TYPE_TMP_BUFFER);
	assert_ptr_equal(memacct_enter(NULL), &n);
	c = XMALLOC(400, NULL, DYNAMIC_TYPE_TMP_BUFFER);
	assert_true(m.live >= 100 && m.live < 200);
	assert_true(n.live >= 200 && n.live < 400);
	n.limit = n.live;
	b = XREALLOC(b, 5000, NULL, DYNAMIC_TYPE_TMP_BUFFER);
	assert_non_null(b);
	assert_true(n.over_limit);
	XFREE(a, NULL, DYNAMIC_TYPE_TMP_BUFFER);
	XFREE(b, NULL, DYNAMIC_TYPE_TMP_BUFFER);
	XFREE(c, NULL, DYNAMIC_TYPE_TMP_BUFFER);
	assert_int_equal(memacct_close(&m), 0);
	assert_int_equal(memacct_close(&n), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_counted_and_given_back),
		cmocka_unit_test(
			a_block_keeps_its_bytes_and_account_when_moved),
		cmocka_unit_test(going_over_the_limit_is_noted_for_good),
		cmocka_unit_test(sizes_do_not_wrap),
		cmocka_unit_test(a_leak_is_told_and_its_late_end_harms_nobody),
		cmocka_unit_test(wolfssl_is_paid_for_by_who_entered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
