/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the schedule: its entries and the two heaps that order them. Only
 * schedule.c and schedule_heap.c include this. */
#pragma once

#include "supervisor/core/schedule.h"

#define SCHEDULE_CHECKS_MAX 4000000U

/* Kicked checks have a heap of their own: they go first, and while paused. */
enum schedule_heap_id { HEAP_NORMAL, HEAP_URGENT, HEAP_COUNT, HEAP_NONE };

struct schedule_entry {
	uint64_t key;
	uint64_t interval_ns; /* as configured */
	uint64_t due_ns;
	uint64_t last_due_ns; /* of the turn handed out last */
	uint64_t slot;
	uint64_t dead_ns; /* grown interval, 0: not dead */
	uint64_t kick_ns;
	uint32_t pos;  /* in its heap */
	uint8_t heap;  /* enum schedule_heap_id */
	uint8_t turns; /* 0, 1, then 2 for more */
	bool is_used, is_held, is_hot, in_flight;
};

struct schedule_heap {
	uint32_t *ids;
	uint32_t count;
};

struct schedule {
	struct schedule_config cfg;
	struct schedule_entry *entries;
	uint64_t *target_ns; /* last turn of each target */
	struct schedule_heap heaps[HEAP_COUNT];
	struct schedule_stats stats;
	uint32_t stretch_permille;
	uint32_t used, in_flight;
	uint64_t credit_ns, refill_ns; /* token bucket, in time */
	bool paused;
};

/* Neither in a heap before nor twice. */
void schedule_heap_put(struct schedule *s, enum schedule_heap_id h,
		       uint32_t check);
/* Out of whatever heap it is in; none is fine. */
void schedule_heap_take(struct schedule *s, uint32_t check);
/* The first of @h, if it is due at @now_ns. */
bool schedule_heap_due(const struct schedule *s, enum schedule_heap_id h,
		       uint64_t now_ns, uint32_t *ret);
/* Due time of the first, UINT64_MAX if empty. */
uint64_t schedule_heap_min(const struct schedule *s, enum schedule_heap_id h);
