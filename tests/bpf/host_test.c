/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's own traffic: processes in a sub-cgroup of the test's own, every
 * way a flow of theirs can take, and what must never be taken.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/cleanup.h"
#include "supervisor/datapath/datapath_host.h"
#include "tests/bpf/host_stage.h"

/* The kinds of outbound. */
static void ways(void **state)
{
	struct rule_outbound marked = { .action = RULE_DIRECT,
					.has_mark = true,
					.mark = UPLINK_MARK };
	struct app_job plain = { .port = PORT }, again;
	struct rig *rig = *state;

	host_open(rig);
	stage_use(&stage, RULE_DIRECT, 0);
	all_arrive(&stage.a, plain);
	stage_use(&stage, RULE_BLOCK, 0);
	is_refused(job_to(SOCK_STREAM, WORLD_FAR4), EPERM);
	is_refused(job_to(SOCK_STREAM, WORLD_FAR6), EPERM);
	is_refused(job_to(SOCK_DGRAM, WORLD_FAR6), EPERM);
	again = job_to(SOCK_DGRAM, WORLD_FAR4);
	again.by_sendto = true;
	is_refused(again, EPERM);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	all_are_proxied(plain);
	stage_use_rules(&stage, &marked);
	again = job_to(SOCK_STREAM, WORLD_FAR4);
	stream_arrives(&again, stage.b.tcp4);
	again.type = SOCK_DGRAM;
	datagram_arrives(&again, stage.b.udp4);
	/* the first one would have gone the old way */
	again.by_sendto = true;
	again.resend = 1;
	datagram_arrives(&again, stage.b.udp4);
	assert_int_equal(rig_count(rig, DAE_COUNT_HOST_LATE), 1);
	stage_use(&stage, RULE_GROUP, GROUP_UPLINK);
	again = job_to(SOCK_STREAM, WORLD_FAR4);
	stream_arrives(&again, stage.b.tcp4);
	host_close(rig);
}

/* Every rule for all that goes out, with @conds before it. */
static void use_rule(const struct rule_cond *cond, enum rule_action action,
		     size_t group)
{
	struct config_rule rule = { .conds = (struct rule_cond *)cond,
				    .cond_count = 1,
				    .out = { .action = action,
					     .group = group } };
	struct config_routing routing = { .rules = &rule, .rule_count = 1 };
	struct datapath_error err = { 0 };

	rig_load(stage.rig, &routing);
	if (datapath_attach(stage.rig->d, &stage.w.lan, 1, &err) < 0)
		fail_msg("attach: %s", err.text);
}

/* Sockets with more than a destination. */
static void sockets_of_all_kinds(void **state)
{
	struct app_job j = { .port = PORT };
	struct rig *rig = *state;

	host_open(rig);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	/* IPv4 by an IPv6 socket */
	j.to = MAPPED4;
	j.type = SOCK_STREAM;
	stream_arrives(&j, stage.engine.tcp4);
	j.type = SOCK_DGRAM;
	datagram_is_proxied(&j, stage.engine.udp4);
	/* a source of its own that is no loopback address */
	j = job_to(SOCK_STREAM, WORLD_FAR4);
	j.source = ROUTER_A4;
	stream_arrives(&j, stage.engine.tcp4);
	j.type = SOCK_DGRAM;
	datagram_is_proxied(&j, stage.engine.udp4);
	j = job_to(SOCK_STREAM, WORLD_FAR6);
	j.source = ROUTER_A6;
	stream_arrives(&j, stage.engine.tcp6);
	j.type = SOCK_DGRAM;
	datagram_is_proxied(&j, stage.engine.udp6);
	/* bound to the device that it would leave by */
	j = job_to(SOCK_STREAM, WORLD_FAR4);
	j.device = "wan0";
	stream_arrives(&j, stage.engine.tcp4);
	j.type = SOCK_DGRAM;
	datagram_is_proxied(&j, stage.engine.udp4);
	/* connected before, and dissolved */
	j = job_to(SOCK_DGRAM, WORLD_FAR4);
	j.first_to = "203.0.113.99";
	datagram_is_proxied(&j, stage.engine.udp4);
	/* data with the SYN, and more than one path */
	j = job_to(SOCK_STREAM, WORLD_FAR4);
	j.is_fastopen = true;
	stream_arrives(&j, stage.engine.tcp4);
	j.is_fastopen = false;
	j.is_mptcp = true;
	stream_arrives(&j, stage.engine.tcp4);
	assert_int_equal(rig_count(rig, DAE_COUNT_HOST_BOUND), 0);
	host_close(rig);
}

