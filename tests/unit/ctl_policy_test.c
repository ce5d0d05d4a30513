/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

/* What is set reads back as text in its shortest exact form. */
static const struct {
	const char *key, *value;
	int want;
	const char *text;
} rows[] = {
	{ "rss_soft", "16M", 0, "16M" },
	{ "rss_soft", "1536K", 0, "1536K" },
	{ "rss_soft", "16MiB", 0, "16M" },
	{ "rss_soft", "1K", -ERANGE, NULL },
	{ "rss_soft", "lots", -EINVAL, NULL },
	{ "rss_hard", "64M", 0, "64M" },
	{ "max_age", "2h", 0, "2h" },
	{ "max_age", "0", 0, "0s" },
	{ "max_age", "-1s", -ERANGE, NULL },
	{ "max_age", "10", -EINVAL, NULL },
	{ "max_age", "999999h", -ERANGE, NULL },
	{ "max_probes", "50000", 0, "50000" },
	{ "max_probes", "-5", -EINVAL, NULL },
	{ "max_probes", "18446744073709551615", -ERANGE, NULL },
	{ "max_probes", "", -EINVAL, NULL },
	{ "max_fds", "64", 0, "64" },
	{ "max_fds", "4294967297", -ERANGE, NULL },
	{ "slope", "30m", 0, "30m" },
	{ "drain_timeout", "30s", 0, "30s" },
	{ "drain_timeout", "0s", -ERANGE, NULL },
	{ "stuck_timeout", "15s", 0, "15s" },
	{ "jitter", "10%", 0, "10%" },
	{ "jitter", "10", 0, "10%" },
	{ "jitter", "101%", -ERANGE, NULL },
	{ "min_gap", "500ms", 0, "500ms" },
	{ "rss_sofd", "16M", -ENOENT, NULL },
};

static size_t index_of(const char *key)
{
	size_t i = 0;

	while (ctl_policy_key(i) && strcmp(ctl_policy_key(i), key) != 0)
		i++;
	return i;
}

static void test_rows(void **state)
{
	struct recycle_policy p, before;
	char buf[CTL_POLICY_TEXT];
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(&p, 0, sizeof(p));
		before = p;
		r = ctl_policy_set(&p, rows[i].key, rows[i].value);
		if (r != rows[i].want)
			print_message("%s=%s\n", rows[i].key, rows[i].value);
		assert_int_equal(r, rows[i].want);
		if (r < 0)
			assert_memory_equal(&p, &before, sizeof(p));
		else
			assert_string_equal(
				ctl_policy_format(&p, index_of(rows[i].key),
						  buf),
				rows[i].text);
	}
}

static void test_soft_below_hard(void **state)
{
	struct recycle_policy p = { .rss_soft_bytes = 64 << 20,
				    .rss_hard_bytes = 64 << 20 };
	char why[64];

	(void)state;
	assert_int_equal(ctl_policy_check(&p, why, sizeof(why)), -EINVAL);
	p.rss_soft_bytes--;
	assert_int_equal(ctl_policy_check(&p, why, sizeof(why)), 0);
	p.rss_hard_bytes = 0; /* derived */
	assert_int_equal(ctl_policy_check(&p, why, sizeof(why)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_soft_below_hard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
