/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/lexer.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/base.h"

static const char *const type_names[] = {
	[TOKEN_EOF] = "EOF",
	[TOKEN_LBRACE] = "'{'",
	[TOKEN_RBRACE] = "'}'",
	[TOKEN_COLON] = "':'",
	[TOKEN_COMMA] = "','",
	[TOKEN_LPAREN] = "'('",
	[TOKEN_RPAREN] = "')'",
	[TOKEN_LBRACKET] = "'['",
	[TOKEN_RBRACKET] = "']'",
	[TOKEN_NOT] = "'!'",
	[TOKEN_ARROW] = "'->'",
	[TOKEN_AND] = "'&&'",
	[TOKEN_ID] = "ID",
	[TOKEN_NON_ID] = "NON_ID",
	[TOKEN_QUOTED] = "QUOTE_STRING",
	[TOKEN_BAD] = "BAD",
	[TOKEN_BAD_QUOTE] = "BAD_QUOTE",
};
static_assert(ARRAY_LEN(type_names) == TOKEN_COUNT, "name the new token");

static const char punctuation[] = "{}:,()[]!";
static const enum token_type punctuation_types[] = {
	TOKEN_LBRACE, TOKEN_RBRACE,   TOKEN_COLON,    TOKEN_COMMA, TOKEN_LPAREN,
	TOKEN_RPAREN, TOKEN_LBRACKET, TOKEN_RBRACKET, TOKEN_NOT,
};

const char *token_type_name(enum token_type t)
{
	return (unsigned int)t < TOKEN_COUNT ? type_names[t] : "?";
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_id_start(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_non_id_start(char c)
{
	return c != '\0' && (strchr("/\\^*.+-", c) || (c >= '0' && c <= '9'));
}

static bool is_safe(char c)
{
	return is_id_start(c) || is_non_id_start(c) ||
	       (c != '\0' && strchr("=@$!#%", c));
}

void lexer_init(struct lexer *l, const char *text, size_t len, uint16_t file)
{
	*l = (struct lexer){
		.p = text,
		.end = text + len,
		.pos = { .file = file, .line = 1, .column = 1 },
	};
}

/* Columns count characters: bytes that continue one do not count. */
static void advance(struct lexer *l, size_t n)
{
	const char *stop = l->p + n;

	for (; l->p < stop; l->p++) {
		if (*l->p == '\n') {
			l->pos.line++;
			l->pos.column = 1;
		} else if (((unsigned char)*l->p & 0xc0) != 0x80 &&
			   l->pos.column < UINT16_MAX) {
			l->pos.column++;
		}
	}
}

static size_t word_len(const struct lexer *l)
{
	const char *p = l->p;

	while (p < l->end && is_safe(*p))
		p++;
	return (size_t)(p - l->p);
}

/* 0 if no complete block comment begins here. */
static size_t block_comment_len(struct lexer *l)
{
	size_t left = (size_t)(l->end - l->p);
	const char *close;

	if (l->has_no_comment_end || left < 4 || l->p[0] != '/' ||
	    l->p[1] != '*')
		return 0;
	close = memmem(l->p + 2, left - 2, "*/", 2);
	l->has_no_comment_end = !close;
	return close ? (size_t)(close + 2 - l->p) : 0;
}

/*
 * A quote after a backslash is content, unless no other closes the text: then
 * the last such one does. 0: never closed.
 */
static size_t quoted_len(const struct lexer *l)
{
	const char *p = l->p + 1, *fallback = NULL;

	while (p < l->end) {
		p = memchr(p, *l->p, (size_t)(l->end - p));
		if (!p)
			break;
		if (p == l->p + 1 || p[-1] != '\\')
			return (size_t)(p + 1 - l->p);
		fallback = p++;
	}
	return fallback ? (size_t)(fallback + 1 - l->p) : 0;
}

/* Blanks and comments; a comment only where no word would be longer. */
static void skip_ignored(struct lexer *l)
{
	const char *eol;
	size_t n;

	while (l->p < l->end) {
		if (is_blank(*l->p)) {
			advance(l, 1);
			continue;
		}
		if (*l->p == '#') {
			eol = memchr(l->p, '\n', (size_t)(l->end - l->p));
			advance(l, (size_t)((eol ? eol : l->end) - l->p));
			continue;
		}
		n = block_comment_len(l);
		if (n == 0 || n < word_len(l))
			return;
		advance(l, n);
	}
}

static bool can_begin_token(char c)
{
	return is_blank(c) || is_id_start(c) || is_non_id_start(c) ||
	       (c != '\0' && strchr("{}:,()[]!#'\"&", c));
}

static size_t bad_len(const struct lexer *l)
{
	const char *p = l->p + 1;

	while (p < l->end && !can_begin_token(*p))
		p++;
	return (size_t)(p - l->p);
}

static size_t punctuation_len(const struct lexer *l, enum token_type *ret)
{
	size_t left = (size_t)(l->end - l->p);
	const char *at;

	if (left >= 2 && l->p[0] == '-' && l->p[1] == '>') {
		*ret = TOKEN_ARROW;
		return 2;
	}
	if (left >= 2 && l->p[0] == '&' && l->p[1] == '&') {
		*ret = TOKEN_AND;
		return 2;
	}
	at = *l->p == '\0' ? NULL : strchr(punctuation, *l->p);
	if (!at)
		return 0;
	*ret = punctuation_types[at - punctuation];
	return 1;
}

static size_t token_len(const struct lexer *l, enum token_type *ret)
{
	size_t n = punctuation_len(l, ret);

	if (n > 0)
		return n;
	if (*l->p == '\'' || *l->p == '"') {
		n = quoted_len(l);
		*ret = n > 0 ? TOKEN_QUOTED : TOKEN_BAD_QUOTE;
		return n > 0 ? n : (size_t)(l->end - l->p);
	}
	if (is_id_start(*l->p) || is_non_id_start(*l->p)) {
		*ret = is_id_start(*l->p) ? TOKEN_ID : TOKEN_NON_ID;
		return word_len(l);
	}
	*ret = TOKEN_BAD;
	return bad_len(l);
}

void lexer_next(struct lexer *l, struct token *ret)
{
	skip_ignored(l);
	*ret = (struct token){ .type = TOKEN_EOF, .s = l->p, .pos = l->pos };
	if (l->p == l->end)
		return;
	ret->len = token_len(l, &ret->type);
	advance(l, ret->len);
}
