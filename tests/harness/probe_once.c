/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs one job, or many of the same, through the real probes in one process
 * without sandbox or supervisor, and says how it went as a line of JSON. It
 * opens the sockets itself. For tests and benchmarks alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/addr.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/job.h"
#include "worker/net/tls_ctx.h"
#include "worker/probe/probe.h"
#include "worker/sandbox.h"

struct run {
	struct probe_host host;
	struct job_spec spec;
	struct event *more;
	unsigned long wanted, begun, done, ok;
	unsigned int at_once;
	bool is_sandboxed;
	int fd; /* opened beforehand for the only probe in the sandbox, or -1 */
	uint64_t us_total;
	uint32_t peak, leaked, tx, rx;
};

static const struct {
	const char *name;
	uint8_t kind, proto;
} kinds[] = {
	{ "resolve", JOB_RESOLVE, IPPROTO_UDP },
	{ "resolve_tcp", JOB_RESOLVE, IPPROTO_TCP },
	{ "http", JOB_HTTP, IPPROTO_TCP },
	{ "dns_udp", JOB_DNS_UDP, IPPROTO_UDP },
	{ "dns_tcp", JOB_DNS_TCP, IPPROTO_TCP },
	{ "dns_https", JOB_DNS_HTTPS, IPPROTO_TCP },
	{ "dns_h3", JOB_DNS_H3, IPPROTO_UDP },
	{ "dns_quic", JOB_DNS_QUIC, IPPROTO_UDP },
	{ "h3", JOB_H3, IPPROTO_UDP },
	{ "quic", JOB_QUIC, IPPROTO_UDP },
};

static const struct option options[] = {
	{ "kind", required_argument, NULL, 'k' },
	{ "to", required_argument, NULL, 't' },
	{ "ca", required_argument, NULL, 'c' },
	{ "host", required_argument, NULL, 'h' },
	{ "sni", required_argument, NULL, 's' },
	{ "method", required_argument, NULL, 'm' },
	{ "path", required_argument, NULL, 'p' },
	{ "alpn", required_argument, NULL, 'a' },
	{ "qname", required_argument, NULL, 'q' },
	{ "qtype", required_argument, NULL, 'y' },
	{ "body", required_argument, NULL, 'b' },
	{ "rdata", required_argument, NULL, 'd' },
	{ "status", required_argument, NULL, 'S' },
	{ "rcode", required_argument, NULL, 'r' },
	{ "deadline", required_argument, NULL, 'D' },
	{ "heap", required_argument, NULL, 'H' },
	{ "repeat", required_argument, NULL, 'n' },
	{ "at-once", required_argument, NULL, 'C' },
	{ "via", required_argument, NULL, 'v' },
	{ "target", required_argument, NULL, 'g' },
	{ "target-name", required_argument, NULL, 'N' },
	{ "user", required_argument, NULL, 'u' },
	{ "password", required_argument, NULL, 'w' },
	{ "via-sni", required_argument, NULL, 'V' },
	{ "via-tls", no_argument, NULL, 'L' },
	{ "via-insecure", no_argument, NULL, 'J' },
	{ "sandbox", no_argument, NULL, 'X' },
	{ "tls", no_argument, NULL, 'T' },
	{ "insecure", no_argument, NULL, 'I' },
	{ "clock-unset", no_argument, NULL, 'U' },
	{ "any-answer", no_argument, NULL, 'A' },
	{ NULL, 0, NULL, 0 },
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "probe_once: %s\n", what);
	exit(2);
}

static void print_string(const char *key, const char *value)
{
	printf("\"%s\":\"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			putchar('\\');
		putchar(*value);
	}
	fputs("\",", stdout);
}

static void print_addrs(const struct result *res)
{
	char text[ADDR_STRLEN];
	struct addr a = { .family = res->addr_family };

	fputs("\"addrs\":[", stdout);
	for (unsigned int i = 0; i < res->naddrs; i++) {
		memcpy(a.b, res->addrs[i], sizeof(a.b));
		printf("%s\"%s\"", i ? "," : "", addr_format(&a, text));
	}
	printf("],\"ttl\":%u,", res->ttl_s);
}

