/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/job_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/core/job_url.h"

static const struct {
	const char *url;
	int want;
	const char *scheme, *host;
	uint16_t port;
	const char *path;
} urls[] = {
	{ "http://a.example", 0, "http", "a.example", 0, "" },
	{ "https://a:8443/x?y#z", 0, "https", "a", 8443, "/x?y" },
	{ "h3://[2001:db8::1]:443/", 0, "h3", "2001:db8::1", 443, "/" },
	{ "tcp+udp://[::1]", 0, "tcp+udp", "::1", 0, "" },
	{ "dns.example:53", 0, "", "dns.example", 53, "" },
	{ "8.8.8.8", 0, "", "8.8.8.8", 0, "" },
	{ "http://a?q", 0, "http", "a", 0, "?q" },
	{ "http://", -EINVAL, NULL, NULL, 0, NULL },
	{ "", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://a:", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://a:0", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://a:65536", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://a:123456789", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://a:8x", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://[::1", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://[::1]x", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://[]", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://u:p@a", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://a b", -EINVAL, NULL, NULL, 0, NULL },
	{ "http://a\x01", -EINVAL, NULL, NULL, 0, NULL },
};

static void assert_part(const char *p, size_t len, const char *want)
{
	assert_int_equal(len, strlen(want));
	assert_memory_equal(p, want, len);
}

static void test_urls(void **state)
{
	struct job_url u;
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		r = job_url_split(urls[i].url, &u);
		if (r != urls[i].want)
			print_message("%s\n", urls[i].url);
		assert_int_equal(r, urls[i].want);
		if (r < 0)
			continue;
		assert_part(u.scheme, u.scheme_len, urls[i].scheme);
		assert_part(u.host, u.host_len, urls[i].host);
		assert_part(u.path, u.path_len, urls[i].path);
		assert_int_equal(u.port, urls[i].port);
	}
}

#define CHECKS "http://cp.example/generate_204"

static char *tcp_items[] = { (char *)CHECKS, (char *)"192.0.2.1",
			     (char *)"192.0.2.2", (char *)"2001:db8::2" };
static char *dns_items[] = { (char *)"dns.example:53", (char *)"192.0.2.53" };

static struct config make_config(void)
{
	struct config c = { 0 };

	c.global.tcp_check_url.items = tcp_items;
	c.global.tcp_check_url.count = ARRAY_LEN(tcp_items);
	c.global.tcp_check_http_method = (char *)"HEAD";
	c.global.udp_check_dns.items = dns_items;
	c.global.udp_check_dns.count = ARRAY_LEN(dns_items);
	c.supervisor.quic_check_url = (char *)"https://q.example:8443/x";
	return c;
}

static const struct config_node direct = { .scheme = SCHEME_DIRECT };
static const struct config_node iface = { .scheme = SCHEME_IFACE,
					  .iface = (char *)"wan2",
					  .mark = 0x20 };
static const struct config_node socks = { .scheme = SCHEME_SOCKS5,
					  .host = (char *)"n.example",
					  .port = 1080,
					  .user = (char *)"u",
					  .password = (char *)"p" };
static const struct config_node https = { .scheme = SCHEME_HTTPS,
					  .host = (char *)"192.0.2.9",
					  .port = 443 };
static const struct config_node tproxy = { .scheme = SCHEME_TPROXY,
					   .host = (char *)"127.0.0.1",
					   .port = 12345 };

/* Which socket, which job, which address, for each node and class. */
static const struct {
	const struct config_node *node;
	enum check_class cls;
	int want;
	int kind, via, proto;
	const char *peer, *target; /* literal or name; NULL: none */
	uint16_t peer_port;
} jobs[] = {
	{ &direct, CHECK_TCP4, 0, JOB_HTTP, JOB_VIA_DIRECT, IPPROTO_TCP,
	  "192.0.2.2", NULL, 80 },
	{ &direct, CHECK_TCP6, 0, JOB_HTTP, JOB_VIA_DIRECT, IPPROTO_TCP,
	  "2001:db8::2", NULL, 80 },
	{ &direct, CHECK_UDP4, 0, JOB_DNS_UDP, JOB_VIA_DIRECT, IPPROTO_UDP,
	  "192.0.2.53", NULL, 53 },
	{ &direct, CHECK_UDP6, -EADDRNOTAVAIL, 0, 0, 0, NULL, NULL, 0 },
	{ &iface, CHECK_QUIC4, 0, JOB_H3, JOB_VIA_DIRECT, IPPROTO_UDP,
	  "q.example", NULL, 8443 },
	{ &socks, CHECK_TCP4, 0, JOB_HTTP, JOB_VIA_SOCKS5, IPPROTO_TCP,
	  "n.example", "192.0.2.2", 1080 },
	{ &socks, CHECK_UDP4, 0, JOB_DNS_UDP, JOB_VIA_SOCKS5, IPPROTO_TCP,
	  "n.example", "192.0.2.53", 1080 },
	{ &socks, CHECK_QUIC6, 0, JOB_H3, JOB_VIA_SOCKS5, IPPROTO_TCP,
	  "n.example", "q.example", 1080 },
	{ &https, CHECK_TCP6, 0, JOB_HTTP, JOB_VIA_HTTP, IPPROTO_TCP,
	  "192.0.2.9", "2001:db8::2", 443 },
	{ &https, CHECK_UDP4, -EOPNOTSUPP, 0, 0, 0, NULL, NULL, 0 },
	{ &https, CHECK_QUIC4, -EOPNOTSUPP, 0, 0, 0, NULL, NULL, 0 },
	{ &tproxy, CHECK_TCP4, -EOPNOTSUPP, 0, 0, 0, NULL, NULL, 0 },
	{ &direct, CHECK_H3, -ENOENT, 0, 0, 0, NULL, NULL, 0 },
};

