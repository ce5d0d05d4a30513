/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules: functions, values, outbounds, and what cannot act. */
#include "config_helper.h"

#include <netinet/in.h>

#define G                                                                      \
	"node { d: 'direct://' } group { g { policy: min } proxy { policy: "   \
	"min } }\n"
#define R(rule) G "routing { " rule " }"
#define S(mode, rule)                                                          \
	R(rule)                                                                \
	"supervisor { mode: " mode " } global { "                              \
	"lan_interface: a }"

static const struct config_case cases[] = {
	{ R("dip(10.0.0.0/8, 1.2.3.4, 'fe80::/10', '::1') -> g"), NULL },
	{ R("ip(10.0.0.1/8) && sip('2001:db8::/32') -> g"), NULL },
	{ R("dip(geoip:private) -> direct"), NULL },
	{ R("dip(GEOIP:private) -> direct"), "E not know the key 'GEOIP'" },
	{ R("dip(10.0.0.0/33) -> g"), "E no address and no prefix" },
	{ R("dip(example.com) -> g"), "E names belong into domain(...)" },
	{ R("dip(geosite:cn) -> g"), "E not know the key 'geosite'" },
	{ R("port(80, 8000-8100, 0, 65535) -> g"), NULL },
	{ R("dport(65536) -> g"), "E no port" },
	{ R("dport(100000) -> g"), "E no port" },
	{ R("dport(a) -> g"), "E no port" },
	{ R("dport(80-) -> g"), "E no port" },
	{ R("dport(-80) -> g"), "E no port" },
	{ R("sport(2-1) -> g"), "E did you mean '1-2'?" },
	{ R("dport(a: 80) -> g"), "E does not know the key 'a'" },
	{ R("l4proto(tcp, UDP) -> g"), NULL },
	{ R("l4proto(tpc) -> g"), "E it knows tcp and udp" },
	{ R("ipversion(4, 6) -> g"), NULL },
	{ R("ipversion(5) -> g"), "E takes 4 or 6" },
	{ R("mac('02:42:AC:11:00:02') -> g"), NULL },
	{ R("mac('02:42:ac:11:00') -> g"), "E no MAC" },
	{ R("mac('02:42:ac:11:00:02:03') -> g"), "E no MAC" },
	{ R("mac('02:42:ac:11:00:0g') -> g"), "E no MAC" },
	{ R("mac('0x:42:ac:11:00:01') -> g"), "E no MAC" },
	{ R("mac(02:42:ac:11:00:02) -> g"), "E must be quoted" },
	{ R("dscp(0x2e, 8) -> g"), NULL },
	{ R("dscp(64) -> g"), "E from 0 to 63" },
	{ R("dport('') -> g"), "E the value is empty" },
	{ R("dprt(80) -> g"), "E did you mean 'dport'?" },
	{ R("process(x) -> g"), "E unknown function 'process'" },
	{ R("domain(keywrd: x) -> g"), "E did you mean 'keyword'?" },
	{ R("domain(suffix: 'a b.com') -> g"), "W no domain is like" },
	/* outbounds */
	{ R("dport(1) -> must_direct fallback: must_g"), NULL },
	{ R("dport(1) -> must_rules"), NULL },
	{ R("dport(1) -> must_rules(mark: 1)"), "W has no effect" },
	{ R("dport(1) -> g(must, mark: 0x800)"), NULL },
	{ R("dport(1) -> prxy"), "E did you mean 'proxy'?" },
	{ R("dport(1) -> must_x"), "E unknown outbound 'x'" },
	{ R("dport(1) -> 1g"), "E unknown outbound '1g'" },
	{ R("dport(1) -> g(mst)"), "E did you mean 'must'?" },
	{ R("dport(1) -> g(must: 1)"), "E did you mean 'must'?" },
	{ R("dport(1) -> g(mark: x)"), "E number of 32 bits" },
	{ R("dport(1) -> g(mark: 0x100000000)"), "E number of 32 bits" },
	{ R("fallback: a, b"), "E exactly one outbound" },
	{ R("fallback: !g(must)"), "E cannot be negated" },
	{ R("falback: g"), "E did you mean 'fallback'?" },
	{ R("x"), "E text without a key" },
	{ R("x { }"), "E unknown section 'x'" },
	/* what cannot act: seen once while observing, refused to route */
	{ S("observe", "pname(a) -> g pname(b) -> g"), "W 1 more rule has it" },
	{ S("observe", "pname(curl) -> g"), "W the host's own traffic" },
	{ S("route", "!pname(curl) -> g"), "W the host's own traffic" },
	{ S("observe", "domain(a.com) -> g"), "W needs the addresses" },
	{ S("route", "dport(1) && domain(a.com) -> g"),
	  "W 2:23: warning: domain(...) needs the addresses" },
	{ S("observe", "domain(geosite:cn) -> g"), "W needs the addresses" },
	{ S("observe", "dip(geoip:cn) -> g"), NULL },
	{ S("observe", "dip(ext:\"a.dat:b\") -> g"), NULL },
	{ S("route", "dport(1) -> g"), NULL },
	{ S("route", "dip(geoip:private) -> g"), NULL },
	{ S("route", "dport(1) && domain(geosite:cn) -> g"),
	  "W 2:23: warning: domain(...) needs the addresses" },
	{ S("route", "sip(geoip:cn) -> g"), NULL },
};

