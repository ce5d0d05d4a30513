/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/ctl/daectl_grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols.h>

#include "common/exitcode.h"
#include "common/text.h"

struct grid {
	const struct daectl *d;
	const struct grid_column *columns;
	size_t column_count, at;
	struct libscols_table *table;
	struct libscols_line *line;
};

static void die(void)
{
	fputs("daectl: out of memory\n", stderr);
	exit(CTL_EXIT_FAILED);
}

struct grid *grid_new(const struct daectl *d, const struct grid_column *columns,
		      size_t count)
{
	struct grid *g = calloc(1, sizeof(*g));
	int flags;

	if (!g)
		die();
	g->d = d;
	g->columns = columns;
	g->column_count = count;
	g->table = scols_new_table();
	if (!g->table)
		die();
	scols_table_enable_noheadings(g->table, !d->has_legend);
	scols_table_enable_colors(g->table, d->has_color);
	for (size_t i = 0; i < count; i++) {
		flags = (columns[i].is_right ? SCOLS_FL_RIGHT : 0) |
			(columns[i].may_cut ? SCOLS_FL_TRUNC : 0);
		if (!scols_table_new_column(g->table, columns[i].title, 0,
					    flags))
			die();
	}
	return g;
}

void grid_row(struct grid *g)
{
	g->line = scols_table_new_line(g->table, NULL);
	if (!g->line)
		die();
	g->at = 0;
}

static const char *color_name(enum out_color c)
{
	switch (c) {
	case COLOR_GOOD:
		return "green";
	case COLOR_WARN:
		return "brown";
	case COLOR_BAD:
		return "red";
	case COLOR_DIM:
		return "darkgray";
	case COLOR_BOLD:
		return "bold";
	default:
		return NULL;
	}
}

void grid_cell(struct grid *g, enum out_color color, const char *fmt, ...)
{
	char raw[OUT_TEXT], clean[OUT_TEXT];
	const char *name = color_name(color);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text_clean(clean, sizeof(clean), raw, strlen(raw));
	if (scols_line_set_data(g->line, g->at, clean) != 0)
		die();
	if (g->d->has_color && name)
		scols_cell_set_color(scols_line_get_cell(g->line, g->at), name);
	g->at++;
}

static void print_tsv_line(struct grid *g, struct libscols_line *line)
{
	const char *text;

	for (size_t i = 0; i < g->column_count; i++) {
		text = line ? scols_cell_get_data(scols_line_get_cell(line, i))
			    : g->columns[i].title;
		printf("%s%s", i ? "\t" : "", text ? text : "");
	}
	putchar('\n');
}

static void print_tsv(struct grid *g)
{
	if (g->d->has_legend)
		print_tsv_line(g, NULL);
	for (size_t i = 0; i < scols_table_get_nlines(g->table); i++)
		print_tsv_line(g, scols_table_get_line(g->table, i));
}

void grid_print(struct grid **g)
{
	struct grid *x = *g;

	*g = NULL;
	if (x->d->format == FORMAT_TSV)
		print_tsv(x);
	else
		scols_print_table(x->table);
	scols_unref_table(x->table);
	free(x);
}
