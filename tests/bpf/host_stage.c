/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/host_stage.h"

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
#include "supervisor/datapath/datapath_host.h"

struct stage stage;
char cgroup[128];

void host_open(struct rig *rig)
{
	app_cgroup_make(cgroup, sizeof(cgroup));
	rig->cgroup = cgroup;
	rig->so_mark = SO_MARK_OURS;
	stage_open(&stage, rig, ATTACH_AUTO);
	assert_int_equal(datapath_set_host(rig->d, true, &stage.w.wan_a, 1), 0);
}

void host_close(struct rig *rig)
{
	app_enter(NULL);
	stage_close(&stage);
	rig->cgroup = NULL;
	app_cgroup_remove(cgroup);
}

struct app_job job_to(int type, const char *to)
{
	return (struct app_job){ .type = type, .to = to, .port = PORT };
}

const char *unmapped(const char *address)
{
	return strncmp(address, "::ffff:", 7) == 0 ? address + 7 : address;
}

void want_name(const char *got, const char *address, uint16_t port)
{
	char want[64];

	snprintf(want, sizeof(want), "%s|%u", address, port);
	assert_string_equal(got, want);
}

/* The connection arrives at @listener, as one to where the application said. */
void stream_arrives(const struct app_job *j, int listener)
{
	struct app app;
	char buf[8], name[64];
	int fd;

	app_start(&app, cgroup, j);
	if (!world_readable(listener, SOON_MS))
		fail_msg("connection to %s did not arrive: %s", j->to,
			 strerror(app_end(&app)->error));
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 4);
	app_name_of(fd, false, name);
	want_name(name, unmapped(j->to), PORT);
	assert_int_equal(write(fd, "pong", 4), 4);
	assert_int_equal(app_end(&app)->error, 0);
	assert_string_equal(app.answer->text, "pong");
	want_name(app.answer->peer, j->to, PORT);
	app_free(&app);
	close(fd);
}

void datagram_arrives(const struct app_job *j, int listener)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	bool is_b = listener == stage.b.udp4 || listener == stage.b.udp6;
	struct app app;
	char buf[8];
	int reply;

	app_start(&app, cgroup, j);
	if (!world_readable(listener, SOON_MS))
		fail_msg("datagram to %s did not arrive: %s", j->to,
			 strerror(app_end(&app)->error));
	assert_int_equal(recvfrom(listener, buf, sizeof(buf), 0,
				  (struct sockaddr *)&from, &len),
			 4);
	/* not from whatever address is the nearest */
	reply = world_listen(&stage.w, is_b ? NS_B : NS_A, SOCK_DGRAM,
			     unmapped(j->to), PORT, 0);
	assert_int_equal(
		sendto(reply, "pong", 4, 0, (struct sockaddr *)&from, len), 4);
	assert_int_equal(app_end(&app)->error, 0);
	assert_string_equal(app.answer->text, "pong");
	want_name(app.answer->from, j->to, PORT);
	app_free(&app);
	close(reply);
}

/* The same at the engine, which sees the destination and answers from it. */
void datagram_is_proxied(const struct app_job *j, int listener)
{
	struct sockaddr_storage from = { 0 }, to = { 0 };
	char control[128], buf[8];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	const char *real = unmapped(j->to);
	char name[64], text[INET6_ADDRSTRLEN];
	struct app app;
	int reply;

	app_start(&app, cgroup, j);
	if (!world_readable(listener, SOON_MS))
		fail_msg("datagram to %s was not proxied: %s", j->to,
			 strerror(app_end(&app)->error));
	assert_int_equal(recvmsg(listener, &msg, 0), 4);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	memcpy(&to, CMSG_DATA(CMSG_FIRSTHDR(&msg)),
	       strchr(real, ':') ? sizeof(struct sockaddr_in6)
				 : sizeof(struct sockaddr_in));
	inet_ntop(to.ss_family,
		  to.ss_family == AF_INET6
			  ? (void *)&((struct sockaddr_in6 *)&to)->sin6_addr
			  : (void *)&((struct sockaddr_in *)&to)->sin_addr,
		  text, sizeof(text));
	snprintf(name, sizeof(name), "%s|%u", text,
		 ntohs(((struct sockaddr_in *)&to)->sin_port));
	want_name(name, real, PORT);
	reply = world_listen(&stage.w, NS_ROUTER, SOCK_DGRAM, real, PORT, 1);
	assert_int_equal(sendto(reply, "pong", 4, 0, (struct sockaddr *)&from,
				msg.msg_namelen),
			 4);
	assert_int_equal(app_end(&app)->error, 0);
	assert_string_equal(app.answer->text, "pong");
	want_name(app.answer->from, j->to, PORT);
	app_free(&app);
	close(reply);
}

void is_refused(struct app_job j, int error)
{
	struct app app;

	app_start(&app, cgroup, &j);
	if (app_end(&app)->error != error)
		fail_msg("%s to %s: %s, want %s",
			 j.type == SOCK_STREAM ? "stream" : "datagram", j.to,
			 strerror(app.answer->error), strerror(error));
	app_free(&app);
}

void all_arrive(const struct listeners *l, struct app_job j)
{
	j.type = SOCK_STREAM;
	j.to = WORLD_FAR4;
	stream_arrives(&j, l->tcp4);
	j.to = WORLD_FAR6;
	stream_arrives(&j, l->tcp6);
	j.type = SOCK_DGRAM;
	datagram_arrives(&j, l->udp6);
	j.to = WORLD_FAR4;
	datagram_arrives(&j, l->udp4);
	j.by_sendto = true;
	datagram_arrives(&j, l->udp4);
	j.to = WORLD_FAR6;
	datagram_arrives(&j, l->udp6);
}

void all_are_proxied(struct app_job j)
{
	const struct listeners *e = &stage.engine;

	j.type = SOCK_STREAM;
	j.to = WORLD_FAR4;
	stream_arrives(&j, e->tcp4);
	j.to = WORLD_FAR6;
	stream_arrives(&j, e->tcp6);
	j.type = SOCK_DGRAM;
	datagram_is_proxied(&j, e->udp6);
	j.to = WORLD_FAR4;
	datagram_is_proxied(&j, e->udp4);
	j.by_sendto = true;
	datagram_is_proxied(&j, e->udp4);
	j.to = WORLD_FAR6;
	datagram_is_proxied(&j, e->udp6);
}
