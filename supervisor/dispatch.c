/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/asks.h"
#include "supervisor/core/job_build.h"
#include "supervisor/lookups.h"
#include "supervisor/names.h"
#include "supervisor/resolver.h"
#include "supervisor/supervisor.h"

#define DISPATCH_BURST 512 /* jobs in one turn of the loop */
#define DISPATCH_REFUSED 8 /* without a worker, before the turn ends */
#define RESOLVE_MAX_MS 5000
#define RESOLVE_EACH_MS 2000 /* with more than one server */
#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX (64U << 10)

struct dispatch {
	struct supervisor *s;
	struct names *names;
	struct resolvers resolvers;
	struct lookups *lookups;
};

/* What resolving an endpoint came to. */
enum have { HAVE_ADDR, HAVE_FAILED, HAVE_TO_ASK };

int dispatch_new(struct dispatch **ret, struct supervisor *s)
{
	struct dispatch *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->s = s;
	r = names_new(&d->names);
	if (r == 0)
		r = lookups_new(&d->lookups);
	if (r < 0) {
		dispatch_free(&d);
		return r;
	}
	dispatch_network_changed(d);
	*ret = d;
	return 0;
}

void dispatch_free(struct dispatch **dp)
{
	struct dispatch *d = TAKE_PTR(*dp);

	if (!d)
		return;
	lookups_free(&d->lookups);
	names_free(&d->names);
	free(d);
}

void dispatch_network_changed(struct dispatch *d)
{
	const struct config_global *g = &d->s->config->global;
	auto_free char *text = NULL;
	ssize_t len = fd_read_file(RESOLV_CONF, RESOLV_CONF_MAX, &text);
	int r;

	names_flush(d->names);
	d->resolvers.count = 0;
	r = resolvers_choose(&d->resolvers, g->bootstrap_resolver,
			     g->fallback_resolver, text,
			     len > 0 ? (size_t)len : 0);
	if (r < 0)
		log_warn("dispatch: no resolver: names cannot be resolved");
}

static struct result result_of(enum outcome o, const char *detail)
{
	struct result r = { .outcome = (uint16_t)o, .phase = PHASE_RESOLVE };

	for (size_t i = 0; detail[i] && i < sizeof(r.detail) - 1; i++)
		r.detail[i] = detail[i];
	return r;
}

static bool is_uplink(const struct dispatch *d, const struct target *t)
{
	return t && t->kind == TARGET_NODE &&
	       d->s->config->nodes[t->config_index].scheme == SCHEME_IFACE;
}

/*
 * No route through an uplink is what its checks are there to find; but its
 * gateway's route is of our making, and in mode observe we make none.
 */
static void judge_uplink(const struct dispatch *d, const struct target *t,
			 struct result *r)
{
	static const char text[] = "no route is made in mode observe";
	const struct config_node *n = &d->s->config->nodes[t->config_index];

	if (d->s->config->supervisor.mode == MODE_OBSERVE &&
	    n->gateway.family && r->outcome != OUTCOME_OK &&
	    r->outcome != OUTCOME_NO_ADDRESS) {
		r->outcome = OUTCOME_LOCAL_ROUTE;
		memcpy(r->detail, text, sizeof(text));
	} else if (r->outcome == OUTCOME_LOCAL_ROUTE) {
		r->outcome = OUTCOME_UNREACHABLE;
	}
}

/* The one exit of a job. */
static void finish(struct dispatch *d, struct job *j, const struct result *r)
{
	const struct target *t = target_table_get(d->s->prober->targets,
						  j->check / TARGET_CHECKS);
	struct prober_now now = supervisor_now();
	struct prober_final final;
	struct result judged = *r;

	if (is_uplink(d, t))
		judge_uplink(d, t, &judged);
	prober_finish(d->s->prober, j, &judged, &now, &final);
	asks_final(d->s->asks, &final);
}

static void abort_job(struct dispatch *d, struct job *j, enum outcome why)
{
	struct prober_now now = supervisor_now();
	struct prober_final final;

	prober_abort(d->s->prober, j, why, &now, &final);
	asks_final(d->s->asks, &final);
}

