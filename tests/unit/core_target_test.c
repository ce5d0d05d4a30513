/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/target.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

static struct target *add(struct target_table *t, const char *name,
			  uint64_t identity, const struct target_table *old)
{
	struct target_spec spec = { .kind = TARGET_NODE,
				    .name = name,
				    .identity = identity };
	struct target *ret = NULL;

	assert_int_equal(target_table_add(t, &spec, old, &ret), 0);
	return ret;
}

static struct target_check *add_check(struct target *t, enum check_class cls,
				      const struct target_table *old)
{
	struct target_check c = { .cls = (uint8_t)cls, .family = 4 };
	int k = target_add_check(t, &c, old);

	assert_true(k >= 0);
	return &t->checks[k];
}

static void test_add_and_find(void **state)
{
	auto_target_table struct target_table *t = NULL;
	struct target_spec same = { .kind = TARGET_NODE, .name = "a" };
	struct target *a, *other;

	(void)state;
	assert_int_equal(target_table_new(&t, 0), -EINVAL);
	assert_int_equal(target_table_new(&t, 2), 0);
	a = add(t, "a", 0, NULL);
	assert_int_equal(target_table_add(t, &same, NULL, &other), -EEXIST);
	same.kind = TARGET_MONITOR; /* another kind is another target */
	assert_int_equal(target_table_add(t, &same, NULL, &other), 0);
	same.name = "c";
	assert_int_equal(target_table_add(t, &same, NULL, &other), -ENOSPC);
	assert_ptr_equal(target_table_find(t, a->identity), a);
	assert_null(target_table_find(t, a->identity + 1));
	assert_ptr_equal(target_table_find_name(t, TARGET_NODE, "a"), a);
	assert_ptr_equal(target_table_find_name(t, TARGET_KIND_COUNT, "a"), a);
	assert_null(target_table_find_name(t, TARGET_DIRECT, "a"));
	assert_null(target_table_get(t, 9));
	assert_int_equal(target_table_count(t), 2);
	assert_string_equal(target_kind_name(TARGET_MONITOR), "monitor");
	assert_string_equal(target_kind_name(99), "?");
}

static void test_index_survives_reloads(void **state)
{
	auto_target_table struct target_table *old = NULL, *next = NULL;
	struct target *b;

	(void)state;
	assert_int_equal(target_table_new(&old, 8), 0);
	assert_int_equal(target_table_new(&next, 8), 0);
	add(old, "a", 1, NULL);
	b = add(old, "b", 2, NULL);
	add_check(b, CHECK_TCP4, NULL)->health.verdict = VERDICT_UP;
	target_set_admin(b, ADMIN_DRAIN, 77);
	b->bytes_today = 5;
	/* "a" has gone; new ones must not take its index while jobs for it may
	 * be about; "b" keeps its own */
	assert_int_equal(add(next, "n", 3, old)->index, 2);
	b = add(next, "b", 2, old);
	assert_int_equal(b->index, 1);
	assert_int_equal(b->admin, ADMIN_DRAIN);
	assert_int_equal(b->bytes_today, 5);
	assert_int_equal(add_check(b, CHECK_TCP4, old)->health.verdict,
			 VERDICT_UP);
	assert_int_equal(add_check(b, CHECK_UDP4, old)->health.verdict,
			 VERDICT_UNKNOWN);
	/* same name, other node: other health */
	b = add(next, "a", 9, old);
	assert_int_equal(b->index, 3);
}

static void test_full_table_takes_any_index(void **state)
{
	auto_target_table struct target_table *old = NULL, *next = NULL;

	(void)state;
	assert_int_equal(target_table_new(&old, 2), 0);
	assert_int_equal(target_table_new(&next, 2), 0);
	add(old, "a", 1, NULL);
	add(old, "b", 2, NULL);
	add(next, "c", 3, old);
	add(next, "d", 4, old);
	assert_int_equal(target_table_count(next), 2);
}

static void test_many(void **state)
{
	auto_target_table struct target_table *t = NULL;
	struct target *a;
	char name[32];

	(void)state;
	assert_int_equal(target_table_new(&t, 3000), 0);
	for (unsigned int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "node %u", i);
		a = add(t, name, i, NULL);
		assert_int_equal(a->index, i);
		assert_ptr_equal(target_table_find(t, a->identity), a);
	}
}

