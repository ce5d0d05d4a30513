/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Learned addresses: what the kernel program decides by their names. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/domain_entry.h"
#include "common/base.h"
#include "tests/bpf/rig.h"

#define SETS 12
#define MARK_NONE 0xf00U
#define MARK(set) (0x100U + (set))

static char text[SETS][16];
static struct rule_value values[SETS];
static struct rule_cond conds[SETS];
static struct config_rule rules[SETS];
static struct config_routing routing = {
	.rules = rules,
	.fallback = { .action = RULE_DIRECT,
		      .has_mark = true,
		      .mark = MARK_NONE },
};

/* Rule i: in set i -> mark i. */
static int setup(void **state)
{
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < SETS; i++) {
		text[i][0] = (char)('a' + i);
		values[i] = (struct rule_value){ .key = RULE_KEY_SUFFIX,
						 .text = text[i] };
		conds[i] = (struct rule_cond){ .fn = RULE_DOMAIN,
					       .values = &values[i],
					       .value_count = 1 };
		rules[i] = (struct config_rule){
			.conds = &conds[i],
			.cond_count = 1,
			.out = { .action = RULE_DIRECT,
				 .has_mark = true,
				 .mark = MARK(i) },
		};
	}
	routing.rule_count = SETS;
	rig_open(r, ATTACH_AUTO, 1024);
	return 0;
}

static struct addr address4(uint32_t i)
{
	struct addr a = { .family = 4 };

	a.b[10] = a.b[11] = 0xff;
	a.b[12] = 20;
	a.b[13] = (uint8_t)(i >> 16);
	a.b[14] = (uint8_t)(i >> 8);
	a.b[15] = (uint8_t)i;
	return a;
}

static struct addr address6(uint32_t i)
{
	struct addr a = { .family = 6, .b = { 0x20, 0x01, 0x0d, 0xb8 } };

	a.b[7] = (uint8_t)(i & 7);
	a.b[13] = (uint8_t)(i >> 19);
	a.b[14] = (uint8_t)(i >> 11);
	a.b[15] = (uint8_t)(i >> 3);
	return a;
}

static void make_syn(struct frame *f, const struct addr *dst)
{
	struct ruleset_query q = { .l4proto = IPPROTO_TCP,
				   .sport = 19233,
				   .dport = 443,
				   .mac = { 2 },
				   .dst = *dst };

	assert_int_equal(addr_parse(dst->family == 4 ? "10.0.0.1"
						     : "2001:db8:f::1",
				    &q.src),
			 0);
	frame_make(f, &q, RIG_SYN, true);
}

static uint32_t mark_of(const struct rig *r, const struct addr *dst)
{
	struct rig_result got;
	struct frame f;

	make_syn(&f, dst);
	got = rig_run(r, &f);
	assert_int_equal(got.verdict, RIG_PASS);
	return got.mark;
}

static int learn(struct rig *r, const struct addr *a, uint64_t sets)
{
	const struct dae_bitmap b = { { sets } };

	return datapath_domain_set(r->d, a, &b);
}

/* dae.md 4.14: domain(suffix: a.com) and its negation, learned and not. */
static void names_decide(void **state)
{
	struct rig *r = *state;
	struct addr a[] = { address4(7), address6(7) };
	size_t i;

	rig_load(r, &routing);
	for (i = 0; i < ARRAY_LEN(a); i++) {
		assert_int_equal(mark_of(r, &a[i]), MARK_NONE);
		assert_int_equal(learn(r, &a[i], 1 << 4), 0);
		assert_int_equal(mark_of(r, &a[i]), MARK(4));
		assert_int_equal(learn(r, &a[i], 1 << 4 | 1 << 2), 0);
		assert_int_equal(mark_of(r, &a[i]), MARK(2));
		assert_int_equal(learn(r, &a[i], 0), 0); /* in no set */
		assert_int_equal(mark_of(r, &a[i]), MARK_NONE);
		assert_int_equal(learn(r, &a[i], 1), 0);
		assert_int_equal(mark_of(r, &a[i]), MARK(0));
		assert_int_equal(datapath_domain_set(r->d, &a[i], NULL), 0);
		assert_int_equal(mark_of(r, &a[i]), MARK_NONE);
		assert_int_equal(datapath_domain_set(r->d, &a[i], NULL), 0);
	}
	conds[3].negate = true;
	rig_load(r, &routing);
	assert_int_equal(mark_of(r, &a[0]), MARK(3));
	assert_int_equal(learn(r, &a[0], 1 << 3), 0);
	assert_int_equal(mark_of(r, &a[0]), MARK_NONE);
	assert_int_equal(mark_of(r, &a[1]), MARK(3));
}