static int build_plan(struct dispatch *d, const struct target *t,
		      const struct target_check *c, struct job_plan *p)
{
	static const struct config_node direct = { .name = (char *)"direct",
						   .scheme = SCHEME_DIRECT };
	const struct config *cfg = d->s->config;

	switch (t->kind) {
	case TARGET_NODE:
		return job_build_node(p, cfg, &cfg->nodes[t->config_index],
				      c->cls);
	case TARGET_DIRECT:
		return job_build_node(p, cfg, &direct, c->cls);
	case TARGET_UPSTREAM:
		return job_build_upstream(p,
					  &cfg->dns.upstreams[t->config_index],
					  c->cls, c->family);
	case TARGET_MONITOR:
		return job_build_monitor(
			p, &cfg->supervisor.monitors[t->config_index],
			c->family);
	default:
		return -EINVAL;
	}
}

/* Put an address into @e from what is known, or say what to ask for. */
static enum have endpoint_addr(struct dispatch *d, struct job_endpoint *e,
			       uint64_t now_ns, struct name_entry *ret_known,
			       uint8_t *ret_family)
{
	uint8_t first = e->family ? e->family : 4;
	uint8_t last = e->family ? e->family : 6;
	const struct name_entry *known;

	if (e->addr.family || !e->host)
		return HAVE_ADDR;
	for (uint8_t f = first; f <= last; f += 2) {
		known = names_find(d->names, e->host, f, now_ns);
		*ret_family = f;
		if (!known)
			return HAVE_TO_ASK;
		*ret_known = *known;
		if (known->count) {
			e->addr = known->addrs[0];
			return HAVE_ADDR;
		}
	}
	return HAVE_FAILED;
}

/* 0: it was sent, or has ended; -EAGAIN: no worker is free; -ECOMM: no socket
 * to this resolver. */
static int send_job(struct dispatch *d, struct job *j,
		    const struct pool_job *pj)
{
	struct pool_sent sent;
	int r;

	r = pool_dispatch(d->s->pool, pj, &sent);
	if (r == 0)
		job_assign(d->s->prober->jobs, j, sent.place, sent.generation,
			   clock_mono_ns());
	if (r == -ECOMM && j->stage != JOB_STAGE_RESOLVE) {
		struct result res = result_of(sent.outcome, "");

		res.phase = PHASE_CONNECT;
		res.foreign_kind = FOREIGN_ERRNO;
		res.foreign = (uint64_t)abs(sent.error);
		finish(d, j, &res);
		return 0;
	}
	if (r < 0 && r != -EAGAIN && r != -ECOMM) {
		log_err_r(r, "dispatch: job cannot be sent (check=%u)",
			  j->check);
		abort_job(d, j, OUTCOME_INTERNAL);
		return 0;
	}
	return r;
}

static uint32_t left_ms(const struct job *j, uint64_t now_ns, uint32_t max_ms)
{
	uint64_t left = j->deadline_ns > now_ns ? j->deadline_ns - now_ns : 0;

	return (uint32_t)MIN(MAX(left / NS_PER_MS, 1ULL), (uint64_t)max_ms);
}

static int finish_local(struct dispatch *d, struct job *j, const char *why)
{
	struct result res = result_of(OUTCOME_LOCAL_RESOURCE, why);

	finish(d, j, &res);
	return 0;
}

/* Ask the server whose turn it is. As send_job(). */
static int ask_server(struct dispatch *d, struct job *j, const struct lookup *w)
{
	const struct resolvers *rs = &d->resolvers;
	size_t i = w->server % rs->count;
	struct job_plan plan;
	struct pool_job pj = { .spec = &plan.spec,
			       .is_literal = true,
			       .is_solo = j->is_solo };

	if (job_build_resolve(&plan, &rs->servers[i].addr, rs->servers[i].port,
			      w->host, w->family) < 0) {
		struct result res = result_of(OUTCOME_RESOLVE_ERROR,
					      "not a name that can be asked");

		finish(d, j, &res);
		return 0;
	}
	if (w->is_tcp)
		plan.spec.proto = IPPROTO_TCP;
	plan.spec.id = j->id;
	plan.spec.deadline_ms = left_ms(j, clock_mono_ns(),
					rs->count > 1 ? RESOLVE_EACH_MS
						      : RESOLVE_MAX_MS);
	j->stage = JOB_STAGE_RESOLVE;
	return send_job(d, j, &pj);
}

