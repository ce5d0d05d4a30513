/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No memory at any single allocation: -ENOMEM, no leak, and no crash. */
#include "config_helper.h"

#include <errno.h>
#include <stdlib.h>

static size_t allocations; /* since the last reset */
static size_t failing;	   /* the number of the one that fails, 0: none */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *p, size_t count, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *p, size_t count, size_t size);
char *__wrap_strdup(const char *s);

static bool fails(void)
{
	return ++allocations == failing;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *p, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, count, size);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

/* Each kind of element, often enough for several blocks of the arena. */
static char *make_text(void)
{
	size_t cap = 100000, n = 0, i;
	char *text = __real_malloc(cap);

	assert_non_null(text);
	for (i = 0; i < 90; i++)
		n += (size_t)snprintf(
			text + n, cap - n,
			"node { n%zu: 'socks5://u:p@h%zu:1#x' }\n"
			"group { g%zu { filter: name(n%zu, regex: '^n%zu$') "
			"policy: min } }\n"
			"routing { dport(1, 2, 3, 4, 5) && dip(10.0.0.0/8) -> "
			"g%zu }\n"
			"supervisor { monitor { m%zu: 'doq://h/?name=a' "
			"[interval: 5s] } }\n"
			"dns { upstream { u%zu: 'tls://h' } }\n",
			i, i, i % 60, i, i, i % 60, i, i % 60);
	snprintf(text + n, cap - n,
		 "global { mptcp: on lan_interface: a, b, c }\n"
		 "subscription { a: 'https://h' }\n"
		 "routing { domain(a.com) -> direct fallback: must_g0 }\n");
	return text;
}

/* Duplicate groups and upstreams are in it, so messages are made, too. */
static void test_each_allocation(void **state DAE_UNUSED)
{
	char *text = make_text();
	size_t total, i, refused = 0;
	int r;

	allocations = failing = 0;
	{
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;

		r = config_parse(&c, text, strlen(text), &d);
		assert_int_equal(r, -EINVAL);
		total = allocations;
	}
	assert_true(total > 50);
	for (i = 1; i <= total; i++) {
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;

		allocations = 0;
		failing = i;
		r = config_parse(&c, text, strlen(text), &d);
		assert_null(c);
		if (r != -EINVAL)
			assert_int_equal(r, -ENOMEM);
		refused += r == -ENOMEM;
	}
	failing = 0;
	/* the line of a message is the one thing that may be missing */
	assert_true(refused > total / 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
