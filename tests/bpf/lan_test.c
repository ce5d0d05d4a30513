/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real traffic through the router: every way a flow can take, fail-over,
 * reload, adoption, cleanup; with tcx and with clsact.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/if_tun.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/attach.h"
#include "supervisor/datapath/cleanup.h"
#include "tests/bpf/stage.h"

static void ways(struct rig *rig, enum attach_mode m)
{
	struct rule_outbound marked = { .action = RULE_DIRECT,
					.has_mark = true,
					.mark = UPLINK_MARK };
	struct stage s;

	stage_open(&s, rig, m);
	stage_use(&s, RULE_DIRECT, 0);
	stage_all_go_to(&s, &s.a);
	stage_use(&s, RULE_BLOCK, 0);
	stage_goes_nowhere(&s, SOCK_STREAM, WORLD_FAR4);
	stage_goes_nowhere(&s, SOCK_DGRAM, WORLD_FAR6);
	stage_use(&s, RULE_GROUP, GROUP_UPLINK);
	stage_tcp_goes_to(&s, s.b.tcp4, WORLD_FAR4);
	stage_udp_goes_to(&s, s.b.udp4, WORLD_FAR4);
	/* the uplink's gateway is IPv4's: IPv6 must not leave elsewhere */
	stage_goes_nowhere(&s, SOCK_DGRAM, WORLD_FAR6);
	stage_use_rules(&s, &marked);
	stage_tcp_goes_to(&s, s.b.tcp4, WORLD_FAR4);
	stage_use(&s, RULE_GROUP, GROUP_ENGINE);
	stage_all_go_to(&s, &s.engine);
	stage_close(&s);
}

