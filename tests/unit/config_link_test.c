/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links of nodes and addresses of monitors. */
#include "config_helper.h"

#include "supervisor/config/arena.h"
#include "supervisor/config/config_link.h"

/* The link, then "scheme name host port user password sni/iface" with '-' for
 * what is not there. */
static const struct {
	const char *link, *want;
} good[] = {
	{ "direct://", "direct direct - 0 - - -" },
	{ "direct://#me", "direct me - 0 - - -" },
	{ "iface://wan2", "iface wan2 - 0 - - wan2" },
	{ "iface://wg-0.1?mark=0x10&gateway=fe80::1#up",
	  "iface up - 0 - - wg-0.1" },
	{ "socks5://h.example:1080",
	  "socks5 h.example:1080 h.example 1080 - - -" },
	{ "socks://u:p@1.2.3.4:1#n", "socks5 n 1.2.3.4 1 u p -" },
	{ "SOCKS5://u@1.2.3.4:1", "socks5 1.2.3.4:1 1.2.3.4 1 u - -" },
	{ "socks5://a%40b:c%3a%25@[2001:db8::1]:1080",
	  "socks5 [2001:db8::1]:1080 2001:db8::1 1080 a@b c:% -" },
	{ "socks5://a:b@c@h:1", "socks5 h:1 h 1 a b@c -" },
	{ "socks5://p+q:%zz@h:1", "socks5 h:1 h 1 p+q %zz -" },
	/* v2rayN: base64 of u:p, and of u:p@1.2.3.4:5 */
	{ "socks://dTpw@h:1#n", "socks5 n h 1 u p -" },
	{ "socks://dTpwQDEuMi4zLjQ6NQ==#n%20m", "socks5 n m 1.2.3.4 5 u p -" },
	{ "http://h", "http h:80 h 80 - - -" },
	{ "http://u:p@h:8080/#%E4%B8%AD", "http \xe4\xb8\xad h 8080 u p -" },
	{ "https://h?sni=x.example&allowInsecure=1",
	  "https h:443 h 443 - - x.example" },
	{ "https://h:8443?peer=y", "https h:8443 h 8443 - - y" },
	{ "tproxy://127.0.0.1:7893",
	  "tproxy 127.0.0.1:7893 127.0.0.1 7893 - - -" },
	{ "tproxy://[::1]:7893#e", "tproxy e ::1 7893 - - -" },
	{ "vless://uuid@h.example:443?security=tls#v",
	  "unsupported v h.example 443 - - -" },
	{ "hysteria2://x@h:443,5000-6000/", "unsupported hysteria2 h 0 - - -" },
	{ "vmess://eyJ2IjoiMiJ9", "unsupported vmess - 0 - - -" },
	{ "trojan-go://p@h:1 \r\n", "unsupported h:1 h 1 - - -" },
	{ "socks5://a:1 -> http://b:2#c", "unsupported c - 0 - - -" },
};

static const char *dash(const char *s)
{
	return s ? s : "-";
}

static void test_good(void **state DAE_UNUSED)
{
	auto_arena struct arena *a = arena_new();
	char got[512], why[192];
	struct config_node n;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(good); i++) {
		why[0] = '\0';
		r = config_link_parse(a, good[i].link, strlen(good[i].link), &n,
				      why, sizeof(why));
		if (r < 0)
			fail_msg("%s: %s", good[i].link, why);
		snprintf(got, sizeof(got), "%s %s %s %u %s %s %s",
			 node_scheme_name(n.scheme), n.name, dash(n.host),
			 n.port, dash(n.user), dash(n.password),
			 dash(n.sni ? n.sni : n.iface));
		assert_string_equal(got, good[i].want);
		assert_true((n.scheme == SCHEME_UNSUPPORTED) == !!n.reason);
	}
	assert_string_equal(node_scheme_name(SCHEME_COUNT), "?");
}

