/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include <assert.h>
#include <stdio.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"

/* Why a rule cannot act. */
enum blocker { BLOCKER_DOMAIN, BLOCKER_PNAME, BLOCKER_COUNT };

static const char *const blocker_texts[] = {
	[BLOCKER_DOMAIN] = "domain(...) needs the addresses of names, which "
			   "nothing but 'daectl route learn' tells in this "
			   "version",
	[BLOCKER_PNAME] = "pname(...) is about the host's own traffic, and "
			  "there is no global { wan_interface }",
};
static_assert(ARRAY_LEN(blocker_texts) == BLOCKER_COUNT, "say why");

struct finding {
	struct config_pos first;
	size_t count;
};

static bool is_blocked(const struct config_ctx *c, const struct rule_cond *cond,
		       enum blocker *ret)
{
	*ret = BLOCKER_DOMAIN;
	if (cond->fn == RULE_DOMAIN)
		return true;
	*ret = BLOCKER_PNAME;
	return cond->fn == RULE_PNAME &&
	       c->config->global.wan_interface.count == 0;
}

/* Names are said rule by rule: each waits for somebody to teach it. */
static void find_blockers(struct config_ctx *c, const struct config_rule *r,
			  struct finding *found)
{
	bool was_said = false;
	struct ast_text at;
	enum blocker b;
	size_t i;

	for (i = 0; i < r->cond_count; i++) {
		if (!is_blocked(c, &r->conds[i], &b))
			continue;
		at = ctx_at(r->conds[i].pos);
		if (b != BLOCKER_DOMAIN) {
			if (found[b].count++ == 0)
				found[b].first = r->conds[i].pos;
		} else if (!was_said) {
			was_said = true;
			ctx_warn(c, &at, NULL, "%s", blocker_texts[b]);
		}
	}
}

static void check_rules(struct config_ctx *c)
{
	const struct config_routing *routing = &c->config->routing;
	struct finding found[BLOCKER_COUNT] = { 0 };
	struct ast_text at;
	char more[64];
	size_t i;

	for (i = 0; i < routing->rule_count; i++)
		find_blockers(c, &routing->rules[i], found);
	for (i = 0; i < BLOCKER_COUNT; i++) {
		if (found[i].count == 0)
			continue;
		at = ctx_at(found[i].first);
		snprintf(more, sizeof(more), "%zu more rule%s it",
			 found[i].count - 1,
			 found[i].count == 2 ? " has" : "s have");
		ctx_warn(c, &at, found[i].count > 1 ? more : NULL,
			 "the rule cannot act: %s", blocker_texts[i]);
	}
}

/* A rule that leads to nodes which carry nothing: once a group. */
static void check_outbound(struct config_ctx *c, const struct rule_outbound *o)
{
	const struct config_supervisor *s = &c->config->supervisor;
	const struct config_group *g;
	struct ast_text at;

	if (o->action != RULE_GROUP)
		return;
	g = &c->config->groups[o->group];
	if (g->on_all_dead != ALL_DEAD_UNSET ||
	    config_group_can_carry(c->config, g) || !ctx_once(c, g))
		return;
	at = ctx_at(o->pos);
	ctx_report(c, s->mode == MODE_ROUTE ? DIAG_ERROR : DIAG_WARNING, &at,
		   "only iface://, tproxy:// and direct:// nodes carry traffic "
		   "in this version; say 'on_all_dead' for the rest",
		   "group '%s' can carry no traffic", g->name);
}

static void check_groups(struct config_ctx *c)
{
	struct config *cfg = c->config;
	size_t i;

	for (i = 0; i < cfg->group_count; i++)
		if (cfg->groups[i].on_all_dead == ALL_DEAD_UNSET)
			cfg->groups[i].on_all_dead =
				(enum on_all_dead)cfg->supervisor.on_all_dead;
	for (i = 0; i < cfg->routing.rule_count; i++)
		check_outbound(c, &cfg->routing.rules[i].out);
	check_outbound(c, &cfg->routing.fallback);
}

static void check_marks(struct config_ctx *c)
{
	struct config_supervisor *s = &c->config->supervisor;
	const struct config_global *g = &c->config->global;

	if (g->has_so_mark && g->so_mark_from_dae != 0)
		s->so_mark = g->so_mark_from_dae;
	if (s->mark & ~s->mark_mask)
		ctx_error(c, NULL,
			  "a packet is ours if 'packet & mark_mask' "
			  "is 'mark'",
			  "'mark' 0x%x has bits outside of 'mark_mask' 0x%x",
			  s->mark, s->mark_mask);
	if (s->so_mark & s->mark_mask)
		ctx_error(c, NULL, "our own sockets would be captured",
			  "'so_mark' 0x%x and 'mark_mask' 0x%x share a bit",
			  s->so_mark, s->mark_mask);
}

static void check_limits(struct config_ctx *c)
{
	const struct config_supervisor *s = &c->config->supervisor;

	if (s->memory_total_bytes > 0 &&
	    s->recycle.rss_hard_bytes > s->memory_total_bytes)
		ctx_error(c, NULL, NULL,
			  "'recycle { rss_hard }' is more than "
			  "'memory_total'");
	if (s->mode == MODE_ROUTE && c->config->global.lan_interface.count == 0)
		ctx_warn(c, NULL, "as in 'lan_interface: br0'",
			 "'mode: route' without global { lan_interface } "
			 "routes nothing");
}

void config_checks_run(struct config_ctx *c)
{
	check_marks(c);
	check_limits(c);
	check_rules(c);
	/* a group without nodes may be the fault of a node that has an error */
	if (c->diags->error_count == 0)
		check_groups(c);
}