static void test_checks(void **state)
{
	auto_target_table struct target_table *t = NULL;
	struct target_spec spec = { .kind = TARGET_UPSTREAM, .name = "u" };
	struct target_check c = { .cls = CHECK_UDP, .family = 4 };
	struct target *n, *u;

	(void)state;
	assert_int_equal(target_table_new(&t, 4), 0);
	n = add(t, "n", 1, NULL);
	assert_int_equal(target_add_check(n, &c, NULL), -EINVAL);
	c.cls = CHECK_QUIC6;
	assert_int_equal(target_add_check(n, &c, NULL), CHECK_QUIC6);
	assert_int_equal(target_add_check(n, &c, NULL), -EEXIST);
	assert_ptr_equal(target_table_check(t, target_check_id(0, CHECK_QUIC6)),
			 &n->checks[CHECK_QUIC6]);
	assert_null(target_table_check(t, target_check_id(0, CHECK_TCP4)));
	assert_null(target_table_check(t, target_check_id(77, 0)));
	assert_int_equal(target_table_add(t, &spec, NULL, &u), 0);
	for (int i = 0; i < TARGET_CHECKS; i++) {
		c.cls = CHECK_UDP;
		c.family = (uint8_t)i;
		assert_int_equal(target_add_check(u, &c, NULL), i);
	}
	assert_int_equal(target_add_check(u, &c, NULL), -ENOSPC);
}

/* Verdicts of tcp4 and udp4 and what is known beside, then the state and how
 * usable tcp4 is. */
static const struct {
	enum verdict tcp4, udp4;
	bool unsupported, quarantined;
	enum node_admin admin;
	enum node_state state;
	int usable;
} states[] = {
	{ VERDICT_UNKNOWN, VERDICT_UNKNOWN, 0, 0, ADMIN_AUTO, NODE_UNKNOWN, 1 },
	{ VERDICT_UP, VERDICT_UP, 0, 0, ADMIN_AUTO, NODE_UP, 2 },
	{ VERDICT_UP, VERDICT_UNKNOWN, 0, 0, ADMIN_AUTO, NODE_UP, 2 },
	{ VERDICT_UP, VERDICT_NOT_APPLICABLE, 0, 0, ADMIN_AUTO, NODE_UP, 2 },
	{ VERDICT_UP, VERDICT_DOWN, 0, 0, ADMIN_AUTO, NODE_DEGRADED, 2 },
	{ VERDICT_DOWN, VERDICT_UP, 0, 0, ADMIN_AUTO, NODE_DEGRADED, 0 },
	{ VERDICT_DOWN, VERDICT_DOWN, 0, 0, ADMIN_AUTO, NODE_DOWN, 0 },
	{ VERDICT_NOT_APPLICABLE, VERDICT_UP, 0, 0, ADMIN_AUTO, NODE_UP, 0 },
	{ VERDICT_UP, VERDICT_UP, 0, 1, ADMIN_AUTO, NODE_QUARANTINED, 0 },
	{ VERDICT_UP, VERDICT_UP, 1, 1, ADMIN_AUTO, NODE_UNSUPPORTED, 0 },
	{ VERDICT_UP, VERDICT_UP, 0, 0, ADMIN_DRAIN, NODE_UP, 0 },
	{ VERDICT_UP, VERDICT_UP, 0, 0, ADMIN_MAINT, NODE_UP, 0 },
	{ VERDICT_DOWN, VERDICT_DOWN, 0, 0, ADMIN_FORCED_UP, NODE_DEGRADED, 2 },
	/* quarantine is above all but support */
	{ VERDICT_UP, VERDICT_UP, 0, 1, ADMIN_FORCED_UP, NODE_QUARANTINED, 0 },
};

