/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/totals.h"

#include <assert.h>

#include "common/base.h"

static const char *const not_sent_names[] = {
	[NOT_SENT_QUARANTINED] = "quarantined",
	[NOT_SENT_ADMIN] = "admin",
	[NOT_SENT_GONE] = "gone",
};
static_assert(ARRAY_LEN(not_sent_names) == NOT_SENT_COUNT, "name the cause");

const char *not_sent_name(unsigned int n)
{
	return n < NOT_SENT_COUNT ? not_sent_names[n] : "?";
}

uint64_t totals_recycles(const struct totals *t)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < RECYCLE_REASON_COUNT; i++)
		sum += t->recycles[i];
	return sum;
}

uint64_t totals_results(const struct totals *t)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < OUTCOME_COUNT; i++)
		sum += t->results[i];
	return sum;
}

uint64_t totals_ours(const struct totals *t)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < OUTCOME_COUNT; i++)
		sum += outcome_is_ours(i) ? t->results[i] : 0;
	return sum;
}
