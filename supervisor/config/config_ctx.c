/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/config_ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/config/diag_source.h"

#define CTX_MESSAGE_MAX 512

bool ast_is(const struct ast_text *t, const char *word)
{
	return t->s && strlen(word) == t->len &&
	       memcmp(t->s, word, t->len) == 0;
}

void *ctx_mem(struct config_ctx *c, void *p)
{
	if (!p)
		c->is_out_of_memory = true;
	return p;
}

char *ctx_copy(struct config_ctx *c, const struct ast_text *t)
{
	return ctx_mem(c, arena_strndup(c->arena, t->s, t->len));
}

struct ast_text ctx_at(struct config_pos pos)
{
	return (struct ast_text){ .pos = pos };
}

bool ctx_once(struct config_ctx *c, const void *what)
{
	size_t i;

	for (i = 0; i < c->once_count; i++)
		if (c->once[i] == what)
			return false;
	if (c->once_count < CTX_ONCE_MAX)
		c->once[c->once_count++] = what;
	return true;
}

const char *ctx_suggest(const struct ast_text *word, const char *const *names,
			char *buf, size_t cap)
{
	char text[64];
	const char *near;

	if (!word->s || word->len >= sizeof(text))
		return NULL;
	memcpy(text, word->s, word->len);
	text[word->len] = '\0';
	near = text_suggest(text, names);
	if (!near)
		return NULL;
	snprintf(buf, cap, "did you mean '%s'?", near);
	return buf;
}

static char *clean_dup(const char *s)
{
	size_t len = strlen(s), cap = 3 * len + 1;
	char *p = malloc(cap);

	if (p)
		text_clean(p, cap, s, len);
	return p;
}

static bool diag_is_kept(struct config_diags *d, enum diag_severity severity)
{
	size_t *count = severity == DIAG_ERROR ? &d->error_count
					       : &d->warning_count;
	size_t max = severity == DIAG_ERROR ? CONFIG_DIAG_ERRORS_MAX
					    : CONFIG_DIAG_WARNINGS_MAX;

	if ((*count)++ < max)
		return true;
	d->dropped++;
	return false;
}

static struct config_diag *diag_push(struct config_diags *d)
{
	struct config_diag *grown;

	grown = reallocarray(d->items, d->count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	d->items = grown;
	grown[d->count] = (struct config_diag){ 0 };
	return &grown[d->count];
}

/* What stands on a line that could not be parsed is likely half a value. */
static bool is_follow_up(const struct config_ctx *c, const struct ast_text *at)
{
	const struct config_diag *d = c->diags->items;
	size_t i;

	for (i = 0; at && i < c->syntax_items; i++)
		if (d[i].severity == DIAG_ERROR && d[i].file == at->pos.file &&
		    d[i].line == at->pos.line)
			return true;
	return false;
}

static void add(struct config_ctx *c, enum diag_severity severity,
		const struct ast_text *at, const char *hint,
		const char *message)
{
	const struct config_file *f = c->config->files;
	struct config_diag *d;

	if (is_follow_up(c, at) || !diag_is_kept(c->diags, severity))
		return;
	d = ctx_mem(c, diag_push(c->diags));
	if (!d)
		return;
	if (at)
		f += at->pos.file;
	d->severity = severity;
	d->file = at ? at->pos.file : 0;
	d->path = ctx_mem(c, clean_dup(f->path));
	d->message = ctx_mem(c, clean_dup(message));
	d->hint = hint ? ctx_mem(c, clean_dup(hint)) : NULL;
	if (at) {
		d->line = at->pos.line;
		d->column = at->pos.column;
		diag_source_fill(d, f, at);
	}
	if (!d->path || !d->message) {
		free(d->path);
		free(d->message);
		free(d->hint);
		free(d->source);
		return;
	}
	c->diags->count++;
}

void ctx_error(struct config_ctx *c, const struct ast_text *at,
	       const char *hint, const char *fmt, ...)
{
	char message[CTX_MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	add(c, DIAG_ERROR, at, hint, message);
}

void ctx_warn(struct config_ctx *c, const struct ast_text *at, const char *hint,
	      const char *fmt, ...)
{
	char message[CTX_MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	add(c, DIAG_WARNING, at, hint, message);
}

void ctx_report(struct config_ctx *c, enum diag_severity severity,
		const struct ast_text *at, const char *hint, const char *fmt,
		...)
{
	char message[CTX_MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	add(c, severity, at, hint, message);
}

void config_diags_add(struct config_diags *diags, const struct config *c,
		      enum diag_severity severity, const struct config_pos *pos,
		      const char *message)
{
	struct config_ctx ctx = { .config = (struct config *)c,
				  .diags = diags };
	struct ast_text at = ctx_at(*pos);
	bool has_place = pos->line > 0 && pos->file < c->file_count;

	add(&ctx, severity, has_place ? &at : NULL, NULL, message);
}
