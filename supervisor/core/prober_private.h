/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the prober: building, results, groups. */
#pragma once

#include "common/base.h"
#include "supervisor/core/prober.h"

#define PROBER_JOBS_MAX 8192
#define PROBER_EVENTS 1024
#define PROBER_HELD_MAX 4096
#define PROBER_WITNESS_NS (3 * NS_PER_S) /* deadline of a witness */
#define PROBER_REASK_NS (3 * NS_PER_S)	 /* spread of what was dropped */

struct prober_held {
	uint32_t check;
	uint64_t key;
	struct result result;
};

void prober_event(struct prober *p, enum event_kind kind,
		  const struct prober_now *now, const struct target *t,
		  const char *text);
/* After the verdicts, admin state or quarantine of @t moved. */
void prober_refresh(struct prober *p, struct target *t,
		    const struct prober_now *now);
/* Act on what the offline gate has decided, until it has no more to say. */
void prober_follow_gate(struct prober *p, const struct prober_now *now);
/* Releases and witnesses whose instant has come; cheap if none has. */
void prober_do_due(struct prober *p, const struct prober_now *now);
/* A result that counts. */
enum health_effect prober_apply(struct prober *p, uint32_t check,
				const struct result *r,
				const struct prober_now *now);
struct target_check *prober_check(const struct prober *p, uint32_t check,
				  uint64_t key);
/* Create a job that the schedule did not ask for. */
int prober_add_job(struct prober *p, uint32_t check, const struct job *flags,
		   const struct prober_now *now, struct job **ret);
/* Which targets are at full rate. */
void prober_update_hot(struct prober *p, const struct prober_now *now);
/* Intervals for the rest of the day's bytes. */
void prober_update_stretch(struct prober *p, const struct prober_now *now);
