/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rules/classes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"

#define SLOTS_FIRST 256

static uint32_t *find_slot(const struct classes *c,
			   const struct dae_bitmap *bits)
{
	uint32_t mask = c->slot_count - 1;
	uint32_t i = (uint32_t)ruleset_checksum(bits, sizeof(*bits)) & mask;

	while (c->slots[i] &&
	       memcmp(&c->rows[c->slots[i] - 1], bits, sizeof(*bits)) != 0)
		i = (i + 1) & mask;
	return &c->slots[i];
}

/* Room for one class more, at most half of the slots taken. */
static int grow(struct classes *c)
{
	struct dae_bitmap *rows;
	uint32_t i, want;

	if (c->count == c->capacity) {
		want = c->capacity ? c->capacity * 2 : SLOTS_FIRST / 2;
		rows = reallocarray(c->rows, want, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		c->rows = rows;
		c->capacity = want;
	}
	if (c->slot_count > 2 * c->count)
		return 0;
	free(c->slots);
	c->slot_count = c->slot_count ? c->slot_count * 2 : SLOTS_FIRST;
	c->slots = calloc(c->slot_count, sizeof(*c->slots));
	if (!c->slots) {
		c->slot_count = 0;
		return -ENOMEM;
	}
	for (i = 0; i < c->count; i++)
		*find_slot(c, &c->rows[i]) = i + 1;
	return 0;
}

int classes_intern(struct classes *c, const struct dae_bitmap *bits,
		   uint32_t *ret)
{
	uint32_t *slot;
	int r;

	r = grow(c);
	if (r < 0)
		return r;
	slot = find_slot(c, bits);
	if (!*slot) {
		if (c->count == DAE_CLASSES_MAX)
			return -EOVERFLOW;
		c->rows[c->count] = *bits;
		*slot = ++c->count;
	}
	*ret = *slot - 1;
	return 0;
}

void classes_clear(struct classes *c)
{
	free(c->rows);
	free(c->slots);
	*c = (struct classes){ 0 };
}
