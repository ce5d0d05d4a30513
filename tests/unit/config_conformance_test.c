/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dae makes of a text, numbered as in its description; where we say more
 * than dae, the comment says so. */
#include "config_helper.h"

#define P "group { p { policy: random } } "

static const struct config_case cases[] = {
	/* 1 */ { "global{}routing{}", NULL },
	/* 2 */ { "global { tproxy_port: 12345#c }", "E got '12345#c'" },
	/* 3 */ { "global { tproxy_port: 0x3039 # c\n}", "W tproxy_port" },
	/* 4 */ { "global { log_level: info log_level: warn }", NULL },
	/* 5 */ { "global { lan_interface: a, b lan_interface: c }", NULL },
	/* 6 */ { "global { lan_interface: 'a,b',c }", NULL },
	/* 7 */ { "global { lan_interface: a, }", "E 1:28: error: expected a" },
	/* 8 */ { "global { check_interval: 30 }", "E expects a duration" },
	{ "global { check_tolerance: 0 }", NULL },
	{ "global { check_interval: 1m30s }", NULL },
	{ "global { check_interval: '1.5h' }", NULL },
	/* 9 */ { "global { allow_insecure: YES }", NULL },
	/* 10 */ { "global { udp_check_dns: 8.8.8.8:53 }", "E got ':'" },
	{ "global { udp_check_dns: '8.8.8.8:53' }", NULL },
	/* 11 */ { "global { foo: 1 }", "E unknown key 'foo'" },
	{ "foo {}", "E unknown section 'foo'" },
	/* 12: unknown to nobody, unusable here */
	{ "node { a: 'ss://x' 'ss://y' }", NULL },
	/* 13 */ { "subscription { https://h/p }", "W subscriptions" },
	{ "subscription { https://h/p?x=1 }", "E unexpected '?'" },
	/* 14 */
	{ "group { g { filter: name(keyword: HK, regex: '^a') && "
	  "!subtag(s) [add_latency: -500ms] policy: min } }",
	  "W has no nodes" },
	/* 15 */ { "group { g { filter: name(x) } }", "E has no policy" },
	/* 16 */
	{ "group { g { policy: fixed(0) && random(1) } }",
	  "E exactly one function" },
	/* 17 */
	{ P "routing { dip(10.0.0.0/8, 'fe80::/10') -> direct "
	    "fallback: p }",
	  "W has no nodes" },
	/* 18 */ { "routing { dip(fe80::/10) -> direct }", "E must be quoted" },
	/* 19 */ { P "routing { domain(keyword: a, b) -> p }", "W domain" },
	/* 20 */
	{ P "routing { domain(geosite:geolocation-!cn) -> p }", "W domain" },
	/* 21 */ { P "routing { dport(1)->p }", "W has no nodes" },
	{ P "routing { dport(1) -> 'p' }", "E without quotes" },
	/* 22 */
	{ P "routing { pname(curl) && dport(443) -> "
	    "must_p(mark: 0x10) }",
	  "W pname" },
	/* 23 */
	{ "routing { fallback: must_rules }", "E unknown outbound 'rules'" },
	/* 24 */
	{ P "routing { fallback: p(mark: 1) && p(mark: 1) }",
	  "E exactly one outbound" },
	/* 25: dae accepts it, and it never matches */
	{ "routing { l4proto(icmp) -> block }", "E it knows tcp and udp" },
	/* 26: dae accepts it, and it never matches */
	{ "routing { dport(90-80) -> block }", "E did you mean '80-90'?" },
	/* 27 */
	{ "dns { upstream { a: 'udp://1.1.1.1' } routing { request { "
	  "fallback: a } } }",
	  "W 'routing' has no effect" },
	/* 28 */
	{ "dns { routing { request { qname(geosite:cn) -> asis } } }",
	  "E 'request' has no fallback" },
	/* 29 */
	{ "dns { routing { request { qname(x.com) -> asis "
	  "fallback: asis } } }",
	  "E needs a key" },
	/* 30 */
	{ "dns { fixed_domain_ttl { '1.a.com: 60' b.com: 0 } }",
	  "W 'fixed_domain_ttl' has no effect" },
	{ "dns { fixed_domain_ttl { 1.a.com: 60 } }", "E got ':'" },
	/* 31 */ { "/* a */ global{} /*b*/ routing{}", NULL },
	{ "/* a */ global{} /*b*/routing{}", "E 1:18: error" },
	/* 32: one word; dae skips the bad link, we say it */
	{ "node { 'it\\'s' }", "E 1:8: error: bad link" },
	/* 33: included files are another test's */
	/* 36: dae takes the words for links */
	{ "node { // note\n 'ss://x' }", "E comments begin with '#'" },
	/* 37 */ { "global { log_level: info# c\n}", "E 'info#'" },
	{ "global { log_level: info c\n}", "E text without a key" },
	/* 38 */ { "routing { dport(80 - 90) -> direct }", "E got '-'" },
	/* 39 */ { "global { a: b [c: d] }", "E unknown key 'a'" },
	/* 40 */ { P "routing { dport(1) -> p(mark: 1) [z] }", "E got '['" },
	/* 41 */ { "routing { dport(1)->direct sport(2)->block }", NULL },
	/* 42 */ { "node { 'C:\\' 'x' }", "E 1:16: error: this quote" },
	/* 43 */ { "node { a -> b }", "E got '->'" },
	/* 44 */ { "global { a: x/*y*/z }", "E unknown key 'a'" },
};

