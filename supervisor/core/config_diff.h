/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reload would change, for people: two configurations compared. Secrets
 * do not get in: of a node's link only the scheme is told. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config.h"

enum diff_what {
	DIFF_RULE,
	DIFF_FALLBACK,
	DIFF_GROUP,
	DIFF_NODE,
	DIFF_KEY, /* of global or supervisor */
	DIFF_MONITOR,
	DIFF_UPSTREAM,
	DIFF_SUBSCRIPTION,
	DIFF_WHAT_COUNT
};

enum diff_how {
	DIFF_ADDED,
	DIFF_REMOVED,
	DIFF_CHANGED,
	DIFF_MOVED,
	DIFF_HOW_COUNT
};

struct diff_entry {
	enum diff_what what;
	enum diff_how how;
	char *name;   /* of a group, node, key; the text of a rule */
	char *detail; /* "fallback -> min, + a, - b"; NULL: nothing more */
	char *file;   /* where it is, or was; NULL: nowhere in particular */
	uint32_t line;
};

struct config_diff {
	struct diff_entry *entries; /* rules first, in their order */
	size_t count, cap;
	bool has_failed; /* no memory: the list is not whole */
};

/* 0 or -ENOMEM. Free with config_diff_clear() in both cases. */
int config_diff_make(struct config_diff *ret, const struct config *old,
		     const struct config *new);
void config_diff_clear(struct config_diff *d);
const char *diff_what_name(enum diff_what w);
const char *diff_how_name(enum diff_how h);

/* A number for all that makes @r this rule: equal ones do the same. */
uint64_t config_rule_identity(const struct config *c,
			      const struct config_rule *r);

/* For the parts of the comparison. @detail may be NULL; @c and @pos: where. */
void config_diff_add(struct config_diff *d, const struct diff_entry *what,
		     const struct config *c, const struct config_pos *pos);
void config_diff_keys(struct config_diff *d, const struct config *old,
		      const struct config *new);
void config_diff_rules(struct config_diff *d, const struct config *old,
		       const struct config *new);
