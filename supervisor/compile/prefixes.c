/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/compile/prefixes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

#define PREFIXES_MAX (4U << 20)

int prefixes_add(struct prefixes *p, const struct prefix *item)
{
	size_t want = p->capacity ? p->capacity + p->capacity / 2 : 64;
	struct prefix *grown;

	if (p->count == p->capacity) {
		if (p->count >= PREFIXES_MAX)
			return -E2BIG;
		grown = reallocarray(p->items, want, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->items = grown;
		p->capacity = want;
	}
	p->items[p->count++] = *item;
	return 0;
}

/* The wider one first where they begin together. */
static int compare(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int r = x->addr.family - y->addr.family;

	if (r == 0)
		r = memcmp(x->addr.b, y->addr.b, sizeof(x->addr.b));
	return r ? r : x->len - y->len;
}

/* The number of a prefix's first bit in its 16 bytes. */
static unsigned int first_bit(const struct prefix *p)
{
	return p->addr.family == 4 ? 96 : 0;
}

static bool bit_at(const struct addr *a, unsigned int bit)
{
	return a->b[bit / 8] >> (7 - bit % 8) & 1;
}

/* Do the first @bits of the 16 bytes agree? */
static bool same_bits(const struct addr *a, const struct addr *b,
		      unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (memcmp(a->b, b->b, bits / 8) != 0)
		return false;
	return rest == 0 ||
	       ((a->b[bits / 8] ^ b->b[bits / 8]) & 0xff00 >> rest & 0xff) == 0;
}

static bool contains(const struct prefix *outer, const struct prefix *p)
{
	return outer->addr.family == p->addr.family && outer->len <= p->len &&
	       same_bits(&outer->addr, &p->addr, first_bit(p) + outer->len);
}

static bool are_halves(const struct prefix *a, const struct prefix *b)
{
	return a->addr.family == b->addr.family && a->len == b->len &&
	       a->len > 0 &&
	       same_bits(&a->addr, &b->addr, first_bit(a) + a->len - 1) &&
	       !bit_at(&a->addr, first_bit(a) + a->len - 1);
}

static bool is_sorted(const struct prefixes *p)
{
	for (size_t i = 1; i < p->count; i++)
		if (compare(&p->items[i - 1], &p->items[i]) > 0)
			return false;
	return true;
}

void prefixes_settle(struct prefixes *p)
{
	size_t n = 0;

	if (!is_sorted(p))
		qsort(p->items, p->count, sizeof(*p->items), compare);
	for (size_t i = 0; i < p->count; i++) {
		if (n > 0 && contains(&p->items[n - 1], &p->items[i]))
			continue;
		p->items[n++] = p->items[i];
		while (n > 1 &&
		       are_halves(&p->items[n - 2], &p->items[n - 1])) {
			n--;
			p->items[n - 1].len--;
		}
	}
	p->count = n;
}

/* What of @whole is in none of the sorted @from[0..@count). */
static int gaps(struct prefixes *out, const struct prefix *whole,
		const struct prefix *from, size_t count)
{
	unsigned int bit = first_bit(whole) + whole->len;
	struct prefix half = *whole;
	size_t split = 0;
	int r;

	if (count == 0)
		return prefixes_add(out, whole);
	if (from[0].len <= whole->len)
		return 0; /* it is all of it */
	while (split < count && !bit_at(&from[split].addr, bit))
		split++;
	half.len++;
	r = gaps(out, &half, from, split);
	if (r < 0)
		return r;
	half.addr.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return gaps(out, &half, from + split, count - split);
}

int prefixes_invert(struct prefixes *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct prefix all4 = { .addr.family = 4 }, all6 = { .addr.family = 6 };
	struct prefixes out = { .count = 0 };
	size_t v4 = 0;
	int r;

	memcpy(all4.addr.b, mapped, sizeof(mapped));
	prefixes_settle(p);
	while (v4 < p->count && p->items[v4].addr.family == 4)
		v4++;
	r = gaps(&out, &all4, p->items, v4);
	if (r == 0)
		r = gaps(&out, &all6, p->items + v4, p->count - v4);
	if (r < 0) {
		prefixes_clear(&out);
		return r;
	}
	SWAP(*p, out);
	prefixes_clear(&out);
	return 0;
}

void prefixes_clear(struct prefixes *p)
{
	free(p->items);
	*p = (struct prefixes){ .count = 0 };
}