static void print_result(const struct result *res)
{
	char detail[MSG_DETAIL_MAX + 1] = "";

	memcpy(detail, res->detail, MSG_DETAIL_MAX);
	putchar('{');
	print_addrs(res);
	print_string("outcome", outcome_name(res->outcome));
	print_string("phase", phase_name(res->phase));
	print_string("foreign_kind", foreign_name(res->foreign_kind));
	print_string("detail", detail);
	for (unsigned int i = 0; i < PHASE_COUNT; i++)
		printf("\"%s_us\":%u,", phase_name(i), res->phase_us[i]);
	printf("\"foreign\":%llu,\"rcode\":%u,\"tx\":%u,\"rx\":%u,"
	       "\"leaked\":%u,\"peak\":%u,\"not_after\":%lld}\n",
	       (unsigned long long)res->foreign, res->rcode, res->bytes_tx,
	       res->bytes_rx, res->leaked_bytes, res->peak_bytes,
	       (long long)res->cert_not_after);
}

static int socket_to(const struct sockaddr_storage *to, uint8_t proto)
{
	int type = proto == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(to->ss_family, type | SOCK_NONBLOCK, 0);
	socklen_t len = to->ss_family == AF_INET ? sizeof(struct sockaddr_in)
						 : sizeof(struct sockaddr_in6);

	if (fd < 0 ||
	    (connect(fd, (const void *)to, len) < 0 && errno != EINPROGRESS))
		die(strerror(errno));
	return fd;
}

static int next_socket(struct run *run)
{
	if (run->is_sandboxed)
		return TAKE_FD(run->fd);
	return socket_to(&run->spec.peer, run->spec.proto);
}

/* Strings of the command line outlive every probe: the arena has nothing. */
static void launch_more(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			void *arg)
{
	struct run *run = arg;

	while (run->begun < run->wanted && run->host.running < run->at_once) {
		run->spec.id = (uint32_t)++run->begun;
		if (probe_launch(&run->host, &run->spec, NULL,
				 next_socket(run)) < 0)
			die("the job cannot be run");
	}
	if (run->done == run->wanted)
		event_base_loopbreak(run->host.base);
}

static void on_done(struct probe_host *host, struct probe *p)
{
	struct run *run = (struct run *)host;

	run->done++;
	run->ok += p->res.outcome == OUTCOME_OK;
	run->us_total += p->res.phase_us[PHASE_TOTAL];
	run->peak = MAX(run->peak, p->res.peak_bytes);
	run->leaked += p->res.leaked_bytes;
	run->tx += p->res.bytes_tx;
	run->rx += p->res.bytes_rx;
	if (run->wanted == 1)
		print_result(&p->res);
	else if (p->res.outcome != OUTCOME_OK && run->done - run->ok <= 3)
		fprintf(stderr, "%s %s 0x%llx %.*s\n",
			outcome_name(p->res.outcome),
			foreign_name(p->res.foreign_kind),
			(unsigned long long)p->res.foreign, MSG_DETAIL_MAX,
			p->res.detail);
	event_active(run->more, EV_TIMEOUT, 0);
}

/* The answer comes after the question has returned, as from a supervisor. */
struct asked {
	struct probe_host *host;
	struct sockaddr_storage to;
	uint32_t job_id;
	uint8_t proto;
};

static void give_socket(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
			void *arg)
{
	auto_free struct asked *asked = arg;
	struct probe *p = probe_find(asked->host, asked->job_id);

	if (p)
		probe_socket_arrived(p, socket_to(&asked->to, asked->proto), 0);
}

