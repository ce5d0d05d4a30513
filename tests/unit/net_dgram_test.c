/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of a SOCKS5 relay, on and off. */
#include "worker/net/dgram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"

#define MSG(s) s, sizeof(s) - 1

struct rig {
	struct dgram d;
	uint32_t tx, rx;
	int peer;
};

static int rig_start(void **state)
{
	static struct rig r;
	int pair[2];

	r = (struct rig){ 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	r.d.fd = pair[0];
	r.peer = pair[1];
	r.d.tx = &r.tx;
	r.d.rx = &r.rx;
	*state = &r;
	return 0;
}

static int rig_stop(void **state)
{
	struct rig *r = *state;

	close(r->d.fd);
	close(r->peer);
	return 0;
}

static void with_head(struct rig *r)
{
	memcpy(r->d.head, "\0\0\0\1\300\0\2\1\0\65", 10);
	r->d.head_len = 10;
}

static void plain(void **state)
{
	struct rig *r = *state;
	char buf[DGRAM_MAX];

	assert_int_equal(dgram_send(&r->d, "abc", 3), 0);
	assert_int_equal(recv(r->peer, buf, sizeof(buf), 0), 3);
	assert_int_equal(send(r->peer, "defg", 4, 0), 4);
	assert_int_equal(dgram_recv(&r->d, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "defg", 4);
	assert_int_equal(dgram_recv(&r->d, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(r->tx, 3);
	assert_int_equal(r->rx, 4);
	assert_int_equal(dgram_send(&r->d, buf, DGRAM_MAX + 1), -EMSGSIZE);
}

static void head_is_put_on(void **state)
{
	struct rig *r = *state;
	char buf[DGRAM_MAX];

	with_head(r);
	assert_int_equal(dgram_send(&r->d, "abc", 3), 0);
	assert_int_equal(recv(r->peer, buf, sizeof(buf), 0), 13);
	assert_memory_equal(buf,
			    "\0\0\0\1\300\0\2\1\0\65"
			    "abc",
			    13);
	assert_int_equal(r->tx, 3);
}

static void heads_are_taken_off(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		ssize_t want;
	} rows[] = {
		{ MSG("\0\0\0\1\1\2\3\4\0\65"
		      "ok"),
		  2 },
		{ MSG("\0\0\0\1\1\2\3\4\0\65"), 0 },
		{ MSG("\0\0\0\3\2ab\0\65"
		      "ok"),
		  2 },
		{ MSG("\0\0\0\4"
		      "0123456789abcdef"
		      "\0\65"
		      "ok"),
		  2 },
		{ MSG("\0\1\0\1\1\2\3\4\0\65"
		      "no"),
		  -EAGAIN },
		{ MSG("\0\0\1\1\1\2\3\4\0\65"
		      "no"),
		  -EAGAIN },
		{ MSG("\0\0\0\2\1\2\3\4\0\65"
		      "no"),
		  -EAGAIN },
		{ MSG("\0\0\0\1\1\2\3\4\0"), -EAGAIN },
		{ MSG("\0\0\0\3\377"
		      "ab\0\65"),
		  -EAGAIN },
		{ MSG("\0\0\0\3"), -EAGAIN },
		{ MSG("\0\0\0"), -EAGAIN },
		{ MSG(""), -EAGAIN },
	};
	struct rig *r = *state;
	char buf[DGRAM_MAX];

	with_head(r);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(send(r->peer, rows[i].in, rows[i].len, 0) >= 0);
		assert_int_equal(dgram_recv(&r->d, buf, sizeof(buf)),
				 rows[i].want);
		if (rows[i].want > 0)
			assert_memory_equal(buf, "ok", 2);
	}
}

static void good_one_behind_bad_ones(void **state)
{
	struct rig *r = *state;
	char buf[DGRAM_MAX];

	with_head(r);
	for (int i = 0; i < 5; i++)
		assert_int_equal(send(r->peer, "bad", 3, 0), 3);
	assert_int_equal(send(r->peer,
			      MSG("\0\0\0\1\1\2\3\4\0\65"
				  "x"),
			      0),
			 11);
	assert_int_equal(dgram_recv(&r->d, buf, sizeof(buf)), 1);
	assert_int_equal(r->rx, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain, rig_start, rig_stop),
		cmocka_unit_test_setup_teardown(head_is_put_on, rig_start,
						rig_stop),
		cmocka_unit_test_setup_teardown(heads_are_taken_off, rig_start,
						rig_stop),
		cmocka_unit_test_setup_teardown(good_one_behind_bad_ones,
						rig_start, rig_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
