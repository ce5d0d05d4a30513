/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the proxy says is fed whole and byte by byte: it must not matter. */
#include "worker/proto/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "common/addr.h"
#include "common/base.h"

#define MSG(s) s, sizeof(s) - 1
#define END 1 /* behind what was fed, the proxy closes */

struct row {
	const char *what;
	const char *in;
	size_t len;
	const char *user;
	bool is_udp;
	int end;
	enum outcome want; /* OUTCOME_OK: done */
	uint64_t code;
	size_t rest; /* bytes that belong to the tunnel */
};

#define BOUND4 "\5\0\0\1\177\0\0\1\4\70"
#define BOUND6 "\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\4\70"
#define REPLY(rep) "\5" rep "\0\1\0\0\0\0\0\0"

/* clang-format off */
static const struct row rows[] = {
	{"no auth", MSG("\5\0" BOUND4), "", false, 0, OUTCOME_OK, 0, 0},
	{"v6 bound", MSG("\5\0" BOUND6), "", false, 0, OUTCOME_OK, 0, 0},
	{"bound by name", MSG("\5\0\5\0\0\3\3abc\0\1"), "", false, 0,
	 OUTCOME_OK, 0, 0},
	{"bytes of the tunnel behind", MSG("\5\0" BOUND4 "SSH"), "", false, 0,
	 OUTCOME_OK, 0, 3},
	{"password", MSG("\5\2\1\0" BOUND4), "u", false, 0, OUTCOME_OK, 0, 0},
	{"password not asked for", MSG("\5\0" BOUND4), "u", false, 0,
	 OUTCOME_OK, 0, 0},
	{"association", MSG("\5\0" BOUND4), "", true, 0, OUTCOME_OK, 0, 0},
	{"wants a password", MSG("\5\377"), "", false, END,
	 OUTCOME_PROXY_AUTH_REQUIRED, 0, 0},
	{"wants something else", MSG("\5\377"), "u", false, END,
	 OUTCOME_PROXY_AUTH_REQUIRED, 0, 0},
	{"wrong password", MSG("\5\2\1\1"), "u", false, END,
	 OUTCOME_PROXY_AUTH_FAILED, 1, 0},
	{"wrong password, another code", MSG("\5\2\1\2"), "u", false, END,
	 OUTCOME_PROXY_AUTH_FAILED, 2, 0},
	{"closed at the password", MSG("\5\2"), "u", false, END,
	 OUTCOME_PROXY_AUTH_FAILED, 0, 0},
	{"general failure", MSG("\5\0" REPLY("\1")), "", false, 0,
	 OUTCOME_PROXY_TARGET, 1, 0},
	{"ruleset", MSG("\5\0" REPLY("\2")), "", false, 0,
	 OUTCOME_PROXY_DENIED, 2, 0},
	{"network", MSG("\5\0" REPLY("\3")), "", false, 0,
	 OUTCOME_PROXY_TARGET, 3, 0},
	{"host", MSG("\5\0" REPLY("\4")), "", false, 0, OUTCOME_PROXY_TARGET,
	 4, 0},
	{"refused", MSG("\5\0" REPLY("\5")), "", false, 0,
	 OUTCOME_PROXY_TARGET, 5, 0},
	{"no UDP", MSG("\5\0" REPLY("\7")), "", true, 0, OUTCOME_PROXY_NO_UDP,
	 7, 0},
	{"no CONNECT", MSG("\5\0" REPLY("\7")), "", false, 0,
	 OUTCOME_PROXY_DENIED, 7, 0},
	{"unknown code", MSG("\5\0" REPLY("\11")), "", false, 0,
	 OUTCOME_PROXY_PROTOCOL, 9, 0},
	{"failure with the name", MSG("\5\0\5\4\0\3\3abc\0\1"), "", false, 0,
	 OUTCOME_PROXY_TARGET, 4, 0},
	{"failure cut short", MSG("\5\0\5\5"), "", false, END,
	 OUTCOME_PROXY_TARGET, 5, 0},
	{"failure with a wrong address type", MSG("\5\0\5\5\0\11\0\0"), "",
	 false, 0, OUTCOME_PROXY_TARGET, 5, 0},
	{"wrong address type", MSG("\5\0\5\0\0\11\0\0"), "", false, 0,
	 OUTCOME_PROXY_PROTOCOL, 0, 0},
	{"closed at the request", MSG("\5\0"), "", false, END,
	 OUTCOME_PROXY_DENIED, 0, 0},
	{"closed at once", MSG(""), "", false, END, OUTCOME_CLOSED, 0, 0},
	{"HTTP", MSG("HTTP/1.1 400"), "", false, 0, OUTCOME_PROXY_PROTOCOL, 0,
	 0},
	{"SOCKS4", MSG("\0\132"), "", false, 0, OUTCOME_PROXY_PROTOCOL, 0, 0},
	{"method not offered", MSG("\5\2"), "", false, 0,
	 OUTCOME_PROXY_PROTOCOL, 0, 0},
	{"method unheard of", MSG("\5\1"), "u", false, 0,
	 OUTCOME_PROXY_PROTOCOL, 0, 0},
	{"reply of version 4", MSG("\5\0\4\0\0\1\0\0\0\0\0\0"), "", false, 0,
	 OUTCOME_PROXY_PROTOCOL, 0, 0},
	{"auth of version 5", MSG("\5\2\5\0"), "u", false, 0,
	 OUTCOME_PROXY_PROTOCOL, 0, 0},
	{"relay by name", MSG("\5\0\5\0\0\3\3abc\0\1"), "", true, 0,
	 OUTCOME_PROXY_PROTOCOL, 0, 0},
	{"relay without a port", MSG("\5\0\5\0\0\1\177\0\0\1\0\0"), "", true, 0,
	 OUTCOME_PROXY_PROTOCOL, 0, 0},
};
/* clang-format on */

