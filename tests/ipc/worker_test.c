/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real dae-worker over its channel, sandboxed as always. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "dae_build_id.h"
#include "tests/ipc/worker_rig.h"

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

static void reports_in_batches(void **state)
{
	struct rig *r = *state;
	struct job_spec jobs[4];
	struct sockaddr_in closed;
	struct result res;
	int fds[4];
	unsigned int seen = 0;

	close(local_socket(SOCK_DGRAM, &closed));
	for (unsigned int i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = job(i + 1, JOB_HTTP, IPPROTO_TCP);
		peer_of(&jobs[i], &closed);
		fds[i] = connected(SOCK_STREAM, &closed);
	}
	send_setup(r);
	send_jobs(r, jobs, fds, ARRAY_LEN(jobs));
	for (unsigned int i = 0; i < ARRAY_LEN(jobs); i++)
		close(fds[i]);
	/* All failed when they were sent: one turn of the loop, one message. */
	assert_int_equal(receive(r, false), MSG_RESULTS);
	assert_int_equal(r->got_len, sizeof(struct msg_hdr) +
					     ARRAY_LEN(jobs) * sizeof(res));
	for (unsigned int i = 0; i < ARRAY_LEN(jobs); i++) {
		memcpy(&res, (const char *)payload(r) + i * sizeof(res),
		       sizeof(res));
		assert_int_equal(res.outcome, OUTCOME_REFUSED);
		seen |= 1U << res.job_id;
	}
	assert_int_equal(seen, 0x1e);
}

/* A SOCKS5 proxy that grants an association at @port, address unspecified;
 * the control connection. */
static int grant_association(int listener, uint16_t port)
{
	uint8_t reply[] = { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	char buf[64];
	int fd = accept(listener, NULL, NULL);

	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 3);
	assert_int_equal(send(fd, "\5\0", 2, 0), 2);
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 10);
	assert_int_equal(buf[1], 3);
	reply[8] = (uint8_t)(port >> 8);
	reply[9] = (uint8_t)port;
	assert_int_equal(send(fd, reply, sizeof(reply), 0), sizeof(reply));
	return fd;
}

/* Begins a DNS probe through such a proxy, up to its question for a socket. */
static int ask_for_socket(struct rig *r, struct sockaddr_in *relay,
			  int *relay_fd)
{
	struct job_spec s = job(8, JOB_DNS_UDP, IPPROTO_TCP);
	struct sockaddr_in proxy;
	struct socket_request q;
	int listener = local_socket(SOCK_STREAM, &proxy), fd, control;

	*relay_fd = local_socket(SOCK_DGRAM, relay);
	s.via = JOB_VIA_SOCKS5;
	peer_of(&s, &proxy);
	memcpy(&s.target, relay, sizeof(*relay));
	fd = connected(SOCK_STREAM, &proxy);
	send_setup(r);
	send_jobs(r, &s, &fd, 1);
	close(fd);
	control = grant_association(listener, ntohs(relay->sin_port));
	close(listener);
	assert_int_equal(receive(r, false), MSG_SOCKET_REQUEST);
	memcpy(&q, payload(r), sizeof(q));
	assert_int_equal(q.job_id, 8);
	assert_int_equal(q.family, 4);
	assert_int_equal(q.proto, IPPROTO_UDP);
	assert_int_equal(q.port, ntohs(relay->sin_port));
	/* The proxy's own address stands for the unspecified one. */
	assert_memory_equal(q.addr + 12, "\177\0\0\1", 4);
	return control;
}

static void serve_wrapped_dns(int fd)
{
	static const uint8_t rr[] = { 0xc0, 12, 0, 1, 0,   1, 0, 0,
				      0,    60, 0, 4, 192, 0, 2, 9 };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	uint8_t buf[512];
	ssize_t n = recvfrom(fd, buf, sizeof(buf) - sizeof(rr), 0,
			     (void *)&from, &len);

	assert_true(n > 10 + 12);
	assert_memory_equal(buf, "\0\0\0\1\177\0\0\1", 8);
	buf[10 + 2] |= 0x80;
	buf[10 + 7] = 1;
	memcpy(buf + n, rr, sizeof(rr));
	assert_true(sendto(fd, buf, (size_t)n + sizeof(rr), 0, (void *)&from,
			   len) > 0);
}

static void associates(void **state)
{
	const struct socket_reply reply = { .job_id = 8 };
	struct rig *r = *state;
	struct sockaddr_in relay;
	struct result res;
	int relay_fd, control, sock;

	control = ask_for_socket(r, &relay, &relay_fd);
	sock = connected(SOCK_DGRAM, &relay);
	send_fds(r, MSG_SOCKET, &reply, sizeof(reply), &sock, 1);
	close(sock);
	serve_wrapped_dns(relay_fd);
	res = next_result(r);
	assert_int_equal(res.outcome, OUTCOME_OK);
	assert_true(res.phase_us[PHASE_PROXY] > 0);
	close(control);
	close(relay_fd);
}

static void association_elsewhere_is_refused(void **state)
{
	const struct socket_reply reply = { .job_id = 8, .error = -EACCES };
	struct rig *r = *state;
	struct sockaddr_in relay;
	struct result res;
	int relay_fd, control;

	control = ask_for_socket(r, &relay, &relay_fd);
	send_fds(r, MSG_SOCKET, &reply, sizeof(reply), NULL, 0);
	res = next_result(r);
	assert_int_equal(res.outcome, OUTCOME_PROXY_PROTOCOL);
	assert_int_equal(res.phase, PHASE_PROXY);
	close(control);
	close(relay_fd);
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
		RIGGED(reports_in_batches),
		RIGGED(associates),
		RIGGED(association_elsewhere_is_refused),
		RIGGED(deadline_ends_a_stall),
		RIGGED(cancel_aborts),
		RIGGED(drains_after_the_last_job),
		RIGGED(goes_with_its_supervisor),
		RIGGED(bad_messages_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
