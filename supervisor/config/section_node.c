/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/config/config_link.h"
#include "supervisor/config/entries.h"
#include "supervisor/config/url.h"

#define NODES_MAX 65536U

static void add_node(struct config_ctx *c, const struct entry *e)
{
	struct config *cfg = c->config;
	struct config_node node, *slot;
	char why[192] = "";
	int r;

	r = config_link_parse(c->arena, e->value, strlen(e->value), &node, why,
			      sizeof(why));
	if (r == -ENOMEM)
		ctx_mem(c, NULL);
	else if (r < 0)
		ctx_error(c, &e->at, NULL, "bad link: %s", why);
	else if (cfg->node_count >= NODES_MAX)
		ctx_error(c, &e->at, NULL, "more than %u nodes", NODES_MAX);
	if (r < 0 || cfg->node_count >= NODES_MAX)
		return;
	if (e->tag_len > 0)
		node.name = ctx_mem(c, arena_strndup(c->arena, e->tag,
						     e->tag_len));
	node.pos = e->at.pos;
	slot = node.name
		       ? ctx_mem(c, arena_push(c->arena, &cfg->nodes,
					       &cfg->node_count, sizeof(*slot)))
		       : NULL;
	if (slot)
		*slot = node;
}

void section_node(struct config_ctx *c, const struct ast_item *section)
{
	entries_decode(c, section, add_node);
}

static void add_subscription(struct config_ctx *c, const struct entry *e)
{
	static const char *const schemes[] = { "http",	    "https",
					       "http-file", "https-file",
					       "file",	    NULL };
	static const char once[] = "subscription";
	struct config_list *list = &c->config->subscriptions;
	char why[160], **slot, *text;
	struct url u;
	size_t i;

	if (url_parse(c->scratch, e->value, strlen(e->value), &u, why,
		      sizeof(why)) < 0) {
		ctx_error(c, &e->at, NULL, "bad subscription: %s", why);
		return;
	}
	for (i = 0; schemes[i] && strcmp(schemes[i], u.scheme) != 0; i++)
		;
	if (!schemes[i]) {
		ctx_error(c, &e->at, NULL,
			  "bad subscription: unknown scheme '%.32s'", u.scheme);
		return;
	}
	if (ctx_once(c, once))
		ctx_warn(c, &e->at, NULL,
			 "subscriptions have no effect: fetching "
			 "them arrives with a later version");
	text = arena_printf(c->arena, "%.*s:%s", (int)e->tag_len,
			    e->tag ? e->tag : "", e->value);
	slot = ctx_mem(c, text)
		       ? ctx_mem(c, arena_push(c->arena, &list->items,
					       &list->count, sizeof(*slot)))
		       : NULL;
	if (slot)
		*slot = text;
}

void section_subscription(struct config_ctx *c, const struct ast_item *section)
{
	entries_decode(c, section, add_subscription);
}
