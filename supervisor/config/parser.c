/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/parser.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/config/config_ctx.h"
#include "supervisor/config/lexer.h"

#define PARSER_DEPTH_MAX 16U
#define PARSER_NODES_MAX 400000U /* items, values and parameters of a file */

struct parser {
	struct config_ctx *ctx;
	struct lexer lexer;
	struct token tok; /* the one to look at */
	size_t nodes;
	uint32_t error_line; /* one complaint a line is enough */
};

static const char quote_hint[] = "text that contains ':' must be quoted";

static struct ast_text token_text(const struct token *t)
{
	struct ast_text x = { .s = t->s,
			      .len = (uint32_t)t->len,
			      .pos = t->pos };

	if (t->type == TOKEN_QUOTED) {
		x.quote = *t->s;
		x.s++;
		x.len -= 2;
	}
	return x;
}

static const char *token_describe(const struct token *t, char *buf, size_t cap)
{
	if (t->type == TOKEN_EOF)
		snprintf(buf, cap, "the end of the file");
	else if (t->type == TOKEN_QUOTED)
		snprintf(buf, cap, "a quoted text");
	else
		snprintf(buf, cap, "'%.*s'", (int)(t->len > 40 ? 40 : t->len),
			 t->s);
	return buf;
}

static bool may_complain(struct parser *p, const struct token *t)
{
	bool is_first = p->error_line != t->pos.line;

	p->error_line = t->pos.line;
	p->ctx->has_syntax_errors = true;
	return is_first;
}

static void complain(struct parser *p, const char *expected, const char *hint)
{
	struct ast_text at = token_text(&p->tok);
	char got[64];

	if (!may_complain(p, &p->tok))
		return;
	if (!hint && p->tok.type == TOKEN_COLON)
		hint = quote_hint;
	ctx_error(p->ctx, &at, hint, "expected %s, got %s", expected,
		  token_describe(&p->tok, got, sizeof(got)));
}

static void complain_bad(struct parser *p, const struct token *t)
{
	struct ast_text at = token_text(t);
	const char *hint = "text with such characters must be quoted";

	if (!may_complain(p, t))
		return;
	if (t->type == TOKEN_BAD_QUOTE) {
		at.len = 1;
		ctx_error(p->ctx, &at, "a quote ends with the same sign",
			  "this quote is never closed");
		return;
	}
	if (t->pos.line == 1 && t->pos.column <= 2 && t->len >= 3 &&
	    memcmp(t->s, "\xef\xbb\xbf", 3) == 0)
		hint = "the file begins with a byte order mark: save it as "
		       "UTF-8 without one";
	else if (*t->s == '&')
		hint = "conditions are joined by '&&'";
	else if (*t->s == '|')
		hint = "there is no 'or' between functions: write a list "
		       "inside one, or two rules";
	else if (*t->s == '>')
		hint = "write '->' with blanks around it";
	else if (*t->s == ';')
		hint = "nothing ends a line but its end; comments begin with "
		       "'#'";
	ctx_error(p->ctx, &at, hint, "unexpected '%.*s' outside of quotes",
		  (int)(t->len > 40 ? 40 : t->len), t->s);
}

/* Characters that are no word are reported and skipped, as the grammar's own
 * lexer does. */
static void next(struct parser *p)
{
	for (;;) {
		lexer_next(&p->lexer, &p->tok);
		if (p->tok.type != TOKEN_BAD && p->tok.type != TOKEN_BAD_QUOTE)
			return;
		complain_bad(p, &p->tok);
	}
}

static enum token_type peek(const struct parser *p)
{
	struct lexer l = p->lexer;
	struct token t;

	do {
		lexer_next(&l, &t);
	} while (t.type == TOKEN_BAD || t.type == TOKEN_BAD_QUOTE);
	return t.type;
}

static bool is_literal(const struct token *t)
{
	return t->type == TOKEN_ID || t->type == TOKEN_NON_ID ||
	       t->type == TOKEN_QUOTED;
}

/* Room in an array of the AST; false ends the parse of this file. */
static void *push(struct parser *p, void *items, size_t *count, size_t size)
{
	struct ast_text at = token_text(&p->tok);

	if (p->nodes >= PARSER_NODES_MAX) {
		if (may_complain(p, &p->tok))
			ctx_error(p->ctx, &at, NULL,
				  "the file has more than %u words",
				  PARSER_NODES_MAX);
		return NULL;
	}
	p->nodes++;
	return ctx_mem(p->ctx, arena_push(p->ctx->scratch, items, count, size));
}

