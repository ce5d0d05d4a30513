/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/sections.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/config/config_link.h"
#include "supervisor/config/keys.h"
#include "supervisor/config/url.h"

#define NODES_MAX 65536U
#define NAME_MAX_BYTES 256U

/* One element of a list section: 'TAG: VALUE', TAG: 'VALUE' or 'VALUE'. */
struct entry {
	const char *tag;	/* not terminated; len 0: none */
	size_t tag_len;
	const char *value;	/* terminated */
	struct ast_text at;	/* of the value */
};

typedef void entry_fn(struct config_ctx *c, const struct entry *e);

/*
 * dae flattens an element to one text and splits it again: what stands before
 * the first ':' is the tag unless that ':' begins "://". So an unquoted
 * https://HOST/ becomes whole again.
 */
static void entry_split(const char *flat, struct entry *e)
{
	const char *colon = strchr(flat, ':');

	e->value = flat;
	if (!colon || strncmp(colon, "://", 3) == 0)
		return;
	e->tag = flat;
	e->tag_len = (size_t)(colon - flat);
	e->value = colon + 1;
	while (*e->value == ' ' || *e->value == '\t')
		e->value++;
	while (e->tag_len > 0 && flat[e->tag_len - 1] == ' ')
		e->tag_len--;
}

/* The element as one text, or NULL with the reason reported. */
static const char *entry_flatten(struct config_ctx *c,
				 const struct ast_item *item)
{
	const char *text;

	if (item->kind == AST_LITERAL) {
		if (memchr(item->name.s, '\0', item->name.len)) {
			ctx_error(c, &item->name, NULL,
				  "the value has a byte of zero in it");
			return NULL;
		}
		return ctx_mem(c, arena_strndup(c->scratch, item->name.s,
						item->name.len));
	}
	text = keys_text(c, item);
	if (!text)
		return NULL;
	return ctx_mem(c, arena_printf(c->scratch, "%.*s:%s",
				       (int)item->name.len, item->name.s,
				       text));
}

/* A bare word that begins with "//": someone meant a comment. Words after it
 * on the line are part of the mistake. Returns the items to skip. */
static size_t report_comment(struct config_ctx *c,
			     const struct ast_item *section, size_t i)
{
	const struct ast_item *item = &section->items[i];
	const struct ast_text *t = &item->name;
	size_t n = 1;

	if (item->kind != AST_LITERAL || t->quote || t->len < 2 ||
	    t->s[0] != '/' || (t->s[1] != '/' && t->s[1] != '*'))
		return 0;
	ctx_error(c, t, t->s[1] == '/' ? "comments begin with '#'"
				       : "this comment is never closed by '*/'",
		  "'%.*s' is taken for an element of '%.*s'",
		  (int)(t->len > 40 ? 40 : t->len), t->s,
		  (int)section->name.len, section->name.s);
	while (i + n < section->item_count &&
	       section->items[i + n].name.pos.line == t->pos.line &&
	       section->items[i + n].kind == AST_LITERAL &&
	       !section->items[i + n].name.quote)
		n++;
	return n;
}

static void decode_entry(struct config_ctx *c, const struct ast_item *item,
			 entry_fn *fn)
{
	struct entry e = { 0 };
	const char *flat;

	if (item->has_notes)
		keys_no_notes(c, item);
	flat = entry_flatten(c, item);
	if (!flat)
		return;
	entry_split(flat, &e);
	e.at = *keys_value(item);
	if (e.tag_len > NAME_MAX_BYTES)
		ctx_error(c, &item->name, NULL, "the tag is too long");
	else
		fn(c, &e);
}

static void decode_entries(struct config_ctx *c, const struct ast_item *section,
			   entry_fn *fn)
{
	const struct ast_item *item;
	size_t i, skip;

	for (i = 0; i < section->item_count; i += skip > 0 ? skip : 1) {
		item = &section->items[i];
		skip = report_comment(c, section, i);
		if (skip > 0)
			continue;
		if (item->kind == AST_RULE || item->kind == AST_SECTION)
			ctx_error(c, &item->name,
				  "elements are TAG: 'LINK' or 'LINK'",
				  "a %s cannot stand in '%.*s'",
				  item->kind == AST_RULE ? "rule" : "section",
				  (int)section->name.len, section->name.s);
		else
			decode_entry(c, item, fn);
	}
}

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
	slot = node.name ? ctx_mem(c, arena_push(c->arena, &cfg->nodes,
						 &cfg->node_count,
						 sizeof(*slot)))
			 : NULL;
	if (slot)
		*slot = node;
}

void section_node(struct config_ctx *c, const struct ast_item *section)
{
	decode_entries(c, section, add_node);
}

static void add_subscription(struct config_ctx *c, const struct entry *e)
{
	static const char *const schemes[] = { "http", "https", "http-file",
					       "https-file", "file", NULL };
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
		ctx_warn(c, &e->at, NULL, "subscriptions do not act: fetching "
			 "them arrives with a later version");
	text = arena_printf(c->arena, "%.*s:%s", (int)e->tag_len,
			    e->tag ? e->tag : "", e->value);
	slot = ctx_mem(c, text) ? ctx_mem(c, arena_push(c->arena, &list->items,
							&list->count,
							sizeof(*slot)))
				: NULL;
	if (slot)
		*slot = text;
}

void section_subscription(struct config_ctx *c, const struct ast_item *section)
{
	decode_entries(c, section, add_subscription);
}