/* The engine sees the original destination, and its answers come from there. */
static void engine_sees_destination(struct rig *rig, enum attach_mode m)
{
	struct sockaddr_in to = { 0 }, from = { 0 };
	socklen_t len = sizeof(to);
	char control[128], buf[8], text[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int client, server, reply;
	struct stage s;

	stage_open(&s, rig, m);
	stage_use(&s, RULE_GROUP, GROUP_ENGINE);
	server = stage_expect_at(&s, s.engine.tcp4, WORLD_FAR4, &client);
	assert_int_equal(getsockname(server, (struct sockaddr *)&to, &len), 0);
	assert_string_equal(inet_ntop(AF_INET, &to.sin_addr, text,
				      sizeof(text)),
			    WORLD_FAR4);
	assert_int_equal(ntohs(to.sin_port), PORT);
	close(client);
	close(server);

	client = world_connect(&s.w, SOCK_DGRAM, WORLD_FAR4, PORT);
	assert_int_equal(write(client, "ping", 4), 4);
	assert_true(world_readable(s.engine.udp4, SOON_MS));
	assert_int_equal(recvmsg(s.engine.udp4, &msg, 0), 4);
	memcpy(&to, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(to));
	assert_string_equal(inet_ntop(AF_INET, &to.sin_addr, text,
				      sizeof(text)),
			    WORLD_FAR4);
	reply = world_listen(&s.w, NS_ROUTER, SOCK_DGRAM, WORLD_FAR4, PORT, 1);
	assert_int_equal(sendto(reply, "pong", 4, 0, (struct sockaddr *)&from,
				sizeof(from)),
			 4);
	assert_true(world_readable(client, SOON_MS));
	close(reply);
	close(client);
	stage_close(&s);
}

/* A store, or a listener that is gone, moves new flows; old ones stay. */
static void fail_over(struct rig *rig, enum attach_mode m)
{
	int client, server, udp;
	struct stage s;
	char buf[8];

	stage_open(&s, rig, m);
	stage_use(&s, RULE_GROUP, GROUP_BOTH);
	server = stage_expect_at(&s, s.engine.tcp4, WORLD_FAR4, &client);
	udp = world_connect(&s.w, SOCK_DGRAM, WORLD_FAR4, PORT);
	assert_int_equal(write(udp, "one", 3), 3);
	assert_true(world_readable(s.engine.udp4, SOON_MS));
	assert_int_equal(read(s.engine.udp4, buf, sizeof(buf)), 3);

	datapath_set_alive(rig->d, GROUP_BOTH, DAE_CLASS_TCP4, 2);
	datapath_set_alive(rig->d, GROUP_BOTH, DAE_CLASS_UDP4, 2);
	stage_tcp_goes_to(&s, s.b.tcp4, WORLD_FAR4);
	stage_converse(client, server);
	assert_int_equal(write(udp, "two", 3), 3); /* moved */
	assert_true(world_readable(s.b.udp4, SOON_MS));
	assert_int_equal(read(s.b.udp4, buf, sizeof(buf)), 3);

	datapath_set_alive(rig->d, GROUP_BOTH, DAE_CLASS_TCP4, 3);
	stage_tcp_goes_to(&s, s.engine.tcp4, WORLD_FAR4);
	close(s.engine.tcp4); /* dies before any probe has noticed */
	stage_tcp_goes_to(&s, s.b.tcp4, WORLD_FAR4);
	s.engine.tcp4 = world_listen(&s.w, NS_ROUTER, SOCK_STREAM, "127.0.0.1",
				     ENGINE_PORT, 1);
	stage_converse(client, server);
	datapath_set_alive(rig->d, GROUP_BOTH, DAE_CLASS_TCP4, 0);
	stage_goes_nowhere(&s, SOCK_STREAM, WORLD_FAR4);
	close(client);
	close(server);
	close(udp);
	stage_close(&s);
}

static void prefer_engines(struct rig *rig, uint16_t count, enum dae_dead dead)
{
	const uint16_t ids[] = { TARGET_ENGINE, 50, 51, 52, 53, 54 };
	uint16_t i;

	for (i = 1; i < ARRAY_LEN(ids); i++)
		rig_target_tproxy(rig, ids[i], "::", (uint16_t)(7000 + i));
	rig_group(rig, GROUP_ENGINE, ids, count, dead);
}

/* An engine for TCP alone, or many that are gone: on_all_dead holds for what
 * nobody takes, as long as nobody does. */
static void nobody_listens(struct rig *rig, enum attach_mode m)
{
	struct stage s;

	stage_open(&s, rig, m);
	stage_use(&s, RULE_GROUP, GROUP_ENGINE);
	close(s.engine.udp4);
	stage_goes_nowhere(&s, SOCK_DGRAM, WORLD_FAR4);
	assert_true(rig_count(rig, DAE_COUNT_NO_LISTENER) >= 1);
	prefer_engines(rig, 1, DAE_DEAD_DIRECT);
	stage_udp_goes_to(&s, s.a.udp4, WORLD_FAR4);
	stage_tcp_goes_to(&s, s.engine.tcp4, WORLD_FAR4);
	assert_true(rig_count(rig, DAE_COUNT_GROUP_DEAD) >= 3);
	close(s.engine.tcp4);
	prefer_engines(rig, 6, DAE_DEAD_DIRECT);
	stage_udp_goes_to(&s, s.a.udp4, WORLD_FAR4);
	stage_tcp_goes_to(&s, s.a.tcp4, WORLD_FAR4);
	prefer_engines(rig, 6, DAE_DEAD_LAST); /* that one is gone, too */
	stage_goes_nowhere(&s, SOCK_STREAM, WORLD_FAR4);
	s.engine.tcp4 = world_listen(&s.w, NS_ROUTER, SOCK_STREAM, "127.0.0.1",
				     ENGINE_PORT, 1);
	s.engine.udp4 = world_listen(&s.w, NS_ROUTER, SOCK_DGRAM, "127.0.0.1",
				     ENGINE_PORT, 1);
	stage_all_go_to(&s, &s.engine);
	stage_close(&s);
}

/* One flow that went direct for want of a listener comes back to it. */
static void listener_returns(struct rig *rig, enum attach_mode m)
{
	struct stage s;
	char buf[8];
	int fd;

	stage_open(&s, rig, m);
	stage_use(&s, RULE_GROUP, GROUP_ENGINE);
	prefer_engines(rig, 1, DAE_DEAD_DIRECT);
	close(s.engine.udp6);
	fd = world_connect(&s.w, SOCK_DGRAM, WORLD_FAR6, PORT);
	assert_int_equal(write(fd, "one", 3), 3);
	assert_true(world_readable(s.a.udp6, SOON_MS));
	assert_int_equal(read(s.a.udp6, buf, sizeof(buf)), 3);
	s.engine.udp6 = world_listen(&s.w, NS_ROUTER, SOCK_DGRAM, "::1",
				     ENGINE_PORT, 1);
	assert_int_equal(write(fd, "two", 3), 3);
	assert_true(world_readable(s.engine.udp6, SOON_MS));
	close(fd);
	stage_close(&s);
}

/* Traffic to the router itself passes whatever the rules say. */
static void router_is_reachable(struct rig *rig, enum attach_mode m)
{
	struct stage s;
	int l4, l6, client, server;

	stage_open(&s, rig, m);
	stage_use(&s, RULE_BLOCK, 0);
	l4 = world_listen(&s.w, NS_ROUTER, SOCK_STREAM, WORLD_LAN4, PORT, 0);
	l6 = world_listen(&s.w, NS_ROUTER, SOCK_STREAM, WORLD_LAN6, PORT, 0);
	server = stage_expect_at(&s, l4, WORLD_LAN4, &client);
	stage_converse(client, server);
	close(client);
	close(server);
	stage_tcp_goes_to(&s, l6, WORLD_LAN6);
	/* the address towards a is the router's too */
	close(l4);
	l4 = world_listen(&s.w, NS_ROUTER, SOCK_STREAM, "10.2.0.1", PORT, 0);
	stage_tcp_goes_to(&s, l4, "10.2.0.1");
	assert_true(rig_count(rig, DAE_COUNT_PASS_LOCAL) >= 3);
	close(l4);
	close(l6);
	stage_close(&s);
}

/* New rules, a restarted supervisor: flows go on, new ones take the new way. */
static void reload_and_adopt(struct rig *rig, enum attach_mode m)
{
	struct datapath_options opt = { .pin_dir = rig->pins,
					.attach = m,
					.mark = RIG_MARK,
					.mark_mask = RIG_MARK,
					.flow_entries = 1024 };
	struct datapath_error err = { 0 };
	struct datapath_status status;
	int client, server;
	struct stage s;

	stage_open(&s, rig, m);
	stage_use(&s, RULE_GROUP, GROUP_ENGINE);
	server = stage_expect_at(&s, s.engine.tcp4, WORLD_FAR4, &client);
	stage_use(&s, RULE_DIRECT, 0);
	stage_converse(client, server);
	stage_tcp_goes_to(&s, s.a.tcp4, WORLD_FAR4);
	stage_use(&s, RULE_GROUP, GROUP_UPLINK);
	datapath_close(&rig->d); /* as a kill would */
	stage_converse(client, server);
	stage_tcp_goes_to(&s, s.b.tcp4, WORLD_FAR4);
	if (datapath_open(&rig->d, &opt, &err) < 0)
		fail_msg("adopt: %s", err.text);
	datapath_read_status(rig->d, &status);
	assert_true(status.was_adopted);
	stage_converse(client, server);
	stage_tcp_goes_to(&s, s.b.tcp4, WORLD_FAR4);
	stage_use(&s, RULE_GROUP, GROUP_ENGINE);
	stage_converse(client, server);
	stage_all_go_to(&s, &s.engine);
	close(client);
	close(server);
	stage_close(&s);
}

/* Rules are swapped thirty times under a stream of datagrams: none is lost. */
static void reload_loses_nothing(struct rig *rig, enum attach_mode m)
{
	enum { DATAGRAMS = 1500, RELOADS = 30 };
	struct stage s;
	char buf[8];
	int fd, got = 0, i, status;
	pid_t pid;

	stage_open(&s, rig, m);
	/* a slow machine must not lose them in the receiver's queue */
	assert_int_equal(setsockopt(s.a.udp4, SOL_SOCKET, SO_RCVBUFFORCE,
				    &(int){ 4 << 20 }, sizeof(int)),
			 0);
	stage_use(&s, RULE_DIRECT, 0);
	stage_udp_goes_to(&s, s.a.udp4, WORLD_FAR4);
	fd = world_connect(&s.w, SOCK_DGRAM, WORLD_FAR4, PORT);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (i = 0; i < DATAGRAMS; i++) {
			if (write(fd, "ping", 4) != 4)
				_exit(1);
			usleep(1000);
		}
		_exit(0);
	}
	for (i = 0; i < RELOADS; i++) {
		stage_use(&s, RULE_DIRECT, 0);
		while (read(s.a.udp4, buf, sizeof(buf)) == 4)
			got++;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	while (got < DATAGRAMS && world_readable(s.a.udp4, SOON_MS))
		got += read(s.a.udp4, buf, sizeof(buf)) == 4;
	assert_int_equal(got, DATAGRAMS);
	close(fd);
	stage_close(&s);
}

static uint16_t checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* A link without MAC addresses: a TUN device that this test writes to. */
static void tunnels_are_lans(struct rig *rig, enum attach_mode m)
{
	struct ifreq ifr = { .ifr_name = "tun0",
			     .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct datapath_error err = { 0 };
	struct ruleset_query q;
	struct frame f;
	struct stage s;
	uint32_t ifindex;
	uint16_t sum;
	int tun;

	stage_open(&s, rig, m);
	tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) < 0)
		fail_msg("tun: %s", strerror(errno));
	world_run("ip addr add 10.9.0.1/24 dev tun0 && ip link set tun0 up");
	ifindex = if_nametoindex("tun0");
	stage_use(&s, RULE_GROUP, GROUP_UPLINK);
	if (datapath_attach(rig->d, &ifindex, 1, &err) < 0)
		fail_msg("attach: %s", err.text);
	query_make(&q, "10.9.0.2", WORLD_FAR4, IPPROTO_UDP, PORT);
	frame_make(&f, &q, 0, false);
	sum = checksum(f.b, 20);
	f.b[10] = (uint8_t)(sum >> 8);
	f.b[11] = (uint8_t)sum;
	assert_int_equal(write(tun, f.b, f.len), f.len);
	assert_true(world_readable(s.b.udp4, SOON_MS));
	/* taken off the other interface, as it was not named */
	stage_tcp_goes_to(&s, s.a.tcp4, WORLD_FAR4);
	close(tun);
	stage_close(&s);
}

