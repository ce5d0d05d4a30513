/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void integers_round_trip(void **state)
{
	uint8_t buf[64];
	struct wcur w;
	struct rcur c;

	(void)state;
	wcur_init(&w, buf, sizeof(buf));
	wcur_u8(&w, 0xfe);
	wcur_u16(&w, 0xfedc);
	wcur_u32(&w, 0xfedcba98);
	wcur_u64(&w, 0xfedcba9876543210);
	wcur_u16_be(&w, 0x1234);
	wcur_u32_be(&w, 0x12345678);
	assert_int_equal(wcur_finish(&w), 0);
	assert_int_equal(w.len, 21);
	assert_memory_equal(buf, "\xfe\xdc\xfe\x98\xba\xdc\xfe", 7);
	assert_memory_equal(buf + 15, "\x12\x34\x12\x34\x56\x78", 6);

	rcur_init(&c, buf, w.len);
	assert_int_equal(rcur_u8(&c), 0xfe);
	assert_int_equal(rcur_u16(&c), 0xfedc);
	assert_int_equal(rcur_u32(&c), 0xfedcba98);
	assert_true(rcur_u64(&c) == 0xfedcba9876543210);
	assert_int_equal(rcur_u16_be(&c), 0x1234);
	assert_int_equal(rcur_u32_be(&c), 0x12345678);
	assert_int_equal(rcur_finish(&c), 0);
}

static void a_short_read_sticks(void **state)
{
	uint8_t dst[4] = { 1, 1, 1, 1 };
	struct rcur c;

	(void)state;
	rcur_init(&c, "abc", 3);
	assert_int_equal(rcur_u32(&c), 0);
	assert_int_equal(rcur_u8(&c), 0); /* though a byte would be there */
	assert_null(rcur_view(&c, 1));
	rcur_bytes(&c, dst, sizeof(dst));
	assert_memory_equal(dst, "\0\0\0\0", 4);
	assert_int_equal(rcur_finish(&c), -EBADMSG);
}

static void bytes_left_over_are_an_error(void **state)
{
	struct rcur c;

	(void)state;
	rcur_init(&c, "ab", 2);
	rcur_u8(&c);
	assert_int_equal(rcur_finish(&c), -EBADMSG);
	rcur_skip(&c, 1);
	assert_int_equal(rcur_finish(&c), 0);
	rcur_init(&c, NULL, 0);
	assert_int_equal(rcur_finish(&c), 0);
}

static const struct {
	const char *in;
	size_t len, cap, max;
	const char *want; /* NULL: refused */
} strings[] = {
	{ "\3\0abc", 5, 8, 8, "abc" },	      { "\0\0", 2, 8, 8, "" },
	{ "\3\0abc", 5, 4, 3, "abc" }, /* just fits */
	{ "\3\0abc", 5, 3, 8, NULL },  /* no room for the NUL */
	{ "\3\0abc", 5, 8, 2, NULL },  /* longer than allowed */
	{ "\4\0abc", 5, 8, 8, NULL },  /* longer than the message */
	{ "\3\0a\0c", 5, 8, 8, NULL }, /* a NUL inside */
	{ "\377\377abc", 5, 8, 65535, NULL }, { "\3", 1, 8, 8, NULL },
};

static void strings_are_bounded(void **state)
{
	char dst[8];
	struct rcur c;

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		memset(dst, 'x', sizeof(dst));
		rcur_init(&c, strings[i].in, strings[i].len);
		rcur_str(&c, dst, strings[i].cap, strings[i].max);
		if (strings[i].want) {
			assert_int_equal(rcur_finish(&c), 0);
			assert_string_equal(dst, strings[i].want);
		} else {
			assert_int_equal(rcur_finish(&c), -EBADMSG);
			assert_int_equal(dst[0], '\0');
		}
	}
}

static void a_full_writer_sticks(void **state)
{
	uint8_t buf[4];
	struct wcur w;

	(void)state;
	wcur_init(&w, buf, sizeof(buf));
	wcur_u16(&w, 1);
	wcur_u32(&w, 1);
	wcur_u8(&w, 1); /* would fit, but what is before it did not */
	assert_int_equal(w.len, 2);
	assert_int_equal(wcur_finish(&w), -EMSGSIZE);
	wcur_init(&w, buf, sizeof(buf));
	wcur_str(&w, "abc", 2);
	assert_int_equal(wcur_finish(&w), -EMSGSIZE);
	wcur_init(&w, buf, sizeof(buf));
	wcur_str(&w, "ab", 2);
	assert_int_equal(wcur_finish(&w), 0);
	assert_memory_equal(buf, "\2\0ab", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_round_trip),
		cmocka_unit_test(a_short_read_sticks),
		cmocka_unit_test(bytes_left_over_are_an_error),
		cmocka_unit_test(strings_are_bounded),
		cmocka_unit_test(a_full_writer_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
