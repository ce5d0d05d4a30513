/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dae's own cases for its kernel programs (its rows 1 to 37b) and vectors for
 * its rule engine, by our program. Rows of dae's hook for the host's traffic
 * (WAN) run here, too: the classifier and the flow table are the same ones; what
 * the hooks on sockets add is tested with them. "proxy" is a group whose node is
 * an uplink, so that its mark can be seen; "engine" is one whose node is a
 * transparent listener.
 *
 * What dae keeps beside a flow and has tests for (redirect_track, the scratch
 * of its connection tracking, cb[]) does not exist here; such a row tests what
 * it was there for. Two rows have another answer here, on purpose: fragments
 * whose first one was not seen could belong to anybody and are dropped.
 *
 * What dae does not cover, and where it is covered:
 *	domain sets				bpf.domains; vectors below
 *	process name				unit.rules_names; vectors below
 *	must_rules, port 53 with and without must, block, dead outbound
 *						vectors below
 *	map-full				bpf.domains (full_tables), bpf.stress
 *	SYN-ACK					bpf.packet (syn_ack_is_an_answer)
 *	ICMP, ICMPv6				bpf.packet (others_pass)
 *	IPv6 extension headers			bpf.packet (..headers_are_walked)
 *	frames without Ethernet			bpf.classify (links_without_mac)
 *	VLAN					bpf.packet (vlan_tags_..)
 *	redirect back through its device	there is no such device
 *	aging, UDP in both directions		bpf.flow (datagrams_return)
 *	mark on direct, on LAN			rows 9 and 25
 *	1,024 rules				a_thousand_rules_of_long_lists
 *	a SYN again				repeated_syn
 *	socket lookup				bpf.lan (ways)
 *	truncated headers			bpf.packet, bpf.packet_fuzz
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"
#include "tests/bpf/rig.h"

#define PROXY 0x77U
#define PSH 0x08
#define NOT_FRAGMENT 0
#define FIRST_FRAGMENT 1
#define LATER_FRAGMENT 2
/* Answers beside a mark. */
#define DIRECT 0U
#define DROPPED UINT32_MAX

enum hook { LAN, WAN };

struct row {
	const char *number, *name;
	enum hook hook;
	const char *rules;
	const char *src, *dst;
	uint8_t proto;
	uint16_t sport, dport;
	uint8_t dscp, flags;
	int fragment;
	uint32_t want;
};

#define DPORT80 "dport(80) -> proxy fallback: must_direct"
#define DPORT443 "dport(443) -> proxy fallback: must_direct"
#define ALL_PROXY "fallback: proxy"
#define AND                                                                    \
	"dip(1.1.0.0/16) && l4proto(tcp) && dport(1-1023, 8443) -> proxy "     \
	"fallback: must_direct"
#define NOT80 "!dport(80) -> proxy fallback: must_direct"
#define ME "192.168.0.1"
#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP
#define SYN RIG_SYN

