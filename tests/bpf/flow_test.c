/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow table, groups and the heartbeat; many CPUs at one set. */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "common/base.h"
#include "tests/bpf/rig.h"

enum { GROUP = 2 };

static const struct config_routing to_group = {
	.fallback = { .action = RULE_GROUP, .group = GROUP },
};
static const struct config_routing to_block = {
	.fallback = { .action = RULE_BLOCK },
};

static void make(struct frame *f, int family, uint8_t proto, uint8_t flags)
{
	struct ruleset_query q;

	if (family == 4)
		query_make(&q, "192.168.0.1", "1.1.1.1", proto, 80);
	else
		query_make(&q, "2001:db8::10", "2606:4700::1111", proto, 80);
	frame_make(f, &q, flags, true);
}

static int setup(void **state)
{
	static const uint16_t targets[] = { 10, 11, 12 };
	struct rig *r = *state;
	uint16_t i;

	rig_open(r, ATTACH_AUTO, 1024);
	rig_load(r, &to_group);
	for (i = 10; i <= 12; i++)
		rig_target_mark(r, i, i);
	rig_group(r, GROUP, targets, 3, DAE_DEAD_BLOCK);
	return 0;
}

static void expect_mark(struct rig *r, const struct frame *f, uint32_t mark)
{
	struct rig_result got = rig_run(r, f);

	assert_int_equal(got.verdict, RIG_PASS);
	assert_int_equal(got.mark, mark);
}

static void established_flows_are_remembered(void **state)
{
	struct rig *r = *state;
	struct frame f;
	int family;

	for (family = 4; family <= 6; family += 2) {
		rig_load(r, &to_group);
		make(&f, family, IPPROTO_TCP, RIG_SYN);
		expect_mark(r, &f, 10);
		rig_load(r, &to_block); /* a reload does not touch them */
		make(&f, family, IPPROTO_TCP, RIG_ACK);
		expect_mark(r, &f, 10);
		make(&f, family, IPPROTO_TCP, RIG_SYN);
		assert_int_equal(rig_run(r, &f).verdict, RIG_DROP);
	}
}

/* One store moves new flows, and datagram flows off a dead candidate. */
static void one_store_fails_over(void **state)
{
	struct rig *r = *state;
	struct frame syn, ack, udp;

	make(&syn, 4, IPPROTO_TCP, RIG_SYN);
	make(&ack, 4, IPPROTO_TCP, RIG_ACK);
	make(&udp, 4, IPPROTO_UDP, 0);
	expect_mark(r, &syn, 10);
	expect_mark(r, &udp, 10);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_TCP4, 6);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_UDP4, 4);
	expect_mark(r, &ack, 10); /* established: where it was */
	expect_mark(r, &syn, 11);
	expect_mark(r, &ack, 11);
	expect_mark(r, &udp, 12);
	assert_int_equal(rig_count(r, DAE_COUNT_FLOW_MOVED), 1);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_UDP4, 7);
	expect_mark(r, &udp, 12); /* 10 is back, the flow stays */
}

/* A new order does not move flows whose candidate is alive. */
static void reordering_keeps_flows(void **state)
{
	static const uint16_t order[] = { 12, 11, 10 };
	struct rig *r = *state;
	struct frame udp, syn;

	make(&udp, 6, IPPROTO_UDP, 0);
	make(&syn, 6, IPPROTO_TCP, RIG_SYN);
	expect_mark(r, &udp, 10);
	rig_group(r, GROUP, order, 3, DAE_DEAD_BLOCK);
	expect_mark(r, &udp, 10);
	expect_mark(r, &syn, 12);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_UDP6, 3);
	expect_mark(r, &udp, 12);
}

