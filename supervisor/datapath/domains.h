/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The learned addresses of one generation, as its programs read them: the table
 * of addresses (bpf/domain_entry.h), and classes added behind those of the
 * image. A class keeps its meaning for as long as the generation lives, since
 * programs remember decisions by it.
 */
#pragma once

#include "bpf/domain_entry.h"
#include "common/addr.h"
#include "common/ruleset.h"
#include "supervisor/datapath/datapath.h"

struct domain_table {
	struct domain_line4 *v4;
	struct domain_line6 *v6;
	struct dae_bitmap *rows; /* mapped; first_row is that of class 0 */
	uint32_t mask4, mask6;	 /* lines - 1 */
	uint32_t first_row, row_count;
	uint32_t class_count;
	uint16_t *slots;	/* hash of rows: class, 0 is free */
	struct dae_domain *own; /* of conds */
	struct ruleset_domains conds;
	__u64 seed[2];
	struct datapath_domains count;
	uint64_t *learned; /* the programs' table_learned */
	bool is_used; /* else the rules ask for no name: nothing is mapped */
};

/* How many lines and rows a generation of @rules is to have. */
struct domain_shape {
	uint32_t lines4, lines6, spare_rows;
};

struct domain_shape domain_shape_of(const struct ruleset *rules);

struct domain_maps {
	int domains4, domains6, bitmaps; /* descriptors, not kept */
	uint32_t row_count;
	const uint64_t *seed;
	uint64_t *learned; /* outlives the table */
};

/* 0, -ENOMEM or what mmap() says; *t is to be closed in any case. */
int domain_table_open(struct domain_table *t, const struct ruleset *rules,
		      const struct domain_shape *shape,
		      const struct domain_maps *m);
void domain_table_close(struct domain_table *t);
/* As datapath_domain_set(). */
int domain_table_set(struct domain_table *t, const struct addr *a,
		     const struct dae_bitmap *sets);
