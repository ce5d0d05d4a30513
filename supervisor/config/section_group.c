/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/config/filter.h"
#include "supervisor/config/keys.h"

#define GROUPS_MAX 250U /* dae's outbound numbers 2 to 251 */
#define GROUP_NAME_MAX 128U

/* A group while its block is read. */
struct draft {
	struct config_group group;
	bool has_policy;
	struct filter **filters; /* joined by OR */
	size_t filter_count;
	bool has_filters; /* also when all were bad */
};

static const char *const policy_names[] = {
	[POLICY_RANDOM] = "random",
	[POLICY_FIXED] = "fixed",
	[POLICY_MIN] = "min",
	[POLICY_MIN_AVG10] = "min_avg10",
	[POLICY_MIN_MOVING_AVG] = "min_moving_avg",
	[POLICY_FALLBACK] = "fallback",
	[POLICY_STICKY] = "sticky",
	[POLICY_COUNT] = NULL,
};
static_assert(ARRAY_LEN(policy_names) == POLICY_COUNT + 1, "name the policy");

/* In the order of enum on_all_dead, without its first. */
static const char *const dead_words[] = { "block", "direct", "last", NULL };

static key_fn read_filter, read_policy, read_dead, read_tolerance;
static const char later_check[] =
	"what is asked of a node is the same in all its groups";

#define FIELD(f) offsetof(struct draft, f)

static const struct key keys[] = {
	KEY("filter", read_filter, 0, .takes_notes = true),
	KEY("policy", read_policy, 0),
	KEY("on_all_dead", read_dead, FIELD(group.on_all_dead)),
	KEY("check_interval", key_duration, FIELD(group.check_interval_ns),
	    .min = 100 * NS_PER_MS),
	KEY("check_tolerance", read_tolerance, 0),
	KEY("tcp_check_url", key_list, KEY_NOWHERE, .later = later_check),
	KEY("tcp_check_http_method", key_string, KEY_NOWHERE,
	    .later = later_check),
	KEY("udp_check_dns", key_list, KEY_NOWHERE, .later = later_check),
	{ .name = NULL },
};

const char *group_policy_name(enum group_policy p)
{
	return (unsigned int)p < POLICY_COUNT ? policy_names[p] : "?";
}

static void read_filter(struct config_ctx *c, const struct key *k DAE_UNUSED,
			const struct ast_item *item, void *out)
{
	struct draft *d = out;
	struct filter *f = filter_new(c, item), **slot;

	d->has_filters = true;
	if (!f)
		return;
	slot = ctx_mem(c, arena_push(c->scratch, &d->filters, &d->filter_count,
				     sizeof(*slot)));
	if (slot)
		*slot = f;
	else
		filter_release(f);
}

static void read_dead(struct config_ctx *c, const struct key *k,
		      const struct ast_item *item, void *out)
{
	struct key words = *k;
	int i = -1;

	words.words = dead_words;
	key_word(c, &words, item, &i);
	if (i >= 0)
		*(enum on_all_dead *)out = ALL_DEAD_BLOCK + i;
}

static void read_tolerance(struct config_ctx *c, const struct key *k,
			   const struct ast_item *item, void *out)
{
	struct draft *d = out;

	key_duration(c, k, item, &d->group.check_tolerance_ns);
	d->group.has_tolerance = true;
}

/* fixed(n): exactly one bare parameter. */
static void read_fixed(struct config_ctx *c, const struct ast_func *f,
		       struct config_group *g)
{
	const char *text;
	uint64_t n;

	if (f->param_count != 1 || f->params[0].key.s) {
		ctx_error(c, &f->name, "as in fixed(0), counted from 0",
			  "fixed() takes the number of one node");
		return;
	}
	text = ctx_mem(c, arena_strndup(c->scratch, f->params[0].value.s,
					f->params[0].value.len));
	if (!text || text_parse_uint(text, UINT32_MAX, &n) < 0) {
		ctx_error(c, &f->params[0].value,
			  "as in fixed(0), counted from 0",
			  "fixed() takes the number of one node");
		return;
	}
	g->fixed_index = (uint32_t)n;
}

static void read_policy_func(struct config_ctx *c, const struct ast_item *item,
			     struct draft *d)
{
	const struct ast_func *f = &item->funcs[0];

	if (item->func_count != 1)
		ctx_error(c, &item->funcs[1].name, NULL,
			  "'policy' takes exactly one function");
	else if (f->negate)
		ctx_error(c, &f->name, NULL, "a policy cannot be negated");
	else if (d->group.policy == POLICY_FIXED)
		read_fixed(c, f, &d->group);
	else
		ctx_error(c, &f->name, NULL,
			  "the policy '%s' takes no "
			  "parameters",
			  policy_names[d->group.policy]);
}

