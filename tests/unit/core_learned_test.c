/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and addresses, against a table that does everything the slow way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/learned.h"

#define NAMES 30
#define ADDRS 40

/* What the owner was told last. */
struct told {
	bool is_known;
	struct dae_bitmap sets;
};

struct model {
	uint64_t expiry_ns[NAMES][ADDRS]; /* 0: no pair */
	struct dae_bitmap sets[NAMES];
	struct told told[ADDRS];
	size_t calls;
};

static struct addr address(uint32_t i)
{
	struct addr a = { .family = i % 2 ? 6 : 4 };

	memset(a.b + 10, 0xff, 2);
	a.b[12] = 20;
	a.b[14] = (uint8_t)(i >> 8);
	a.b[15] = (uint8_t)i;
	if (a.family == 6) {
		a.b[0] = 0x20;
		a.b[1] = 1;
	}
	return a;
}

static void changed(void *arg, const struct addr *a,
		    const struct dae_bitmap *sets)
{
	struct model *m = arg;
	struct told *t = &m->told[a->b[15]];

	m->calls++;
	t->is_known = sets != NULL;
	memset(&t->sets, 0, sizeof(t->sets));
	if (sets)
		t->sets = *sets;
}

static struct learned_record record(uint32_t name, uint32_t addr,
				    uint32_t ttl_s, uint64_t sets)
{
	struct learned_record r = { .addr = address(addr),
				    .ttl_s = ttl_s,
				    .sets = { { sets } } };

	snprintf(r.name, sizeof(r.name), "n%u.example.org", name);
	return r;
}

static void is_told(const struct model *m, uint32_t addr, bool is_known,
		    uint64_t sets)
{
	assert_int_equal(m->told[addr].is_known, is_known);
	assert_true(m->told[addr].sets.w[0] == sets);
}

static void learn(struct learned *l, uint32_t name, uint32_t addr,
		  uint32_t ttl_s, uint64_t sets, uint64_t now_ns)
{
	struct learned_record r = record(name, addr, ttl_s, sets);

	assert_int_equal(learned_check(&r, 64), 0);
	assert_int_equal(learned_add(l, &r, now_ns), 0);
}

static void owners_are_united(void **state DAE_UNUSED)
{
	struct model m = { .calls = 0 };
	struct learned *l;

	assert_int_equal(learned_new(&l, 10, 1, changed, &m), 0);
	assert_true(learned_next_ns(l) == UINT64_MAX);
	learn(l, 1, 5, 10, 1, 0);
	is_told(&m, 5, true, 1);
	learn(l, 2, 5, 20, 6, 0);
	is_told(&m, 5, true, 7);
	learn(l, 2, 6, 30, 6, 0);
	is_told(&m, 6, true, 6);
	/* a name's sets count for all its addresses at once */
	learn(l, 2, 6, 5, 8, 0);
	is_told(&m, 5, true, 9);
	is_told(&m, 6, true, 8);
	m.calls = 0;
	learn(l, 2, 6, 5, 8, 0); /* nothing new */
	assert_int_equal(m.calls, 0);
	/* a name in no set owns, too */
	learn(l, 3, 7, 40, 0, 0);
	is_told(&m, 7, true, 0);
	assert_true(learned_next_ns(l) == 10 * NS_PER_S);
	learned_expire(l, 10 * NS_PER_S - 1);
	is_told(&m, 5, true, 9);
	learned_expire(l, 10 * NS_PER_S);
	is_told(&m, 5, true, 8);
	learned_expire(l, 20 * NS_PER_S);
	is_told(&m, 5, false, 0);
	is_told(&m, 6, true, 8); /* the longer of two times */
	learned_expire(l, 30 * NS_PER_S);
	is_told(&m, 6, false, 0);
	assert_int_equal(learned_count(l).pairs, 1);
	assert_int_equal(learned_forget_name(l, "n3.example.org"), 1);
	is_told(&m, 7, false, 0);
	assert_int_equal(learned_count(l).names, 0);
	assert_int_equal(learned_count(l).addrs, 0);
	assert_int_equal(learned_count(l).expired, 3);
	learned_free(&l);
	assert_null(l);
	learned_free(&l);
}

