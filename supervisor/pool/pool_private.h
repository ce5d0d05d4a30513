/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pool.c, place.c and dispatch.c share; nobody else includes it. */
#pragma once

#include "common/chan.h"
#include "common/wire.h"
#include "supervisor/pool/cgroup.h"
#include "supervisor/pool/inflight.h"
#include "supervisor/pool/pool.h"

struct event;

/* Jobs given to a place in this turn of the loop, not sent yet. */
struct batch {
	struct wcur w;
	uint32_t count;
	uint32_t ids[MSG_JOBS_MAX];
	int fds[MSG_FDS_MAX];
	uint8_t bytes[MSG_MAX - sizeof(struct msg_hdr)];
};

/* The process behind a crew_place of the same index. */
struct place {
	struct pool *pool;
	uint32_t index;
	pid_t pid; /* 0: none, or reaped */
	int pidfd;
	uint32_t serial; /* of its memory cgroup */
	bool has_cgroup;
	struct chan *chan;
	struct hello hello;
	struct heartbeat heartbeat;
	uint64_t flood_base; /* chan_received() at the last tick */
	struct batch batch;
};

struct pool {
	struct event_base *base;
	struct pool_config config; /* strings owned */
	struct crew crew;
	struct cgroup_root cgroup;
	struct inflight_table *inflight;
	struct event *child_ev, *plan_ev, *tick_ev, *flush_ev;
	uint32_t serial; /* of the last spawn */
	uint32_t in_flight_max;
	bool is_settling; /* a dead worker's last words are read */
	struct place places[CREW_MAX];
};

static inline struct slot *place_slot(const struct place *pl)
{
	return &pl->pool->crew.places[pl->index].slot;
}

/* Apply an event to a place's slot and do what follows from it. */
void place_event(struct place *pl, const struct slot_input *in);
/* Carry out orders (enum slot_action). */
void place_act(struct place *pl, unsigned int actions);
/* Its process ended with this wait status and is reaped. */
void place_exited(struct place *pl, int status);
/* Measure it for the recycle policy. */
void place_measure(struct place *pl, uint64_t now_ns);
/* Let go of process, channel and cgroup, without events. */
void place_discard(struct place *pl);

void batch_reset(struct batch *b);
/* Send what is waiting. */
void dispatch_flush_place(struct place *pl);
void dispatch_flush(struct pool *p);
/* The jobs of this place go back: unsent ones, then the lost. */
void dispatch_give_back(struct place *pl, bool blame);
int dispatch_results(struct place *pl, const struct chan_in *in);
int dispatch_socket_request(struct place *pl, const struct chan_in *in);

/* Look at the crew again in this turn of the loop. */
void pool_schedule_plan(struct pool *p);