static int ask_socket(struct probe_host *host, struct probe *p,
		      const struct sockaddr_storage *to, uint8_t proto)
{
	const struct timeval now = { 0 };
	struct asked *asked = malloc(sizeof(*asked));

	if (!asked)
		return -ENOMEM;
	*asked = (struct asked){ host, *to, p->spec.id, proto };
	return event_base_once(host->base, -1, EV_TIMEOUT, give_socket, asked,
			       &now);
}

static void set_addr(struct sockaddr_storage *ret, char *text)
{
	char *colon = strrchr(text, ':');
	struct addr addr;

	if (!colon)
		die("an address is ADDRESS:PORT");
	*colon = '\0';
	if (*text == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		text++;
	}
	if (addr_parse(text, &addr) < 0)
		die("an address is literal");
	addr_to_sockaddr(&addr, (uint16_t)atoi(colon + 1), ret);
}

static void set_kind(struct job_spec *spec, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		spec->kind = kinds[i].kind;
		spec->proto = kinds[i].proto;
		return;
	}
	die("unknown kind");
}

static void set_status(struct job_spec *spec, const char *text)
{
	unsigned int from, to;

	if (sscanf(text, "%u-%u", &from, &to) != 2)
		die("--status wants FROM-TO");
	spec->status_min = (uint16_t)from;
	spec->status_max = (uint16_t)to;
}

/* What is a string of the job, or -1. */
static int string_of(int c)
{
	switch (c) {
	case 'h':
		return JOB_STR_HOST;
	case 's':
		return JOB_STR_SNI;
	case 'm':
		return JOB_STR_METHOD;
	case 'p':
		return JOB_STR_PATH;
	case 'a':
		return JOB_STR_ALPN;
	case 'q':
		return JOB_STR_QNAME;
	case 'b':
		return JOB_STR_EXPECT_BODY;
	case 'd':
		return JOB_STR_EXPECT_RDATA;
	case 'u':
		return JOB_STR_USER;
	case 'w':
		return JOB_STR_PASSWORD;
	case 'V':
		return JOB_STR_VIA_SNI;
	case 'N':
		return JOB_STR_TARGET_NAME;
	default:
		return -1;
	}
}

static int flag_of(int c)
{
	switch (c) {
	case 'T':
		return JOB_TLS;
	case 'I':
		return JOB_INSECURE;
	case 'U':
		return JOB_CLOCK_UNSET;
	case 'A':
		return JOB_ANY_ANSWER;
	case 'L':
		return JOB_VIA_TLS;
	case 'J':
		return JOB_VIA_INSECURE;
	default:
		return 0;
	}
}

static void take_option(struct run *run, int c, const char **ca)
{
	struct job_spec *spec = &run->spec;

	if (string_of(c) >= 0)
		spec->str[string_of(c)] = optarg;
	spec->flags = (uint16_t)(spec->flags | flag_of(c));
	switch (c) {
	case 'k':
		set_kind(spec, optarg);
		break;
	case 't':
		set_addr(&spec->peer, optarg);
		break;
	case 'g':
		set_addr(&spec->target, optarg);
		break;
	case 'v':
		spec->via = strcmp(optarg, "socks5") == 0 ? JOB_VIA_SOCKS5
							  : JOB_VIA_HTTP;
		break;
	case 'c':
		*ca = optarg;
		break;
	case 'y':
		spec->qtype = (uint16_t)atoi(optarg);
		break;
	case 'S':
		set_status(spec, optarg);
		break;
	case 'r':
		spec->rcode = (uint16_t)atoi(optarg);
		spec->flags |= JOB_EXPECT_RCODE;
		break;
	case 'D':
		spec->deadline_ms = (uint32_t)atoi(optarg);
		break;
	case 'H':
		run->host.heap_budget = (uint32_t)atoi(optarg);
		break;
	case 'n':
		run->wanted = strtoul(optarg, NULL, 10);
		break;
	case 'X':
		run->is_sandboxed = true;
		break;
	case 'C':
		run->at_once = (unsigned int)atoi(optarg);
		break;
	case '?':
		exit(2);
	}
}

