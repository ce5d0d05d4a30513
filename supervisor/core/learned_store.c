/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, addresses and pairs: storage, look-up, order by expiry. */
#include "supervisor/core/learned_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define FIRST_CAPACITY 64

/* Room for one more, so that slab_take() cannot fail. */
static int slab_reserve(struct learned_slab *s)
{
	uint32_t want;
	void *p;

	if (s->used < s->capacity)
		return 0;
	want = s->capacity ? s->capacity * 2 : FIRST_CAPACITY;
	p = reallocarray(s->items, want, s->size);
	if (!p)
		return -ENOMEM;
	s->items = p;
	s->capacity = want;
	return 0;
}

/* @link: where a free item keeps the next free one. */
static uint32_t slab_take(struct learned_slab *s, size_t link)
{
	uint32_t i = s->free_first;
	char *item;

	s->used++;
	if (i == NONE)
		i = s->count++;
	item = (char *)s->items + i * s->size;
	if (s->free_first != NONE)
		memcpy(&s->free_first, item + link, sizeof(s->free_first));
	memset(item, 0, s->size);
	return i;
}

static void slab_give(struct learned_slab *s, uint32_t i, size_t link)
{
	char *item = (char *)s->items + i * s->size;

	memset(item, 0, s->size);
	memcpy(item + link, &s->free_first, sizeof(s->free_first));
	s->free_first = i;
	s->used--;
}

#define NAME_LINK offsetof(struct learned_name, chain)
#define ADDR_LINK offsetof(struct learned_addr, chain)
#define PAIR_LINK offsetof(struct learned_pair, pos)

static uint32_t hash_of_text(const struct learned *l, const char *text)
{
	return (uint32_t)hash_mix(hash_bytes(l->seed, text, strlen(text)));
}

static uint32_t hash_of_addr(const struct learned *l, const struct addr *a)
{
	return (uint32_t)hash_mix(hash_bytes(l->seed, a->b, sizeof(a->b)));
}

uint32_t learned_find_name(const struct learned *l, const char *text)
{
	uint32_t i;

	if (!l->by_text.first)
		return NONE;
	i = l->by_text.first[hash_of_text(l, text) & l->by_text.mask];
	while (i != NONE && strcmp(learned_name_at(l, i)->text, text) != 0)
		i = learned_name_at(l, i)->chain;
	return i;
}

uint32_t learned_find_addr(const struct learned *l, const struct addr *a)
{
	uint32_t i;

	if (!l->by_addr.first)
		return NONE;
	i = l->by_addr.first[hash_of_addr(l, a) & l->by_addr.mask];
	while (i != NONE && !addr_equal(&learned_addr_at(l, i)->addr, a))
		i = learned_addr_at(l, i)->chain;
	return i;
}

uint32_t learned_find_pair(const struct learned *l, uint32_t name,
			   uint32_t addr)
{
	uint32_t p = learned_name_at(l, name)->first;

	while (p != NONE && learned_pair_at(l, p)->addr != addr)
		p = learned_pair_at(l, p)->next_of_name;
	return p;
}

/* As many chains as there are items; false: the old ones stay, only longer. */
static bool hash_grow(struct learned_hash *h, uint32_t count)
{
	uint32_t want = h->first ? (h->mask + 1) * 2 : FIRST_CAPACITY;
	uint32_t *first;

	if (h->first && count <= h->mask + 1)
		return false;
	first = reallocarray(NULL, want, sizeof(*first));
	if (!first)
		return false;
	memset(first, 0xff, want * sizeof(*first));
	free(h->first);
	h->first = first;
	h->mask = want - 1;
	return true;
}

static void chain_name(struct learned *l, uint32_t i)
{
	struct learned_name *n = learned_name_at(l, i);
	uint32_t *first =
		&l->by_text.first[hash_of_text(l, n->text) & l->by_text.mask];

	n->chain = *first;
	*first = i;
}

static void chain_addr(struct learned *l, uint32_t i)
{
	struct learned_addr *a = learned_addr_at(l, i);
	uint32_t *first =
		&l->by_addr.first[hash_of_addr(l, &a->addr) & l->by_addr.mask];

	a->chain = *first;
	*first = i;
}

uint32_t learned_get_name(struct learned *l, const char *text)
{
	uint32_t i = learned_find_name(l, text), k;
	char *copy;

	if (i != NONE)
		return i;
	if (hash_grow(&l->by_text, l->names.used + 1))
		for (k = 0; k < l->names.count; k++)
			if (learned_name_at(l, k)->text)
				chain_name(l, k);
	copy = strdup(text);
	if (!l->by_text.first || !copy || slab_reserve(&l->names) < 0) {
		free(copy);
		return NONE;
	}
	i = slab_take(&l->names, NAME_LINK);
	learned_name_at(l, i)->text = copy;
	learned_name_at(l, i)->first = NONE;
	chain_name(l, i);
	return i;
}

