/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shapes of packets: what is read through, what passes, what is dropped. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "tests/bpf/rig.h"

#define MARK 0x42

/* Port 443 gets a mark, group 1 has a listener not opened, the rest drops. */
static struct rule_value https = { .range = { 443, 443 } };
static struct rule_value alt = { .range = { 1053, 1053 } };
static struct rule_cond on_https = { .fn = RULE_DPORT,
				     .values = &https,
				     .value_count = 1 };
static struct rule_cond on_alt = { .fn = RULE_DPORT,
				   .values = &alt,
				   .value_count = 1 };
static struct config_rule rules[] = {
	{ .conds = &on_https,
	  .cond_count = 1,
	  .out = { .action = RULE_DIRECT, .has_mark = true, .mark = MARK } },
	{ .conds = &on_alt,
	  .cond_count = 1,
	  .out = { .action = RULE_GROUP, .group = 1 } },
};
static const struct config_routing routing = {
	.rules = rules,
	.rule_count = ARRAY_LEN(rules),
	.fallback = { .action = RULE_BLOCK },
};

static int setup(void **state)
{
	const uint16_t targets[] = { 0 };
	struct rig *r = *state;

	rig_open(r, ATTACH_AUTO, 1024);
	rig_load(r, &routing);
	rig_target_tproxy(r, 0, "127.0.0.1", 9);
	rig_group(r, 1, targets, 1, DAE_DEAD_BLOCK);
	return 0;
}

static void expect(struct rig *r, const struct frame *f, int verdict,
		   uint32_t mark)
{
	struct rig_result got = rig_run(r, f);

	assert_int_equal(got.verdict, verdict);
	if (verdict == RIG_PASS)
		assert_int_equal(got.mark, mark);
}

static void make(struct frame *f, int family, uint8_t proto, uint16_t dport,
		 uint8_t flags)
{
	struct ruleset_query q;

	if (family == 4)
		query_make(&q, "192.168.0.1", "1.1.1.1", proto, dport);
	else
		query_make(&q, "2001:db8::10", "2606:4700::1111", proto, dport);
	frame_make(f, &q, flags, true);
}

static void vlan_tags_are_read_through(void **state)
{
	static const uint8_t tag[] = { 0x81, 0, 0, 5 };
	static const uint8_t outer[] = { 0x88, 0xa8, 0, 6 };
	struct rig *r = *state;
	int family;
	struct frame f;

	for (family = 4; family <= 6; family += 2) {
		make(&f, family, IPPROTO_TCP, 443, RIG_SYN);
		frame_insert(&f, 12, tag, sizeof(tag));
		expect(r, &f, RIG_PASS, MARK);
		frame_insert(&f, 12, outer, sizeof(outer));
		expect(r, &f, RIG_PASS, MARK);
		make(&f, family, IPPROTO_TCP, 80, RIG_SYN);
		frame_insert(&f, 12, tag, sizeof(tag));
		expect(r, &f, RIG_DROP, 0);
	}
}

static void options_are_skipped(void **state)
{
	static const uint8_t nops[40] = { [0 ... 38] = 1 };
	struct rig *r = *state;
	struct frame f;
	size_t len;

	for (len = 4; len <= 40; len += 12) {
		make(&f, 4, IPPROTO_UDP, 443, 0);
		f.b[f.l3] = (uint8_t)(0x45 + len / 4);
		frame_insert(&f, f.l3 + 20, nops, len);
		expect(r, &f, RIG_PASS, MARK);
	}
}

/* Insert extension header @type in front of the others. */
static void extend(struct frame *f, uint8_t type, const void *body, size_t len)
{
	uint8_t h[64] = { 0 };

	memcpy(h, body, len);
	h[0] = f->b[f->l3 + 6];
	f->b[f->l3 + 6] = type;
	frame_insert(f, f->l3 + 40, h, len);
}

static void extension_headers_are_walked(void **state)
{
	static const uint8_t opts[8] = { 0, 0 }, long_opts[24] = { 0, 2 };
	static const uint8_t auth[16] = { 0, 2 };
	struct rig *r = *state;
	struct frame f;
	uint64_t before;
	int i;

	make(&f, 6, IPPROTO_TCP, 443, RIG_SYN);
	extend(&f, IPPROTO_DSTOPTS, long_opts, sizeof(long_opts));
	extend(&f, IPPROTO_AH, auth, sizeof(auth));
	extend(&f, IPPROTO_ROUTING, opts, sizeof(opts));
	extend(&f, IPPROTO_HOPOPTS, opts, sizeof(opts));
	expect(r, &f, RIG_PASS, MARK);
	make(&f, 6, IPPROTO_TCP, 80, RIG_SYN);
	extend(&f, IPPROTO_HOPOPTS, opts, sizeof(opts));
	expect(r, &f, RIG_DROP, 0); /* by the rules */

	make(&f, 6, IPPROTO_UDP, 443, 0);
	for (i = 0; i < 8; i++)
		extend(&f, IPPROTO_DSTOPTS, opts, sizeof(opts));
	expect(r, &f, RIG_PASS, MARK);
	extend(&f, IPPROTO_DSTOPTS, opts, sizeof(opts));
	before = rig_count(r, DAE_COUNT_EXT_HEADERS);
	expect(r, &f, RIG_DROP, 0);
	assert_int_equal(rig_count(r, DAE_COUNT_EXT_HEADERS), before + 1);
}

