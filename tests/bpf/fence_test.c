/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process with the workers' uid and sockets that were made by their creator
 * in a sub-cgroup of the test's own: every way to give them another address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/datapath/cleanup.h"
#include "supervisor/datapath/fence.h"
#include "tests/bpf/rig.h"
#include "tests/bpf/world.h"

#define WORKER_UID 65534
#define PROBE_MARK 0x100
#define RELAY_MARK 0x200
#define LISTENER_MARK 0x300
#define CGROUPS "/sys/fs/cgroup/unified"
#define PORT 9099

struct scene {
	struct rig *rig;
	struct fence *fence;
	char cgroup[128];
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *unified(void)
{
	return access(CGROUPS "/cgroup.procs", F_OK) == 0 ? CGROUPS
							  : "/sys/fs/cgroup";
}

static void enter(const char *cgroup)
{
	char path[192], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(path, pid);
}

static void scene_open(struct scene *s, struct rig *rig)
{
	struct fence_options opt = { .pin_dir = rig->pins,
				     .worker_uid = WORKER_UID };
	struct datapath_error err = { 0 };
	struct addr node;

	s->rig = rig;
	snprintf(s->cgroup, sizeof(s->cgroup), "%s/dae-fence-%d", unified(),
		 getpid());
	assert_int_equal(mkdir(s->cgroup, 0755), 0);
	opt.cgroup = s->cgroup;
	world_run("ip link set lo up");
	if (fence_open(&s->fence, &opt, &err) < 0)
		fail_msg("fence: %s", err.text);
	assert_int_equal(fence_set_class(s->fence, RELAY_MARK, FENCE_RELAY), 0);
	assert_int_equal(
		fence_set_class(s->fence, LISTENER_MARK, FENCE_LISTENER), 0);
	assert_int_equal(addr_parse("127.0.0.2", &node), 0);
	assert_int_equal(fence_allow(s->fence, &node, PORT), 0);
	assert_int_equal(addr_parse("::1", &node), 0);
	assert_int_equal(fence_allow(s->fence, &node, PORT), 0);
	enter(s->cgroup); /* sockets belong to it from here on */
}

static void scene_close(struct scene *s)
{
	enter(unified());
	fence_close(&s->fence);
	assert_int_equal(datapath_cleanup(s->rig->pins, NULL, NULL), 0);
	assert_int_equal(rmdir(s->cgroup), 0);
}

struct attempt {
	int type; /* SOCK_STREAM or SOCK_DGRAM */
	const char *addr;
	uint32_t mark;
	int flags; /* MSG_FASTOPEN, or 0 */
	bool by_connect;
	bool is_connected; /* the socket already, to 127.0.0.1 */
	int want;	   /* errno; 0: may pass */
};

static int make_socket(const struct attempt *a, int family)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(family, a->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &a->mark,
				    sizeof(a->mark)),
			 0);
	if (a->is_connected)
		assert_int_equal(
			connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* What the call says to a process with @uid. */
static int try_as(uid_t uid, int fd, const struct attempt *a)
{
	struct sockaddr_storage ss;
	struct addr addr;
	socklen_t len;
	int status;
	pid_t pid;
	ssize_t n;

	assert_int_equal(addr_parse(a->addr, &addr), 0);
	len = addr_to_sockaddr(&addr, PORT, &ss);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setresuid(uid, uid, uid) < 0)
			_exit(255);
		n = a->by_connect ? connect(fd, (struct sockaddr *)&ss, len)
				  : sendto(fd, "x", 1, a->flags | MSG_NOSIGNAL,
					   (struct sockaddr *)&ss, len);
		_exit(n < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct attempt attempts[] = {
	/* probes: no address at all */
	{ SOCK_DGRAM, "127.0.0.2", PROBE_MARK, 0, false, true, EPERM },
	{ SOCK_DGRAM, "127.0.0.1", PROBE_MARK, 0, false, true, EPERM },
	{ SOCK_DGRAM, "127.0.0.2", PROBE_MARK, 0, false, false, EPERM },
	{ SOCK_DGRAM, "::1", PROBE_MARK, 0, false, false, EPERM },
	{ SOCK_DGRAM, "127.0.0.2", PROBE_MARK, 0, true, true, EPERM },
	{ SOCK_STREAM, "127.0.0.2", PROBE_MARK, 0, true, false, EPERM },
	{ SOCK_STREAM, "::1", PROBE_MARK, 0, true, false, EPERM },
	{ SOCK_STREAM, "127.0.0.2", PROBE_MARK, MSG_FASTOPEN, false, false,
	  EPERM },
	{ SOCK_STREAM, "::1", PROBE_MARK, MSG_FASTOPEN, false, false, EPERM },
	/* a mark nobody declared is a probe's */
	{ SOCK_DGRAM, "127.0.0.2", 0, 0, false, false, EPERM },
	/* relays: nodes only */
	{ SOCK_DGRAM, "127.0.0.2", RELAY_MARK, 0, false, false, 0 },
	{ SOCK_DGRAM, "::1", RELAY_MARK, 0, false, false, 0 },
	{ SOCK_DGRAM, "127.0.0.3", RELAY_MARK, 0, false, false, EPERM },
	{ SOCK_STREAM, "127.0.0.2", RELAY_MARK, 0, true, false, EINPROGRESS },
	{ SOCK_STREAM, "127.0.0.3", RELAY_MARK, 0, true, false, EPERM },
	/* replies and listeners: anywhere */
	{ SOCK_DGRAM, "127.0.0.3", LISTENER_MARK, 0, false, false, 0 },
};

static void addresses_are_fenced(void **state)
{
	struct scene s = { 0 };
	uint64_t denied = 0;
	size_t i;
	int fd, got;

	scene_open(&s, *state);
	for (i = 0; i < ARRAY_LEN(attempts); i++) {
		fd = make_socket(&attempts[i], strchr(attempts[i].addr, ':')
						       ? AF_INET6
						       : AF_INET);
		got = try_as(WORKER_UID, fd, &attempts[i]);
		/* loopback answers a SYN to a closed port at once */
		if (attempts[i].want == EINPROGRESS && got == ECONNREFUSED)
			got = EINPROGRESS;
		if (got != attempts[i].want)
			fail_msg("attempt %zu: %s, want %s", i, strerror(got),
				 strerror(attempts[i].want));
		denied += attempts[i].want == EPERM;
		close(fd);
	}
	assert_int_equal(fence_denied(s.fence), denied);
	scene_close(&s);
}

/* The same calls of the creator itself, and a send without an address. */
static void others_are_free(void **state)
{
	struct attempt plain = { SOCK_DGRAM, "127.0.0.2", PROBE_MARK, 0,
				 false,	     true,	  0 };
	struct scene s = { 0 };
	int fd, status;
	pid_t pid;

	scene_open(&s, *state);
	fd = make_socket(&plain, AF_INET);
	assert_int_equal(try_as(0, fd, &plain), 0);
	assert_int_equal(try_as(1234, fd, &plain), 0);
	pid = fork();
	if (pid == 0) {
		if (setresuid(WORKER_UID, WORKER_UID, WORKER_UID) < 0)
			_exit(255);
		_exit(send(fd, "x", 1, 0) == 1 ? 0 : errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	scene_close(&s);
}

/* The fence stands while nobody holds it, and is taken over. */
static void fence_outlives_us(void **state)
{
	struct attempt a = { SOCK_DGRAM, "127.0.0.3", PROBE_MARK, 0,
			     false,	 false,	      EPERM };
	struct fence_options opt = { .worker_uid = WORKER_UID };
	struct datapath_error err = { 0 };
	struct scene s = { 0 };
	int fd;

	scene_open(&s, *state);
	opt.cgroup = s.cgroup;
	opt.pin_dir = s.rig->pins;
	fd = make_socket(&a, AF_INET);
	fence_close(&s.fence);
	assert_int_equal(try_as(WORKER_UID, fd, &a), EPERM);
	if (fence_open(&s.fence, &opt, &err) < 0)
		fail_msg("adopt: %s", err.text);
	assert_int_equal(try_as(WORKER_UID, fd, &a), EPERM);
	assert_int_equal(fence_denied(s.fence), 2);
	fence_close(&s.fence);
	assert_int_equal(datapath_cleanup(s.rig->pins, NULL, NULL), 0);
	assert_int_equal(try_as(WORKER_UID, fd, &a), 0);
	close(fd);
	scene_close(&s);
}

#define EACH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(addresses_are_fenced),
		EACH(others_are_free),
		EACH(fence_outlives_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
