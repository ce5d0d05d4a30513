/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real dae-worker on the other end of a channel, sandboxed as always. */
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
#include <netinet/in.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/job.h"
#include "common/msg.h"
#include "common/wire.h"
#include "common/priv.h"
#include "common/worker_args.h"
#include "dae_build_id.h"

#define WORKER DAE_BUILD_DIR "/worker/dae-worker"
#define CA_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define GENERATION 7
#define WAIT_MS 5000

struct rig {
	int chan;
	pid_t pid;
	struct hello hello;
	char got[MSG_MAX]; /* last message */
	size_t got_len;
};

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

/* The next message but heartbeats, unless one is wanted: its type, or -errno. */
static int receive(struct rig *r, bool with_beats)
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

static const void *payload(const struct rig *r)
{
	return r->got + sizeof(struct msg_hdr);
}

static void send_fds(struct rig *r, uint16_t type, const void *data, size_t len,
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

static void send_setup(struct rig *r)
{
	const struct setup s = { 0 };
	int fd = open(CA_BUNDLE, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	send_fds(r, MSG_SETUP, &s, sizeof(s), &fd, 1);
	close(fd);
}

static int rig_start(void **state)
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

/* The exit code within the usual wait, or -1. */
static int exit_code(struct rig *r)
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

static int rig_stop(void **state)
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

static struct job_spec job(uint32_t id, enum job_kind kind, uint8_t proto)
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

static void send_jobs(struct rig *r, const struct job_spec *jobs,
		      const int *fds, uint16_t n)
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

/* The next single result. */
static struct result next_result(struct rig *r)
{
	struct result res;

	assert_int_equal(receive(r, false), MSG_RESULTS);
	assert_int_equal(r->got_len, sizeof(struct msg_hdr) + sizeof(res));
	memcpy(&res, payload(r), sizeof(res));
	return res;
}

/* A socket of @type on a free port of the loopback; its address in *ret. */
static int local_socket(int type, struct sockaddr_in *ret)
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

static int connected(int type, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (connect(fd, (const void *)to, sizeof(*to)) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

static void peer_of(struct job_spec *s, const struct sockaddr_in *to)
{
	memcpy(&s->peer, to, sizeof(*to));
}

static void says_hello(void **state)
{
	struct rig *r = *state;

	assert_int_equal(r->hello.build_id, DAE_BUILD_ID);
	assert_int_equal(r->hello.generation, GENERATION);
	assert_int_equal(r->hello.pid, r->pid);
	assert_int_equal(r->hello.role, ROLE_PROBE);
	assert_int_equal(r->hello.seccomp, 1);
}

/* The value behind @key in the worker's status, base @base. */
static unsigned long status_field(pid_t pid, const char *key, int base)
{
	auto_free char *text = NULL;
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	assert_true(fd_read_file(path, 65536, &text) > 0);
	at = strstr(text, key);
	assert_non_null(at);
	return strtoul(at + strlen(key), NULL, base);
}

static void has_no_privilege(void **state)
{
	struct rig *r = *state;

	assert_int_equal(status_field(r->pid, "\nCapEff:", 16), 0);
	assert_int_equal(status_field(r->pid, "\nCapPrm:", 16), 0);
	assert_int_equal(status_field(r->pid, "\nCapAmb:", 16), 0);
	assert_int_equal(status_field(r->pid, "\nNoNewPrivs:", 10), 1);
	assert_int_equal(status_field(r->pid, "\nSeccomp:", 10), 2);
	assert_int_equal(status_field(r->pid, "\nThreads:", 10), 1);
	assert_int_not_equal(status_field(r->pid, "\nUid:", 10), 0);
}

static void heart_beats(void **state)
{
	struct rig *r = *state;
	struct heartbeat a, b;

	assert_int_equal(receive(r, true), MSG_HEARTBEAT);
	memcpy(&a, payload(r), sizeof(a));
	assert_int_equal(receive(r, true), MSG_HEARTBEAT);
	memcpy(&b, payload(r), sizeof(b));
	assert_true(b.loops > a.loops);
	assert_int_equal(b.in_flight, 0);
	assert_true(b.fds >= 3 && b.fds < 10);
	assert_true(b.heap_bytes > 0);
}

static void serve_204(int listener)
{
	static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
	char buf[1024];
	int fd = accept(listener, NULL, NULL);

	assert_true(recv(fd, buf, sizeof(buf), 0) > 0);
	assert_memory_equal(buf, "HEAD /generate_204 HTTP/1.1\r\n", 29);
	assert_int_equal(send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL),
			 sizeof(answer) - 1);
	close(fd);
}

static void runs_jobs_of_one_message(void **state)
{
	struct rig *r = *state;
	struct sockaddr_in good, closed;
	struct job_spec jobs[2] = { job(1, JOB_HTTP, IPPROTO_TCP),
				    job(2, JOB_HTTP, IPPROTO_TCP) };
	int listener = local_socket(SOCK_STREAM, &good), fds[2];
	struct result res;

	close(local_socket(SOCK_DGRAM, &closed));
	peer_of(&jobs[0], &good);
	peer_of(&jobs[1], &closed);
	fds[0] = connected(SOCK_STREAM, &good);
	fds[1] = connected(SOCK_STREAM, &closed);
	send_setup(r);
	send_jobs(r, jobs, fds, 2);
	close(fds[0]);
	close(fds[1]);
	res = next_result(r);
	assert_int_equal(res.job_id, 2);
	assert_int_equal(res.outcome, OUTCOME_REFUSED);
	assert_int_equal(res.phase, PHASE_CONNECT);
	serve_204(listener);
	res = next_result(r);
	assert_int_equal(res.job_id, 1);
	assert_int_equal(res.outcome, OUTCOME_OK);
	assert_int_equal(res.phase, PHASE_TOTAL);
	assert_true(res.phase_us[PHASE_FIRST_BYTE] > 0);
	assert_int_equal(res.phase_us[PHASE_HANDSHAKE], 0);
	assert_int_equal(res.leaked_bytes, 0);
	close(listener);
}

/* Echoes the question as an answer with one address. */
static void serve_dns(int fd)
{
	static const uint8_t rr[] = { 0xc0, 12, 0, 1, 0,   1, 0, 0,
				      0,    60, 0, 4, 192, 0, 2, 9 };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	uint8_t buf[512];
	ssize_t n = recvfrom(fd, buf, sizeof(buf) - sizeof(rr), 0,
			     (void *)&from, &len);

	assert_true(n > 12);
	buf[2] |= 0x80;
	buf[7] = 1;
	memcpy(buf + n, rr, sizeof(rr));
	assert_true(sendto(fd, buf, (size_t)n + sizeof(rr), 0, (void *)&from,
			   len) > 0);
}

static void resolves(void **state)
{
	struct rig *r = *state;
	struct sockaddr_in server;
	struct job_spec s = job(3, JOB_RESOLVE, IPPROTO_UDP);
	int fd = local_socket(SOCK_DGRAM, &server), sock;
	struct result res;

	peer_of(&s, &server);
	sock = connected(SOCK_DGRAM, &server);
	send_setup(r);
	send_jobs(r, &s, &sock, 1);
	close(sock);
	serve_dns(fd);
	res = next_result(r);
	assert_int_equal(res.outcome, OUTCOME_OK);
	assert_int_equal(res.naddrs, 1);
	assert_int_equal(res.addr_family, 4);
	assert_memory_equal(res.addrs[0] + 12, "\300\000\002\011", 4);
	assert_int_equal(res.ttl_s, 60);
	assert_true(res.phase_us[PHASE_RESOLVE] > 0);
	close(fd);
}

/* One job whose target never answers; its listener. */
static int start_stalled(struct rig *r, uint32_t id, uint32_t deadline_ms)
{
	struct sockaddr_in to;
	struct job_spec s = job(id, JOB_HTTP, IPPROTO_TCP);
	int listener = local_socket(SOCK_STREAM, &to), fd;

	s.deadline_ms = deadline_ms;
	peer_of(&s, &to);
	fd = connected(SOCK_STREAM, &to);
	send_jobs(r, &s, &fd, 1);
	close(fd);
	return listener;
}

static void deadline_ends_a_stall(void **state)
{
	struct rig *r = *state;
	struct result res;
	int listener;

	send_setup(r);
	listener = start_stalled(r, 4, 200);
	res = next_result(r);
	assert_int_equal(res.outcome, OUTCOME_RESPONSE_TIMEOUT);
	assert_int_equal(res.phase, PHASE_FIRST_BYTE);
	assert_in_range(res.phase_us[PHASE_TOTAL], 200000, 1000000);
	close(listener);
}

static void cancel_aborts(void **state)
{
	const struct cancel c = { .job_id = 5 }, none = { .job_id = 99 };
	struct rig *r = *state;
	struct result res;
	int listener;

	send_setup(r);
	listener = start_stalled(r, 5, 60000);
	send_fds(r, MSG_CANCEL, &none, sizeof(none), NULL, 0);
	send_fds(r, MSG_CANCEL, &c, sizeof(c), NULL, 0);
	res = next_result(r);
	assert_int_equal(res.job_id, 5);
	assert_int_equal(res.outcome, OUTCOME_ABORTED);
	close(listener);
}

static void drains_after_the_last_job(void **state)
{
	struct rig *r = *state;
	int late, listener;

	send_setup(r);
	listener = start_stalled(r, 6, 300);
	send_fds(r, MSG_DRAIN, NULL, 0, NULL, 0);
	late = start_stalled(r, 7, 300);
	assert_int_equal(next_result(r).outcome, OUTCOME_ABORTED);
	assert_int_equal(next_result(r).outcome, OUTCOME_RESPONSE_TIMEOUT);
	assert_int_equal(receive(r, false), MSG_DRAINED);
	assert_int_equal(exit_code(r), WORKER_EXIT_DRAINED);
	close(listener);
	close(late);
}

static void goes_with_its_supervisor(void **state)
{
	struct rig *r = *state;

	send_setup(r);
	shutdown(r->chan, SHUT_RDWR);
	assert_int_equal(exit_code(r), WORKER_EXIT_DRAINED);
}

static void bad_messages_end_it(void **state)
{
	struct rig *r = *state;
	int which;

	for (which = 0; which < 4; which++) {
		if (which)
			rig_start(state);
		r = *state;
		if (which == 0)
			send_fds(r, MSG_HELLO, "", 1, NULL, 0);
		if (which == 1)
			close(start_stalled(r, 1, 100)); /* no SETUP */
		if (which == 2)
			send_fds(r, MSG_CANCEL, "short", 5, NULL, 0);
		if (which == 3) {
			send_setup(r);
			send_setup(r);
		}
		assert_int_equal(exit_code(r), WORKER_EXIT_PROTOCOL);
		if (which < 3)
			rig_stop(state);
	}
}

#define RIGGED(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(says_hello),
		RIGGED(has_no_privilege),
		RIGGED(heart_beats),
		RIGGED(runs_jobs_of_one_message),
		RIGGED(resolves),
		RIGGED(deadline_ends_a_stall),
		RIGGED(cancel_aborts),
		RIGGED(drains_after_the_last_job),
		RIGGED(goes_with_its_supervisor),
		RIGGED(bad_messages_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