static void others_pass(void **state)
{
	static const uint8_t protos[] = { IPPROTO_ICMP, IPPROTO_ESP,
					  IPPROTO_GRE };
	struct rig *r = *state;
	struct frame f;
	size_t i;

	for (i = 0; i < ARRAY_LEN(protos); i++) {
		make(&f, 4, IPPROTO_UDP, 80, 0);
		f.b[f.l3 + 9] = protos[i];
		expect(r, &f, RIG_PASS, 0);
	}
	make(&f, 6, IPPROTO_UDP, 80, 0);
	f.b[f.l3 + 6] = IPPROTO_ICMPV6;
	expect(r, &f, RIG_PASS, 0);
	f.b[f.l3 + 6] = IPPROTO_NONE;
	expect(r, &f, RIG_PASS, 0);
	memcpy(f.b + 12, "\x08\x06", 2); /* ARP */
	expect(r, &f, RIG_PASS, 0);
}

static void truncated_drop(void **state)
{
	struct rig *r = *state;
	struct frame f;
	int family, proto;
	size_t full;
	uint64_t before = rig_count(r, DAE_COUNT_TRUNCATED), n = 0;

	for (family = 4; family <= 6; family += 2)
		for (proto = 0; proto < 2; proto++) {
			make(&f, family, proto ? IPPROTO_UDP : IPPROTO_TCP, 443,
			     RIG_SYN);
			full = f.l4 + (proto ? 8 : 20);
			for (f.len = full - 1; f.len >= f.l4; f.len -= 3) {
				expect(r, &f, RIG_DROP, 0);
				n++;
			}
			/* bytes there, but the length says they are padding */
			f.len = full + 20;
			f.b[f.l3 + (family == 4 ? 2 : 4)] = 0;
			f.b[f.l3 + (family == 4 ? 3 : 5)] = family == 4 ? 27
									: 7;
			expect(r, &f, RIG_DROP, 0);
			n++;
		}
	make(&f, 4, IPPROTO_TCP, 443, RIG_SYN);
	f.b[f.l3] = 0x44; /* a header of 16 bytes */
	expect(r, &f, RIG_DROP, 0);
	assert_int_equal(rig_count(r, DAE_COUNT_TRUNCATED), before + n + 1);
}

static void fragment4(struct frame *f, uint16_t id, unsigned int offset,
		      bool more)
{
	f->b[f->l3 + 4] = (uint8_t)(id >> 8);
	f->b[f->l3 + 5] = (uint8_t)id;
	f->b[f->l3 + 6] = (uint8_t)((more ? 0x20 : 0) | offset >> 8);
	f->b[f->l3 + 7] = (uint8_t)offset;
}

/* Later fragments go the way of the first; unknown ones nowhere. */
static void fragments_follow_the_first(void **state)
{
	struct rig *r = *state;
	struct frame first, later;
	uint64_t unknown = rig_count(r, DAE_COUNT_FRAG_UNKNOWN);
	uint64_t proxied = rig_count(r, DAE_COUNT_FRAG_PROXIED);

	make(&first, 4, IPPROTO_UDP, 443, 0);
	later = first;
	memset(later.b + later.l4, 0xab, 8); /* no ports there */
	fragment4(&later, 7, 185, true);
	expect(r, &later, RIG_DROP, 0);
	assert_int_equal(rig_count(r, DAE_COUNT_FRAG_UNKNOWN), unknown + 1);
	fragment4(&first, 7, 0, true);
	expect(r, &first, RIG_PASS, MARK);
	expect(r, &later, RIG_PASS, MARK);
	fragment4(&later, 7, 370, false);
	expect(r, &later, RIG_PASS, MARK);
	fragment4(&later, 8, 370, false); /* of another datagram */
	expect(r, &later, RIG_DROP, 0);

	make(&first, 4, IPPROTO_UDP, 80, 0); /* blocked */
	fragment4(&first, 9, 0, true);
	expect(r, &first, RIG_DROP, 0);
	fragment4(&later, 9, 10, false);
	expect(r, &later, RIG_DROP, 0);

	make(&first, 4, IPPROTO_UDP, 1053, 0); /* for a listener: counted */
	fragment4(&first, 10, 0, true);
	expect(r, &first, RIG_DROP, 0);
	fragment4(&later, 10, 10, false);
	expect(r, &later, RIG_DROP, 0);
	make(&first, 4, IPPROTO_TCP, 1053, RIG_SYN);
	fragment4(&first, 11, 0, true);
	expect(r, &first, RIG_DROP, 0);
	assert_int_equal(rig_count(r, DAE_COUNT_FRAG_PROXIED), proxied + 2);
	assert_int_equal(rig_count(r, DAE_COUNT_FRAG_UNKNOWN), unknown + 2);
}

