/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/probe_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/fd.h"
#include "supervisor/pool/cgroup.h"
#include "supervisor/pool/reap.h"
#include "supervisor/pool/route_query.h"
#include "supervisor/pool/rss.h"

static struct probe_socket towards(const char *text, uint16_t port,
				   uint8_t proto)
{
	struct probe_socket s = { .proto = proto };
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	addr_to_sockaddr(&a, port, &s.peer);
	return s;
}

static int get_int(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	getsockopt(fd, level, name, &v, &len);
	return v;
}

static void a_socket_is_made_as_ordered(void **state)
{
	struct probe_socket s = towards("127.0.0.1", 9, IPPROTO_UDP);
	struct sockaddr_in to, from;
	socklen_t len = sizeof(to);
	auto_fd int fd = -1;

	(void)state;
	s.is_literal = true;
	s.is_quic = true;
	s.mark = geteuid() == 0 ? 0x123 : 0;
	assert_int_equal(addr_parse("127.0.0.7", &s.source), 0);
	fd = probe_socket_open(&s);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(get_int(fd, SOL_SOCKET, SO_MARK), s.mark);
	assert_int_equal(get_int(fd, IPPROTO_IP, IP_MTU_DISCOVER),
			 IP_PMTUDISC_PROBE);
	assert_int_equal(getpeername(fd, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(to.sin_port, htons(9));
	len = sizeof(from);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&from, &len), 0);
	assert_int_equal(from.sin_addr.s_addr, inet_addr("127.0.0.7"));
}

static const struct {
	const char *addr;
	uint16_t port;
	int literal, error; /* 0: a socket */
} policy[] = {
	{ "127.0.0.1", 9, false, -EXDEV },
	{ "127.0.0.1", 9, true, 0 },
	{ "0.0.0.0", 9, false, -EXDEV },
	{ "169.254.1.1", 9, false, -EXDEV },
	{ "224.0.0.1", 9, false, -EXDEV },
	{ "255.255.255.255", 9, false, -EXDEV },
	{ "::1", 9, false, -EXDEV },
	{ "::ffff:127.0.0.1", 9, false, -EXDEV },
	{ "fe80::1", 9, false, -EXDEV },
	{ "ff02::1", 9, false, -EXDEV },
	{ "127.0.0.1", 0, true, -EINVAL },
};

static void addresses_are_judged(void **state)
{
	struct probe_socket s;
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(policy); i++) {
		s = towards(policy[i].addr, policy[i].port, IPPROTO_UDP);
		s.is_literal = policy[i].literal;
		fd = probe_socket_open(&s);
		if (policy[i].error) {
			assert_int_equal(fd, policy[i].error);
			continue;
		}
		assert_true(fd >= 0);
		close(fd);
	}
}

static void our_own_addresses_are_known(void **state)
{
	struct addr a;
	bool is_own;

	(void)state;
	assert_int_equal(addr_parse("127.0.0.1", &a), 0);
	assert_int_equal(route_query_is_own(&a, &is_own), 0);
	assert_true(is_own);
	assert_int_equal(addr_parse("127.9.9.9", &a), 0);
	assert_int_equal(route_query_is_own(&a, &is_own), 0);
	assert_true(is_own);
	assert_int_equal(addr_parse("192.0.2.1", &a), 0);
	assert_int_equal(route_query_is_own(&a, &is_own), 0);
	assert_false(is_own);
	assert_int_equal(addr_parse("2001:db8::1", &a), 0);
	assert_int_equal(route_query_is_own(&a, &is_own), 0);
	assert_false(is_own);
}

static void failures_say_whose_they_are(void **state)
{
	(void)state;
	assert_int_equal(probe_socket_outcome(-ECONNREFUSED), OUTCOME_REFUSED);
	assert_int_equal(probe_socket_outcome(EHOSTUNREACH),
			 OUTCOME_UNREACHABLE);
	assert_int_equal(probe_socket_outcome(-ENETUNREACH),
			 OUTCOME_LOCAL_ROUTE);
	assert_int_equal(probe_socket_outcome(-ENODEV), OUTCOME_LOCAL_ROUTE);
	assert_int_equal(probe_socket_outcome(-EMFILE), OUTCOME_LOCAL_RESOURCE);
	assert_int_equal(probe_socket_outcome(-ENOTTY), OUTCOME_INTERNAL);
	assert_true(outcome_is_ours(probe_socket_outcome(-ENOMEM)));
	assert_false(outcome_is_ours(probe_socket_outcome(-ETIMEDOUT)));
}

