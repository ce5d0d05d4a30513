/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/ast_check.h"

static void check_func(struct config_ctx *c, const struct ast_func *f)
{
	if (f->has_list && f->param_count == 0)
		ctx_error(c, &f->name, NULL, "'%.*s()' has an empty list",
			  (int)f->name.len, f->name.s);
}

/* Sections inside each other are bounded by the parser. */
void ast_check(struct config_ctx *c, const struct ast_item *section)
{
	const struct ast_item *item;
	size_t i, k;

	for (i = 0; i < section->item_count; i++) {
		item = &section->items[i];
		if (item->kind == AST_SECTION) {
			ast_check(c, item);
			continue;
		}
		for (k = 0; k < item->func_count; k++)
			check_func(c, &item->funcs[k]);
		check_func(c, &item->out);
		if (item->has_notes && item->note_count == 0)
			ctx_error(c, &item->name, NULL,
				  "the annotation '[ ]' of '%.*s' is empty",
				  (int)item->name.len, item->name.s);
	}
}