static void no_address_is_refused(void **state)
{
	struct rig *r = *state;
	struct addr a = { .family = 4 };

	assert_int_equal(learn(r, &a, 1), -ENOENT);
	rig_load(r, &routing);
	assert_int_equal(learn(r, &a, 1), -EINVAL);
	a.family = 6;
	assert_int_equal(learn(r, &a, 1), -EINVAL);
	a.family = 5;
	a.b[15] = 1;
	assert_int_equal(learn(r, &a, 1), -EINVAL);
}

/* Rules that ask for no name pay for no table. */
static void without_names_nothing_is_kept(void **state)
{
	struct rig *r = *state;
	struct rule_value port = { .range = { 1, 2 } };
	struct rule_cond c = { .fn = RULE_DPORT,
			       .values = &port,
			       .value_count = 1 };
	struct config_rule rule = { .conds = &c, .cond_count = 1 };
	struct config_routing plain = { .rules = &rule, .rule_count = 1 };
	struct datapath_domains n;
	struct datapath_status without, with;
	struct datapath_error err;
	struct addr a = address4(1);

	rig_load(r, &plain);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	assert_int_equal(learn(r, &a, 1), 0);
	datapath_read_domains(r->d, &n);
	assert_int_equal(n.capacity4 + n.capacity6 + n.entries4, 0);
	datapath_read_status(r->d, &without);
	rig_load(r, &routing);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	assert_int_equal(learn(r, &a, 1), 0);
	datapath_read_domains(r->d, &n);
	assert_true(n.capacity4 >= 16384 && n.capacity6 >= 8192);
	assert_int_equal(n.entries4, 1);
	datapath_read_status(r->d, &with);
	assert_true(with.map_bytes > without.map_bytes + 1000000);
}

/* The next generation is filled while the running one decides as before. */
static void the_next_generation_is_filled_first(void **state)
{
	struct rig *r = *state;
	struct datapath_domains n;
	struct datapath_error err;
	struct addr a = address4(1), b = address4(2);

	rig_load(r, &routing);
	assert_int_equal(learn(r, &a, 1 << 5), 0);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	assert_int_equal(learn(r, &b, 1 << 5), 0);
	rig_load(r, &routing);
	assert_int_equal(learn(r, &a, 1 << 6), 0);
	datapath_read_domains(r->d, &n);
	assert_int_equal(n.entries4, 2); /* the running one's */
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	datapath_read_domains(r->d, &n);
	assert_int_equal(n.entries4, 1);
	assert_int_equal(mark_of(r, &a), MARK(6));
	assert_int_equal(mark_of(r, &b), MARK_NONE);
}

/* Full: the new one is refused and counted, all others stay right. */
static void a_full_table(struct rig *r, struct addr (*make)(uint32_t),
			 uint32_t capacity)
{
	struct datapath_domains n;
	struct addr a;
	uint32_t i, step;

	for (i = 0; i < capacity; i++) {
		a = make(i);
		if (learn(r, &a, 1U << i % SETS) < 0)
			break;
	}
	print_message("%u of %u entries\n", i, capacity);
	assert_true(i > capacity / 100 * 85 && i < capacity);
	assert_int_equal(mark_of(r, &a), MARK_NONE);
	datapath_read_domains(r->d, &n);
	assert_int_equal(n.no_room, 1);
	step = i / 1999;
	for (i -= 1; i > step; i -= step) {
		a = make(i);
		assert_int_equal(mark_of(r, &a), MARK(i % SETS));
	}
	/* room again: also in the other line of those that lie there */
	for (i = 0; i < 2000; i++) {
		a = make(i);
		assert_int_equal(datapath_domain_set(r->d, &a, NULL), 0);
		assert_int_equal(learn(r, &a, 1U << (i + 1) % SETS), 0);
		if (i % 10 == 0)
			assert_int_equal(mark_of(r, &a), MARK((i + 1) % SETS));
	}
}

static void full_tables(void **state)
{
	struct rig *r = *state;
	struct datapath_error err;
	struct datapath_domains n;

	rig_load(r, &routing);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	datapath_read_domains(r->d, &n);
	a_full_table(r, address4, n.capacity4);
	rig_load(r, &routing);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	a_full_table(r, address6, n.capacity6);
}

static void all_combinations(void **state)
{
	static struct addr a;
	struct rig *r = *state;
	struct datapath_error err;
	struct datapath_domains n;
	uint32_t i;

	/* 2^12 combinations, one of which is the class of no name */
	rig_load(r, &routing);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	for (i = 0; i < 1U << SETS; i++) {
		a = address4(i);
		assert_int_equal(learn(r, &a, i), 0);
	}
	datapath_read_domains(r->d, &n);
	assert_int_equal(n.classes, 1U << SETS);
	assert_int_equal(n.entries4, (1U << SETS) - 1);
	for (i = 1; i < 1U << SETS; i += 37) {
		a = address4(i);
		assert_int_equal(mark_of(r, &a), MARK(__builtin_ctz(i)));
	}
}

/* More combinations of rules than classes: refused, counted, and an address
 * that had another class has none. */