static const struct row rows[] = {
	{ "1", "dport_match", WAN, DPORT80, ME, "1.1.1.1", TCP, 19233, 80, 4,
	  SYN, 0, PROXY },
	{ "2", "dport_mismatch", WAN, DPORT80, ME, "1.1.1.1", TCP, 19233, 79, 4,
	  SYN, 0, DIRECT },
	{ "3", "ipset_match", WAN, "dip(100.64.0.0/16) -> direct " ALL_PROXY,
	  ME, "100.64.0.2", TCP, 19233, 80, 4, SYN, 0, DIRECT },
	{ "4", "ipset_mismatch", WAN, "dip(100.64.0.0/16) -> direct " ALL_PROXY,
	  ME, "100.65.0.2", TCP, 19233, 80, 4, SYN, 0, PROXY },
	{ "5", "source_ipset_match", WAN,
	  "sip(192.168.50.0/24) -> direct " ALL_PROXY, "192.168.50.1",
	  "1.1.1.1", TCP, 19233, 80, 4, SYN, 0, DIRECT },
	{ "6", "source_ipset_mismatch", WAN,
	  "sip(192.168.50.0/24) -> direct " ALL_PROXY, "192.168.51.1",
	  "1.1.1.1", TCP, 19233, 80, 4, SYN, 0, PROXY },
	{ "7", "sport_match", WAN,
	  "sport(19000-20000) -> proxy fallback: must_direct", ME, "1.1.1.1",
	  TCP, 19233, 80, 4, SYN, 0, PROXY },
	{ "8", "sport_mismatch", WAN,
	  "sport(19230-19232) -> proxy fallback: must_direct", ME, "1.1.1.1",
	  TCP, 19233, 79, 4, SYN, 0, DIRECT },
	{ "11", "tcp_non_syn_stateless_passthrough", LAN,
	  "dport(443) -> engine fallback: must_direct", ME, "8.8.4.4", TCP,
	  23456, 443, 4, RIG_ACK | PSH, 0, DIRECT },
	{ "13", "wan_egress_tcp_non_syn_stateless_passthrough", WAN,
	  "dport(443) -> engine fallback: must_direct", "192.168.10.2",
	  "9.9.9.10", TCP, 34568, 443, 4, RIG_ACK | PSH, 0, DIRECT },
	{ "14", "wan_egress_tcp_syn_redirect_track", WAN, ALL_PROXY,
	  "192.168.10.3", "9.9.9.11", TCP, 34569, 443, 4, SYN, 0, PROXY },
	{ "15", "wan_egress_udp_redirect_track", WAN, ALL_PROXY, "192.168.10.3",
	  "9.9.9.11", UDP, 34569, 443, 0, 0, 0, PROXY },
	{ "16", "lan_ingress_udp_first_fragment_listener", LAN, ALL_PROXY, ME,
	  "8.8.8.8", UDP, 5353, 1053, 4, 0, FIRST_FRAGMENT, PROXY },
	{ "17", "lan_ingress_tcp_syn_first_fragment_listener", LAN, ALL_PROXY,
	  ME, "1.1.1.1", TCP, 19233, 443, 4, SYN, FIRST_FRAGMENT, PROXY },
	{ "18", "lan_ingress_tcp_dscp_conn_state", LAN, DPORT443, ME, "1.1.1.1",
	  TCP, 19233, 443, 10, SYN, 0, PROXY },
	{ "19", "lan_ingress_tcp_ipv6_dscp_conn_state", LAN, DPORT443,
	  "2001:db8::10", "2606:4700::1111", TCP, 19233, 443, 10, SYN, 0,
	  PROXY },
	{ "20", "lan_ingress_udp_dscp_conn_state", LAN, DPORT443, ME, "1.1.1.1",
	  UDP, 24567, 443, 10, 0, 0, PROXY },
	{ "21", "lan_ingress_udp_ipv6_dscp_conn_state", LAN, DPORT443,
	  "2001:db8::10", "2606:4700::1111", UDP, 24567, 443, 10, 0, 0, PROXY },
	{ "22", "wan_egress_udp_first_fragment_listener", WAN, ALL_PROXY,
	  "127.0.0.1", "8.8.4.4", UDP, 45678, 2053, 4, 0, FIRST_FRAGMENT,
	  PROXY },
	/* here: dropped */
	{ "23", "lan_ingress_udp_non_initial_fragment_passthrough", LAN,
	  ALL_PROXY, ME, "8.8.8.8", UDP, 5353, 1053, 4, 0, LATER_FRAGMENT,
	  DROPPED },
	{ "24", "wan_egress_udp_non_initial_fragment_passthrough", WAN,
	  ALL_PROXY, "127.0.0.1", "8.8.4.4", UDP, 5353, 1053, 4, 0,
	  LATER_FRAGMENT, DROPPED },
	{ "27", "l4proto_match", WAN,
	  "l4proto(tcp) -> proxy fallback: must_direct", ME, "1.1.1.1", TCP,
	  19233, 79, 4, SYN, 0, PROXY },
	{ "28", "l4proto_mismatch", WAN,
	  "l4proto(udp) -> proxy fallback: must_direct", ME, "1.1.1.1", TCP,
	  19233, 79, 4, SYN, 0, DIRECT },
	{ "29", "ipversion_match", WAN,
	  "ipversion(4) -> proxy fallback: must_direct", ME, "1.1.1.1", TCP,
	  19233, 79, 4, SYN, 0, PROXY },
	{ "30", "ipversion_mismatch", WAN,
	  "ipversion(6) -> proxy fallback: must_direct", ME, "1.1.1.1", TCP,
	  19233, 79, 4, SYN, 0, DIRECT },
	{ "31", "mac_match", WAN,
	  "mac('06:07:08:09:0a:0b') -> proxy fallback: must_direct", ME,
	  "1.1.1.1", TCP, 19233, 79, 4, SYN, 0, PROXY },
	{ "32", "mac_mismatch", WAN,
	  "mac('00:00:00:00:00:00') -> proxy fallback: must_direct", ME,
	  "1.1.1.1", TCP, 19233, 79, 4, SYN, 0, DIRECT },
	{ "33", "dscp_match", WAN, "dscp(4) -> proxy fallback: must_direct", ME,
	  "1.1.1.1", TCP, 19233, 79, 4, SYN, 0, PROXY },
	{ "33", "dscp_ipv6_match", WAN,
	  "dscp(4) -> proxy fallback: must_direct", "2001:db8::10",
	  "2606:4700::1111", TCP, 19233, 79, 4, SYN, 0, PROXY },
	{ "34", "dscp_mismatch", WAN, "dscp(5) -> proxy fallback: must_direct",
	  ME, "1.1.1.1", TCP, 19233, 79, 4, SYN, 0, DIRECT },
	{ "34", "dscp_ipv6_mismatch", WAN,
	  "dscp(5) -> proxy fallback: must_direct", "2001:db8::10",
	  "2606:4700::1111", TCP, 19233, 79, 4, SYN, 0, DIRECT },
	{ "35", "and_match_1", WAN, AND, ME, "1.1.1.1", TCP, 19233, 79, 4, SYN,
	  0, PROXY },
	{ "35b", "and_match_2", WAN, AND, ME, "1.1.1.1", TCP, 19233, 8443, 4,
	  SYN, 0, PROXY },
	{ "36", "and_mismatch", WAN, AND, ME, "1.1.1.1", TCP, 19233, 2333, 4,
	  SYN, 0, DIRECT },
	{ "37", "not_match", WAN, NOT80, ME, "1.1.1.1", TCP, 19233, 80, 4, SYN,
	  0, DIRECT },
	{ "37b", "not_mismatch", WAN, NOT80, ME, "1.1.1.1", TCP, 19233, 79, 4,
	  SYN, 0, PROXY },
};

