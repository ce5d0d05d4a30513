/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/kernel_ids.h"

static struct kernel_ids *fresh(void)
{
	struct kernel_ids *ids = calloc(1, sizeof(*ids));

	assert_non_null(ids);
	return ids;
}

static void drop(struct kernel_ids *ids)
{
	kernel_ids_clear(ids);
	free(ids);
}

static void test_targets_keep_their_number(void **state)
{
	struct kernel_ids *ids = fresh();
	static const uint64_t keep[] = { 20 };
	int a, b;

	(void)state;
	a = kernel_ids_target(ids, 10);
	b = kernel_ids_target(ids, 20);
	assert_true(a >= 0 && b >= 0 && a != b);
	assert_int_equal(kernel_ids_target(ids, 10), a);
	kernel_ids_retain(ids, keep, 1);
	assert_int_equal(kernel_ids_target(ids, 20), b);
	/* a number that has just become free is not given away at once */
	assert_int_not_equal(kernel_ids_target(ids, 30), a);
	assert_int_equal(kernel_ids_target(ids, 0), -EINVAL);
	drop(ids);
}

static void test_targets_are_bounded(void **state)
{
	struct kernel_ids *ids = fresh();

	(void)state;
	for (uint64_t i = 1; i <= DAE_TARGETS_MAX; i++)
		assert_true(kernel_ids_target(ids, i) >= 0);
	assert_int_equal(kernel_ids_target(ids, 99999), -E2BIG);
	assert_true(kernel_ids_target(ids, 1) >= 0);
	drop(ids);
}

static void fill(struct kernel_ids *ids)
{
	static const char *const names[] = { "proxy", "game" };
	uint16_t got[2];

	assert_int_equal(rules_id_assign(&ids->groups, names, 2, got), 0);
	kernel_ids_target(ids, 77);
	kernel_ids_target(ids, 88);
}

static void test_survives_a_restart(void **state)
{
	struct kernel_ids *a = fresh(), *b = fresh();
	uint8_t *image = malloc(KERNEL_IDS_IMAGE_MAX);
	static const char *const names[] = { "game", "new", "proxy" };
	uint16_t before[3], after[3];
	int len;

	(void)state;
	fill(a);
	len = kernel_ids_encode(a, image, KERNEL_IDS_IMAGE_MAX);
	assert_true(len > 0);
	assert_int_equal(kernel_ids_decode(b, image, (size_t)len), 0);
	assert_int_equal(rules_id_assign(&a->groups, names, 3, before), 0);
	assert_int_equal(rules_id_assign(&b->groups, names, 3, after), 0);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(kernel_ids_target(b, 88), kernel_ids_target(a, 88));
	assert_int_equal(kernel_ids_encode(a, image, 8), -EMSGSIZE);
	free(image);
	drop(a);
	drop(b);
}

/* Cut anywhere, or with any byte more: refused whole. */
static void test_damage(void **state)
{
	struct kernel_ids *a = fresh(), *b = fresh();
	uint8_t *image = malloc(KERNEL_IDS_IMAGE_MAX);
	int len;

	(void)state;
	fill(a);
	len = kernel_ids_encode(a, image, KERNEL_IDS_IMAGE_MAX);
	for (int n = 0; n < len; n++)
		assert_int_equal(kernel_ids_decode(b, image, (size_t)n),
				 -EBADMSG);
	image[len] = 0;
	assert_int_equal(kernel_ids_decode(b, image, (size_t)len + 1),
			 -EBADMSG);
	image[0] ^= 1;
	assert_int_equal(kernel_ids_decode(b, image, (size_t)len), -EBADMSG);
	assert_null(b->groups.names[0]);
	assert_int_equal(b->targets[0], 0);
	free(image);
	drop(a);
	drop(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets_keep_their_number),
		cmocka_unit_test(test_targets_are_bounded),
		cmocka_unit_test(test_survives_a_restart),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
