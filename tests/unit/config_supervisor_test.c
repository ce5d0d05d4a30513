/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections supervisor, global and dns: keys, values, limits. */
#include "config_helper.h"

#define V(lines) "supervisor { " lines " }"
#define M(monitor) V("monitor { m: " monitor " }")

static const struct config_case supervisor[] = {
	{ V("mode: observe attach: clsact on_supervisor_loss: block"), NULL },
	{ V("mode: obsrve"), "E did you mean 'observe'?" },
	{ V("mode: route, observe"), "E 'mode' cannot be 'route,observe'" },
	{ V("mode: f(x)"), "E expects a value, not a function" },
	{ V("mode { }"), "E 'mode' is a key" },
	{ V("recycle: 1"), "E 'recycle' is a section" },
	{ V("attachh: tcx"), "E did you mean 'attach'?" },
	{ V("mark: 0"), "E expects a number from 1 to" },
	{ V("mark: 3 mark_mask: 2"), "E bits outside of 'mark_mask'" },
	{ V("mark: 0x100 mark_mask: 0x100"), "E share a bit" },
	{ V("mark: 8 mark_mask: 8 so_mark: 0x1f"), "E share a bit" },
	{ V("mark: 1 mark_mask: 1") " global { so_mark_from_dae: 1 }",
	  "E share a bit" },
	{ V("rule_priority: 32766"), "E from 1 to 32000" },
	{ V("route_table: 254"), "E from 256" },
	{ V("memory_total: 64M"), NULL },
	{ V("memory_total: 1"), "E expects a size from" },
	{ V("memory_total: many"), "E sizes: 65536" },
	{ V("workers: 65"), "E from 0 to 64" },
	{ V("workers: -1"), "E from 0 to 64" },
	{ V("flow_entries: 1_000"), NULL },
	{ V("quic_check_url: 'https://h.example/x'"), NULL },
	{ V("quic_check_url: 'http://h'"), "E expects https://" },
	{ V("quic_check_url: x"), "E expects a URL" },
	{ V("ca_file: /etc/ssl/ca.pem cgroup: /sys/fs/cgroup/x"), NULL },
	{ V("ca_file: ca.pem"), "E a path from the root" },
	{ V("ca_file: ''"), "E expects a path" },
	{ V("max_concurrent: 0"), "E from 1 to 16384" },
	{ V("probe_rate: x"), "E expects a number" },
	{ V("adaptive: off"), NULL },
	{ V("adaptive: maybe"), "E expects true or false, got 'maybe'" },
	{ V("daily_bytes: 300M"), NULL },
	{ V("probe_timeout: 3m"), "E from 100ms to 2m" },
	{ V("probe_timeout: -3s"), "E from 100ms to 2m" },
	{ V("on_all_dead: none"), "E 'on_all_dead' cannot be 'none'" },
	{ V("recycle { rss_soft: 16M rss_hard: 64M max_age: 6h max_probes: 0 "
	    "max_fds: 100 slope: 0 drain_timeout: 1m stuck_timeout: 20s "
	    "jitter: 5 min_gap: 1s }"),
	  NULL },
	{ V("recycle { rss_soft: 64M rss_hard: 64M }"), "E must be less" },
	{ V("recycle { jitter: 101 }"), "E from 0 to 100" },
	{ V("recycle { rss_sft: 1M }"), "E did you mean 'rss_soft'?" },
	{ V("memory_total: 32M recycle { rss_hard: 64M }"), "E more than" },
	{ V("quarantine { crashes: 2 window: 1m hold: 10m }"), NULL },
	{ V("quarantine { crashes: 0 }"), "E from 1 to 100" },
	/* monitors */
	{ M("'doq://1.1.1.1/?name=example.com' [expect_rcode: NOERROR, "
	    "expect_rdata: '192.0.2.1', sni: x, iface: eth0, mark: 0x1, "
	    "interval: 10s, rise: 2, fall: 3, family: 4, insecure: true]"),
	  NULL },
	{ M("'https://h/' [expect_status: 200-299, expect_body: ok]"), NULL },
	{ M("'htp://h'"), "E did you mean 'http'?" },
	{ M("'http://h' [intervl: 1s]"), "E did you mean 'interval'?" },
	{ M("'http://h' [fast]"), "E is NAME: VALUE" },
	{ M("'http://h' [expect_rcode: 0]"),
	  "E monitors of DNS, not for http" },
	{ M("'dns://h' [expect_status: 200]"), "E monitors of HTTP" },
	{ M("'dns://h' [sni: x]"), "E monitors of TLS and QUIC" },
	{ M("'quic://h' [expect_body: x]"), "E not for quic" },
	{ M("'h3://h' [expect_status: 99]"), "E a status or a range" },
	{ M("'h3://h' [expect_status: 300-200]"), "E a status or a range" },
	{ M("'h3://h' [expect_status: 200-]"), "E a status or a range" },
	{ M("'h3://h' [expect_status: 200x]"), "E a status or a range" },
	{ M("'h3://h' [expect_body: '']"), "E is not empty" },
	{ M("'dns://h' [expect_rcode: 99]"), "E a DNS response code" },
	{ M("'dns://h' [expect_rcode: 5]"), NULL },
	{ M("'dns://h' [iface: a/b]"), "E name of an interface" },
	{ M("'dns://h' [mark: x]"), "E a number of 32 bits" },
	{ M("'doq://h' [insecure: x]"), "E true or false" },
	{ M("'dns://h' [interval: 1ms]"), "E at least 100ms" },
	{ M("'dns://h' [rise: 0]"), "E from 1 to 100" },
	{ M("'dns://h' [fall: x]"), "E from 1 to 100" },
	{ M("'dns://h' [family: 5]"), "E 4 or 6" },
	{ M("'dns://1.1.1.1' [family: 6]"), "E 4 or 6" },
	{ M("'dns://h' m: 'dns://i'"), "E 'm' exists already" },
	{ M("f(x)"), "E expects a value" },
	{ V("monitor { 'http://h' }"), "E a monitor is NAME" },
};

