/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is it them or is it us? A failure is believed at once if anything succeeded
 * since its probe began and within the last second. Otherwise it is held while a few witnesses are asked;
 * one success lets it through, silence of all of them means the uplink is gone:
 * verdicts freeze, the selection stays, until the first success.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OFFLINE_WITNESSES 8
#define OFFLINE_CONFIRM_NS 12000000000ULL /* longest time in doubt */
#define OFFLINE_PULSE_NS 1000000000ULL	  /* one witness asked each, offline */
#define OFFLINE_GRACE_NS 2000000000ULL	  /* after the return: ask again */

enum offline_state { ONLINE, OFFLINE_DOUBT, OFFLINE };

/* What to do with one result. */
enum offline_judgement {
	OFFLINE_APPLY,
	OFFLINE_HOLD, /* keep it until the doubt ends */
	OFFLINE_DROP, /* says nothing about the target: ask again */
};

enum offline_change {
	OFFLINE_NO_CHANGE,
	OFFLINE_DOUBTED,  /* ask offline_witness() until it has no more */
	OFFLINE_CLEARED,  /* doubt ended: apply what was held */
	OFFLINE_WENT,	  /* drop what was held, freeze, pause */
	OFFLINE_RETURNED, /* resume, ask everything again, with a spread */
};

struct offline;

/* For target indexes below @max. -ENOMEM, -EINVAL. */
int offline_new(struct offline **ret, uint32_t max);
/* Accepts NULL, sets *o to NULL. */
void offline_free(struct offline **o);
#define auto_offline __attribute__((cleanup(offline_free)))
/*
 * @target is up in some check and may serve as a witness, or no longer. A
 * target with @preferred (the direct one) is asked first.
 */
void offline_set_witness(struct offline *o, uint32_t target, bool is_witness,
			 bool preferred);
/* The state of the one before a reload, doubt excepted. */
void offline_inherit(struct offline *o, const struct offline *old);
/* @target is reached without the uplink: it says nothing about it. */
void offline_set_local(struct offline *o, uint32_t target, bool is_local);
/* One result of @target, whose probe was sent at @started_ns. */
enum offline_judgement offline_result(struct offline *o, uint32_t target,
				      bool ok, uint64_t started_ns,
				      uint64_t now_ns);
/* From rtnetlink: there is a way out, or none. */
void offline_link(struct offline *o, bool has_uplink, uint64_t now_ns);
/* Time went by. */
void offline_tick(struct offline *o, uint64_t now_ns);
/* What has happened since the last call; ask after each of the above. */
enum offline_change offline_take_change(struct offline *o);
/* The next target to ask now, or TARGET_NONE (UINT32_MAX). */
uint32_t offline_witness(struct offline *o, uint64_t now_ns);
/* When offline_tick() or offline_witness() next matters. */
uint64_t offline_next_ns(const struct offline *o);
enum offline_state offline_state(const struct offline *o);
uint64_t offline_since_ns(const struct offline *o);
