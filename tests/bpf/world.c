/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/world.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/addr.h"
#include "common/base.h"

void world_run(const char *fmt, ...)
{
	char cmd[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, args);
	va_end(args);
	if (system(cmd) != 0)
		fail_msg("failed: %s", cmd);
}

/* A process that does nothing but stay in a namespace of its own. */
static int hold_namespace(void)
{
	int pipefd[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(pipefd[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], &byte, 1), 1);
	close(pipefd[0]);
	return pid;
}

static void wire(const struct world *w, enum world_ns peer, const char *name,
		 int net)
{
	int pid = w->holder[peer];

	world_run("nsenter -t %d -n sysctl -qw "
		  "net.ipv6.conf.default.accept_dad=0",
		  pid);
	world_run("ip link add %s type veth peer name eth%d netns %d", name,
		  net, pid);
	world_run("ip addr add 10.%d.0.1/24 dev %s && "
		  "ip -6 addr add fd0%d::1/64 dev %s nodad && "
		  "ip link set %s up",
		  net, name, net, name, name);
	world_run("nsenter -t %d -n sh -c '"
		  "ip link set lo up && ip addr add 10.%d.0.2/24 dev eth%d && "
		  "ip -6 addr add fd0%d::2/64 dev eth%d nodad && "
		  "ip link set eth%d up && "
		  "ip route add default via 10.%d.0.1 && "
		  "ip -6 route add default via fd0%d::1'",
		  pid, net, net, net, net, net, net, net);
}

static void open_namespaces(struct world *w)
{
	char path[64];
	int i;

	w->ns[NS_ROUTER] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (i = NS_CLIENT; i < NS_COUNT; i++) {
		w->holder[i] = hold_namespace();
		snprintf(path, sizeof(path), "/proc/%d/ns/net", w->holder[i]);
		w->ns[i] = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(w->ns[i] >= 0);
	}
}

void world_make(struct world *w)
{
	int i;

	memset(w, 0, sizeof(*w));
	open_namespaces(w);
	world_run("ip link set lo up && "
		  "sysctl -qw net.ipv6.conf.default.accept_dad=0");
	wire(w, NS_CLIENT, "lan0", 1);
	wire(w, NS_A, "wan0", 2);
	wire(w, NS_B, "wan1", 3);
	for (i = NS_A; i <= NS_B; i++)
		world_run("nsenter -t %d -n sh -c '"
			  "ip addr add " WORLD_FAR4 "/32 dev lo && "
			  "ip -6 addr add " WORLD_FAR6 "/128 dev lo nodad'",
			  w->holder[i]);
	world_run("sysctl -qw net.ipv4.ip_forward=1 "
		  "net.ipv6.conf.all.forwarding=1 "
		  "net.ipv4.conf.all.rp_filter=0");
	world_run("ip route add default via 10.2.0.2 && "
		  "ip -6 route add default via fd02::2");
	w->lan = if_nametoindex("lan0");
	w->wan_a = if_nametoindex("wan0");
	w->wan_b = if_nametoindex("wan1");
}

void world_end(struct world *w)
{
	int i;

	for (i = 0; i < NS_COUNT; i++) {
		if (w->holder[i] > 0) {
			kill(w->holder[i], SIGKILL);
			waitpid(w->holder[i], NULL, 0);
		}
		if (w->ns[i] > 0)
			close(w->ns[i]);
	}
	/* the pairs go with the namespaces, but not at once */
	world_run("for i in lan0 wan0 wan1; do ip link del $i 2>/dev/null; "
		  "done; true");
	memset(w, 0, sizeof(*w));
}

static int socket_in(const struct world *w, enum world_ns ns, int family,
		     int type)
{
	int fd;

	assert_int_equal(setns(w->ns[ns], CLONE_NEWNET), 0);
	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(w->ns[NS_ROUTER], CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	return fd;
}

static socklen_t make_sockaddr(const char *text, uint16_t port,
			       struct sockaddr_storage *ss)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return addr_to_sockaddr(&a, port, ss);
}

int world_listen(const struct world *w, enum world_ns ns, int type,
		 const char *addr, uint16_t port, int transparent)
{
	struct sockaddr_storage ss;
	socklen_t len = make_sockaddr(addr, port, &ss);
	int fd = socket_in(w, ns, ss.ss_family, type), one = 1;
	int is6 = ss.ss_family == AF_INET6;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (is6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (transparent)
		assert_int_equal(setsockopt(fd, is6 ? SOL_IPV6 : SOL_IP,
					    is6 ? IPV6_TRANSPARENT
						: IP_TRANSPARENT,
					    &one, sizeof(one)),
				 0);
	if (transparent && type == SOCK_DGRAM)
		setsockopt(fd, is6 ? SOL_IPV6 : SOL_IP,
			   is6 ? IPV6_RECVORIGDSTADDR : IP_RECVORIGDSTADDR,
			   &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, len) < 0)
		fail_msg("bind %s: %s", addr, strerror(errno));
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	return fd;
}

int world_connect(const struct world *w, int type, const char *addr,
		  uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = make_sockaddr(addr, port, &ss);
	int fd = socket_in(w, NS_CLIENT, ss.ss_family, type);

	if (connect(fd, (struct sockaddr *)&ss, len) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

static int ready(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) == 1 && p.revents & events;
}

int world_readable(int fd, int ms)
{
	return ready(fd, POLLIN, ms);
}

int world_writable(int fd, int ms)
{
	return ready(fd, POLLOUT, ms);
}
