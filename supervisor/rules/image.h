/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the compiler has found, before it becomes one block of memory. */
#pragma once

#include "supervisor/rules/classes.h"
#include "supervisor/rules/domains.h"
#include "supervisor/rules/rules.h"
#include "supervisor/rules/trie.h"

struct tables {
	struct dae_rule rules[DAE_RULE_SLOTS];
	struct dae_bitmap must;
	uint32_t roots[4][DAE_ROOT_SIZE]; /* dst4, src4, dst6, src6 */
	uint16_t dport[2][65536];
	uint16_t sport[65536];
	uint16_t dscp[64];
	struct dae_mac mac[DAE_MAC_SLOTS];
	struct dae_pname *pnames;
	uint32_t pname_count;
	uint32_t pname_shift;
	uint64_t pname_multiplier;
	uint32_t pname_miss;
	struct domains domains;
	uint32_t domain_sets;
	uint64_t mac_multiplier;
	uint32_t mac_miss;
	uint32_t rule_count;
	uint32_t used_dims;
	struct trie_pool pool;
	struct classes classes[DAE_DIM_COUNT];
};

struct tables *tables_new(void);
/* Accepts NULL, sets *t to NULL. */
void tables_free(struct tables **t);
/* Lay everything out behind a header. -ENOMEM, -EOVERFLOW. */
int tables_to_image(const struct tables *t, struct rules_image *ret);
