/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/compile/prefixes.h"

static void fill(struct prefixes *p, const char *list)
{
	char copy[512], *one, *save = NULL;
	struct prefix item;

	snprintf(copy, sizeof(copy), "%s", list);
	for (one = strtok_r(copy, " ", &save); one;
	     one = strtok_r(NULL, " ", &save)) {
		assert_int_equal(prefix_parse(one, &item), 0);
		assert_int_equal(prefixes_add(p, &item), 0);
	}
}

static const char *text_of(const struct prefixes *p)
{
	static char text[16384];
	char a[ADDR_STRLEN];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < p->count && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s/%u",
				      i ? " " : "",
				      addr_format(&p->items[i].addr, a),
				      p->items[i].len);
	return text;
}

static void test_settle(void **state DAE_UNUSED)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "" },
		{ "10.1.0.0/16 10.0.0.0/8 10.0.0.0/8", "10.0.0.0/8" },
		{ "10.0.0.0/9 10.128.0.0/9", "10.0.0.0/8" },
		/* not halves of one, though neighbours */
		{ "10.128.0.0/9 11.0.0.0/9", "10.128.0.0/9 11.0.0.0/9" },
		/* halves of halves */
		{ "192.0.2.3/32 192.0.2.2/32 192.0.2.0/31 192.0.2.4/30",
		  "192.0.2.0/29" },
		{ "0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1", "0.0.0.0/0 ::/0" },
		{ "2001:db8:1::/48 2001:db8::/48 ::1/128",
		  "::1/128 2001:db8::/47" },
		{ "::/0 10.0.0.0/8", "10.0.0.0/8 ::/0" },
	};
	struct prefixes p = { .count = 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fill(&p, rows[i].in);
		prefixes_settle(&p);
		assert_string_equal(text_of(&p), rows[i].want);
		prefixes_clear(&p);
	}
}

static void test_invert(void **state DAE_UNUSED)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "0.0.0.0/0 ::/0" },
		{ "0.0.0.0/0 ::/0", "" },
		{ "0.0.0.0/0", "::/0" },
		{ "128.0.0.0/1 ::/1", "0.0.0.0/1 8000::/1" },
		{ "64.0.0.0/2 ::/0", "0.0.0.0/2 128.0.0.0/1" },
	};
	struct prefixes p = { .count = 0 };
	char all[16384];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fill(&p, rows[i].in);
		assert_int_equal(prefixes_invert(&p), 0);
		assert_string_equal(text_of(&p), rows[i].want);
		prefixes_clear(&p);
	}
	/* twice is what it was */
	fill(&p, "10.0.0.0/8 192.0.2.1/32 198.51.100.64/26 2001:db8::/32 "
		 "fe80::1/128");
	snprintf(all, sizeof(all), "%s", text_of(&p));
	assert_int_equal(prefixes_invert(&p), 0);
	assert_int_equal(prefixes_invert(&p), 0);
	prefixes_settle(&p);
	assert_string_equal(text_of(&p), all);
	prefixes_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_invert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