/* Vectors for the rule engine: dae.md 4.14. A is 10.0.0.1, B 10.0.0.2. */
#define MUST_A "sip(10.0.0.1) -> must_rules "
#define QUIC "l4proto(udp) && dport(443) -> block fallback: proxy"
#define PRIVATE "!dip(10.0.0.0/8, 192.168.0.0/16) -> proxy fallback: direct"
#define ONES "dip(1.0.0.0/8) && !dport(80, 443) -> proxy fallback: direct"
#define A "10.0.0.1"
#define B "10.0.0.2"

static const struct row vectors[] = {
	{ "v1", "port 53 keeps its destination", LAN,
	  "dport(53) -> proxy fallback: direct", A, "8.8.8.8", UDP, 1025, 53, 0,
	  0, 0, DIRECT },
	{ "v2", "but with must", LAN,
	  "dport(53) -> must_proxy fallback: direct", A, "8.8.8.8", UDP, 1025,
	  53, 0, 0, 0, PROXY },
	{ "v2b", "must in brackets", LAN,
	  "dport(53) -> proxy(must) fallback: direct", A, "8.8.8.8", UDP, 1025,
	  53, 0, 0, 0, PROXY },
	{ "v3", "must_rules goes on with must", LAN,
	  MUST_A "dport(53) -> proxy fallback: direct", A, "8.8.8.8", TCP, 1025,
	  53, 0, SYN, 0, PROXY },
	{ "v4", "for others there is none", LAN, MUST_A "fallback: proxy", B,
	  "8.8.8.8", UDP, 1025, 53, 0, 0, 0, DIRECT },
	{ "v4b", "fallback with it", LAN, MUST_A "fallback: proxy", A,
	  "8.8.8.8", UDP, 1025, 53, 0, 0, 0, PROXY },
	{ "v5", "must_rules alone decides nothing", LAN,
	  MUST_A "!dport(80) -> proxy fallback: direct", A, "1.1.1.1", TCP,
	  1025, 80, 0, SYN, 0, DIRECT },
	{ "v6", "both conditions", LAN, QUIC, A, "1.1.1.1", TCP, 1025, 443, 0,
	  SYN, 0, PROXY },
	{ "v6b", "block", LAN, QUIC, A, "1.1.1.1", UDP, 1025, 443, 0, 0, 0,
	  DROPPED },
	{ "v7", "not comes after or", LAN, PRIVATE, A, "192.168.1.1", TCP, 1025,
	  80, 0, SYN, 0, DIRECT },
	{ "v7b", "and holds elsewhere", LAN, PRIVATE, A, "1.1.1.1", TCP, 1025,
	  80, 0, SYN, 0, PROXY },
	{ "v8", "one in, one of two out", LAN, ONES, A, "1.1.1.1", TCP, 1025,
	  443, 0, SYN, 0, DIRECT },
	{ "v8b", "none out", LAN, ONES, A, "1.1.1.1", TCP, 1025, 22, 0, SYN, 0,
	  PROXY },
	{ "v9", "a name not learned", LAN,
	  "domain(suffix: a.com) -> proxy fallback: direct", A, "1.1.1.1", TCP,
	  1025, 80, 0, SYN, 0, DIRECT },
	{ "v9b", "learned for x.a.com", LAN,
	  "domain(suffix: a.com) -> proxy fallback: direct", A, "1.1.1.9", TCP,
	  1025, 80, 0, SYN, 0, PROXY },
	{ "v10", "not a name, not learned", LAN,
	  "!domain(suffix: a.com) -> proxy fallback: direct", A, "1.1.1.1", TCP,
	  1025, 80, 0, SYN, 0, PROXY },
	{ "v10b", "not a name, learned", LAN,
	  "!domain(suffix: a.com) -> proxy fallback: direct", A, "1.1.1.9", TCP,
	  1025, 80, 0, SYN, 0, DIRECT },
	{ "v11", "a process of the LAN", LAN,
	  "pname(curl) -> proxy fallback: direct", A, "1.1.1.1", TCP, 1025, 80,
	  0, SYN, 0, DIRECT },
	{ "v11b", "and not one", LAN, "!pname(curl) -> proxy fallback: direct",
	  A, "1.1.1.1", TCP, 1025, 80, 0, SYN, 0, PROXY },
	{ "v13", "direct with a mark", LAN,
	  "dscp(0x2e) -> direct(mark: 0x800) fallback: proxy", A, "1.1.1.1",
	  TCP, 1025, 80, 0x2e, SYN, 0, 0x800 },
	{ "v14", "dead", LAN, "fallback: dead", A, "1.1.1.1", TCP, 1025, 443, 0,
	  SYN, 0, DROPPED },
	{ "v14b", "dead, and port 53", LAN, "fallback: dead", A, "1.1.1.1", UDP,
	  1025, 53, 0, 0, 0, DIRECT },
};

