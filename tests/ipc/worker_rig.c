/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/ipc/worker_rig.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <fcntl.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/priv.h"
#include "common/wire.h"
#include "common/worker_args.h"

#define WORKER DAE_BUILD_DIR "/worker/dae-worker"
#define CA_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define WAIT_MS 5000

static void exec_worker(int fd)
{
	struct worker_args args = { .role = ROLE_PROBE,
				    .generation = GENERATION,
				    .uid = PRIV_KEEP_IDS,
				    .gid = PRIV_KEEP_IDS };
	struct worker_argv argv;

	if (getuid() == 0)
		args.uid = args.gid = 65534;
	worker_args_format(&args, &argv);
	if (dup2(fd, WORKER_CHANNEL_FD) < 0)
		_exit(99);
	execv(WORKER, argv.argv);
	_exit(98);
}

int receive(struct rig *r, bool with_beats)
{
	struct pollfd p = { .fd = r->chan, .events = POLLIN };
	struct msg_hdr hdr;
	ssize_t n;

	do {
		if (poll(&p, 1, WAIT_MS) != 1)
			return -ETIMEDOUT;
		n = recv(r->chan, r->got, sizeof(r->got), 0);
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ESHUTDOWN;
		r->got_len = (size_t)n;
		assert_int_equal(msg_check(msg_from_worker, SLOT_STARTING,
					   r->got, r->got_len, 0, &hdr) == 0 ||
					 msg_check(msg_from_worker,
						   SLOT_DRAINING, r->got,
						   r->got_len, 0, &hdr) == 0,
				 1);
	} while (hdr.type == MSG_HEARTBEAT && !with_beats);
	return hdr.type;
}

const void *payload(const struct rig *r)
{
	return r->got + sizeof(struct msg_hdr);
}

void send_fds(struct rig *r, uint16_t type, const void *data, size_t len,
	      const int *fds, size_t nfds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(4 * sizeof(int))];
	} control = { 0 };
	struct msg_hdr hdr = { .type = type, .version = MSG_VERSION };
	struct iovec iov[2] = { { &hdr, sizeof(hdr) },
				{ (void *)(uintptr_t)data, len } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (nfds) {
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, nfds * sizeof(int));
	}
	assert_true(sendmsg(r->chan, &m, 0) > 0);
}

void send_setup(struct rig *r)
{
	const struct setup s = { 0 };
	int fd = open(CA_BUNDLE, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	send_fds(r, MSG_SETUP, &s, sizeof(s), &fd, 1);
	close(fd);
}

int rig_start(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	r->pid = fork();
	if (r->pid == 0)
		exec_worker(pair[1]);
	close(pair[1]);
	r->chan = pair[0];
	assert_int_equal(receive(r, false), MSG_HELLO);
	memcpy(&r->hello, payload(r), sizeof(r->hello));
	*state = r;
	return 0;
}

int exit_code(struct rig *r)
{
	int status = 0, i;

	for (i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
			r->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		usleep(10000);
	}
	return -1;
}

int rig_stop(void **state)
{
	struct rig *r = *state;

	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
	close(r->chan);
	free(r);
	return 0;
}

struct job_spec job(uint32_t id, enum job_kind kind, uint8_t proto)
{
	struct job_spec s = {
		.id = id,
		.deadline_ms = 2000,
		.kind = (uint8_t)kind,
		.nfds = 1,
		.proto = proto,
		.qtype = 1,
		.status_min = 204,
		.status_max = 204,
	};
	unsigned int i;

	for (i = 0; i < JOB_STR_COUNT; i++)
		s.str[i] = "";
	s.str[JOB_STR_HOST] = "localhost";
	s.str[JOB_STR_METHOD] = "HEAD";
	s.str[JOB_STR_PATH] = "/generate_204";
	s.str[JOB_STR_QNAME] = "example.com";
	return s;
}

void send_jobs(struct rig *r, const struct job_spec *jobs, const int *fds,
	       uint16_t n)
{
	uint8_t buf[MSG_MAX];
	struct wcur w;
	uint16_t i;

	wcur_init(&w, buf, sizeof(buf));
	wcur_u16(&w, n);
	for (i = 0; i < n; i++)
		assert_int_equal(job_encode(&w, &jobs[i]), 0);
	send_fds(r, MSG_JOBS, buf, w.len, fds, n);
}

struct result next_result(struct rig *r)
{
	struct result res;

	assert_int_equal(receive(r, false), MSG_RESULTS);
	assert_int_equal(r->got_len, sizeof(struct msg_hdr) + sizeof(res));
	memcpy(&res, payload(r), sizeof(res));
	return res;
}

int local_socket(int type, struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret);

	*ret = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	assert_int_equal(bind(fd, (void *)ret, len), 0);
	assert_int_equal(getsockname(fd, (void *)ret, &len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	return fd;
}

int connected(int type, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (connect(fd, (const void *)to, sizeof(*to)) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

void peer_of(struct job_spec *s, const struct sockaddr_in *to)
{
	memcpy(&s->peer, to, sizeof(*to));
}