/* What a target becomes holds for new flows of the groups that chose it. */
static void targets_change(void **state)
{
	struct datapath_target block = { .kind = DAE_KIND_BLOCK };
	struct rig *r = *state;
	struct frame f;

	make(&f, 4, IPPROTO_TCP, RIG_SYN);
	rig_target_mark(r, 11, 0x55);
	expect_mark(r, &f, 10);
	rig_target_mark(r, 10, 0x44);
	expect_mark(r, &f, 0x44);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_TCP4, 2);
	expect_mark(r, &f, 0x55);
	rig_target_mark(r, 11, 0x66);
	expect_mark(r, &f, 0x66);
	assert_int_equal(datapath_set_target(r->d, 11, &block), 0);
	assert_int_equal(rig_run(r, &f).verdict, RIG_DROP);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_TCP4, 7);
	expect_mark(r, &f, 0x44);
}

static void classes_are_apart(void **state)
{
	struct rig *r = *state;
	struct frame f;

	datapath_set_alive(r->d, GROUP, DAE_CLASS_TCP6, 2);
	make(&f, 6, IPPROTO_TCP, RIG_SYN);
	expect_mark(r, &f, 11);
	make(&f, 4, IPPROTO_TCP, RIG_SYN);
	expect_mark(r, &f, 10);
	make(&f, 6, IPPROTO_UDP, 0);
	expect_mark(r, &f, 10);
}

static void dead_groups(void **state)
{
	struct rig *r = *state;
	struct datapath_list l = { .targets = { 10, 11 },
				   .count = 2,
				   .last = 1 };
	struct frame f;

	make(&f, 4, IPPROTO_TCP, RIG_SYN);
	datapath_publish_group(r->d, GROUP, DAE_CLASS_TCP4, &l);
	assert_int_equal(rig_run(r, &f).verdict, RIG_DROP);
	l.on_all_dead = DAE_DEAD_DIRECT;
	datapath_publish_group(r->d, GROUP, DAE_CLASS_TCP4, &l);
	expect_mark(r, &f, 0);
	l.on_all_dead = DAE_DEAD_LAST;
	datapath_publish_group(r->d, GROUP, DAE_CLASS_TCP4, &l);
	expect_mark(r, &f, 11);
	assert_int_equal(rig_count(r, DAE_COUNT_GROUP_DEAD), 3);
}

/* Flow @n of many, alike but for the port. */
static void make_nth(struct frame *f, int family, uint8_t proto, uint8_t flags,
		     uint32_t n)
{
	make(f, family, proto, flags);
	f->b[f->l4] = (uint8_t)(n >> 8);
	f->b[f->l4 + 1] = (uint8_t)n;
}

static uint32_t mark_of(struct rig *r, const struct frame *f)
{
	struct rig_result got = rig_run(r, f);

	assert_int_equal(got.verdict, RIG_PASS);
	return got.mark;
}

/* policy random: new flows go to all that are alive, and stay where they are. */
static void random_spreads(void **state, int family, uint8_t proto)
{
	enum { FLOWS = 300 };
	struct datapath_list l = { .targets = { 10, 11, 12 },
				   .count = 3,
				   .alive = 7,
				   .is_random = true };
	enum dae_class c = (enum dae_class)dae_class_of(proto == IPPROTO_UDP,
							family == 6);
	uint32_t count[3] = { 0 }, first[FLOWS], i;
	struct rig *r = *state;
	struct frame f;

	datapath_publish_group(r->d, GROUP, c, &l);
	for (i = 0; i < FLOWS; i++) {
		make_nth(&f, family, proto, RIG_SYN, i);
		first[i] = mark_of(r, &f);
		assert_in_range(first[i], 10, 12);
		count[first[i] - 10]++;
	}
	for (i = 0; i < 3; i++)
		assert_in_range(count[i], FLOWS / 5, FLOWS / 2);
	for (i = 0; i < FLOWS; i++) { /* more than the table holds, too */
		make_nth(&f, family, proto, RIG_ACK, i);
		assert_int_equal(mark_of(r, &f), first[i]);
	}
	datapath_set_alive(r->d, GROUP, c, 5);
	for (i = 0; i < FLOWS; i++) {
		make_nth(&f, family, proto, RIG_SYN, i);
		assert_int_not_equal(mark_of(r, &f), 11);
	}
	datapath_set_alive(r->d, GROUP, c, 2);
	make_nth(&f, family, proto, RIG_SYN, 0);
	expect_mark(r, &f, 11);
}

