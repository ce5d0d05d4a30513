/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was given to workers and not answered, by job id. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "supervisor/pool/probe_socket.h"

#define INFLIGHT_IFACE_MAX 16

struct inflight {
	LIST_ENTRY(inflight) by_id;
	LIST_ENTRY(inflight) by_place;
	uint32_t id, place, generation;
	uint8_t kind;	 /* enum job_kind */
	uint8_t via;	 /* enum job_via */
	uint8_t sockets; /* given beyond the first */
	uint64_t deadline_ns;
	struct probe_socket socket; /* iface points below */
	char iface[INFLIGHT_IFACE_MAX];
};

LIST_HEAD(inflight_list, inflight);

struct inflight_table;

int inflight_new(struct inflight_table **ret);
/* Frees all that is in it. Accepts NULL, sets *t to NULL. */
void inflight_free(struct inflight_table **t);
/* A copy of @spec. -EEXIST, -ENOMEM. */
int inflight_add(struct inflight_table *t, const struct inflight *spec);
struct inflight *inflight_find(const struct inflight_table *t, uint32_t id);
/* Only if this worker has it; else NULL. */
struct inflight *inflight_match(const struct inflight_table *t, uint32_t id,
				uint32_t place, uint32_t generation);
void inflight_remove(struct inflight_table *t, struct inflight *j);
/* Forget all jobs of a place; how many. */
uint32_t inflight_drop_place(struct inflight_table *t, uint32_t place);
/* Earliest deadline of a place's jobs, 0: it has none. */
uint64_t inflight_due_ns(const struct inflight_table *t, uint32_t place);
