/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/entries.h"

#include <string.h>

#include "supervisor/config/keys.h"

#define TAG_MAX 256U

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
	return ctx_mem(c,
		       arena_printf(c->scratch, "%.*s:%s", (int)item->name.len,
				    item->name.s, text));
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
	ctx_error(c, t,
		  t->s[1] == '/' ? "comments begin with '#'"
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
	if (e.tag_len > TAG_MAX)
		ctx_error(c, &item->name, NULL, "the tag is too long");
	else
		fn(c, &e);
}

void entries_decode(struct config_ctx *c, const struct ast_item *section,
		    entry_fn *fn)
{
	const struct ast_item *item;
	size_t i, skip;

	for (i = 0; i<section->item_count; i += skip> 0 ? skip : 1) {
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
