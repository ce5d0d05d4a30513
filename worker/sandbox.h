/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of the system for a worker: a list of calls for each role. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/confine.h"
#include "common/msg.h"

/* The rows of a role, or NULL. */
const struct confine_rule *sandbox_rules(enum worker_role role, size_t *ret_n);
/* As confine_filter() of them; -EINVAL also for a role without rows. */
int sandbox_filter(enum worker_role role, uint32_t otherwise,
		   struct sock_filter *ret);
/* As confine_enter(). */
int sandbox_enter(enum worker_role role, struct confine_report *ret);
