/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many flows each rule has decided since this process began. The kernel
 * counts by generation; here it is carried over to rules that stayed.
 */
#pragma once

#include "supervisor/ctl/ctl.h"

struct config;
struct supervisor;

/* After a reload: @old was in force, s->config is. Without memory the counts
 * begin anew. */
void rule_counts_carry(struct supervisor *s, const struct config *old);
/* ctl_ops.rule_counts */
int rule_counts_read(void *ctx, uint64_t *ret, size_t count,
		     struct ctl_outcome *res);
