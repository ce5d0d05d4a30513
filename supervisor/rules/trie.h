/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intervals of addresses as a run-compressed trie: 16 bits, then 8 by 8. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/ruleset_format.h"
#include "supervisor/rules/sweep.h"

struct trie_pool { /* shared by the tries of an image */
	struct dae_trie_node *nodes;
	uint32_t node_count, node_capacity;
	uint32_t *runs;
	uint32_t run_count, run_capacity;
};

/* Fill @root (DAE_ROOT_SIZE entries). Starts lie at multiples of what the
 * family's last bit is worth. -EOVERFLOW, -ENOMEM. */
int trie_build(struct trie_pool *pool, const struct intervals *v,
	       uint32_t *root);
void trie_pool_clear(struct trie_pool *pool);