static struct proto_dest dest_of(const char *user, bool is_udp)
{
	struct proto_dest d = {
		.name = "", .user = user, .password = "p", .is_udp = is_udp
	};
	struct addr a;

	assert_int_equal(addr_parse("192.0.2.1", &a), 0);
	addr_to_sockaddr(&a, 443, &d.addr);
	return d;
}

static void check(const struct row *row, size_t step)
{
	const struct proto_dest dest = dest_of(row->user, row->is_udp);
	struct proto_dialog d;
	struct fail f = { 0 };
	ssize_t n = 0;
	size_t at = 0;

	assert_int_equal(proto_dialog_start(&d, &proto_socks5, &dest, &f), 0);
	while (at < row->len && !d.is_done && n >= 0) {
		n = proto_socks5.input(&d, (const uint8_t *)row->in + at,
				       MIN(step, row->len - at));
		at += n > 0 ? (size_t)n : 0;
	}
	if (n >= 0 && row->end)
		proto_socks5.closed(&d);
	if (f.outcome != row->want || f.foreign != row->code ||
	    (row->want == OUTCOME_OK && !d.is_done))
		fail_msg("%s by %zu: outcome %u code %u", row->what, step,
			 f.outcome, (unsigned int)f.foreign);
	if (row->want == OUTCOME_OK)
		assert_int_equal(row->len - at, row->rest);
	proto_socks5.stop(&d);
}

static void replies(void **state DAE_UNUSED)
{
	size_t i, step;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		for (step = 1; step <= rows[i].len + 1; step++)
			check(&rows[i], step);
}

static void expect_out(const struct proto_dialog *d, const char *want,
		       size_t len)
{
	assert_int_equal(d->out_len, len);
	assert_memory_equal(d->out, want, len);
}

static void what_we_say(void **state DAE_UNUSED)
{
	struct proto_dest dest = dest_of("u", false);
	struct proto_dialog d;
	struct fail f = { 0 };

	proto_dialog_start(&d, &proto_socks5, &dest, &f);
	expect_out(&d, MSG("\5\2\0\2"));
	proto_socks5.input(&d, (const uint8_t *)"\5\2", 2);
	expect_out(&d, MSG("\1\1u\1p"));
	dest.name = "example.com";
	d.dest = dest;
	proto_socks5.input(&d, (const uint8_t *)"\1\0", 2);
	expect_out(&d, MSG("\5\1\0\3\13example.com\1\273"));
	proto_socks5.stop(&d);
	dest = dest_of("", true);
	proto_dialog_start(&d, &proto_socks5, &dest, &f);
	expect_out(&d, MSG("\5\1\0"));
	proto_socks5.input(&d, (const uint8_t *)"\5\0", 2);
	expect_out(&d, MSG("\5\3\0\1\0\0\0\0\0\0"));
	proto_socks5.stop(&d);
}

static void bound_address(void **state DAE_UNUSED)
{
	const struct proto_dest dest = dest_of("", true);
	struct proto_dialog d;
	struct fail f = { 0 };
	struct addr a;
	uint16_t port;
	char text[ADDR_STRLEN];

	proto_dialog_start(&d, &proto_socks5, &dest, &f);
	proto_socks5.input(&d, (const uint8_t *)"\5\0" BOUND4, 12);
	assert_true(d.is_done);
	addr_from_sockaddr(&d.bound, &a, &port);
	assert_string_equal(addr_format_port(&a, port, text), "127.0.0.1:1080");
	proto_dialog_start(&d, &proto_socks5, &dest, &f);
	proto_socks5.input(&d, (const uint8_t *)"\5\0" BOUND6, 24);
	addr_from_sockaddr(&d.bound, &a, &port);
	assert_string_equal(addr_format_port(&a, port, text), "[::1]:1080");
}

static void datagram_head(void **state DAE_UNUSED)
{
	struct proto_dest dest = dest_of("", true);
	uint8_t buf[DGRAM_HEAD_MAX];
	char name[257];

	assert_int_equal(proto_socks5_udp_head(&dest, buf), 10);
	assert_memory_equal(buf, "\0\0\0\1\300\0\2\1\1\273", 10);
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	dest.name = name;
	assert_int_equal(proto_socks5_udp_head(&dest, buf), 4 + 1 + 255 + 2);
	name[255] = 'a';
	name[256] = '\0';
	assert_true(proto_socks5_udp_head(&dest, buf) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(what_we_say),
		cmocka_unit_test(bound_address),
		cmocka_unit_test(datagram_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