/* 0: it is asked for, or the job has ended; -EAGAIN: no worker is free. */
static int ask_name(struct dispatch *d, struct job *j,
		    const struct job_endpoint *e, uint8_t family, bool is_own)
{
	const struct resolvers *rs = &d->resolvers;
	struct lookup *w;
	int r;

	if (!rs->count)
		return finish_local(d, j, "no resolver is configured");
	w = lookups_begin(d->lookups, j->id, e->host, family,
			  (uint8_t)rs->next);
	if (!w)
		return finish_local(d, j, "out of memory");
	w->is_own = is_own;
	do {
		r = ask_server(d, j, w);
	} while (r == -ECOMM &&
		 lookup_again(w, OUTCOME_UNREACHABLE, rs->count));
	return r == -ECOMM ? finish_local(d, j, "no resolver can be reached")
			   : r;
}

/* Why there is no probe: the target's fault only if its own name fails. */
static void finish_unresolved(struct dispatch *d, struct job *j,
			      const struct name_entry *known, bool is_own)
{
	struct result r = result_of(known->outcome, "");

	if (known->outcome == OUTCOME_OK)
		r.outcome = OUTCOME_NO_ADDRESS;
	else if (!is_own && known->outcome != OUTCOME_NO_ADDRESS)
		r = result_of(OUTCOME_LOCAL_RESOURCE,
			      "the name in the check's URL has no address");
	r.phase_us[PHASE_RESOLVE] = known->resolve_us;
	finish(d, j, &r);
}

static bool is_named_itself(const struct target *t)
{
	return t->kind == TARGET_MONITOR || t->kind == TARGET_UPSTREAM;
}

/* Is every name known? 1 yes; 0 the job ended or went for a name; -EAGAIN. */
static int resolve_plan(struct dispatch *d, struct job *j,
			const struct target *t, struct job_plan *plan)
{
	struct job_endpoint *ends[] = { &plan->peer, &plan->target };
	uint64_t now_ns = clock_mono_ns();

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct name_entry known = { .outcome = OUTCOME_NO_ADDRESS };
		/* a node without a proxy is asked for the check's name, which
		 * says nothing about the node */
		bool is_own = i == 0 && (plan->spec.via != JOB_VIA_DIRECT ||
					 is_named_itself(t));
		uint8_t family = 0;

		switch (endpoint_addr(d, ends[i], now_ns, &known, &family)) {
		case HAVE_ADDR:
			break;
		case HAVE_FAILED:
			finish_unresolved(d, j, &known, is_own);
			return 0;
		case HAVE_TO_ASK:
			return ask_name(d, j, ends[i], family, is_own);
		}
	}
	return 1;
}

static void finish_unplanned(struct dispatch *d, struct job *j, int r)
{
	struct result res = result_of(
		r == -EADDRNOTAVAIL ? OUTCOME_NO_ADDRESS : OUTCOME_INTERNAL,
		r == -EADDRNOTAVAIL ? "no address of this family"
				    : "this check cannot be made");

	finish(d, j, &res);
}

/* 0: it is under way or ended; -EAGAIN: no worker is free. */
static int dispatch_job(struct dispatch *d, struct job *j)
{
	const struct target *t = target_table_get(d->s->prober->targets,
						  j->check / TARGET_CHECKS);
	const struct target_check *c = target_table_check(d->s->prober->targets,
							  j->check);
	struct job_plan plan;
	struct pool_job pj = { .spec = &plan.spec, .is_solo = j->is_solo };
	uint64_t now_ns = clock_mono_ns();
	int r;

	if (!t || !c) {
		abort_job(d, j, OUTCOME_ABORTED);
		return 0;
	}
	r = build_plan(d, t, c, &plan);
	if (r < 0) {
		finish_unplanned(d, j, r);
		return 0;
	}
	r = resolve_plan(d, j, t, &plan);
	if (r <= 0)
		return r;
	r = job_build_bind(&plan, &plan.peer.addr,
			   plan.target.host ? &plan.target.addr : NULL);
	if (r < 0) {
		finish_unplanned(d, j, -EADDRNOTAVAIL);
		return 0;
	}
	plan.spec.id = j->id;
	plan.spec.deadline_ms = left_ms(j, now_ns, UINT32_MAX);
	if (clock_is_unset(clock_wall_ns()))
		plan.spec.flags |= JOB_CLOCK_UNSET;
	pj.iface = plan.iface;
	pj.mark = plan.mark;
	pj.is_literal = plan.literal;
	if (t->kind == TARGET_NODE)
		pj.mark |= kernel_uplink_mark(
			d->s->kernel, &d->s->config->nodes[t->config_index]);
	j->stage = JOB_STAGE_PROBE;
	return send_job(d, j, &pj);
}

