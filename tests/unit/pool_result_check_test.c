/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/result_check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/job.h"

static struct result good(void)
{
	return (struct result){ .job_id = 1,
				.outcome = OUTCOME_TLS_ALERT,
				.phase = PHASE_HANDSHAKE,
				.foreign_kind = FOREIGN_TLS_ALERT,
				.foreign = 40,
				.detail = "handshake_failure" };
}

static int read_it(const struct result *r)
{
	uint8_t payload[sizeof(*r) + 1];
	struct result out;
	int ret;

	memcpy(payload + 1, r, sizeof(*r)); /* not aligned, as on the wire */
	ret = result_read(payload + 1, sizeof(*r), 0, &out);
	if (ret == 0)
		assert_memory_equal(&out, r, sizeof(out));
	return ret;
}

static void a_good_one_is_read(void **state)
{
	struct result r = good();

	(void)state;
	assert_int_equal(read_it(&r), 0);
	r.naddrs = MSG_ADDRS_MAX;
	r.addr_family = 6;
	assert_int_equal(read_it(&r), 0);
	memset(r.detail, 'x', MSG_DETAIL_MAX - 1);
	assert_int_equal(read_it(&r), 0);
}

static void what_does_not_exist_is_refused(void **state)
{
	struct result bad[12];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good();
	bad[0].job_id = 0;
	bad[1].outcome = OUTCOME_COUNT;
	bad[2].phase = PHASE_COUNT;
	bad[3].foreign_kind = FOREIGN_COUNT;
	bad[4].rcode = 0x1000;
	bad[5].naddrs = MSG_ADDRS_MAX + 1;
	bad[6].addr_family = 4; /* with no address */
	bad[7].naddrs = 1;	/* of no family */
	bad[8].detail[3] = '\n';
	bad[9].detail[3] = '\x7f';
	bad[10].detail[40] = 'x'; /* behind the NUL */
	memset(bad[11].detail, 'x', MSG_DETAIL_MAX);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (read_it(&bad[i]) != -EBADMSG)
			print_error("case %zu\n", i);
		assert_int_equal(read_it(&bad[i]), -EBADMSG);
	}
}

static void only_whole_ones_are_read(void **state)
{
	struct result r[2] = { good(), good() }, out;
	const uint8_t *p = (const uint8_t *)r;

	(void)state;
	assert_int_equal(result_read(p, sizeof(r), 1, &out), 0);
	assert_int_equal(result_read(p, sizeof(r), 2, &out), -EBADMSG);
	assert_int_equal(result_read(p, sizeof(r) - 1, 1, &out), -EBADMSG);
	assert_int_equal(result_read(p, 0, 0, &out), -EBADMSG);
}

static void addresses_are_for_questions(void **state)
{
	struct result r = good();

	(void)state;
	assert_int_equal(result_fits_kind(&r, JOB_HTTP), 0);
	assert_int_equal(result_fits_kind(&r, JOB_RESOLVE), 0);
	r.outcome = OUTCOME_OK; /* "yes", and no address */
	assert_int_equal(result_fits_kind(&r, JOB_RESOLVE), -EBADMSG);
	r.naddrs = 1;
	r.addr_family = 4;
	assert_int_equal(result_fits_kind(&r, JOB_RESOLVE), 0);
	assert_int_equal(result_fits_kind(&r, JOB_HTTP), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one_is_read),
		cmocka_unit_test(what_does_not_exist_is_refused),
		cmocka_unit_test(only_whole_ones_are_read),
		cmocka_unit_test(addresses_are_for_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