static void the_soonest_goes_for_a_new_one(void **state DAE_UNUSED)
{
	struct model m = { .calls = 0 };
	struct learned *l;

	assert_int_equal(learned_new(&l, 3, 1, changed, &m), 0);
	learn(l, 1, 1, 30, 1, 0);
	learn(l, 2, 2, 10, 1, 0);
	learn(l, 3, 3, 20, 1, 0);
	learn(l, 4, 4, 5, 1, 0); /* and not itself */
	is_told(&m, 2, false, 0);
	is_told(&m, 4, true, 1);
	learn(l, 5, 5, 50, 1, 0);
	is_told(&m, 4, false, 0);
	assert_int_equal(learned_count(l).pairs, 3);
	assert_int_equal(learned_count(l).evicted, 2);
	learned_free(&l);
	assert_int_equal(learned_new(&l, 1, 1, changed, &m), 0);
	learn(l, 1, 1, 30, 1, 0);
	learn(l, 2, 2, 10, 1, 0);
	is_told(&m, 1, false, 0);
	is_told(&m, 2, true, 1);
	learned_free(&l);
}

static void records_are_checked(void **state DAE_UNUSED)
{
	static const char *const bad_names[] = {
		"",	 ".",	"a..", ".a.com",  "a.com.",
		"A.com", "a b", "a\n", "\xc3\xa9"
	};
	static const char *const bad_addrs[] = {
		"0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.1", "fe80::1"
	};
	struct learned_record r = record(1, 1, 10, 0x8000000000000000ULL);
	size_t i;

	assert_int_equal(learned_check(&r, 64), 0);
	assert_int_equal(learned_check(&r, 63), -EINVAL);
	r.sets.w[15] = 1ULL << 63;
	assert_int_equal(learned_check(&r, DAE_DOMAIN_SETS_MAX), 0);
	assert_int_equal(learned_check(&r, DAE_DOMAIN_SETS_MAX - 1), -EINVAL);
	memset(&r.sets, 0, sizeof(r.sets));
	assert_int_equal(learned_check(&r, 0), 0);
	r.ttl_s = 0;
	assert_int_equal(learned_check(&r, 0), -EINVAL);
	r.ttl_s = LEARNED_TTL_MAX_S + 1;
	assert_int_equal(learned_check(&r, 0), -EINVAL);
	r.ttl_s = LEARNED_TTL_MAX_S;
	for (i = 0; i < ARRAY_LEN(bad_names); i++) {
		snprintf(r.name, sizeof(r.name), "%s", bad_names[i]);
		assert_int_equal(learned_check(&r, 0), -EINVAL);
	}
	memset(r.name, 'a', sizeof(r.name)); /* no end */
	assert_int_equal(learned_check(&r, 0), -EINVAL);
	r.name[LEARNED_NAME_MAX] = '\0';
	assert_int_equal(learned_check(&r, 0), 0);
	for (i = 0; i < ARRAY_LEN(bad_addrs); i++) {
		assert_int_equal(addr_parse(bad_addrs[i], &r.addr), 0);
		assert_int_equal(learned_check(&r, 0), -EINVAL);
	}
	r.addr.family = 5;
	assert_int_equal(learned_check(&r, 0), -EINVAL);
}

static void new_rules_number_anew(void **state DAE_UNUSED)
{
	struct model m = { .calls = 0 }, next = { .calls = 0 };
	const struct dae_bitmap one = { { 1 } }, two = { { 2 } };
	uint32_t cursor = 0;
	const char *name;
	struct learned *l;
	size_t count = 0;

	assert_int_equal(learned_new(&l, 10, 1, changed, &m), 0);
	learn(l, 1, 1, 10, 4, 0);
	learn(l, 2, 1, 10, 8, 0);
	learn(l, 2, 2, 10, 8, 0);
	while ((name = learned_name(l, &cursor)) != NULL) {
		count++;
		assert_int_equal(learned_set_next(l, name,
						  name[1] == '1' ? &one : &two),
				 0);
	}
	assert_int_equal(count, 2);
	assert_int_equal(learned_set_next(l, "nobody", &one), -ENOENT);
	m.calls = 0;
	learned_fill(l, true, changed, &next);
	assert_int_equal(m.calls, 0);
	is_told(&next, 1, true, 3);
	is_told(&next, 2, true, 2);
	learned_drop_next(l);
	learned_fill(l, false, changed, &next);
	is_told(&next, 1, true, 12);
	cursor = 0;
	while ((name = learned_name(l, &cursor)) != NULL)
		assert_int_equal(learned_set_next(l, name, &one), 0);
	/* one that came too late for the new rules to look at it */
	learn(l, 3, 3, 10, 16, 0);
	learned_take_next(l);
	is_told(&m, 3, false, 0);
	assert_int_equal(learned_count(l).names, 2);
	learned_fill(l, false, changed, &m);
	is_told(&m, 1, true, 1);
	is_told(&m, 2, true, 1);
	learned_free(&l);
}

/* --- random, against the model --- */

