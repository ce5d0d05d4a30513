/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a group reaches the kernel: those that carry traffic, and who is
 * asked when nobody is left. */
#include "supervisor/kernel_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"

enum { ENGINE, PROXY, UPLINK, NODES };

struct rig {
	struct config config;
	struct config_node nodes[NODES];
	uint16_t ids[NODES];
	struct kernel_route route;
	struct prober prober;
	struct target *t[NODES];
	struct datapath_list seen, list;
	struct group_candidates c;
};

static void rig_init(struct rig *r)
{
	static const char *const names[] = { "engine", "proxy", "uplink" };

	memset(r, 0, sizeof(*r));
	r->nodes[ENGINE].scheme = SCHEME_TPROXY;
	r->nodes[PROXY].scheme = SCHEME_SOCKS5;
	r->nodes[UPLINK].scheme = SCHEME_IFACE;
	r->config.nodes = r->nodes;
	r->config.node_count = NODES;
	r->route = (struct kernel_route){ .config = &r->config,
					  .target_ids = r->ids };
	assert_int_equal(target_table_new(&r->prober.targets, NODES), 0);
	for (size_t i = 0; i < NODES; i++) {
		struct target_spec spec = { .name = names[i],
					    .config_index = i };

		assert_int_equal(target_table_add(r->prober.targets, &spec,
						  NULL, &r->t[i]),
				 0);
		r->ids[i] = (uint16_t)(500 + i);
		r->c.targets[i] = r->t[i]->index;
	}
	r->c.count = NODES;
	memset(&r->seen, 0xff, sizeof(r->seen)); /* as kernel_route_forget() */
}

static void rig_fini(struct rig *r)
{
	target_table_free(&r->prober.targets);
}

static void make_list(struct rig *r)
{
	kernel_route_list(&r->route, &r->prober, &r->c, &r->seen, &r->list);
}

static void test_only_carriers(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	r.c.alive = 7;
	r.c.is_random = true;
	make_list(&r);
	assert_int_equal(r.list.count, 2);
	assert_int_equal(r.list.targets[0], 500);
	assert_int_equal(r.list.targets[1], 502);
	assert_int_equal(r.list.alive, 3);
	assert_true(r.list.is_random);
	r.c.alive = 6;
	r.c.is_random = false;
	make_list(&r);
	assert_int_equal(r.list.alive, 2);
	assert_false(r.list.is_random);
	rig_fini(&r);
}

static void test_last_in_use(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	r.c.dead = ALL_DEAD_LAST;
	r.c.last = UPLINK;
	make_list(&r);
	assert_int_equal(r.list.on_all_dead, DAE_DEAD_LAST);
	assert_int_equal(r.list.last, 1);
	rig_fini(&r);
}

/* The group preferred a node that carries nothing: what did carry goes on. */
static void test_last_that_carried(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	r.c.dead = ALL_DEAD_LAST;
	r.c.last = PROXY;
	make_list(&r);
	assert_int_equal(r.list.on_all_dead, DAE_DEAD_BLOCK);
	r.c.alive = 1U << PROXY | 1U << UPLINK;
	make_list(&r);
	r.seen = r.list;
	r.c.alive = 0;
	make_list(&r);
	assert_int_equal(r.list.on_all_dead, DAE_DEAD_LAST);
	assert_int_equal(r.list.last, 1);
	r.seen = r.list; /* and stays the one */
	make_list(&r);
	assert_int_equal(r.list.last, 1);
	SWAP(r.c.targets[ENGINE], r.c.targets[UPLINK]);
	make_list(&r);
	assert_int_equal(r.list.targets[r.list.last], 502);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_carriers),
		cmocka_unit_test(test_last_in_use),
		cmocka_unit_test(test_last_that_carried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
