/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_alone.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/priv.h"
#include "dae_build_id.h"
#include "supervisor/core/job_build.h"
#include "supervisor/ctl/daectl_paths.h"
#include "supervisor/pool/pool.h"

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define RSS_SOFT (48ULL << 20)
#define RSS_HARD (64ULL << 20)
#define STARTS_MAX 3 /* workers that end before the run is given up */
#define START_MS 10000

enum stage { STAGE_PEER, STAGE_TARGET, STAGE_PROBE };

struct run {
	const struct alone *a;
	struct event_base *base;
	struct pool *pool;
	struct event *timer; /* pause between rounds, or no worker */
	size_t at;	     /* item */
	uint32_t round;
	uint32_t next_id, job_id; /* job_id 0: nothing is asked now */
	uint32_t ends;
	bool is_planned; /* the plan is the item's */
	enum stage stage;
	uint8_t tried; /* families a name without one was asked in */
	uint32_t resolve_us;
	struct job_plan plan, resolve;
	struct addr peer, target;
	int r;
	char *why;
	size_t cap;
};

static void stop(struct run *x, int r, const char *why)
{
	x->r = r;
	if (why)
		snprintf(x->why, x->cap, "%s", why);
	event_base_loopbreak(x->base);
}

static void arm(struct run *x, uint32_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
			      .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(x->timer, &tv);
}

static void step(struct run *x);

/* The answer to the current item; on to the next, if there is one. */
static void answer(struct run *x, int error, const struct result *r)
{
	struct alone_answer out = { .item = &x->a->items[x->at],
				    .error = error };

	x->job_id = 0;
	x->is_planned = false;
	if (r)
		out.result = *r;
	if (!error && x->stage == STAGE_PROBE) {
		out.peer = x->plan.spec.peer;
		out.result.phase_us[PHASE_RESOLVE] = x->resolve_us;
	}
	if (!x->a->on_answer(x->a->ctx, &out)) {
		stop(x, 0, NULL);
		return;
	}
	x->at++;
	if (x->at < x->a->item_count) {
		arm(x, 0);
		return;
	}
	x->at = 0;
	x->round++;
	if (x->round >= x->a->rounds)
		stop(x, 0, NULL);
	else
		arm(x, x->a->pause_ms);
}

static int make_plan(struct run *x)
{
	const struct alone_item *i = &x->a->items[x->at];
	int r;

	if (x->a->node)
		r = job_build_node(&x->plan, x->a->config, x->a->node, i->cls);
	else
		r = job_build_monitor(&x->plan, x->a->monitor, i->family);
	x->is_planned = r == 0;
	x->stage = STAGE_PEER;
	x->tried = 0;
	x->resolve_us = 0;
	x->peer = x->plan.peer.addr;
	x->target = x->plan.target.addr;
	return r;
}

static void dispatch(struct run *x, struct job_plan *p)
{
	struct result failed = { 0 };
	struct pool_sent sent;
	struct pool_job job = {
		.spec = &p->spec,
		.iface = p->iface,
		.mark = p->mark,
		.is_literal = p->literal,
	};
	int r;

	p->spec.id = ++x->next_id;
	p->spec.deadline_ms = x->a->timeout_ms;
	r = pool_dispatch(x->pool, &job, &sent);
	if (r == 0) {
		x->job_id = p->spec.id;
		event_del(x->timer);
	} else if (r == -EAGAIN) {
		arm(x, START_MS); /* on_ready comes first */
	} else if (r == -ECOMM) {
		failed.outcome = (uint16_t)sent.outcome;
		failed.phase = PHASE_CONNECT;
		failed.foreign_kind = FOREIGN_ERRNO;
		failed.foreign = (uint64_t)(sent.error < 0 ? -sent.error
							   : sent.error);
		answer(x, 0, &failed);
	} else {
		stop(x, r, "the job was refused");
	}
}

static void ask_name(struct run *x, const struct job_endpoint *e)
{
	uint8_t family = e->family ? e->family : x->tried ? 6 : 4;
	int r;

	r = job_build_resolve(&x->resolve, &x->a->resolver, x->a->resolver_port,
			      e->host, family);
	if (r < 0)
		stop(x, r, "the name cannot be asked for");
	else
		dispatch(x, &x->resolve);
}

/* Do what the current item needs next. */
static void step(struct run *x)
{
	int r = x->is_planned ? 0 : make_plan(x);

	if (r < 0) {
		answer(x, r, NULL);
		return;
	}
	if (x->stage == STAGE_PEER && x->peer.family)
		x->stage = STAGE_TARGET;
	if (x->stage == STAGE_TARGET &&
	    (!x->plan.target.host || x->target.family))
		x->stage = STAGE_PROBE;
	if (x->stage != STAGE_PROBE) {
		ask_name(x, x->stage == STAGE_PEER ? &x->plan.peer
						   : &x->plan.target);
		return;
	}
	r = job_build_bind(&x->plan, &x->peer,
			   x->plan.target.host ? &x->target : NULL);
	if (r < 0)
		answer(x, r, NULL);
	else
		dispatch(x, &x->plan);
}

