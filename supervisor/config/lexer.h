/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Characters to words, by the rules of dae's published grammar. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config_routing.h"

enum token_type {
	TOKEN_EOF,
	TOKEN_LBRACE,
	TOKEN_RBRACE,
	TOKEN_COLON,
	TOKEN_COMMA,
	TOKEN_LPAREN,
	TOKEN_RPAREN,
	TOKEN_LBRACKET,
	TOKEN_RBRACKET,
	TOKEN_NOT,
	TOKEN_ARROW,
	TOKEN_AND,
	TOKEN_ID,
	TOKEN_NON_ID,
	TOKEN_QUOTED,
	TOKEN_BAD,	 /* characters no word can begin with */
	TOKEN_BAD_QUOTE, /* a quote that is never closed, up to the end */
	TOKEN_COUNT
};

struct token {
	enum token_type type;
	const char *s; /* quotes included */
	size_t len;
	struct config_pos pos;
};

/* A value: copy it to look ahead. */
struct lexer {
	const char *p, *end;
	struct config_pos pos;	 /* of *p */
	bool has_no_comment_end; /* behind p: looked for once is enough */
};

void lexer_init(struct lexer *l, const char *text, size_t len, uint16_t file);
/* The next token; TOKEN_EOF for ever at the end. */
void lexer_next(struct lexer *l, struct token *ret);
/* As in the grammar: "'{'", "ID", "QUOTE_STRING"; "?" out of range. */
const char *token_type_name(enum token_type t);
