/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters since start, for status and metrics. Plain numbers, one owner. */
#pragma once

#include <stdint.h>

#include "common/check.h"
#include "common/outcome.h"

/* Why a scheduled check could not become a probe. */
enum not_sent {
	NOT_SENT_QUARANTINED,
	NOT_SENT_ADMIN,
	NOT_SENT_GONE, /* removed by a reload */
	NOT_SENT_COUNT
};

struct totals {
	uint64_t spawns;
	uint64_t crashes;
	uint64_t recycles[RECYCLE_REASON_COUNT];
	uint64_t results[OUTCOME_COUNT];
	uint64_t not_sent[NOT_SENT_COUNT];
	uint64_t verdict_changes;
	uint64_t selection_changes;
	uint64_t held_results; /* by the offline gate */
	uint64_t dropped_results;
	uint64_t late_results; /* final record after its deadline */
	uint64_t bytes_tx, bytes_rx;
	uint64_t leaked_bytes;
};

uint64_t totals_recycles(const struct totals *t);
uint64_t totals_results(const struct totals *t);
/* Of them those whose cause is ours. */
uint64_t totals_ours(const struct totals *t);
const char *not_sent_name(unsigned int n);
