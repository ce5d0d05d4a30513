/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interned rule bitmaps of one dimension: equal sets of rules are one class. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/ruleset_format.h"

struct classes {
	struct dae_bitmap *rows; /* by class id */
	uint32_t count, capacity;
	uint32_t *slots;     /* open addressing: class id + 1, 0 is free */
	uint32_t slot_count; /* a power of two */
};

/* The class of @bits. -EOVERFLOW beyond DAE_CLASSES_MAX, -ENOMEM. */
int classes_intern(struct classes *c, const struct dae_bitmap *bits,
		   uint32_t *ret);
void classes_clear(struct classes *c);
