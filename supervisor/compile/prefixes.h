/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes of one condition, as few as say the same. Pure. */
#pragma once

#include <stddef.h>

#include "common/addr.h"

struct prefixes {
	struct prefix *items;
	size_t count, capacity;
};

/* Its host bits are clear. -E2BIG, -ENOMEM. */
int prefixes_add(struct prefixes *p, const struct prefix *item);
/* Sort them; those within others go, halves become wholes. */
void prefixes_settle(struct prefixes *p);
/* All addresses of both families that are in none of them. -E2BIG, -ENOMEM. */
int prefixes_invert(struct prefixes *p);
void prefixes_clear(struct prefixes *p);
