/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/proto/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/addr.h"
#include "common/base.h"

struct row {
	const char *what;
	const char *in;
	const char *user;
	bool end;	   /* behind what was fed, the proxy closes */
	enum outcome want; /* OUTCOME_OK: done */
	uint64_t code;
	const char *rest; /* belongs to the tunnel */
};

/* clang-format off */
static const struct row rows[] = {
	{"tunnel", "HTTP/1.1 200 Connection established\r\n\r\n", "", false,
	 OUTCOME_OK, 0, ""},
	{"HTTP/1.0", "HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n", "", false,
	 OUTCOME_OK, 0, ""},
	{"any 2xx, a length is nothing", "HTTP/1.1 204 X\r\nContent-Length: 5"
	 "\r\n\r\nSSH-2", "", false, OUTCOME_OK, 0, "SSH-2"},
	{"wants credentials", "HTTP/1.1 407 X\r\nProxy-Authenticate: Basic\r\n"
	 "\r\n", "", false, OUTCOME_PROXY_AUTH_REQUIRED, 407, ""},
	{"wrong credentials", "HTTP/1.1 407 X\r\n\r\n", "u", false,
	 OUTCOME_PROXY_AUTH_FAILED, 407, ""},
	{"wrong credentials by 401", "HTTP/1.1 401 X\r\n\r\n", "u", false,
	 OUTCOME_PROXY_AUTH_FAILED, 401, ""},
	{"ruleset", "HTTP/1.1 403 X\r\n\r\n", "", false, OUTCOME_PROXY_DENIED,
	 403, ""},
	{"target", "HTTP/1.1 502 X\r\n\r\n", "", false, OUTCOME_PROXY_TARGET,
	 502, ""},
	{"target by 500", "HTTP/1.1 500 X\r\n\r\n", "", false,
	 OUTCOME_PROXY_TARGET, 500, ""},
	{"busy", "HTTP/1.1 429 X\r\n\r\n", "", false, OUTCOME_BUSY, 429, ""},
	{"no proxy", "HTTP/1.1 400 X\r\n\r\n", "", false,
	 OUTCOME_PROXY_PROTOCOL, 400, ""},
	{"redirect", "HTTP/1.1 302 X\r\nLocation: http://login/\r\n\r\n", "",
	 false, OUTCOME_PORTAL_SUSPECTED, 302, ""},
	{"a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	 "Content-Length: 9\r\n\r\n", "", false, OUTCOME_PORTAL_SUSPECTED, 200,
	 ""},
	{"login wanted", "HTTP/1.1 511 X\r\n\r\n", "", false,
	 OUTCOME_PORTAL_SUSPECTED, 511, ""},
	{"TLS", "\x15\x03\x01\0\2\2\x46", "", false, OUTCOME_PROXY_PROTOCOL, 0,
	 ""},
	{"SOCKS", "\5\377", "", false, OUTCOME_PROXY_PROTOCOL, 0, ""},
	{"closed at once", "", "", true, OUTCOME_CLOSED, 0, ""},
	{"closed in the head", "HTTP/1.1 200 OK\r\n", "", true, OUTCOME_CLOSED,
	 0, ""},
};
/* clang-format on */

static struct proto_dest dest_of(const char *user, const char *address)
{
	struct proto_dest d = { .name = "", .user = user, .password = "p@ss" };
	struct addr a;

	assert_int_equal(addr_parse(address, &a), 0);
	addr_to_sockaddr(&a, 443, &d.addr);
	return d;
}

static void check(const struct row *row, size_t step)
{
	const struct proto_dest dest = dest_of(row->user, "192.0.2.1");
	size_t len = strlen(row->in), at = 0;
	struct proto_dialog d;
	struct fail f = { 0 };
	ssize_t n = 0;

	assert_int_equal(proto_dialog_start(&d, &proto_http_connect, &dest, &f),
			 0);
	while (at < len && !d.is_done && n >= 0) {
		n = proto_http_connect.input(&d, (const uint8_t *)row->in + at,
					     MIN(step, len - at));
		at += n > 0 ? (size_t)n : 0;
	}
	if (n >= 0 && row->end)
		proto_http_connect.closed(&d);
	if (f.outcome != row->want || f.foreign != row->code ||
	    (row->want == OUTCOME_OK && !d.is_done))
		fail_msg("%s by %zu: outcome %u code %u", row->what, step,
			 f.outcome, (unsigned int)f.foreign);
	if (row->want == OUTCOME_OK)
		assert_string_equal(row->in + at, row->rest);
	proto_http_connect.stop(&d);
	proto_http_connect.stop(&d);
}

static void replies(void **state DAE_UNUSED)
{
	size_t i, step;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		for (step = 1; step <= strlen(rows[i].in) + 1; step++)
			check(&rows[i], step);
}

static void expect_request(const struct proto_dest *dest, const char *want)
{
	struct proto_dialog d;
	struct fail f = { 0 };

	assert_int_equal(proto_dialog_start(&d, &proto_http_connect, dest, &f),
			 want ? 0 : -EPROTO);
	if (want) {
		assert_int_equal(d.out_len, strlen(want));
		assert_memory_equal(d.out, want, d.out_len);
	} else {
		assert_int_equal(f.outcome, OUTCOME_INTERNAL);
	}
	proto_http_connect.stop(&d);
}

static void what_we_say(void **state DAE_UNUSED)
{
	struct proto_dest dest = dest_of("", "192.0.2.1");

	expect_request(&dest, "CONNECT 192.0.2.1:443 HTTP/1.1\r\n"
			      "Host: 192.0.2.1:443\r\n\r\n");
	dest = dest_of("user", "2001:db8::1");
	expect_request(&dest,
		       "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"
		       "Host: [2001:db8::1]:443\r\n"
		       "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n");
	dest = dest_of("", "192.0.2.1");
	dest.name = "example.com";
	expect_request(&dest, "CONNECT example.com:443 HTTP/1.1\r\n"
			      "Host: example.com:443\r\n\r\n");
	dest.name = "a\r\nX: y";
	expect_request(&dest, NULL);
	dest = dest_of("a:b", "192.0.2.1");
	expect_request(&dest, NULL);
}

static void longest_credentials(void **state DAE_UNUSED)
{
	struct proto_dest dest = dest_of("", "192.0.2.1");
	char word[256], name[256];
	struct proto_dialog d;
	struct fail f = { 0 };

	memset(word, 'w', 255);
	memset(name, 'n', 255);
	word[255] = name[255] = '\0';
	dest.user = dest.password = word;
	dest.name = name;
	assert_int_equal(proto_dialog_start(&d, &proto_http_connect, &dest, &f),
			 0);
	proto_http_connect.stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(what_we_say),
		cmocka_unit_test(longest_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
