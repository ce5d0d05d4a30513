/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who kills workers. Targets in flight in a worker that died are suspects; from
 * then on they run alone, so that the next death has one name. A clean finish
 * clears what happened in company; a target with policy.crashes deaths within
 * policy.window_ns, at least one of them alone, is held for policy.hold_ns.
 * Keys are identities of targets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config_supervisor.h"

#define QUARANTINE_MAX 1024 /* targets remembered at once */

struct quarantine;

struct quarantine_view {
	uint64_t key;
	uint32_t deaths; /* within the window */
	uint32_t alone;	 /* of them with nothing else in flight */
	bool is_held, is_suspect;
	uint64_t until_ns; /* held: released then */
};

int quarantine_new(struct quarantine **ret, const struct quarantine_policy *p);
/* Accepts NULL, sets *q to NULL. */
void quarantine_free(struct quarantine **q);
#define auto_quarantine __attribute__((cleanup(quarantine_free)))
void quarantine_set_policy(struct quarantine *q,
			   const struct quarantine_policy *p);
/* How long one is held. */
uint64_t quarantine_hold_ns(const struct quarantine *q);
/*
 * A worker died with the targets @keys in flight (repeats count once). Writes
 * those that are held from now on to @ret_held (at least @n) and returns how
 * many. -ENOMEM.
 */
int quarantine_worker_died(struct quarantine *q, const uint64_t *keys, size_t n,
			   uint64_t now_ns, uint64_t *ret_held);
/* A probe of @key ended and its worker lives. True if that cleared it. */
bool quarantine_clean(struct quarantine *q, uint64_t key, uint64_t now_ns);
/* Its probes must share a worker with nothing else. */
bool quarantine_wants_solo(const struct quarantine *q, uint64_t key,
			   uint64_t now_ns);
bool quarantine_is_held(const struct quarantine *q, uint64_t key,
			uint64_t now_ns);
/* Some target wants to run alone. */
bool quarantine_has_suspects(const struct quarantine *q, uint64_t now_ns);
/* Hold @key until @until_ns: by command, or from saved state. -ENOMEM. */
int quarantine_hold(struct quarantine *q, uint64_t key, uint64_t until_ns);
/* By command: innocent from now on. -ENOENT if it was not known. */
int quarantine_release(struct quarantine *q, uint64_t key);
/*
 * One target whose time is up: released into running alone, its key in *ret.
 * False if there is none. Call until false.
 */
bool quarantine_next_released(struct quarantine *q, uint64_t now_ns,
			      uint64_t *ret);
/* UINT64_MAX if nobody is held. */
uint64_t quarantine_next_ns(const struct quarantine *q);
size_t quarantine_count(const struct quarantine *q);
/* Entry @i < quarantine_count(). */
void quarantine_at(const struct quarantine *q, size_t i, uint64_t now_ns,
		   struct quarantine_view *ret);
