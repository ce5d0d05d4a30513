/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/names.h"

#define T0 (1000 * NS_PER_S)

static struct result answer(const char *const *addrs, uint32_t ttl_s)
{
	struct result r = { .outcome = OUTCOME_OK, .ttl_s = ttl_s };
	struct addr a;

	for (; *addrs; addrs++) {
		assert_int_equal(addr_parse(*addrs, &a), 0);
		memcpy(r.addrs[r.naddrs++], a.b, 16);
	}
	r.addr_family = 4;
	return r;
}

static void test_learn_and_expire(void **state)
{
	static const char *const two[] = { "192.0.2.1", "192.0.2.2", NULL };
	struct result r = answer(two, 60);
	const struct name_entry *e;
	struct names *n;

	(void)state;
	assert_int_equal(names_new(&n), 0);
	assert_null(names_find(n, "a.example", 4, T0));
	assert_int_equal(names_learn(n, "a.example", &r, 4, T0), 0);
	e = names_find(n, "a.example", 4, T0 + 59 * NS_PER_S);
	assert_non_null(e);
	assert_int_equal(e->count, 2);
	assert_int_equal(e->addrs[1].b[15], 2);
	assert_null(names_find(n, "a.example", 6, T0));
	assert_null(names_find(n, "b.example", 4, T0));
	assert_null(names_find(n, "a.example", 4, T0 + 60 * NS_PER_S));
	names_free(&n);
	assert_null(n);
}

static const struct {
	uint32_t ttl_s;
	enum outcome outcome;
	uint32_t lives_s;
} lives[] = {
	{ 0, OUTCOME_OK, NAMES_TTL_MIN_S },
	{ 300, OUTCOME_OK, 300 },
	{ UINT32_MAX, OUTCOME_OK, NAMES_TTL_MAX_S },
	{ 0, OUTCOME_NO_ADDRESS, NAMES_TTL_MIN_S },
	{ 300, OUTCOME_RESOLVE_TIMEOUT, NAMES_FAILED_S },
	{ 300, OUTCOME_RESOLVE_NXDOMAIN, NAMES_FAILED_S },
};

static void test_how_long(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct result r = { .outcome = (uint16_t)lives[i].outcome,
				    .ttl_s = lives[i].ttl_s };
		uint64_t end = T0 + lives[i].lives_s * NS_PER_S;
		struct names *n;

		assert_int_equal(names_new(&n), 0);
		assert_int_equal(names_learn(n, "x", &r, 4, T0), 0);
		assert_non_null(names_find(n, "x", 4, end - 1));
		assert_null(names_find(n, "x", 4, end));
		names_free(&n);
	}
}

/* A name must not lead us to this machine or its links. */
static void test_special_addresses(void **state)
{
	static const char *const bad[] = { "127.0.0.1", "169.254.1.1",
					   "224.0.0.1", NULL };
	static const char *const mixed[] = { "127.0.0.1", "192.0.2.9", NULL };
	const struct name_entry *e;
	struct names *n;
	struct result r;

	(void)state;
	assert_int_equal(names_new(&n), 0);
	r = answer(bad, 60);
	assert_int_equal(names_learn(n, "bad", &r, 4, T0), 0);
	e = names_find(n, "bad", 4, T0);
	assert_non_null(e);
	assert_int_equal(e->count, 0);
	assert_int_equal(e->outcome, OUTCOME_RESOLVE_ERROR);
	r = answer(mixed, 60);
	assert_int_equal(names_learn(n, "mixed", &r, 4, T0), 0);
	e = names_find(n, "mixed", 4, T0);
	assert_int_equal(e->count, 1);
	assert_int_equal(e->addrs[0].b[15], 9);
	names_free(&n);
}

/* The least recently used goes first; the table does not grow. */
static void test_bounded(void **state)
{
	static const char *const one[] = { "192.0.2.1", NULL };
	struct result r = answer(one, 3600);
	char name[32];
	struct names *n;

	(void)state;
	assert_int_equal(names_new(&n), 0);
	for (unsigned int i = 0; i < NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(names_learn(n, name, &r, 4, T0), 0);
	}
	assert_non_null(names_find(n, "n0", 4, T0)); /* used again */
	assert_int_equal(names_learn(n, "one-more", &r, 4, T0), 0);
	assert_non_null(names_find(n, "n0", 4, T0));
	assert_null(names_find(n, "n1", 4, T0));
	names_flush(n);
	assert_null(names_find(n, "n0", 4, T0));
	names_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learn_and_expire),
		cmocka_unit_test(test_how_long),
		cmocka_unit_test(test_special_addresses),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