/* Nothing of ours is left, twice, and nothing of others is gone. */
static void cleanup_leaves_nothing(struct rig *rig, enum attach_mode m)
{
	struct datapath_error err = { 0 };
	struct stage s;
	int i;

	stage_open(&s, rig, m);
	world_run("ip rule add fwmark 0x5 lookup 77 priority 500");
	stage_use(&s, RULE_BLOCK, 0);
	stage_goes_nowhere(&s, SOCK_STREAM, WORLD_FAR4);
	datapath_close(&rig->d);
	for (i = 0; i < 2; i++)
		if (datapath_cleanup(rig->pins, NULL, &err) < 0)
			fail_msg("cleanup: %s", err.text);
	stage_all_go_to(&s, &s.a);
	world_run("test ! -e %s", rig->pins);
	world_run("! tc filter show dev lan0 ingress | grep -q . && "
		  "! tc qdisc show dev lan0 | grep -q clsact");
	world_run("! ip rule | grep -q 202 && ! ip -6 rule | grep -q 202 && "
		  "! ip route show table all | grep -q 'table 202' && "
		  "! ip -6 route show table all | grep -q 'table 202'");
	world_run("ip rule | grep -q 'fwmark 0x5 lookup 77' && "
		  "ip rule del priority 500");
	stage_close(&s);
}

