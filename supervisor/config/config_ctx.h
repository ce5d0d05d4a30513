/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all parts of one parse share, and how they complain. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/config/arena.h"
#include "supervisor/config/ast.h"
#include "supervisor/config/config.h"
#include "supervisor/config/config_diag.h"

#define CTX_ONCE_MAX 128U

struct config_ctx {
	struct config *config;
	struct arena *arena;   /* the configuration's */
	struct arena *scratch; /* gone when the parse ends: the AST */
	struct config_diags *diags;
	bool has_syntax_errors; /* what is missing may have been there */
	size_t syntax_items;	/* messages of the syntax, in diags */
	bool is_out_of_memory;	/* sticky; the result is -ENOMEM */
	const void *once[CTX_ONCE_MAX]; /* said already, see ctx_once() */
	size_t once_count;
};

/*
 * Report at @at (NULL: the entry file as a whole), underlining its text. @hint
 * may be NULL. The message names things of the user's text in quotes; both are
 * made safe to show. Credentials do not belong into a message.
 */
void ctx_error(struct config_ctx *c, const struct ast_text *at,
	       const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void ctx_warn(struct config_ctx *c, const struct ast_text *at, const char *hint,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same with a severity, for what depends on the mode. */
void ctx_report(struct config_ctx *c, enum diag_severity severity,
		const struct ast_text *at, const char *hint, const char *fmt,
		...) __attribute__((format(printf, 5, 6)));
/* "did you mean 'x'?" in @buf, or NULL if no name of the NULL-terminated list is
 * near. */
const char *ctx_suggest(const struct ast_text *word, const char *const *names,
			char *buf, size_t cap);
/* True the first time it is asked about @what. */
bool ctx_once(struct config_ctx *c, const void *what);
/* @p, after noting that it is NULL. */
void *ctx_mem(struct config_ctx *c, void *p);
/* A terminated copy in the configuration's arena; NULL: noted. */
char *ctx_copy(struct config_ctx *c, const struct ast_text *t);
/* A place without its text, for checks of what is typed already. */
struct ast_text ctx_at(struct config_pos pos);
