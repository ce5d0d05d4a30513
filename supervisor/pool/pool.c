/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/log.h"
#include "supervisor/pool/pool_private.h"
#include "supervisor/pool/reap.h"

#define ORDERS_MAX 16
/* Each round spawns, retires or kills; more than this is no progress. */
#define ROUNDS_MAX 16

static const struct timeval tick_interval = { .tv_sec = 1 };

/* When the crew wants to be looked at before the next tick. */
static void arm_plan(struct pool *p)
{
	uint64_t next_ns = crew_next_ns(&p->crew), now_ns = clock_mono_ns();
	uint64_t wait_ns = next_ns > now_ns ? next_ns - now_ns : 0;
	struct timeval tv = {
		.tv_sec = (time_t)(wait_ns / NS_PER_S),
		.tv_usec = (suseconds_t)(wait_ns % NS_PER_S / NS_PER_US + 1),
	};

	/* what is due and could not be done waits for the tick */
	if (next_ns != UINT64_MAX && wait_ns)
		evtimer_add(p->plan_ev, &tv);
}

static void plan(struct pool *p)
{
	struct crew_order orders[ORDERS_MAX];
	size_t n;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		n = crew_plan(&p->crew, clock_mono_ns(), orders, ORDERS_MAX);
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i++)
			place_act(&p->places[orders[i].place],
				  orders[i].actions);
	}
	arm_plan(p);
}

void pool_schedule_plan(struct pool *p)
{
	event_active(p->plan_ev, EV_TIMEOUT, 0);
}

static void on_plan(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		    void *arg)
{
	plan(arg);
}

static void on_flush(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		     void *arg)
{
	dispatch_flush(arg);
}

static void reap_all(struct pool *p)
{
	struct place *pl;
	int status;

	for (uint32_t i = 0; i < CREW_MAX; i++) {
		pl = &p->places[i];
		if (pl->pid && reap_try(pl->pid, &status) > 0)
			place_exited(pl, status);
	}
}

static void on_child(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		     void *arg)
{
	reap_all(arg);
}

static void on_tick(evutil_socket_t fd DAE_UNUSED, short what DAE_UNUSED,
		    void *arg)
{
	struct pool *p = arg;
	uint64_t now_ns = clock_mono_ns();

	reap_all(p); /* a signal can be lost to another handler */
	for (uint32_t i = 0; i < p->crew.count; i++)
		if (p->places[i].pid)
			place_measure(&p->places[i], now_ns);
	plan(p);
}

static int make_events(struct pool *p)
{
	p->child_ev = evsignal_new(p->base, SIGCHLD, on_child, p);
	p->plan_ev = evtimer_new(p->base, on_plan, p);
	p->flush_ev = evtimer_new(p->base, on_flush, p);
	p->tick_ev = event_new(p->base, -1, EV_PERSIST, on_tick, p);
	if (!p->child_ev || !p->plan_ev || !p->flush_ev || !p->tick_ev)
		return -ENOMEM;
	if (event_add(p->child_ev, NULL) < 0 ||
	    event_add(p->tick_ev, &tick_interval) < 0)
		return -ENOMEM;
	return 0;
}

static int copy_config(struct pool *p, const struct pool_config *c)
{
	p->config = *c;
	p->config.cgroup = NULL; /* used once, by cgroup_find() */
	p->config.worker_path = strdup(c->worker_path);
	return p->config.worker_path ? 0 : -ENOMEM;
}

int pool_new(struct pool **ret, struct event_base *base,
	     const struct pool_config *config)
{
	auto_pool struct pool *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	for (uint32_t i = 0; i < CREW_MAX; i++) {
		p->places[i].pool = p;
		p->places[i].index = i;
		p->places[i].pidfd = -1;
	}
	p->base = base;
	p->in_flight_max = POOL_IN_FLIGHT_DEFAULT;
	r = crew_init(&p->crew, &config->limits, &config->policy);
	if (r == 0)
		r = copy_config(p, config);
	if (r == 0)
		r = inflight_new(&p->inflight);
	if (r == 0)
		r = make_events(p);
	if (r < 0)
		return r;
	cgroup_find(&p->cgroup, config->cgroup);
	pool_schedule_plan(p);
	*ret = TAKE_PTR(p);
	return 0;
}

static void free_event(struct event **ev)
{
	if (*ev)
		event_free(*ev);
	*ev = NULL;
}

void pool_free(struct pool **pp)
{
	struct pool *p = TAKE_PTR(*pp);

	if (!p)
		return;
	for (uint32_t i = 0; i < CREW_MAX; i++) {
		place_discard(&p->places[i]);
		batch_reset(&p->places[i].batch);
	}
	cgroup_release(&p->cgroup);
	free_event(&p->child_ev);
	free_event(&p->plan_ev);
	free_event(&p->tick_ev);
	free_event(&p->flush_ev);
	inflight_free(&p->inflight);
	free((char *)(uintptr_t)p->config.worker_path);
	free(p);
}

void pool_set_in_flight_max(struct pool *p, uint32_t max)
{
	p->in_flight_max = max;
}

int pool_resize(struct pool *p, const struct recycle_limits *limits,
		const struct recycle_policy *policy)
{
	int r = crew_resize(&p->crew, limits, policy);

	if (r < 0)
		return r;
	p->config.limits = *limits;
	p->config.policy = *policy;
	pool_schedule_plan(p);
	return 0;
}

void pool_set_ca(struct pool *p, int ca_fd)
{
	p->config.ca_fd = ca_fd;
}

int pool_recycle(struct pool *p, uint32_t place, enum recycle_reason reason)
{
	int r = crew_recycle(&p->crew, place, reason);

	if (r == 0)
		pool_schedule_plan(p);
	return r;
}

int pool_kill(struct pool *p, uint32_t place, enum recycle_reason reason)
{
	uint32_t first = place == CREW_MAX ? 0 : place;
	uint32_t last = place == CREW_MAX ? p->crew.count : place + 1;

	if (first >= p->crew.count)
		return -ENOENT;
	for (uint32_t i = first; i < last; i++)
		if (slot_is_alive(&p->crew.places[i].slot))
			place_event(&p->places[i],
				    &(struct slot_input){ .event = SLOT_EV_KILL,
							  .reason = reason });
	pool_schedule_plan(p);
	return 0;
}

int pool_revive(struct pool *p, uint32_t place)
{
	if (place >= p->crew.count ||
	    p->crew.places[place].slot.state != SLOT_FAILED)
		return -ENOENT;
	place_event(&p->places[place],
		    &(struct slot_input){ .event = SLOT_EV_REVIVE });
	pool_schedule_plan(p);
	return 0;
}

void pool_want_solo(struct pool *p, bool want)
{
	if (p->crew.want_solo == want)
		return;
	p->crew.want_solo = want;
	pool_schedule_plan(p);
}

uint32_t pool_count(const struct pool *p)
{
	return p->crew.count;
}

void pool_view(const struct pool *p, uint32_t place, struct pool_view *ret)
{
	const struct place *pl = &p->places[place];

	*ret = (struct pool_view){
		.place = &p->crew.places[place],
		.pid = pl->pid,
		.hello = pl->hello,
		.heartbeat = pl->heartbeat,
		.has_memory_cgroup = pl->has_cgroup,
	};
}

const struct crew *pool_crew(const struct pool *p)
{
	return &p->crew;
}
