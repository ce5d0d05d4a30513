/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When each check is due. A heap of due times; phases hashed from the check's
 * key, so that a restart does not synchronise them; jitter on every cycle; a
 * cap, a token bucket and a gap per target in front of the exit. A slot is one
 * due time of one check: it is either handed out by schedule_pop() or counted
 * as skipped with a reason, never just gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_SLOW_FACTOR 10
#define SCHEDULE_DEAD_MAX_NS 600000000000ULL /* dead targets: 10 min */
#define SCHEDULE_JITTER_PERCENT 10
#define SCHEDULE_TARGET_GAP_NS 50000000ULL /* between checks of a target */
#define SCHEDULE_KICK_GAP_NS 2000000000ULL /* one check by kicks */

enum schedule_skip {
	SKIP_IN_FLIGHT, /* the probe before had not ended */
	SKIP_LATE,	/* the whole slot went by before its turn */
	SKIP_OFFLINE,
	SKIP_COUNT
};

struct schedule_config {
	uint32_t max_concurrent;
	uint32_t rate;	     /* probes a second, 0: no bucket */
	bool adaptive;	     /* not hot: SCHEDULE_SLOW_FACTOR x interval */
	uint32_t max_checks; /* ids are below this */
	uint32_t checks_per_target; /* id / this is the target */
	uint64_t seed;		    /* of the jitter, not of the phases */
};

struct schedule_item {
	uint32_t check;
	uint64_t slot; /* counts up for each check */
	uint64_t due_ns;
	uint64_t lag_ns;
};

struct schedule_stats {
	uint64_t popped;
	uint64_t skipped[SKIP_COUNT];
	uint64_t lag_max_ns, lag_sum_ns;
	uint32_t entries, in_flight;
};

struct schedule;

/* -EINVAL, -ENOMEM. */
int schedule_new(struct schedule **ret, const struct schedule_config *cfg);
/* Accepts NULL, sets *s to NULL. */
void schedule_free(struct schedule **s);
#define auto_schedule __attribute__((cleanup(schedule_free)))
/*
 * Schedule @check. The first turn comes within @spread_ns by its hashed phase,
 * the second within one interval. -EEXIST, -ERANGE, -EINVAL.
 */
int schedule_add(struct schedule *s, uint32_t check, uint64_t key,
		 uint64_t interval_ns, uint64_t spread_ns, uint64_t now_ns);
/* dae's cold start window for @checks checks. */
uint64_t schedule_spread_ns(uint32_t checks, uint64_t interval_ns);
/* Take over due times, back-off and slots of checks with equal keys. */
void schedule_inherit(struct schedule *s, const struct schedule *old);
bool schedule_has(const struct schedule *s, uint32_t check);
void schedule_remove(struct schedule *s, uint32_t check);
/* Held checks keep their place but are not due; no slot passes for them. */
void schedule_hold(struct schedule *s, uint32_t check, bool held,
		   uint64_t now_ns);
/* The next check to probe, or false if none is due or may go now. */
bool schedule_pop(struct schedule *s, uint64_t now_ns,
		  struct schedule_item *ret);
/*
 * The probe of @check ended. @dead: the target is believed dead, its interval
 * grows x1.5 each time. @wavering: ask again sooner.
 */
void schedule_done(struct schedule *s, uint32_t check, bool dead, bool wavering,
		   uint64_t now_ns);
/* Full rate or not, while adaptive; takes effect at once when it is raised. */
void schedule_set_hot(struct schedule *s, uint32_t check, bool hot,
		      uint64_t now_ns);
/* All intervals are longer by this factor, 1000 is 1; for the budget. */
void schedule_set_stretch(struct schedule *s, uint32_t permille);
void schedule_set_limits(struct schedule *s, uint32_t max_concurrent,
			 uint32_t rate);
/* Due within @spread_ns, unless kicked within SCHEDULE_KICK_GAP_NS before. */
void schedule_kick(struct schedule *s, uint32_t check, uint64_t spread_ns,
		   uint64_t now_ns);
/* The network changed: forget back-off, everything due within @spread_ns. */
void schedule_kick_all(struct schedule *s, uint64_t spread_ns, uint64_t now_ns);
/*
 * While paused only kicked checks come out; slots that pass are counted as
 * SKIP_OFFLINE when it ends.
 */
void schedule_pause(struct schedule *s, bool paused, uint64_t now_ns);
/* When schedule_pop() may next succeed; UINT64_MAX: not by time alone. */
uint64_t schedule_next_ns(const struct schedule *s, uint64_t now_ns);
/* Due time of one check, UINT64_MAX if held or not known. */
uint64_t schedule_due_ns(const struct schedule *s, uint32_t check);
/* Its interval as things stand, without jitter. 0: not known. */
uint64_t schedule_interval_ns(const struct schedule *s, uint32_t check,
			      bool stretched);
void schedule_stats(const struct schedule *s, struct schedule_stats *ret);
