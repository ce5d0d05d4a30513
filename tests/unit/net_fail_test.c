/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/net/fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

static void errnos(void **state DAE_UNUSED)
{
	static const struct {
		int err, is_connecting;
		enum outcome want;
	} rows[] = {
		{ ECONNREFUSED, 1, OUTCOME_REFUSED },
		{ ECONNRESET, 0, OUTCOME_RESET },
		{ EPIPE, 0, OUTCOME_RESET },
		{ ETIMEDOUT, 1, OUTCOME_CONNECT_TIMEOUT },
		{ ETIMEDOUT, 0, OUTCOME_RESPONSE_TIMEOUT },
		{ EHOSTUNREACH, 1, OUTCOME_UNREACHABLE },
		{ ENETUNREACH, 0, OUTCOME_UNREACHABLE },
		{ ENETDOWN, 0, OUTCOME_LOCAL_ROUTE },
		{ EPERM, 0, OUTCOME_LOCAL_ROUTE },
		{ ENOBUFS, 0, OUTCOME_LOCAL_RESOURCE },
		{ EMFILE, 0, OUTCOME_LOCAL_RESOURCE },
		{ EBADF, 0, OUTCOME_INTERNAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int sign = -1; sign <= 1; sign += 2) {
			struct fail f = { 0 };

			assert_int_equal(fail_errno(&f, sign * rows[i].err,
						    rows[i].is_connecting),
					 -EPROTO);
			assert_int_equal(f.outcome, rows[i].want);
			assert_int_equal(f.foreign_kind, FOREIGN_ERRNO);
			assert_int_equal(f.foreign, rows[i].err);
		}
	}
}

static void not_now_is_no_failure(void **state DAE_UNUSED)
{
	struct fail f = { 0 };

	assert_int_equal(fail_errno(&f, EAGAIN, 0), -EAGAIN);
	assert_int_equal(fail_errno(&f, -EINTR, 0), -EAGAIN);
	assert_int_equal(fail_errno(&f, EINPROGRESS, 1), -EAGAIN);
	assert_int_equal(f.outcome, OUTCOME_OK);
}

static void first_failure_stays(void **state DAE_UNUSED)
{
	struct fail f = { 0 };

	fail_set(&f, OUTCOME_TLS_ALERT, FOREIGN_TLS_ALERT, 40);
	assert_int_equal(fail_set(&f, OUTCOME_CLOSED, FOREIGN_NONE, 0),
			 -EPROTO);
	assert_int_equal(f.outcome, OUTCOME_TLS_ALERT);
	assert_int_equal(f.foreign, 40);
}

static void details_are_printable(void **state DAE_UNUSED)
{
	char longer[2 * MSG_DETAIL_MAX];
	struct fail f = { 0 };

	fail_detail(&f, "a\x1b[1m\n\xc3\xa4z", 9);
	assert_string_equal(f.detail, "a?[1m???z");
	fail_detail(&f, "cut\0off", 7);
	assert_string_equal(f.detail, "cut");
	memset(longer, 'x', sizeof(longer));
	fail_detail(&f, longer, sizeof(longer));
	assert_int_equal(strlen(f.detail), MSG_DETAIL_MAX - 1);
	fail_detail(&f, "", 0);
	for (size_t i = 0; i < sizeof(f.detail); i++)
		assert_int_equal(f.detail[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errnos),
		cmocka_unit_test(not_now_is_no_failure),
		cmocka_unit_test(first_failure_stays),
		cmocka_unit_test(details_are_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
