/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the table of learned names: for learned.c and learned_store.c. */
#pragma once

#include "supervisor/core/learned.h"

#define NONE UINT32_MAX

struct learned_sets {
	uint16_t count;
	uint16_t id[];
};

struct learned_name {
	char *text; /* NULL: free, chain leads to the next free one */
	struct learned_sets *now, *next; /* NULL: in none */
	uint32_t first;			 /* pair */
	uint32_t chain;
	uint32_t has_next; /* the next rules have looked at it */
	uint32_t zero;
};

struct learned_addr {
	struct addr addr; /* family 0: free */
	uint32_t first;	  /* pair */
	uint32_t chain;
};

struct learned_pair {
	uint64_t expiry_ns;
	uint32_t name, addr; /* name NONE: free */
	uint32_t next_of_name, next_of_addr;
	uint32_t pos; /* in the heap; of a free one: the next free */
};

/* A pair with a name and an address of its own takes some 170 bytes. */
_Static_assert(sizeof(struct learned_name) == 40, "count again");
_Static_assert(sizeof(struct learned_addr) == 28, "count again");
_Static_assert(sizeof(struct learned_pair) == 32, "count again");

/* Things by number; freed numbers are given out again. */
struct learned_slab {
	void *items;
	uint32_t count, capacity, free_first, used;
	size_t size;
};

struct learned_hash {
	uint32_t *first; /* of a chain */
	uint32_t mask;
};

struct learned {
	struct learned_slab names, addrs, pairs;
	struct learned_hash by_text, by_addr;
	uint32_t *heap; /* of pairs, by expiry */
	uint32_t heap_capacity;
	uint32_t max_pairs;
	uint64_t seed;
	uint64_t learned, expired, evicted;
	learned_changed changed;
	void *arg;
};

static inline struct learned_name *learned_name_at(const struct learned *l,
						   uint32_t i)
{
	return &((struct learned_name *)l->names.items)[i];
}

static inline struct learned_addr *learned_addr_at(const struct learned *l,
						   uint32_t i)
{
	return &((struct learned_addr *)l->addrs.items)[i];
}

static inline struct learned_pair *learned_pair_at(const struct learned *l,
						   uint32_t i)
{
	return &((struct learned_pair *)l->pairs.items)[i];
}

/* The number, or NONE. */
uint32_t learned_find_name(const struct learned *l, const char *text);
uint32_t learned_find_addr(const struct learned *l, const struct addr *a);
uint32_t learned_find_pair(const struct learned *l, uint32_t name,
			   uint32_t addr);
/* There afterwards, with no pair yet if new. NONE: out of memory. */
uint32_t learned_get_name(struct learned *l, const char *text);
uint32_t learned_get_addr(struct learned *l, const struct addr *a);
/* A new pair. -ENOMEM: nothing changed. */
int learned_join(struct learned *l, uint32_t name, uint32_t addr,
		 uint64_t expiry_ns);
void learned_move(struct learned *l, uint32_t pair, uint64_t expiry_ns);
/* Take the pair out, and its name and address if it was their last. */
void learned_part(struct learned *l, uint32_t pair);
/* Those that no pair holds. */
void learned_drop_idle(struct learned *l, uint32_t name, uint32_t addr);
void learned_clear(struct learned *l);