static void too_many_combinations(void **state)
{
	static char more_text[16][8];
	static struct rule_value v[16];
	static struct rule_cond c[16];
	static struct config_rule rule[16];
	struct config_routing many = { .rules = rule, .rule_count = 16 };
	struct rig *r = *state;
	struct datapath_error err;
	struct datapath_domains n;
	struct addr a = address4(1);
	uint32_t i;

	for (i = 0; i < 16; i++) {
		more_text[i][0] = (char)('a' + i);
		v[i].text = more_text[i];
		c[i] = (struct rule_cond){ .fn = RULE_DOMAIN,
					   .values = &v[i],
					   .value_count = 1 };
		rule[i] = (struct config_rule){ .conds = &c[i],
						.cond_count = 1,
						.out = { .has_mark = true,
							 .mark = MARK(i) } };
	}
	rig_load(r, &many);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	for (i = 0; i < DAE_DOMAIN_CLASSES; i++)
		assert_int_equal(learn(r, &a, i + 1), 0);
	assert_int_equal(mark_of(r, &a), MARK(12));
	assert_int_equal(learn(r, &a, 0xffff), -EXFULL);
	assert_int_equal(mark_of(r, &a), 0); /* the fallback */
	assert_int_equal(learn(r, &a, 0xfff), 0);
	assert_int_equal(mark_of(r, &a), MARK(0));
	datapath_read_domains(r->d, &n);
	assert_int_equal(n.no_class, 1);
}

/*
 * The program on several CPUs while the writer puts and removes addresses that
 * fight for the entries of one line: each is decided by its own set or as if
 * not learned.
 */
#define CHURN_ADDRS 24
#define CHURN_RUNS 40000

struct churn {
	const struct rig *rig;
	struct frame frames[CHURN_ADDRS];
	uint64_t seed;
	uint64_t hits, wrong;
};

static atomic_int running;

static void *run_packets(void *arg)
{
	struct churn *me = arg;
	struct rig_result got;
	uint32_t i, n;

	for (n = 0; n < CHURN_RUNS; n++) {
		me->seed = me->seed * 6364136223846793005ULL + 1442695;
		i = (uint32_t)(me->seed >> 40) % CHURN_ADDRS;
		got = rig_run(me->rig, &me->frames[i]);
		me->hits += got.mark == MARK(i % SETS);
		me->wrong += got.verdict != RIG_PASS ||
			     (got.mark != MARK(i % SETS) &&
			      got.mark != MARK_NONE);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Addresses of one line. */
static void find_crowd(struct rig *r, struct addr *ret)
{
	const __u64 *seed = maps_control(datapath_maps(r->d))->seed;
	const __u64 s[2] = { seed[0], seed[1] };
	struct datapath_domains n;
	uint32_t i, count, mask;
	__u64 a[2];

	datapath_read_domains(r->d, &n);
	mask = n.capacity6 / DOMAIN_WAYS6 - 1;
	for (i = 0, count = 0; count < CHURN_ADDRS; i++) {
		ret[count] = address6(i);
		memcpy(a, ret[count].b, sizeof(a));
		count += domain_line(domain_hash6(a, s), mask) == 3;
	}
}

static void readers_never_see_halves(void **state)
{
	static struct churn churn[2];
	struct addr addrs[CHURN_ADDRS];
	pthread_t threads[ARRAY_LEN(churn)];
	struct rig *r = *state;
	struct datapath_error err;
	uint64_t seed = 5;
	size_t t, i;

	rig_load(r, &routing);
	assert_int_equal(datapath_attach(r->d, NULL, 0, &err), 0);
	find_crowd(r, addrs);
	running = ARRAY_LEN(churn);
	for (t = 0; t < ARRAY_LEN(churn); t++) {
		churn[t] = (struct churn){ .rig = r, .seed = t + 1 };
		for (i = 0; i < CHURN_ADDRS; i++)
			make_syn(&churn[t].frames[i], &addrs[i]);
		assert_int_equal(pthread_create(&threads[t], NULL, run_packets,
						&churn[t]),
				 0);
	}
	while (atomic_load(&running) > 0) {
		seed = seed * 6364136223846793005ULL + 1442695;
		i = (seed >> 40) % CHURN_ADDRS;
		if (seed >> 20 & 1)
			datapath_domain_set(r->d, &addrs[i], NULL);
		else
			learn(r, &addrs[i], 1U << i % SETS);
	}
	for (t = 0; t < ARRAY_LEN(churn); t++) {
		pthread_join(threads[t], NULL);
		assert_int_equal(churn[t].wrong, 0);
		assert_true(churn[t].hits > CHURN_RUNS / 100);
	}
}

#define CASE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_decide),
		CASE(no_address_is_refused),
		CASE(without_names_nothing_is_kept),
		CASE(the_next_generation_is_filled_first),
		CASE(full_tables),
		CASE(all_combinations),
		CASE(too_many_combinations),
		CASE(readers_never_see_halves),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
