/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The closed sandbox itself: each way out, tried in a process of its own. */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"

#define UDP_FD 20 /* a connected UDP socket, as handed to a worker */

static const struct sockaddr_in elsewhere = {
	.sin_family = AF_INET,
	.sin_port = 0x0900, /* 9, in network order */
	.sin_addr.s_addr = 0x0100007f,
};

static long try_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static long try_connect(void)
{
	return connect(UDP_FD, (const void *)&elsewhere, sizeof(elsewhere));
}

static long try_bind(void)
{
	return bind(UDP_FD, (const void *)&elsewhere, sizeof(elsewhere));
}

static long try_sendto_named(void)
{
	return sendto(UDP_FD, "x", 1, 0, (const void *)&elsewhere,
		      sizeof(elsewhere));
}

static long try_fastopen(void)
{
	return sendto(UDP_FD, "x", 1, 0x20000000, NULL, 0);
}

static long do_sendmsg(int fd, void *name, socklen_t len)
{
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_name = name,
			    .msg_namelen = len };

	return sendmsg(fd, &m, 0);
}

static long try_sendmsg_named(void)
{
	struct sockaddr_in to = elsewhere;

	return do_sendmsg(UDP_FD, &to, sizeof(to));
}

static long try_sendmmsg(void)
{
	struct mmsghdr m = { 0 };

	return sendmmsg(UDP_FD, &m, 1, 0);
}

/* Moving a socket to the channel's number would open sendmsg for it. */
static long try_dup2(void)
{
	return dup2(UDP_FD, WORKER_CHANNEL_FD);
}

static long try_close_and_dupfd(void)
{
	close(WORKER_CHANNEL_FD);
	return fcntl(UDP_FD, F_DUPFD, WORKER_CHANNEL_FD);
}

static long try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long try_exec(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	return execve("/bin/true", argv, NULL);
}

static long try_fork(void)
{
	return syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0);
}

static long try_kill(void)
{
	return kill(getppid(), 0);
}

static long try_bpf(void)
{
	return syscall(__NR_bpf, 0, NULL, 0);
}

static long try_io_uring(void)
{
	return syscall(__NR_io_uring_setup, 1, NULL);
}

static long try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static long try_mark(void)
{
	return setsockopt(UDP_FD, SOL_SOCKET, SO_MARK, &(int){ 1 },
			  sizeof(int));
}

static const struct {
	const char *what;
	long (*run)(void);
} escapes[] = {
	{ "socket", try_socket },
	{ "connect", try_connect },
	{ "bind", try_bind },
	{ "sendto with an address", try_sendto_named },
	{ "sendto with fast open", try_fastopen },
	{ "sendmsg with an address", try_sendmsg_named },
	{ "sendmmsg", try_sendmmsg },
	{ "dup2 onto the channel", try_dup2 },
	{ "F_DUPFD onto the channel", try_close_and_dupfd },
	{ "open", try_open },
	{ "execve", try_exec },
	{ "fork", try_fork },
	{ "kill", try_kill },
	{ "bpf", try_bpf },
	{ "io_uring", try_io_uring },
	{ "executable memory", try_executable_memory },
	{ "SO_MARK", try_mark },
};

static void enter_as_worker(void)
{
	struct confine_report report = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    sandbox_enter(ROLE_PROBE, &report) < 0 || !report.seccomp)
		_exit(99);
}

/* Status of a child that closes the sandbox, then does @run. */
static int status_of(long (*run)(void))
{
	int pair[2], status = 0, udp;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(udp >= 0);
	assert_int_equal(
		connect(udp, (const void *)&elsewhere, sizeof(elsewhere)), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup2(udp, UDP_FD) < 0 ||
		    dup2(pair[1], WORKER_CHANNEL_FD) < 0)
			_exit(98);
		enter_as_worker();
		/* Not _exit(): before it, the address sanitizer does a call
		 * of its own. */
		syscall(__NR_exit_group, run() < 0 ? 1 : 0);
	}
	close(udp);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void every_way_out_kills(void **state DAE_UNUSED)
{
	size_t i;
	int status;

	for (i = 0; i < ARRAY_LEN(escapes); i++) {
		status = status_of(escapes[i].run);
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
			continue;
		if (WIFEXITED(status) &&
		    WEXITSTATUS(status) == WORKER_EXIT_SANDBOX)
			continue; /* a debug build's way to die */
		fail_msg("%s: status 0x%x", escapes[i].what, status);
	}
}

static long do_work(void)
{
	char buf[16];
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	void *p;

	if (send(UDP_FD, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return -1;
	if (writev(UDP_FD, &iov, 1) < 0 && errno != ECONNREFUSED)
		return -1;
	if (recv(UDP_FD, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		return -1;
	if (fcntl(UDP_FD, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || munmap(p, 1 << 20) < 0)
		return -1;
	return 0;
}

static void work_goes_on(void **state DAE_UNUSED)
{
	assert_int_equal(status_of(do_work), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_out_kills),
		cmocka_unit_test(work_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