uint32_t learned_get_addr(struct learned *l, const struct addr *a)
{
	uint32_t i = learned_find_addr(l, a), k;

	if (i != NONE)
		return i;
	if (hash_grow(&l->by_addr, l->addrs.used + 1))
		for (k = 0; k < l->addrs.count; k++)
			if (learned_addr_at(l, k)->addr.family)
				chain_addr(l, k);
	if (!l->by_addr.first || slab_reserve(&l->addrs) < 0)
		return NONE;
	i = slab_take(&l->addrs, ADDR_LINK);
	learned_addr_at(l, i)->addr = *a;
	learned_addr_at(l, i)->first = NONE;
	chain_addr(l, i);
	return i;
}

static void place(struct learned *l, uint32_t pos, uint32_t pair)
{
	l->heap[pos] = pair;
	learned_pair_at(l, pair)->pos = pos;
}

static bool is_before(const struct learned *l, uint32_t a, uint32_t b)
{
	return learned_pair_at(l, a)->expiry_ns <
	       learned_pair_at(l, b)->expiry_ns;
}

/* @pair stands at @pos of a heap of @count and may be out of order there. */
static void sift(struct learned *l, uint32_t pos, uint32_t count)
{
	uint32_t pair = l->heap[pos], child;

	while (pos > 0 && is_before(l, pair, l->heap[(pos - 1) / 2])) {
		place(l, pos, l->heap[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	while ((child = 2 * pos + 1) < count) {
		if (child + 1 < count &&
		    is_before(l, l->heap[child + 1], l->heap[child]))
			child++;
		if (!is_before(l, l->heap[child], pair))
			break;
		place(l, pos, l->heap[child]);
		pos = child;
	}
	place(l, pos, pair);
}

int learned_join(struct learned *l, uint32_t name, uint32_t addr,
		 uint64_t expiry_ns)
{
	uint32_t *heap, i;

	if (slab_reserve(&l->pairs) < 0)
		return -ENOMEM;
	if (l->heap_capacity < l->pairs.capacity) {
		heap = reallocarray(l->heap, l->pairs.capacity, sizeof(*heap));
		if (!heap)
			return -ENOMEM;
		l->heap = heap;
		l->heap_capacity = l->pairs.capacity;
	}
	i = slab_take(&l->pairs, PAIR_LINK);
	*learned_pair_at(l, i) = (struct learned_pair){
		.expiry_ns = expiry_ns,
		.name = name,
		.addr = addr,
		.next_of_name = learned_name_at(l, name)->first,
		.next_of_addr = learned_addr_at(l, addr)->first,
	};
	learned_name_at(l, name)->first = i;
	learned_addr_at(l, addr)->first = i;
	l->heap[l->pairs.used - 1] = i;
	sift(l, l->pairs.used - 1, l->pairs.used);
	return 0;
}

void learned_move(struct learned *l, uint32_t pair, uint64_t expiry_ns)
{
	learned_pair_at(l, pair)->expiry_ns = expiry_ns;
	sift(l, learned_pair_at(l, pair)->pos, l->pairs.used);
}

static void unchain_name(struct learned *l, uint32_t i)
{
	struct learned_name *n = learned_name_at(l, i);
	uint32_t *at =
		&l->by_text.first[hash_of_text(l, n->text) & l->by_text.mask];

	while (*at != i)
		at = &learned_name_at(l, *at)->chain;
	*at = n->chain;
	free(n->text);
	free(n->now);
	free(n->next);
	slab_give(&l->names, i, NAME_LINK);
}

static void unchain_addr(struct learned *l, uint32_t i)
{
	struct learned_addr *a = learned_addr_at(l, i);
	uint32_t *at =
		&l->by_addr.first[hash_of_addr(l, &a->addr) & l->by_addr.mask];

	while (*at != i)
		at = &learned_addr_at(l, *at)->chain;
	*at = a->chain;
	slab_give(&l->addrs, i, ADDR_LINK);
}

void learned_drop_idle(struct learned *l, uint32_t name, uint32_t addr)
{
	if (name != NONE && learned_name_at(l, name)->first == NONE)
		unchain_name(l, name);
	if (addr != NONE && learned_addr_at(l, addr)->first == NONE)
		unchain_addr(l, addr);
}

void learned_part(struct learned *l, uint32_t pair)
{
	struct learned_pair p = *learned_pair_at(l, pair);
	uint32_t *at = &learned_name_at(l, p.name)->first;
	uint32_t last = l->pairs.used - 1;

	while (*at != pair)
		at = &learned_pair_at(l, *at)->next_of_name;
	*at = p.next_of_name;
	at = &learned_addr_at(l, p.addr)->first;
	while (*at != pair)
		at = &learned_pair_at(l, *at)->next_of_addr;
	*at = p.next_of_addr;
	if (p.pos != last) {
		place(l, p.pos, l->heap[last]);
		sift(l, p.pos, last);
	}
	slab_give(&l->pairs, pair, PAIR_LINK);
	learned_pair_at(l, pair)->name = NONE;
	learned_drop_idle(l, p.name, p.addr);
}

void learned_clear(struct learned *l)
{
	uint32_t i;

	for (i = 0; i < l->names.count; i++) {
		free(learned_name_at(l, i)->text);
		free(learned_name_at(l, i)->now);
		free(learned_name_at(l, i)->next);
	}
	free(l->names.items);
	free(l->addrs.items);
	free(l->pairs.items);
	free(l->by_text.first);
	free(l->by_addr.first);
	free(l->heap);
}
