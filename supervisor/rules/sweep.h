/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dimension of the rules, swept from its lowest value to its highest: which
 * rules hold where. Values are 128-bit numbers; addresses stand at the top, so
 * that both families look alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ruleset_format.h"
#include "supervisor/rules/classes.h"

__extension__ typedef unsigned __int128 sweep_value;

struct sweep_event {
	sweep_value at;
	uint32_t literal;
	int32_t step; /* +1: a range of the literal begins, -1: ends */
};

/* One condition of one rule in this dimension. */
struct sweep_literal {
	uint16_t rule;
	bool negate;
	uint32_t depth; /* ranges that cover the current value */
};

struct sweep {
	struct sweep_event *events;
	size_t count, capacity;
	struct sweep_literal *literals;
	size_t literal_count, literal_capacity;
};

/* From @start on, up to the next interval's start, values have @class_id. */
struct interval {
	sweep_value start;
	uint32_t class_id;
};

struct intervals {
	struct interval *items; /* the first starts at 0 */
	size_t count, capacity;
};

/* A condition; its index is returned for sweep_range(). -ENOMEM. */
int sweep_literal(struct sweep *s, uint16_t rule, bool negate);
/* @first..@last belong to @literal; several may overlap. -ENOMEM. */
int sweep_range(struct sweep *s, int literal, sweep_value first,
		sweep_value last);
/*
 * Run over everything. A rule of @base holds at a value when all its literals
 * do; rules outside @base never hold. Can be run again with another base.
 */
int sweep_run(struct sweep *s, const struct dae_bitmap *base,
	      struct classes *classes, struct intervals *ret);
void sweep_clear(struct sweep *s);
void intervals_clear(struct intervals *v);
