/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners that the host's own flows are turned to: those that ask where a
 * flow was going, engines that dial themselves, servers that only answer.
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

#include "tests/bpf/host_stage.h"

#define ENGINE_REDIRECT 9
#define REDIRECT_PORT 7788

static void use_redirect(struct rig *rig)
{
	const uint16_t ids[] = { ENGINE_REDIRECT };
	struct datapath_target t = { .kind = DAE_KIND_TPROXY,
				     .port = REDIRECT_PORT,
				     .learns = DAE_LEARNS_REDIRECT };

	assert_int_equal(addr_parse("::", &t.listener), 0);
	assert_int_equal(datapath_set_target(rig->d, ENGINE_REDIRECT, &t), 0);
	rig_group(rig, GROUP_ENGINE, ids, 1, DAE_DEAD_BLOCK);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
}

/* A listener that asks where a connection was going, in either way. */
static void stream_is_redirected(const struct app_job *j, int level)
{
	struct sockaddr_storage to = { 0 };
	bool is6 = level == SOL_IPV6;
	socklen_t len = is6 ? sizeof(struct sockaddr_in6)
			    : sizeof(struct sockaddr_in);
	char buf[8], name[64], text[INET6_ADDRSTRLEN];
	struct app app;
	int listener, fd;

	app_enter(cgroup); /* the hooks are where the listener's socket is */
	listener = world_listen(&stage.w, NS_ROUTER, SOCK_STREAM,
				is6 ? "::1" : "127.0.0.1", REDIRECT_PORT, 0);
	app_enter(NULL);
	app_start(&app, cgroup, j);
	if (!world_readable(listener, SOON_MS))
		fail_msg("connection to %s was not redirected: %s", j->to,
			 strerror(app_end(&app)->error));
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, level, 80, &to, &len), 0);
	inet_ntop(to.ss_family,
		  is6 ? (void *)&((struct sockaddr_in6 *)&to)->sin6_addr
		      : (void *)&((struct sockaddr_in *)&to)->sin_addr,
		  text, sizeof(text));
	assert_string_equal(text, unmapped(j->to));
	assert_int_equal(ntohs(((struct sockaddr_in *)&to)->sin_port), PORT);
	app_name_of(fd, false, name);
	want_name(name, unmapped(j->to), PORT);
	assert_int_equal(read(fd, buf, sizeof(buf)), 4);
	assert_int_equal(write(fd, "pong", 4), 4);
	assert_int_equal(app_end(&app)->error, 0);
	assert_string_equal(app.answer->text, "pong");
	want_name(app.answer->peer, j->to, PORT);
	app_free(&app);
	close(fd);
	close(listener);
}

/* Datagrams to a listener of that kind: the answer seems to come from where
 * they were sent. */
static void datagram_is_redirected(const struct app_job *j)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct app app;
	char buf[8];
	int fd = world_listen(&stage.w, NS_ROUTER, SOCK_DGRAM,
			      strchr(unmapped(j->to), ':') ? "::1"
							   : "127.0.0.1",
			      REDIRECT_PORT, 0);

	app_start(&app, cgroup, j);
	if (!world_readable(fd, SOON_MS))
		fail_msg("datagram to %s was not redirected: %s", j->to,
			 strerror(app_end(&app)->error));
	assert_int_equal(recvfrom(fd, buf, sizeof(buf), 0,
				  (struct sockaddr *)&from, &len),
			 4);
	assert_int_equal(
		sendto(fd, "pong", 4, 0, (struct sockaddr *)&from, len), 4);
	assert_int_equal(app_end(&app)->error, 0);
	assert_string_equal(app.answer->text, "pong");
	want_name(app.answer->from, j->to, PORT);
	if (!j->by_sendto)
		want_name(app.answer->peer, j->to, PORT);
	app_free(&app);
	close(fd);
}