static void take_address(struct run *x, const struct result *r)
{
	struct addr *to = x->stage == STAGE_PEER ? &x->peer : &x->target;
	const struct job_endpoint *e = x->stage == STAGE_PEER ? &x->plan.peer
							      : &x->plan.target;
	struct result none = *r;

	x->resolve_us += r->phase_us[PHASE_TOTAL];
	if (r->outcome == OUTCOME_OK && r->naddrs > 0) {
		to->family = r->addr_family;
		memcpy(to->b, r->addrs[0], sizeof(to->b));
		x->tried = 0;
		step(x);
		return;
	}
	if (!e->family && !x->tried &&
	    (r->outcome == OUTCOME_OK || r->outcome == OUTCOME_NO_ADDRESS)) {
		x->tried = 1; /* no IPv4 address: is there one of IPv6? */
		step(x);
		return;
	}
	if (none.outcome == OUTCOME_OK)
		none.outcome = OUTCOME_NO_ADDRESS;
	answer(x, 0, &none);
}

static void on_result(void *arg, uint32_t place DAE_UNUSED,
		      uint32_t generation DAE_UNUSED, const struct result *r)
{
	struct run *x = arg;

	if (x->job_id == 0 || r->job_id != x->job_id)
		return;
	x->job_id = 0;
	if (x->stage == STAGE_PROBE)
		answer(x, 0, r);
	else
		take_address(x, r);
}

static void on_ready(void *arg, uint32_t place DAE_UNUSED)
{
	struct run *x = arg;

	if (x->job_id == 0)
		arm(x, 0);
}

static void on_unsent(void *arg, uint32_t job_id)
{
	struct run *x = arg;

	if (job_id == x->job_id) {
		x->job_id = 0;
		arm(x, START_MS);
	}
}

static void on_lost(void *arg, const struct pool_lost *l DAE_UNUSED)
{
	struct result lost = { .outcome = OUTCOME_WORKER_LOST };
	struct run *x = arg;

	if (x->job_id)
		answer(x, 0, &lost);
}

static void on_exit_worker(void *arg, const struct pool_exit *e)
{
	struct run *x = arg;

	if (e->is_failed)
		stop(x, -EPERM,
		     "the worker could not build its sandbox on "
		     "this system");
	else if (++x->ends >= STARTS_MAX)
		stop(x, -ECHILD, "the worker ends again and again");
}

static void on_timer(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		     void *arg)
{
	struct run *x = arg;

	if (x->job_id == 0)
		step(x);
}

/* Root's worker becomes somebody without rights; others stay who they are. */
static void choose_user(struct pool_config *c)
{
	const struct passwd *pw;

	c->uid = PRIV_KEEP_IDS;
	c->gid = getgid();
	if (geteuid() != 0)
		return;
	pw = getpwnam("_dae-worker");
	if (!pw)
		pw = getpwnam("nobody");
	c->uid = pw ? pw->pw_uid : 65534;
	c->gid = pw ? pw->pw_gid : 65534;
}

static int start_pool(struct run *x, const char *worker, int ca_fd)
{
	static const struct pool_ops ops = {
		.on_ready = on_ready,
		.on_result = on_result,
		.on_unsent = on_unsent,
		.on_lost = on_lost,
		.on_exit = on_exit_worker,
	};
	struct pool_config c = {
		.worker_path = worker,
		.cgroup = "",
		.build_id = DAE_BUILD_ID,
		.files = 64,
		.ca_fd = ca_fd,
		.limits = {
			.memory_total_bytes = RSS_HARD + RECYCLE_BASE_BYTES,
			.workers = 1,
			.rss_soft_bytes = RSS_SOFT,
			.rss_hard_bytes = RSS_HARD,
			.data_bytes = 2 * RSS_HARD,
		},
		.policy = {
			.rss_soft_bytes = RSS_SOFT,
			.rss_hard_bytes = RSS_HARD,
			.drain_timeout_ns = NS_PER_S,
			.stuck_timeout_ns = 30 * NS_PER_S,
		},
		.ops = &ops,
		.arg = x,
	};

	choose_user(&c);
	return pool_new(&x->pool, x->base, &c);
}

static int run_loop(struct run *x, const char *worker)
{
	auto_fd int ca = -1;
	int r;

	ca = open(CA_FILE, O_RDONLY | O_CLOEXEC);
	if (ca < 0) {
		snprintf(x->why, x->cap,
			 "%s: %s (apt install "
			 "ca-certificates)",
			 CA_FILE, strerror(errno));
		return -ENOENT;
	}
	x->timer = evtimer_new(x->base, on_timer, x);
	if (!x->timer)
		return -ENOMEM;
	r = start_pool(x, worker, ca);
	if (r < 0) {
		snprintf(x->why, x->cap, "no worker: %s", strerror(-r));
		return r;
	}
	event_base_dispatch(x->base);
	return x->r;
}

int alone_run(const struct alone *a, char *why, size_t cap)
{
	struct run x = { .a = a, .why = why, .cap = cap };
	char worker[PATH_MAX];
	int r;

	snprintf(why, cap, "out of memory");
	r = paths_worker(worker, sizeof(worker));
	if (r < 0) {
		snprintf(why, cap,
			 "there is no dae-worker beside this "
			 "daectl: is it installed?");
		return r;
	}
	x.base = event_base_new();
	if (!x.base)
		return -ENOMEM;
	r = run_loop(&x, worker);
	pool_free(&x.pool);
	if (x.timer)
		event_free(x.timer);
	event_base_free(x.base);
	return r;
}