enum { GROUP_PROXY, GROUP_ENGINE, GROUP_DEAD };

static void load_rules(struct rig *r, const char *rules)
{
	struct config *c = NULL;
	struct config_diags diags = { 0 };
	char text[1024];

	snprintf(text, sizeof(text),
		 "node { n: 'direct://' } group { proxy { policy: min } engine "
		 "{ policy: min } dead { policy: min } } routing { %s }",
		 rules);
	if (config_parse(&c, text, strlen(text), &diags) < 0)
		fail_msg("%s: %s", rules, diags.items[0].message);
	rig_load(r, &c->routing);
	config_diags_clear(&diags);
	config_free(&c);
}

static int setup(void **state)
{
	static const uint16_t uplink[] = { 0 }, engine[] = { 1 };
	struct rig *r = *state;

	rig_open(r, ATTACH_AUTO, 1024);
	rig_target_mark(r, 0, PROXY);
	rig_target_tproxy(r, 1, "127.0.0.1", 9);
	rig_group(r, GROUP_PROXY, uplink, 1, DAE_DEAD_BLOCK);
	rig_group(r, GROUP_ENGINE, engine, 1, DAE_DEAD_BLOCK);
	rig_group(r, GROUP_DEAD, uplink, 0, DAE_DEAD_BLOCK);
	return 0;
}

static void make(struct frame *f, const struct row *row)
{
	struct ruleset_query q;

	query_make(&q, row->src, row->dst, row->proto, row->dport);
	q.sport = row->sport;
	q.dscp = row->dscp;
	frame_make(f, &q, row->flags, true);
	if (row->fragment == FIRST_FRAGMENT)
		f->b[f->l3 + 6] = 0x20; /* more are to come */
	if (row->fragment == LATER_FRAGMENT)
		f->b[f->l3 + 7] = 1;
}

