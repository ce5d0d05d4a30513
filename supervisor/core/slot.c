/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/slot.h"

#include <string.h>

#include "common/base.h"
#include "common/exitcode.h"

#define SIGNAL_KILL 9 /* the same on every Linux; the header brings clocks */

static const char *const event_names[] = {
	[SLOT_EV_SPAWN] = "spawn",   [SLOT_EV_SPAWN_FAILED] = "spawn_failed",
	[SLOT_EV_HELLO] = "hello",   [SLOT_EV_BAD_MESSAGE] = "bad_message",
	[SLOT_EV_CLOSED] = "closed", [SLOT_EV_RETIRE] = "retire",
	[SLOT_EV_KILL] = "kill",     [SLOT_EV_TICK] = "tick",
	[SLOT_EV_EXITED] = "exited", [SLOT_EV_REVIVE] = "revive",
};
static_assert(ARRAY_LEN(event_names) == SLOT_EVENT_COUNT, "name the event");

const char *slot_event_name(unsigned int event)
{
	return event < SLOT_EVENT_COUNT ? event_names[event] : "?";
}

void slot_init(struct slot *s)
{
	memset(s, 0, sizeof(*s));
	s->state = SLOT_EMPTY;
}

bool slot_is_alive(const struct slot *s)
{
	return s->state == SLOT_STARTING || s->state == SLOT_READY ||
	       s->state == SLOT_DRAINING || s->state == SLOT_KILLING;
}

uint64_t slot_backoff_next_ms(uint64_t prev_ms, uint64_t ran_ms)
{
	if (ran_ms >= SLOT_HEALTHY_MS)
		return 0; /* it had been working: start the next one now */
	if (prev_ms == 0)
		return SLOT_BACKOFF_FIRST_MS;
	return MIN(prev_ms * 2, (uint64_t)SLOT_BACKOFF_MAX_MS);
}

uint64_t slot_next_ns(const struct slot *s)
{
	if (s->state == SLOT_STARTING)
		return s->spawned_ns + SLOT_HELLO_TIMEOUT_NS;
	return s->state == SLOT_BACKOFF ? s->retry_ns : UINT64_MAX;
}

static void enter(struct slot *s, enum slot_state state, uint64_t now_ns)
{
	s->state = state;
	s->since_ns = now_ns;
}

static void enter_backoff(struct slot *s, uint64_t now_ns)
{
	uint64_t ran_ms = (now_ns - s->spawned_ns) / NS_PER_MS;

	s->backoff_ms = slot_backoff_next_ms(s->backoff_ms, ran_ms);
	s->retry_ns = now_ns + s->backoff_ms * NS_PER_MS;
	enter(s, SLOT_BACKOFF, now_ns);
}

/* Its jobs are said to be lost once in a run, wherever it ends. */
static unsigned int give_jobs(struct slot *s, bool blame)
{
	if (s->gave_jobs)
		return 0;
	s->gave_jobs = true;
	return blame ? SLOT_ACT_LOST | SLOT_ACT_BLAME : SLOT_ACT_LOST;
}

static unsigned int step_spawn(struct slot *s, uint64_t now_ns)
{
	bool may = s->state == SLOT_EMPTY ||
		   (s->state == SLOT_BACKOFF && now_ns >= s->retry_ns);

	if (!may)
		return SLOT_ACT_REFUSED;
	s->generation = s->generation == UINT32_MAX ? 1 : s->generation + 1;
	s->spawned_ns = now_ns;
	s->reason = RECYCLE_NONE;
	s->gave_jobs = false;
	enter(s, SLOT_STARTING, now_ns);
	return SLOT_ACT_SPAWN;
}

/* Hangs, bursts and lies are blamed on what it was doing; orders are not. */
static bool is_blamed(enum recycle_reason reason)
{
	return reason == RECYCLE_RSS_HARD || reason == RECYCLE_OOM ||
	       reason == RECYCLE_STUCK || reason == RECYCLE_CRASH;
}

static unsigned int step_kill(struct slot *s, enum recycle_reason reason,
			      uint64_t now_ns)
{
	if (!slot_is_alive(s) || s->state == SLOT_KILLING)
		return SLOT_ACT_REFUSED;
	s->reason = reason;
	enter(s, SLOT_KILLING, now_ns);
	return SLOT_ACT_KILL | give_jobs(s, is_blamed(reason));
}

/*
 * A closed channel comes before the exit status does. While draining it is how
 * a good end looks; else only the status says whose fault it was, so the jobs
 * are given away when it is in, an instant later.
 */
