/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

static enum health_effect apply(struct health *h, unsigned int rise,
				unsigned int fall, unsigned int outcome,
				uint32_t us)
{
	struct health_policy p = { (uint16_t)rise, (uint16_t)fall };
	struct result r = { .outcome = (uint16_t)outcome };

	r.phase_us[PHASE_TOTAL] = us;
	return health_apply(h, &p, &r, 1000 + h->ok_total + h->fail_total);
}

/* u: up, d: down, a: no address, o: ours, b: busy; then the verdict. */
static const struct {
	unsigned int rise, fall;
	const char *results;
	enum verdict verdict;
} sequences[] = {
	{ 1, 1, "", VERDICT_UNKNOWN },
	{ 1, 1, "u", VERDICT_UP },
	{ 1, 1, "d", VERDICT_DOWN },
	{ 1, 1, "ud", VERDICT_DOWN },
	{ 1, 1, "udu", VERDICT_UP },
	{ 1, 3, "udd", VERDICT_UP },
	{ 1, 3, "uddd", VERDICT_DOWN },
	{ 1, 3, "uddudd", VERDICT_UP }, /* in a row, not altogether */
	{ 1, 3, "dd", VERDICT_UNKNOWN },
	{ 1, 3, "ddd", VERDICT_DOWN },
	{ 2, 1, "du", VERDICT_DOWN },
	{ 2, 1, "duu", VERDICT_UP },
	{ 2, 1, "dudu", VERDICT_DOWN },
	{ 3, 1, "u", VERDICT_UP },	 /* first news */
	{ 0, 0, "ud", VERDICT_DOWN },	 /* 0 is 1 */
	{ 1, 1, "uo", VERDICT_UP },	 /* ours never count */
	{ 1, 3, "uddod", VERDICT_DOWN }, /* nor break a row */
	{ 1, 3, "uddo", VERDICT_UP },
	{ 1, 1, "o", VERDICT_UNKNOWN },
	{ 1, 1, "ub", VERDICT_UP }, /* overloaded is not down */
	{ 1, 1, "a", VERDICT_NOT_APPLICABLE },
	{ 1, 1, "ua", VERDICT_NOT_APPLICABLE },
	{ 1, 1, "au", VERDICT_UP },
	{ 1, 3, "add", VERDICT_NOT_APPLICABLE },
};

static unsigned int outcome_of(char c)
{
	switch (c) {
	case 'u':
		return OUTCOME_OK;
	case 'd':
		return OUTCOME_CONNECT_TIMEOUT;
	case 'a':
		return OUTCOME_NO_ADDRESS;
	case 'b':
		return OUTCOME_BUSY;
	default:
		return OUTCOME_LOCAL_CLOCK;
	}
}

static void test_sequences(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
		struct health h = { 0 };

		for (const char *p = sequences[i].results; *p; p++) {
			enum verdict before = h.verdict;
			enum health_effect e = apply(&h, sequences[i].rise,
						     sequences[i].fall,
						     outcome_of(*p), 100);

			assert_int_equal(e == HEALTH_CHANGED,
					 before != h.verdict);
		}
		if (h.verdict != sequences[i].verdict)
			fail_msg("%s gave %s", sequences[i].results,
				 verdict_name(h.verdict));
	}
}

static void test_every_failure_of_ours_is_ignored(void **state)
{
	(void)state;
	for (unsigned int o = 0; o < OUTCOME_COUNT; o++) {
		struct health h = { 0 };

		apply(&h, 1, 1, OUTCOME_OK, 100);
		apply(&h, 1, 1, o, 100);
		if (outcome_is_ours(o))
			assert_int_equal(h.verdict, VERDICT_UP);
		else if (o != OUTCOME_OK && o != OUTCOME_BUSY)
			assert_int_not_equal(h.verdict, VERDICT_UP);
	}
}

