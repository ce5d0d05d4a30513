/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/learned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/core/learned_private.h"

int learned_new(struct learned **ret, uint32_t max_pairs, uint64_t seed,
		learned_changed changed, void *arg)
{
	struct learned *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->names = (struct learned_slab){ .size = sizeof(struct learned_name) };
	l->addrs = (struct learned_slab){ .size = sizeof(struct learned_addr) };
	l->pairs = (struct learned_slab){ .size = sizeof(struct learned_pair) };
	l->names.free_first = l->addrs.free_first = NONE;
	l->pairs.free_first = NONE;
	l->max_pairs = MIN(MAX(max_pairs, 1U), (uint32_t)LEARNED_PAIRS_MAX);
	l->seed = seed;
	l->changed = changed;
	l->arg = arg;
	*ret = l;
	return 0;
}

void learned_free(struct learned **l)
{
	if (!*l)
		return;
	learned_clear(*l);
	free(*l);
	*l = NULL;
}

/* Bytes that a name in text has, and no other: it is shown to people. */
static bool is_name(const char *s)
{
	size_t len = strnlen(s, LEARNED_NAME_MAX + 1), i;

	if (len == 0 || len > LEARNED_NAME_MAX)
		return false;
	for (i = 0; i < len; i++)
		if ((s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') &&
		    s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	return s[0] != '.' && s[len - 1] != '.';
}

int learned_check(const struct learned_record *r, uint32_t set_count)
{
	uint32_t i;

	if ((r->addr.family != 4 && r->addr.family != 6) ||
	    addr_is_special(&r->addr) || !is_name(r->name) || r->ttl_s == 0 ||
	    r->ttl_s > LEARNED_TTL_MAX_S)
		return -EINVAL;
	for (i = set_count; i < DAE_DOMAIN_SETS_MAX; i++)
		if (r->sets.w[i / 64] >> i % 64 & 1)
			return -EINVAL;
	return 0;
}

/* The numbers of the sets; NULL with 0 returned: in none. */
static int pack(const struct dae_bitmap *b, struct learned_sets **ret)
{
	struct learned_sets *s;
	uint16_t count = 0, i;

	*ret = NULL;
	for (i = 0; i < DAE_BITMAP_WORDS; i++)
		count += (uint16_t)dae_popcount(b->w[i]);
	if (!count)
		return 0;
	s = malloc(sizeof(*s) + count * sizeof(s->id[0]));
	if (!s)
		return -ENOMEM;
	s->count = 0;
	for (i = 0; i < DAE_DOMAIN_SETS_MAX; i++)
		if (b->w[i / 64] >> i % 64 & 1)
			s->id[s->count++] = i;
	*ret = s;
	return 0;
}

static bool is_same(const struct learned_sets *a, const struct learned_sets *b)
{
	if (!a || !b)
		return a == b;
	return a->count == b->count &&
	       memcmp(a->id, b->id, a->count * sizeof(a->id[0])) == 0;
}

static void unite(const struct learned *l, uint32_t addr, bool next,
		  struct dae_bitmap *ret)
{
	const struct learned_name *n;
	const struct learned_sets *s;
	uint32_t p = learned_addr_at(l, addr)->first;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	for (; p != NONE; p = learned_pair_at(l, p)->next_of_addr) {
		n = learned_name_at(l, learned_pair_at(l, p)->name);
		s = next ? n->next : n->now;
		for (i = 0; s && i < s->count; i++)
			ret->w[s->id[i] / 64] |= 1ULL << s->id[i] % 64;
	}
}

static void tell(const struct learned *l, uint32_t addr)
{
	struct dae_bitmap sets;

	unite(l, addr, false, &sets);
	l->changed(l->arg, &learned_addr_at(l, addr)->addr, &sets);
}

/* Take the pair out and say what is left of its address. */
static void forget(struct learned *l, uint32_t pair)
{
	uint32_t i = learned_pair_at(l, pair)->addr;
	struct addr a = learned_addr_at(l, i)->addr;

	learned_part(l, pair);
	if (learned_addr_at(l, i)->addr.family)
		tell(l, i);
	else
		l->changed(l->arg, &a, NULL);
}

/* The name's sets; its other addresses are told if they are new. */
static void set_sets(struct learned *l, uint32_t name, struct learned_sets *s)
{
	struct learned_name *n = learned_name_at(l, name);
	bool was_same = is_same(n->now, s);
	uint32_t p;

	free(n->now);
	n->now = s;
	for (p = n->first; !was_same && p != NONE;
	     p = learned_pair_at(l, p)->next_of_name)
		tell(l, learned_pair_at(l, p)->addr);
}

/* The pair that goes first, or the next if that is @pair. */
static uint32_t soonest_but(const struct learned *l, uint32_t pair)
{
	uint32_t a = l->heap[0], b;

	if (a != pair)
		return a;
	a = l->heap[1];
	b = l->pairs.used > 2 ? l->heap[2] : a;
	return learned_pair_at(l, b)->expiry_ns <
			       learned_pair_at(l, a)->expiry_ns
		       ? b
		       : a;
}

int learned_add(struct learned *l, const struct learned_record *r,
		uint64_t now_ns)
{
	uint64_t expiry_ns = now_ns + r->ttl_s * NS_PER_S;
	struct learned_sets *sets;
	uint32_t name, addr = NONE, pair;

	if (pack(&r->sets, &sets) < 0)
		return -ENOMEM;
	name = learned_get_name(l, r->name);
	if (name != NONE)
		addr = learned_get_addr(l, &r->addr);
	if (addr == NONE)
		goto nomem;
	l->learned++;
	set_sets(l, name, sets);
	pair = learned_find_pair(l, name, addr);
	if (pair != NONE) {
		if (learned_pair_at(l, pair)->expiry_ns < expiry_ns)
			learned_move(l, pair, expiry_ns);
		return 0;
	}
	if (learned_join(l, name, addr, expiry_ns) < 0) {
		learned_drop_idle(l, name, addr);
		return -ENOMEM;
	}
	tell(l, addr);
	if (l->pairs.used > l->max_pairs) {
		l->evicted++;
		forget(l, soonest_but(l, learned_find_pair(l, name, addr)));
	}
	return 0;
nomem:
	free(sets);
	learned_drop_idle(l, name, addr);
	return -ENOMEM;
}

void learned_expire(struct learned *l, uint64_t now_ns)
{
	while (learned_next_ns(l) <= now_ns) {
		l->expired++;
		forget(l, l->heap[0]);
	}
}

uint64_t learned_next_ns(const struct learned *l)
{
	return l->pairs.used ? learned_pair_at(l, l->heap[0])->expiry_ns
			     : UINT64_MAX;
}

size_t learned_forget_name(struct learned *l, const char *name)
{
	uint32_t i = learned_find_name(l, name), p, next;
	size_t count = 0;

	if (i == NONE)
		return 0;
	for (p = learned_name_at(l, i)->first; p != NONE; p = next, count++) {
		next = learned_pair_at(l, p)->next_of_name;
		forget(l, p);
	}
	return count;
}

size_t learned_forget_addr(struct learned *l, const struct addr *a)
{
	uint32_t i = learned_find_addr(l, a), p, next;
	size_t count = 0;

	if (i == NONE)
		return 0;
	for (p = learned_addr_at(l, i)->first; p != NONE; p = next, count++) {
		next = learned_pair_at(l, p)->next_of_addr;
		learned_part(l, p);
	}
	l->changed(l->arg, a, NULL);
	return count;
}

bool learned_sets(const struct learned *l, const struct addr *a,
		  struct dae_bitmap *ret)
{
	uint32_t i = learned_find_addr(l, a);

	if (i == NONE)
		return false;
	unite(l, i, false, ret);
	return true;
}

bool learned_next(const struct learned *l, uint32_t *cursor,
		  struct learned_view *ret)
{
	const struct learned_pair *p;
	const struct learned_name *n;

	for (; *cursor < l->pairs.count; (*cursor)++) {
		p = learned_pair_at(l, *cursor);
		if (p->name == NONE)
			continue;
		n = learned_name_at(l, p->name);
		*ret = (struct learned_view){
			.name = n->text,
			.addr = learned_addr_at(l, p->addr)->addr,
			.expiry_ns = p->expiry_ns,
			.set_count = n->now ? n->now->count : 0,
		};
		(*cursor)++;
		return true;
	}
	return false;
}

struct learned_counts learned_count(const struct learned *l)
{
	return (struct learned_counts){
		.names = l->names.used,
		.addrs = l->addrs.used,
		.pairs = l->pairs.used,
		.learned = l->learned,
		.expired = l->expired,
		.evicted = l->evicted,
	};
}

const char *learned_name(const struct learned *l, uint32_t *cursor)
{
	const char *text;

	while (*cursor < l->names.count) {
		text = learned_name_at(l, (*cursor)++)->text;
		if (text)
			return text;
	}
	return NULL;
}

int learned_set_next(struct learned *l, const char *name,
		     const struct dae_bitmap *sets)
{
	uint32_t id = learned_find_name(l, name);
	struct learned_name *n;
	struct learned_sets *s;

	if (id == NONE)
		return -ENOENT;
	if (pack(sets, &s) < 0)
		return -ENOMEM;
	n = learned_name_at(l, id);
	free(n->next);
	n->next = s;
	n->has_next = 1;
	return 0;
}

void learned_fill(const struct learned *l, bool next, learned_changed to,
		  void *arg)
{
	struct dae_bitmap sets;
	uint32_t i;

	for (i = 0; i < l->addrs.count; i++) {
		if (!learned_addr_at(l, i)->addr.family)
			continue;
		unite(l, i, next, &sets);
		to(arg, &learned_addr_at(l, i)->addr, &sets);
	}
}

void learned_take_next(struct learned *l)
{
	struct learned_name *n;
	uint32_t i;

	for (i = 0; i < l->names.count; i++) {
		n = learned_name_at(l, i);
		if (n->text && !n->has_next) {
			learned_forget_name(l, n->text);
			continue;
		}
		SWAP(n->now, n->next);
	}
	learned_drop_next(l);
}

void learned_drop_next(struct learned *l)
{
	struct learned_name *n;
	uint32_t i;

	for (i = 0; i < l->names.count; i++) {
		n = learned_name_at(l, i);
		free(n->next);
		n->next = NULL;
		n->has_next = 0;
	}
}