static void random_choice(void **state)
{
	random_spreads(state, 4, IPPROTO_TCP);
	random_spreads(state, 6, IPPROTO_TCP);
	random_spreads(state, 4, IPPROTO_UDP);
	random_spreads(state, 6, IPPROTO_UDP);
}

/* The last of 64, and a datagram flow that stays with the one last in use. */
static void many_candidates(void **state)
{
	struct datapath_list l = { .count = DAE_CANDIDATES_MAX,
				   .alive = ~0ULL,
				   .last = 63,
				   .on_all_dead = DAE_DEAD_LAST,
				   .is_random = true };
	uint64_t seen = 0;
	struct rig *r = *state;
	struct frame f;
	uint16_t i;

	for (i = 0; i < DAE_CANDIDATES_MAX; i++) {
		l.targets[i] = (uint16_t)(100 + i);
		rig_target_mark(r, l.targets[i], 100U + i);
	}
	datapath_publish_group(r->d, GROUP, DAE_CLASS_UDP4, &l);
	for (i = 0; i < 2000; i++) {
		make_nth(&f, 4, IPPROTO_UDP, 0, i);
		seen |= 1ULL << (mark_of(r, &f) - 100);
	}
	assert_true(seen == ~0ULL);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_UDP4, 0);
	make_nth(&f, 4, IPPROTO_UDP, 0, 5000);
	expect_mark(r, &f, 163);
	expect_mark(r, &f, 163);
	assert_int_equal(rig_count(r, DAE_COUNT_GROUP_DEAD), 1);
}

/* A datagram flow that went direct for want of a candidate comes back. */
static void datagrams_return(void **state)
{
	struct datapath_list l = { .targets = { 10 },
				   .count = 1,
				   .on_all_dead = DAE_DEAD_DIRECT };
	struct rig *r = *state;
	struct frame udp, syn, ack;

	make(&udp, 4, IPPROTO_UDP, 0);
	make(&syn, 4, IPPROTO_TCP, RIG_SYN);
	make(&ack, 4, IPPROTO_TCP, RIG_ACK);
	datapath_publish_group(r->d, GROUP, DAE_CLASS_UDP4, &l);
	datapath_publish_group(r->d, GROUP, DAE_CLASS_TCP4, &l);
	expect_mark(r, &udp, 0);
	expect_mark(r, &syn, 0);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_UDP4, 1);
	datapath_set_alive(r->d, GROUP, DAE_CLASS_TCP4, 1);
	expect_mark(r, &udp, 10);
	expect_mark(r, &ack, 0); /* a connection cannot move */
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void next_jiffy(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30 * NS_PER_MS }, NULL);
}

/* No heartbeat: groups do as the policy says, until it beats again. */
static void heartbeat(void **state)
{
	struct rig *r = *state;
	struct dae_control *c = datapath_maps(r->d)->mem[MAP_CONTROL];
	struct frame f;

	make(&f, 4, IPPROTO_TCP, RIG_SYN);
	c->loss_after_ns = NS_PER_S;
	c->loss = DAE_LOSS_BLOCK;
	datapath_beat(r->d, now_ns());
	next_jiffy();
	expect_mark(r, &f, 10);
	datapath_beat(r->d, now_ns() - 2 * NS_PER_S);
	next_jiffy();
	assert_int_equal(rig_run(r, &f).verdict, RIG_DROP);
	c->loss = DAE_LOSS_DIRECT;
	expect_mark(r, &f, 0);
	c->loss = DAE_LOSS_KEEP;
	expect_mark(r, &f, 10);
	c->loss = DAE_LOSS_BLOCK;
	datapath_beat(r->d, now_ns());
	next_jiffy();
	expect_mark(r, &f, 10);
	assert_int_equal(rig_count(r, DAE_COUNT_SUPERVISOR_LOST), 2);
}

