/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/config_parse.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/config/include.h"
#include "supervisor/config/sections.h"

/* In the order of reading: groups see all nodes, rules all groups. */
static const struct {
	const char *name;
	section_fn *read;
} sections[] = {
	{ "global", section_global },
	{ "subscription", section_subscription },
	{ "node", section_node },
	{ "group", section_group },
	{ "routing", section_routing },
	{ "dns", section_dns },
	{ "supervisor", section_supervisor },
};

static void report_unknown(struct config_ctx *c, const struct ast_item *item)
{
	const char *names[ARRAY_LEN(sections) + 2];
	char hint[96];
	size_t i;

	for (i = 0; i < ARRAY_LEN(sections); i++) {
		names[i] = sections[i].name;
		if (ast_is(&item->name, names[i]))
			return;
	}
	names[i++] = "include";
	names[i] = NULL;
	ctx_error(c, &item->name,
		  ctx_suggest(&item->name, names, hint, sizeof(hint)),
		  "unknown section '%.*s'", (int)item->name.len, item->name.s);
}

/* All blocks of one name as one: dae concatenates them. */
static bool merge(struct config_ctx *c, const struct ast_item *all,
		  size_t count, const char *name, struct ast_item *ret)
{
	struct ast_item *slot;
	size_t i, k;
	bool found = false;

	*ret = (struct ast_item){ .kind = AST_SECTION };
	for (i = 0; i < count; i++) {
		if (!ast_is(&all[i].name, name))
			continue;
		if (!found)
			ret->name = all[i].name;
		found = true;
		for (k = 0; k < all[i].item_count; k++) {
			slot = ctx_mem(c, arena_push(c->scratch, &ret->items,
						     &ret->item_count,
						     sizeof(*slot)));
			if (!slot)
				return false;
			*slot = all[i].items[k];
		}
	}
	return found;
}

static void read_sections(struct config_ctx *c, const struct ast_item *all,
			  size_t count)
{
	struct ast_item merged;
	size_t i;

	section_global_defaults(c->config);
	section_supervisor_defaults(c->config);
	for (i = 0; i < count; i++)
		report_unknown(c, &all[i]);
	for (i = 0; i < ARRAY_LEN(sections) && !c->is_out_of_memory; i++)
		if (merge(c, all, count, sections[i].name, &merged))
			sections[i].read(c, &merged);
	section_global_finish(c);
	section_supervisor_finish(c->config);
	if (!c->has_syntax_errors && !c->is_out_of_memory)
		config_checks_run(c);
}

static struct config *config_new(void)
{
	struct arena *a = arena_new();
	struct config *c = a ? arena_alloc(a, 1, sizeof(*c)) : NULL;

	if (c) {
		c->arena = a;
		c->files = arena_alloc(a, CONFIG_FILES_MAX, sizeof(*c->files));
	}
	if (!c || !c->files) {
		arena_free(&a);
		return NULL;
	}
	return c;
}

static int parse(struct config **ret, const char *path,
		 const struct config_source *src, struct config *config,
		 struct config_diags *diags)
{
	auto_config struct config *owned = config;
	auto_arena struct arena *scratch = arena_new();
	struct config_ctx c = { .config = config,
				.arena = config->arena,
				.scratch = scratch,
				.diags = diags };
	struct ast_item *all = NULL;
	size_t count = 0, errors = diags->error_count, first = diags->count;

	if (!scratch)
		return -ENOMEM;
	include_run(&c, path, src, &all, &count);
	c.syntax_items = c.has_syntax_errors ? diags->count : 0;
	if (!c.is_out_of_memory && config->file_count > 0)
		read_sections(&c, all, count);
	config_diags_sort(diags, first);
	if (c.is_out_of_memory)
		return -ENOMEM;
	if (diags->error_count > errors)
		return -EINVAL;
	*ret = TAKE_PTR(owned);
	return 0;
}

int config_parse(struct config **ret, const char *text, size_t len,
		 struct config_diags *diags)
{
	struct config *c = config_new();
	struct config_ctx ctx = { .config = c, .diags = diags };

	if (!c)
		return -ENOMEM;
	c->files[0].path = arena_strndup(c->arena, "config", 6);
	c->files[0].text = len <= CONFIG_FILE_MAX
				   ? arena_strndup(c->arena, text, len)
				   : NULL;
	c->files[0].len = len;
	if (c->files[0].path && c->files[0].text)
		return parse(ret, "config", NULL, c, diags);
	if (len > CONFIG_FILE_MAX)
		ctx_error(&ctx, NULL, NULL, "the text is too long");
	config_free(&c);
	return len > CONFIG_FILE_MAX ? -EINVAL : -ENOMEM;
}

int config_parse_files(struct config **ret, const char *path,
		       const struct config_source *src,
		       struct config_diags *diags)
{
	struct config *c = config_new();

	return c ? parse(ret, path, src, c, diags) : -ENOMEM;
}