static void test_supervisor(void **state DAE_UNUSED)
{
	config_check_cases(supervisor, ARRAY_LEN(supervisor));
}

static const struct config_case global[] = {
	{ "global { so_mark_from_dae: 0 }", NULL },
	{ "global { so_mark_from_dae: 0x1_0 }", NULL },
	{ "global { so_mark_from_dae: -1 }", "E expects a number" },
	{ "global { log_level: inf }", "E did you mean 'info'?" },
	{ "global { tcp_check_url: 'http://h,1.1.1.1,2606:4700::1' }", NULL },
	{ "global { tcp_check_url: 'https://h' }", NULL },
	{ "global { tcp_check_url: 'ftp://h' }", "E http:// or https://" },
	{ "global { tcp_check_url: 'http://h, 1.1.1' }", "E expects IP" },
	{ "global { tcp_check_url: h }", "E expects a URL first" },
	{ "global { tcp_check_http_method: GET }", NULL },
	{ "global { tcp_check_http_method: HAED }", "W did you mean 'HEAD'?" },
	{ "global { udp_check_dns: 'h:53,1.1.1.1' }", NULL },
	{ "global { udp_check_dns: 'h' }", "E expects HOST:PORT" },
	{ "global { udp_check_dns: 'h:53' udp_check_dns: '1.1.1.1' }", NULL },
	{ "global { check_interval: 1ms }", "E expects a duration from" },
	{ "global { check_interval: 99999999999999h }", "E a duration" },
	{ "global { bootstrap_resolver: '1.1.1.1, 9.9.9.9' }", "E ADDRESS" },
	{ "global { bootstrap_resolver: '1.1.1.1:53,9.9.9.9,[::1]:5353' }",
	  NULL },
	{ "global { fallback_resolver: 'dns.google:53' }", "E ADDRESS" },
	{ "global { dial_mode: domain+ }", "W 'dial_mode' has no effect" },
	{ "global { dial_mode: domainn }", "E did you mean 'domain'?" },
	{ "global { wan_interface: auto, 'ppp*' }", NULL },
	{ "global { tls_fragment: true }", "W 'tls_fragment' has no effect" },
	{ "global { tls_implementation: utls }", "W has no effect" },
	{ "global { mptcp: x }", "E expects true or false" },
	{ "global { bandwidth_max_tx: '200 mbps' }", "W has no effect" },
	{ "global { bpf_conn_state_map_size: 1 }", "W flow_entries" },
	{ "global { utls_imitate: '' }", "E 'utls_imitate' is empty" },
	{ "global { dport(1) -> x }", "E rules stand in routing" },
	{ "global { // x\n}", "E comments begin with '#'" },
};