static void listeners_that_ask(void **state)
{
	struct app_job j = job_to(SOCK_STREAM, WORLD_FAR4);

	host_open(*state);
	use_redirect(*state);
	stream_is_redirected(&j, SOL_IP);
	j.source = ROUTER_A4;
	stream_is_redirected(&j, SOL_IP);
	j.source = NULL;
	j.to = MAPPED4;
	stream_is_redirected(&j, SOL_IP);
	j.to = WORLD_FAR6;
	stream_is_redirected(&j, SOL_IPV6);
	j.source = ROUTER_A6;
	stream_is_redirected(&j, SOL_IPV6);
	j = job_to(SOCK_DGRAM, WORLD_FAR6);
	datagram_is_redirected(&j);
	j.by_sendto = true;
	datagram_is_redirected(&j);
	j.to = WORLD_FAR4;
	datagram_is_redirected(&j);
	j.by_sendto = false;
	datagram_is_redirected(&j);
	j.to = MAPPED4;
	datagram_is_redirected(&j);
	host_close(*state);
}

/* An engine in the same cgroup, in a process of its own: it takes a flow, asks
 * where that was going and dials there. Its exit code says how that went. */
static void engine_dials(int listener, int *ret_fd)
{
	struct sockaddr_storage to;
	socklen_t len = sizeof(to);
	int fd, out;

	app_enter(cgroup);
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&to, &len) < 0)
		_exit(1);
	out = socket(to.ss_family, SOCK_STREAM, 0);
	if (connect(out, (struct sockaddr *)&to, len) < 0 ||
	    write(out, "dial", 4) != 4)
		_exit(2);
	*ret_fd = out;
	usleep(NEVER_MS * 1000);
	_exit(0);
}

static void engines_are_not_captured(void **state)
{
	struct app_job j = job_to(SOCK_STREAM, WORLD_FAR4);
	int fd, status, unused;
	struct app app;
	pid_t engine;
	char buf[8];

	host_open(*state);
	stage_use(&stage, RULE_GROUP, GROUP_ENGINE);
	close(stage.engine.tcp4);
	app_enter(cgroup); /* as all of the engine is */
	stage.engine.tcp4 = world_listen(&stage.w, NS_ROUTER, SOCK_STREAM,
					 "127.0.0.1", ENGINE_PORT, 1);
	app_enter(NULL);
	j.wait_ms = 2 * NEVER_MS;
	app_start(&app, cgroup, &j);
	assert_true(world_readable(stage.engine.tcp4, SOON_MS));
	engine = fork();
	assert_true(engine >= 0);
	if (engine == 0)
		engine_dials(stage.engine.tcp4, &unused);
	assert_true(world_readable(stage.a.tcp4, SOON_MS));
	fd = accept(stage.a.tcp4, NULL, NULL);
	assert_true(world_readable(fd, SOON_MS));
	assert_int_equal(read(fd, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "dial", 4);
	close(fd);
	assert_int_equal(waitpid(engine, &status, 0), engine);
	assert_int_equal(status, 0);
	app_end(&app);
	app_free(&app);
	/* others are, as before */
	j.wait_ms = 0;
	stream_arrives(&j, stage.engine.tcp4);
	host_close(*state);
}

/* A flow that began outside is answered the way it came. */
static void server_answers(int fd, int *ret_error)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char buf[8];

	if (recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len) <
	    0)
		_exit(1);
	*ret_error = sendto(fd, "pong", 4, 0, (struct sockaddr *)&from, len) < 0
			     ? errno
			     : 0;
	_exit(*ret_error);
}

static void inbound_flows_pass(void **state)
{
	struct sockaddr_storage to;
	int server, far, error, status;
	struct addr a;
	socklen_t len;
	pid_t pid;

	host_open(*state);
	stage_use(&stage, RULE_BLOCK, 0);
	app_enter(cgroup);
	server = world_listen(&stage.w, NS_ROUTER, SOCK_DGRAM, "0.0.0.0", PORT,
			      0);
	app_enter(NULL);
	far = world_listen(&stage.w, NS_A, SOCK_DGRAM, WORLD_FAR4, PORT, 0);
	assert_int_equal(addr_parse(ROUTER_A4, &a), 0);
	len = addr_to_sockaddr(&a, PORT, &to);
	assert_int_equal(sendto(far, "ping", 4, 0, (struct sockaddr *)&to, len),
			 4);
	assert_true(world_readable(server, SOON_MS));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		server_answers(server, &error);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(world_readable(far, SOON_MS));
	close(server);
	close(far);
	host_close(*state);
}

#define EACH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(listeners_that_ask),
		EACH(engines_are_not_captured),
		EACH(inbound_flows_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
