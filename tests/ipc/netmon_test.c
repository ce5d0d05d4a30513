/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In a network namespace of its own: what is news of the network. */
#include "supervisor/netmon.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/base.h"
#include "supervisor/datapath/policy.h"

struct world {
	struct event_base *base;
	struct netmon *m;
	struct netmon_state last;
	unsigned int calls;
};

static void on_state(void *ctx, const struct netmon_state *st)
{
	struct world *w = ctx;

	w->last = *st;
	w->calls++;
}

static int start(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(system("ip link set lo up && "
				"ip link add d0 type veth peer d1 && "
				"ip addr add 192.0.2.2/24 dev d0 && "
				"ip link set d1 up && ip link set d0 up && "
				"ip -6 addr flush dev d0 && "
				"ip -6 addr flush dev d1"),
			 0);
	w->base = event_base_new();
	assert_non_null(w->base);
	assert_int_equal(netmon_new(&w->m, w->base, on_state, w), 0);
	*state = w;
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;

	netmon_free(&w->m);
	event_base_free(w->base);
	free(w);
	return system("ip link del d0") == 0 ? 0 : -1;
}

/* How often it was told something within 500 ms after @command. */
static unsigned int calls_after(struct world *w, const char *command)
{
	static const struct timeval wait = { .tv_usec = 500 * 1000 };
	unsigned int before = w->calls;

	assert_int_equal(system(command), 0);
	event_base_loopexit(w->base, &wait);
	event_base_dispatch(w->base);
	return w->calls - before;
}

/* Links come up in steps. */
static void settle(struct world *w)
{
	for (int i = 0; i < 20 && calls_after(w, "true"); i++)
		;
}

static void test_a_way_out(void **state)
{
	struct world *w = *state;
	struct netmon_state st;
	uint64_t before;

	settle(w);
	assert_int_equal(netmon_read(&st), 0);
	assert_false(st.has_default4);
	before = st.fingerprint;
	assert_int_equal(calls_after(w, "ip route add default via 192.0.2.1"),
			 1);
	assert_true(w->last.has_default4);
	assert_true(w->last.fingerprint != before);
	assert_int_equal(calls_after(w, "ip route del default"), 1);
	assert_false(w->last.has_default4);
	assert_true(w->last.fingerprint == before);
}

/* The kernel tells of a route that is replaced by the same, at least in IPv6:
 * what is written in answer to news must not be news. */
static void test_own_routes_are_no_news(void **state)
{
	struct world *w = *state;
	char command[160];

	settle(w);
	for (int i = 0; i < 2; i++) {
		snprintf(command, sizeof(command),
			 "ip -6 route replace local default dev lo table 2023 "
			 "proto %d",
			 POLICY_RT_PROTOCOL);
		assert_int_equal(calls_after(w, command), 0);
	}
	assert_int_equal(calls_after(w, "ip -6 route replace local default dev "
					"lo table 2023 proto 219"),
			 1);
	/* somebody takes ours away */
	assert_int_equal(calls_after(w, "ip -6 route flush table 2023"), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_way_out, start, stop),
		cmocka_unit_test_setup_teardown(test_own_routes_are_no_news,
						start, stop),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		puts("SKIP: no network namespace can be made");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
