/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rules/sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

/* Room for one element more in an array of @size bytes each. */
static int reserve(void **items, size_t count, size_t *capacity, size_t size)
{
	size_t want;
	void *p;

	if (count < *capacity)
		return 0;
	want = *capacity ? *capacity * 2 : 64;
	p = reallocarray(*items, want, size);
	if (!p)
		return -ENOMEM;
	*items = p;
	*capacity = want;
	return 0;
}

int sweep_literal(struct sweep *s, uint16_t rule, bool negate)
{
	int r;

	r = reserve((void **)&s->literals, s->literal_count,
		    &s->literal_capacity, sizeof(*s->literals));
	if (r < 0)
		return r;
	s->literals[s->literal_count] = (struct sweep_literal){
		.rule = rule,
		.negate = negate,
	};
	return (int)s->literal_count++;
}

static int add_event(struct sweep *s, int literal, sweep_value at, int step)
{
	int r;

	r = reserve((void **)&s->events, s->count, &s->capacity,
		    sizeof(*s->events));
	if (r < 0)
		return r;
	s->events[s->count++] = (struct sweep_event){
		.at = at,
		.literal = (uint32_t)literal,
		.step = step,
	};
	return 0;
}

int sweep_range(struct sweep *s, int literal, sweep_value first,
		sweep_value last)
{
	int r;

	r = add_event(s, literal, first, 1);
	if (r < 0 || last + 1 == 0) /* the last value of all: never ends */
		return r;
	return add_event(s, literal, last + 1, -1);
}

static int compare_events(const void *a, const void *b)
{
	const struct sweep_event *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Conditions of each rule that do not hold at the current value. */
struct state {
	uint32_t broken[DAE_RULES_MAX];
	struct dae_bitmap bits;
};

static void set_broken(struct state *st, const struct dae_bitmap *base,
		       uint16_t rule, int step)
{
	uint64_t bit = 1ULL << rule % 64;

	st->broken[rule] += (uint32_t)step;
	if (st->broken[rule] == 0)
		st->bits.w[rule / 64] |= bit & base->w[rule / 64];
	else
		st->bits.w[rule / 64] &= ~bit;
}

static void apply_event(struct sweep *s, struct state *st,
			const struct dae_bitmap *base,
			const struct sweep_event *e)
{
	struct sweep_literal *l = &s->literals[e->literal];
	bool was = l->depth > 0;

	l->depth += (uint32_t)e->step;
	if (was != (l->depth > 0))
		set_broken(st, base, l->rule, was == l->negate ? -1 : 1);
}

static int add_interval(struct intervals *v, sweep_value start, uint32_t id)
{
	int r;

	if (v->count && v->items[v->count - 1].class_id == id)
		return 0;
	r = reserve((void **)&v->items, v->count, &v->capacity,
		    sizeof(*v->items));
	if (r < 0)
		return r;
	v->items[v->count++] = (struct interval){
		.start = start,
		.class_id = id,
	};
	return 0;
}

int sweep_run(struct sweep *s, const struct dae_bitmap *base,
	      struct classes *classes, struct intervals *ret)
{
	auto_free struct state *st = calloc(1, sizeof(*st));
	sweep_value at = 0;
	uint32_t id;
	size_t i;
	int r;

	if (!st)
		return -ENOMEM;
	st->bits = *base;
	for (i = 0; i < s->literal_count; i++) {
		s->literals[i].depth = 0;
		if (!s->literals[i].negate)
			set_broken(st, base, s->literals[i].rule, 1);
	}
	if (s->count)
		qsort(s->events, s->count, sizeof(*s->events), compare_events);
	for (i = 0;;) {
		for (; i < s->count && s->events[i].at == at; i++)
			apply_event(s, st, base, &s->events[i]);
		r = classes_intern(classes, &st->bits, &id);
		if (r == 0)
			r = add_interval(ret, at, id);
		if (r < 0 || i == s->count)
			return r;
		at = s->events[i].at;
	}
}

void sweep_clear(struct sweep *s)
{
	free(s->events);
	free(s->literals);
	*s = (struct sweep){ 0 };
}

void intervals_clear(struct intervals *v)
{
	free(v->items);
	*v = (struct intervals){ 0 };
}
