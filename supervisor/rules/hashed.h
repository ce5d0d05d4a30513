/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dimensions of single values, MAC addresses and process names, as hash tables
 * whose multiplier is chosen so that no bucket overflows. */
#pragma once

#include "supervisor/rules/image.h"
#include "supervisor/rules/sweep.h"

/* -EOVERFLOW: more values than fit; -ENOMEM. */
int hashed_build_macs(struct tables *t, struct sweep *s,
		      const struct dae_bitmap *all);
int hashed_build_pnames(struct tables *t, struct sweep *s,
			const struct dae_bitmap *all);
/* The name as a number: its first 16 bytes as they lie in memory. */
sweep_value hashed_pname(const char *text);
