/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/event.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/core/totals.h"

static const struct event_time at = { 5, 6 };

static void test_ring(void **state)
{
	auto_event_ring struct event_ring *r = NULL;
	const struct event_record *e;
	uint64_t seq = 0;

	(void)state;
	assert_int_equal(event_ring_new(&r, 0), -EINVAL);
	assert_int_equal(event_ring_new(&r, 4), 0);
	assert_null(event_after(r, 0));
	assert_int_equal(event_last_seq(r), 0);
	for (uint32_t i = 1; i <= 10; i++)
		event_record(r, EVENT_NOTE, &at, i, "s", "t");
	assert_int_equal(event_last_seq(r), 10);
	for (uint32_t i = 7; i <= 10; i++) { /* the last four, in order */
		e = event_after(r, seq);
		assert_non_null(e);
		assert_int_equal(e->seq, i);
		assert_int_equal(e->target, i);
		assert_int_equal(e->mono_ns, 5);
		assert_int_equal(e->wall_ms, 6);
		seq = e->seq;
	}
	assert_null(event_after(r, seq));
	assert_null(event_after(r, UINT64_MAX));
	assert_int_equal(event_after(r, 8)->seq, 9);
}

static void test_text_is_clean_and_cut(void **state)
{
	auto_event_ring struct event_ring *r = NULL;
	const struct event_record *e;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(event_ring_new(&r, 1), 0);
	e = event_record(r, EVENT_CRASH, &at, 0, "evil\x1b[31m\n", text);
	assert_null(strchr(e->subject, '\x1b'));
	assert_null(strchr(e->subject, '\n'));
	assert_int_equal(strncmp(e->subject, "evil", 4), 0);
	assert_int_equal(strlen(e->text), EVENT_TEXT_MAX - 1);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < EVENT_KIND_COUNT; i++)
		assert_int_equal(event_kind_parse(event_kind_name(i)), i);
	assert_int_equal(event_kind_parse("nonsense"), -ENOENT);
	assert_string_equal(event_kind_name(EVENT_KIND_COUNT), "?");
}

static void test_totals(void **state)
{
	struct totals t = { 0 };

	(void)state;
	t.recycles[RECYCLE_AGE] = 2;
	t.recycles[RECYCLE_CRASH] = 3;
	t.results[OUTCOME_OK] = 10;
	t.results[OUTCOME_RESET] = 4;
	t.results[OUTCOME_WORKER_LOST] = 1;
	assert_int_equal(totals_recycles(&t), 5);
	assert_int_equal(totals_results(&t), 15);
	assert_int_equal(totals_ours(&t), 1);
	for (unsigned int i = 0; i < NOT_SENT_COUNT; i++)
		assert_string_not_equal(not_sent_name(i), "?");
	assert_string_equal(not_sent_name(NOT_SENT_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_text_is_clean_and_cut),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_totals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