static void assert_endpoint(const struct job_endpoint *e, const char *want)
{
	char buf[ADDR_STRLEN];

	if (!want)
		assert_null(e->host);
	else if (e->addr.family)
		assert_string_equal(addr_format(&e->addr, buf), want);
	else
		assert_string_equal(e->host, want);
}

static void test_nodes(void **state)
{
	struct config c = make_config();
	struct job_plan p;
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		r = job_build_node(&p, &c, jobs[i].node, jobs[i].cls);
		assert_int_equal(r, jobs[i].want);
		if (r < 0)
			continue;
		assert_int_equal(p.spec.kind, jobs[i].kind);
		assert_int_equal(p.spec.via, jobs[i].via);
		assert_int_equal(p.spec.proto, jobs[i].proto);
		assert_int_equal(p.peer.port, jobs[i].peer_port);
		assert_endpoint(&p.peer, jobs[i].peer);
		assert_endpoint(&p.target, jobs[i].target);
	}
}

static void test_strings_of_a_node(void **state)
{
	struct config c = make_config();
	struct job_plan p;

	(void)state;
	assert_int_equal(job_build_node(&p, &c, &socks, CHECK_QUIC4), 0);
	assert_string_equal(p.spec.str[JOB_STR_HOST], "q.example:8443");
	assert_string_equal(p.spec.str[JOB_STR_SNI], "q.example");
	assert_string_equal(p.spec.str[JOB_STR_PATH], "/x");
	assert_string_equal(p.spec.str[JOB_STR_USER], "u");
	assert_string_equal(p.spec.str[JOB_STR_PASSWORD], "p");
	assert_int_equal(p.spec.flags, JOB_TLS);
	assert_int_equal(job_build_node(&p, &c, &https, CHECK_TCP4), 0);
	assert_int_equal(p.spec.flags, JOB_VIA_TLS);
	assert_string_equal(p.spec.str[JOB_STR_VIA_SNI], "");
	c.global.allow_insecure = true;
	assert_int_equal(job_build_node(&p, &c, &https, CHECK_TCP4), 0);
	assert_int_equal(p.spec.flags, JOB_VIA_TLS | JOB_VIA_INSECURE);
	assert_int_equal(job_build_node(&p, &c, &iface, CHECK_UDP4), 0);
	assert_string_equal(p.iface, "wan2");
	assert_int_equal(p.mark, 0x20);
	assert_string_equal(p.spec.str[JOB_STR_QNAME],
			    "connectivitycheck.gstatic.com.");
}

/* dae's rule: generate_NNN wants NNN, all else 200 to 499. */
static const struct {
	const char *url;
	uint16_t min, max;
} statuses[] = {
	{ "http://a/generate_204", 204, 204 },
	{ "http://a/x/generate_200?a=/b", 200, 200 },
	{ "http://a/generate_204/", 200, 499 },
	{ "http://a/generate_2045", 200, 499 },
	{ "http://a/generate_20x", 200, 499 },
	{ "http://a/generate_000", 200, 499 },
	{ "http://a/xgenerate_204", 200, 499 },
	{ "http://a", 200, 499 },
};

static void test_status_rule(void **state)
{
	struct config c = make_config();
	struct job_plan p;
	char *items[1];

	(void)state;
	c.global.tcp_check_url.items = items;
	c.global.tcp_check_url.count = 1;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		items[0] = (char *)statuses[i].url;
		assert_int_equal(job_build_node(&p, &c, &direct, CHECK_TCP4),
				 0);
		assert_int_equal(p.spec.status_min, statuses[i].min);
		assert_int_equal(p.spec.status_max, statuses[i].max);
		assert_int_equal(p.peer.family, 4);
	}
}

