/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel program's verdict and mark equal the twin's, packet by packet. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "tests/bpf/rig.h"

#define MARK_OF_GROUP(g) (0x1000U + (g))

/* Groups in turn: an uplink's mark, nothing alive (drops), direct when dead,
 * a listener that is not there (drops). */
static void publish_groups(struct rig *r)
{
	static const uint16_t none[1] = { 0 };
	uint16_t g;

	for (g = 0; g < RULEGEN_GROUPS; g++) {
		rig_target_mark(r, g, MARK_OF_GROUP(g));
		if (g % 4 == 1)
			rig_group(r, g, none, 0, DAE_DEAD_BLOCK);
		else if (g % 4 == 2)
			rig_group(r, g, none, 0, DAE_DEAD_DIRECT);
		else
			rig_group(r, g, &g, 1, DAE_DEAD_BLOCK);
		if (g % 4 == 3)
			rig_target_tproxy(r, g, "127.0.0.1", 9);
	}
}

/* The program on a LAN interface sees names that were learned, no process. */
static void show(struct rig *r, struct ruleset_query *q)
{
	memset(q->pname, 0, sizeof(q->pname));
	assert_int_equal(datapath_domain_set(r->d, &q->dst, q->domain_sets), 0);
}

static struct rig_result expected(const struct ruleset_verdict *v)
{
	struct rig_result r = { RIG_PASS, 0 };

	if (v->is_dns)
		return r;
	switch (v->action) {
	case DAE_ACTION_DIRECT:
		r.mark = v->mark;
		break;
	case DAE_ACTION_BLOCK:
		r.verdict = RIG_DROP;
		break;
	default:
		if (v->group % 4 == 0)
			r.mark = MARK_OF_GROUP(v->group);
		else if (v->group % 4 != 2)
			r.verdict = RIG_DROP;
	}
	return r;
}

static void compare(struct rig *r, enum rulegen_kind kind, size_t rules,
		    uint64_t seed, size_t packets)
{
	struct ruleset_verdict v;
	struct rig_result want, got;
	struct ruleset_query q;
	struct rulegen g;
	struct frame f;
	size_t i, again, drops = 0;

	rulegen_make(&g, kind, rules, seed);
	rig_load(r, &g.routing);
	for (i = 0; i < packets; i++) {
		rulegen_query(&g, &q);
		show(r, &q);
		assert_int_equal(ruleset_eval(&r->rules, &q, &v), 0);
		want = expected(&v);
		frame_make(&f, &q, RIG_SYN, true);
		/* twice: the second one may come from memo or flow table */
		for (again = 0; again < 2; again++) {
			got = rig_run(r, &f);
			if (got.verdict != want.verdict ||
			    (want.verdict == RIG_PASS && got.mark != want.mark))
				fail_msg("seed %lu packet %zu.%zu: rule %u: "
					 "verdict %d mark %#x, want %d %#x",
					 seed, i, again, v.rule, got.verdict,
					 got.mark, want.verdict, want.mark);
		}
		drops += want.verdict == RIG_DROP;
	}
	assert_true(drops > 0 && drops < packets);
	rulegen_free(&g);
}

static void twin_and_kernel_agree(void **state)
{
	static const size_t counts[] = { 10, 100, 1000 };
	struct rig *r = *state;
	size_t i;
	uint64_t seed;

	for (i = 0; i < ARRAY_LEN(counts); i++)
		for (seed = 1; seed <= 3; seed++) {
			/* decisions of one set must not answer for another */
			rig_open(r, ATTACH_AUTO, 1024);
			publish_groups(r);
			compare(r, (enum rulegen_kind)(seed - 1), counts[i],
				seed * 1000 + i, 3000);
		}
}

/*
 * The program for links without a MAC header sees the same, but for MACs.
 * TEST_RUN takes the first 14 bytes for an Ethernet header, so the source
 * address has an ethertype where one would be, and an option of IPv4 keeps its
 * first byte from looking like a multicast address.
 */
static void links_without_mac(void **state)
{
	struct rig *r = *state;
	struct ruleset_verdict v;
	struct rig_result want, got;
	struct ruleset_query q;
	struct rulegen g;
	static const uint8_t nops[4] = { 1, 1, 1, 0 };
	struct frame f;
	size_t i;

	rig_open(r, ATTACH_AUTO, 1024);
	publish_groups(r);
	rulegen_make(&g, RULEGEN_MIX, 200, 77);
	rig_load(r, &g.routing);
	for (i = 0; i < 3000; i++) {
		rulegen_query(&g, &q);
		show(r, &q);
		q.src.b[q.src.family == 4 ? 12 : 4] = q.src.family == 4 ? 0x08
									: 0x86;
		q.src.b[q.src.family == 4 ? 13 : 5] = q.src.family == 4 ? 0x00
									: 0xdd;
		if (q.src.family == 6)
			q.dscp = 0; /* shares that byte */
		frame_make(&f, &q, RIG_SYN, false);
		if (q.src.family == 4) {
			f.b[0] = 0x46;
			frame_insert(&f, 20, nops, sizeof(nops));
		}
		memset(q.mac, 0, sizeof(q.mac));
		assert_int_equal(ruleset_eval(&r->rules, &q, &v), 0);
		want = expected(&v);
		got = rig_run(r, &f);
		assert_int_equal(got.verdict, want.verdict);
		if (want.verdict == RIG_PASS)
			assert_int_equal(got.mark, want.mark);
	}
	rulegen_free(&g);
}

/* Rules are counted once for each flow that they decide. */
static void decisions_are_counted(void **state)
{
	static struct datapath_counters before, after;
	struct rig *r = *state;
	struct config_routing routing = {
		.fallback = { .action = RULE_BLOCK },
	};
	struct ruleset_query q;
	struct frame f;

	rig_open(r, ATTACH_AUTO, 1024);
	rig_load(r, &routing);
	datapath_read_counters(r->d, &before);
	query_make(&q, "192.168.0.1", "1.1.1.1", IPPROTO_UDP, 80);
	frame_make(&f, &q, 0, true);
	assert_int_equal(rig_run(r, &f).verdict, RIG_DROP);
	assert_int_equal(rig_run(r, &f).verdict, RIG_DROP);
	datapath_read_counters(r->d, &after);
	assert_int_equal(after.rules[DAE_RULE_FALLBACK] -
				 before.rules[DAE_RULE_FALLBACK],
			 1);
	assert_int_equal(after.block - before.block, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twin_and_kernel_agree),
		cmocka_unit_test(links_without_mac),
		cmocka_unit_test(decisions_are_counted),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
