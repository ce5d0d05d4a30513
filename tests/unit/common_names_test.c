/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vocabularies: check.h, outcome.h; and the small value parsers of
 * worker_args.h, ctl_proto.h and clock.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/ctl_proto.h"
#include "common/msg.h"
#include "common/outcome.h"
#include "common/priv.h"
#include "common/worker_args.h"

typedef const char *(*name_fn)(unsigned int);

static const struct {
	name_fn name;
	unsigned int count;
} vocabularies[] = {
	{ check_class_name, CHECK_CLASS_COUNT },
	{ verdict_name, VERDICT_COUNT },
	{ node_state_name, NODE_STATE_COUNT },
	{ node_admin_name, NODE_ADMIN_COUNT },
	{ recycle_reason_name, RECYCLE_REASON_COUNT },
	{ outcome_name, OUTCOME_COUNT },
	{ outcome_text, OUTCOME_COUNT },
	{ foreign_name, FOREIGN_COUNT },
	{ phase_name, PHASE_COUNT },
};

static void names_are_there_and_differ(void **state)
{
	(void)state;
	for (size_t v = 0; v < ARRAY_LEN(vocabularies); v++) {
		name_fn name = vocabularies[v].name;

		for (unsigned int i = 0; i < vocabularies[v].count; i++) {
			assert_non_null(name(i));
			for (unsigned int j = 0; j < i; j++)
				assert_string_not_equal(name(i), name(j));
		}
		assert_string_equal(name(vocabularies[v].count), "?");
		assert_string_equal(name(UINT32_MAX), "?");
	}
}

static void classes_parse_and_have_families(void **state)
{
	(void)state;
	for (int c = 0; c < CHECK_CLASS_COUNT; c++)
		assert_int_equal(check_class_parse(check_class_name(c)), c);
	assert_int_equal(check_class_parse("tcp5"), -ENOENT);
	assert_int_equal(check_class_parse(""), -ENOENT);
	assert_int_equal(check_class_family(CHECK_QUIC6), 6);
	assert_int_equal(check_class_family(CHECK_UDP4), 4);
	assert_int_equal(check_class_family(CHECK_H3), 0);
}

static void our_failures_are_ours(void **state)
{
	(void)state;
	for (unsigned int o = 0; o < OUTCOME_COUNT; o++)
		assert_int_equal(outcome_is_ours(o),
				 o >= OUTCOME_LOCAL_RESOURCE);
	assert_false(outcome_is_ours(OUTCOME_COUNT));
}

static void worker_arguments_round_trip(void **state)
{
	const struct worker_args in = { .role = ROLE_PROBE,
					.generation = UINT32_MAX,
					.uid = PRIV_KEEP_IDS,
					.gid = 65534,
					.parent = 4194304,
					.data_bytes = UINT64_MAX,
					.files = 1024 };
	struct worker_argv v;
	struct worker_args out;
	int argc = 0;

	(void)state;
	worker_args_format(&in, &v);
	while (v.argv[argc])
		argc++;
	assert_int_equal(worker_args_parse(argc, v.argv, &out), 0);
	assert_memory_equal(&in.generation, &out.generation, 4);
	assert_int_equal(out.role, ROLE_PROBE);
	assert_true(out.uid == PRIV_KEEP_IDS && out.gid == 65534);
	assert_int_equal(out.parent, 4194304);
	assert_true(out.data_bytes == UINT64_MAX);
	assert_int_equal(out.files, 1024);
	assert_int_equal(worker_args_parse(argc - 2, v.argv, &out), -EINVAL);
	strcpy(v.text[4], "x12");
	assert_int_equal(worker_args_parse(argc, v.argv, &out), -EINVAL);
	strcpy(v.text[4], "12");
	strcpy(v.text[2], "none");
	assert_int_equal(worker_args_parse(argc, v.argv, &out), -EINVAL);
	strcpy(v.text[2], "probe");
	strcpy(v.text[5], "--generation"); /* twice, and one is missing */
	assert_int_equal(worker_args_parse(argc, v.argv, &out), -EINVAL);
}

static void control_frames_have_limits(void **state)
{
	uint8_t h[CTL_HEADER_LEN];

	(void)state;
	assert_int_equal(ctl_frame_begin(h, 0), -EMSGSIZE);
	assert_int_equal(ctl_frame_begin(h, CTL_FRAME_MAX + 1), -EMSGSIZE);
	assert_int_equal(ctl_frame_begin(h, CTL_FRAME_MAX), 0);
	assert_memory_equal(h, "\0\x10\0\0", 4);
	assert_int_equal(ctl_frame_len(h, 4), CTL_FRAME_MAX);
	assert_int_equal(ctl_frame_len(h, 3), -EAGAIN);
	assert_int_equal(ctl_frame_len("\0\x10\0\1", 4), -EMSGSIZE);
	assert_int_equal(ctl_frame_len("\xff\xff\xff\xff", 4), -EMSGSIZE);
	assert_int_equal(ctl_frame_len("\0\0\0\0", 4), -EMSGSIZE);
}

static void clocks_run(void **state)
{
	uint64_t a = clock_mono_ns();

	(void)state;
	assert_true(clock_mono_ns() >= a);
	assert_true(clock_is_unset(0));
	assert_true(clock_is_unset(1000000000 * NS_PER_S));  /* 2001 */
	assert_false(clock_is_unset(1800000000 * NS_PER_S)); /* 2027 */
	assert_false(clock_is_unset(clock_wall_ns()));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_there_and_differ),
		cmocka_unit_test(classes_parse_and_have_families),
		cmocka_unit_test(our_failures_are_ours),
		cmocka_unit_test(worker_arguments_round_trip),
		cmocka_unit_test(control_frames_have_limits),
		cmocka_unit_test(clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
