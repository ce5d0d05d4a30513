/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/hash.h"
#include "supervisor/core/state_private.h"

#define S NS_PER_S
#define NODES 3

struct rig {
	struct state_parts parts;
	struct target *t[NODES];
	struct group group;
	struct budget budget;
};

static const struct quarantine_policy policy = { 3, 600 * S, 3600 * S };
static const struct state_clock saved = { 5000 * S, 1800000000 };

static void rig_init(struct rig *r)
{
	static const char *const names[] = { "a", "b", "c" };
	struct group_member members[NODES] = { { 0, 0 }, { 1, 0 }, { 2, 0 } };
	struct config_group c = { .name = (char *)"g",
				  .members = members,
				  .member_count = NODES };
	uint32_t map[NODES];

	memset(r, 0, sizeof(*r));
	assert_int_equal(target_table_new(&r->parts.targets, 8), 0);
	assert_int_equal(quarantine_new(&r->parts.quarantine, &policy), 0);
	for (int i = 0; i < NODES; i++) {
		struct target_spec spec = { .name = names[i] };
		struct target_check check = { .family = 4 };

		assert_int_equal(target_table_add(r->parts.targets, &spec, NULL,
						  &r->t[i]),
				 0);
		check.cls = CHECK_TCP4;
		assert_int_equal(target_add_check(r->t[i], &check, NULL), 0);
		check.cls = CHECK_UDP4;
		assert_int_equal(target_add_check(r->t[i], &check, NULL), 2);
		map[i] = r->t[i]->index;
	}
	assert_int_equal(group_init(&r->group, &c, map, 0), 0);
	budget_init(&r->budget, 1000);
	r->parts.groups = &r->group;
	r->parts.group_count = 1;
	r->parts.budget = &r->budget;
}

static void rig_fini(struct rig *r)
{
	group_fini(&r->group);
	target_table_free(&r->parts.targets);
	quarantine_free(&r->parts.quarantine);
}

static void fill(struct rig *r)
{
	struct health_policy p = { 1, 1 };
	struct result ok = { .outcome = OUTCOME_OK, .bytes_tx = 70 };
	struct result bad = { .outcome = OUTCOME_TLS_ALERT,
			      .foreign_kind = FOREIGN_TLS_ALERT,
			      .foreign = 48,
			      .cert_not_after = 1900000000,
			      .detail = "unknown ca" };

	for (uint32_t i = 1; i <= 13; i++) {
		ok.phase_us[PHASE_TOTAL] = i * 1000;
		health_apply(&r->t[0]->checks[0].health, &p, &ok, 4000 * S);
	}
	health_apply(&r->t[1]->checks[2].health, &p, &bad, 4900 * S);
	target_set_admin(r->t[1], ADMIN_DRAIN, 5100 * S);
	target_set_admin(r->t[2], ADMIN_MAINT, 0);
	r->t[0]->bytes_today = 123;
	budget_add(&r->budget, 456, saved.wall_s);
	r->group.sel[0].member = 1;
	r->group.sel[0].since_ns = 4500 * S;
	r->group.manual = 2;
	assert_int_equal(quarantine_hold(r->parts.quarantine, r->t[2]->identity,
					 5600 * S),
			 0);
}

static uint8_t *encode(struct rig *r, size_t *ret_len)
{
	uint8_t *buf = NULL;

	assert_int_equal(state_encode(&r->parts, &saved, &buf, ret_len), 0);
	return buf;
}

static void test_round_trip(void **state)
{
	struct state_clock now = { 6000 * S, saved.wall_s + 50 };
	auto_free uint8_t *buf = NULL;
	const struct health *h;
	struct rig a, b;
	size_t len;

	(void)state;
	rig_init(&a);
	rig_init(&b);
	fill(&a);
	buf = encode(&a, &len);
	assert_int_equal(state_check(buf, len), 0);
	assert_int_equal(state_restore(buf, len, &b.parts, &now), 0);
	h = &b.t[0]->checks[0].health;
	assert_int_equal(h->verdict, VERDICT_UP);
	assert_int_equal(health_last_us(h), 13000);
	assert_int_equal(health_avg10_us(h), 8500);
	assert_int_equal(h->moving_us, a.t[0]->checks[0].health.moving_us);
	assert_int_equal(h->ok_total, 13);
	/* the verdict is 1000 s old, and 50 s went by since */
	assert_int_equal(h->since_ns, now.mono_ns - 1050 * S);
	assert_int_equal(b.t[0]->state, NODE_UP);
	assert_int_equal(b.t[0]->state_since_ns, h->since_ns);
	assert_int_equal(b.t[1]->state, NODE_DOWN);
	h = &b.t[1]->checks[2].health;
	assert_int_equal(h->verdict, VERDICT_DOWN);
	assert_int_equal(h->last_error.foreign, 48);
	assert_int_equal(h->cert_not_after, 1900000000);
	assert_string_equal(h->last_detail, "unknown ca");
	assert_int_equal(b.t[1]->admin, ADMIN_DRAIN);
	assert_in_range(b.t[1]->admin_until_ns, 6050 * S, 6051 * S);
	assert_int_equal(b.t[2]->admin, ADMIN_MAINT);
	assert_int_equal(b.t[0]->bytes_today, 123);
	assert_int_equal(b.budget.today_bytes, 456);
	assert_int_equal(b.budget.daily_bytes, 1000);
	assert_int_equal(b.group.sel[0].member, 1);
	assert_int_equal(b.group.manual, 2);
	assert_true(b.t[2]->is_quarantined);
	assert_true(quarantine_is_held(b.parts.quarantine, b.t[2]->identity,
				       6500 * S));
	rig_fini(&a);
	rig_fini(&b);
}

