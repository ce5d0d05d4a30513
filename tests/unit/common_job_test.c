/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/job.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/msg.h"

static struct job_spec sample(void)
{
	struct job_spec s = {
		.id = 7,
		.deadline_ms = 10000,
		.kind = JOB_HTTP,
		.via = JOB_VIA_SOCKS5,
		.nfds = 1,
		.proto = IPPROTO_TCP,
		.flags = JOB_TLS | JOB_VIA_INSECURE,
		.status_min = 200,
		.status_max = 299,
	};
	struct sockaddr_in *in = (void *)&s.peer;
	struct sockaddr_in6 *in6 = (void *)&s.target;

	in->sin_family = AF_INET;
	in->sin_port = htons(1080);
	in->sin_addr.s_addr = htonl(0xc0000201);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(443);
	in6->sin6_scope_id = 3;
	in6->sin6_addr.s6_addr[0] = 0xfe;
	s.str[JOB_STR_HOST] = "example.org";
	s.str[JOB_STR_USER] = "u";
	return s;
}

static void round_trip(void **state)
{
	struct job_spec s = sample(), got;
	char arena[JOB_ARENA_SIZE];
	uint8_t buf[MSG_MAX];
	struct wcur w;
	struct rcur c;

	(void)state;
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(job_encode(&w, &s), 0);
	rcur_init(&c, buf, w.len);
	assert_int_equal(job_decode(&c, arena, &got), 0);
	assert_int_equal(rcur_finish(&c), 0);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.deadline_ms, 10000);
	assert_int_equal(got.flags, s.flags);
	assert_int_equal(got.status_max, 299);
	assert_memory_equal(&got.peer, &s.peer, sizeof(s.peer));
	assert_memory_equal(&got.target, &s.target, sizeof(s.target));
	assert_string_equal(got.str[JOB_STR_HOST], "example.org");
	assert_string_equal(got.str[JOB_STR_USER], "u");
	assert_string_equal(got.str[JOB_STR_PASSWORD], "");
}

/* Every string at its longest: it must fit the arena, and one job a message. */
static void longest_job_fits(void **state)
{
	static char text[JOB_STR_COUNT][2048];
	struct job_spec s = sample(), got;
	char arena[JOB_ARENA_SIZE];
	uint8_t buf[MSG_MAX - sizeof(struct msg_hdr)];
	struct wcur w;
	struct rcur c;

	(void)state;
	for (int i = 0; i < JOB_STR_COUNT; i++) {
		memset(text[i], 'a' + i, job_str_max[i]);
		s.str[i] = text[i];
	}
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(job_encode(&w, &s), 0);
	rcur_init(&c, buf, w.len);
	assert_int_equal(job_decode(&c, arena, &got), 0);
	for (int i = 0; i < JOB_STR_COUNT; i++)
		assert_string_equal(got.str[i], text[i]);
	text[JOB_STR_PATH][job_str_max[JOB_STR_PATH]] = 'x';
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(job_encode(&w, &s), -EINVAL);
	assert_int_equal(w.len, 0);
}

static void what_is_out_of_range_is_refused(void **state)
{
	struct job_spec bad[10];
	uint8_t buf[MSG_MAX];
	struct wcur w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = sample();
	bad[0].id = 0;
	bad[1].kind = JOB_KIND_COUNT;
	bad[2].kind = JOB_NONE;
	bad[3].via = JOB_VIA_DIRECT; /* with a target beyond it */
	bad[4].nfds = 2;
	bad[5].proto = IPPROTO_SCTP;
	bad[6].flags = JOB_FLAGS_ALL + 1;
	bad[7].status_min = 300;
	bad[8].peer.ss_family = AF_UNIX;
	bad[9].deadline_ms = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		wcur_init(&w, buf, sizeof(buf));
		assert_int_equal(job_encode(&w, &bad[i]), -EINVAL);
	}
}

/* Cut anywhere, or with any one byte changed: an answer, never a crash. */
static void damaged_jobs_are_survived(void **state)
{
	struct job_spec s = sample(), got;
	char arena[JOB_ARENA_SIZE];
	uint8_t buf[1024];
	struct wcur w;
	struct rcur c;
	int r;

	(void)state;
	wcur_init(&w, buf, sizeof(buf));
	assert_int_equal(job_encode(&w, &s), 0);
	for (size_t n = 0; n < w.len; n++) {
		rcur_init(&c, buf, n);
		assert_int_equal(job_decode(&c, arena, &got), -EBADMSG);
	}
	for (size_t i = 0; i < w.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			buf[i] ^= 1 << bit;
			rcur_init(&c, buf, w.len);
			r = job_decode(&c, arena, &got);
			assert_true(r == 0 || r == -EBADMSG);
			if (r == 0)
				assert_true(got.kind < JOB_KIND_COUNT);
			buf[i] ^= 1 << bit;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(longest_job_fits),
		cmocka_unit_test(what_is_out_of_range_is_refused),
		cmocka_unit_test(damaged_jobs_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