/* As the unit runs it: these three capabilities and no others. */
static void drop_to_three_capabilities(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };
	const int keep[] = { CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON };
	size_t i;

	for (i = 0; i < ARRAY_LEN(keep); i++)
		d[keep[i] / 32].effective |= 1U << keep[i] % 32;
	for (i = 0; i < 2; i++)
		d[i].permitted = d[i].effective;
	if (syscall(SYS_capset, &h, d) < 0)
		_exit(3);
}

/* Loads, attaches, reloads and cleans up without being allowed everything. */
static void three_capabilities_suffice(struct rig *rig, enum attach_mode m)
{
	struct stage s;
	int status;
	pid_t pid;

	stage_open(&s, rig, m);
	stage_use(&s, RULE_DIRECT, 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		drop_to_three_capabilities();
		rig_load(rig, &(struct config_routing){ 0 });
		if (datapath_attach(rig->d, &s.w.lan, 1, NULL) < 0 ||
		    datapath_refresh_local(rig->d) < 0)
			_exit(1);
		rig_load(rig, &(struct config_routing){ 0 });
		if (datapath_attach(rig->d, &s.w.lan, 1, NULL) < 0)
			_exit(2);
		datapath_close(&rig->d);
		_exit(datapath_cleanup(rig->pins, NULL, NULL) < 0 ? 4 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	stage_all_go_to(&s, &s.a);
	stage_close(&s);
}

/* Each mode by itself, or both where the environment names none. */
static void need(enum attach_mode m)
{
	if ((m == ATTACH_TCX && !attach_has_tcx()) ||
	    (rig_mode() != ATTACH_AUTO && rig_mode() != m))
		skip();
}

#define BOTH(test)                                                             \
	static void test##_tcx(void **state)                                   \
	{                                                                      \
		need(ATTACH_TCX);                                              \
		test(*state, ATTACH_TCX);                                      \
	}                                                                      \
	static void test##_clsact(void **state)                                \
	{                                                                      \
		need(ATTACH_CLSACT);                                           \
		test(*state, ATTACH_CLSACT);                                   \
	}

BOTH(ways)
BOTH(engine_sees_destination)
BOTH(fail_over)
BOTH(nobody_listens)
BOTH(listener_returns)
BOTH(router_is_reachable)
BOTH(reload_and_adopt)
BOTH(reload_loses_nothing)
BOTH(tunnels_are_lans)
BOTH(three_capabilities_suffice)
BOTH(cleanup_leaves_nothing)

/* each in a namespace of its own, whatever the last one left */
#define EACH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		EACH(ways_tcx),
		EACH(ways_clsact),
		EACH(engine_sees_destination_tcx),
		EACH(engine_sees_destination_clsact),
		EACH(fail_over_tcx),
		EACH(fail_over_clsact),
		EACH(nobody_listens_tcx),
		EACH(nobody_listens_clsact),
		EACH(listener_returns_tcx),
		EACH(listener_returns_clsact),
		EACH(router_is_reachable_tcx),
		EACH(router_is_reachable_clsact),
		EACH(reload_and_adopt_tcx),
		EACH(reload_and_adopt_clsact),
		EACH(reload_loses_nothing_tcx),
		EACH(reload_loses_nothing_clsact),
		EACH(tunnels_are_lans_tcx),
		EACH(tunnels_are_lans_clsact),
		EACH(three_capabilities_suffice_tcx),
		EACH(three_capabilities_suffice_clsact),
		EACH(cleanup_leaves_nothing_tcx),
		EACH(cleanup_leaves_nothing_clsact),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
