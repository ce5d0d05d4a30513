/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only place that reads a clock; everything else is told the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_mono_ns(void);
/* Since the machine was started, time asleep included. */
uint64_t clock_boot_ns(void);
/* Unix time in nanoseconds. */
uint64_t clock_wall_ns(void);
/* True while the wall clock is evidently not set: before this build. */
bool clock_is_unset(uint64_t wall_ns);