static void test_cases(void **state DAE_UNUSED)
{
	config_check_cases(cases, ARRAY_LEN(cases));
}

static void test_values(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		"global { tproxy_port: 0x3039 # c\n"
		" log_level: info log_level: warn\n"
		" lan_interface: 'a,b',c lan_interface: d\n"
		" check_interval: 1m30s allow_insecure: YES }\n"
		"node { a: 'ss://x' 'ss://y' https://h.example }\n"
		"subscription { s: 'https://h/p' https://h/q }\n");

	assert_int_equal(c->global.tproxy_port, 12345);
	assert_int_equal(c->global.log_level, 1);
	assert_int_equal(c->global.lan_interface.count, 4);
	assert_string_equal(c->global.lan_interface.items[1], "b");
	assert_string_equal(c->global.lan_interface.items[3], "d");
	assert_int_equal(c->global.check_interval_ns, 90 * NS_PER_S);
	assert_true(c->global.allow_insecure);
	assert_int_equal(c->node_count, 3);
	assert_string_equal(c->nodes[0].name, "a");
	assert_string_equal(c->nodes[0].link, "ss://x");
	assert_string_equal(c->nodes[1].name, "ss");
	assert_string_equal(c->nodes[1].link, "ss://y");
	assert_string_equal(c->nodes[2].link, "https://h.example");
	assert_int_equal(c->subscriptions.count, 2);
	assert_string_equal(c->subscriptions.items[0], "s:https://h/p");
	assert_string_equal(c->subscriptions.items[1], ":https://h/q");
}

/* Blocks of one name are one block, wherever they stand. */
static void test_blocks_merge(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		"routing { dport(1) -> block fallback: block }\n"
		"global { check_interval: 10s lan_interface: a }\n"
		"routing { dport(2) -> g fallback: direct(mark: 8) }\n"
		"global { check_interval: 20s lan_interface: b }\n"
		"group { g { policy: min policy: fixed(1) } }\n"
		"node { 'direct://' } node { 'direct://#x' }\n");

	assert_int_equal(c->routing.rule_count, 2);
	assert_int_equal(c->routing.fallback.action, RULE_DIRECT);
	assert_int_equal(c->routing.fallback.mark, 8);
	assert_int_equal(c->global.check_interval_ns, 20 * NS_PER_S);
	assert_int_equal(c->global.lan_interface.count, 2);
	assert_int_equal(c->groups[0].policy, POLICY_FIXED);
	assert_int_equal(c->groups[0].member_count, 2);
}

static void test_defaults(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of("global{} routing{}");
	const struct config_global *g = &c->global;

	assert_int_equal(g->tproxy_port, 12345);
	assert_false(g->has_so_mark);
	assert_int_equal(g->log_level, 2);
	assert_int_equal(g->tcp_check_url.count, 3);
	assert_string_equal(g->tcp_check_url.items[0],
			    "http://cp.cloudflare.com");
	assert_string_equal(g->tcp_check_http_method, "HEAD");
	assert_string_equal(g->udp_check_dns.items[0], "dns.google:53");
	assert_int_equal(g->check_interval_ns, 30 * NS_PER_S);
	assert_int_equal(g->check_tolerance_ns, 0);
	assert_int_equal(g->lan_interface.count, 0);
	assert_string_equal(g->dial_mode, "domain");
	assert_null(g->bootstrap_resolver);
	assert_string_equal(g->fallback_resolver, "8.8.8.8:53");
	assert_int_equal(c->routing.fallback.action, RULE_DIRECT);
	assert_false(c->routing.fallback.must);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_blocks_merge),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