bool dispatch_run(struct dispatch *d)
{
	struct prober_now now = supervisor_now();
	unsigned int refused = 0;

	pool_want_solo(d->s->pool,
		       quarantine_has_suspects(d->s->prober->quarantine,
					       now.mono_ns));
	/* a suspect that waits for a worker of its own stops nobody else */
	for (unsigned int i = 0; i < DISPATCH_BURST; i++) {
		struct job *j = prober_next_job(d->s->prober, &now);

		if (!j || refused == DISPATCH_REFUSED)
			break;
		if (dispatch_job(d, j) == -EAGAIN)
			refused++;
	}
	return refused == 0;
}

/* The answer for a name: learn it, or ask again; the job has its turn then. */
static void name_result(struct dispatch *d, struct job *j,
			const struct result *r)
{
	struct lookup *w = lookups_find(d->lookups, j->id);
	struct target *t = target_table_get(d->s->prober->targets,
					    j->check / TARGET_CHECKS);
	uint64_t now_ns = clock_mono_ns();

	if (!w) {
		abort_job(d, j, OUTCOME_INTERNAL);
		return;
	}
	if (!lookup_again(w, r->outcome, d->resolvers.count)) {
		/* the server that answered is asked first from now on */
		if (r->outcome == OUTCOME_OK)
			d->resolvers.next = w->server;
		names_learn(d->names, w->host, r, w->family, now_ns);
		if (t && w->is_own)
			target_set_addrs(t, w->family, r, now_ns);
		lookups_drop(d->lookups, j->id);
	}
	job_unassign(d->s->prober->jobs, j);
}

void dispatch_result(struct dispatch *d, uint32_t place, uint32_t generation,
		     const struct result *r)
{
	struct job *j = job_table_match(d->s->prober->jobs, r->job_id, place,
					generation);

	if (!j)
		return; /* counted as stale */
	if (j->stage == JOB_STAGE_RESOLVE)
		name_result(d, j, r);
	else
		finish(d, j, r);
}

void dispatch_unsent(struct dispatch *d, uint32_t job_id)
{
	struct job *j = job_table_find(d->s->prober->jobs, job_id);

	if (j)
		job_unassign(d->s->prober->jobs, j);
}

static bool job_exists(void *ctx, uint32_t id)
{
	struct dispatch *d = ctx;

	return job_table_find(d->s->prober->jobs, id) != NULL;
}

/* Why a job is out of time. A name that nobody gave is no lost worker. */
static enum outcome expired_outcome(const struct job *j)
{
	return j->stage == JOB_STAGE_RESOLVE && j->worker == JOB_NO_WORKER
		       ? OUTCOME_LOCAL_RESOURCE
		       : OUTCOME_WORKER_LOST;
}

/*
 * A worker ends each of its jobs by the deadline. One that is silent past it,
 * whatever else it still does, is stuck, and stuck is dead.
 */
void dispatch_expire(struct dispatch *d)
{
	struct prober_now now = supervisor_now();
	struct job *j;

	while ((j = prober_next_expired(d->s->prober, &now)) != NULL) {
		uint32_t place = j->worker;
		bool is_silent = place != JOB_NO_WORKER &&
				 now.mono_ns > j->deadline_ns;

		if (place != JOB_NO_WORKER)
			pool_cancel(d->s->pool, j->id);
		abort_job(d, j, expired_outcome(j));
		if (is_silent)
			pool_kill(d->s->pool, place, RECYCLE_STUCK);
	}
	lookups_sweep(d->lookups, job_exists, d);
}

void dispatch_lost(struct dispatch *d, const struct pool_lost *l)
{
	struct prober_now now = supervisor_now();

	prober_worker_lost(d->s->prober, l->place, l->generation, l->blame,
			   &now);
	dispatch_expire(d);
}
