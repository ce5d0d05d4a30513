/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names in force: what was learned (core/learned.h) and the kernel's table
 * of it. Whoever feeds it says which sets of the rules in force a name is in;
 * nobody here matches names.
 */
#pragma once

#include "common/ruleset.h"
#include "supervisor/core/learned.h"
#include "supervisor/datapath/datapath.h"

struct learn;

struct learn_status {
	uint32_t rules; /* that ask for names */
	struct learned_counts table;
	struct datapath_domains kernel;
};

/* Copies of all names that are known. */
struct learn_list {
	char *text;
	const char **names;
	size_t count;
};

int learn_new(struct learn **ret);
/* Accepts NULL, sets *l to NULL. */
void learn_free(struct learn **l);

/*
 * New rules: all names get the sets that they are in by these, learn_fill() of
 * the loaded generation, then either learn_use() or learn_stay(). Until then the
 * old rules count.
 */
int learn_list_names(const struct learn *l, struct learn_list *ret);
void learn_list_clear(struct learn_list *list);
/* The sets of each name of the list; NULL: no rule asks for any. -ENOMEM. */
int learn_prepare(struct learn *l, const struct learn_list *list,
		  const struct dae_bitmap *sets);
void learn_fill(struct learn *l, struct datapath *dp);
void learn_stay(struct learn *l);
/* @dp is borrowed; NULL: no kernel is to be told. */
void learn_use(struct learn *l, const struct ruleset *rules,
	       struct datapath *dp);
/* The datapath goes away. */
void learn_leave(struct learn *l);

/* -EINVAL by learned_check(), -ENOMEM. What the kernel has no room for is
 * counted and not an error: the address is then as if not learned. */
int learn_record(struct learn *l, const struct learned_record *r,
		 uint64_t now_ns);
/* A name or an address. How many pairs were forgotten; -EINVAL: neither. */
int learn_forget(struct learn *l, const char *what);
void learn_expire(struct learn *l, uint64_t now_ns);
const struct learned *learn_table(const struct learn *l);
void learn_read_status(const struct learn *l, struct learn_status *ret);
