/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pool_rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/priv.h"
#include "dae_build_id.h"

#define WORKER_ID 64901

static void send_waiting(struct rig *r);

static void finish(struct rig *r, struct rig_job *j, const struct result *res)
{
	j->is_out = false;
	j->result = *res;
	r->done += j->finals++ == 0;
}

static void on_ready(void *arg, uint32_t place)
{
	struct rig *r = arg;

	(void)place;
	r->ready++;
	send_waiting(r);
}

static void on_result(void *arg, uint32_t place, uint32_t generation,
		      const struct result *res)
{
	struct rig *r = arg;
	struct rig_job *j = &r->jobs[res->job_id - 1];

	/* the pool must never pass on what is not this worker's */
	if (res->job_id > r->count || j->place != place ||
	    j->generation != generation)
		abort();
	finish(r, j, res);
	send_waiting(r);
}

static void on_unsent(void *arg, uint32_t id)
{
	struct rig *r = arg;

	r->jobs[id - 1].is_out = false;
	r->jobs[id - 1].attempts--;
	r->unsent++;
}

static void on_lost(void *arg, const struct pool_lost *l)
{
	struct result lost = { .outcome = OUTCOME_WORKER_LOST };
	struct rig *r = arg;
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->count; i++) {
		struct rig_job *j = &r->jobs[i];

		if (!j->is_out || j->place != l->place ||
		    j->generation != l->generation)
			continue;
		n++;
		j->is_out = false;
		if (j->attempts >= r->max_attempts)
			finish(r, j, &lost);
	}
	if (n != l->jobs)
		abort();
	r->lost += n;
	r->blamed += l->blame ? n : 0;
}

static void on_retire(void *arg, uint32_t place, enum recycle_reason reason)
{
	struct rig *r = arg;

	(void)place;
	r->retired[reason]++;
}

static void on_exit_(void *arg, const struct pool_exit *e)
{
	struct rig *r = arg;

	r->exits++;
	r->crashes += e->is_crash;
	r->failed += e->is_failed;
	r->ended[e->reason]++;
	send_waiting(r);
}

static const struct pool_ops ops = {
	.on_ready = on_ready,
	.on_result = on_result,
	.on_unsent = on_unsent,
	.on_lost = on_lost,
	.on_retire = on_retire,
	.on_exit = on_exit_,
};

static int send_job(struct rig *r, struct rig_job *j)
{
	struct job_spec spec = r->spec;
	struct pool_job job = { .spec = &spec, .is_literal = true };
	struct pool_sent sent;
	int error;

	spec.id = j->id;
	error = pool_dispatch(r->pool, &job, &sent);
	if (error == -EAGAIN)
		return error;
	if (error < 0)
		abort();
	j->place = sent.place;
	j->generation = sent.generation;
	j->is_out = true;
	j->attempts++;
	return 0;
}

static void send_waiting(struct rig *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (!r->jobs[i].is_out && !r->jobs[i].finals &&
		    send_job(r, &r->jobs[i]) < 0)
			return;
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void make_spec(struct job_spec *ret)
{
	struct sockaddr_in *in = (void *)&ret->peer;

	*ret = (struct job_spec){ .deadline_ms = 5000,
				  .kind = JOB_DNS_UDP,
				  .via = JOB_VIA_SOCKS5,
				  .nfds = 1,
				  .proto = IPPROTO_UDP };
	in->sin_family = AF_INET;
	in->sin_port = htons(9); /* nobody listens there */
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

void rig_init(struct rig *r, const char *program, const char *name)
{
	bool may_drop = priv_verify_no_caps() < 0; /* root, or ambient ones */

	memset(r, 0, sizeof(*r));
	log_max_level = LOGL_ERROR;
	r->fds_before = count_fds();
	snprintf(r->dir, sizeof(r->dir), "%.40s/dae-pool-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(r->dir))
		abort();
	snprintf(r->path, sizeof(r->path), "%s/%s", r->dir, name);
	if (symlink(program, r->path) < 0)
		abort();
	r->jobs = calloc(RIG_JOBS_MAX, sizeof(*r->jobs));
	make_spec(&r->spec);
	r->max_attempts = 5; /* of three places all may be bad once */
	r->base = event_base_new();
	r->config = (struct pool_config){
		.worker_path = r->path,
		.cgroup = "",
		.uid = may_drop ? WORKER_ID : PRIV_KEEP_IDS,
		.gid = may_drop ? WORKER_ID : PRIV_KEEP_IDS,
		.build_id = DAE_BUILD_ID,
		.files = 512,
		.ca_fd = fd_sealed_memfd("ca", "none", 4),
		.limits = { .workers = 2, .spares = 1 },
		.policy = { .stuck_timeout_ns = 2 * NS_PER_S,
			    .drain_timeout_ns = NS_PER_S },
		.ops = &ops,
		.arg = r,
	};
}

void rig_start(struct rig *r)
{
	if (pool_new(&r->pool, r->base, &r->config) < 0)
		abort();
}

void rig_add(struct rig *r, uint32_t n)
{
	for (uint32_t i = 0; i < n && r->count < RIG_JOBS_MAX; i++) {
		r->jobs[r->count].id = r->count + 1;
		r->count++;
	}
	send_waiting(r);
}

/* Whatever else happens, the loop turns every 10 ms. */
static void turn(struct rig *r)
{
	const struct timeval tv = { .tv_usec = 10000 };

	event_base_loopexit(r->base, &tv);
	event_base_dispatch(r->base);
}

bool rig_run(struct rig *r, unsigned int ms)
{
	uint64_t end_ns = clock_mono_ns() + ms * NS_PER_MS;

	while (r->done < r->count && clock_mono_ns() < end_ns)
		turn(r);
	return r->done == r->count;
}

bool rig_run_until(struct rig *r, const uint32_t *counter, uint32_t want,
		   unsigned int ms)
{
	uint64_t end_ns = clock_mono_ns() + ms * NS_PER_MS;

	while (*counter < want && clock_mono_ns() < end_ns)
		turn(r);
	return *counter >= want;
}

bool rig_is_exact(const struct rig *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (r->jobs[i].finals != 1)
			return false;
	return true;
}

bool rig_stop(struct rig *r)
{
	int left;

	pool_free(&r->pool);
	event_base_free(r->base);
	close(r->config.ca_fd);
	unlink(r->path);
	rmdir(r->dir);
	free(r->jobs);
	left = count_fds() - r->fds_before;
	return left == 0 && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}
