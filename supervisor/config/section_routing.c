/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include "common/base.h"
#include "supervisor/config/keys.h"
#include "supervisor/config/outbound.h"
#include "supervisor/config/rule_values.h"

#define RULES_MAX 65536U

static key_fn read_fallback;

static const struct key keys[] = {
	KEY("fallback", read_fallback, 0),
	{ .name = NULL },
};

static void read_rule(struct config_ctx *c, const struct ast_item *item)
{
	struct config_routing *routing = &c->config->routing;
	struct config_rule rule = { .pos = item->name.pos }, *slot;
	bool ok = true;
	size_t i;

	rule.conds = ctx_mem(c, arena_alloc(c->arena, item->func_count,
					    sizeof(*rule.conds)));
	if (!rule.conds)
		return;
	rule.cond_count = item->func_count;
	for (i = 0; i < item->func_count; i++)
		ok &= rule_cond_read(c, &item->funcs[i], &rule.conds[i]);
	ok &= outbound_read(c, &item->out, false, &rule.out);
	rule.text = outbound_rule_text(c, item);
	if (!ok || !rule.text)
		return;
	if (routing->rule_count >= RULES_MAX) {
		ctx_error(c, &item->name, NULL, "more than %u rules",
			  RULES_MAX);
		return;
	}
	slot = ctx_mem(c, arena_push(c->arena, &routing->rules,
				     &routing->rule_count, sizeof(*slot)));
	if (slot)
		*slot = rule;
}

static void read_fallback(struct config_ctx *c, const struct key *k DAE_UNUSED,
			  const struct ast_item *item, void *out)
{
	struct config_routing *routing = out;
	struct ast_func bare = { .name = *keys_value(item) };
	struct rule_outbound o;

	if (item->literal_count > 1 || item->func_count > 1) {
		ctx_error(c,
			  item->func_count > 1 ? &item->funcs[1].name
					       : &item->literals[1],
			  NULL, "'fallback' takes exactly one outbound");
		return;
	}
	if (outbound_read(c, item->func_count == 1 ? &item->funcs[0] : &bare,
			  true, &o))
		routing->fallback = o;
}

void section_routing(struct config_ctx *c, const struct ast_item *section)
{
	struct ast_item one = *section;
	size_t i;

	for (i = 0; i < section->item_count; i++) {
		if (section->items[i].kind == AST_RULE) {
			read_rule(c, &section->items[i]);
			continue;
		}
		one.items = &section->items[i];
		one.item_count = 1;
		keys_decode(c, &one, keys, &c->config->routing);
	}
}
