/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

#define FFFD "\xef\xbf\xbd"

static const struct {
	const char *in;
	const char *want;
} dirty[] = {
	{ "plain", "plain" },
	{ "gr\xc3\xbc\xc3\x9f \xf0\x9f\x87\xa9",
	  "gr\xc3\xbc\xc3\x9f \xf0\x9f\x87\xa9" },
	{ "a\nb\tc", "a" FFFD "b" FFFD "c" },
	{ "\x1b[31mred", FFFD "[31mred" },
	{ "\xc2\x9b"
	  "31m",
	  FFFD "31m" }, /* the C1 form of the escape */
	{ "x\x7f", "x" FFFD },
	{ "\xe2\x80\xae"
	  "evil",
	  FFFD "evil" }, /* right-to-left override */
	{ "\xe2\x81\xa6"
	  "x",
	  FFFD "x" }, /* isolate */
	{ "\xe2\x80\x8f", FFFD },
	{ "\xe2\x80\xa8", FFFD },     /* line separator */
	{ "\xf3\xa0\x81\x81", FFFD }, /* tag character */
	{ "\xff", FFFD },
	{ "\xc0\xaf", FFFD FFFD }, /* overlong */
	{ "\xe0\x80\xaf", FFFD FFFD FFFD },
	{ "\xed\xa0\x80", FFFD FFFD FFFD }, /* surrogate */
	{ "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD },
	{ "\xe2\x82", FFFD }, /* cut short */
	{ "\xe2\x82z", FFFD "z" },
	{ "\x80", FFFD },
};

static void outside_text_is_made_safe(void **state)
{
	char out[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dirty); i++) {
		size_t n = text_clean(out, sizeof(out), dirty[i].in,
				      strlen(dirty[i].in));

		if (strcmp(out, dirty[i].want) != 0)
			print_error("case %zu\n", i);
		assert_string_equal(out, dirty[i].want);
		assert_int_equal(n, strlen(out));
	}
	assert_int_equal(text_clean(out, sizeof(out), "a\0b", 3), 5);
	assert_string_equal(out, "a" FFFD "b");
}

static void text_is_cut_between_characters(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(text_clean(out, 4, "ab\xc3\xbc", 4), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(text_clean(out, 5, "ab\xc3\xbc", 4), 4);
	assert_int_equal(text_clean(out, 3, "\n", 1), 0);
	assert_int_equal(text_clean(out, 1, "a", 1), 0);
	assert_string_equal(out, "");
	memset(out, 'x', sizeof(out));
	assert_int_equal(text_clean(out, 0, "a", 1), 0);
	assert_int_equal(out[0], 'x');
}

static const struct {
	const char *a, *b;
	unsigned int want;
} distances[] = {
	{ "", "", 0 },
	{ "abc", "abc", 0 },
	{ "abc", "abd", 1 },
	{ "abc", "ab", 1 },
	{ "abc", "acb", 1 },
	{ "ab", "ba", 1 },
	{ "kitten", "sitting", 3 },
	{ "", "abc", 3 },
	{ "aaaaaaaaaaaa", "bbbbbbbbbbbb", 8 },
};

static void distance_counts_edits(void **state)
{
	char longer[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(distances); i++) {
		assert_int_equal(text_distance(distances[i].a, distances[i].b),
				 distances[i].want);
		assert_int_equal(text_distance(distances[i].b, distances[i].a),
				 distances[i].want);
	}
	memset(longer, 'a', 99);
	longer[99] = '\0';
	assert_int_equal(text_distance(longer, longer), 0);
	assert_int_equal(text_distance(longer, "a"), 8);
}

static void suggestions_are_near(void **state)
{
	static const char *const names[] = { "min_moving_avg", "random",
					     "fixed", "min", NULL };

	(void)state;
	assert_string_equal(text_suggest("randon", names), "random");
	assert_string_equal(text_suggest("fxied", names), "fixed");
	assert_string_equal(text_suggest("min_movingavg", names),
			    "min_moving_avg");
	assert_string_equal(text_suggest("mim", names), "min");
	assert_null(text_suggest("x", names));
	assert_null(text_suggest("", names));
	assert_null(text_suggest("completely", names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_text_is_made_safe),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(distance_counts_edits),
		cmocka_unit_test(suggestions_are_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
