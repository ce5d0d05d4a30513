/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/config_diag.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/text.h"

static void put_source(struct text_out *o, const struct config_diag *d)
{
	uint32_t i;

	text_put(o, "  %s\n  %*s^", d->source, (int)d->caret, "");
	for (i = 1; i < d->caret_len; i++)
		text_put(o, "~");
	if (d->hint)
		text_put(o, "  %s", d->hint);
	text_put(o, "\n");
}

size_t config_diag_format(const struct config_diag *d, char *buf, size_t cap)
{
	struct text_out o = { .buf = buf, .cap = cap };
	const char *kind = d->severity == DIAG_ERROR ? "error" : "warning";

	if (cap == 0)
		return 0;
	buf[0] = '\0';
	if (d->line > 0)
		text_put(&o, "%s:%u:%u: %s: %s\n", d->path, d->line, d->column,
			 kind, d->message);
	else
		text_put(&o, "%s: %s: %s\n", d->path, kind, d->message);
	if (d->source)
		put_source(&o, d);
	else if (d->hint)
		text_put(&o, "  %s\n", d->hint);
	return o.len;
}

static bool comes_before(const struct config_diag *a,
			 const struct config_diag *b)
{
	if (a->file != b->file)
		return a->file < b->file;
	if (a->line != b->line)
		return a->line - 1 < b->line - 1; /* 0, the file: last */
	return a->column < b->column;
}

/* Few items, nearly in order, and stable: by insertion. */
void config_diags_sort(struct config_diags *d, size_t first)
{
	struct config_diag moved;
	size_t i, k;

	for (i = first + 1; i < d->count; i++) {
		moved = d->items[i];
		for (k = i; k > first && comes_before(&moved, &d->items[k - 1]);
		     k--)
			d->items[k] = d->items[k - 1];
		d->items[k] = moved;
	}
}

void config_diags_clear(struct config_diags *d)
{
	size_t i;

	for (i = 0; i < d->count; i++) {
		free(d->items[i].path);
		free(d->items[i].message);
		free(d->items[i].hint);
		free(d->items[i].source);
	}
	free(d->items);
	*d = (struct config_diags){ 0 };
}