/* [ ID ":" ] literal */
static bool parse_param(struct parser *p, struct ast_param *ret)
{
	if (!is_literal(&p->tok)) {
		complain(p, "a value", NULL);
		return false;
	}
	ret->value = token_text(&p->tok);
	if (p->tok.type == TOKEN_ID && peek(p) == TOKEN_COLON) {
		ret->key = ret->value;
		next(p);
		next(p);
		if (!is_literal(&p->tok)) {
			complain(p, "a value", NULL);
			return false;
		}
		ret->value = token_text(&p->tok);
	}
	next(p);
	return true;
}

/* params and the closing token; the opening one is consumed. An empty list is
 * fine with the grammar; ast_check() refuses it. */
static bool parse_params(struct parser *p, enum token_type close,
			 struct ast_param **ret, size_t *ret_count)
{
	const char *expected = close == TOKEN_RPAREN ? "',' or ')'"
						     : "',' or ']'";
	struct ast_param *param;

	if (p->tok.type == close) {
		next(p);
		return true;
	}
	for (;;) {
		param = push(p, ret, ret_count, sizeof(*param));
		if (!param || !parse_param(p, param))
			return false;
		if (p->tok.type == close)
			break;
		if (p->tok.type != TOKEN_COMMA) {
			complain(p, expected, NULL);
			return false;
		}
		next(p);
	}
	next(p);
	return true;
}

/* [ "!" ] ID "(" params ")" */
static bool parse_func(struct parser *p, struct ast_func *ret)
{
	if (p->tok.type == TOKEN_NOT) {
		ret->negate = true;
		next(p);
	}
	if (p->tok.type != TOKEN_ID) {
		complain(p, "the name of a function", NULL);
		return false;
	}
	ret->name = token_text(&p->tok);
	next(p);
	if (p->tok.type != TOKEN_LPAREN) {
		complain(p, "'('", NULL);
		return false;
	}
	ret->has_list = true;
	next(p);
	return parse_params(p, TOKEN_RPAREN, &ret->params, &ret->param_count);
}

static bool parse_funcs(struct parser *p, struct ast_item *item)
{
	struct ast_func *f;

	for (;;) {
		f = push(p, &item->funcs, &item->func_count, sizeof(*f));
		if (!f || !parse_func(p, f))
			return false;
		if (p->tok.type != TOKEN_AND)
			return true;
		next(p);
	}
}

static bool parse_literals(struct parser *p, struct ast_item *item)
{
	struct ast_text *t;

	for (;;) {
		if (!is_literal(&p->tok)) {
			complain(p, "a value", NULL);
			return false;
		}
		t = push(p, &item->literals, &item->literal_count, sizeof(*t));
		if (!t)
			return false;
		*t = token_text(&p->tok);
		next(p);
		if (p->tok.type != TOKEN_COMMA)
			return true;
		next(p);
	}
}

/* ID ":" ( funcs | literals ) [ "[" params "]" ] */
static bool parse_declaration(struct parser *p, struct ast_item *item)
{
	bool is_func;

	item->kind = AST_DECLARATION;
	next(p);
	next(p);
	is_func = p->tok.type == TOKEN_NOT ||
		  (p->tok.type == TOKEN_ID && peek(p) == TOKEN_LPAREN);
	if (is_func ? !parse_funcs(p, item) : !parse_literals(p, item))
		return false;
	if (p->tok.type != TOKEN_LBRACKET)
		return true;
	item->has_notes = true;
	next(p);
	return parse_params(p, TOKEN_RBRACKET, &item->notes, &item->note_count);
}

/* funcs "->" ( ID | NON_ID | func ) */
static bool parse_rule(struct parser *p, struct ast_item *item)
{
	item->kind = AST_RULE;
	if (!parse_funcs(p, item))
		return false;
	if (p->tok.type != TOKEN_ARROW) {
		complain(p, "'->' or '&&'", NULL);
		return false;
	}
	next(p);
	if (p->tok.type == TOKEN_NOT ||
	    (p->tok.type == TOKEN_ID && peek(p) == TOKEN_LPAREN))
		return parse_func(p, &item->out);
	if (p->tok.type != TOKEN_ID && p->tok.type != TOKEN_NON_ID) {
		complain(p, "the name of an outbound",
			 p->tok.type == TOKEN_QUOTED
				 ? "outbounds are written without quotes"
				 : NULL);
		return false;
	}
	item->out.name = token_text(&p->tok);
	next(p);
	return true;
}

