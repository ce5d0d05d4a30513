/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/clock.h"

#include <time.h>

#include "common/base.h"

/* No build of this program is older: 2026-01-01T00:00:00Z. */
#define BUILT_AFTER_NS (1767225600ULL * NS_PER_S)

static uint64_t read_clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts); /* cannot fail: valid clock, valid pointer */
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return read_clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_boot_ns(void)
{
	return read_clock_ns(CLOCK_BOOTTIME);
}

uint64_t clock_wall_ns(void)
{
	return read_clock_ns(CLOCK_REALTIME);
}

bool clock_is_unset(uint64_t wall_ns)
{
	return wall_ns < BUILT_AFTER_NS;
}