static void usage_is_measured(void **state)
{
	uint64_t before, after;
	uint32_t fds;
	volatile char *p; /* so that it is not optimized away */

	(void)state;
	assert_int_equal(rss_read_anon(getpid(), &before), 0);
	p = malloc(8 << 20);
	for (size_t i = 0; i < 8 << 20; i += 1024)
		p[i] = 1;
	assert_int_equal(rss_read_anon(getpid(), &after), 0);
	assert_true(after >= before + (7 << 20));
	free((void *)(uintptr_t)p);
	assert_int_equal(rss_read_anon(0x3fffffff, &after), -ENOENT);
	if (rss_read_fds(getpid(), &fds) == 0)
		assert_in_range(fds, 3, 100);
}

static void ends_are_read(void **state)
{
	struct slot_exit e;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		for (;;)
			pause();
	assert_int_equal(reap_try(pid, &status), 0);
	assert_int_equal(reap_kill(pid, -1), 0);
	assert_int_equal(reap_wait(pid, &status), 0);
	e = reap_decode(status, true);
	assert_true(e.is_signal && e.was_oom);
	assert_int_equal(e.code, 9);
	assert_int_equal(reap_try(pid, &status), -ECHILD);
	e = reap_decode(72 << 8, false);
	assert_false(e.is_signal || e.was_oom);
	assert_int_equal(e.code, 72);
}

static void cgroups_come_and_go(void **state)
{
	struct cgroup_root root;
	int status;
	pid_t pid;

	(void)state;
	cgroup_find(&root, "");
	assert_int_equal(root.kind, CGROUP_NONE);
	assert_int_equal(cgroup_add(&root, 1, getpid(), 1 << 20), -ENOTSUP);
	cgroup_find(&root, "/nonexistent");
	assert_int_equal(root.kind, CGROUP_NONE);
	cgroup_find(&root, NULL);
	if (root.kind == CGROUP_NONE) {
		print_message("no memory cgroup to be had here\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	assert_int_equal(cgroup_add(&root, 1, pid, 32 << 20), 0);
	assert_false(cgroup_was_oom(&root, 1));
	reap_kill(pid, -1);
	reap_wait(pid, &status);
	cgroup_remove(&root, 1);
	cgroup_release(&root);
	assert_int_equal(access(root.path, F_OK), -1); /* nothing is left */
}

/* A killed supervisor's folder goes with the next one's start. */
static void dead_ones_are_swept(void **state)
{
	char left[CGROUP_PATH_MAX], inner[CGROUP_PATH_MAX + 8];
	struct cgroup_root root;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(reap_wait(pid, &status), 0);
	cgroup_find(&root, NULL);
	if (root.kind == CGROUP_NONE)
		skip();
	snprintf(left, sizeof(left), "%.*s-%d",
		 (int)(strrchr(root.path, '-') - root.path), root.path, pid);
	snprintf(inner, sizeof(inner), "%s/1", left);
	assert_int_equal(mkdir(left, 0755), 0);
	assert_int_equal(mkdir(inner, 0755), 0);
	cgroup_release(&root);
	cgroup_find(&root, NULL);
	assert_int_equal(access(left, F_OK), -1);
	cgroup_release(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_is_made_as_ordered),
		cmocka_unit_test(addresses_are_judged),
		cmocka_unit_test(our_own_addresses_are_known),
		cmocka_unit_test(failures_say_whose_they_are),
		cmocka_unit_test(usage_is_measured),
		cmocka_unit_test(ends_are_read),
		cmocka_unit_test(cgroups_come_and_go),
		cmocka_unit_test(dead_ones_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