static void test_monitor(void **state)
{
	struct config_monitor m = { .kind = MONITOR_DOQ,
				    .host = (char *)"2001:db8::53",
				    .expect_rcode = 3,
				    .sni = (char *)"dns.example",
				    .mark = 7 };
	struct job_plan p;

	(void)state;
	assert_int_equal(job_build_monitor(&p, &m, 4), -EADDRNOTAVAIL);
	assert_int_equal(job_build_monitor(&p, &m, 6), 0);
	assert_int_equal(p.spec.kind, JOB_DNS_QUIC);
	assert_int_equal(p.peer.port, 853);
	assert_int_equal(p.spec.rcode, 3);
	assert_int_equal(p.spec.flags, JOB_TLS | JOB_EXPECT_RCODE);
	assert_string_equal(p.spec.str[JOB_STR_SNI], "dns.example");
	assert_int_equal(p.mark, 7);
	assert_true(p.literal);
	m = (struct config_monitor){ .kind = MONITOR_HTTPS,
				     .host = (char *)"a.example",
				     .port = 8443,
				     .path = (char *)"/p",
				     .expect_rcode = -1,
				     .expect_body = (char *)"hello",
				     .status_min = 301,
				     .status_max = 301,
				     .insecure = true };
	assert_int_equal(job_build_monitor(&p, &m, 4), 0);
	assert_string_equal(p.spec.str[JOB_STR_METHOD], "GET");
	assert_string_equal(p.spec.str[JOB_STR_HOST], "a.example:8443");
	assert_int_equal(p.spec.status_min, 301);
	assert_int_equal(p.spec.flags, JOB_TLS | JOB_INSECURE);
	assert_false(p.literal);
}

static void test_upstreams(void **state)
{
	struct config_upstream u = { .url = (char *)"tcp+udp://9.9.9.9" };
	enum check_class cls[2];
	struct job_plan p;

	(void)state;
	assert_int_equal(job_build_upstream_classes(&u, cls), 2);
	assert_int_equal(cls[0], CHECK_UDP);
	assert_int_equal(cls[1], CHECK_TCP);
	assert_int_equal(job_build_upstream(&p, &u, CHECK_TCP, 4), 0);
	assert_int_equal(p.spec.kind, JOB_DNS_TCP);
	assert_int_equal(p.peer.port, 53);
	assert_int_equal(p.spec.flags, JOB_ANY_ANSWER);
	assert_int_equal(job_build_upstream(&p, &u, CHECK_TLS, 4), -ENOENT);
	assert_int_equal(job_build_upstream(&p, &u, CHECK_UDP, 6),
			 -EADDRNOTAVAIL);
	u.url = (char *)"https://dns.example";
	assert_int_equal(job_build_upstream(&p, &u, CHECK_HTTPS, 6), 0);
	assert_string_equal(p.spec.str[JOB_STR_PATH], "/dns-query");
	u.url = (char *)"gopher://dns.example";
	assert_int_equal(job_build_upstream_classes(&u, cls), -EINVAL);
}

/* What is built passes the wire; addresses of the wrong family do not bind. */
static void test_bind_and_encode(void **state)
{
	struct config c = make_config();
	struct addr v4, v6;
	struct job_plan p;
	uint8_t buf[4096];
	struct wcur w;

	(void)state;
	addr_parse("192.0.2.77", &v4);
	addr_parse("2001:db8::77", &v6);
	assert_int_equal(job_build_node(&p, &c, &socks, CHECK_TCP6), 0);
	assert_int_equal(job_build_bind(&p, &v4, &v4), -EINVAL);
	assert_int_equal(job_build_bind(&p, &v4, NULL), -EINVAL);
	assert_int_equal(job_build_bind(&p, NULL, &v6), -EINVAL);
	assert_int_equal(job_build_bind(&p, &v4, &v6), 0);
	p.spec.id = 1;
	p.spec.deadline_ms = 1000;
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(job_encode(&w, &p.spec), 0);
	assert_int_equal(job_build_resolve(&p, &v4, 53, "a.example", 6), 0);
	p.spec.id = 2;
	p.spec.deadline_ms = 1000;
	assert_int_equal(p.spec.qtype, 28);
	assert_int_equal(job_encode(&w, &p.spec), 0);
}

static void test_too_long(void **state)
{
	struct config c = make_config();
	char url[3000], name[300], *items[1] = { url };
	struct addr v4;
	struct job_plan p;

	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, "http://h/", 9);
	url[sizeof(url) - 1] = '\0';
	c.global.tcp_check_url.items = items;
	c.global.tcp_check_url.count = 1;
	assert_int_equal(job_build_node(&p, &c, &direct, CHECK_TCP4),
			 -EMSGSIZE);
	url[1500] = '\0'; /* fits the scratch, not a job */
	assert_int_equal(job_build_node(&p, &c, &direct, CHECK_TCP4),
			 -EMSGSIZE);
	addr_parse("192.0.2.77", &v4);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(job_build_resolve(&p, &v4, 53, name, 4), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_strings_of_a_node),
		cmocka_unit_test(test_status_rule),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_upstreams),
		cmocka_unit_test(test_bind_and_encode),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
