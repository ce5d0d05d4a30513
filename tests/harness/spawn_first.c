/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spawn_first WORKER CA PORT COUNT: how long from the start of a worker's
 * process to the result of its first probe, HTTP/3 to 127.0.0.1:PORT as
 * probe.test, verified. A line for each, in microseconds. As root. For
 * benchmarks alone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/addr.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/log.h"
#include "dae_build_id.h"
#include "supervisor/pool/pool.h"

#define WORKER_USER "_dae-worker"
#define DEADLINE_MS 5000U

struct bench {
	struct event_base *base;
	struct pool *pool;
	struct pool_config config;
	struct job_spec spec;
	uint64_t start_ns, end_ns;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "spawn_first: %s\n", what);
	exit(1);
}

static void on_ready(void *arg, uint32_t place DAE_UNUSED)
{
	struct bench *b = arg;
	const struct pool_job job = { .spec = &b->spec, .is_literal = true };
	struct pool_sent sent;

	if (pool_dispatch(b->pool, &job, &sent) < 0)
		die("the job cannot be sent");
}

static void on_result(void *arg, uint32_t place DAE_UNUSED,
		      uint32_t generation DAE_UNUSED, const struct result *r)
{
	struct bench *b = arg;

	if (r->outcome != OUTCOME_OK)
		die(outcome_name(r->outcome));
	b->end_ns = clock_mono_ns();
	event_base_loopbreak(b->base);
}

static void on_unsent(void *arg DAE_UNUSED, uint32_t job_id DAE_UNUSED)
{
	die("the worker left");
}

static void on_lost(void *arg DAE_UNUSED, const struct pool_lost *l DAE_UNUSED)
{
	die("the worker died");
}

static const struct pool_ops ops = {
	.on_ready = on_ready,
	.on_result = on_result,
	.on_unsent = on_unsent,
	.on_lost = on_lost,
};

static void set_spec(struct job_spec *spec, uint16_t port)
{
	const struct addr loopback = { .family = 4, .b = { 127, 0, 0, 1 } };

	*spec = (struct job_spec){ .id = 1,
				   .kind = JOB_H3,
				   .proto = IPPROTO_UDP,
				   .nfds = 1,
				   .deadline_ms = DEADLINE_MS,
				   .status_min = 200,
				   .status_max = 399 };
	addr_to_sockaddr(&loopback, port, &spec->peer);
	for (unsigned int i = 0; i < JOB_STR_COUNT; i++)
		spec->str[i] = "";
	spec->str[JOB_STR_SNI] = "probe.test";
	spec->str[JOB_STR_HOST] = "probe.test";
}

static void set_config(struct bench *b, char **argv)
{
	const struct passwd *user = getpwnam(WORKER_USER);

	if (!user)
		die("no user " WORKER_USER);
	b->config = (struct pool_config){
		.worker_path = argv[1],
		.cgroup = "",
		.uid = user->pw_uid,
		.gid = user->pw_gid,
		.build_id = DAE_BUILD_ID,
		.files = 1024,
		.heap_budget = 512U << 10,
		.ca_fd = open(argv[2], O_RDONLY | O_CLOEXEC),
		.limits = { .workers = 1 },
		.policy = { .stuck_timeout_ns = 10 * NS_PER_S,
			    .drain_timeout_ns = 10 * NS_PER_S },
		.ops = &ops,
		.arg = b,
	};
	if (b->config.ca_fd < 0)
		die("the CA cannot be opened");
}

int main(int argc, char **argv)
{
	struct bench b = { .end_ns = 0 };

	if (argc != 5)
		die("usage: spawn_first WORKER CA PORT COUNT");
	log_max_level = LOGL_ERROR;
	b.base = event_base_new();
	if (!b.base)
		die("no event loop");
	set_spec(&b.spec, (uint16_t)atoi(argv[3]));
	set_config(&b, argv);
	for (int i = 0; i < atoi(argv[4]); i++) {
		if (pool_new(&b.pool, b.base, &b.config) < 0)
			die("no pool");
		/* the first turn of the loop starts the worker */
		b.start_ns = clock_mono_ns();
		event_base_dispatch(b.base);
		printf("%llu\n",
		       (unsigned long long)(b.end_ns - b.start_ns) / NS_PER_US);
		pool_free(&b.pool);
	}
	event_base_free(b.base);
	return 0;
}
