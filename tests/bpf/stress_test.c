/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * More threads than CPUs run packets of some hundred flows through the program
 * while its flow table has two sets, so that every flow throws others out all
 * the time; groups fail over and are reordered, targets change and generations
 * are swapped meanwhile. Each single verdict must be one that the twin gives
 * for a generation and a state of the groups that were in force while the
 * packet was on its way.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include "common/base.h"
#include "tests/bpf/rig.h"

#define FLOWS 240
#define SETS 2
#define THREADS 8
#define TURNS 1024 /* of a group that are remembered */
#define RUN_MS 2500
#define FEW_SETS 2 /* of the flow tables */

/* Of each group's four candidates the last one is never alive. */
#define CANDIDATES 4
#define EVER_ALIVE 7
#define TARGET(g, i) ((uint16_t)((g)*CANDIDATES + (i)))
#define MARK(g, i) (0x1000U + TARGET(g, i))

enum sort { SYN, MID, DATAGRAM, SORTS };

struct flow {
	struct frame frame;
	enum sort sort;
	struct ruleset_verdict want[SETS];
};

/*
 * What was true of a group, by turns: which candidates new flows may get (low
 * bits) and which are alive. A packet that began after turn @ended was complete
 * and ended before turn @begun + 1 began saw one of those between.
 */
struct history {
	_Atomic uint16_t turn[TURNS];
	_Atomic uint32_t begun, ended;
};

struct stress {
	struct rig *rig;
	struct flow flows[FLOWS];
	struct history groups[RULEGEN_GROUPS];
	void *images[SETS];
	size_t lens[SETS];
	_Atomic int programs[SETS];
	_Atomic int in_use[THREADS]; /* programs that must not be closed */
	_Atomic uint32_t current;    /* set */
	_Atomic bool stop;
	bool moves_groups;
	bool swaps_sets;
};

struct runner {
	struct stress *s;
	size_t index;
	uint64_t seed;
	uint64_t packets;
	char wrong[200];
};

/* Groups in turn: first alive, none (blocks), none (direct), any alive. */
static bool is_moving(uint16_t group)
{
	return group % 4 == 0 || group % 4 == 3;
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % below;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / NS_PER_MS;
}

/* --- groups --- */

/* A list of @g's candidates beginning with @first; @alive: by candidate. */
static void make_list(uint16_t g, uint32_t first, uint32_t alive,
		      struct datapath_list *l, uint16_t *ret_turn)
{
	uint32_t pick = 0, i, k;

	*l = (struct datapath_list){ .count = CANDIDATES,
				     .is_random = g % 4 == 3 };
	for (i = 0; i < CANDIDATES; i++) {
		k = (first + i) % CANDIDATES;
		l->targets[i] = TARGET(g, k);
		if (!(alive >> k & 1))
			continue;
		l->alive |= 1ULL << i;
		if (!pick || l->is_random)
			pick |= 1U << k;
	}
	*ret_turn = (uint16_t)(pick | alive << 8);
}

/* @times in a row for each class, so that readers are overtaken. */
static void publish_all(struct rig *r, uint16_t g,
			const struct datapath_list *l, int times)
{
	int c, i;

	for (c = 0; c < DAE_CLASS_COUNT; c++)
		for (i = 0; i < times; i++)
			datapath_publish_group(r->d, g, (enum dae_class)c, l);
}

static void set_groups(struct stress *s)
{
	static const uint16_t none[1];
	struct datapath_list l;
	uint16_t g, i, turn;

	for (g = 0; g < RULEGEN_GROUPS; g++) {
		for (i = 0; i < CANDIDATES; i++)
			rig_target_mark(s->rig, TARGET(g, i), MARK(g, i));
		if (!is_moving(g)) {
			rig_group(s->rig, g, none, 0,
				  g % 4 == 1 ? DAE_DEAD_BLOCK
					     : DAE_DEAD_DIRECT);
			continue;
		}
		make_list(g, 0, EVER_ALIVE, &l, &turn);
		publish_all(s->rig, g, &l, 1);
		atomic_store(&s->groups[g].turn[0], turn);
	}
}

/* A few stores to one group: another order, or another set of the living. */
static void *move_groups(void *arg)
{
	struct stress *s = arg;
	uint32_t first[RULEGEN_GROUPS] = { 0 }, n;
	struct datapath_list l;
	struct history *h;
	uint64_t seed = 99;
	uint16_t g, turn;
	int c;

	while (!atomic_load(&s->stop)) {
		g = (uint16_t)(draw(&seed, 2) * 4 + draw(&seed, 2) * 3);
		h = &s->groups[g];
		if (draw(&seed, 2))
			first[g] = draw(&seed, CANDIDATES);
		n = draw(&seed, EVER_ALIVE) + 1;
		make_list(g, first[g], n, &l, &turn);
		n = atomic_load(&h->begun) + 1;
		atomic_store(&h->turn[n % TURNS], turn);
		atomic_store(&h->begun, n);
		publish_all(s->rig, g, &l, draw(&seed, 8) ? 1 : 3);
		for (c = 0; c < DAE_CLASS_COUNT; c++) /* the same again */
			datapath_set_alive(s->rig->d, g, (enum dae_class)c,
					   l.alive);
		atomic_store(&h->ended, n);
		if (draw(&seed, 64) == 0)
			usleep(1);
	}
	return NULL;
}