static unsigned int step_closed(struct slot *s, uint64_t now_ns)
{
	if (s->state == SLOT_DRAINING || s->state == SLOT_KILLING)
		return 0;
	if (!slot_is_alive(s))
		return SLOT_ACT_REFUSED;
	s->reason = RECYCLE_CRASH;
	enter(s, SLOT_KILLING, now_ns);
	return SLOT_ACT_KILL;
}

static unsigned int step_retire(struct slot *s, enum recycle_reason reason,
				uint64_t now_ns)
{
	switch (s->state) {
	case SLOT_READY:
		s->reason = reason;
		enter(s, SLOT_DRAINING, now_ns);
		return SLOT_ACT_DRAIN;
	case SLOT_STARTING:
		return step_kill(s, reason, now_ns);
	case SLOT_BACKOFF:
		enter(s, SLOT_EMPTY, now_ns);
		return 0;
	default:
		return SLOT_ACT_REFUSED;
	}
}

static unsigned int step_tick(struct slot *s, uint64_t now_ns)
{
	if (s->state != SLOT_STARTING || now_ns < slot_next_ns(s))
		return 0;
	s->gave_jobs = true; /* it never had any */
	return step_kill(s, RECYCLE_STUCK, now_ns);
}

/* SIGKILL that we did not send comes from the administrator: nobody's fault,
 * unless the kernel says that memory was the cause. */
static bool exit_blames(const struct slot_exit *e)
{
	if (e->was_oom)
		return true;
	if (e->is_signal)
		return e->code != SIGNAL_KILL;
	return e->code != WORKER_EXIT_DRAINED && e->code != WORKER_EXIT_SANDBOX;
}

static unsigned int step_crashed(struct slot *s, const struct slot_exit *e,
				 uint64_t now_ns)
{
	bool nomem = e->was_oom ||
		     (!e->is_signal && e->code == WORKER_EXIT_NOMEM);
	unsigned int actions = SLOT_ACT_CRASHED;

	s->crashes++;
	s->reason = nomem ? RECYCLE_OOM : RECYCLE_CRASH;
	actions |= give_jobs(s, exit_blames(e));
	if (!e->is_signal && e->code == WORKER_EXIT_SANDBOX) {
		enter(s, SLOT_FAILED, now_ns);
		return actions | SLOT_ACT_FAILED;
	}
	enter_backoff(s, now_ns);
	return actions;
}

static unsigned int step_exited(struct slot *s, const struct slot_exit *e,
				uint64_t now_ns)
{
	bool drained = !e->is_signal && e->code == WORKER_EXIT_DRAINED;

	if (!slot_is_alive(s))
		return SLOT_ACT_REFUSED;
	s->last_exit = *e;
	if (s->state == SLOT_DRAINING && drained) {
		s->backoff_ms = 0;
		enter(s, SLOT_EMPTY, now_ns);
		return give_jobs(s, false);
	}
	if (s->state == SLOT_KILLING && s->gave_jobs) { /* as ordered */
		if (is_blamed(s->reason)) {
			enter_backoff(s, now_ns);
			return 0;
		}
		/* it did nothing that the next one may do again */
		s->backoff_ms = 0;
		enter(s, SLOT_EMPTY, now_ns);
		return 0;
	}
	return step_crashed(s, e, now_ns);
}

unsigned int slot_step(struct slot *s, const struct slot_input *in,
		       uint64_t now_ns)
{
	switch (in->event) {
	case SLOT_EV_SPAWN:
		return step_spawn(s, now_ns);
	case SLOT_EV_SPAWN_FAILED:
		if (s->state != SLOT_STARTING)
			return SLOT_ACT_REFUSED;
		enter_backoff(s, now_ns);
		return 0;
	case SLOT_EV_HELLO:
		if (s->state != SLOT_STARTING)
			return SLOT_ACT_REFUSED;
		enter(s, SLOT_READY, now_ns);
		return 0;
	case SLOT_EV_BAD_MESSAGE:
		return step_kill(s, RECYCLE_CRASH, now_ns);
	case SLOT_EV_CLOSED:
		return step_closed(s, now_ns);
	case SLOT_EV_RETIRE:
		return step_retire(s, in->reason, now_ns);
	case SLOT_EV_KILL:
		return step_kill(s, in->reason, now_ns);
	case SLOT_EV_TICK:
		return step_tick(s, now_ns);
	case SLOT_EV_EXITED:
		return step_exited(s, &in->exit, now_ns);
	case SLOT_EV_REVIVE:
		if (s->state != SLOT_FAILED)
			return SLOT_ACT_REFUSED;
		s->backoff_ms = 0;
		enter(s, SLOT_EMPTY, now_ns);
		return 0;
	default:
		return SLOT_ACT_REFUSED;
	}
}