static void fragment6(struct frame *f, uint32_t id, unsigned int offset,
		      bool more)
{
	uint8_t h[8] = { 0,
			 0,
			 (uint8_t)(offset * 8 >> 8),
			 (uint8_t)(offset * 8 | more),
			 (uint8_t)(id >> 24),
			 0,
			 0,
			 (uint8_t)id };

	extend(f, IPPROTO_FRAGMENT, h, sizeof(h));
}

static void fragments_of_ipv6(void **state)
{
	struct rig *r = *state;
	struct frame f, ping;

	make(&f, 6, IPPROTO_UDP, 443, 0);
	fragment6(&f, 1, 0, false); /* atomic: a whole packet */
	expect(r, &f, RIG_PASS, MARK);
	make(&f, 6, IPPROTO_UDP, 443, 0);
	fragment6(&f, 2, 100, false);
	expect(r, &f, RIG_DROP, 0);
	make(&f, 6, IPPROTO_UDP, 443, 0);
	fragment6(&f, 2, 0, true);
	expect(r, &f, RIG_PASS, MARK);
	make(&f, 6, IPPROTO_UDP, 80, 0);
	fragment6(&f, 2, 100, false);
	expect(r, &f, RIG_PASS, MARK);
	/* a large ping */
	make(&ping, 6, IPPROTO_UDP, 80, 0);
	ping.b[ping.l3 + 6] = IPPROTO_ICMPV6;
	f = ping;
	fragment6(&f, 3, 0, true);
	expect(r, &f, RIG_PASS, 0);
	f = ping;
	fragment6(&f, 3, 100, false);
	expect(r, &f, RIG_PASS, 0);
}

/* The answer to a connection from outside is no new connection. */
static void syn_ack_is_an_answer(void **state)
{
	struct rig *r = *state;
	struct frame f;
	int family;

	for (family = 4; family <= 6; family += 2) {
		make(&f, family, IPPROTO_TCP, 80, RIG_SYN | RIG_ACK);
		expect(r, &f, RIG_PASS, 0);
		f.b[f.l4 + 13] = RIG_ACK;
		expect(r, &f, RIG_PASS, 0);
		f.b[f.l4 + 13] = RIG_SYN;
		expect(r, &f, RIG_DROP, 0);
	}
}

/* In mid-connection and unknown: the rules' way if it needs no socket. */
static void mid_connection(void **state)
{
	struct rig *r = *state;
	struct frame f;

	make(&f, 4, IPPROTO_TCP, 80, RIG_ACK | 8); /* would be blocked */
	expect(r, &f, RIG_PASS, 0);
	make(&f, 4, IPPROTO_TCP, 1053, RIG_ACK | 8); /* for a listener */
	expect(r, &f, RIG_PASS, 0);
	make(&f, 4, IPPROTO_TCP, 443, RIG_ACK); /* was evicted */
	expect(r, &f, RIG_PASS, MARK);
	expect(r, &f, RIG_PASS, MARK);
}

static void link_traffic_passes(void **state)
{
	static const char *const special[] = {
		"224.0.0.251", "255.255.255.255", "169.254.1.1",
		"ff02::fb",    "fe80::1",
	};
	struct rig *r = *state;
	struct ruleset_query q;
	struct frame f;
	size_t i;

	for (i = 0; i < ARRAY_LEN(special); i++) {
		query_make(&q, strchr(special[i], ':') ? "fe80::2" : "10.0.0.2",
			   special[i], IPPROTO_UDP, 5353);
		frame_make(&f, &q, 0, true);
		expect(r, &f, RIG_PASS, 0);
	}
	make(&f, 4, IPPROTO_UDP, 80, 0);
	memset(f.b, 0xff, 6); /* a broadcast of the link */
	expect(r, &f, RIG_PASS, 0);
	make(&f, 4, IPPROTO_TCP, 80, RIG_SYN);
	memset(f.b, 0x02, 6); /* to another station, through a bridge */
	expect(r, &f, RIG_PASS, 0);
}

#define CASE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(vlan_tags_are_read_through),
		CASE(options_are_skipped),
		CASE(extension_headers_are_walked),
		CASE(others_pass),
		CASE(truncated_drop),
		CASE(fragments_follow_the_first),
		CASE(fragments_of_ipv6),
		CASE(syn_ack_is_an_answer),
		CASE(mid_connection),
		CASE(link_traffic_passes),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