static void test_cases(void **state DAE_UNUSED)
{
	config_check_cases(cases, ARRAY_LEN(cases));
}

#define DEAD(mode, lines, rule)                                                \
	"node { s: 'socks5://h:1' } group { g { policy: min " lines " } }\n"   \
	"routing { " rule " } supervisor { mode: " mode " } global { "         \
	"lan_interface: a }"

/* A group of nodes that cannot carry traffic yet. */
static const struct config_case dead[] = {
	{ DEAD("route", "", "dport(1) -> g"), "E 2:23: error: group 'g' can" },
	{ DEAD("route", "", "fallback: g"), "E group 'g' can carry no" },
	{ DEAD("route", "", "dport(1) -> direct"), NULL },
	{ DEAD("observe", "", "dport(1) -> g"), "W group 'g' can carry no" },
	{ DEAD("route", "on_all_dead: direct", "dport(1) -> g"), NULL },
	{ DEAD("route", "",
	       "dport(1) -> g") " supervisor { on_all_dead: block }",
	  NULL },
	{ "supervisor { mode: route }", "W routes nothing" },
};

static void test_dead(void **state DAE_UNUSED)
{
	config_check_cases(dead, ARRAY_LEN(dead));
}

static void check_value(const struct rule_cond *c, size_t i, enum rule_key key,
			const char *text)
{
	assert_true(i < c->value_count);
	assert_int_equal(c->values[i].key, key);
	assert_string_equal(c->values[i].text, text);
}

static void test_domains(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		R("domain(A.com., domain: b.org, suffix: .c.net, contains: KEY,"
		  " full: www.d.com, regex: '\\.G$', geosite: CN@attr,"
		  " ext: \"F.dat:tag\") -> g"));
	const struct rule_cond *d = &c->routing.rules[0].conds[0];

	assert_int_equal(d->value_count, 8);
	check_value(d, 0, RULE_KEY_SUFFIX, "a.com");
	check_value(d, 1, RULE_KEY_SUFFIX, "b.org");
	check_value(d, 2, RULE_KEY_SUFFIX, ".c.net");
	check_value(d, 3, RULE_KEY_KEYWORD, "key");
	check_value(d, 4, RULE_KEY_FULL, "www.d.com");
	check_value(d, 5, RULE_KEY_REGEX, "\\.G$");
	check_value(d, 6, RULE_KEY_GEOSITE, "cn@attr");
	check_value(d, 7, RULE_KEY_EXT, "F.dat:tag");
}

