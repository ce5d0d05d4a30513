/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker that does not probe, and misbehaves as its own file's name says:
 * always-MODE, or once-MODE: only the first worker of its place does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/job.h"
#include "common/msg.h"
#include "common/priv.h"
#include "common/wire.h"
#include "common/worker_args.h"
#include "dae_build_id.h"

#define JOBS_KEPT 4096

static struct worker_args args;
static const char *mode = "good";
static char fds_at_start[MSG_DETAIL_MAX];
static uint32_t kept[JOBS_KEPT];
static size_t kept_count;

static bool is(const char *name)
{
	return strcmp(mode, name) == 0;
}

static void send_raw(const void *buf, size_t len, int nfds)
{
	char control[CMSG_SPACE(64 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (nfds) {
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		for (int i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(cm) + (size_t)i * sizeof(int),
			       &(int){ 0 }, sizeof(int));
	}
	if (sendmsg(WORKER_CHANNEL_FD, &m, MSG_NOSIGNAL) < 0 && errno == EPIPE)
		_exit(0);
}

static void say(uint16_t type, const void *payload, size_t len)
{
	static uint8_t buf[MSG_MAX];
	struct wcur w;

	wcur_init(&w, buf, sizeof(buf));
	wcur_u16(&w, type);
	wcur_u16(&w, is("wrongversion") ? MSG_VERSION + 1 : MSG_VERSION);
	wcur_u32(&w, 1);
	wcur_bytes(&w, payload, len);
	send_raw(buf, w.len, is("surplus") ? 5 : is("manyfds") ? 60 : 0);
}

static void hello(void)
{
	struct hello h = {
		.build_id = is("wrongbuild") ? DAE_BUILD_ID + 1 : DAE_BUILD_ID,
		.generation = is("wronggen") ? 999 : args.generation,
		.pid = is("wrongpid") ? 1 : (uint32_t)getpid(),
		.role = is("wrongrole") ? 9 : args.role,
	};

	say(MSG_HELLO, &h, sizeof(h));
}

static void heartbeat(void)
{
	struct heartbeat h = { .loops = 1 };

	say(MSG_HEARTBEAT, &h, sizeof(h));
}

static void report(uint32_t id, const char *detail)
{
	struct result r = { .job_id = id, .phase = PHASE_TOTAL };

	snprintf(r.detail, sizeof(r.detail), "%s", detail);
	if (is("badoutcome"))
		r.outcome = OUTCOME_COUNT;
	if (is("baddetail"))
		r.detail[0] = '\x1b';
	if (is("noend"))
		memset(r.detail, 'x', sizeof(r.detail));
	if (is("badaddrs"))
		r.naddrs = MSG_ADDRS_MAX + 1;
	if (is("addrs")) /* sane, but not of this kind of job */
		r.naddrs = 1, r.addr_family = 4;
	say(MSG_RESULTS, &r, sizeof(r));
	if (is("double"))
		say(MSG_RESULTS, &r, sizeof(r));
	for (uint32_t i = 1; is("others") && i < 100; i++) {
		r.job_id = id + i; /* jobs of other workers, or of none */
		r.outcome = OUTCOME_REFUSED;
		say(MSG_RESULTS, &r, sizeof(r));
	}
}

/* What the pool promised about us, as text. */
static void describe_self(char *ret, size_t cap)
{
	struct rlimit core, files;
	uid_t r, e, s;

	getresuid(&r, &e, &s);
	getrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(ret, cap, "uid=%u,%u,%u caps=%s core=%llu files=%llu root=%s",
		 r, e, s, priv_verify_no_caps() == 0 ? "none" : "some",
		 (unsigned long long)core.rlim_cur,
		 (unsigned long long)files.rlim_cur,
		 setuid(0) == 0 ? "yes" : "no");
}

/* Ask for a socket to @last in 127.0.0.0/8; what came, as a number. */
static int ask_for(uint32_t job, uint8_t last, uint16_t port, uint8_t proto)
{
	struct socket_request q = {
		.job_id = job, .family = 4, .proto = proto, .port = port
	};
	char control[CMSG_SPACE(sizeof(int))];
	struct socket_reply reply = { 0 };
	uint8_t buf[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (last) {
		q.addr[10] = q.addr[11] = 0xff;
		q.addr[12] = 127;
		q.addr[15] = last;
	}
	say(MSG_SOCKET_REQUEST, &q, sizeof(q));
	if (recvmsg(WORKER_CHANNEL_FD, &m, 0) < 16)
		_exit(WORKER_EXIT_PROTOCOL);
	memcpy(&reply, buf + sizeof(struct msg_hdr), sizeof(reply));
	return m.msg_controllen >= CMSG_LEN(sizeof(int)) ? 1 : reply.error;
}

static int ask(uint32_t job, uint8_t last, uint16_t port)
{
	return ask_for(job, last, port, IPPROTO_UDP);
}

static void ask_for_sockets(uint32_t id, char *ret, size_t cap)
{
	int n = 0;

	n += snprintf(ret + n, cap - (size_t)n, "other=%d", ask(id, 9, 53));
	n += snprintf(ret + n, cap - (size_t)n, " job=%d", ask(999999, 1, 53));
	n += snprintf(ret + n, cap - (size_t)n, " port0=%d", ask(id, 1, 0));
	n += snprintf(ret + n, cap - (size_t)n, " tcp=%d",
		      ask_for(id, 1, 54, IPPROTO_TCP));
	n += snprintf(ret + n, cap - (size_t)n, " own=%d", ask(id, 1, 53));
	n += snprintf(ret + n, cap - (size_t)n, " any=%d", ask(id, 0, 54));
	snprintf(ret + n, cap - (size_t)n, " third=%d", ask(id, 0, 55));
}

static void eat(size_t bytes)
{
	static char *volatile last; /* so that it is not optimized away */

	last = malloc(bytes);
	if (!last)
		_exit(WORKER_EXIT_NOMEM);
	memset(last, 1, bytes);
}

static void work(uint32_t id)
{
	char text[MSG_DETAIL_MAX] = "";

	if (is("busy"))
		for (;;)
			getppid();
	if (is("nomem"))
		_exit(WORKER_EXIT_NOMEM);
	if (is("crash"))
		raise(SIGSEGV);
	if (is("leave"))
		_exit(0);
	if (is("hog"))
		eat(2 << 20);
	if (is("burst"))
		eat(256 << 20);
	for (int i = 0; i < 40 && is("fdhog"); i++)
		if (dup(0) < 0)
			break;
	if (is("self"))
		describe_self(text, sizeof(text));
	if (is("fds"))
		memcpy(text, fds_at_start, sizeof(text));
	if (is("sockets"))
		ask_for_sockets(id, text, sizeof(text));
	report(id, text);
}

static void after_hello(void)
{
	static uint8_t junk[MSG_MAX + 4096];

	for (int i = 0; is("random"); i++) {
		for (size_t j = 0; j < 64; j++)
			junk[j] = (uint8_t)rand();
		send_raw(junk, (size_t)(rand() % 64 + 1), rand() % 8);
	}
	while (is("flood"))
		heartbeat();
	if (is("toolong"))
		send_raw(junk, sizeof(junk), 0);
	if (is("tooshort"))
		send_raw(junk, 3, 0);
	if (is("empty"))
		send_raw(junk, 0, 0);
	if (is("emptyfds"))
		send_raw(junk, 0, 3);
	if (is("hello2"))
		hello();
	if (is("drained"))
		say(MSG_DRAINED, NULL, 0);
	if (is("closed")) {
		close(WORKER_CHANNEL_FD);
		for (;;)
			pause();
	}
}

static void take_jobs(const uint8_t *payload, size_t len)
{
	char arena[JOB_ARENA_SIZE];
	struct job_spec spec;
	struct rcur c;
	uint16_t n;

	rcur_init(&c, payload, len);
	n = rcur_u16(&c);
	for (uint16_t i = 0; i < n; i++) {
		if (job_decode(&c, arena, &spec) < 0)
			_exit(WORKER_EXIT_PROTOCOL);
		if (is("half") && i >= n / 2)
			raise(SIGSEGV);
		if (is("slow") && kept_count < JOBS_KEPT)
			kept[kept_count++] = spec.id;
		else
			work(spec.id);
	}
}

static void drain(void)
{
	if (is("crashdrain"))
		raise(SIGSEGV);
	if (is("ignoredrain"))
		return;
	while (kept_count)
		report(kept[--kept_count], "");
	say(MSG_DRAINED, NULL, 0);
	_exit(0);
}

/* The descriptors that came are closed unread: nothing is probed here. */
static void read_one(void)
{
	static uint8_t buf[MSG_MAX];
	char control[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct msg_hdr hdr;
	struct cmsghdr *cm;
	ssize_t n = recvmsg(WORKER_CHANNEL_FD, &m, 0);
	size_t nfds;
	int fd;

	if (n <= 0)
		_exit(0);
	cm = CMSG_FIRSTHDR(&m);
	nfds = cm ? (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	for (size_t i = 0; i < nfds; i++) {
		memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
		close(fd);
	}
	if (msg_check(msg_from_supervisor, 0, buf, (size_t)n, nfds, &hdr) < 0)
		_exit(WORKER_EXIT_PROTOCOL);
	if (hdr.type == MSG_JOBS)
		take_jobs(buf + sizeof(hdr), (size_t)n - sizeof(hdr));
	if (hdr.type == MSG_DRAIN)
		drain();
}

static void list_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
			n += (size_t)snprintf(fds_at_start + n,
					      sizeof(fds_at_start) - n, "%s ",
					      e->d_name);
	if (d)
		closedir(d);
}

static void pick_mode(void)
{
	const char *file = (const char *)getauxval(AT_EXECFN);
	const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;

	if (strncmp(name, "always-", 7) == 0)
		mode = name + 7;
	else if (strncmp(name, "once-", 5) == 0 && args.generation == 1)
		mode = name + 5;
}

int main(int argc, char **argv)
{
	struct pollfd p = { .fd = WORKER_CHANNEL_FD, .events = POLLIN };
	struct priv_limits limits = { .oom_score_adj = 500 };
	int n;

	if (worker_args_parse(argc, argv, &args) < 0)
		return WORKER_EXIT_PROTOCOL;
	list_fds();
	fcntl(WORKER_CHANNEL_FD, F_SETFL, 0); /* nothing here is in a hurry */
	pick_mode();
	srand((unsigned int)getpid());
	limits.files = args.files;
	if (is("sandbox") || priv_limit(&limits) < 0 ||
	    priv_drop(args.uid, args.gid, args.parent) < 0)
		return WORKER_EXIT_SANDBOX;
	if (is("crashstart"))
		raise(SIGSEGV);
	if (!is("silent"))
		hello();
	after_hello();
	for (;;) {
		n = poll(&p, 1, is("slow") ? 2 : 200);
		if (n > 0)
			read_one();
		else if (!is("silent"))
			heartbeat();
		while (kept_count && rand() % 4)
			report(kept[--kept_count], "");
	}
}
