/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/include.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/config/ast_check.h"
#include "supervisor/config/parser.h"

struct walk {
	struct config_ctx *ctx;
	const struct config_source *src;
	struct ast_item **sections;
	size_t *count;
	size_t total;	   /* bytes read */
	uint32_t includes; /* seen so far */
};

struct paths {
	char **items;
	size_t count;
};

static void paths_free(struct paths *p)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		free(p->items[i]);
	free(p->items);
}

static void visit(struct walk *w, const char *path, uint32_t include,
		  const struct ast_text *at);

/* The text of a file becomes part of the configuration: the caret line and all
 * slices of the AST are in it. False: reported. */
static bool read_file(struct walk *w, const char *path, uint32_t include,
		      const struct ast_text *at)
{
	struct config_ctx *c = w->ctx;
	struct config_file *f = &c->config->files[c->config->file_count];
	auto_free char *text = NULL;
	char why[160] = "";
	size_t len = 0;
	int r;

	f->path = ctx_mem(c, arena_strndup(c->arena, path, strlen(path)));
	if (!f->path)
		return false;
	r = w->src->read_file(w->src->ctx, path, &text, &len, why, sizeof(why));
	if (r == 0 && len > CONFIG_FILE_MAX)
		r = -EFBIG;
	if (r < 0) {
		ctx_error(c, at, NULL, "cannot read '%s': %s", path,
			  why[0] ? why : strerror(-r));
		return false;
	}
	w->total += len;
	if (w->total > CONFIG_TOTAL_MAX) {
		ctx_error(c, at, NULL,
			  "all files together have more than %u "
			  "MiB",
			  CONFIG_TOTAL_MAX >> 20);
		return false;
	}
	f->text = ctx_mem(c, arena_strndup(c->arena, text, len));
	f->len = len;
	f->include = include;
	return f->text != NULL;
}

static bool may_visit(struct walk *w, const char *path,
		      const struct ast_text *at)
{
	const struct config *cfg = w->ctx->config;
	size_t i, len = strlen(path);

	if (len < 4 || strcmp(path + len - 4, ".dae") != 0)
		return false;
	for (i = 0; i < cfg->file_count; i++) {
		if (strcmp(cfg->files[i].path, path) == 0) {
			ctx_error(w->ctx, at, "a file can be included once",
				  "circular include of '%s'", path);
			return false;
		}
	}
	if (cfg->file_count < CONFIG_FILES_MAX)
		return true;
	ctx_error(w->ctx, at, NULL, "more than %u files", CONFIG_FILES_MAX);
	return false;
}

static void include_pattern(struct walk *w, const struct ast_text *t)
{
	struct config_ctx *c = w->ctx;
	__attribute__((cleanup(paths_free))) struct paths found = { 0 };
	uint32_t include = ++w->includes;
	char *pattern;
	size_t i;
	int r;

	if (t->len == 0 || memchr(t->s, '\0', t->len)) {
		ctx_error(c, t, NULL, "an include is the path of a file");
		return;
	}
	pattern = ctx_mem(c, arena_strndup(c->scratch, t->s, t->len));
	if (!pattern)
		return;
	r = w->src->glob(w->src->ctx, pattern, &found.items, &found.count);
	if (r < 0) {
		ctx_error(
			c, t,
			r == -EPERM
				? "what is included must lie below the folder of "
				  "the main file"
				: NULL,
			"cannot include '%s': %s", pattern, strerror(-r));
		return;
	}
	if (found.count == 0)
		ctx_warn(c, t, NULL, "no file is like '%s'", pattern);
	for (i = 0; i < found.count && !c->is_out_of_memory; i++)
		visit(w, found.items[i], include, t);
}

static void include_section(struct walk *w, const struct ast_item *section)
{
	struct config_ctx *c = w->ctx;
	const struct ast_item *item;
	size_t i;

	for (i = 0; i < section->item_count; i++) {
		item = &section->items[i];
		if (item->kind != AST_LITERAL)
			ctx_error(c, &item->name, "as in 'config.d/*.dae'",
				  "'include' holds paths of files only");
		else if (!w->src)
			ctx_error(c, &item->name, NULL,
				  "nothing can be included here");
		else if (item->name.len >= 2 && !item->name.quote &&
			 item->name.s[0] == '/' && item->name.s[1] == '/')
			ctx_error(c, &item->name, "comments begin with '#'",
				  "'//' is taken for a path");
		else
			include_pattern(w, &item->name);
	}
}

/* The file's own sections first, then those of what it includes. */
static void parse_file(struct walk *w)
{
	struct config_ctx *c = w->ctx;
	size_t i, own = 0, file = c->config->file_count++;
	struct ast_item *items = NULL, *slot;

	parser_run(c, (uint16_t)file, &items, &own);
	for (i = 0; i < own; i++) {
		ast_check(c, &items[i]);
		if (ast_is(&items[i].name, "include"))
			continue;
		slot = ctx_mem(c, arena_push(c->scratch, w->sections, w->count,
					     sizeof(*slot)));
		if (!slot)
			return;
		*slot = items[i];
	}
	for (i = 0; i < own; i++)
		if (ast_is(&items[i].name, "include"))
			include_section(w, &items[i]);
}

static void visit(struct walk *w, const char *path, uint32_t include,
		  const struct ast_text *at)
{
	if (may_visit(w, path, at) && read_file(w, path, include, at))
		parse_file(w);
}

void include_run(struct config_ctx *c, const char *path,
		 const struct config_source *src, struct ast_item **sections,
		 size_t *count)
{
	struct walk w = {
		.ctx = c, .src = src, .sections = sections, .count = count
	};

	if (!src || read_file(&w, path, 0, NULL))
		parse_file(&w);
}