static void test_global(void **state DAE_UNUSED)
{
	config_check_cases(global, ARRAY_LEN(global));
}

#define D(lines) "dns { upstream { u: 'udp://1.1.1.1' } " lines " }"
#define RQ(lines) D("routing { request { " lines " fallback: asis } }")
#define RS(lines) D("routing { response { " lines " fallback: accept } }")

static const struct config_case dns[] = {
	{ D(""), NULL },
	{ "dns { upstream { a: 'tcp+udp://dns.google:53' b: 'h3://h/q' "
	  "c: 'tls://h' d: 'quic://h' e: 'https://h' f: 'tcp://[::1]' } }",
	  NULL },
	{ D("upstream { u: 'udp://h' }"), "E 'u' exists already" },
	{ D("upstream { 'udp://h' }"), "E needs a name" },
	{ D("upstream { x: 'htps://h' }"), "E did you mean 'https'?" },
	{ D("upstream { x: 'udp://' }"), "E host is missing" },
	{ D("upstream { x: 'udp://h:0' }"), "E bad upstream" },
	{ D("upstream { // x\n }"), "E comments begin with '#'" },
	{ D("ipversion_prefer: 4"), "W 'ipversion_prefer' has no effect" },
	{ D("ipversion_prefer: 5"), "E takes 0, 4 or 6" },
	{ D("bind: '127.0.0.1:53'"), "W 'bind' has no effect" },
	{ D("bind: 'tcp+udp://127.0.0.1:53'"), "W 'bind' has no effect" },
	{ D("bind: '127.0.0.1'"), "E expects ADDRESS:PORT" },
	{ D("optimistic_cache: on max_cache_size: 9"), "W has no effect" },
	{ D("fixed_domain_ttl { a: x }"), "E number of seconds" },
	{ D("fixed_domain_ttl { 'a' }"), "E 'DOMAIN: SECONDS'" },
	{ RQ("qname(suffix: x.com) -> u qtype(aaaa) -> reject"),
	  "W 'routing' has no effect" },
	{ RQ("qname(sufix: x.com) -> u"), "E did you mean 'suffix'?" },
	{ RQ("qnam(suffix: x.com) -> u"), "E did you mean 'qname'?" },
	{ RQ("qname(suffix: x.com) -> v"), "E 'v' is no upstream" },
	{ RQ("qname(suffix: x.com) -> accept"), "E no upstream" },
	{ RQ("qname(suffix: x.com) -> u(x)"), "E takes no parameters" },
	{ RQ("x"), "E text without a key" },
	{ RS("upstream(u) -> accept ip(geoip:private) -> u"),
	  "W 'routing' has no effect" },
	{ RS("ip(geoip:private) -> asis"), "E no upstream" },
	{ D("routing { request { fallback: a, b } }"), "E takes one word" },
	{ D("routing { response { } }"), "E 'response' has no fallback" },
	{ D("routing { requestt { } }"), "E did you mean 'request'?" },
	{ "dns { routing { request { fallback: v } } } "
	  "dns { upstream { v: 'udp://h' } }",
	  "W 'routing' has no effect" },
};