static uint32_t chance(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((*seed >> 33) % below);
}

static void compare(const struct model *m, const struct learned *l)
{
	struct dae_bitmap want, got;
	uint32_t n, a, pairs = 0;
	bool is_known;

	for (a = 0; a < ADDRS; a++) {
		struct addr addr = address(a);

		memset(&want, 0, sizeof(want));
		for (n = 0, is_known = false; n < NAMES; n++) {
			if (!m->expiry_ns[n][a])
				continue;
			pairs++;
			is_known = true;
			want.w[0] |= m->sets[n].w[0];
		}
		assert_int_equal(m->told[a].is_known, is_known);
		assert_memory_equal(&m->told[a].sets, &want, sizeof(want));
		assert_int_equal(learned_sets(l, &addr, &got), is_known);
		if (is_known)
			assert_memory_equal(&got, &want, sizeof(want));
	}
	assert_int_equal(learned_count(l).pairs, pairs);
}

static void model_step(struct model *m, struct learned *l, uint64_t *seed,
		       uint64_t now_ns)
{
	uint32_t n = chance(seed, NAMES), a = chance(seed, ADDRS), ttl_s, i, k;
	uint64_t sets = chance(seed, 3) ? 1ULL << chance(seed, 60) : 0;
	struct addr addr = address(a);
	char name[32];

	switch (chance(seed, 20)) {
	case 0:
		snprintf(name, sizeof(name), "n%u.example.org", n);
		learned_forget_name(l, name);
		for (i = 0; i < ADDRS; i++)
			m->expiry_ns[n][i] = 0;
		return;
	case 1:
		learned_forget_addr(l, &addr);
		for (i = 0; i < NAMES; i++)
			m->expiry_ns[i][a] = 0;
		return;
	case 2:
	case 3:
		learned_expire(l, now_ns);
		for (i = 0; i < NAMES; i++)
			for (k = 0; k < ADDRS; k++)
				if (m->expiry_ns[i][k] <= now_ns)
					m->expiry_ns[i][k] = 0;
		return;
	}
	ttl_s = 1 + chance(seed, 50);
	learn(l, n, a, ttl_s, sets, now_ns);
	m->sets[n] = (struct dae_bitmap){ { sets } };
	m->expiry_ns[n][a] = MAX(m->expiry_ns[n][a], now_ns + ttl_s * NS_PER_S);
}

static void random_steps_agree(void **state DAE_UNUSED)
{
	struct model *m = calloc(1, sizeof(*m));
	uint64_t seed = 3, now_ns = NS_PER_S;
	struct learned *l;
	int i;

	assert_non_null(m);
	assert_int_equal(learned_new(&l, LEARNED_PAIRS_MAX, 9, changed, m), 0);
	for (i = 0; i < 20000; i++) {
		now_ns += chance(&seed, 2) * NS_PER_S / 3;
		model_step(m, l, &seed, now_ns);
		if (i % 10 == 0)
			compare(m, l);
	}
	learned_free(&l);
	free(m);
}

/* All pairs in use, each with a name and an address of its own. */
static void nobody(void *arg, const struct addr *a,
		   const struct dae_bitmap *sets)
{
	(void)arg;
	(void)a;
	(void)sets;
}

static void pairs_are_bounded(void **state DAE_UNUSED)
{
	struct learned_record r = record(0, 0, 1000, 0x10101);
	struct learned_view view;
	struct learned *l;
	uint32_t i, cursor = 0, count = 0;

	assert_int_equal(learned_new(&l, LEARNED_PAIRS_MAX, 9, nobody, NULL),
			 0);
	for (i = 0; i < LEARNED_PAIRS_MAX + 500; i++) {
		snprintf(r.name, sizeof(r.name), "host%u.some.example.org", i);
		memcpy(r.addr.b + 12, &i, 4);
		r.addr.b[12] ^= 20;
		assert_int_equal(learned_add(l, &r, i), 0);
	}
	assert_int_equal(learned_count(l).pairs, LEARNED_PAIRS_MAX);
	assert_int_equal(learned_count(l).evicted, 500);
	while (learned_next(l, &cursor, &view))
		count++;
	assert_int_equal(count, LEARNED_PAIRS_MAX);
	learned_expire(l, 2000 * NS_PER_S);
	assert_int_equal(learned_count(l).addrs, 0);
	learned_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_are_united),
		cmocka_unit_test(the_soonest_goes_for_a_new_one),
		cmocka_unit_test(records_are_checked),
		cmocka_unit_test(new_rules_number_anew),
		cmocka_unit_test(random_steps_agree),
		cmocka_unit_test(pairs_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
