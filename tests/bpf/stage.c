/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/stage.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/policy.h"

static const struct policy_local local = { RIG_MARK, RIG_MARK, 2023, 2023,
					   true };

static struct rule_value any_port = { .range = { 0, 65535 } };
static struct rule_cond all = { .fn = RULE_DPORT,
				.values = &any_port,
				.value_count = 1 };

static void listen_all(const struct stage *s, struct listeners *l,
		       enum world_ns ns, const char *addr4, const char *addr6,
		       uint16_t port)
{
	int transparent = ns == NS_ROUTER;

	l->tcp4 = world_listen(&s->w, ns, SOCK_STREAM, addr4, port,
			       transparent);
	l->tcp6 = world_listen(&s->w, ns, SOCK_STREAM, addr6, port,
			       transparent);
	l->udp4 = world_listen(&s->w, ns, SOCK_DGRAM, addr4, port, transparent);
	l->udp6 = world_listen(&s->w, ns, SOCK_DGRAM, addr6, port, transparent);
}

static void close_all(struct listeners *l)
{
	close(l->tcp4);
	close(l->tcp6);
	close(l->udp4);
	close(l->udp6);
}

void stage_use_rules(struct stage *s, const struct rule_outbound *out)
{
	struct config_rule rule = { .conds = &all,
				    .cond_count = 1,
				    .out = *out };
	struct config_routing routing = { .rules = &rule, .rule_count = 1 };
	struct datapath_error err = { 0 };

	rig_load(s->rig, &routing);
	if (datapath_attach(s->rig->d, &s->w.lan, 1, &err) < 0)
		fail_msg("attach: %s", err.text);
}

void stage_use(struct stage *s, enum rule_action action, size_t group)
{
	struct rule_outbound out = { .action = action, .group = group };

	stage_use_rules(s, &out);
}

static void make_targets(struct stage *s)
{
	const uint16_t engine[] = { TARGET_ENGINE },
		       uplink[] = { TARGET_UPLINK };
	const uint16_t both[] = { TARGET_ENGINE, TARGET_UPLINK };

	rig_target_tproxy(s->rig, TARGET_ENGINE, "::", ENGINE_PORT);
	rig_target_mark(s->rig, TARGET_UPLINK, UPLINK_MARK);
	rig_group(s->rig, GROUP_ENGINE, engine, 1, DAE_DEAD_BLOCK);
	rig_group(s->rig, GROUP_UPLINK, uplink, 1, DAE_DEAD_BLOCK);
	rig_group(s->rig, GROUP_BOTH, both, 2, DAE_DEAD_BLOCK);
}

static void make_routes(const struct stage *s)
{
	struct policy_uplink up = { .mark = UPLINK_MARK,
				    .priority = 2024,
				    .table = 2024,
				    .ifindex = s->w.wan_b };
	struct datapath_error err = { 0 };

	assert_int_equal(addr_parse("10.3.0.2", &up.gateway), 0);
	if (policy_check(&local, &up, 1, &err) < 0 ||
	    policy_apply(&local, &up, 1, &err) < 0)
		fail_msg("policy: %s", err.text);
	/* applied again: nothing changes, nothing collides with itself */
	assert_int_equal(policy_check(&local, &up, 1, &err), 0);
	assert_int_equal(policy_apply(&local, &up, 1, &err), 0);
}

void stage_open(struct stage *s, struct rig *rig, enum attach_mode m)
{
	memset(s, 0, sizeof(*s));
	s->rig = rig;
	world_make(&s->w);
	listen_all(s, &s->a, NS_A, "0.0.0.0", "::", PORT);
	listen_all(s, &s->b, NS_B, "0.0.0.0", "::", PORT);
	listen_all(s, &s->engine, NS_ROUTER, "127.0.0.1", "::1", ENGINE_PORT);
	rig_open(rig, m, 1024);
	assert_int_equal(datapath_refresh_local(rig->d), 0);
	make_targets(s);
	make_routes(s);
}

void stage_close(struct stage *s)
{
	rig_close(s->rig);
	close_all(&s->a);
	close_all(&s->b);
	close_all(&s->engine);
	world_end(&s->w);
}

int stage_expect_at(const struct stage *s, int listener, const char *far,
		    int *ret_client)
{
	int fd = world_connect(&s->w, SOCK_STREAM, far, PORT), got;

	if (!world_readable(listener, SOON_MS))
		fail_msg("connection to %s did not arrive", far);
	got = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(got >= 0);
	assert_true(world_writable(fd, SOON_MS));
	*ret_client = fd;
	return got;
}

void stage_converse(int client, int server)
{
	char buf[8] = { 0 };

	assert_int_equal(write(client, "ping", 4), 4);
	assert_true(world_readable(server, SOON_MS));
	assert_int_equal(read(server, buf, sizeof(buf)), 4);
	assert_int_equal(write(server, "pong!", 5), 5);
	assert_true(world_readable(client, SOON_MS));
	assert_int_equal(read(client, buf, sizeof(buf)), 5);
}

void stage_tcp_goes_to(const struct stage *s, int listener, const char *far)
{
	int client, server;

	server = stage_expect_at(s, listener, far, &client);
	stage_converse(client, server);
	close(client);
	close(server);
}

void stage_udp_goes_to(const struct stage *s, int socket, const char *far)
{
	int fd = world_connect(&s->w, SOCK_DGRAM, far, PORT), i;
	char buf[8];

	for (i = 0; i < 3; i++) {
		assert_int_equal(write(fd, "ping", 4), 4);
		if (!world_readable(socket, SOON_MS))
			fail_msg("datagram %d to %s did not arrive", i, far);
		assert_int_equal(read(socket, buf, sizeof(buf)), 4);
	}
	close(fd);
}

void stage_goes_nowhere(const struct stage *s, int type, const char *far)
{
	int fd = world_connect(&s->w, type, far, PORT);
	const int all_sockets[] = {
		s->a.tcp4,	s->a.tcp6,	s->a.udp4,	s->a.udp6,
		s->b.tcp4,	s->b.tcp6,	s->b.udp4,	s->b.udp6,
		s->engine.tcp4, s->engine.tcp6, s->engine.udp4, s->engine.udp6
	};
	size_t i;

	if (type == SOCK_DGRAM)
		assert_int_equal(write(fd, "ping", 4), 4);
	usleep(NEVER_MS * 1000);
	for (i = 0; i < ARRAY_LEN(all_sockets); i++)
		assert_false(world_readable(all_sockets[i], 0));
	close(fd);
}

void stage_all_go_to(const struct stage *s, const struct listeners *l)
{
	stage_tcp_goes_to(s, l->tcp4, WORLD_FAR4);
	stage_tcp_goes_to(s, l->tcp6, WORLD_FAR6);
	stage_udp_goes_to(s, l->udp4, WORLD_FAR4);
	stage_udp_goes_to(s, l->udp6, WORLD_FAR6);
}