/* --- flows --- */

static void make_flows(struct stress *s, struct rulegen *g)
{
	struct ruleset rules;
	struct ruleset_query q;
	struct flow *f;
	size_t i, k;

	for (i = 0; i < FLOWS; i++) {
		f = &s->flows[i];
		f->sort = (enum sort)(i % SORTS);
		do {
			rulegen_query_lan(&g[i / SORTS % SETS], &q);
		} while ((q.l4proto == IPPROTO_UDP) != (f->sort == DATAGRAM));
		frame_make(&f->frame, &q, f->sort == SYN ? RIG_SYN : RIG_ACK,
			   true);
		for (k = 0; k < SETS; k++) {
			assert_int_equal(ruleset_open(s->images[k], s->lens[k],
						      &rules),
					 0);
			assert_int_equal(ruleset_eval(&rules, &q, &f->want[k]),
					 0);
		}
		/* the same connection, going on */
		if (f->sort == MID)
			f->frame.b[f->frame.l4 + 13] = RIG_ACK;
		if (f->sort == SYN && ++i < FLOWS) {
			s->flows[i] = *f;
			s->flows[i].sort = MID;
			s->flows[i].frame.b[f->frame.l4 + 13] = RIG_ACK;
		}
	}
}

/* The candidates of @f's group that it may be found with. */
static uint32_t candidates(const struct stress *s, const struct flow *f,
			   uint16_t group, uint32_t since)
{
	const struct history *h = &s->groups[group];
	uint32_t until = atomic_load(&h->begun), all = 0, i;

	for (i = since; i != until + 1; i++)
		all |= atomic_load(&h->turn[i % TURNS]);
	/* what we had to read may be overwritten by now */
	if (f->sort == MID || atomic_load(&h->begun) - since >= TURNS - 1)
		return EVER_ALIVE;
	return f->sort == DATAGRAM ? all >> 8 : all & 0xff;
}

/* Whether @got is what set @k of rules may give. */
static bool is_right(const struct stress *s, const struct flow *f, size_t k,
		     const uint32_t *since, const struct rig_result *got)
{
	const struct ruleset_verdict *v = &f->want[k];
	uint32_t none = f->sort == MID ? RIG_PASS : RIG_DROP, set, i;

	if (v->is_dns)
		return got->verdict == RIG_PASS && got->mark == 0;
	if (v->action == DAE_ACTION_DIRECT)
		return got->verdict == RIG_PASS && got->mark == v->mark;
	if (v->action == DAE_ACTION_BLOCK || v->group % 4 == 1)
		return got->verdict == (int)none && got->mark == 0;
	if (v->group % 4 == 2)
		return got->verdict == RIG_PASS && got->mark == 0;
	set = candidates(s, f, v->group, since[v->group]);
	for (i = 0; i < CANDIDATES; i++)
		if (set >> i & 1 && got->mark == MARK(v->group, i))
			return got->verdict == RIG_PASS;
	return false;
}

/* --- runners --- */

/* The program of the set in force; it stays open until let go. */
static int take_program(struct runner *me, size_t *ret_set)
{
	struct stress *s = me->s;
	size_t set = atomic_load(&s->current);
	int fd;

	do {
		fd = atomic_load(&s->programs[set]);
		atomic_store(&s->in_use[me->index], fd);
	} while (atomic_load(&s->programs[set]) != fd);
	*ret_set = set;
	return fd;
}

static int run(int fd, const struct flow *f, struct rig_result *ret)
{
	struct __sk_buff ctx = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->frame.b,
		    .data_size_in = (uint32_t)f->frame.len, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx,
		    .ctx_size_out = sizeof(ctx), .repeat = 1);
	int r = bpf_prog_test_run_opts(fd, &opts);

	*ret = (struct rig_result){ (int)opts.retval, ctx.mark };
	return r;
}

/* One packet; its verdict must be of the set that ran, or, for what the table
 * may have kept, of the other one. */
static void check_one(struct runner *me, const struct flow *f)
{
	uint32_t since[RULEGEN_GROUPS];
	struct stress *s = me->s;
	struct rig_result got;
	size_t set, i;
	bool ok;

	for (i = 0; i < RULEGEN_GROUPS; i++)
		since[i] = atomic_load(&s->groups[i].ended);
	ok = run(take_program(me, &set), f, &got) == 0 &&
	     (is_right(s, f, set, since, &got) ||
	      (s->swaps_sets && f->sort != SYN &&
	       is_right(s, f, !set, since, &got)));
	if (!ok)
		snprintf(me->wrong, sizeof(me->wrong),
			 "flow %zu sort %d set %zu: verdict %d mark %#x; want "
			 "action %d group %u mark %#x or action %d group %u",
			 f - s->flows, f->sort, set, got.verdict, got.mark,
			 f->want[set].action, f->want[set].group,
			 f->want[set].mark, f->want[!set].action,
			 f->want[!set].group);
}

