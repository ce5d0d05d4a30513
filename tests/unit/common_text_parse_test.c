/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

static const struct {
	const char *in;
	int want;
	int64_t ns;
} durations[] = {
	{ "30s", 0, 30000000000 },
	{ "1m30s", 0, 90000000000 },
	{ "-500ms", 0, -500000000 },
	{ "+5s", 0, 5000000000 },
	{ ".5s", 0, 500000000 },
	{ "1.5h", 0, 5400000000000 },
	{ "1.s", 0, 1000000000 },
	{ "0", 0, 0 },
	{ "-0", 0, 0 },
	{ "3us", 0, 3000 },
	{ "3\xc2\xb5s", 0, 3000 },
	{ "3\xce\xbcs", 0, 3000 },
	{ "7ns", 0, 7 },
	{ "0.3333333333333333333h", 0, 1199999999999 },
	{ "9223372036854775807ns", 0, INT64_MAX },
	{ "-9223372036854775808ns", 0, INT64_MIN },
	{ "9223372036854775808ns", -ERANGE, 0 },
	{ "999999999999h", -ERANGE, 0 },
	{ "99999999999999999999999999999999999999999s", -ERANGE, 0 },
	{ "30", -EINVAL, 0 }, /* a unit is required */
	{ "", -EINVAL, 0 },
	{ "s", -EINVAL, 0 },
	{ ".s", -EINVAL, 0 },
	{ "-", -EINVAL, 0 },
	{ "--1s", -EINVAL, 0 },
	{ "1 s", -EINVAL, 0 },
	{ "1d", -EINVAL, 0 },
	{ "1s ", -EINVAL, 0 },
	{ "1sm", -EINVAL, 0 },
	{ "1m30", -EINVAL, 0 },
	{ "1.2.3s", -EINVAL, 0 },
};

static void durations_are_gos(void **state)
{
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int r = text_parse_duration(durations[i].in, &ns);

		if (r != durations[i].want)
			print_error("\"%s\"\n", durations[i].in);
		assert_int_equal(r, durations[i].want);
		if (r == 0)
			assert_true(ns == durations[i].ns);
	}
}

static const struct {
	const char *in;
	uint64_t max;
	int want;
	uint64_t value;
} uints[] = {
	{ "0", 10, 0, 0 },
	{ "10", 10, 0, 10 },
	{ "11", 10, -ERANGE, 0 },
	{ "0x1f", 255, 0, 31 },
	{ "0X1F", 255, 0, 31 },
	{ "0o17", 255, 0, 15 },
	{ "017", 255, 0, 15 },
	{ "0b101", 255, 0, 5 },
	{ "1_000", 2000, 0, 1000 },
	{ "0x_1f", 255, 0, 31 },
	{ "0_17", 255, 0, 15 },
	{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
	{ "0xffffffffffffffffffffffff", UINT64_MAX, -ERANGE, 0 },
	{ "", 10, -EINVAL, 0 },
	{ "-1", 10, -EINVAL, 0 },
	{ "+1", 10, -EINVAL, 0 },
	{ "_1", 10, -EINVAL, 0 },
	{ "1_", 10, -EINVAL, 0 },
	{ "1__0", 100, -EINVAL, 0 },
	{ "0x", 10, -EINVAL, 0 },
	{ "0x_", 10, -EINVAL, 0 },
	{ "08", 10, -EINVAL, 0 },
	{ "0b2", 10, -EINVAL, 0 },
	{ "1a", 100, -EINVAL, 0 },
	{ " 1", 10, -EINVAL, 0 },
};

static void integers_know_their_base(void **state)
{
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(uints); i++) {
		int r = text_parse_uint(uints[i].in, uints[i].max, &v);

		if (r != uints[i].want)
			print_error("\"%s\"\n", uints[i].in);
		assert_int_equal(r, uints[i].want);
		if (r == 0)
			assert_true(v == uints[i].value);
	}
}

static const struct {
	const char *in;
	int want;
	uint64_t value;
} sizes[] = {
	{ "64", 0, 64 },
	{ "64B", 0, 64 },
	{ "64K", 0, 65536 },
	{ "64KB", 0, 65536 },
	{ "64KiB", 0, 65536 },
	{ "16m", 0, 16777216 },
	{ "1G", 0, 1073741824 },
	{ "0", 0, 0 },
	{ "99999999999G", -ERANGE, 0 },
	{ "99999999999999999999999999", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "K", -EINVAL, 0 },
	{ "64iB", -EINVAL, 0 },
	{ "64KK", -EINVAL, 0 },
	{ "6 4", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
};

static void sizes_are_powers_of_1024(void **state)
{
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int r = text_parse_size(sizes[i].in, &v);

		if (r != sizes[i].want)
			print_error("\"%s\"\n", sizes[i].in);
		assert_int_equal(r, sizes[i].want);
		if (r == 0)
			assert_true(v == sizes[i].value);
	}
}

static void bools_are_gos(void **state)
{
	bool b;

	(void)state;
	assert_int_equal(text_parse_bool("True", &b), 0);
	assert_true(b);
	assert_int_equal(text_parse_bool("ON", &b), 0);
	assert_true(b);
	assert_int_equal(text_parse_bool("f", &b), 0);
	assert_false(b);
	assert_int_equal(text_parse_bool("", &b), -EINVAL);
	assert_int_equal(text_parse_bool("maybe", &b), -EINVAL);
}

static const struct {
	uint64_t ns;
	const char *want;
} shown[] = {
	{ 0, "0s" },
	{ 7, "7ns" },
	{ 1500, "1.5us" },
	{ 250000000, "250ms" },
	{ 1500000, "1.5ms" },
	{ 1500000000, "1.5s" },
	{ 90000000000, "1m30s" },
	{ 60000000000, "1m" },
	{ 3600000000000, "1h" },
	{ 3600250000000, "1h0.25s" },
	{ 1000000001, "1.000000001s" },
	{ UINT64_MAX, "5124095h34m33.709551615s" },
};

static void durations_are_shown_exactly(void **state)
{
	char buf[32];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		assert_string_equal(text_format_duration(shown[i].ns, buf),
				    shown[i].want);
		if (shown[i].ns > INT64_MAX)
			continue;
		assert_int_equal(text_parse_duration(buf, &back), 0);
		assert_true((uint64_t)back == shown[i].ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_gos),
		cmocka_unit_test(integers_know_their_base),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(bools_are_gos),
		cmocka_unit_test(durations_are_shown_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
