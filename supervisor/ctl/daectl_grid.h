/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table on the terminal, by libsmartcols; or with tabs between, by --tsv. */
#pragma once

#include <stddef.h>

#include "supervisor/ctl/daectl_out.h"

#define GRID_COLUMNS_MAX 16

struct grid_column {
	const char *title;
	bool is_right; /* numbers */
	bool may_cut;  /* the first to suffer on a narrow terminal */
};

struct grid;

/* Exits for lack of memory: daectl has nothing to lose. */
struct grid *grid_new(const struct daectl *d, const struct grid_column *columns,
		      size_t count);
void grid_row(struct grid *g);
/* The next cell of the row, cleaned. */
void grid_cell(struct grid *g, enum out_color color, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Print and free. */
void grid_print(struct grid **g);