static bool parse_section(struct parser *p, struct ast_item *item,
			  unsigned int depth);

static bool parse_item(struct parser *p, struct ast_item *item,
		       unsigned int depth)
{
	enum token_type after;

	item->name = token_text(&p->tok);
	if (p->tok.type == TOKEN_NOT)
		return parse_rule(p, item);
	if (!is_literal(&p->tok)) {
		complain(p, "a key, a rule or '}'", NULL);
		return false;
	}
	after = p->tok.type == TOKEN_ID ? peek(p) : TOKEN_EOF;
	if (after == TOKEN_COLON)
		return parse_declaration(p, item);
	if (after == TOKEN_LBRACE)
		return parse_section(p, item, depth + 1);
	if (after == TOKEN_LPAREN)
		return parse_rule(p, item);
	item->kind = AST_LITERAL;
	next(p);
	return true;
}

static bool begins_item(const struct parser *p)
{
	enum token_type after;

	if (p->tok.type == TOKEN_NOT)
		return true;
	if (p->tok.type != TOKEN_ID)
		return false;
	after = peek(p);
	return after == TOKEN_COLON || after == TOKEN_LBRACE ||
	       after == TOKEN_LPAREN;
}

/* After an error: on to the next item on a later line, or the '}' that closes
 * the section we are in. */
static void skip_item(struct parser *p)
{
	uint32_t line = p->tok.pos.line;
	unsigned int depth = 0;

	for (; p->tok.type != TOKEN_EOF; next(p)) {
		if (p->tok.type == TOKEN_LBRACE)
			depth++;
		if (p->tok.type == TOKEN_RBRACE && depth-- == 0)
			return;
		if (depth == 0 && p->tok.pos.line != line && begins_item(p))
			return;
	}
}

/* "{" items "}": the name is p->tok. */
static bool parse_section(struct parser *p, struct ast_item *item,
			  unsigned int depth)
{
	struct ast_item *child, parsed;

	item->kind = AST_SECTION;
	next(p);
	if (p->tok.type != TOKEN_LBRACE) {
		complain(p, "'{'", NULL);
		return false;
	}
	if (depth > PARSER_DEPTH_MAX) {
		complain(p, "fewer sections inside each other", NULL);
		return false;
	}
	next(p);
	while (p->tok.type != TOKEN_RBRACE && p->tok.type != TOKEN_EOF) {
		parsed = (struct ast_item){ 0 };
		if (!parse_item(p, &parsed, depth)) {
			if (p->ctx->is_out_of_memory)
				return false;
			skip_item(p);
			continue;
		}
		child = push(p, &item->items, &item->item_count,
			     sizeof(*child));
		if (!child)
			return false;
		*child = parsed;
	}
	if (p->tok.type == TOKEN_EOF) {
		if (may_complain(p, &p->tok))
			ctx_error(p->ctx, &item->name,
				  "look for a missing '}', or a quote or "
				  "comment that swallowed it",
				  "section '%.*s' is never closed",
				  (int)item->name.len, item->name.s);
		return true;
	}
	next(p);
	return true;
}

static bool ends_section(const struct parser *p)
{
	return p->tok.type == TOKEN_ID && peek(p) == TOKEN_LBRACE;
}

void parser_run(struct config_ctx *c, uint16_t file, struct ast_item **sections,
		size_t *count)
{
	const struct config_file *f = &c->config->files[file];
	struct parser p = { .ctx = c };
	struct ast_item parsed, *item;

	lexer_init(&p.lexer, f->text, f->len, file);
	next(&p);
	while (p.tok.type != TOKEN_EOF && !c->is_out_of_memory) {
		parsed = (struct ast_item){ .name = token_text(&p.tok) };
		if (p.tok.type != TOKEN_ID) {
			complain(&p, "the name of a section",
				 p.tok.type == TOKEN_RBRACE
					 ? "one '}' too many?"
					 : NULL);
		} else if (parse_section(&p, &parsed, 1)) {
			item = ctx_mem(c, arena_push(c->scratch, sections,
						     count, sizeof(*item)));
			if (item)
				*item = parsed;
			continue;
		}
		do {
			next(&p);
		} while (p.tok.type != TOKEN_EOF && !ends_section(&p));
	}
}
