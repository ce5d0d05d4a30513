/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recycle policy by key and text, as the configuration spells it. */
#pragma once

#include <stddef.h>

#include "supervisor/config/config_supervisor.h"

#define CTL_POLICY_TEXT 32

/* The @i-th key, NULL after the last. */
const char *ctl_policy_key(size_t i);
/* Its value as text ("64M", "30s"); returns @buf (CTL_POLICY_TEXT bytes). */
const char *ctl_policy_format(const struct recycle_policy *p, size_t i,
			      char *buf);
/* -ENOENT: no such key; -EINVAL, -ERANGE: no such value, *p is unchanged. */
int ctl_policy_set(struct recycle_policy *p, const char *key,
		   const char *value);
/* 0, or -EINVAL with one line in @why: limits that contradict each other. */
int ctl_policy_check(const struct recycle_policy *p, char *why, size_t cap);
