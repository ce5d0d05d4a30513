/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workers together: how many there should be, which is replaced by which.
 * Make before break where memory allows one more, drain first where not.
 * Decides only; the pool carries the orders out and reports events to the
 * slots through crew_event().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/core/recycle.h"
#include "supervisor/core/slot.h"

#define CREW_MAX 64

/* What a place is for. */
enum crew_duty { CREW_POOL, CREW_SOLO };

struct crew_place {
	struct slot slot;
	struct recycle_meter meter;
	enum crew_duty duty;
	bool is_leaving; /* to be drained once relieved */
	enum recycle_reason leave_reason;
	uint32_t in_flight;
	bool is_exclusive; /* runs one suspect alone */
};

struct crew {
	struct crew_place places[CREW_MAX];
	uint32_t count; /* places in use: workers + spares */
	uint32_t want;	/* pool workers */
	uint32_t spares;
	bool want_solo;	 /* there are suspects: by the caller */
	bool solo_waits; /* a solo job found no idle place */
	uint64_t last_recycle_ns;
	struct recycle_policy policy;
};

struct crew_order {
	uint32_t place;
	unsigned int actions; /* enum slot_action */
};

/* -EINVAL if more than CREW_MAX places would be needed. */
int crew_init(struct crew *c, const struct recycle_limits *limits,
	      const struct recycle_policy *policy);
/* Another size or policy, at run time; surplus workers drain. -EINVAL. */
int crew_resize(struct crew *c, const struct recycle_limits *limits,
		const struct recycle_policy *policy);
/*
 * Look at every place once and give at most @max orders; returns how many.
 * Call after each event and each reading of memory, until it returns 0.
 */
size_t crew_plan(struct crew *c, uint64_t now_ns, struct crew_order *ret,
		 size_t max);
/* An event of one place; the actions are for the caller to carry out. */
unsigned int crew_event(struct crew *c, uint32_t place,
			const struct slot_input *in, uint64_t now_ns);
/* Mark one place (or CREW_MAX: all) to be replaced, for @reason. -ENOENT. */
int crew_recycle(struct crew *c, uint32_t place, enum recycle_reason reason);
/*
 * The READY place for a job: the least loaded of the pool, or for @solo an idle
 * one. A solo job that finds none keeps one place from filling up until it does.
 * -EAGAIN if there is none now.
 */
int crew_pick(struct crew *c, bool solo);
/* A job went to @place, or its result came from there. */
void crew_job_sent(struct crew *c, uint32_t place, bool solo);
void crew_job_done(struct crew *c, uint32_t place);
uint64_t crew_next_ns(const struct crew *c);
uint32_t crew_count_state(const struct crew *c, enum slot_state state);
