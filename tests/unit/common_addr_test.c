/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

static const struct {
	const char *in;
	int family; /* 0: refused */
	const char *shown;
	bool is_special;
} addresses[] = {
	{ "192.0.2.1", 4, "192.0.2.1", false },
	{ "::ffff:192.0.2.1", 4, "192.0.2.1", false },
	{ "2001:db8::1", 6, "2001:db8::1", false },
	{ "127.0.0.1", 4, "127.0.0.1", true },
	{ "127.255.0.1", 4, "127.255.0.1", true },
	{ "0.0.0.0", 4, "0.0.0.0", true },
	{ "0.1.2.3", 4, "0.1.2.3", true },
	{ "169.254.169.254", 4, "169.254.169.254", true },
	{ "224.0.0.1", 4, "224.0.0.1", true },
	{ "255.255.255.255", 4, "255.255.255.255", true },
	{ "10.0.0.1", 4, "10.0.0.1", false },
	{ "::", 6, "::", true },
	{ "::1", 6, "::1", true },
	{ "::127.0.0.1", 6, "::127.0.0.1", true },
	{ "::ffff:127.0.0.1", 4, "127.0.0.1", true },
	{ "64:ff9b::7f00:1", 6, "64:ff9b::7f00:1", true },
	{ "64:ff9b::c000:201", 6, "64:ff9b::c000:201", false },
	{ "2002:7f00:1::", 6, "2002:7f00:1::", true },
	{ "fe80::1", 6, "fe80::1", true },
	{ "febf::1", 6, "febf::1", true },
	{ "fec0::1", 6, "fec0::1", false },
	{ "ff02::1", 6, "ff02::1", true },
	{ "[::1]", 0, NULL, false },
	{ "1.2.3", 0, NULL, false },
	{ "1.2.3.4.5", 0, NULL, false },
	{ "1.2.3.256", 0, NULL, false },
	{ "01.2.3.4", 0, NULL, false },
	{ "fe80::1%eth0", 0, NULL, false },
	{ "", 0, NULL, false },
	{ " 1.2.3.4", 0, NULL, false },
};

static void literals(void **state)
{
	char buf[ADDR_STRLEN];
	struct addr a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		int r = addr_parse(addresses[i].in, &a);

		if (!addresses[i].family) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(a.family, addresses[i].family);
		assert_string_equal(addr_format(&a, buf), addresses[i].shown);
		if (addr_is_special(&a) != addresses[i].is_special)
			print_error("%s\n", addresses[i].in);
		assert_int_equal(addr_is_special(&a), addresses[i].is_special);
	}
}

static const struct {
	const char *prefix, *addr;
	bool contains;
} prefixes[] = {
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.77/24", "192.0.2.1", true }, /* host bits are cleared */
	{ "0.0.0.0/0", "8.8.8.8", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.0/31", "192.0.2.1", true },
	{ "192.0.2.0/31", "192.0.2.2", false },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "1.2.3.4", false },
	{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
};

static void membership(void **state)
{
	struct prefix p;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		assert_int_equal(prefix_parse(prefixes[i].prefix, &p), 0);
		assert_int_equal(addr_parse(prefixes[i].addr, &a), 0);
		if (prefix_contains(&p, &a) != prefixes[i].contains)
			print_error("%s %s\n", prefixes[i].prefix,
				    prefixes[i].addr);
		assert_int_equal(prefix_contains(&p, &a), prefixes[i].contains);
	}
}

static void bad_prefixes(void **state)
{
	static const char *const bad[] = {
		"1.2.3.4/33",
		"::/129",
		"1.2.3.4/",
		"1.2.3.4/-1",
		"1.2.3.4/+1",
		"1.2.3.4/08",
		"1.2.3.4/8 ",
		"/8",
		"1.2.3.4/8/8",
		"1.2.3.4/1000",
		"::ffff:1.2.3.4/95",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/1",
	};
	struct prefix p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(prefix_parse(bad[i], &p), -EINVAL);
}

static void socket_addresses(void **state)
{
	struct sockaddr_storage ss;
	char buf[ADDR_STRLEN];
	struct addr a, b;
	uint16_t port;

	(void)state;
	assert_int_equal(addr_parse("192.0.2.1", &a), 0);
	assert_int_equal(addr_to_sockaddr(&a, 53, &ss),
			 sizeof(struct sockaddr_in));
	addr_from_sockaddr(&ss, &b, &port);
	assert_true(addr_equal(&a, &b));
	assert_int_equal(port, 53);
	assert_string_equal(addr_format_port(&b, port, buf), "192.0.2.1:53");
	assert_int_equal(addr_parse("2001:db8::1", &a), 0);
	assert_int_equal(addr_to_sockaddr(&a, 65535, &ss),
			 sizeof(struct sockaddr_in6));
	addr_from_sockaddr(&ss, &b, &port);
	assert_true(addr_equal(&a, &b));
	assert_string_equal(addr_format_port(&b, port, buf),
			    "[2001:db8::1]:65535");
	a.family = 0;
	assert_int_equal(addr_to_sockaddr(&a, 1, &ss), 0);
	addr_from_sockaddr(&ss, &b, &port);
	assert_int_equal(b.family, 0);
	assert_true(addr_is_special(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals),
		cmocka_unit_test(membership),
		cmocka_unit_test(bad_prefixes),
		cmocka_unit_test(socket_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
