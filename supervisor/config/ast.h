/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the grammar makes of a text, before any word means anything. All texts
 * are slices of the file; they live as long as it does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config_routing.h"

struct ast_text {
	const char *s; /* not terminated, quotes stripped; NULL: none */
	uint32_t len;
	char quote;	       /* '\'' or '"', 0: a bare word */
	struct config_pos pos; /* of the quote, if there is one */
};

struct ast_param {
	struct ast_text key; /* key.s NULL: none */
	struct ast_text value;
};

struct ast_func {
	struct ast_text name;
	bool negate;
	bool has_list; /* parentheses were written */
	struct ast_param *params;
	size_t param_count;
};

enum ast_kind { AST_SECTION, AST_DECLARATION, AST_LITERAL, AST_RULE };

struct ast_item {
	enum ast_kind kind;
	struct ast_text name;	/* section, key or literal; rule: first word */
	struct ast_item *items; /* of a section */
	size_t item_count;
	struct ast_text *literals; /* of a declaration: these or funcs */
	size_t literal_count;
	struct ast_func *funcs; /* of a declaration or rule, joined by && */
	size_t func_count;
	struct ast_func out; /* of a rule */
	bool has_notes;	     /* of a declaration: [ … ] */
	struct ast_param *notes;
	size_t note_count;
};

/* Is @t spelt exactly @word? */
bool ast_is(const struct ast_text *t, const char *word);
