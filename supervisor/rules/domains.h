/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions on names: by number of set, no name in sight. */
#pragma once

#include "supervisor/rules/rules.h"

struct domains { /* as in the image, no two alike */
	struct dae_domain *items;
	uint32_t count, capacity;
};

/* @cond of @rule, which @sets numbers. -EOVERFLOW, -ENOMEM. */
int domains_add(struct domains *d, const struct rules_domain_sets *sets,
		uint16_t rule, const struct rule_cond *cond);
/* Take from @rules those that want a name in some set. */
void domains_miss(const struct domains *d, struct dae_bitmap *rules);
void domains_clear(struct domains *d);
/* Fill @e for an error of rules_compile(); returns @r. */
int rules_fail(struct rules_error *e, const struct config_pos *pos, int r);