/*
 * Two threads, flows that fight for the few sets of a small table, half of them
 * IPv6: nobody ever gets another flow's verdict.
 */
#define RACE_FLOWS 64
#define RACE_ROUNDS 60000

struct racer {
	const struct rig *rig;
	struct frame frames[RACE_FLOWS];
	uint32_t marks[RACE_FLOWS];
	uint64_t seed;
	int wrong;
};

static void *race(void *arg)
{
	struct racer *me = arg;
	struct rig_result got;
	uint32_t n;
	int i;

	for (i = 0; i < RACE_ROUNDS && !me->wrong; i++) {
		me->seed = me->seed * 6364136223846793005ULL + 1;
		n = (uint32_t)(me->seed >> 33) % RACE_FLOWS;
		got = rig_run(me->rig, &me->frames[n]);
		if (got.verdict != RIG_PASS || got.mark != me->marks[n])
			me->wrong = 1;
	}
	return NULL;
}

static void verdicts_survive_races(void **state)
{
	static struct rule_value values[RACE_FLOWS];
	static struct rule_cond conds[RACE_FLOWS];
	static struct config_rule rules[RACE_FLOWS];
	static struct racer racers[3];
	struct config_routing routing = { .rules = rules,
					  .rule_count = RACE_FLOWS };
	pthread_t threads[ARRAY_LEN(racers)];
	struct rig *r = *state;
	struct ruleset_query q;
	size_t i, t;

	for (i = 0; i < RACE_FLOWS; i++) {
		values[i].range.lo = values[i].range.hi = (uint16_t)(1000 + i);
		conds[i] = (struct rule_cond){ .fn = RULE_DPORT,
					       .values = &values[i],
					       .value_count = 1 };
		rules[i] = (struct config_rule){
			.conds = &conds[i],
			.cond_count = 1,
			.out = { .action = RULE_DIRECT,
				 .has_mark = true,
				 .mark = 0xabc000 + (uint32_t)i },
		};
	}
	/* two sets: every flow fights for an entry with 15 others */
	datapath_maps(r->d)->flow_sets = 2;
	rig_load(r, &routing);
	for (t = 0; t < ARRAY_LEN(racers); t++) {
		racers[t] = (struct racer){ .rig = r, .seed = t + 1 };
		for (i = 0; i < RACE_FLOWS; i++) {
			query_make(&q, i % 2 ? "2001:db8::1" : "10.0.0.1",
				   i % 2 ? "2001:db8::2" : "1.1.1.1",
				   IPPROTO_UDP, (uint16_t)(1000 + i));
			frame_make(&racers[t].frames[i], &q, 0, true);
			racers[t].marks[i] = 0xabc000 + (uint32_t)i;
		}
	}
	for (t = 0; t < ARRAY_LEN(racers); t++)
		assert_int_equal(
			pthread_create(&threads[t], NULL, race, &racers[t]), 0);
	for (t = 0; t < ARRAY_LEN(racers); t++)
		pthread_join(threads[t], NULL);
	for (t = 0; t < ARRAY_LEN(racers); t++)
		assert_false(racers[t].wrong);
}

#define CASE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(established_flows_are_remembered),
		CASE(one_store_fails_over),
		CASE(reordering_keeps_flows),
		CASE(targets_change),
		CASE(classes_are_apart),
		CASE(dead_groups),
		CASE(random_choice),
		CASE(many_candidates),
		CASE(datagrams_return),
		CASE(heartbeat),
		CASE(verdicts_survive_races),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