/* What is never taken, though the rules would send it to the engine. */
static void others_pass(void **state)
{
	struct app_job j = { .port = PORT };
	struct rig *rig = *state;
	struct app app;
	int fd;

	host_open(rig);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	/* our own sockets */
	j.mark = SO_MARK_OURS;
	all_arrive(&stage.a, j);
	/* a route that leaves by another interface */
	world_run("ip route add " WORLD_FAR4 " via 10.3.0.2 && "
		  "ip -6 route add " WORLD_FAR6 " via fd03::2");
	assert_int_equal(datapath_set_host(rig->d, true, &stage.w.wan_a, 1), 0);
	all_arrive(&stage.b, (struct app_job){ .port = PORT });
	world_run("ip route del " WORLD_FAR4 " via 10.3.0.2 && "
		  "ip -6 route del " WORLD_FAR6 " via fd03::2");
	assert_int_equal(datapath_set_host(rig->d, true, &stage.w.wan_a, 1), 0);
	/* bound to one that is no wan_interface */
	world_run("ip route add default via 10.3.0.2 metric 50");
	j = job_to(SOCK_STREAM, WORLD_FAR4);
	j.device = "wan1";
	stream_arrives(&j, stage.b.tcp4);
	world_run("ip route del default via 10.3.0.2");
	/* another network namespace in the same cgroup */
	j = job_to(SOCK_STREAM, WORLD_FAR4);
	j.netns = stage.w.ns[NS_CLIENT];
	stage_use(&stage, RULE_BLOCK, 0);
	app_start(&app, cgroup, &j);
	app_end(&app);
	assert_int_not_equal(app.answer->error, EPERM);
	app_free(&app);
	/* to the host itself, and from outside of the cgroup */
	fd = world_listen(&stage.w, NS_ROUTER, SOCK_STREAM, ROUTER_A4, PORT, 0);
	j = job_to(SOCK_STREAM, ROUTER_A4);
	stream_arrives(&j, fd);
	close(fd);
	/* a datagram whose source is the application's choice */
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	j = job_to(SOCK_DGRAM, WORLD_FAR4);
	j.by_sendto = true;
	j.source = ROUTER_A4;
	datagram_arrives(&j, stage.a.udp4);
	assert_int_equal(rig_count(rig, DAE_COUNT_HOST_BOUND), 1);
	host_close(rig);
}

/* The application's name is argv[0] without folders and without what follows. */
static void names_of_processes(void **state)
{
	struct rule_value value = { .text = "curl" };
	struct rule_cond name = { .fn = RULE_PNAME,
				  .values = &value,
				  .value_count = 1 };
	struct app_job j = job_to(SOCK_STREAM, WORLD_FAR4);

	host_open(*state);
	use_rule(&name, RULE_GROUP, GROUP_ENGINE);
	stream_arrives(&j, stage.a.tcp4);
	j.name = "/a/curl";
	stream_arrives(&j, stage.engine.tcp4);
	j.name = "curl -s x";
	stream_arrives(&j, stage.engine.tcp4);
	j.name = "curly";
	stream_arrives(&j, stage.a.tcp4);
	j = job_to(SOCK_DGRAM, WORLD_FAR6);
	j.name = "curl";
	datagram_is_proxied(&j, stage.engine.udp6);
	j.by_sendto = true;
	datagram_is_proxied(&j, stage.engine.udp6);
	host_close(*state);
}

/* The next candidate is taken by the same connection. */
static void fail_over(void **state)
{
	struct app_job j = job_to(SOCK_STREAM, WORLD_FAR4);
	struct rig *rig = *state;

	host_open(rig);
	stage_use(&stage, RULE_GROUP, GROUP_BOTH);
	stream_arrives(&j, stage.engine.tcp4);
	close(stage.engine.tcp4);
	stream_arrives(&j, stage.b.tcp4);
	stage.engine.tcp4 = world_listen(&stage.w, NS_ROUTER, SOCK_STREAM,
					 "127.0.0.1", ENGINE_PORT, 1);
	stream_arrives(&j, stage.engine.tcp4);
	datapath_set_alive(rig->d, GROUP_BOTH, DAE_CLASS_UDP4, 2);
	j.type = SOCK_DGRAM;
	datagram_arrives(&j, stage.b.udp4);
	datapath_set_alive(rig->d, GROUP_BOTH, DAE_CLASS_UDP4, 3);
	datagram_is_proxied(&j, stage.engine.udp4);
	host_close(rig);
}

/* Hooks stand while nobody holds them; the next process takes them over, and
 * cleanup leaves none. */
static void hooks_outlive_us(void **state)
{
	struct app_job j = job_to(SOCK_STREAM, WORLD_FAR4);
	struct datapath_status st;
	struct rig *rig = *state;
	struct datapath_options opt = { .pin_dir = rig->pins,
					.attach = rig_mode(),
					.mark = RIG_MARK,
					.mark_mask = RIG_MARK,
					.so_mark = SO_MARK_OURS,
					.cgroup = cgroup,
					.flow_entries = 1024 };
	struct datapath_error err = { 0 };

	host_open(rig);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	datapath_close(&rig->d);
	stream_arrives(&j, stage.engine.tcp4);
	assert_int_equal(datapath_open(&rig->d, &opt, &err), 0);
	assert_int_equal(datapath_set_host(rig->d, true, &stage.w.wan_a, 1), 0);
	stage_use(&stage, RULE_GROUP, GROUP_UPLINK);
	datapath_read_status(rig->d, &st);
	assert_true(st.was_adopted && st.has_host);
	stream_arrives(&j, stage.b.tcp4);
	/* taken away by a configuration without them */
	assert_int_equal(datapath_set_host(rig->d, false, NULL, 0), 0);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	stream_arrives(&j, stage.a.tcp4);
	assert_int_equal(datapath_set_host(rig->d, true, &stage.w.wan_a, 1), 0);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	stream_arrives(&j, stage.engine.tcp4);
	datapath_close(&rig->d);
	assert_int_equal(datapath_cleanup(rig->pins, NULL, &err), 0);
	stream_arrives(&j, stage.a.tcp4);
	host_close(rig);
}

#define EACH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(ways),	   EACH(sockets_of_all_kinds),
		EACH(others_pass), EACH(names_of_processes),
		EACH(fail_over),   EACH(hooks_outlive_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