static void test_statistics(void **state)
{
	struct health h = { 0 };

	(void)state;
	assert_int_equal(health_last_us(&h), 0);
	assert_int_equal(health_avg10_us(&h), 0);
	apply(&h, 1, 1, OUTCOME_OK, 800);
	assert_int_equal(health_moving_us(&h), 800); /* seeded, not halved */
	apply(&h, 1, 1, OUTCOME_OK, 400);
	assert_int_equal(health_moving_us(&h), 600);
	assert_int_equal(health_last_us(&h), 400);
	assert_int_equal(health_avg10_us(&h), 600);
	apply(&h, 1, 1, OUTCOME_RESET, 9999); /* failures add no sample */
	assert_int_equal(health_last_us(&h), 400);
	for (uint32_t i = 1; i <= 12; i++)
		apply(&h, 1, 1, OUTCOME_OK, i * 10);
	assert_int_equal(health_last_us(&h), 120);
	assert_int_equal(health_avg10_us(&h), 75); /* 30 to 120 */
}

static void test_latency_is_first_byte(void **state)
{
	struct result r = { .outcome = OUTCOME_OK };

	(void)state;
	r.phase_us[PHASE_TOTAL] = 900;
	assert_int_equal(health_latency_us(&r), 900);
	r.phase_us[PHASE_FIRST_BYTE] = 700;
	assert_int_equal(health_latency_us(&r), 700);
}

static void test_evidence(void **state)
{
	struct health_policy p = { 1, 1 };
	struct health h = { 0 };
	struct result r = { .outcome = OUTCOME_HTTP_STATUS,
			    .phase = PHASE_FIRST_BYTE,
			    .foreign_kind = FOREIGN_HTTP_STATUS,
			    .foreign = 503,
			    .cert_not_after = 77,
			    .leaked_bytes = UINT32_MAX,
			    .bytes_tx = 100,
			    .bytes_rx = 300 };

	(void)state;
	memset(r.detail, 'x', sizeof(r.detail)); /* not even terminated */
	health_apply(&h, &p, &r, 5);
	health_apply(&h, &p, &r, 6);
	assert_int_equal(h.last_error.foreign, 503);
	assert_int_equal(h.last_error.at_ns, 6);
	assert_int_equal(strlen(h.last_detail), MSG_DETAIL_MAX - 1);
	assert_int_equal(h.cert_not_after, 77);
	assert_int_equal(h.leaked_bytes, UINT32_MAX);
	assert_int_equal(h.bytes_each, 400);
	assert_int_equal(health_loss_percent(&h), 100);
	for (int i = 0; i < 6; i++)
		apply(&h, 1, 1, OUTCOME_OK, 50);
	apply(&h, 1, 1, OUTCOME_ABORTED, 0);
	assert_int_equal(h.last_error.foreign, 503); /* ours is not evidence */
	assert_int_equal(health_loss_percent(&h), 14); /* 1 of 7 */
	assert_int_equal(health_history(&h, 0)->outcome, OUTCOME_ABORTED);
	assert_int_equal(health_history(&h, 7)->outcome, OUTCOME_HTTP_STATUS);
	assert_null(health_history(&h, 8));
}

static void test_wavering(void **state)
{
	struct health h = { 0 };

	(void)state;
	assert_false(health_is_wavering(&h));
	apply(&h, 1, 3, OUTCOME_OK, 1);
	apply(&h, 1, 3, OUTCOME_RESET, 1);
	assert_true(health_is_wavering(&h));
	apply(&h, 1, 3, OUTCOME_RESET, 1);
	apply(&h, 1, 3, OUTCOME_RESET, 1);
	assert_false(health_is_wavering(&h));
	apply(&h, 2, 3, OUTCOME_OK, 1);
	assert_true(health_is_wavering(&h));
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(health_default_policy(CHECK_TCP4).fall, 1);
	assert_int_equal(health_default_policy(CHECK_UDP6).fall, 3);
	assert_int_equal(health_default_policy(CHECK_TLS).fall, 1);
	assert_int_equal(health_default_policy(CHECK_H3).fall, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_every_failure_of_ours_is_ignored),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_latency_is_first_byte),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_wavering),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