static void expect(const struct rig *r, const struct frame *f, uint32_t want,
		   const char *number, const char *name)
{
	struct rig_result got = rig_run(r, f);

	if (got.verdict != (want == DROPPED ? RIG_DROP : RIG_PASS) ||
	    (want != DROPPED && got.mark != want))
		fail_msg("%s %s: verdict %d mark %#x", number, name,
			 got.verdict, got.mark);
}

/* The next row has no flow of the one before. */
static void forget_flows(struct rig *r)
{
	const struct maps *m = datapath_maps(r->d);
	const int tables[] = { MAP_FLOWS4, MAP_FLOWS6 };
	size_t i;
	void *mem;

	for (i = 0; i < ARRAY_LEN(tables); i++) {
		assert_int_equal(maps_map(m->fd[tables[i]], m->bytes[tables[i]],
					  &mem),
				 0);
		memset(mem, 0, m->bytes[tables[i]]);
		munmap(mem, m->bytes[tables[i]]);
	}
}

static void run_rows(struct rig *r, const struct row *row, size_t count)
{
	const struct dae_bitmap first = { { 1 } };
	const char *loaded = "";
	struct addr learned;
	struct frame f;

	assert_int_equal(addr_parse("1.1.1.9", &learned), 0);
	for (; count > 0; count--, row++) {
		if (strcmp(loaded, row->rules) != 0)
			load_rules(r, row->rules);
		loaded = row->rules;
		assert_int_equal(datapath_domain_set(r->d, &learned, &first),
				 0);
		make(&f, row);
		expect(r, &f, row->want, row->number, row->name);
		/* again, and as the flow goes on */
		expect(r, &f, row->want, row->number, row->name);
		if (row->flags == SYN && row->want != DROPPED &&
		    !row->fragment) {
			f.b[f.l4 + 13] = RIG_ACK;
			expect(r, &f, row->want, row->number, row->name);
		}
		forget_flows(r);
	}
}

static void dae_rows(void **state)
{
	run_rows(*state, rows, ARRAY_LEN(rows));
}

static void dae_vectors(void **state)
{
	struct rig *r = *state;

	run_rows(r, vectors, ARRAY_LEN(vectors));
}

/* Rows 9, 10, 12 and 25: a flow that is known goes on its way, by rules that
 * say otherwise now. */
static void established_flows(void **state)
{
	static const struct {
		const char *number, *rules, *src, *dst;
		uint16_t sport, dport;
		uint32_t want;
	} known[] = {
		{ "9", "fallback: direct(mark: 0x4000)", ME, "1.1.1.1", 19233,
		  80, 0x4000 },
		{ "10", ALL_PROXY, ME, "8.8.8.8", 23456, 443, PROXY },
		{ "12", ALL_PROXY, "192.168.10.1", "9.9.9.9", 34567, 443,
		  PROXY },
		{ "25", "fallback: direct(mark: 0x4000)", ME, "9.9.9.9", 24567,
		  80, 0x4000 },
	};
	struct rig *r = *state;
	struct ruleset_query q;
	struct frame f;
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++) {
		setup(state);
		load_rules(r, known[i].rules);
		query_make(&q, known[i].src, known[i].dst, TCP, known[i].dport);
		q.sport = known[i].sport;
		frame_make(&f, &q, SYN, true);
		expect(r, &f, known[i].want, known[i].number, "SYN");
		load_rules(r, "fallback: block");
		f.b[f.l4 + 13] = RIG_ACK | PSH;
		expect(r, &f, known[i].want, known[i].number, "later");
	}
}

/* Row 26: nothing of one decision is left in the next. */
static void decisions_are_apart(void **state)
{
	struct rig *r = *state;
	struct ruleset_query q;
	struct frame marked, plain, dns;

	load_rules(r, "sip(10.0.0.1) -> must_rules "
		      "sip(10.0.0.1) -> direct(mark: 0x4000) fallback: proxy");
	query_make(&q, A, "1.1.1.1", UDP, 53);
	frame_make(&marked, &q, 0, true);
	query_make(&q, B, "1.1.1.1", UDP, 80);
	frame_make(&plain, &q, 0, true);
	query_make(&q, B, "1.1.1.1", UDP, 53);
	frame_make(&dns, &q, 0, true);
	expect(r, &marked, 0x4000, "26", "with must and mark");
	expect(r, &plain, PROXY, "26", "without");
	expect(r, &dns, DIRECT, "26", "without must");
}

