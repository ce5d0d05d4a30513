/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dry run found: the difference between what runs and what the file
 * says, and, walked for step by step, how many live flows would go another way.
 * Kept for a while under a number, so that the answer can come in pieces.
 */
#pragma once

#include <stdint.h>

#include "supervisor/ctl/ctl.h"

struct config;
struct kernel_plan;
struct reload_diff;
struct supervisor;

/* Compare *next, compiled as *plan, with what runs; takes both. 0 with
 * res->diff, or -errno. */
int reload_diff_make(struct supervisor *s, struct config **next,
		     struct kernel_plan **plan, struct ctl_outcome *res);
/* What runs has changed, or we end: the difference is of no use. */
void reload_diff_drop(struct supervisor *s);
/* ctl_ops.reload_diff */
int reload_diff_look(void *ctx, uint64_t id, bool walk,
		     struct ctl_reload_diff *ret, struct ctl_outcome *res);
