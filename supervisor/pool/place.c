/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "supervisor/pool/pool_private.h"
#include "supervisor/pool/reap.h"
#include "supervisor/pool/rss.h"
#include "supervisor/pool/spawn.h"

/* Messages from one worker between two ticks: many times what work needs. */
#define FLOOD_MAX 20000
/* Pages of program and libraries that are first touched in its cgroup. */
#define CGROUP_SLACK (8ULL << 20)

static int send_setup(struct place *pl)
{
	const struct pool_config *c = &pl->pool->config;
	struct setup setup = { .heap_budget = c->heap_budget };
	auto_fd int ca = fcntl(c->ca_fd, F_DUPFD_CLOEXEC, 0);
	int r;

	if (ca < 0)
		return -errno;
	r = chan_send(pl->chan, &(struct chan_out){ .type = MSG_SETUP,
						    .payload = &setup,
						    .len = sizeof(setup),
						    .fds = &ca,
						    .nfds = 1 });
	if (r == 0)
		(void)TAKE_FD(ca);
	return r;
}

static int on_hello(struct place *pl, const struct chan_in *in)
{
	const struct slot *slot = place_slot(pl);
	const struct pool_ops *ops = pl->pool->config.ops;
	struct hello h;
	int r;

	memcpy(&h, in->payload, sizeof(h));
	if (h.build_id != pl->pool->config.build_id) {
		log_error("pool: worker refused: another build (place=%u "
			  "build=%08x)",
			  pl->index, h.build_id);
		return -EPROTO;
	}
	if (h.generation != slot->generation || h.pid != (uint32_t)pl->pid ||
	    h.role != ROLE_PROBE || h.zero)
		return -EPROTO;
	r = send_setup(pl);
	if (r < 0)
		return r;
	pl->hello = h;
	place_event(pl, &(struct slot_input){ .event = SLOT_EV_HELLO });
	chan_set_state(pl->chan, slot->state);
	place_measure(pl, clock_mono_ns());
	if (ops->on_ready)
		ops->on_ready(pl->pool->config.arg, pl->index);
	pool_schedule_plan(pl->pool);
	return 0;
}

static int on_heartbeat(struct place *pl, const struct chan_in *in)
{
	const struct pool_ops *ops = pl->pool->config.ops;

	memcpy(&pl->heartbeat, in->payload, sizeof(pl->heartbeat));
	pl->pool->crew.places[pl->index].meter.heartbeat_ns = clock_mono_ns();
	if (ops->on_heartbeat)
		ops->on_heartbeat(pl->pool->config.arg, pl->index,
				  &pl->heartbeat);
	return 0;
}

static int on_drained(struct place *pl DAE_UNUSED,
		      const struct chan_in *in DAE_UNUSED)
{
	return 0; /* what counts is that it exits with 0 */
}

/* A type that is not here has no rule either: msg_check() refused it. */
static int (*const handlers[MSG_TYPE_COUNT])(struct place *,
					     const struct chan_in *) = {
	[MSG_HELLO] = on_hello,
	[MSG_RESULTS] = dispatch_results,
	[MSG_SOCKET_REQUEST] = dispatch_socket_request,
	[MSG_HEARTBEAT] = on_heartbeat,
	[MSG_DRAINED] = on_drained,
};

static int on_message(void *arg, const struct chan_in *in)
{
	struct place *pl = arg;

	if (chan_received(pl->chan) - pl->flood_base > FLOOD_MAX)
		return -EPROTO;
	return handlers[in->hdr.type](pl, in);
}

static void on_close(void *arg, int error)
{
	struct place *pl = arg;

	chan_free(&pl->chan);
	if (error)
		log_warn("pool: worker's channel closed: %s (place=%u "
			 "pid=%d)",
			 strerror(-error), pl->index, pl->pid);
	place_event(pl,
		    &(struct slot_input){ .event = error ? SLOT_EV_BAD_MESSAGE
							 : SLOT_EV_CLOSED });
	pool_schedule_plan(pl->pool);
}

static const struct chan_ops chan_ops = {
	.on_message = on_message,
	.on_close = on_close,
};

static void enter_cgroup(struct place *pl)
{
	const struct recycle_limits *l = &pl->pool->config.limits;
	uint64_t max = l->rss_hard_bytes + RECYCLE_BASE_BYTES + CGROUP_SLACK;

	pl->serial = ++pl->pool->serial;
	pl->has_cgroup = l->rss_hard_bytes &&
			 cgroup_add(&pl->pool->cgroup, pl->serial, pl->pid,
				    max) == 0;
}

static int start(struct place *pl)
{
	const struct pool_config *c = &pl->pool->config;
	const struct worker_args args = {
		.role = ROLE_PROBE,
		.generation = place_slot(pl)->generation,
		.uid = c->uid,
		.gid = c->gid,
		.parent = getpid(),
		.data_bytes = c->limits.data_bytes,
		.files = c->files,
	};
	struct spawned s;
	int r;

	r = spawn_worker(c->worker_path, &args, &s);
	if (r < 0)
		return r;
	pl->pid = s.pid;
	pl->pidfd = s.pidfd;
	pl->flood_base = 0;
	memset(&pl->hello, 0, sizeof(pl->hello));
	memset(&pl->heartbeat, 0, sizeof(pl->heartbeat));
	batch_reset(&pl->batch);
	enter_cgroup(pl);
	r = chan_new(&pl->chan, pl->pool->base, s.chan_fd, msg_from_worker,
		     &chan_ops, pl);
	if (r < 0) {
		place_discard(pl);
		return r;
	}
	chan_set_state(pl->chan, SLOT_STARTING);
	return 0;
}

