/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which names own which addresses, for how long, and in which sets of the
 * rules the names are. An address has many names, a name many addresses; what
 * counts for an address is all sets of all names that own it now. Bounded: the
 * pair that would go first is thrown out for a new one; memory follows what is
 * held. Names are labels here: nobody parses or matches them. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/ruleset_format.h"

#define LEARNED_NAME_MAX 253
#define LEARNED_PAIRS_MAX 65536
#define LEARNED_TTL_MAX_S (7U * 86400)

struct learned; /* opaque */

/* What somebody who resolves names tells: one address of one name. Of a fixed
 * size; learned_check() comes before any use. */
struct learned_record {
	struct addr addr;
	char name[LEARNED_NAME_MAX + 1]; /* lower case, no dot at its end */
	uint32_t ttl_s;			 /* 1 .. LEARNED_TTL_MAX_S */
	struct dae_bitmap sets;		 /* that the name is in */
};

/* An address has these sets from now on; NULL: no name of it is left. */
typedef void (*learned_changed)(void *arg, const struct addr *a,
				const struct dae_bitmap *sets);

struct learned_view {
	const char *name;
	struct addr addr;
	uint64_t expiry_ns;
	size_t set_count; /* that the name is in */
};

struct learned_counts {
	uint32_t names, addrs, pairs;
	uint64_t learned; /* records taken */
	uint64_t expired, evicted;
};

/* At most @max_pairs at a time, 1 .. LEARNED_PAIRS_MAX; @seed is secret. */
int learned_new(struct learned **ret, uint32_t max_pairs, uint64_t seed,
		learned_changed changed, void *arg);
/* Accepts NULL, sets *l to NULL. */
void learned_free(struct learned **l);

/*
 * -EINVAL: an address nobody is to be sent to by a name, a name that is none, a
 * ttl out of bounds, or a set beyond the @set_count that the rules have.
 */
int learned_check(const struct learned_record *r, uint32_t set_count);
/* A checked record; known pairs live on until the later of both times. The
 * name's sets are those of @r now, for all its addresses. -ENOMEM. */
int learned_add(struct learned *l, const struct learned_record *r,
		uint64_t now_ns);
void learned_expire(struct learned *l, uint64_t now_ns);
/* When learned_expire() has something to do, UINT64_MAX: never. */
uint64_t learned_next_ns(const struct learned *l);
/* How many pairs were forgotten. */
size_t learned_forget_name(struct learned *l, const char *name);
size_t learned_forget_addr(struct learned *l, const struct addr *a);

/* All sets of all its names; false: it has none. */
bool learned_sets(const struct learned *l, const struct addr *a,
		  struct dae_bitmap *ret);
/* The pair at or after *cursor, which moves on. False: that were all. */
bool learned_next(const struct learned *l, uint32_t *cursor,
		  struct learned_view *ret);
struct learned_counts learned_count(const struct learned *l);

/*
 * New rules number their sets anew. Walk all names (the cursor begins at 0),
 * give each its new sets, fill what is loaded; then take them, or drop them
 * because the rules did not come into force. Until then the old ones count. A
 * name that was given none when they are taken is forgotten.
 */
const char *learned_name(const struct learned *l, uint32_t *cursor);
/* -ENOENT: no such name any more; -ENOMEM. */
int learned_set_next(struct learned *l, const char *name,
		     const struct dae_bitmap *sets);
/* Tell every address, with the old or the new sets. */
void learned_fill(const struct learned *l, bool next, learned_changed to,
		  void *arg);
void learned_take_next(struct learned *l);
void learned_drop_next(struct learned *l);
