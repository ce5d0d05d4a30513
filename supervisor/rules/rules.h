/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routing section compiled to a rule image (common/ruleset.h). Negation, OR
 * lists, l4proto and ipversion fold into the tables; a list of any length
 * counts as one condition. Names of destinations are sets of names by number:
 * who matches names numbers them the same way. Geo data must have been turned
 * into plain values; a value of dip or sip that still names some never matches.
 * Pure: no clock, no log, no descriptor.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/ruleset.h"
#include "supervisor/config/config_routing.h"

struct rules_options {
	/* config.groups index -> stable id below RULESET_GROUPS_MAX */
	const uint16_t *group_ids;
	size_t group_count;
};

struct rules_error {
	struct config_pos pos; /* of the rule; line 0: none */
	char text[160];
};

struct rules_image {
	void *data; /* 8-byte aligned, freed by rules_image_free() */
	size_t len;
};

/*
 * The sets of names that rules ask for: one for each domain condition, those
 * whose values are equal share it, numbered in the order of the rules; a pure
 * function of the values (their keys and texts), so the matcher of names and
 * the compiler must be given the same ones. Points into @routing.
 */
struct rules_domain_sets {
	const struct rule_cond **conds; /* by set; negate is to be ignored */
	size_t count;			/* at most DAE_DOMAIN_SETS_MAX */
};

/* -EDOM: too many, *ret_err says where; -ENOMEM. */
int rules_domain_sets(const struct config_routing *routing,
		      struct rules_domain_sets *ret,
		      struct rules_error *ret_err);
/* The set of a domain condition, -ENOENT. */
int rules_domain_set_of(const struct rules_domain_sets *sets,
			const struct rule_cond *cond);
void rules_domain_sets_clear(struct rules_domain_sets *sets);

/*
 * 0; -E2BIG more than DAE_RULES_MAX rules, -EDOM too many sets of names,
 * -EOVERFLOW more classes or table
 * rows than the format holds, -EINVAL a group without id or a bad value,
 * -ENOMEM. The image passes ruleset_open(). *ret_err is filled on error only.
 */
int rules_compile(const struct config_routing *routing,
		  const struct rules_options *opt, struct rules_image *ret,
		  struct rules_error *ret_err);
void rules_image_free(struct rules_image *img);

/*
 * Stable ids by name: @names[i] keeps the id it had in *map, new names take
 * ids that no name of @map or @names holds while there are any, then the
 * longest unused. Ids are 0..RULESET_GROUPS_MAX-1. -E2BIG.
 */
struct rules_id_map {
	char *names[RULESET_GROUPS_MAX];      /* by id; NULL: free */
	uint32_t retired[RULESET_GROUPS_MAX]; /* epoch of last use */
	uint32_t epoch;
};

int rules_id_assign(struct rules_id_map *map, const char *const *names,
		    size_t count, uint16_t *ret_ids);
void rules_id_map_clear(struct rules_id_map *map);