static void read_policy(struct config_ctx *c, const struct key *k DAE_UNUSED,
			const struct ast_item *item, void *out)
{
	const struct ast_text *at = keys_value(item);
	struct draft *d = out;
	char hint[96];
	int i;

	d->has_policy = true;
	for (i = 0; policy_names[i] && !ast_is(at, policy_names[i]); i++)
		;
	if (!policy_names[i]) {
		ctx_error(c, at,
			  ctx_suggest(at, policy_names, hint, sizeof(hint)),
			  "unknown policy '%.*s'", (int)at->len, at->s);
		return;
	}
	d->group.policy = (enum group_policy)i;
	if (item->func_count > 0)
		read_policy_func(c, item, d);
	else if (item->literal_count != 1)
		ctx_error(c, &item->literals[1], NULL,
			  "'policy' takes exactly one policy");
	else if (i == POLICY_FIXED)
		ctx_error(c, at, "as in fixed(0), counted from 0",
			  "fixed() takes the number of one node");
}

/* The first line that hits decides the annotation. No lines: every node. */
static bool takes_node(const struct draft *d, const struct config_node *n,
		       int64_t *ret_add_ns)
{
	size_t i;

	*ret_add_ns = 0;
	for (i = 0; i < d->filter_count; i++) {
		if (!filter_hits(d->filters[i], n))
			continue;
		*ret_add_ns = filter_add_latency_ns(d->filters[i]);
		return true;
	}
	return !d->has_filters;
}

static void collect_members(struct config_ctx *c, struct draft *d)
{
	const struct config *cfg = c->config;
	struct group_member *m;
	int64_t add_ns;
	size_t i;

	for (i = 0; i < cfg->node_count; i++) {
		if (!takes_node(d, &cfg->nodes[i], &add_ns))
			continue;
		m = ctx_mem(c, arena_push(c->arena, &d->group.members,
					  &d->group.member_count, sizeof(*m)));
		if (!m)
			return;
		*m = (struct group_member){ .node = i,
					    .add_latency_ns = add_ns };
	}
}

static void check_draft(struct config_ctx *c, const struct draft *d,
			const struct ast_item *block)
{
	const struct config_group *g = &d->group;
	char hint[96];

	if (!d->has_policy && !c->has_syntax_errors)
		ctx_error(c, &block->name, "as in 'policy: min_moving_avg'",
			  "group '%s' has no policy", g->name);
	if (g->member_count == 0)
		ctx_warn(c, &block->name, NULL, "group '%s' has no nodes",
			 g->name);
	else if (g->policy == POLICY_FIXED && g->fixed_index >= g->member_count)
		ctx_error(c, &block->name,
			  (snprintf(hint, sizeof(hint),
				    "nodes are counted from 0: 0 to %zu",
				    g->member_count - 1),
			   hint),
			  "group '%s' is fixed(%u) of %zu node%s", g->name,
			  g->fixed_index, g->member_count,
			  g->member_count == 1 ? "" : "s");
}

static bool check_name(struct config_ctx *c, const struct ast_item *block,
		       const char *name)
{
	if (ast_is(&block->name, "direct") || ast_is(&block->name, "block") ||
	    strncmp(name, "must_", 5) == 0) {
		ctx_error(c, &block->name, NULL,
			  "'%s' is an outbound of its own and no name for a "
			  "group",
			  name);
		return false;
	}
	if (config_find_group(c->config, name)) {
		ctx_error(c, &block->name, NULL, "group '%s' exists already",
			  name);
		return false;
	}
	if (block->name.len > GROUP_NAME_MAX ||
	    c->config->group_count >= GROUPS_MAX) {
		ctx_error(c, &block->name, NULL,
			  block->name.len > GROUP_NAME_MAX
				  ? "the name of the group is too long"
				  : "more than 250 groups");
		return false;
	}
	return true;
}

static void read_group(struct config_ctx *c, const struct ast_item *block)
{
	struct draft d = { .group = { .pos = block->name.pos } };
	struct config_group *slot;
	size_t i;

	d.group.name = ctx_copy(c, &block->name);
	if (!d.group.name || !check_name(c, block, d.group.name))
		return;
	keys_decode(c, block, keys, &d);
	collect_members(c, &d);
	check_draft(c, &d, block);
	for (i = 0; i < d.filter_count; i++)
		filter_release(d.filters[i]);
	slot = ctx_mem(c, arena_push(c->arena, &c->config->groups,
				     &c->config->group_count, sizeof(*slot)));
	if (slot)
		*slot = d.group;
}

void section_group(struct config_ctx *c, const struct ast_item *section)
{
	const struct ast_item *item;
	size_t i;

	for (i = 0; i < section->item_count; i++) {
		item = &section->items[i];
		if (item->kind == AST_SECTION)
			read_group(c, item);
		else
			ctx_error(c, &item->name,
				  "as in 'NAME { policy: min_moving_avg }'",
				  "'group' holds groups only");
	}
}