static void test_dns(void **state DAE_UNUSED)
{
	config_check_cases(dns, ARRAY_LEN(dns));
}

static void test_defaults(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of("");
	const struct config_supervisor *s = &c->supervisor;

	assert_int_equal(s->mode, MODE_OBSERVE);
	assert_int_equal(s->attach, ATTACH_AUTO);
	assert_int_equal(s->on_supervisor_loss, LOSS_KEEP);
	assert_int_equal(s->on_all_dead, ALL_DEAD_UNSET);
	assert_int_equal(s->mark & s->so_mark, 0);
	assert_int_equal(s->memory_total_bytes, 0);
	assert_true(s->adaptive);
	assert_int_equal(s->daily_bytes, 200000000);
	assert_null(s->quic_check_url);
	assert_int_equal(s->quarantine.crashes, 3);
	assert_int_equal(s->quarantine.window_ns, 600 * NS_PER_S);
	assert_int_equal(s->quarantine.hold_ns, 3600 * NS_PER_S);
	assert_int_equal(s->recycle.rss_soft_bytes, 0);
	assert_false(c->dns.is_present);
}

static void test_typed(void **state DAE_UNUSED)
{
	auto_config struct config *c = config_of(
		"supervisor { mode: route attach: tcx memory_total: 64M "
		"on_all_dead: direct recycle { rss_soft: 8M jitter: 0 } "
		"monitor { web: 'https://h/x' [expect_status: 204, "
		"expect_body: yes, interval: 1m] "
		"dns: 'dns://h?name=a' [expect_rcode: nxdomain, family: 6] } }"
		"global { so_mark_from_dae: 0x20 lan_interface: br0 }"
		"dns { upstream { u: 'tls://9.9.9.9' } }");
	const struct config_supervisor *s = &c->supervisor;
	const struct config_monitor *m = s->monitors;

	assert_int_equal(s->mode, MODE_ROUTE);
	assert_int_equal(s->attach, ATTACH_TCX);
	assert_int_equal(s->memory_total_bytes, 64 << 20);
	assert_int_equal(s->on_all_dead, ALL_DEAD_DIRECT);
	assert_int_equal(s->recycle.rss_soft_bytes, 8 << 20);
	assert_int_equal(s->recycle.jitter_percent, 0);
	assert_int_equal(s->so_mark, 0x20);
	assert_int_equal(s->monitor_count, 2);
	assert_string_equal(m[0].name, "web");
	assert_int_equal(m[0].status_min, 204);
	assert_int_equal(m[0].status_max, 204);
	assert_string_equal(m[0].expect_body, "yes");
	assert_int_equal(m[0].interval_ns, 60 * NS_PER_S);
	assert_int_equal(m[1].expect_rcode, 3);
	assert_int_equal(m[1].family, 6);
	assert_int_equal(m[1].interval_ns, 0);
	assert_string_equal(c->dns.upstreams[0].name, "u");
	assert_string_equal(c->dns.upstreams[0].url, "tls://9.9.9.9");
	assert_true(c->dns.is_present);
}

/* A key that has no effect is one warning, however often it is there. */
static void test_warned_once(void **state DAE_UNUSED)
{
	static const char text[] = "global { mptcp: on mptcp: off }\n"
				   "global { mptcp: on }\n"
				   "subscription { 'http://a' 'http://b' }";
	auto_diags struct config_diags d = { 0 };
	auto_config struct config *c = NULL;

	assert_int_equal(config_parse(&c, text, strlen(text), &d), 0);
	assert_int_equal(d.warning_count, 2);
	assert_int_equal(d.items[0].line, 1);
	assert_int_equal(d.items[0].column, 10);
	assert_int_equal(d.items[1].line, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_supervisor),
		cmocka_unit_test(test_global),
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_warned_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
