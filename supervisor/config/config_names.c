/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups in a configuration, and its summary. */
#include "supervisor/config/config_parse.h"

#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/arena.h"

#define SUMMARY_SCHEMES_MAX 16U /* different ones that are named */

void config_free(struct config **c)
{
	struct arena *a;

	if (!*c)
		return;
	a = (*c)->arena; /* holds the configuration itself, too */
	*c = NULL;
	arena_free(&a);
}

const struct config_group *config_find_group(const struct config *c,
					     const char *name)
{
	size_t i;

	for (i = 0; i < c->group_count; i++)
		if (strcmp(c->groups[i].name, name) == 0)
			return &c->groups[i];
	return NULL;
}

const struct config_node *config_find_node(const struct config *c,
					   const char *name)
{
	size_t i;

	for (i = 0; i < c->node_count; i++)
		if (strcmp(c->nodes[i].name, name) == 0)
			return &c->nodes[i];
	return NULL;
}

bool node_scheme_can_carry(enum node_scheme s)
{
	return s == SCHEME_DIRECT || s == SCHEME_IFACE || s == SCHEME_TPROXY;
}

bool config_group_can_carry(const struct config *c,
			    const struct config_group *g)
{
	size_t i;

	for (i = 0; i < g->member_count; i++)
		if (node_scheme_can_carry(c->nodes[g->members[i].node].scheme))
			return true;
	return false;
}

static void put_count(struct text_out *o, size_t n, const char *what)
{
	text_put(o, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

/* ": 1 vless, 2 ss" by first appearance. */
static void put_unusable(struct text_out *o, const struct config *c)
{
	struct {
		const char *name;
		size_t count;
	} seen[SUMMARY_SCHEMES_MAX];
	size_t i, k, n = 0, total = 0;

	for (i = 0; i < c->node_count; i++) {
		if (c->nodes[i].scheme != SCHEME_UNSUPPORTED)
			continue;
		total++;
		for (k = 0; k < n; k++)
			if (strcmp(seen[k].name, c->nodes[i].scheme_text) == 0)
				break;
		if (k == SUMMARY_SCHEMES_MAX)
			continue;
		if (k == n) {
			seen[n].name = c->nodes[i].scheme_text;
			seen[n++].count = 0;
		}
		seen[k].count++;
	}
	if (total == 0)
		return;
	text_put(o, ", %zu unusable", total);
	for (i = 0; i < n; i++)
		text_put(o, "%s %zu %s", i == 0 ? ":" : ",", seen[i].count,
			 seen[i].name);
}

const char *config_summary(const struct config *c, char *buf, size_t cap)
{
	struct text_out o = { .buf = buf, .cap = cap };

	if (cap == 0)
		return buf;
	buf[0] = '\0';
	put_count(&o, c->node_count, "node");
	put_unusable(&o, c);
	text_put(&o, "; ");
	put_count(&o, c->group_count, "group");
	text_put(&o, ", ");
	put_count(&o, c->routing.rule_count, "rule");
	text_put(&o, ", ");
	put_count(&o, c->supervisor.monitor_count, "monitor");
	return buf;
}