static void test_long_away(void **state)
{
	struct state_clock now = { 10 * S, saved.wall_s + 7200 };
	auto_free uint8_t *buf = NULL;
	struct rig a, b;
	size_t len;

	(void)state;
	rig_init(&a);
	rig_init(&b);
	fill(&a);
	buf = encode(&a, &len);
	assert_int_equal(state_restore(buf, len, &b.parts, &now), 0);
	assert_false(b.t[2]->is_quarantined);	     /* its hour is over */
	assert_int_equal(b.t[1]->admin, ADMIN_AUTO); /* and this order */
	assert_int_equal(b.t[0]->checks[0].health.since_ns, 1);
	rig_fini(&a);
	rig_fini(&b);
}

static void test_clock_not_set(void **state)
{
	struct state_clock now = { 10 * S, 100 };
	auto_free uint8_t *buf = NULL;
	struct rig a, b;
	size_t len;

	(void)state;
	rig_init(&a);
	rig_init(&b);
	fill(&a);
	buf = encode(&a, &len);
	assert_int_equal(state_restore(buf, len, &b.parts, &now), 0);
	assert_true(b.t[2]->is_quarantined); /* no time is known to have gone */
	rig_fini(&a);
	rig_fini(&b);
}

static void test_gone_and_new_targets(void **state)
{
	auto_free uint8_t *buf = NULL;
	struct rig a, b;
	size_t len;

	(void)state;
	rig_init(&a);
	rig_init(&b);
	fill(&a);
	buf = encode(&a, &len);
	b.t[0]->checks[0].key++; /* asks something else now */
	strcpy(b.group.name, "other");
	assert_int_equal(state_restore(buf, len, &b.parts, &saved), 0);
	assert_int_equal(b.t[0]->checks[0].health.verdict, VERDICT_UNKNOWN);
	assert_int_equal(b.group.sel[0].member, GROUP_NONE);
	rig_fini(&a);
	rig_fini(&b);
}

static void expect_untouched(const struct rig *r)
{
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(r->t[i]->admin, ADMIN_AUTO);
		assert_int_equal(r->t[i]->bytes_today, 0);
		assert_int_equal(r->t[i]->checks[0].health.verdict,
				 VERDICT_UNKNOWN);
	}
	assert_int_equal(r->budget.today_bytes, 0);
	assert_int_equal(quarantine_count(r->parts.quarantine), 0);
	assert_int_equal(r->group.sel[0].member, GROUP_NONE);
}

static void seal(uint8_t *buf, size_t len)
{
	uint64_t sum = state_sum(buf, len - STATE_SUM_SIZE);

	for (int i = 0; i < STATE_SUM_SIZE; i++)
		buf[len - STATE_SUM_SIZE + i] = (uint8_t)(sum >> (8 * i));
}

/* Every byte flipped, every length cut: refused whole, nothing touched. */
static void test_damage(void **state)
{
	auto_free uint8_t *buf = NULL;
	struct rig a, b;
	size_t len;

	(void)state;
	rig_init(&a);
	rig_init(&b);
	fill(&a);
	buf = encode(&a, &len);
	for (size_t i = 0; i < len; i++) {
		buf[i] ^= 0x41;
		assert_int_equal(state_restore(buf, len, &b.parts, &saved),
				 -EBADMSG);
		buf[i] ^= 0x41;
		assert_int_equal(state_restore(buf, i, &b.parts, &saved),
				 -EBADMSG);
	}
	expect_untouched(&b);
	rig_fini(&a);
	rig_fini(&b);
}

/* Damage that a right checksum covers: all good or nothing. */
static void test_sealed_damage(void **state)
{
	auto_free uint8_t *buf = NULL, *copy = NULL;
	struct rig a, b;
	unsigned int refused = 0;
	size_t len;

	(void)state;
	rig_init(&a);
	fill(&a);
	buf = encode(&a, &len);
	copy = malloc(len);
	assert_non_null(copy);
	for (uint64_t i = 0; i < 5000; i++) {
		uint64_t h = hash_mix(i);

		memcpy(copy, buf, len);
		copy[h % (len - STATE_SUM_SIZE)] = (uint8_t)(h >> 32);
		seal(copy, len);
		rig_init(&b);
		if (state_restore(copy, len, &b.parts, &saved) < 0) {
			refused++;
			expect_untouched(&b);
		}
		rig_fini(&b);
	}
	assert_true(refused > 100);
	rig_fini(&a);
}

static void test_version(void **state)
{
	auto_free uint8_t *buf = NULL;
	struct rig a;
	size_t len;

	(void)state;
	rig_init(&a);
	buf = encode(&a, &len);
	buf[4] = STATE_VERSION + 1;
	seal(buf, len);
	assert_int_equal(state_check(buf, len), -EPROTONOSUPPORT);
	rig_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_long_away),
		cmocka_unit_test(test_clock_not_set),
		cmocka_unit_test(test_gone_and_new_targets),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_sealed_damage),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
