/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/compile/nameset_build.h"
#include "supervisor/compile/regex.h"

static void test_matches(void **state DAE_UNUSED)
{
	static const struct {
		const char *pattern, *name;
		int want;
	} rows[] = {
		{ "^a\\.b$", "a.b", 1 },
		{ "a", "xax", 1 }, /* not anchored */
		{ "^a", "xax", 0 },
		{ "a$", "a\n", 0 }, /* the end is the end */
		{ "^(.+\\.)?x[0-9]{2,3}\\.com$", "w.x12.com", 1 },
		{ "^(.+\\.)?x[0-9]{2,3}\\.com$", "w.x1.com", 0 },
		{ "(?i)ABC", "abc", 1 },
		{ "(?P<n>a)b", "ab", 1 },
		{ "(?:a|b)+c", "abac", 1 },
		{ "[[:alpha:]]+[^]]", "ab", 1 },
		{ "\\Qa.b\\E", "axb", 0 },
		{ "\\d+?\\.", "1.", 1 },
		{ "x{,3}", "x{,3}", 1 }, /* no repetition: characters */
	};
	struct regex *r;
	char why[128];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(regex_new(&r, rows[i].pattern,
					   strlen(rows[i].pattern), why,
					   sizeof(why)),
				 0);
		assert_int_equal(regex_match(r, rows[i].name,
					     strlen(rows[i].name)),
				 rows[i].want);
		regex_free(&r);
	}
}

static void test_refused(void **state DAE_UNUSED)
{
	static const struct {
		const char *pattern, *why;
	} rows[] = {
		{ "(a)\\1", "references back" },
		{ "(?P<n>a)(?P=n)", "references back" },
		{ "\\k<n>", "no escape" },
		{ "\\Ka", "no escape" },
		{ "[\\R]", "no escape" },
		{ "(?=a)", "looking ahead" },
		{ "(?!a)", "looking ahead" },
		{ "(?<=a)b", "looking behind" },
		{ "(?<!a)b", "looking behind" },
		{ "(?>a)", "does not have" },
		{ "(?|a)", "does not have" },
		{ "(?R)", "does not have" },
		{ "(?1)", "does not have" },
		{ "(?(1)a)", "does not have" },
		{ "(?C)", "does not have" },
		{ "(*ACCEPT)", "verbs" },
		{ "(*UTF)a", "verbs" },
		{ "a++", "repetition" },
		{ "a**", "repetition" },
		{ "a{2}{3}", "repetition" },
		{ "a{1001}", "more than 1000" },
		{ "a\\", "backslash" },
		{ "(a", "parenthes" },
		{ "[a", "character class" },
		{ "*a", "quantifier" },
		{ "(((a{1000}){1000}){1000}){1000}", "too large" },
	};
	struct regex *r = NULL;
	char why[160];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(regex_new(&r, rows[i].pattern,
					   strlen(rows[i].pattern), why,
					   sizeof(why)),
				 -EINVAL);
		if (!strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].pattern, why);
		assert_null(r);
	}
	assert_int_equal(regex_new(&r, "a\0b", 3, why, sizeof(why)), -EINVAL);
}

/* An expression that takes for ever on a name made for it is given up soon. */
static void test_bounded(void **state DAE_UNUSED)
{
	static const char evil[] = "^(a+)+(a+)+(a+)+$";
	char name[NAMESET_NAME_MAX], why[128];
	struct timespec from, to;
	struct regex *r;

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '!';
	assert_int_equal(regex_new(&r, evil, strlen(evil), why, sizeof(why)),
			 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(regex_match(r, name, sizeof(name)), -E2BIG);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 3);
	regex_free(&r);
}

static void test_matcher(void **state DAE_UNUSED)
{
	auto_nameset_builder struct nameset_builder *b = NULL;
	auto_free void *image = NULL;
	struct matcher *m = NULL;
	struct dae_bitmap got;
	struct nameset n;
	size_t len, given_up = 0;
	char why[128];

	assert_int_equal(nameset_builder_new(&b, 7), 0);
	nameset_add(b, 0, NAMESET_SUFFIX, "x.org", 5);
	nameset_add(b, 1, NAMESET_REGEX, "^w\\d\\.", 6);
	nameset_add(b, 2, NAMESET_REGEX, "^w\\d\\.", 6);
	nameset_add(b, 3, NAMESET_REGEX, "^y", 2);
	assert_int_equal(nameset_build(b, 4, &image, &len), 0);
	assert_int_equal(nameset_open(image, len, &n), 0);
	assert_int_equal(matcher_new(&m, &n, why, sizeof(why)), 0);
	assert_int_equal(matcher_match(m, "w1.x.org", 8, &got, &given_up), 0);
	assert_int_equal(got.w[0], 7);
	assert_int_equal(matcher_match(m, "y.x.org", 7, &got, &given_up), 0);
	assert_int_equal(got.w[0], 9);
	assert_int_equal(given_up, 0);
	matcher_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_matcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
