/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

enum { RELOADS = 300, NAMES = 60, NODES = 200 };

/* What a reload and those before it have given; -1: nothing yet. */
struct model {
	char text[NAMES][8];
	int group[NAMES], node[NODES];
	unsigned int seed;
};

static unsigned int draw(struct model *m, unsigned int below)
{
	m->seed = m->seed * 1103515245U + 12345U;
	return (m->seed >> 16) % below;
}

/* Some of @n in some order. How many. */
static size_t draw_some(struct model *m, size_t *ret, size_t n)
{
	size_t count = 0, k;

	for (size_t i = 0; i < n; i++)
		if (draw(m, 3))
			ret[count++] = i;
	for (size_t i = count; i > 1; i--) {
		k = draw(m, (unsigned int)i);
		SWAP(ret[i - 1], ret[k]);
	}
	return count;
}

static void reload_groups(struct model *m, struct kernel_ids *ids)
{
	bool is_used[RULESET_GROUPS_MAX] = { false };
	const char *names[NAMES];
	uint16_t got[NAMES];
	size_t which[NAMES], n = draw_some(m, which, NAMES);

	for (size_t i = 0; i < n; i++)
		names[i] = m->text[which[i]];
	assert_int_equal(rules_id_assign(&ids->groups, names, n, got), 0);
	for (size_t i = 0; i < n; i++) {
		int *known = &m->group[which[i]];

		assert_true(got[i] < RULESET_GROUPS_MAX && !is_used[got[i]]);
		is_used[got[i]] = true;
		/* also of one that was away: there are numbers for all */
		if (*known >= 0)
			assert_int_equal(got[i], *known);
		*known = got[i];
	}
}

/* As reload does it: the new ones are given numbers beside the old ones. */
static void reload_nodes(struct model *m, struct kernel_ids *ids)
{
	bool is_used[DAE_TARGETS_MAX] = { false };
	uint64_t keep[NODES];
	size_t which[NODES], n = draw_some(m, which, NODES);
	int now[NODES];

	memset(now, -1, sizeof(now));
	for (size_t i = 0; i < NODES; i++)
		if (m->node[i] >= 0)
			is_used[m->node[i]] = true;
	for (size_t i = 0; i < n; i++) {
		int was = m->node[which[i]];
		int id = kernel_ids_target(ids, which[i] + 1);

		assert_true(id >= 0 && id < DAE_TARGETS_MAX);
		if (was >= 0)
			assert_int_equal(id, was);
		else
			assert_false(is_used[id]);
		is_used[id] = true;
		now[which[i]] = id;
		keep[i] = which[i] + 1;
	}
	kernel_ids_retain(ids, keep, n);
	memcpy(m->node, now, sizeof(now));
}

static void restart(struct kernel_ids *ids)
{
	uint8_t *image = malloc(KERNEL_IDS_IMAGE_MAX);
	int len;

	assert_non_null(image);
	len = kernel_ids_encode(ids, image, KERNEL_IDS_IMAGE_MAX);
	assert_true(len > 0);
	kernel_ids_clear(ids);
	assert_int_equal(kernel_ids_decode(ids, image, (size_t)len), 0);
	free(image);
}

static void test_reloads_change_no_meaning(void **state DAE_UNUSED)
{
	struct model m = { .seed = 4 };
	struct kernel_ids *ids = fresh();

	memset(m.group, -1, sizeof(m.group));
	memset(m.node, -1, sizeof(m.node));
	for (int i = 0; i < NAMES; i++)
		snprintf(m.text[i], sizeof(m.text[i]), "g%d", i);
	for (int i = 0; i < RELOADS; i++) {
		reload_groups(&m, ids);
		reload_nodes(&m, ids);
		if (i % 10 == 9)
			restart(ids);
	}
	drop(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets_keep_their_number),
		cmocka_unit_test(test_targets_are_bounded),
		cmocka_unit_test(test_survives_a_restart),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_reloads_change_no_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
