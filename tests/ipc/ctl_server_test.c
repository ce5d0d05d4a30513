/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control server against clients that mean no good. */
#include "supervisor/ctl/ctl_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "tests/unit/ctl_fixture.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/ctl_proto.h"
#include "common/fd.h"

#define ADMIN_GID 54321
#define NOBODY 65534
#define REPLY_MAX (CTL_FRAME_MAX + 1)
#define STATUS "{\"v\":1,\"id\":3,\"cmd\":\"status\"}"

struct rig {
	char dir[64], path[96];
	struct ctl_fixture *f;
	struct event_base *base;
	struct ctl_server *server;
	char *reply;
};

static struct ctl_server_options options(const struct rig *r)
{
	return (struct ctl_server_options){
		.path = r->path,
		.listen_fd = -1,
		.group = CTL_NO_GID,
		.admin = ADMIN_GID,
		.mode = 0666,
		.frame_timeout_ms = 200,
		.write_timeout_ms = 300,
		.idle_timeout_ms = 1000,
	};
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct ctl_server_options o;

	assert_non_null(r);
	strcpy(r->dir, "/tmp/ctl-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(chmod(r->dir, 0755), 0);
	snprintf(r->path, sizeof(r->path), "%s/s", r->dir);
	r->f = ctl_fixture_new();
	r->base = event_base_new();
	r->reply = malloc(REPLY_MAX);
	o = options(r);
	assert_int_equal(ctl_server_new(&r->server, r->base, &o,
					&ctl_fixture_ops, r->f),
			 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	ctl_server_free(&r->server);
	assert_int_equal(access(r->path, F_OK), -1);
	event_base_free(r->base);
	ctl_fixture_free(&r->f);
	rmdir(r->dir);
	free(r->reply);
	free(r);
	return 0;
}

/* Let the server run for @ms, or until @fd may be read. */
static void pump(struct rig *r, int fd, int ms)
{
	uint64_t end = clock_mono_ns() + (uint64_t)ms * NS_PER_MS;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	do {
		event_base_loop(r->base, EVLOOP_NONBLOCK);
		if (fd >= 0 && poll(&p, 1, 0) > 0)
			return;
		usleep(1000);
	} while (clock_mono_ns() < end);
}

static int dial(const struct rig *r)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, r->path, strlen(r->path) + 1);
	if (connect(fd, (void *)&sa, sizeof(sa)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void put(int fd, const char *text)
{
	uint8_t header[CTL_HEADER_LEN];

	assert_int_equal(ctl_frame_begin(header, strlen(text)), 0);
	assert_int_equal(write(fd, header, sizeof(header)), 4);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The next frame's text in r->reply; false if the server hung up. */
static bool get(struct rig *r, int fd)
{
	size_t have = 0, want = CTL_HEADER_LEN;
	uint8_t header[CTL_HEADER_LEN];
	ssize_t n;

	for (int part = 0; part < 2; part++) {
		while (have < want) {
			pump(r, fd, 3000);
			n = recv(fd,
				 part ? (uint8_t *)r->reply + have
				      : header + have,
				 want - have, MSG_DONTWAIT);
			if (n <= 0)
				return false;
			have += (size_t)n;
		}
		if (part == 0) {
			n = ctl_frame_len(header, sizeof(header));
			assert_true(n > 0);
			want = (size_t)n;
			have = 0;
		}
	}
	r->reply[want] = '\0';
	return true;
}

static void test_answers_in_order(void **state)
{
	struct rig *r = *state;
	auto_fd int fd = dial(r);

	put(fd, STATUS);
	put(fd, "{\"v\":1,\"id\":4,\"cmd\":\"version\"}");
	assert_true(get(r, fd));
	assert_non_null(strstr(r->reply, "\"id\":3"));
	assert_non_null(strstr(r->reply, "dae.status/1"));
	assert_true(get(r, fd));
	assert_non_null(strstr(r->reply, "\"id\":4"));
}

/* What is no request is told so, and the connection ends. */
static void test_bad_requests(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ "nonsense", "EBADMSG" },
		{ "{}", "EBADMSG" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[", "EBADMSG" },
		{ "{\"v\":2,\"id\":9,\"cmd\":\"status\"}", "EPROTO" },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_fd int fd = dial(r);

		put(fd, rows[i].text);
		assert_true(get(r, fd));
		assert_non_null(strstr(r->reply, rows[i].code));
		assert_false(get(r, fd));
	}
	pump(r, -1, 20);
	assert_int_equal(ctl_server_clients(r->server), 0);
}

static void test_oversize_and_empty_frames(void **state)
{
	static const uint8_t headers[][4] = {
		{ 0xff, 0xff, 0xff, 0xff },
		{ 0, 0x10, 0, 1 }, /* one more than a frame may have */
		{ 0, 1, 0, 1 },	   /* one more than a request may have */
		{ 0, 0, 0, 0 },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		auto_fd int fd = dial(r);

		assert_int_equal(write(fd, headers[i], 4), 4);
		assert_true(get(r, fd));
		assert_non_null(strstr(r->reply, "EBADMSG"));
		assert_false(get(r, fd));
	}
}

/* A byte now and then does not keep a connection alive. */
static void test_half_frame_times_out(void **state)
{
	struct rig *r = *state;
	auto_fd int fd = dial(r);
	uint64_t start = clock_mono_ns();
	int sent = 0;

	assert_int_equal(write(fd, "\0\0\0\xff", 4), 4);
	for (; sent < 50; sent++) {
		pump(r, fd, 40);
		if (send(fd, "{", 1, MSG_NOSIGNAL) < 0)
			break;
	}
	assert_in_range(sent, 1, 25);
	assert_true(clock_mono_ns() - start >= 150 * NS_PER_MS);
	assert_int_equal(ctl_server_clients(r->server), 0);
}

static void test_idle_client_is_dropped(void **state)
{
	struct rig *r = *state;
	auto_fd int fd = dial(r);

	pump(r, -1, 100);
	assert_int_equal(ctl_server_clients(r->server), 1);
	pump(r, fd, 3000);
	assert_int_equal(ctl_server_clients(r->server), 0);
}

/* Requests without reading: one frame waits, then the client is dropped. */
static void test_slow_reader_is_dropped(void **state)
{
	struct rig *r = *state;
	auto_fd int fd = dial(r);
	int small = 4096, sent = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (; sent < 20000; sent++) {
		uint8_t header[CTL_HEADER_LEN];

		ctl_frame_begin(header, strlen(STATUS));
		if (send(fd, header, 4, MSG_NOSIGNAL) != 4 ||
		    send(fd, STATUS, strlen(STATUS), MSG_NOSIGNAL) < 0)
			break;
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	}
	assert_in_range(sent, 10, 19999); /* our requests wait, too */
	pump(r, -1, 700);
	assert_int_equal(ctl_server_clients(r->server), 0);
}

static void test_limit_for_one_user(void **state)
{
	struct rig *r = *state;
	int fds[CTL_PER_UID_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = dial(r);
		pump(r, -1, 5);
	}
	assert_int_equal(ctl_server_clients(r->server), CTL_PER_UID_MAX);
	assert_true(get(r, fds[CTL_PER_UID_MAX]));
	assert_non_null(strstr(r->reply, "EUSERS"));
	put(fds[0], STATUS);
	assert_true(get(r, fds[0])); /* the others are served as before */
	close(fds[1]);
	pump(r, -1, 20);
	fds[1] = dial(r);
	put(fds[1], STATUS);
	assert_true(get(r, fds[1])); /* and there is room again */
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}

/* In a child of another user: does @cmd's answer contain @want? */
static int ask_as(const struct rig *r, gid_t group, const char *want)
{
	static const char cmd[] = "{\"v\":1,\"id\":1,\"cmd\":\"recycle\","
				  "\"args\":{\"all\":true}}";
	uint8_t header[CTL_HEADER_LEN];
	char buf[2048];
	ssize_t n;
	int fd;

	if (syscall(SYS_setgroups, 1, &group) < 0 ||
	    setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 3;
	fd = dial(r);
	if (fd < 0)
		return 4;
	ctl_frame_begin(header, sizeof(cmd) - 1);
	if (write(fd, header, 4) != 4 ||
	    write(fd, cmd, sizeof(cmd) - 1) != sizeof(cmd) - 1)
		return 5;
	if (recv(fd, buf, 4, MSG_WAITALL) != 4)
		return 6;
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	return strstr(buf, want) ? 0 : 7;
}

static void assert_as(struct rig *r, gid_t group, const char *want)
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ask_as(r, group, want));
	for (int i = 0; i < 500 && waitpid(pid, &status, WNOHANG) == 0; i++)
		pump(r, -1, 10);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_levels(void **state)
{
	struct rig *r = *state;

	if (geteuid() != 0)
		skip();
	assert_as(r, NOBODY, "EACCES");
	assert_string_equal(r->f->op, "");
	assert_as(r, ADMIN_GID, "\"done\"");
	assert_string_equal(r->f->op, "recycle 64");
}

static void test_probe_answers_and_late_ticket(void **state)
{
	struct ctl_probe_answer answers[TARGET_CHECKS];
	struct rig *r = *state;
	auto_fd int fd = dial(r);
	uint64_t old;
	size_t n;

	put(fd, "{\"v\":1,\"id\":1,\"cmd\":\"probe\","
		"\"args\":{\"name\":\"hk-01\"}}");
	put(fd, STATUS);
	pump(r, -1, 30);
	assert_true(r->f->ticket != 0);
	old = r->f->ticket;
	n = ctl_fixture_answers(r->f, answers, TARGET_CHECKS);
	ctl_server_probe_done(r->server, old + 1, answers, n); /* nobody's */
	ctl_server_probe_done(r->server, old, answers, n);
	ctl_server_probe_done(r->server, old, answers, n); /* a second time */
	assert_true(get(r, fd));
	assert_non_null(strstr(r->reply, "dae.probe/1"));
	assert_true(get(r, fd));
	assert_non_null(strstr(r->reply, "dae.status/1"));
	put(fd, "{\"v\":1,\"id\":2,\"cmd\":\"probe\","
		"\"args\":{\"name\":\"hk-01\"}}");
	pump(r, -1, 30);
	fd_close_ptr(&fd); /* it does not wait for the answer */
	pump(r, -1, 30);
	assert_int_equal(ctl_server_clients(r->server), 0);
	ctl_server_probe_done(r->server, r->f->ticket, answers, n);
}

static void test_followers(void **state)
{
	struct rig *r = *state;
	auto_fd int fd = dial(r);

	put(fd, "{\"v\":1,\"id\":1,\"cmd\":\"events\","
		"\"args\":{\"follow\":true,\"count\":1}}");
	assert_true(get(r, fd));
	assert_non_null(strstr(r->reply, "\"more\":true"));
	pump(r, -1, 1500); /* longer than an idle client may stay */
	ctl_fixture_event(r->f, "news for you");
	ctl_server_notify(r->server);
	assert_true(get(r, fd));
	assert_non_null(strstr(r->reply, "news for you"));
	fd_close_ptr(&fd);
	pump(r, -1, 30);
	assert_int_equal(ctl_server_clients(r->server), 0);
	ctl_server_notify(r->server);
}

static void test_tracer(void **state)
{
	struct rig *r = *state;
	auto_fd int fd = dial(r), other = dial(r);
	uint64_t ticket;

	put(other, "{\"v\":1,\"id\":1,\"cmd\":\"events\","
		   "\"args\":{\"follow\":true,\"count\":1}}");
	assert_true(get(r, other));
	put(fd, "{\"v\":1,\"id\":1,\"cmd\":\"route.trace\","
		"\"args\":{\"count\":9}}");
	assert_true(get(r, fd));
	assert_non_null(strstr(r->reply, "\"more\":true"));
	ticket = r->f->ticket;
	pump(r, -1, 30);
	assert_string_equal(r->f->op, "trace 0 0 0 9 86400000");
	/* nobody but the one who is told goes on */
	ctl_server_notify_one(r->server, ticket + 100);
	pump(r, -1, 30);
	assert_string_equal(r->f->op, "trace 0 0 0 9 86400000");
	fd_close_ptr(&other);
	pump(r, -1, 30);
	assert_int_not_equal(r->f->gone, ticket);
	ctl_server_notify_one(r->server, ticket);
	assert_true(get(r, fd));
	assert_string_equal(r->f->op, "trace on");
	assert_null(strstr(r->reply, "\"more\":true"));
	fd_close_ptr(&fd);
	pump(r, -1, 30);
	assert_int_equal(r->f->gone, ticket);
	ctl_server_notify_one(r->server, ticket);
}

static void test_socket_in_use_and_stale(void **state)
{
	struct rig *r = *state;
	struct ctl_server_options o = options(r);
	struct ctl_server *second = NULL;
	char stale[128];
	struct stat st;

	assert_int_equal(ctl_server_new(&second, r->base, &o, &ctl_fixture_ops,
					r->f),
			 -EADDRINUSE);
	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	/* one whose process has gone is replaced */
	snprintf(stale, sizeof(stale), "%s/stale", r->dir);
	o.path = stale;
	o.mode = 0;
	assert_int_equal(ctl_server_new(&second, r->base, &o, &ctl_fixture_ops,
					r->f),
			 0);
	{
		char kept[160];

		snprintf(kept, sizeof(kept), "%s/kept", r->dir);
		assert_int_equal(rename(stale, kept), 0);
		ctl_server_free(&second);
		assert_int_equal(rename(kept, stale), 0);
	}
	assert_int_equal(ctl_server_new(&second, r->base, &o, &ctl_fixture_ops,
					r->f),
			 0);
	assert_int_equal(stat(stale, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	ctl_server_free(&second);
}

static void test_inherited_socket(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct rig *r = *state, other = *r;
	struct ctl_server_options o = options(r);
	struct ctl_server *second = NULL;
	auto_fd int fd = -1;

	snprintf(other.path, sizeof(other.path), "%s/given", r->dir);
	memcpy(sa.sun_path, other.path, strlen(other.path) + 1);
	o.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(o.listen_fd, (void *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(o.listen_fd, 4), 0);
	assert_int_equal(ctl_server_new(&second, r->base, &o, &ctl_fixture_ops,
					r->f),
			 0);
	fd = dial(&other);
	put(fd, STATUS);
	assert_true(get(r, fd));
	ctl_server_free(&second);
	assert_int_equal(access(other.path, F_OK), 0); /* whoever made it */
	unlink(other.path);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answers_in_order),
		T(bad_requests),
		T(oversize_and_empty_frames),
		T(half_frame_times_out),
		T(idle_client_is_dropped),
		T(slow_reader_is_dropped),
		T(limit_for_one_user),
		T(levels),
		T(probe_answers_and_late_ticket),
		T(followers),
		T(tracer),
		T(socket_in_use_and_stale),
		T(inherited_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
