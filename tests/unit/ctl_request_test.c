/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/ctl_request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

static const struct {
	const char *text;
	int want;
	const char *cmd; /* on 0 */
} requests[] = {
	{ "{\"v\":1,\"id\":7,\"cmd\":\"nodes.list\",\"args\":{}}", 0,
	  "nodes.list" },
	{ "{\"v\":1,\"id\":0,\"cmd\":\"status\"}", 0, "status" },
	{ " {\"id\":1,\"v\":1,\"cmd\":\"a-b\"} ", 0, "a-b" },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"s\",\"args\":{\"x\":\"[[[[[[[[[[[\"}}",
	  0, "s" },
	{ "{\"v\":2,\"id\":1,\"cmd\":\"status\"}", -EPROTONOSUPPORT, NULL },
	{ "", -EBADMSG, NULL },
	{ "7", -EBADMSG, NULL },
	{ "[]", -EBADMSG, NULL },
	{ "{}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"status\"", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"status\"} x", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":-1,\"cmd\":\"status\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1.5,\"cmd\":\"status\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1e400,\"cmd\":\"status\"}", -EBADMSG, NULL },
	{ "{\"v\":\"1\",\"id\":1,\"cmd\":\"status\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"Status\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"../x\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"s\\u0000t\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"s\",\"args\":[]}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"s\",\"args\":null}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"s\",\"more\":1}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"id\":2,\"cmd\":\"s\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"\xff\"}", -EBADMSG, NULL },
	{ "{\"v\":1,\"id\":1,\"cmd\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaa\"}",
	  -EBADMSG, NULL },
};

static void test_requests(void **state)
{
	struct ctl_request q;
	char why[128];
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		why[0] = '\0';
		r = ctl_request_parse(requests[i].text,
				      strlen(requests[i].text), &q, why,
				      sizeof(why));
		if (r != requests[i].want)
			print_message("%s\n", requests[i].text);
		assert_int_equal(r, requests[i].want);
		if (r == 0)
			assert_string_equal(q.cmd, requests[i].cmd);
		else
			assert_true(why[0] != '\0');
		ctl_request_clear(&q);
	}
}

/* The other version's id is known, so that it can be told. */
static void test_version_keeps_id(void **state)
{
	static const char text[] = "{\"v\":9,\"id\":42,\"cmd\":\"status\"}";
	struct ctl_request q;
	char why[128];

	(void)state;
	assert_int_equal(ctl_request_parse(text, sizeof(text) - 1, &q, why,
					   sizeof(why)),
			 -EPROTONOSUPPORT);
	assert_int_equal(q.id, 42);
	ctl_request_clear(&q);
}

static void test_depth_and_size(void **state)
{
	size_t len = CTL_REQUEST_MAX + 1;
	struct ctl_request q;
	char why[128], *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	assert_int_equal(ctl_request_parse(text, len - 1, &q, why, 128),
			 -EBADMSG);
	memset(text, ' ', len);
	memcpy(text, "{\"v\":1,\"id\":1,\"cmd\":\"s\"}", 24);
	assert_int_equal(ctl_request_parse(text, len, &q, why, 128), -EBADMSG);
	assert_int_equal(ctl_request_parse(text, len - 1, &q, why, 128), 0);
	ctl_request_clear(&q);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_version_keeps_id),
		cmocka_unit_test(test_depth_and_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