static void test_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct target t = { .is_unsupported = states[i].unsupported,
				    .is_quarantined = states[i].quarantined,
				    .admin = states[i].admin,
				    .state = NODE_EXPIRED };

		t.checks[0].is_used = t.checks[2].is_used = true;
		t.checks[0].health.verdict = states[i].tcp4;
		t.checks[2].health.verdict = states[i].udp4;
		assert_true(target_update_state(&t, 5));
		assert_false(target_update_state(&t, 6));
		assert_int_equal(t.state_since_ns, 5);
		if (t.state != states[i].state ||
		    target_usability(&t, 0) != states[i].usable)
			fail_msg("row %zu: %s, %d", i, node_state_name(t.state),
				 target_usability(&t, 0));
		assert_int_equal(target_is_probed(&t),
				 !states[i].unsupported &&
					 !states[i].quarantined &&
					 states[i].admin != ADMIN_MAINT);
	}
}

static void test_without_checks(void **state)
{
	struct target t = { 0 };

	(void)state;
	assert_int_equal(target_usability(&t, CHECK_TCP4), 1);
	t.assumed[CHECK_TCP4] = VERDICT_UP;
	t.assumed[CHECK_TCP6] = VERDICT_NOT_APPLICABLE;
	assert_int_equal(target_usability(&t, CHECK_TCP4), 2);
	assert_int_equal(target_usability(&t, CHECK_TCP6), 0);
	assert_int_equal(target_usability(&t, CHECK_UDP4), 1);
	target_update_state(&t, 1);
	assert_int_equal(t.state, NODE_UP);
	t.assumed[CHECK_UDP4] = VERDICT_DOWN; /* for TCP alone */
	assert_int_equal(target_usability(&t, CHECK_UDP4), 0);
	assert_int_equal(target_usability(&t, CHECK_TCP4), 2);
	target_update_state(&t, 1);
	assert_int_equal(t.state, NODE_DEGRADED);
	t.assumed[CHECK_TCP4] = VERDICT_DOWN;
	target_update_state(&t, 1);
	assert_int_equal(t.state, NODE_DOWN);
	t.checks[CHECK_TCP4].is_used = true; /* what is asked counts */
	t.checks[CHECK_TCP4].health.verdict = VERDICT_UP;
	assert_int_equal(target_usability(&t, CHECK_TCP4), 2);
}

static void test_admin_ends(void **state)
{
	struct target t = { 0 };

	(void)state;
	target_set_admin(&t, ADMIN_MAINT, 100);
	target_update_state(&t, 99);
	assert_int_equal(t.admin, ADMIN_MAINT);
	target_update_state(&t, 100);
	assert_int_equal(t.admin, ADMIN_AUTO);
}

static void test_addresses(void **state)
{
	struct result r = { .outcome = OUTCOME_OK, .naddrs = 200, .ttl_s = 1 };
	struct target t = { 0 };

	(void)state;
	assert_false(target_has_addrs(&t, 4, 1));
	r.addrs[0][15] = 9;
	target_set_addrs(&t, 6, &r, NS_PER_S);
	assert_int_equal(t.addrs[1].count, MSG_ADDRS_MAX); /* never beyond */
	assert_int_equal(t.addrs[1].addrs[0].family, 6);
	assert_int_equal(t.addrs[1].addrs[0].b[15], 9);
	assert_true(target_has_addrs(&t, 6, 30 * NS_PER_S)); /* ttl floor */
	assert_false(target_has_addrs(&t, 6, 32 * NS_PER_S));
	assert_false(target_has_addrs(&t, 4, NS_PER_S));
	r.outcome = OUTCOME_RESOLVE_TIMEOUT;
	r.naddrs = 0;
	target_set_addrs(&t, 6, &r, 20 * NS_PER_S); /* keeps the old ones */
	assert_true(target_has_addrs(&t, 6, 20 * NS_PER_S));
	r.outcome = OUTCOME_NO_ADDRESS;
	target_set_addrs(&t, 6, &r, 20 * NS_PER_S);
	assert_false(target_has_addrs(&t, 6, 20 * NS_PER_S));
}

static void test_long_names_are_cut_between_characters(void **state)
{
	auto_target_table struct target_table *t = NULL;
	char name[300];
	struct target *a;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	name[298] = '\0';
	assert_int_equal(target_table_new(&t, 1), 0);
	a = add(t, name, 1, NULL);
	assert_int_equal(strlen(a->name), TARGET_NAME_MAX - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_find),
		cmocka_unit_test(test_index_survives_reloads),
		cmocka_unit_test(test_full_table_takes_any_index),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_without_checks),
		cmocka_unit_test(test_admin_ends),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_long_names_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
