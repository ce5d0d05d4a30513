/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer and the reader of saved state share. */
#pragma once

#include "supervisor/core/hash.h"
#include "supervisor/core/state.h"

#define STATE_MAGIC 0x53454144U /* "DAES" */
#define STATE_SUM_SIZE 8

static inline uint64_t state_sum(const void *buf, size_t len)
{
	return hash_mix(hash_bytes(0, buf, len) ^ len);
}

/* Whole seconds from @at_ns to @now_ns, 0 if it is not past. */
uint32_t state_age_s(uint64_t at_ns, uint64_t now_ns);