static const struct {
	const char *link, *why;
} bad[] = {
	{ "", "SCHEME://" },
	{ "h:1080", "SCHEME://" },
	{ "://h", "SCHEME://" },
	{ "sock5://h:1", "did you mean 'socks5'?" },
	{ "wireguard://h:1", "unknown scheme 'wireguard'" },
	{ "direct://x", "nothing after it" },
	{ "iface://", "name of an interface" },
	{ "iface://a:1", "name of an interface" },
	{ "iface://averyverylongname", "15 characters" },
	{ "iface://a b", "no interface has such" },
	{ "iface://a?mark=x", "mark=" },
	{ "iface://a?mark=%00", "mark=" },
	{ "iface://a?gateway=x", "gateway=" },
	{ "iface://a?gateway=0.0.0.0", "gateway=" },
	{ "iface://a?gatewy=1.1.1.1", "mark= and gateway=" },
	{ "socks5://h", "needs a port" },
	{ "socks5://h:0", "from 1 to 65535" },
	{ "socks5://h:65536", "from 1 to 65535" },
	{ "socks5://h:1-5", "one port" },
	{ "socks5://:1", "host is missing" },
	{ "socks5://[1::2", "malformed" },
	{ "socks5://[h]:1", "no IPv6" },
	{ "socks5://h h:1", "no name has" },
	{ "socks5://\xe4\xb8\xad.example:1", "xn--" },
	{ "socks5://a%00b@h:1", "byte of zero" },
	{ "http://h/sub?token=x", "subscription" },
	{ "https://h?allowInsecure=maybe", "true or false" },
	{ "https://h?sni=%00", "byte of zero" },
	{ "tproxy://h.example:1", "not a name" },
	{ "tproxy://127.0.0.1", "needs a port" },
	{ "tproxy://u@127.0.0.1:1", "ADDRESS:PORT only" },
};

static void test_bad(void **state DAE_UNUSED)
{
	auto_arena struct arena *a = arena_new();
	char why[192], longest[5000] = "socks5://";
	struct config_node n;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		why[0] = '\0';
		if (config_link_parse(a, bad[i].link, strlen(bad[i].link), &n,
				      why, sizeof(why)) != -22 ||
		    !strstr(why, bad[i].why))
			fail_msg("%s: '%s'", bad[i].link, why);
	}
	memset(longest + 9, 'a', sizeof(longest) - 9);
	assert_int_equal(config_link_parse(a, longest, sizeof(longest), &n, why,
					   sizeof(why)),
			 -22);
	memcpy(longest + 300, "@h:1", 4);
	assert_int_equal(
		config_link_parse(a, longest, 304, &n, why, sizeof(why)), -22);
	assert_non_null(strstr(why, "255 bytes"));
}

static uint64_t identity_of(struct arena *a, const char *link)
{
	struct config_node n;
	char why[192];

	assert_int_equal(config_link_parse(a, link, strlen(link), &n, why,
					   sizeof(why)),
			 0);
	return n.identity;
}

/* All that makes it this node, and not its name. */
static void test_identity(void **state DAE_UNUSED)
{
	static const char *const distinct[] = {
		"socks5://h:1",
		"socks5://h:2",
		"socks5://i:1",
		"http://h:1",
		"https://h:1",
		"socks5://u@h:1",
		"socks5://u:@h:1",
		"socks5://u:p@h:1",
		"https://h:1?sni=x",
		"https://h:1?allowInsecure=1",
		"iface://a",
		"iface://a?mark=1",
		"iface://a?gateway=1.1.1.1",
		"vless://a@h:1",
		"vless://b@h:1",
		"direct://",
		"socks5://up:@h:1",
	};
	auto_arena struct arena *a = arena_new();
	size_t i, k;

	for (i = 0; i < ARRAY_LEN(distinct); i++)
		for (k = 0; k < i; k++)
			assert_int_not_equal(identity_of(a, distinct[i]),
					     identity_of(a, distinct[k]));
	assert_int_equal(identity_of(a, "socks5://h:1#a"),
			 identity_of(a, "socks://h:1#b"));
	assert_int_equal(identity_of(a, "vless://a@h:1#a"),
			 identity_of(a, "vless://a@h:1#b"));
}

static const struct {
	const char *url, *want;
} monitors[] = {
	{ "doq://1.1.1.1/?name=example.com&type=aaaa",
	  "doq 1.1.1.1 853 - example.com 28 4 fall 3" },
	{ "h3://h.example/x?y=1", "h3 h.example 443 /x?y=1 - 0 0 fall 3" },
	{ "https://[2001:db8::1]:8443",
	  "https 2001:db8::1 8443 / - 0 6 fall 1" },
	{ "http://h", "http h 80 / - 0 0 fall 1" },
	{ "quic://h:4433", "quic h 4433 - - 0 0 fall 3" },
	{ "dns://h?name=.&type=NS", "udp h 53 - . 2 0 fall 3" },
	{ "udp://h:5353",
	  "udp h 5353 - connectivitycheck.gstatic.com 1 0 fall 3" },
	{ "tcp://h?name=a.&type=65", "tcp h 53 - a. 65 0 fall 1" },
	{ "tls://h?name=a", "dot h 853 - a 1 0 fall 1" },
	{ "dot://h?name=a", "dot h 853 - a 1 0 fall 1" },
	{ "doh://h?name=a", "doh h 443 /dns-query a 1 0 fall 1" },
	{ "doh://h/?name=a", "doh h 443 /dns-query a 1 0 fall 1" },
	{ "doh3://h/q?name=a", "doh3 h 443 /q a 1 0 fall 3" },
};

