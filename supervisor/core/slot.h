/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one worker's place, as pure transitions: an event and an instant
 * in, a new state and a set of actions out. The states are those of the
 * protocol (common/msg.h), since they decide which messages may arrive.
 *
 *  EMPTY/BACKOFF -spawn-> STARTING -hello-> READY -retire-> DRAINING -exit-> EMPTY
 *  STARTING, READY, DRAINING -kill, bad message, closed-> KILLING
 *  any of these -exit-> BACKOFF, or FAILED if the sandbox could not be built
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/check.h"
#include "common/msg.h"

#define SLOT_HELLO_TIMEOUT_NS 5000000000ULL
#define SLOT_BACKOFF_FIRST_MS 20
#define SLOT_BACKOFF_MAX_MS 60000
#define SLOT_HEALTHY_MS 10000 /* a run this long forgets earlier failures */

enum slot_event {
	SLOT_EV_SPAWN,	      /* a worker is wanted here */
	SLOT_EV_SPAWN_FAILED, /* fork or exec did not happen */
	SLOT_EV_HELLO,	      /* HELLO of our build and this generation */
	SLOT_EV_BAD_MESSAGE,  /* what it sent broke the protocol */
	SLOT_EV_CLOSED,	      /* its end of the channel is gone */
	SLOT_EV_RETIRE,	      /* recycle says DRAIN, or nobody wants it */
	SLOT_EV_KILL,	      /* recycle says KILL */
	SLOT_EV_TICK,	      /* time went by */
	SLOT_EV_EXITED,	      /* reaped; the only way out of KILLING */
	SLOT_EV_REVIVE,	      /* by hand: FAILED to EMPTY */
	SLOT_EVENT_COUNT
};

/* What the caller has to do now; several at once are possible. */
enum slot_action {
	SLOT_ACT_SPAWN = 1 << 0,   /* fork and exec with slot.generation */
	SLOT_ACT_DRAIN = 1 << 1,   /* send MSG_DRAIN */
	SLOT_ACT_KILL = 1 << 2,	   /* SIGKILL; keep the pid until reaped */
	SLOT_ACT_LOST = 1 << 3,	   /* its jobs are to be given to others */
	SLOT_ACT_BLAME = 1 << 4,   /* its targets in flight are suspects */
	SLOT_ACT_CRASHED = 1 << 5, /* count and tell: it ended unasked */
	SLOT_ACT_FAILED = 1 << 6,  /* tell: stays down until revived */
	SLOT_ACT_REFUSED = 1 << 7, /* the event does not fit; nothing done */
};

/* How a process ended, decoded from its wait status. */
struct slot_exit {
	bool is_signal;
	int code;     /* exit code or signal number */
	bool was_oom; /* the memory cgroup killed it */
};

struct slot {
	enum slot_state state;
	enum recycle_reason reason; /* why it is leaving or last left */
	uint32_t generation;	    /* counts spawns; never 0 once used */
	uint64_t since_ns;	    /* in this state */
	uint64_t spawned_ns;
	uint64_t retry_ns; /* BACKOFF: not before */
	uint64_t backoff_ms;
	uint32_t crashes; /* ends that nobody asked for */
	bool gave_jobs;	  /* SLOT_ACT_LOST was said for this run */
	struct slot_exit last_exit;
};

struct slot_input {
	enum slot_event event;
	enum recycle_reason reason; /* RETIRE and KILL: why */
	struct slot_exit exit;	    /* EXITED */
};

void slot_init(struct slot *s);
/* Apply one event; returns a set of enum slot_action. */
unsigned int slot_step(struct slot *s, const struct slot_input *in,
		       uint64_t now_ns);
/* When SLOT_EV_TICK or a spawn next matters; UINT64_MAX: never by itself. */
uint64_t slot_next_ns(const struct slot *s);
/* A process exists, whatever it is doing. */
bool slot_is_alive(const struct slot *s);
/* Delay before the next start, in ms, after a run of @ran_ms. */
uint64_t slot_backoff_next_ms(uint64_t prev_ms, uint64_t ran_ms);
const char *slot_event_name(unsigned int event);