static void *run_packets(void *arg)
{
	struct runner *me = arg;

	while (!atomic_load(&me->s->stop) && !me->wrong[0]) {
		check_one(me, &me->s->flows[draw(&me->seed, FLOWS)]);
		me->packets++;
	}
	atomic_store(&me->s->in_use[me->index], -1);
	return NULL;
}

/* --- generations --- */

static void load(struct stress *s, size_t set)
{
	struct datapath_error err = { 0 };
	int old, fresh;
	size_t i;

	if (datapath_load(s->rig->d, s->images[set], s->lens[set], &err) < 0)
		fail_msg("load: %s", err.text);
	fresh = dup(datapath_program_fd(s->rig->d, true));
	assert_true(fresh >= 0);
	old = atomic_exchange(&s->programs[set], fresh);
	for (i = 0; i < THREADS && old >= 0; i++)
		while (atomic_load(&s->in_use[i]) == old)
			usleep(10);
	if (old >= 0)
		close(old);
}

static void make_set(struct stress *s, struct rulegen *g, size_t set)
{
	rulegen_make(&g[set], RULEGEN_MIX, 60, 700 + set);
	rig_load(s->rig, &g[set].routing);
	s->images[set] = malloc(s->rig->image.len);
	s->lens[set] = s->rig->image.len;
	assert_non_null(s->images[set]);
	memcpy(s->images[set], s->rig->image.data, s->rig->image.len);
	atomic_store(&s->programs[set], -1);
	load(s, set);
}

/* Until the time is over; swaps come as fast as programs load, and between
 * loads. */
static void wait_and_swap(struct stress *s)
{
	uint64_t end = now_ms() + RUN_MS;
	size_t n = 0, i;

	while (now_ms() < end) {
		if (!s->swaps_sets) {
			usleep(20000);
			continue;
		}
		load(s, n++ % SETS);
		for (i = 0; i < 50; i++) {
			atomic_fetch_xor(&s->current, 1);
			usleep(100);
		}
	}
	atomic_store(&s->stop, true);
}

static uint64_t decided(struct rig *r)
{
	static struct datapath_counters c;
	uint64_t n;
	size_t i;

	assert_int_equal(datapath_read_counters(r->d, &c), 0);
	for (n = c.direct + c.block, i = 0; i < DAE_GROUPS_MAX; i++)
		n += c.groups[i];
	return n;
}

static void stress(void **state, bool moves_groups, bool swaps_sets)
{
	static struct runner runners[THREADS];
	pthread_t threads[THREADS + 1];
	struct stress *s = calloc(1, sizeof(*s));
	struct rulegen g[SETS];
	uint64_t packets = 0, decisions;
	size_t i;

	assert_non_null(s);
	*s = (struct stress){ .rig = *state,
			      .moves_groups = moves_groups,
			      .swaps_sets = swaps_sets };
	rig_open(s->rig, ATTACH_AUTO, 1024);
	datapath_maps(s->rig->d)->flow_sets = FEW_SETS;
	for (i = 0; i < SETS; i++)
		make_set(s, g, i);
	set_groups(s);
	make_flows(s, g);
	for (i = 0; i < THREADS; i++) {
		atomic_store(&s->in_use[i], -1);
		runners[i] = (struct runner){ .s = s, .index = i, .seed = i };
		assert_int_equal(pthread_create(&threads[i], NULL, run_packets,
						&runners[i]),
				 0);
	}
	if (moves_groups)
		assert_int_equal(pthread_create(&threads[THREADS], NULL,
						move_groups, s),
				 0);
	wait_and_swap(s);
	for (i = 0; i < THREADS + (moves_groups ? 1 : 0); i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < THREADS; i++)
		packets += runners[i].packets;
	decisions = decided(s->rig);
	print_message("%lu packets, %lu decisions, %lu not kept: busy\n",
		      packets, decisions,
		      rig_count(s->rig, DAE_COUNT_INSERT_LOST));
	for (i = 0; i < SETS; i++) {
		close(s->programs[i]);
		free(s->images[i]);
		rulegen_free(&g[i]);
	}
	free(s);
	for (i = 0; i < THREADS; i++)
		if (runners[i].wrong[0])
			fail_msg("%s", runners[i].wrong);
	/* flows were thrown out and decided again, over and over */
	assert_true(packets > 100 * FLOWS && decisions > 20 * FLOWS);
}

static void eviction_is_harmless(void **state)
{
	stress(state, false, false);
}

static void groups_move_under_flows(void **state)
{
	stress(state, true, false);
}

static void generations_swap_under_flows(void **state)
{
	stress(state, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eviction_is_harmless),
		cmocka_unit_test(groups_move_under_flows),
		cmocka_unit_test(generations_swap_under_flows),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
