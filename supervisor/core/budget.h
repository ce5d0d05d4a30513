/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes a day. Spends evenly: what is left over what is left of the day. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_STRETCH_MAX 100000 /* permille: a hundred times */

struct budget {
	uint64_t daily_bytes; /* 0: no limit */
	uint64_t today_bytes;
	uint64_t total_bytes;
	uint64_t yesterday_bytes;
	int64_t day; /* days since 1970, -1: none yet */
};

void budget_init(struct budget *b, uint64_t daily_bytes);
/* Move to the day of @wall_s. True if it began anew: clear targets' sums. */
bool budget_roll(struct budget *b, int64_t wall_s);
void budget_add(struct budget *b, uint64_t bytes, int64_t wall_s);
/*
 * By how much intervals must grow, in permille, if @bytes_per_day would be
 * spent without stretching. 1000 without a limit or with room.
 */
uint32_t budget_stretch(const struct budget *b, uint64_t bytes_per_day,
			int64_t wall_s);
