/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keywords as one automaton that finds all of them in one pass. */
#pragma once

#include <stdint.h>

#include "common/nameset.h"
#include "supervisor/compile/words.h"
#include "supervisor/rules/classes.h"

struct keywords {
	struct nameset_node *nodes; /* breadth first; the first is the root */
	uint32_t node_count;
	uint32_t *edges;
	uint32_t edge_count;
};

/* -EOVERFLOW, -ENOMEM. A node's class is that of all words that end there. */
int keywords_build(struct keywords *k, const struct words *w,
		   const struct word_table *t, struct classes *classes);
void keywords_clear(struct keywords *k);
#define auto_keywords __attribute__((cleanup(keywords_clear)))