static void test_values(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		R("dip(10.1.2.3/8) && !sip('fe80::1') && dport(80, 90-99)\n"
		  "&& l4proto(tcp, udp) && ipversion(6) && dscp(0x2e)\n"
		  "&& mac('02:42:ac:11:00:fe') && pname(a_very_long_process)\n"
		  "-> must_g(mark: 0x10)"));
	const struct config_rule *r = &c->routing.rules[0];
	const struct rule_cond *k = r->conds;
	static const uint8_t mac[] = { 2, 0x42, 0xac, 0x11, 0, 0xfe };
	char text[128];

	assert_int_equal(r->cond_count, 8);
	assert_int_equal(k[0].fn, RULE_DIP);
	assert_int_equal(k[0].values[0].prefix.len, 8);
	assert_int_equal(k[0].values[0].prefix.addr.b[13], 0);
	assert_true(k[1].negate);
	assert_int_equal(k[1].values[0].prefix.len, 128);
	assert_int_equal(k[2].values[0].range.hi, 80);
	assert_int_equal(k[2].values[1].range.lo, 90);
	assert_int_equal(k[2].values[1].range.hi, 99);
	assert_int_equal(k[3].values[0].number, IPPROTO_TCP);
	assert_int_equal(k[3].values[1].number, IPPROTO_UDP);
	assert_int_equal(k[4].values[0].number, 6);
	assert_int_equal(k[5].values[0].number, 46);
	assert_memory_equal(k[6].values[0].mac, mac, 6);
	assert_string_equal(k[7].values[0].text, "a_very_long_pro");
	assert_int_equal(r->out.action, RULE_GROUP);
	assert_int_equal(r->out.group, 0);
	assert_true(r->out.must && r->out.has_mark);
	assert_int_equal(r->out.mark, 0x10);
	assert_int_equal(r->pos.line, 2);
	assert_int_equal(r->pos.column, 11);
	assert_string_equal(rule_fn_name(k[7].fn), "pname");
	assert_string_equal(rule_fn_name(RULE_FN_COUNT), "?");
	assert_string_equal(config_outbound_format(c, &r->out, text, 128),
			    "g(must, mark: 0x10)");
}

/* One line, whatever the rule's layout. */
static void test_text(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		R("!dip( 1.1.1.1 ,\n 'fe80::/10' ) /* why */ &&dport(1)\n->"
		  "direct( must,mark:1 )\n sip(geoip : cn)->must_rules\n"
		  "sport(2) -> block fallback: direct(mark: 3)"));
	const struct config_routing *r = &c->routing;
	char text[64];

	assert_string_equal(r->rules[0].text,
			    "!dip(1.1.1.1, 'fe80::/10') && dport(1) -> "
			    "direct(must, mark: 1)");
	assert_string_equal(r->rules[1].text, "sip(geoip: cn) -> must_rules");
	assert_string_equal(config_outbound_format(c, &r->rules[1].out, text,
						   64),
			    "must_rules");
	assert_string_equal(
		config_outbound_format(c, &r->rules[2].out, text, 64), "block");
	assert_string_equal(config_outbound_format(c, &r->fallback, text, 64),
			    "direct(mark: 0x3)");
}

static void test_long_text(void **state DAE_UNUSED)
{
	static char rule[40000] = "routing { dport(1";
	auto_config struct config *c = NULL;
	size_t n = strlen(rule);

	while (n < sizeof(rule) - 100)
		n += (size_t)sprintf(rule + n, ", %zu", n);
	strcpy(rule + n, ") -> direct }");
	c = config_of(rule);
	n = strlen(c->routing.rules[0].text);
	assert_int_equal(n, 4003);
	assert_string_equal(c->routing.rules[0].text + n - 3, "...");
}

/* geoip:private is a list of prefixes that needs no data. */
static void test_private(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(R("dip(geoip:PRIVATE) -> g"));
	static const struct {
		const char *addr;
		bool is_private;
	} addrs[] = {
		{ "10.255.0.1", true },	   { "172.31.0.1", true },
		{ "172.32.0.1", false },   { "192.168.1.1", true },
		{ "224.0.0.251", true },   { "255.255.255.255", true },
		{ "100.127.0.1", true },   { "8.8.8.8", false },
		{ "::1", true },	   { "fd00::1", true },
		{ "fe80::1", true },	   { "ff02::1", true },
		{ "2606:4700::1", false },
	};
	const struct rule_cond *k = &c->routing.rules[0].conds[0];
	struct addr a;
	size_t i, v;
	bool hit;

	for (i = 0; i < ARRAY_LEN(addrs); i++) {
		assert_int_equal(addr_parse(addrs[i].addr, &a), 0);
		for (hit = false, v = 0; v < k->value_count; v++)
			hit |= prefix_contains(&k->values[v].prefix, &a);
		if (hit != addrs[i].is_private)
			fail_msg("%s", addrs[i].addr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
