/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/datapath/host_ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 130 /* prefixes one in the other: 0 to 128, and none */

struct number {
	uint64_t high, low;
};

static int compare_numbers(struct number a, struct number b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return a.low < b.low ? -1 : a.low > b.low;
}

static struct number next(struct number n)
{
	return (struct number){ n.high + (n.low == UINT64_MAX), n.low + 1 };
}

static struct number before(struct number n)
{
	return (struct number){ n.high - (n.low == 0), n.low - 1 };
}

static struct number first_of(const struct host_route *r)
{
	return (struct number){ r->a[0], r->a[1] };
}

static struct number last_of(const struct host_route *r)
{
	unsigned int host_bits = (r->is_v6 ? 128U : 32U) - r->length;
	struct number n = first_of(r);

	if (host_bits >= 64) {
		n.low = UINT64_MAX;
		n.high |= host_bits == 128 ? UINT64_MAX
					   : (1ULL << (host_bits - 64)) - 1;
		return n;
	}
	n.low |= (1ULL << host_bits) - 1;
	return n;
}

/* Outer prefixes before those within, the best of equal ones first. */
static int compare_routes(const void *x, const void *y)
{
	const struct host_route *a = x, *b = y;
	int r = compare_numbers(first_of(a), first_of(b));

	if (r != 0)
		return r;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return a->metric < b->metric ? -1 : a->metric > b->metric;
}

struct sweep {
	const struct host_route *open[DEPTH_MAX]; /* the innermost last */
	size_t depth;
	struct number at; /* all before it is done */
	bool is_done;	  /* with the last address there is */
	struct dae_range *ret;
	size_t count, max;
};

static int add_range(struct sweep *s, struct number first, struct number last)
{
	struct dae_range *before_it = s->count ? &s->ret[s->count - 1] : NULL;

	if (before_it &&
	    compare_numbers(next((struct number){ before_it->last[0],
						  before_it->last[1] }),
			    first) == 0) {
		before_it->last[0] = last.high;
		before_it->last[1] = last.low;
		return 0;
	}
	if (s->count == s->max)
		return -E2BIG;
	s->ret[s->count++] = (struct dae_range){ { first.high, first.low },
						 { last.high, last.low } };
	return 0;
}

/* The innermost open prefix has all from s->at to @last. */
static int sweep_to(struct sweep *s, struct number last)
{
	const struct host_route *r = s->depth ? s->open[s->depth - 1] : NULL;
	struct number first = s->at;

	if (s->is_done || compare_numbers(first, last) > 0)
		return 0;
	s->at = next(last);
	s->is_done = !s->at.high && !s->at.low;
	return r && r->leaves ? add_range(s, first, last) : 0;
}

/* Close the prefixes that end before @first. */
static int close_until(struct sweep *s, struct number first)
{
	int r = 0;

	while (r == 0 && s->depth &&
	       compare_numbers(last_of(s->open[s->depth - 1]), first) < 0) {
		r = sweep_to(s, last_of(s->open[s->depth - 1]));
		s->depth--;
	}
	return r;
}

int host_ranges_make(struct host_route *routes, size_t count,
		     struct dae_range *ret, size_t max)
{
	struct sweep s = { .ret = ret, .max = max };
	const struct host_route *open;
	struct number first;
	size_t i;
	int r = 0;

	qsort(routes, count, sizeof(*routes), compare_routes);
	for (i = 0; r == 0 && i < count; i++) {
		first = first_of(&routes[i]);
		r = close_until(&s, first);
		open = s.depth ? s.open[s.depth - 1] : NULL;
		if (open && open->length == routes[i].length)
			continue; /* the same one, but worse */
		if (r == 0 && (first.high || first.low))
			r = sweep_to(&s, before(first));
		s.open[s.depth++] = &routes[i];
	}
	while (r == 0 && s.depth) {
		r = sweep_to(&s, last_of(s.open[s.depth - 1]));
		s.depth--;
	}
	return r < 0 ? r : (int)s.count;
}