/* A SYN again, also one by one with its answer: the same each time. */
static void repeated_syn(void **state)
{
	struct rig *r = *state;
	struct ruleset_query q;
	struct frame f;
	int i;

	load_rules(r, DPORT443);
	query_make(&q, A, "1.1.1.1", TCP, 443);
	for (i = 0; i < 5; i++) {
		frame_make(&f, &q, SYN, true);
		expect(r, &f, PROXY, "", "SYN again");
		frame_make(&f, &q, RIG_ACK, true);
		expect(r, &f, PROXY, "", "ACK between");
	}
}

/* 1,024 rules of 150 prefixes and 20 names each: one classification. */
#define MANY DAE_RULES_MAX
#define PREFIXES 150
#define NAMES 20

static void make_long(struct config_rule *rule, struct rule_cond *c, size_t i,
		      char (*names)[16])
{
	size_t k;

	rule->conds = c;
	rule->cond_count = 2;
	rule->out = (struct rule_outbound){ .action = RULE_DIRECT,
					    .has_mark = true,
					    .mark = 0x10000 + (uint32_t)i };
	c[0] = (struct rule_cond){ .fn = RULE_DIP,
				   .value_count = PREFIXES,
				   .values = calloc(PREFIXES,
						    sizeof(*c->values)) };
	c[1] = (struct rule_cond){ .fn = RULE_DOMAIN,
				   .negate = true,
				   .value_count = NAMES,
				   .values = calloc(NAMES,
						    sizeof(*c->values)) };
	assert_non_null(c[0].values);
	assert_non_null(c[1].values);
	for (k = 0; k < PREFIXES; k++) {
		struct prefix *p = &c[0].values[k].prefix;
		uint32_t n = (uint32_t)(i * PREFIXES + k);

		p->addr.family = 4;
		p->addr.b[10] = p->addr.b[11] = 0xff;
		p->addr.b[12] = (uint8_t)(11 + (n >> 16));
		p->addr.b[13] = (uint8_t)(n >> 8);
		p->addr.b[14] = (uint8_t)n;
		p->len = 24;
	}
	for (k = 0; k < NAMES; k++) {
		snprintf(names[k], sizeof(names[k]), "n%zu-%zu", i, k);
		c[1].values[k] = (struct rule_value){ .key = RULE_KEY_SUFFIX,
						      .text = names[k] };
	}
}

static void a_thousand_rules_of_long_lists(void **state)
{
	struct config_rule *rule = calloc(MANY, sizeof(*rule));
	struct rule_cond *c = calloc(2 * MANY, sizeof(*c));
	char(*names)[16] = calloc((size_t)MANY * NAMES, sizeof(*names));
	struct config_routing routing = { .rules = rule, .rule_count = MANY };
	struct rig *r = *state;
	struct ruleset_query q = { .l4proto = TCP, .sport = 1, .dport = 80 };
	struct dae_bitmap sets;
	struct frame f;
	uint32_t n, i;

	assert_true(rule && c && names);
	for (i = 0; i < MANY; i++)
		make_long(&rule[i], &c[2 * i], i, names + i * NAMES);
	rig_load(r, &routing);
	assert_int_equal(addr_parse(A, &q.src), 0);
	for (n = 0; n < MANY * PREFIXES; n += 601) {
		i = n / PREFIXES;
		q.dst = c[2 * i].values[n % PREFIXES].prefix.addr;
		q.dst.b[15] = (uint8_t)n;
		frame_make(&f, &q, SYN, true);
		expect(r, &f, 0x10000 + i, "long", "its rule");
		memset(&sets, 0, sizeof(sets));
		sets.w[i / 64] = 1ULL << i % 64;
		assert_int_equal(datapath_domain_set(r->d, &q.dst, &sets), 0);
		expect(r, &f, DIRECT, "long", "but for its names");
		sets.w[i / 64] = 0;
		sets.w[15 - i / 64] = 1;
		assert_int_equal(datapath_domain_set(r->d, &q.dst, &sets), 0);
		expect(r, &f, i == (15 - i / 64) * 64 ? DIRECT : 0x10000 + i,
		       "long", "other names");
	}
	for (i = 0; i < 2 * MANY; i++)
		free(c[i].values);
	free(names);
	free(c);
	free(rule);
}

#define CASE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(dae_rows),		 CASE(dae_vectors),
		CASE(established_flows), CASE(decisions_are_apart),
		CASE(repeated_syn),	 CASE(a_thousand_rules_of_long_lists),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
