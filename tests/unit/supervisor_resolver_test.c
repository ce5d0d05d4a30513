/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/resolver.h"

static const struct {
	const char *bootstrap, *fallback, *conf;
	const char *first; /* as addr_format_port(); NULL: -ENOENT */
	size_t count;
} cases[] = {
	{ NULL, NULL, "nameserver 192.0.2.1\n", "192.0.2.1:53", 1 },
	{ NULL, NULL, "nameserver 192.0.2.1", "192.0.2.1:53", 1 },
	{ NULL, NULL,
	  "# x\nsearch a b\n nameserver\t192.0.2.1 # y\r\n"
	  "nameserver 192.0.2.2\n\nnameserver 2001:db8::1\n",
	  "192.0.2.1:53", 3 },
	{ NULL, NULL, "nameserver 127.0.0.53\nnameserver 192.0.2.7\n",
	  "192.0.2.7:53", 1 },
	/* loopback alone: the stub may wait for us */
	{ NULL, "8.8.8.8:53", "nameserver 127.0.0.53\n", "8.8.8.8:53", 1 },
	{ NULL, "8.8.8.8", NULL, "8.8.8.8:53", 1 },
	{ NULL, NULL, "nameserver 127.0.0.53\n", NULL, 0 },
	{ NULL, NULL, "", NULL, 0 },
	{ "119.29.29.29:53, 223.5.5.5:5353", "8.8.8.8:53",
	  "nameserver 192.0.2.1\n", "119.29.29.29:53", 2 },
	{ "[2001:db8::5]:5353", NULL, NULL, "[2001:db8::5]:5353", 1 },
	{ "2001:db8::5", NULL, NULL, "[2001:db8::5]:53", 1 },
	{ "[2001:db8::5]x", "192.0.2.3", NULL, "192.0.2.3:53", 1 },
	{ "192.0.2.1:0", "192.0.2.3", NULL, "192.0.2.3:53", 1 },
	{ "192.0.2.1:65536", "192.0.2.3", NULL, "192.0.2.3:53", 1 },
	{ "nonsense, 192.0.2.4", NULL, NULL, "192.0.2.4:53", 1 },
	{ NULL, NULL,
	  "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
	  "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
	  "nameserver 192.0.2.5\n",
	  "192.0.2.1:53", RESOLVERS_MAX },
};

static void test_choose(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct resolvers r = { .count = 99 };
		char text[ADDR_STRLEN];
		int got = resolvers_choose(&r, cases[i].bootstrap,
					   cases[i].fallback, cases[i].conf,
					   cases[i].conf ? strlen(cases[i].conf)
							 : 0);

		if (!cases[i].first) {
			assert_int_equal(got, -ENOENT);
			assert_int_equal(r.count, 99);
			continue;
		}
		assert_int_equal(got, 0);
		assert_int_equal(r.count, cases[i].count);
		assert_string_equal(addr_format_port(&r.servers[0].addr,
						     r.servers[0].port, text),
				    cases[i].first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
