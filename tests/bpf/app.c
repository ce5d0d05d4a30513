/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/app.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/addr.h"
#include "common/base.h"

#define CGROUPS "/sys/fs/cgroup/unified"
#define WAIT_MS 4000

static const char *unified(void)
{
	return access(CGROUPS "/cgroup.procs", F_OK) == 0 ? CGROUPS
							  : "/sys/fs/cgroup";
}

void app_enter(const char *cgroup)
{
	char path[192], pid[16];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs",
		 cgroup ? cgroup : unified());
	snprintf(pid, sizeof(pid), "%d", getpid());
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, pid, strlen(pid)), strlen(pid));
	close(fd);
}

void app_cgroup_make(char *ret, size_t size)
{
	snprintf(ret, size, "%s/dae-host-%d", unified(), getpid());
	if (mkdir(ret, 0755) < 0) /* a test before this one failed */
		assert_int_equal(errno, EEXIST);
}

void app_cgroup_remove(const char *cgroup)
{
	assert_int_equal(rmdir(cgroup), 0);
}

static void write_name(const struct sockaddr_storage *ss, socklen_t len,
		       char ret[64])
{
	char host[48], port[8];

	ret[0] = '\0';
	if (getnameinfo((const struct sockaddr *)ss, len, host, sizeof(host),
			port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(ret, 64, "%s|%s", host, port);
}

void app_name_of(int fd, bool peer, char ret[64])
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int r = peer ? getpeername(fd, (struct sockaddr *)&ss, &len)
		     : getsockname(fd, (struct sockaddr *)&ss, &len);

	ret[0] = '\0';
	if (r == 0)
		write_name(&ss, len, ret);
}

static socklen_t make_address(const char *text, uint16_t port,
			      struct sockaddr_storage *ss)
{
	struct addr a;
	struct sockaddr_in6 *in6 = (void *)ss;

	/* as the text has it: a mapped address stays one */
	if (strncmp(text, "::ffff:", 7) == 0) {
		memset(ss, 0, sizeof(*ss));
		if (addr_parse(text + 7, &a) < 0)
			_exit(98);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, a.b, 16);
		return sizeof(*in6);
	}
	if (addr_parse(text, &a) < 0)
		_exit(98);
	return addr_to_sockaddr(&a, port, ss);
}

static int prepare(const struct app_job *j, int family)
{
	struct timeval tv = { .tv_sec = WAIT_MS / 1000 };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	if (j->netns && setns(j->netns, CLONE_NEWNET) < 0)
		_exit(97);
	fd = socket(family, j->type, j->is_mptcp ? IPPROTO_MPTCP : 0);
	if (fd < 0)
		_exit(96);
	if (j->wait_ms)
		tv = (struct timeval){ 0, j->wait_ms * 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (j->mark &&
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &j->mark, sizeof(j->mark)) < 0)
		_exit(95);
	if (j->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, j->device,
				    (socklen_t)strlen(j->device)) < 0)
		_exit(94);
	if (j->source || j->source_port) {
		len = make_address(j->source		? j->source
				   : family == AF_INET6 ? "::"
							: "0.0.0.0",
				   j->source_port, &ss);
		if (bind(fd, (struct sockaddr *)&ss, len) < 0)
			_exit(93);
	}
	return fd;
}

/* Connect elsewhere and dissolve it: what resolvers do to sort addresses. */
static void connect_before(const struct app_job *j, int fd)
{
	struct sockaddr_storage ss;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	socklen_t len;

	if (!j->first_to)
		return;
	len = make_address(j->first_to, j->port, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 ||
	    connect(fd, &none, sizeof(none)) < 0)
		_exit(92);
}

static int send_ping(const struct app_job *j, int fd, const struct sockaddr *to,
		     socklen_t len)
{
	int r = -1, i;

	if (j->by_sendto || j->is_fastopen) {
		for (i = 0; r < 0 && i <= j->resend; i++)
			r = (int)sendto(fd, "ping", 4,
					MSG_NOSIGNAL |
						(j->is_fastopen ? MSG_FASTOPEN
								: 0),
					to, len);
		return r < 0 ? errno : 0;
	}
	if (connect(fd, to, len) < 0)
		return errno;
	return send(fd, "ping", 4, MSG_NOSIGNAL) == 4 ? 0 : errno;
}

static void run(const struct app_job *j, struct app_answer *a)
{
	struct sockaddr_storage ss, from = { 0 };
	socklen_t len = make_address(j->to, j->port, &ss),
		  from_len = sizeof(from);
	int fd = prepare(j, ss.ss_family);

	connect_before(j, fd);
	a->error = send_ping(j, fd, (struct sockaddr *)&ss, len);
	app_name_of(fd, true, a->peer);
	app_name_of(fd, false, a->own);
	if (a->error)
		return;
	if (recvfrom(fd, a->text, sizeof(a->text) - 1, 0,
		     (struct sockaddr *)&from, &from_len) > 0 &&
	    j->type == SOCK_DGRAM)
		write_name(&from, from_len, a->from);
}

void app_start(struct app *a, const char *cgroup, const struct app_job *job)
{
	extern char *program_invocation_name;

	a->answer = mmap(NULL, sizeof(*a->answer), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(a->answer != MAP_FAILED);
	a->pid = fork();
	assert_true(a->pid >= 0);
	if (a->pid != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (job->name) /* the arguments' own memory */
		strncpy(program_invocation_name, job->name,
			strlen(program_invocation_name));
	if (cgroup)
		app_enter(cgroup);
	run(job, a->answer);
	_exit(0);
}

const struct app_answer *app_end(struct app *a)
{
	int status;

	assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
	if (status)
		fail_msg("application: status %#x", (unsigned int)status);
	return a->answer;
}

void app_free(struct app *a)
{
	munmap(a->answer, sizeof(*a->answer));
	a->answer = NULL;
}
