/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/budget.h"

#include "common/base.h"

#define DAY_S 86400
/* The rest of a day is never thought shorter: no burst before midnight. */
#define REST_MIN_S 3600
/* 2020: before that a clock has not been set. */
#define DAY_CLOCK_SET 18262

void budget_init(struct budget *b, uint64_t daily_bytes)
{
	*b = (struct budget){ .daily_bytes = daily_bytes, .day = -1 };
}

static int64_t day_of(int64_t wall_s)
{
	return wall_s < 0 ? 0 : wall_s / DAY_S;
}

bool budget_roll(struct budget *b, int64_t wall_s)
{
	int64_t day = day_of(wall_s);

	if (b->day == day || (day < DAY_CLOCK_SET && b->day >= DAY_CLOCK_SET))
		return false;
	if (b->day >= 0) {
		b->yesterday_bytes = b->today_bytes;
		b->today_bytes = 0;
	}
	b->day = day;
	return true;
}

void budget_add(struct budget *b, uint64_t bytes, int64_t wall_s)
{
	budget_roll(b, wall_s);
	b->today_bytes += bytes;
	b->total_bytes += bytes;
}

uint32_t budget_stretch(const struct budget *b, uint64_t bytes_per_day,
			int64_t wall_s)
{
	bool is_today = b->day == day_of(wall_s);
	uint64_t spent = is_today ? b->today_bytes : 0;
	uint64_t rest_s = (uint64_t)(DAY_S - (wall_s < 0 ? 0 : wall_s % DAY_S));
	double wanted, allowed, permille;

	if (b->daily_bytes == 0 || bytes_per_day == 0)
		return 1000;
	if (spent >= b->daily_bytes)
		return BUDGET_STRETCH_MAX;
	rest_s = MAX(rest_s, (uint64_t)REST_MIN_S);
	wanted = (double)bytes_per_day / DAY_S;
	allowed = (double)(b->daily_bytes - spent) / (double)rest_s;
	permille = wanted / allowed * 1000;
	if (permille <= 1000)
		return 1000;
	return permille >= BUDGET_STRETCH_MAX ? BUDGET_STRETCH_MAX
					      : (uint32_t)permille;
}
