/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

#define H sizeof(struct msg_hdr)
#define R sizeof(struct result)

static const struct {
	const struct msg_rule *rules;
	unsigned int type, version, state;
	size_t len, nfds; /* of the whole record */
	int want;
} cases[] = {
	{ msg_from_worker, MSG_HELLO, 1, SLOT_STARTING, H + 16, 0, 0 },
	{ msg_from_worker, MSG_HELLO, 1, SLOT_READY, H + 16, 0, -EPROTO },
	{ msg_from_worker, MSG_HELLO, 2, SLOT_STARTING, H + 16, 0, -EPROTO },
	{ msg_from_worker, MSG_HELLO, 0, SLOT_STARTING, H + 16, 0, -EPROTO },
	{ msg_from_worker, MSG_HELLO, 1, SLOT_STARTING, H + 15, 0, -EBADMSG },
	{ msg_from_worker, MSG_HELLO, 1, SLOT_STARTING, H + 17, 0, -EBADMSG },
	{ msg_from_worker, MSG_HELLO, 1, SLOT_STARTING, H + 16, 1, -EBADMSG },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_READY, H + R, 0, 0 },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_DRAINING, H + 32 * R, 0, 0 },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_READY, H, 0, -EBADMSG },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_READY, H + R + 1, 0, -EBADMSG },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_READY, H + 33 * R, 0,
	  -EBADMSG },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_STARTING, H + R, 0, -EPROTO },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_KILLING, H + R, 0, -EPROTO },
	{ msg_from_worker, MSG_SOCKET_REQUEST, 1, SLOT_READY, H + 24, 0, 0 },
	{ msg_from_worker, MSG_HEARTBEAT, 1, SLOT_DRAINING, H + 32, 0, 0 },
	{ msg_from_worker, MSG_DRAINED, 1, SLOT_DRAINING, H, 0, 0 },
	{ msg_from_worker, MSG_DRAINED, 1, SLOT_READY, H, 0, -EPROTO },
	{ msg_from_worker, MSG_JOBS, 1, SLOT_READY, H + 2, 1, -EPROTO },
	{ msg_from_worker, MSG_NONE, 1, SLOT_READY, H, 0, -EPROTO },
	{ msg_from_worker, MSG_TYPE_COUNT, 1, SLOT_READY, H, 0, -EPROTO },
	{ msg_from_worker, 65535, 1, SLOT_READY, H, 0, -EPROTO },
	{ msg_from_worker, MSG_HELLO, 1, SLOT_STATE_COUNT, H + 16, 0, -EPROTO },
	{ msg_from_worker, MSG_HELLO, 1, SLOT_STARTING, H - 1, 0, -EBADMSG },
	{ msg_from_worker, MSG_HELLO, 1, SLOT_STARTING, 0, 0, -EBADMSG },
	{ msg_from_worker, MSG_RESULTS, 1, SLOT_READY, MSG_MAX + 1, 0,
	  -EBADMSG },
	{ msg_from_supervisor, MSG_SETUP, 1, 0, H + 8, 1, 0 },
	{ msg_from_supervisor, MSG_SETUP, 1, 0, H + 8, 0, -EBADMSG },
	{ msg_from_supervisor, MSG_SETUP, 1, 0, H + 8, 2, -EBADMSG },
	{ msg_from_supervisor, MSG_JOBS, 1, 0, MSG_MAX, 32, 0 },
	{ msg_from_supervisor, MSG_JOBS, 1, 0, H + 2, 33, -EBADMSG },
	{ msg_from_supervisor, MSG_SOCKET, 1, 0, H + 8, 0, 0 },
	{ msg_from_supervisor, MSG_SOCKET, 1, 0, H + 8, 1, 0 },
	{ msg_from_supervisor, MSG_DRAIN, 1, 0, H, 0, 0 },
	{ msg_from_supervisor, MSG_HELLO, 1, 0, H + 16, 0, -EPROTO },
};

static void the_table_decides(void **state)
{
	static uint8_t buf[MSG_MAX + 1];
	struct msg_hdr hdr;
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		memset(buf, 0, sizeof(buf));
		buf[0] = cases[i].type & 0xff;
		buf[1] = cases[i].type >> 8;
		buf[2] = cases[i].version & 0xff;
		buf[4] = 7;
		r = msg_check(cases[i].rules, cases[i].state, buf, cases[i].len,
			      cases[i].nfds, &hdr);
		if (r != cases[i].want)
			print_error("case %zu\n", i);
		assert_int_equal(r, cases[i].want);
		if (r == 0) {
			assert_int_equal(hdr.type, cases[i].type);
			assert_int_equal(hdr.request_id, 7);
		}
	}
}

/* No worker message may bring a descriptor, and no type is in both tables. */
static void the_tables_are_sane(void **state)
{
	(void)state;
	for (int t = 0; t < MSG_TYPE_COUNT; t++) {
		assert_int_equal(msg_from_worker[t].fds_max, 0);
		assert_false(msg_from_worker[t].allowed &&
			     msg_from_supervisor[t].allowed);
		assert_true(msg_from_worker[t].max + H <= MSG_MAX);
		assert_true(msg_from_supervisor[t].max + H <= MSG_MAX);
	}
}

static void names_cover_the_enums(void **state)
{
	(void)state;
	for (int t = 0; t < MSG_TYPE_COUNT; t++)
		assert_non_null(msg_type_name(t));
	for (int s = 0; s < SLOT_STATE_COUNT; s++)
		assert_non_null(slot_state_name(s));
	assert_string_equal(msg_type_name(MSG_DRAINED), "drained");
	assert_string_equal(slot_state_name(SLOT_BACKOFF), "backoff");
	assert_string_equal(msg_type_name(MSG_TYPE_COUNT), "?");
	assert_string_equal(slot_state_name(99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_decides),
		cmocka_unit_test(the_tables_are_sane),
		cmocka_unit_test(names_cover_the_enums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