static void take_options(struct run *run, int argc, char **argv,
			 const char **ca)
{
	int c;

	*run = (struct run){
		.host = { .done = on_done, .request_socket = ask_socket },
		.spec = { .deadline_ms = 3000,
			  .nfds = 1,
			  .qtype = 1,
			  .status_min = 200,
			  .status_max = 399 },
		.wanted = 1,
		.at_once = 1,
		.fd = -1,
	};
	for (unsigned int i = 0; i < JOB_STR_COUNT; i++)
		run->spec.str[i] = "";
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(run, c, ca);
	if (!run->spec.kind || !run->spec.peer.ss_family)
		die("--kind and --to are needed");
	if (run->spec.via == JOB_VIA_SOCKS5) /* its control connection */
		run->spec.proto = IPPROTO_TCP;
}

/* Kilobytes: resident, and of them anonymous. */
static void read_rss(long *ret_all, long *ret_anon)
{
	auto_free char *text = NULL;
	long size = 0, all = 0, shared = 0;

	if (fd_read_file("/proc/self/statm", 256, &text) < 0 ||
	    sscanf(text, "%ld %ld %ld", &size, &all, &shared) != 3)
		die("statm");
	*ret_all = all * 4;
	*ret_anon = (all - shared) * 4;
}

static uint64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void print_summary(const struct run *run, uint64_t us)
{
	long all, anon, anon_trimmed;

	read_rss(&all, &anon);
	malloc_trim(0);
	read_rss(&(long){ 0 }, &anon_trimmed);
	printf("{\"n\":%lu,\"ok\":%lu,\"cpu_us\":%.1f,\"wall_us\":%.1f,"
	       "\"peak\":%u,\"leaked\":%u,\"tx\":%.0f,\"rx\":%.0f,"
	       "\"rss_kb\":%ld,\"anon_kb\":%ld,\"trimmed_kb\":%ld}\n",
	       run->done, run->ok, (double)us / (double)run->done,
	       (double)run->us_total / (double)run->done, run->peak,
	       run->leaked, (double)run->tx / (double)run->done,
	       (double)run->rx / (double)run->done, all, anon, anon_trimmed);
}

/* What a worker has when its door closes, and a place for our line. */
static void enter_sandbox(struct run *run)
{
	static char line[4096];
	struct confine_report report = { 0 };

	setvbuf(stdout, line, _IOFBF, sizeof(line));
	run->fd = socket_to(&run->spec.peer, run->spec.proto);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    sandbox_enter(ROLE_PROBE, &report) < 0)
		die("sandbox");
}

static int open_ca(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (path && fd < 0)
		die("--ca cannot be opened");
	return fd;
}

static void run_all(struct run *run)
{
	uint64_t us = run->is_sandboxed ? 0 : cpu_us();

	event_active(run->more, EV_TIMEOUT, 0);
	event_base_loop(run->host.base, EVLOOP_NO_EXIT_ON_EMPTY);
	if (run->wanted > 1)
		print_summary(run, cpu_us() - us);
}

int main(int argc, char **argv)
{
	const char *ca = NULL;
	struct run run;
	auto_fd int ca_fd = -1;

	take_options(&run, argc, argv, &ca);
	if (run.is_sandboxed && run.wanted != 1)
		die("--sandbox is for one probe");
	ca_fd = open_ca(ca);
	if (tls_init() < 0)
		die("tls_init");
	run.host.base = event_base_new();
	run.more = run.host.base
			   ? event_new(run.host.base, -1, 0, launch_more, &run)
			   : NULL;
	if (!run.more)
		die("no event loop");
	if (run.is_sandboxed)
		enter_sandbox(&run);
	if (tls_ctx_new(&run.host.tls, ca_fd) < 0)
		die("--ca cannot be read");
	run_all(&run);
	event_free(run.more);
	event_base_free(run.host.base);
	tls_ctx_free(&run.host.tls);
	return run.ok == run.wanted ? 0 : 1;
}