static void test_monitors(void **state DAE_UNUSED)
{
	auto_arena struct arena *a = arena_new();
	struct config_monitor m;
	char got[512], why[192];
	size_t i;

	for (i = 0; i < ARRAY_LEN(monitors); i++) {
		if (config_monitor_parse(a, monitors[i].url,
					 strlen(monitors[i].url), &m, why,
					 sizeof(why)) < 0)
			fail_msg("%s: %s", monitors[i].url, why);
		snprintf(got, sizeof(got), "%s %s %u %s %s %u %u fall %u",
			 monitor_kind_name(m.kind), m.host, m.port,
			 dash(m.path), dash(m.qname), m.qtype, m.family,
			 m.fall);
		assert_string_equal(got, monitors[i].want);
		assert_int_equal(m.expect_rcode, -1);
		assert_int_equal(m.rise, 1);
	}
	assert_string_equal(monitor_kind_name(MONITOR_KIND_COUNT), "?");
}

static const struct {
	const char *url, *why;
} bad_monitors[] = {
	{ "x", "SCHEME://" },
	{ "htps://h", "did you mean 'https'?" },
	{ "socks5://h:1", "no monitor of scheme" },
	{ "doq://", "host is missing" },
	{ "doq://h:99999", "65535" },
	{ "doq://h/x", "has no path" },
	{ "doq://h?nme=x", "unknown parameter 'nme'" },
	{ "doq://h?name=", "domain name" },
	{ "doq://h?name=a..b", "domain name" },
	{ "doq://h?name=%00", "domain name" },
	{ "doq://h?type=XX", "record type" },
	{ "doq://h?type=70000", "record type" },
	{ "http://u@h", "no user" },
	{ "http://h/a b", "%XX" },
	{ "http://h/\r\nHost: x", "%XX" },
};

static void test_bad_monitors(void **state DAE_UNUSED)
{
	auto_arena struct arena *a = arena_new();
	struct config_monitor m;
	char why[192];
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad_monitors); i++) {
		why[0] = '\0';
		if (config_monitor_parse(a, bad_monitors[i].url,
					 strlen(bad_monitors[i].url), &m, why,
					 sizeof(why)) != -22 ||
		    !strstr(why, bad_monitors[i].why))
			fail_msg("%s: '%s'", bad_monitors[i].url, why);
	}
}

static const struct config_case in_sections[] = {
	{ "node { 'sock5://h:1' }", "E did you mean 'socks5'?" },
	{ "node { a { } }", "E a section cannot stand in 'node'" },
	{ "node { dport(1) -> x }", "E a rule cannot stand in 'node'" },
	{ "node { a: f(x) }", "E expects a value, not a function" },
	{ "node { a: 'direct://' [x: y] }", "W no meaning here" },
	{ "node { /* x 'direct://' }", "E never closed by '*/'" },
	{ "subscription { 'ftp://h' }", "E unknown scheme 'ftp'" },
	{ "subscription { x }", "E bad subscription" },
	{ "subscription { 'file://sub' }", "W subscriptions have no effect" },
};

static void test_in_sections(void **state DAE_UNUSED)
{
	config_check_cases(in_sections, ARRAY_LEN(in_sections));
}

static void test_summary(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		"node { a: 'vless://u@h:1' b: 'ss://x' c: 'ss://y' "
		"d : 'direct://' 'tag x: socks5://h:1' } "
		"group { g { policy: min } } "
		"routing { dport(1) -> g } "
		"supervisor { monitor { m: 'http://h' } }");
	char text[256];

	assert_string_equal(config_summary(c, text, sizeof(text)),
			    "5 nodes, 3 unusable: 1 vless, 2 ss; 1 group, "
			    "1 rule, 1 monitor");
	assert_ptr_equal(config_find_node(c, "tag x"), &c->nodes[4]);
	assert_int_equal(c->nodes[4].pos.line, 1);
	assert_null(config_find_node(c, "x"));
	assert_string_equal(config_summary(c, text, 8), "5 nodes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_monitors),
		cmocka_unit_test(test_bad_monitors),
		cmocka_unit_test(test_in_sections),
		cmocka_unit_test(test_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