static void act_spawn(struct place *pl)
{
	int r = start(pl);

	if (r == 0)
		return;
	log_err_r(r, "pool: start worker (place=%u)", pl->index);
	place_event(pl, &(struct slot_input){ .event = SLOT_EV_SPAWN_FAILED });
	pool_schedule_plan(pl->pool);
}

static void tell_retired(struct place *pl)
{
	const struct pool_config *c = &pl->pool->config;

	if (c->ops->on_retire)
		c->ops->on_retire(c->arg, pl->index, place_slot(pl)->reason);
}

static void act_drain(struct place *pl)
{
	int r;

	dispatch_flush_place(pl);
	if (place_slot(pl)->state != SLOT_DRAINING)
		return; /* it could not even take its jobs */
	chan_set_state(pl->chan, SLOT_DRAINING);
	r = chan_send(pl->chan, &(struct chan_out){ .type = MSG_DRAIN });
	if (r < 0 && r != -EPIPE) /* the exit will tell */
		place_event(pl,
			    &(struct slot_input){ .event = SLOT_EV_KILL,
						  .reason = RECYCLE_STUCK });
	tell_retired(pl);
}

/* A reaped process has no pid any more: that number may be anybody's. */
static void act_kill(struct place *pl)
{
	chan_free(&pl->chan);
	if (pl->pid)
		reap_kill(pl->pid, pl->pidfd);
	if (place_slot(pl)->reason != RECYCLE_CRASH) /* on_exit() tells that */
		tell_retired(pl);
}

void place_act(struct place *pl, unsigned int actions)
{
	if (actions & SLOT_ACT_REFUSED)
		return;
	if (actions & SLOT_ACT_KILL)
		act_kill(pl);
	if (actions & SLOT_ACT_LOST)
		dispatch_give_back(pl, actions & SLOT_ACT_BLAME);
	if (actions & SLOT_ACT_SPAWN)
		act_spawn(pl);
	if (actions & SLOT_ACT_DRAIN)
		act_drain(pl);
}

void place_event(struct place *pl, const struct slot_input *in)
{
	place_act(pl,
		  crew_event(&pl->pool->crew, pl->index, in, clock_mono_ns()));
}

void place_discard(struct place *pl)
{
	int status;

	chan_free(&pl->chan);
	if (pl->pid) {
		reap_kill(pl->pid, pl->pidfd);
		reap_wait(pl->pid, &status);
	}
	pl->pid = 0;
	fd_close_ptr(&pl->pidfd);
	if (pl->has_cgroup)
		cgroup_remove(&pl->pool->cgroup, pl->serial);
	pl->has_cgroup = false;
}

/* What it said before it died still counts, and is read before the verdict. */
static void read_last_words(struct place *pl)
{
	pl->pool->is_settling = true;
	if (pl->chan)
		chan_read_rest(pl->chan);
	pl->pool->is_settling = false;
	chan_free(&pl->chan);
}

void place_exited(struct place *pl, int status)
{
	const struct pool_config *c = &pl->pool->config;
	const struct slot *slot = place_slot(pl);
	struct pool_exit e = { .place = pl->index,
			       .generation = slot->generation,
			       .pid = pl->pid,
			       .status = status };
	unsigned int actions;
	struct slot_input in;
	bool was_oom;

	was_oom = pl->has_cgroup &&
		  cgroup_was_oom(&pl->pool->cgroup, pl->serial);
	pl->pid = 0;
	read_last_words(pl);
	place_discard(pl);
	in = (struct slot_input){ .event = SLOT_EV_EXITED,
				  .exit = reap_decode(status, was_oom) };
	actions = crew_event(&pl->pool->crew, pl->index, &in, clock_mono_ns());
	place_act(pl, actions);
	e.is_crash = actions & SLOT_ACT_CRASHED;
	e.is_failed = actions & SLOT_ACT_FAILED;
	e.reason = slot->reason;
	if (c->ops->on_exit)
		c->ops->on_exit(c->arg, &e);
	pool_schedule_plan(pl->pool);
}

void place_measure(struct place *pl, uint64_t now_ns)
{
	struct recycle_meter *m = &pl->pool->crew.places[pl->index].meter;
	uint64_t anon;

	if (rss_read_anon(pl->pid, &anon) == 0)
		recycle_meter_read(m, anon, now_ns);
	if (rss_read_fds(pl->pid, &m->fds) < 0)
		m->fds = pl->heartbeat.fds;
	m->overdue_ns = inflight_due_ns(pl->pool->inflight, pl->index);
	if (pl->chan)
		pl->flood_base = chan_received(pl->chan);
}
